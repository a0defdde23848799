//! What the command says of real contracts that were changed.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{folders, read, single, table_of};
use crate::args::Cli;
use crate::context::Context;

const OLD: &str = r#"{
  "title": "Gauges",
  "fields": [
    { "name": "gauge", "type": "string", "title": "Gauge" },
    { "name": "observed_at", "type": "datetime" },
    { "name": "level", "type": "integer", "sectorlake": { "unit": "cm" } }
  ],
  "primaryKey": ["gauge", "observed_at"],
  "sectorlake": { "version": "1.0.0" }
}"#;

/// A project of one contract, `water.gauges`.
fn project(text: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("schemas/water")).unwrap();
    fs::write(dir.path().join("schemas/water/gauges.json"), text).unwrap();
    dir
}

fn context() -> Context {
    let cli = <Cli as clap::Parser>::try_parse_from(["sectorlake", "validate"]).unwrap();
    Context::new(cli.global)
}

/// What is said of a change to the contract, and whether a run would refuse it.
fn said(change: impl Fn(&str) -> String) -> (String, bool) {
    let (old, new) = (project(OLD), project(&change(OLD)));
    let file = |dir: &TempDir| {
        dir.path()
            .join("schemas/water/gauges.json")
            .display()
            .to_string()
    };
    let report = single(&context(), &file(&old), &file(&new)).unwrap();
    (report.to_text(), report.is_refused())
}

#[test]
fn a_wider_contract_migrates() {
    let (text, refused) = said(|text| {
        text.replace(
            r#""level", "type": "integer""#,
            r#""level", "type": "number", "title": "Level""#,
        )
        .replace(
            "  ],\n",
            "    ,{ \"name\": \"note\", \"type\": \"string\" }\n  ],\n",
        )
        .replace("1.0.0", "1.1.0")
    });
    assert!(!refused);
    insta::assert_snapshot!(text);
}

#[test]
fn a_breaking_contract_is_refused_with_the_mend() {
    let breaking = |text: &str| {
        text.replace("\"gauge\"", "\"gauge_code\"")
            .replace("\"cm\"", "\"m\"")
    };
    let (text, refused) = said(breaking);
    assert!(refused);
    insta::assert_snapshot!(text);
    let (text, refused) = said(|text| breaking(text).replace("1.0.0", "2.0.0"));
    assert!(!refused, "{text}");
    assert!(
        text.contains("water.gauges_v2 beside the old one"),
        "{text}"
    );
}

#[test]
fn a_tighter_rule_is_refused_where_rows_stay() {
    let (text, refused) = said(|text| {
        text.replace(
            "\"type\": \"integer\"",
            "\"type\": \"integer\", \"constraints\": { \"minimum\": 0 }",
        )
    });
    assert!(refused, "{text}");
    assert!(
        text.contains("refuses the new contract where rows of before stay"),
        "{text}"
    );
}

#[test]
fn what_stays_is_told_too() {
    let (text, refused) = said(str::to_owned);
    assert!(!refused);
    assert_eq!(
        text,
        "water.gauges 1.0.0: no changes\n  the next run finds nothing changed\n"
    );
}

#[test]
fn folders_are_compared_table_by_table() {
    let (old, new) = (project(OLD), project(&OLD.replace("\"cm\"", "\"m\"")));
    for (dir, table) in [(&old, "retired"), (&new, "brand_new")] {
        fs::write(dir.path().join(format!("schemas/water/{table}.json")), OLD).unwrap();
    }
    for dir in [&old, &new] {
        fs::write(dir.path().join("schemas/water/same.json"), OLD).unwrap();
        fs::write(dir.path().join("schemas/README.md"), "no contract").unwrap();
    }
    let report = folders(old.path(), &new.path().join("schemas")).unwrap();
    assert!(report.is_refused());
    insta::assert_snapshot!(report.to_text());
    insta::assert_snapshot!("folders_as_json", format!("{:#}", report.to_json()));
}

#[test]
fn a_name_is_a_contract_of_the_project_or_the_program() {
    let same = single(
        &context(),
        "builtin:transport.stops",
        "builtin:transport.stops",
    )
    .unwrap();
    assert!(
        same.to_text().starts_with("transport.stops 1."),
        "{}",
        same.to_text()
    );
    let failure = single(&context(), "builtin:transport.stop", "transport.stops").unwrap_err();
    assert_eq!(
        failure.to_string(),
        "there is neither a file nor a contract builtin:transport.stop"
    );
    assert_eq!(
        failure.help.as_deref(),
        Some("did you mean `transport.stops`?")
    );
    let file = Path::new("a/transport/stops.json");
    assert_eq!(table_of(file).unwrap().to_string(), "transport.stops");
}

#[test]
fn keys_into_the_own_table_are_the_same_wherever_the_file_lies() {
    let dir = tempfile::tempdir().unwrap();
    let contracts = sectorlake_contract::Contracts::builtin();
    let stops = contracts.text(&"transport.stops".parse().unwrap()).unwrap();
    let file = dir.path().join("changed.json");
    fs::write(&file, stops).unwrap();
    let report = single(
        &context(),
        "builtin:transport.stops",
        &file.display().to_string(),
    )
    .unwrap();
    assert!(
        report.to_text().contains("no changes"),
        "{}",
        report.to_text()
    );
}

#[test]
fn a_faulty_contract_is_told_with_its_place() {
    let dir = project(&OLD.replace("\"type\": \"integer\"", "\"type\": \"integr\""));
    let path = dir.path().join("schemas/water/gauges.json");
    let failure = read(&path, &"water.gauges".parse().unwrap()).unwrap_err();
    assert_eq!(failure.to_string(), "fields[2].type: \"integr\" is no type");
    assert_eq!(failure.snippet.unwrap().place(), (6, 24));
    let failure = read(Path::new("nowhere.json"), &"water.gauges".parse().unwrap()).unwrap_err();
    assert!(
        failure.to_string().starts_with("cannot read nowhere.json"),
        "{failure}"
    );
}
