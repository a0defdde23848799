//! A table whose contract went to a new major version.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use sectorlake_contract::Contract;
use sectorlake_functions::SessionOptions;
use sectorlake_lake::{At, Env, Lake, Load, PipelineState, StageOptions};

use super::answer;
use crate::session::Session;

/// The first version counts in texts, the second in whole numbers; the second measures in metres.
const FIRST: &str = r#"{ "fields": [
    { "name": "tree_id", "type": "string" },
    { "name": "rings", "type": "string", "sectorlake": { "classification": "internal" } },
    { "name": "girth", "type": "number", "sectorlake": { "unit": "cm" } },
    { "name": "seen", "type": "integer" }, { "name": "note", "type": "string" }
], "primaryKey": "tree_id", "sectorlake": { "version": "1.4.0" } }"#;
const SECOND: &str = r#"{ "title": "Trees", "fields": [
    { "name": "tree_id", "type": "string" }, { "name": "rings", "type": "integer" },
    { "name": "girth", "type": "number", "sectorlake": { "unit": "m" } },
    { "name": "seen", "type": "number" }, { "name": "height", "type": "number", "constraints": { "required": true } }
], "primaryKey": "tree_id", "sectorlake": { "version": "2.0.0" } }"#;

async fn publish(lake: &Lake, of: (&str, &str), trees: &[(&str, &str)]) {
    load(lake, of, (Load::Replace, "a hash"), trees).await;
}

async fn load(
    lake: &Lake,
    (pipeline, contract): (&str, &str),
    (load, part): (Load, &str),
    trees: &[(&str, &str)],
) {
    let contract = Contract::parse("urban.trees".parse().unwrap(), contract).unwrap();
    let run = lake.begin(pipeline).await.unwrap();
    let stage = run
        .stage(&Arc::new(contract.clone()), load, StageOptions::default())
        .await
        .unwrap();
    let texts = |of: fn(&(&str, &str)) -> String| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(trees.iter().map(of)))
    };
    let (ids, rings) = (
        texts(|tree| tree.0.to_owned()),
        texts(|tree| tree.1.to_owned()),
    );
    let ones: ArrayRef = Arc::new(Int64Array::from_iter_values(trees.iter().map(|_| 1)));
    let fields = contract.fields.iter().map(|field| {
        let kind = match field.arrow_type() {
            DataType::Utf8 => DataType::Utf8View,
            other => other,
        };
        let column = match field.name.as_str() {
            "tree_id" => Arc::clone(&ids),
            "rings" => cast(&rings, &kind).unwrap(),
            "note" => new_null_array(&kind, trees.len()),
            _ => cast(&ones, &kind).unwrap(),
        };
        (field.name.clone(), column)
    });
    let same = |text: &str| Arc::new(StringViewArray::from(vec![text; trees.len()])) as ArrayRef;
    let origin = [
        ("_run".to_owned(), same(run.id())),
        ("_part".to_owned(), same(part)),
        ("_row".to_owned(), Arc::clone(&ones)),
    ];
    let batch = RecordBatch::try_from_iter(fields.chain(origin)).unwrap();
    let mut writer = stage.writer();
    writer.write(batch).await.unwrap();
    let files = writer.close().await.unwrap();
    let (duplicates, _none) = tokio::sync::mpsc::channel(1);
    stage
        .finish_into(vec![files], None, &[part.to_owned()], duplicates)
        .await
        .unwrap();
    run.publish(PipelineState::default()).await.unwrap();
}

async fn lake() -> Lake {
    let lake = Lake::open_or_create("memory://", Env::manual())
        .await
        .unwrap();
    publish(
        &lake,
        ("north", FIRST),
        &[("n1", "12"), ("n2", "012"), ("n3", "many")],
    )
    .await;
    publish(&lake, ("south", FIRST), &[("s1", "7")]).await;
    publish(&lake, ("south", SECOND), &[("s1", "8"), ("s2", "9")]).await;
    lake
}

async fn open(lake: &Lake, at: At) -> Session {
    let options = SessionOptions {
        target_partitions: 1,
        ..SessionOptions::default()
    };
    Session::open(Some(lake), at, options).await.unwrap()
}

#[tokio::test]
async fn the_view_shows_each_source_once_and_what_fits() {
    let lake = lake().await;
    let session = open(&lake, At::Latest).await;
    insta::assert_snapshot!(answer(&session, "SELECT tree_id, rings, girth, seen, height, _source FROM urban.trees_all ORDER BY tree_id").await);
    insta::assert_snapshot!(
        answer(
            &session,
            "SELECT tree_id, rings FROM urban.trees ORDER BY tree_id"
        )
        .await
    );
    insta::assert_snapshot!(answer(&session, "SELECT count(*) AS n, sum(seen) AS seen FROM urban.trees_all WHERE _source = 'north' AND rings IS NOT NULL").await);
}

