//! Every row leads back to the bytes it came from.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::samples::{CLINICS, clinics};

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_row_leads_to_its_record_in_the_raw_bytes() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    let row = &project
        .sql("SELECT _source, _run, _part, _row FROM health.clinics WHERE clinic_id = 'C6'")[0];
    assert_eq!(row["_source"], "clinics");
    assert_eq!(row["_row"], 6);
    let part = row["_part"].as_str().unwrap();
    let raw = files(&project.lake().join("raw/clinics"));
    let bytes = raw
        .iter()
        .find(|path| blake3::hash(&fs::read(path).unwrap()).to_hex().as_str() == part);
    let bytes = fs::read_to_string(
        bytes.unwrap_or_else(|| unreachable!("no raw file has the hash {part}: {raw:?}")),
    )
    .unwrap();
    assert_eq!(bytes, CLINICS, "bytes are kept as they came");
    assert!(bytes.lines().nth(6).unwrap().starts_with("C6,"));
    let manifest = raw
        .iter()
        .filter_map(|path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).ok());
    let manifest = manifest
        .into_iter()
        .find(|it| it.to_string().contains(part))
        .unwrap();
    for name in ["key", "name"] {
        assert!(
            manifest[name].as_str().unwrap().ends_with("clinics.csv"),
            "{manifest}"
        );
    }
    assert_eq!(manifest["run"], row["_run"]);
    assert_eq!(manifest["size"], CLINICS.len());
    let run = &project.sql("SELECT run, pipeline FROM meta.runs")[0];
    assert_eq!(
        (&run["run"], &run["pipeline"]),
        (&row["_run"], &row["_source"])
    );
    let told = &project.sql("SELECT part, name, records FROM meta.run_parts")[0];
    assert_eq!(told["part"], part);
    assert_eq!(told["records"], 12);
}

#[test]
fn no_data_file_holds_two_sources() {
    let project = clinics(CLINICS);
    project.file(
        "pipelines/health/copy.yaml",
        crate::samples::CLINICS_PIPELINE,
    );
    project.sectorlake(&["run", "--all"]).ok();
    let data: Vec<_> = files(&project.lake().join("tables/health/clinics"))
        .into_iter()
        .filter(|it| it.extension().is_some_and(|it| it == "parquet"))
        .collect();
    assert!(
        data.iter()
            .all(|it| it.to_string_lossy().contains("_source=")),
        "{data:?}"
    );
    assert!(data.len() >= 2);
}

#[test]
fn no_run_needs_the_source_again_to_be_read() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    fs::remove_dir_all(project.path("data")).unwrap();
    assert_eq!(project.count("health.clinics"), 12);
}
