//! Contracts that change while their tables hold rows.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::DataType;
use proptest::prelude::*;
use sectorlake_contract::{Contract, Field, FieldType, TableName};

use super::fixture::{Loading, Row, contract_with, lake, latest, row, rows_of, values};
use super::{Load, StageOptions};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::run::KeyRows;
use crate::snapshot::{At, PipelineState};
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
    loading.options.slice = super::slice_of(&by_month, "month");
    let second = vec![of_month("z", 9, 1)];
    loading.run(&lake, "bus", &[second]).await.unwrap();
    assert_eq!(values(&lake, "bus").await, map(&[("a", 1), ("z", 9)]));
}

#[tokio::test]
async fn what_a_wider_type_does_not_hold_exactly_is_told() {
    let lake = lake().await;
    let rows = vec![row("a", (1 << 53) + 1, "p1", 1)];
    under(&changed("1.0.0", "integer", "", ""), Load::Append)
        .run(&lake, "bus", &[rows])
        .await
        .unwrap();
    let number = under(&changed("1.1.0", "number", "", ""), Load::Append);
    let run = lake.begin("bus").await.unwrap();
    let error = number
        .stage(&run, &[vec![row("b", 1, "p2", 1)]])
        .await
        .unwrap_err();
    run.abandon().await.unwrap();
    insta::assert_snapshot!(told(&error));
    assert_eq!(values(&lake, "bus").await.len(), 1);
}

