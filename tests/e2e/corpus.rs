//! The corpus: real files with every habit that files have, loaded through YAML alone. What the lake says of them is what Python counted
//! (`tests/corpus/counts.json`, made by `tests/corpus/count.py`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::harness::repository;
use crate::real_lake::RealLake;

/// Pipeline → question in SQL → the answer that Python found.
fn counts() -> BTreeMap<String, BTreeMap<String, f64>> {
    let text = fs::read_to_string(repository().join("tests/corpus/counts.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Sums of doubles differ in their last digits with the order of the rows.
fn agree(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

#[test]
fn every_count_is_what_python_counted() {
    let counts = counts();
    let asked: Vec<(&String, &String, f64)> = counts
        .iter()
        .flat_map(|(pipeline, asked)| asked.iter().map(move |(ask, it)| (pipeline, ask, *it)))
        .collect();
    let all: Vec<&str> = asked.iter().map(|(_, ask, _)| ask.as_str()).collect();
    let answers = RealLake::corpus().sql(&all.join(";\n"));
    assert_eq!(answers.len(), asked.len());
    let answer = |row: &Value| row.as_object()?.values().next()?.as_f64();
    let wrong: Vec<String> = asked
        .iter()
        .zip(&answers)
        .filter(|((_, _, counted), row)| !answer(row).is_some_and(|it| agree(it, *counted)))
        .map(|((pipeline, ask, counted), row)| {
            format!("{pipeline}: {ask}: counted {counted}, loaded {row}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_pipeline_is_counted_and_loads_rows() {
    let names: BTreeSet<String> = RealLake::corpus()
        .sql("SELECT DISTINCT pipeline FROM meta.run_tables WHERE loaded > 0")
        .iter()
        .map(|row| row["pipeline"].as_str().unwrap().to_owned())
        .collect();
    let counted: BTreeSet<String> = counts().into_keys().collect();
    assert_eq!(names, counted);
}

#[test]
fn the_corpus_validates() {
    RealLake::corpus().sectorlake(&["validate"]).ok();
}