#[tokio::test]
async fn whoever_names_tables_names_the_versions_and_the_view() {
    let lake = lake().await;
    let session = open(&lake, At::Latest).await;
    insta::assert_snapshot!(answer(&session, "SELECT table_name, table_type, version_of, row_count, file_count, sources, version, contract_version, updated_snapshot FROM meta.tables ORDER BY 1").await);
    insta::assert_snapshot!(answer(&session, "SELECT column_name, data_type, is_nullable, classification FROM meta.columns WHERE table_name = 'trees_all' AND NOT is_system ORDER BY ordinal_position").await);
    let names = session.names().await;
    let known: Vec<&String> = names
        .tables
        .keys()
        .filter(|name| name.starts_with("urban."))
        .collect();
    assert_eq!(known, ["urban.trees", "urban.trees_all", "urban.trees_v2"]);
    assert!(names.tables["urban.trees_all"].contains(&"height".to_owned()));
}

#[tokio::test]
async fn before_the_second_version_there_is_no_view() {
    let lake = lake().await;
    let session = open(&lake, At::Number(2)).await;
    let error = session.sql("SELECT * FROM urban.trees_all").await;
    assert!(error.err().unwrap().to_string().contains("not found"));
    insta::assert_snapshot!(
        answer(
            &session,
            "SELECT tree_id, rings FROM urban.trees ORDER BY tree_id"
        )
        .await
    );
}

/// What an appending or merging pipeline brought before it moved on stands in the older version alone.
#[tokio::test]
async fn the_view_keeps_older_rows_of_who_only_adds_to_them() {
    let lake = Lake::open_or_create("memory://", Env::manual())
        .await
        .unwrap();
    let shown = "SELECT _source, tree_id, rings, _part FROM urban.trees_all ORDER BY 1, 2, 3";
    for (pipeline, how) in [
        ("adds", Load::Append),
        ("merges", Load::Merge),
        ("replaces", Load::Replace),
    ] {
        load(
            &lake,
            (pipeline, FIRST),
            (how, "first"),
            &[("t1", "1"), ("t2", "2")],
        )
        .await;
        load(
            &lake,
            (pipeline, SECOND),
            (how, "second"),
            &[("t2", "20"), ("t3", "30")],
        )
        .await;
    }
    let session = open(&lake, At::Latest).await;
    insta::assert_snapshot!(answer(&session, shown).await);
    insta::assert_snapshot!(
        answer(
            &session,
            "SELECT count(*) AS n FROM urban.trees_all WHERE tree_id = 't1' AND rings < 5"
        )
        .await
    );
    insta::assert_snapshot!(answer(&session, "SELECT table_name, row_count, sources FROM meta.tables WHERE table_schema = 'urban' ORDER BY 1").await);
    // A key into the table may point to what the view shows.
    let run = lake.begin("adds").await.unwrap();
    let name = "urban.trees".parse().unwrap();
    let key = ["tree_id".to_owned()];
    let rows = sectorlake_lake::KeyRows::OwnSource;
    let (keys, _) = run.keys_of_versions(&name, &key, None, rows).await.unwrap();
    assert_eq!(keys.len(), 3);
    run.abandon().await.unwrap();

    // Whoever replaces all once has all of its rows in the newer version.
    load(
        &lake,
        ("adds", SECOND),
        (Load::Replace, "third"),
        &[("t9", "9")],
    )
    .await;
    let session = open(&lake, At::Latest).await;
    insta::assert_snapshot!(
        answer(
            &session,
            &shown.replace("ORDER", "WHERE _source = 'adds' ORDER")
        )
        .await
    );
}

/// Without a key that both versions have, raw parts tell what came again.
#[tokio::test]
async fn without_a_key_the_view_keeps_older_rows_of_other_parts() {
    let lake = Lake::open_or_create("memory://", Env::manual())
        .await
        .unwrap();
    let keyless = |text: &str| text.replace(r#""primaryKey": "tree_id", "#, "");
    let (first, second) = (keyless(FIRST), keyless(SECOND));
    let add = async |contract: &str, part: &str, trees: &[(&str, &str)]| {
        load(&lake, ("adds", contract), (Load::Append, part), trees).await;
    };
    add(&first, "old", &[("t1", "1")]).await;
    add(&first, "kept", &[("t2", "2")]).await;
    add(&second, "kept", &[("t2", "2")]).await;
    add(&second, "new", &[("t2", "3")]).await;
    let session = open(&lake, At::Latest).await;
    insta::assert_snapshot!(
        answer(
            &session,
            "SELECT tree_id, rings, _part FROM urban.trees_all ORDER BY 1, 2"
        )
        .await
    );
}
