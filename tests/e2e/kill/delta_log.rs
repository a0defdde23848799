//! What any other Delta reader sees: the log's entries played one after the other, nothing of ours asked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Every table of the lake with the rows that its log says it has.
pub(super) fn rows(lake: &Path) -> BTreeMap<String, usize> {
    let mut tables = BTreeMap::new();
    for schema in folders(&lake.join("tables")) {
        for table in folders(&schema) {
            let name = format!("{}.{}", name(&schema), name(&table));
            if let Some(rows) = rows_of(&table) {
                tables.insert(name, rows);
            }
        }
    }
    tables
}

/// The rows of one table; `None` where it has no version yet.
fn rows_of(table: &Path) -> Option<usize> {
    let mut entries: Vec<_> = fs::read_dir(table.join("_delta_log"))
        .ok()?
        .map(|it| it.unwrap().path())
        .collect();
    entries.retain(|it| it.extension().is_some_and(|it| it == "json"));
    entries.sort();
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for (version, entry) in entries.iter().enumerate() {
        assert_eq!(
            name(entry),
            format!("{version:020}.json"),
            "a version is missing in {}",
            table.display()
        );
        for line in fs::read_to_string(entry).unwrap().lines() {
            play(&serde_json::from_str(line).unwrap(), &mut files);
        }
    }
    for file in files.keys() {
        assert!(
            table.join(decoded(file)).is_file(),
            "{} names {file}, which is not there",
            table.display()
        );
    }
    (!entries.is_empty()).then(|| files.values().sum())
}

/// One action of the log.
fn play(action: &Value, files: &mut BTreeMap<String, usize>) {
    if let Some(add) = action.get("add") {
        let stats: Value = serde_json::from_str(add["stats"].as_str().unwrap()).unwrap();
        let rows = usize::try_from(stats["numRecords"].as_u64().unwrap()).unwrap();
        let twice = files.insert(add["path"].as_str().unwrap().to_owned(), rows);
        assert!(twice.is_none(), "added twice: {add}");
    }
    if let Some(remove) = action.get("remove") {
        files.remove(remove["path"].as_str().unwrap());
    }
}

/// The log writes paths as URLs; a month in a partition's folder holds nothing else to escape.
fn decoded(path: &str) -> String {
    path.replace("%3D", "=")
        .replace("%2D", "-")
        .replace("%20", " ")
        .replace("%3A", ":")
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten();
    entries
        .map(|it| it.unwrap().path())
        .filter(|it| it.is_dir())
        .collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
