//! The arrows between crates, one engine, and what stands where: the design, kept by a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::repository;

/// Crate → what of ours it may use. The cli may use all.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("contract", &[]),
    ("formats", &[]),
    ("functions", &[]),
    ("connector", &[]),
    ("connector-portal", &["connector"]),
    ("connector-database", &["connector"]),
    ("connector-education", &["connector"]),
    ("connector-environment", &["connector"]),
    ("connector-transport", &["connector"]),
    ("normalise", &["contract", "formats", "functions"]),
    ("lake", &["contract"]),
    ("query", &["contract", "functions", "lake"]),
    (
        "pipeline",
        &[
            "contract",
            "formats",
            "functions",
            "connector",
            "normalise",
            "lake",
            "query",
        ],
    ),
];

/// What a connector never sees, save that the raw parts of databases are Parquet.
const NOT_FOR_CONNECTORS: [&str; 6] = [
    "arrow",
    "datafusion",
    "deltalake",
    "deltalake-core",
    "parquet",
    "geodatafusion",
];

/// The crates below `crates/`, from `cargo metadata`.
fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
            "--locked",
        ])
        .current_dir(repository());
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    packages
        .into_iter()
        .filter(|it| it["name"] != "sectorlake-tests")
        .collect()
}

fn room(package: &Value) -> String {
    package["name"]
        .as_str()
        .unwrap()
        .trim_start_matches("sectorlake-")
        .to_owned()
}

/// Names of what a crate depends on, to be built and to be tested: tests that lean on a crate to the right would bind it as firmly.
fn needs(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn arrows_between_crates_go_one_way() {
    let allowed: BTreeMap<_, _> = MAY_USE.into_iter().collect();
    let mut wrong = Vec::new();
    for package in packages() {
        let name = room(&package);
        if name == "cli" {
            continue;
        }
        let Some(may) = allowed.get(name.as_str()) else {
            wrong.push(format!("{name} has no line in the table of arrows"));
            continue;
        };
        for used in needs(&package)
            .iter()
            .filter_map(|it| it.strip_prefix("sectorlake-"))
        {
            if !may.contains(&used) {
                wrong.push(format!("{name} → {used}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that the design forbids: {wrong:#?}"
    );
}

#[test]
fn connectors_fetch_bytes_and_no_more() {
    for package in packages()
        .iter()
        .filter(|it| room(it).starts_with("connector"))
    {
        let needs = needs(package);
        let may = match room(package).as_str() {
            "connector-database" => &["arrow", "parquet"][..],
            _ => &[],
        };
        let wrong: Vec<_> = NOT_FOR_CONNECTORS
            .iter()
            .filter(|it| needs.contains(**it) && !may.contains(it))
            .collect();
        assert!(wrong.is_empty(), "{} sees {wrong:?}", room(package));
    }
}

#[test]
fn a_crate_stands_in_the_folder_of_its_name_and_in_the_readme() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    for package in packages() {
        let (name, manifest) = (
            room(&package),
            PathBuf::from(package["manifest_path"].as_str().unwrap()),
        );
        assert_eq!(
            manifest.parent().unwrap(),
            repository().join("crates").join(&name)
        );
        assert!(
            readme.contains(&format!("`{name}`")),
            "README.md has no line for the crate {name}"
        );
    }
}

#[test]
fn there_is_one_engine() {
    let lock = fs::read_to_string(repository().join("Cargo.lock")).unwrap();
    for name in [
        "arrow",
        "parquet",
        "datafusion",
        "object_store",
        "deltalake-core",
    ] {
        let versions = lock
            .lines()
            .filter(|line| *line == format!("name = \"{name}\""))
            .count();
        assert_eq!(
            versions, 1,
            "Cargo.lock holds {versions} versions of {name}"
        );
    }
}

#[test]
fn nothing_else_stands_at_the_top() {
    const MAY_STAND: [&str; 12] = [
        "Cargo.lock",
        "Cargo.toml",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "crates",
        "pipelines",
        "rust-toolchain.toml",
        "schemas",
        "tests",
    ];
    // What is committed, not what someone has lying about.
    let mut list = Command::new("git");
    list.args(["ls-files", "--deduplicate"])
        .current_dir(repository());
    let listed = list
        .output()
        .map(|it| String::from_utf8_lossy(&it.stdout).into_owned())
        .unwrap_or_default();
    let top: BTreeSet<_> = listed
        .lines()
        .filter_map(|it| it.split('/').next())
        .collect();
    for name in top {
        assert!(
            name.starts_with('.') || MAY_STAND.contains(&name),
            "{name} stands at the top"
        );
    }
    for name in MAY_STAND {
        assert!(
            repository().join(name).exists(),
            "{name} is missing at the top"
        );
    }
}

/// Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn files_are_short_enough_to_read() {
    let files = [
        sources(&repository().join("crates")),
        sources(&repository().join("tests")),
    ]
    .concat();
    let long: Vec<_> = files
        .iter()
        .filter(|it| fs::read_to_string(it).unwrap().lines().count() > 500)
        .collect();
    assert!(long.is_empty(), "over 500 lines, split them: {long:#?}");
}

#[test]
fn every_crate_opens_with_what_it_is() {
    for package in packages() {
        let name = room(&package);
        let root = repository().join("crates").join(&name).join("src");
        let file = if name == "cli" {
            root.join("main.rs")
        } else {
            root.join("lib.rs")
        };
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} does not open with what it is",
            file.display()
        );
        let says = name == "cli" || text.to_lowercase().contains("must not know");
        assert!(
            says,
            "{} does not say what it must not know",
            file.display()
        );
    }
}

/// The kit plays a connector's recording, the faults of real sources and every answer of `tests/hostile` to it.
#[test]
fn every_connector_over_http_is_put_through_the_kit() {
    let mut seen = 0;
    for folder in fs::read_dir(repository().join("crates")).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("connector-") {
            continue;
        }
        let sources = sources(&folder.join("src"));
        let text = |path: &Path| fs::read_to_string(path).unwrap();
        for source in &sources {
            if !text(source).contains(".over_http()") {
                continue;
            }
            seen += 1;
            let own = source.with_extension("");
            let is_checked = sources
                .iter()
                .filter(|path| *path == source || path.starts_with(&own))
                .any(|path| text(path).contains("check(&"));
            assert!(is_checked, "{} has no test with the kit", source.display());
        }
    }
    assert!(seen >= 30, "{seen}");
}
