//! Rows that point into their own table.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use sectorlake_contract::Severity;

use super::{contract, run, source, spec};
use crate::{KeyChecks, KeySet, NormaliseError, SelfCheck, Waiting};

/// Which stops are let through, and which are refused, given those already in the table.
async fn judged(stops: &[(&str, &str)], there: &[&str]) -> (Vec<String>, Vec<String>) {
    judged_as(Severity::Reject, stops, there).await
}

async fn judged_as(
    severity: Severity,
    stops: &[(&str, &str)],
    there: &[&str],
) -> (Vec<String>, Vec<String>) {
    let contract = contract(
        r#"{"name": "id", "type": "string"}, {"name": "parent", "type": "string"}"#,
        r#", "primaryKey": ["id"]"#,
    );
    let there: Vec<Vec<&str>> = there.iter().map(|id| vec![*id]).collect();
    let there: Vec<&[&str]> = there.iter().map(Vec::as_slice).collect();
    let known: KeySet = sectorlake_contract::key_hashes(source(&["id"], &there).batch.columns())
        .unwrap()
        .into_iter()
        .collect();
    let check = SelfCheck {
        fields: vec!["parent".to_owned()],
        referenced: vec!["id".to_owned()],
        label: "a.t (id)".to_owned(),
        severity,
        known: Arc::new(known),
    };
    let waiting = Waiting::new(&contract, &[check]).unwrap();
    let keys = KeyChecks {
        waiting: Some(Arc::clone(&waiting)),
        ..KeyChecks::default()
    };
    let rows: Vec<Vec<&str>> = stops
        .iter()
        .map(|(id, parent)| vec![*id, *parent])
        .collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    let first = run(
        &spec(&contract, None),
        &source(&["id", "parent"], &rows),
        &keys,
    )
    .await
    .unwrap();
    let mut batches = first.batches;
    let mut refused = Vec::new();
    waiting
        .settle(|settled| {
            batches.extend(settled.batches);
            refused.extend(settled.rejected.into_iter().map(|(part, rejection)| {
                format!("{part}:{} {}", rejection.row, rejection.message)
            }));
            Ok::<(), NormaliseError>(())
        })
        .unwrap();
    let ids = batches.iter().flat_map(|batch| {
        let ids = batch.column(0).as_string_view().clone();
        (0..ids.len())
            .map(move |row| ids.value(row).to_owned())
            .collect::<Vec<_>>()
    });
    let mut ids: Vec<String> = ids.collect();
    ids.sort();
    (ids, refused)
}

#[tokio::test]
async fn the_order_of_rows_does_not_matter() {
    let stops = [
        ("a", "b"),
        ("b", "c"),
        ("c", ""),
        ("d", "nowhere"),
        ("e", "d"),
        ("f", "f"),
    ];
    let (accepted, refused) = judged(&stops, &[]).await;
    assert_eq!(accepted, ["a", "b", "c", "f"]);
    assert_eq!(
        refused,
        [
            "p1:4 there is no such row in a.t (id)",
            "p1:5 there is no such row in a.t (id)"
        ]
    );
    let mut turned = stops;
    turned.reverse();
    assert_eq!(judged(&turned, &[]).await.0, accepted);
}

#[tokio::test]
async fn rows_that_are_there_already_count() {
    let (accepted, refused) = judged(&[("a", "old"), ("b", "new")], &["old"]).await;
    assert_eq!((accepted, refused.len()), (vec!["a".to_owned()], 1));
}

#[tokio::test]
async fn rows_that_point_to_each_other_stay() {
    let stops = [("a", "b"), ("b", "a"), ("c", "a"), ("d", "e"), ("e", "f")];
    let (accepted, refused) = judged(&stops, &[]).await;
    assert_eq!((accepted.join(" "), refused.len()), ("a b c".to_owned(), 2));
}

#[tokio::test]
async fn a_row_stays_as_long_as_one_with_its_key_does() {
    let stops = [
        ("a", "b"),
        ("b", "gone"),
        ("b", "a"),
        ("c", "d"),
        ("d", "gone"),
    ];
    let (accepted, refused) = judged(&stops, &[]).await;
    assert_eq!((accepted.join(" "), refused.len()), ("a b".to_owned(), 3));
}

/// A chain told from its end: each row waits for the one after it.
#[tokio::test]
async fn a_long_chain_takes_no_longer_than_its_rows() {
    let ids: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    let stops: Vec<(&str, &str)> = (0..ids.len() - 1)
        .rev()
        .map(|n| (ids[n + 1].as_str(), ids[n].as_str()))
        .collect();
    let (accepted, refused) = judged(&stops, &[]).await;
    assert_eq!((accepted.len(), refused.len()), (0, ids.len() - 1));
    let (accepted, _) = judged(&stops, &["0"]).await;
    assert_eq!(accepted.len(), ids.len() - 1);
}

#[tokio::test]
async fn a_soft_key_marks_and_lets_through() {
    let stops = [("a", "nowhere"), ("b", "a"), ("c", "")];
    let (through, marked) = judged_as(Severity::Warn, &stops, &[]).await;
    assert_eq!(through, ["a", "b", "c"]);
    assert_eq!(marked, ["p1:1 there is no such row in a.t (id)"]);
}
