//! Contracts that change while their tables hold rows.
#![expect(clippy::unwrap_used, reason = "tests")]

mod property;
mod refused;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::DataType;
use sectorlake_contract::{Contract, Field, FieldType, TableName};

use crate::error::LakeError;
use crate::lake::Lake;
use crate::run::{KeyRows, Run};
use crate::snapshot::{At, PipelineState};
use crate::stage::fixture::{Loading, Row, contract_with, lake, latest, row, rows_of, values};
use crate::stage::{Load, StageOptions};
use crate::table::LakeTable;

fn items() -> TableName {
    "test.items".parse().unwrap()
}

/// The fixture's contract with another type of `value`, more fields, and more of the table.
fn changed(version: &str, value: &str, fields: &str, table: &str) -> Arc<Contract> {
    let unit = r#""unit": "m""#;
    let value = match value.split_once(' ') {
        Some((kind, digits)) => {
            format!(r#""type": "{kind}", "sectorlake": {{ {unit}, {digits} }}"#)
        }
        None => format!(r#""type": "{value}", "sectorlake": {{ {unit} }}"#),
    };
    let text = format!(
        r#"{{ "fields": [{{ "name": "id", "type": "string" }}, {{ "name": "value", {value} }},
            {{ "name": "at", "type": "datetime" }}{fields}], "primaryKey": ["id"],
            "sectorlake": {{ "version": "{version}"{table} }} }}"#
    );
    Arc::new(Contract::parse(items(), &text).unwrap())
}

fn under(contract: &Arc<Contract>, load: Load) -> Loading {
    Loading {
        contract: Arc::clone(contract),
        ..Loading::of(load)
    }
}

fn map(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    let pairs = pairs.iter();
    pairs
        .map(|(id, value)| ((*id).to_owned(), *value))
        .collect()
}

async fn table(lake: &Lake, at: At, name: &TableName) -> LakeTable {
    let snapshot = lake.snapshot(at).await.unwrap().unwrap();
    lake.table(&snapshot, name).await.unwrap()
}

fn kind(table: &LakeTable, column: &str) -> DataType {
    let column = table.schema.field_with_name(column).unwrap();
    column.data_type().clone()
}

/// A lake with a table that two pipelines feed, by the first version of its contract.
async fn fed(first: &Arc<Contract>) -> Lake {
    let lake = lake().await;
    for (pipeline, key) in [("bus", "a"), ("tram", "b")] {
        let rows = vec![row(key, 1, "p1", 1), row("c", 2024, "p1", 2)];
        under(first, Load::Append)
            .run(&lake, pipeline, &[rows])
            .await
            .unwrap();
    }
    lake
}

/// Why a run under the contract is refused.
async fn refused(lake: &Lake, contract: &Arc<Contract>, load: Load) -> LakeError {
    let run = lake.begin("bus").await.unwrap();
    let staged = run.stage(contract, load, StageOptions::default()).await;
    run.abandon().await.unwrap();
    staged.unwrap_err()
}

fn told(error: &LakeError) -> String {
    format!("{error}\nhelp: {}", error.help().unwrap())
}