#[tokio::test]
async fn what_breaks_is_refused_change_by_change() {
    let lake = fed(&changed(
        "1.0.0",
        "integer",
        r#", { "name": "note", "type": "string" }"#,
        "",
    ))
    .await;
    let broken = changed(
        "1.1.0",
        "string",
        r#", { "name": "remark", "type": "string" }"#,
        "",
    );
    insta::assert_snapshot!(told(&refused(&lake, &broken, Load::Append).await));
    // Also where every row goes: who reads the table relies on it.
    let alone = Lake::open_or_create("memory://", crate::Env::manual())
        .await
        .unwrap();
    under(&changed("1.0.0", "integer", "", ""), Load::Replace)
        .run(&alone, "bus", &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    let error = refused(&alone, &changed("1.0.1", "string", "", ""), Load::Replace).await;
    assert!(matches!(error, LakeError::Breaking(_)), "{error}");
    // A tighter rule breaks nothing that stays then, and does where rows stay.
    let required = r#", { "name": "note", "type": "string", "constraints": { "maxLength": 3 } }"#;
    let loose = r#", { "name": "note", "type": "string" }"#;
    let (loose, tight) = (
        changed("1.1.0", "integer", loose, ""),
        changed("1.2.0", "integer", required, ""),
    );
    for contract in [&loose, &tight] {
        under(contract, Load::Replace)
            .run(&alone, "bus", &[vec![row("a", 1, "p1", 1)]])
            .await
            .unwrap();
    }
    under(&loose, Load::Replace)
        .run(&alone, "bus", &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    let error = refused(&alone, &tight, Load::Append).await;
    assert!(error.to_string().contains("maxLength"), "{error}");
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
    // Once the contract names it, it is a field like any other; in another type it is not the same.
    let error = refused(
        &lake,
        &changed(
            "1.1.0",
            "integer",
            r#", { "name": "height", "type": "string" }"#,
            "",
        ),
        Load::Append,
    )
    .await;
    assert!(error.to_string().contains("height"), "{error}");
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
    // A key into the table finds each source's rows in the newest version that holds any.
    for (scope, count, own) in [
        (KeyRows::AllSources, 3, true),
        (KeyRows::OwnSource, 1, true),
    ] {
        let keys = run
            .keys_of_versions(&items(), &["id".to_owned()], None, scope)
            .await
            .unwrap();
        assert_eq!((keys.0.len(), keys.1), (count, own), "{scope:?}");
    }
    run.publish(PipelineState::default()).await.unwrap();

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
async fn a_name_that_is_taken_or_gone_is_told() {
    let lake = fed(&changed("2.0.0", "integer", "", "")).await;
    let other = Contract::clone(&changed("1.0.0", "integer", "", ""));
    let other = Arc::new(other.renamed("test.items_v3".parse().unwrap()));
    under(&other, Load::Append)
        .run(&lake, "bus", &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    let taken = refused(&lake, &changed("3.0.0", "string", "", ""), Load::Append).await;
    let gone = refused(&lake, &changed("1.0.0", "string", "", ""), Load::Append).await;
    insta::assert_snapshot!(format!("{}\n{}", told(&taken), told(&gone)));
}

#[tokio::test]
async fn a_table_from_before_contracts_were_stored_is_known_by_its_schema() {
    let lake = fed(&contract_with("")).await;
    let mut old = table(&lake, At::Latest, &items()).await;
    old.metadata.remove(crate::table::CONTRACT);
    let known = old.contract();
    let field = known.field("value").unwrap();
    assert_eq!(
        (field.unit.as_deref(), &field.kind),
        (Some("m"), &FieldType::Integer)
    );
    assert_eq!(known.primary_key, ["id"]);
    // Its rules are not known, so none can be tighter; a type or a unit can be another.
    let name = items();
    let tight = contract_with(r#", "version": "1.1", "key_scope": "lake""#);
    let form = super::form::evolves(&old, (&tight, &name), false);
    assert!(form.unwrap(), "it is given its contract");
    let other = changed("1.1", "string", "", "");
    let refused = super::form::evolves(&old, (&other, &name), false);
    assert!(matches!(refused, Err(LakeError::Breaking(_))));
}

/// A load, or a change of the contract.
#[derive(Debug, Clone)]
enum Event {
    Load {
        pipeline: u8,
        load: Load,
        rows: Vec<(u8, i64, i64)>,
    },
    Widen(u8),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let rows = prop::collection::vec((0..6_u8, 0..2000_i64, 0..30_i64), 1..6);
    let load = prop_oneof![Just(Load::Replace), Just(Load::Append), Just(Load::Merge)];
    let loads = (0..2_u8, load, rows).prop_map(|(pipeline, load, rows)| Event::Load {
        pipeline,
        load,
        rows,
    });
    prop::collection::vec(
        prop_oneof![3 => loads, 1 => (0..3_u8).prop_map(Event::Widen)],
        2..9,
    )
}

/// What the contract is after so many changes of each kind: of the type, of the fields, of the partitions.
fn widened(by: [usize; 3]) -> Arc<Contract> {
    const TYPES: [&str; 4] = [
        "year",
        "integer",
        r#"number "precision": 22, "scale": 2"#,
        r#"number "precision": 30, "scale": 4"#,
    ];
    const PARTITIONS: [&str; 3] = [
        "",
        r#", "partition_by": "year(at)""#,
        r#", "partition_by": ["month(at)", "value"]"#,
    ];
    let fields: String = (0..by[1])
        .map(|at| format!(r#", {{ "name": "note_{at}", "type": "string" }}"#))
        .collect();
    let minor = by.iter().sum::<usize>();
    let partitions = PARTITIONS[by[2] % PARTITIONS.len()];
    changed(
        &format!("1.{minor}.0"),
        TYPES[by[0].min(3)],
        &fields,
        partitions,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever loads and changes come in whatever order, the rows are those of plain maps.
    #[test]
    fn loads_and_changes_of_the_contract_keep_every_row(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lake = lake().await;
            let mut by = [0; 3];
            let mut expected = [BTreeMap::new(), BTreeMap::new()];
            let mut then = Vec::new();
            for (number, event) in events.into_iter().enumerate() {
                let (pipeline, load, rows) = match event {
                    Event::Widen(what) => {
                        by[usize::from(what)] += 1;
                        continue;
                    }
                    Event::Load { pipeline, load, rows } => (usize::from(pipeline), load, rows),
                };
                let mut seen = BTreeSet::new();
                let rows: Vec<Row> = rows
                    .into_iter()
                    .filter(|(id, ..)| seen.insert(*id))
                    .zip(1..)
                    .map(|((id, value, month), at)| Row { month, ..row(&format!("k{id}"), value, &format!("p{number}"), at) })
                    .collect();
                let known: &mut BTreeMap<String, i64> = &mut expected[pipeline];
                if load == Load::Replace {
                    known.clear();
                }
                for row in &rows {
                    match load {
                        Load::Append => drop(known.entry(row.id.clone()).or_insert(row.value)),
                        _ => drop(known.insert(row.id.clone(), row.value)),
                    }
                }
                let loading = under(&widened(by), load);
                loading.run(&lake, &format!("p{pipeline}"), &[rows]).await.unwrap();
                let table = table(&lake, At::Latest, &items()).await;
                then.push((latest(&lake).await.unwrap().number, rows_of(&lake, &table).await));
            }
            for (number, known) in expected.iter().enumerate() {
                prop_assert_eq!(&values(&lake, &format!("p{number}")).await, known);
            }
            // Every old snapshot still reads, in its own form.
            for (number, rows) in then {
                let table = table(&lake, At::Number(number), &items()).await;
                prop_assert_eq!(rows_of(&lake, &table).await, rows);
            }
            Ok(())
        })?;
    }
}
