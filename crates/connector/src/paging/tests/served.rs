//! Pages over the wire.

use futures::TryStreamExt;

use super::*;
use crate::http::Request;
use crate::kit::{Exchange, Server};

async fn parts(
    pager: &Pager,
    cursor: Option<Cursor>,
    io: &Io,
) -> (Vec<(String, String)>, Option<Cursor>) {
    let (mut parts, mut cursor) = (Vec::new(), cursor);
    while let Some(fetched) = pager
        .fetch(cursor.as_ref(), io, "rows.json", Request::get)
        .await
        .unwrap()
    {
        if let Some(part) = fetched.part {
            let bytes: Vec<bytes::Bytes> = part.body.try_collect().await.unwrap();
            parts.push((part.name, String::from_utf8(bytes.concat()).unwrap()));
        }
        cursor = fetched.next;
        if cursor.is_none() {
            break;
        }
    }
    (parts, cursor)
}

#[tokio::test]
async fn pages_come_as_they_are() {
    let server = Server::start(vec![
        Exchange::new("/r", r#"{"next": "/r?p=2", "rows": [1]}"#),
        Exchange::new("/r?p=2", r#"{"next": null, "rows": [2]}"#),
    ])
    .await
    .unwrap();
    let pager = pager(
        &format!("{}/r", server.url()),
        json!({"style": "next", "next": "next"}),
    );
    let (parts, cursor) = parts(&pager, None, &io(NOW)).await;
    assert_eq!(
        parts,
        [
            (
                "rows.json".to_owned(),
                r#"{"next": "/r?p=2", "rows": [1]}"#.to_owned()
            ),
            (
                "rows-2.json".to_owned(),
                r#"{"next": null, "rows": [2]}"#.to_owned()
            )
        ]
    );
    assert_eq!(cursor, None);
}

#[tokio::test]
async fn a_later_round_without_news_brings_no_part() {
    let server = Server::start(vec![Exchange::new("/r?since=0", "[]")])
        .await
        .unwrap();
    let incremental: Incremental = serde_json::from_value(
        json!({"kind": "id", "parameter": "since", "field": "[*].id", "start": "0"}),
    )
    .unwrap();
    let url = format!("{}/r", server.url());
    let pager =
        Pager::new(super::url(&url), Some(Paging::of(Style::Link))).since(Some(incremental));
    let (first, cursor) = parts(&pager, None, &io(NOW)).await;
    assert_eq!(
        first.len(),
        1,
        "the source was asked, and its answer is kept"
    );
    let (later, again) = parts(&pager, cursor.clone(), &io("2025-06-02T00:00:00Z")).await;
    assert_eq!((later.len(), again), (0, cursor));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_source_of_one_answer_is_asked_for_changes_only() {
    let server = Server::start(vec![Exchange::new("/r", "[1]").with_etag("\"a\"")])
        .await
        .unwrap();
    let url = format!("{}/r", server.url());
    let io = io(NOW).with_validators(|_| {
        Some(crate::io::Validators {
            etag: Some("\"a\"".to_owned()),
            last_modified: None,
        })
    });
    let pager = Pager::new(super::url(&url), None);
    let fetched = pager
        .fetch(None, &io, "rows.json", Request::get)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((fetched.part.is_none(), fetched.known), (true, Some(url)));
}

#[tokio::test]
async fn an_empty_answer_is_told_as_such() {
    let empty = ["/r", "/r?page=1"].map(|target| Exchange::new(target, ""));
    let server = Server::start(empty.to_vec()).await.unwrap();
    let url = format!("{}/r", server.url());
    let mut said = Vec::new();
    for settings in [
        json!({"style": "next", "next": "next"}),
        json!({"style": "page"}),
        json!({"style": "page", "records": "rows"}),
    ] {
        let pager = pager(&url, settings);
        let fetched = pager.fetch(None, &io(NOW), "rows.json", Request::get).await;
        let error = fetched.map(drop).unwrap_err();
        assert_eq!(error.kind, crate::error::ErrorKind::Invalid);
        said.push(error.to_string().replace(server.url(), "SERVER"));
    }
    let [first, numbered] = ["SERVER/r", "SERVER/r?page=1"];
    let expected =
        [first, numbered, numbered].map(|it| format!("{it}: the answer is empty (HTTP 200)"));
    assert_eq!(said, expected);
}