#[tokio::test]
async fn a_wider_type_rewrites_every_source_in_one_commit() {
    let (year, number) = (
        changed("1.0.0", "year", "", ""),
        changed("1.1.0", "number", "", r#", "partition_by": "year(at)""#),
    );
    let lake = fed(&year).await;
    let before = table(&lake, At::Latest, &items()).await;
    let new = vec![row("d", 7, "p2", 1)];
    under(&number, Load::Append)
        .run(&lake, "bus", &[new])
        .await
        .unwrap();

    let after = table(&lake, At::Latest, &items()).await;
    assert_eq!(after.version, before.version + 1);
    assert_eq!(kind(&after, "value"), DataType::Float64);
    assert_eq!(after.partition_columns, ["_source", "_at_year"]);
    assert_eq!(
        values(&lake, "bus").await,
        map(&[("a", 1), ("c", 2024), ("d", 7)])
    );
    assert_eq!(values(&lake, "tram").await, map(&[("b", 1), ("c", 2024)]));
    let kept: BTreeSet<_> = before.files.iter().map(|file| &file.path).collect();
    for file in &after.files {
        assert!(!kept.contains(&file.path), "{} is written anew", file.path);
        let source = file.partition_values["_source"].clone().unwrap();
        assert!(file.path.as_ref().contains(&format!("/_source={source}/")));
        let told = file.statistics_text.as_deref().unwrap();
        assert!(
            told.contains("\"value\":") && told.contains("nullCount"),
            "{told}"
        );
    }
    // Rows keep the run that brought them.
    let runs: BTreeSet<String> = rows_of(&lake, &after)
        .await
        .into_values()
        .map(|(_, run)| run)
        .collect();
    assert_eq!(runs.len(), 3);

    let old = table(&lake, At::Number(2), &items()).await;
    assert_eq!(kind(&old, "value"), DataType::Int32);
    assert_eq!(old.partition_columns, ["_source"]);
    assert_eq!(rows_of(&lake, &old).await.len(), 4);
}

#[tokio::test]
async fn a_log_that_was_summed_up_before_the_change_reads_on_both_sides() {
    let lake = lake().await;
    let plain = under(&changed("1.0.0", "year", "", ""), Load::Append);
    let load = async |loading: &Loading, number: i64| {
        let rows = vec![row(&format!("k{number}"), number, &format!("p{number}"), 1)];
        loading.run(&lake, "bus", &[rows]).await.unwrap();
    };
    // Version 50 has a checkpoint, and so has version 100.
    for number in 0..52 {
        load(&plain, number).await;
    }
    let wide = changed(
        "1.1.0",
        "number",
        r#", { "name": "note", "type": "string" }"#,
        r#", "partition_by": ["month(at)", "note"]"#,
    );
    let wide = under(&wide, Load::Append);
    for number in 52..104 {
        load(&wide, number).await;
    }
    for at in [51, 52, 53, 101, 104] {
        let table = table(&lake, At::Number(at), &items()).await;
        assert_eq!(
            rows_of(&lake, &table).await.len() as u64,
            at,
            "snapshot {at}"
        );
        assert_eq!(kind(&table, "value") == DataType::Float64, at > 52);
    }
}

#[tokio::test]
async fn a_field_that_may_be_empty_leaves_old_files_alone() {
    let lake = fed(&changed("1.0.0", "integer", "", "")).await;
    let before = table(&lake, At::Latest, &items()).await;
    let note = changed(
        "1.1.0",
        "integer",
        r#", { "name": "note", "type": "string" }"#,
        "",
    );
    under(&note, Load::Append)
        .run(&lake, "bus", &[vec![row("d", 7, "p2", 1)]])
        .await
        .unwrap();
    let after = table(&lake, At::Latest, &items()).await;
    let paths = |table: &LakeTable| -> BTreeSet<String> {
        let files = table.files.iter();
        files.map(|file| file.path.to_string()).collect()
    };
    assert!(paths(&before).is_subset(&paths(&after)));
    assert_eq!(kind(&after, "note"), DataType::Utf8);
    assert_eq!(rows_of(&lake, &after).await.len(), 5);
}

#[tokio::test]
async fn a_merge_finds_what_is_the_same_across_types() {
    let lake = lake().await;
    let first = vec![row("a", 1, "p1", 1), row("b", 2, "p1", 2)];
    under(&changed("1.0.0", "year", "", ""), Load::Merge)
        .run(&lake, "bus", &[first])
        .await
        .unwrap();
    let decimal = changed("1.1.0", r#"number "precision": 21, "scale": 2"#, "", "");
    let second = vec![row("a", 1, "p2", 1), row("b", 3, "p2", 2)];
    let (staged, _) = under(&decimal, Load::Merge)
        .run(&lake, "bus", &[second])
        .await
        .unwrap();
    assert_eq!((staged.unchanged, staged.revised, staged.loaded), (1, 1, 1));
    assert_eq!(values(&lake, "bus").await, map(&[("a", 1), ("b", 3)]));
    let after = table(&lake, At::Latest, &items()).await;
    assert_eq!(kind(&after, "value"), DataType::Decimal128(21, 2));
}

#[tokio::test]
async fn a_slice_finds_its_rows_before_and_after_a_change_of_partitions() {
    let lake = lake().await;
    let whole = changed("1.0.0", "integer", "", "");
    let of_month = |id: &str, value, month| Row {
        month,
        ..row(id, value, "p", month)
    };
    let first = vec![of_month("a", 1, 0), of_month("b", 2, 1)];
    under(&whole, Load::Append)
        .run(&lake, "bus", &[first])
        .await
        .unwrap();
    let by_month = changed("1.1.0", "integer", "", r#", "partition_by": "month(at)""#);
    let mut loading = under(&by_month, Load::Replace);
    loading.options.slice = crate::stage::slice_of(&by_month, "month");
    let second = vec![of_month("z", 9, 1)];
    loading.run(&lake, "bus", &[second]).await.unwrap();
    assert_eq!(values(&lake, "bus").await, map(&[("a", 1), ("z", 9)]));
}

#[tokio::test]
async fn an_older_contract_feeds_the_newer_table() {
    let (old, new) = (
        changed("1.0.0", "year", "", ""),
        changed(
            "1.1.0",
            "number",
            r#", { "name": "note", "type": "string" }"#,
            "",
        ),
    );
    let lake = fed(&old).await;
    for (contract, key) in [(&new, "d"), (&old, "e")] {
        under(contract, Load::Merge)
            .run(&lake, "bus", &[vec![row(key, 7, "p2", 1)]])
            .await
            .unwrap();
        let table = table(&lake, At::Latest, &items()).await;
        assert_eq!(kind(&table, "value"), DataType::Float64);
        assert_eq!(kind(&table, "note"), DataType::Utf8);
        assert_eq!(table.contract().version, "1.1.0");
    }
    let expected = map(&[("a", 1), ("c", 2024), ("d", 7), ("e", 7)]);
    assert_eq!(values(&lake, "bus").await, expected);
    // The same contract with the field taken out again is no older one.
    let narrowed = changed("1.1.0", "number", "", "");
    let error = refused(&lake, &narrowed, Load::Append).await;
    assert!(error.to_string().contains("note"), "{error}");
}

#[tokio::test]
async fn fields_that_drift_added_stay_and_are_empty_for_those_who_do_not_know_them() {
    let plain = changed("1.0.0", "integer", "", "");
    let lake = fed(&plain).await;
    let field = |name: &str, kind| Field {
        name: name.to_owned(),
        kind,
        ..Field::default()
    };
    let wider = Arc::new(plain.with_added([field("height", FieldType::Number)]));
    under(&wider, Load::Append)
        .run(&lake, "bus", &[vec![row("d", 7, "p2", 1)]])
        .await
        .unwrap();
    for load in [Load::Append, Load::Replace] {
        under(&plain, load)
            .run(&lake, "tram", &[vec![row("t", 7, "p3", 1)]])
            .await
            .unwrap();
    }
    let known = table(&lake, At::Latest, &items()).await;
    let added = known.added_fields();
    assert_eq!(added.len(), 1);
    assert_eq!(
        (added[0].name.as_str(), &added[0].kind),
        ("height", &FieldType::Number)
    );
    assert_eq!(values(&lake, "tram").await, map(&[("t", 7)]));
    assert_eq!(known.contract().hash(), plain.hash());
    // Once the contract names it, it is a field like any other.
    let adopted = changed(
        "1.1.0",
        "integer",
        r#", { "name": "height", "type": "number" }"#,
        "",
    );
    under(&adopted, Load::Append)
        .run(&lake, "bus", &[vec![row("e", 7, "p4", 1)]])
        .await
        .unwrap();
    let known = table(&lake, At::Latest, &items()).await;
    assert!(known.added_fields().is_empty());
    assert_eq!(kind(&known, "height"), DataType::Float64);
}

#[tokio::test]
async fn a_field_that_drift_added_as_text_is_taken_in_its_own_type_with_every_value() {
    let plain = changed("1.0.0", "integer", "", "");
    let adopted = changed(
        "1.1.0",
        "integer",
        r#", { "name": "note", "type": "number", "sectorlake": { "unit": "m" } }"#,
        "",
    );
    let note = Field {
        name: "note".to_owned(),
        ..Field::default()
    };
    let texts = Arc::new(plain.with_added([note]));
    for (text, is_taken) in [("1.5", true), ("high", false)] {
        let lake = fed(&plain).await;
        let mut loading = under(&texts, Load::Append);
        loading.note = Some(text);
        loading
            .run(&lake, "bus", &[vec![row("d", 7, "p2", 1)]])
            .await
            .unwrap();
        let run = lake.begin("tram").await.unwrap();
        let rows = [vec![row("e", 7, "p4", 1)]];
        let staged = under(&adopted, Load::Append).stage(&run, &rows).await;
        if is_taken {
            run.publish(PipelineState::default()).await.unwrap();
            let known = table(&lake, At::Latest, &items()).await;
            assert_eq!(kind(&known, "note"), DataType::Float64);
            assert_eq!(rows_of(&lake, &known).await.len(), 6);
        } else {
            let error = staged.unwrap_err().to_string();
            assert!(
                error.contains("field note") && error.contains("high"),
                "{error}"
            );
            run.abandon().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_new_major_version_is_stored_beside() {
    let (first, second) = (
        changed("1.0.0", "integer", "", ""),
        changed("2.0.0", "string", "", ""),
    );
    let lake = fed(&first).await;
    let before = table(&lake, At::Latest, &items()).await;
    let run = lake.begin("bus").await.unwrap();
    let placed = run.place(&second).await.unwrap();
    assert_eq!(placed.name.to_string(), "test.items_v2");
    under(&second, Load::Append)
        .stage(&run, &[vec![row("n", 5, "p2", 1)]])
        .await
        .unwrap();
    // A key into the table finds what came before as well: the rows are added to it.
    let keys = async |run: &Run, scope| {
        let (name, key) = (items(), ["id".to_owned()]);
        let keys = run.keys_of_versions(&name, &key, None, scope).await;
        keys.unwrap().0.len()
    };
    assert_eq!(keys(&run, KeyRows::AllSources).await, 4);
    assert_eq!(keys(&run, KeyRows::OwnSource).await, 3);
    run.publish(PipelineState::default()).await.unwrap();
    assert_eq!(
        keys(&lake.begin("tram").await.unwrap(), KeyRows::OwnSource).await,
        2
    );

    let snapshot = latest(&lake).await.unwrap();
    let versions = snapshot.versions_of(&placed.name);
    assert_eq!(versions, [&items(), &placed.name]);
    assert_eq!(versions, snapshot.versions_of(&items()));
    let after = table(&lake, At::Latest, &items()).await;
    assert_eq!(after.version, before.version, "the first is as it was");
    let beside = table(&lake, At::Latest, &placed.name).await;
    assert_eq!(kind(&beside, "value"), DataType::Utf8);

    // Both go on: each by its own contract.
    under(&first, Load::Append)
        .run(&lake, "tram", &[vec![row("t", 8, "p3", 1)]])
        .await
        .unwrap();
    under(&second, Load::Append)
        .run(&lake, "bus", &[vec![row("m", 9, "p3", 1)]])
        .await
        .unwrap();
    assert_eq!(table(&lake, At::Latest, &placed.name).await.version, 1);
    assert!(values(&lake, "tram").await.contains_key("t"));
    let breaks_again = changed("2.1.0", "integer", "", "");
    let error = refused(&lake, &breaks_again, Load::Append).await;
    assert!(
        error.help().unwrap().contains("test.items_v3,"),
        "{}",
        told(&error)
    );
}

#[tokio::test]
async fn a_replace_moves_to_the_new_major_version_with_all_its_rows() {
    let lake = fed(&changed("1.0.0", "integer", "", "")).await;
    let second = changed("2.0.0", "string", "", "");
    let keys = async |run: &Run| {
        let (name, key) = (items(), ["id".to_owned()]);
        let own = KeyRows::OwnSource;
        let keys = run.keys_of_versions(&name, &key, None, own).await;
        keys.unwrap().0.len()
    };
    let run = lake.begin("bus").await.unwrap();
    under(&second, Load::Replace)
        .stage(&run, &[vec![row("n", 5, "p2", 1)]])
        .await
        .unwrap();
    assert_eq!(keys(&run).await, 1);
    run.publish(PipelineState::default()).await.unwrap();
    let name = "test.items_v2".parse().unwrap();
    let adding = async || {
        let snapshot = latest(&lake).await.unwrap();
        snapshot.tables[&name].beside.clone().unwrap().adding
    };
    assert_eq!(adding().await, BTreeSet::new());
    // Others add to theirs, whatever this one does.
    for (pipeline, load, expected) in [
        ("tram", Load::Merge, &["tram"][..]),
        ("bus", Load::Append, &["bus", "tram"]),
        ("tram", Load::Replace, &["bus"]),
    ] {
        let rows = vec![row(&format!("{pipeline}{load:?}"), 8, "p3", 1)];
        under(&second, load)
            .run(&lake, pipeline, &[rows])
            .await
            .unwrap();
        let expected = expected.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(adding().await, expected, "{pipeline} {load:?}");
    }
}
