//! Rows add up on the real files: what the lake says of them is what Python counted (`tests/data/counts.json`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::harness::repository;
use crate::pipelines::{recording, replayed};
use crate::real_lake::RealLake;

/// File name → what was counted in it.
fn counts() -> BTreeMap<String, Value> {
    let text = fs::read_to_string(repository().join("tests/data/counts.json")).unwrap();
    let files: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let stem = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    files
        .into_iter()
        .map(|(path, it)| (stem(&path), it["counts"].clone()))
        .collect()
}

/// The records of a part, told by `file` or `file!member`.
fn records(counts: &BTreeMap<String, Value>, name: &str) -> Option<u64> {
    let name = name.rsplit('/').next().unwrap();
    let (file, member) = name
        .split_once('!')
        .map_or((name, None), |(file, member)| (file, Some(member)));
    let found = counts.get(file)?;
    match member {
        Some(member) => found[member].as_u64(),
        None => ["rows", "features", "results", "records", "provinces"]
            .iter()
            .find_map(|key| found[*key].as_u64()),
    }
}

#[test]
fn every_part_has_the_records_that_python_counted() {
    let counts = counts();
    let mut seen = BTreeSet::new();
    let of_files = format!(
        "SELECT pipeline, stream, name, records FROM meta.run_parts WHERE pipeline NOT IN ({})",
        replayed()
    );
    for part in RealLake::get().sql(&of_files) {
        let name = part["name"].as_str().unwrap();
        assert_eq!(part["records"].as_u64(), records(&counts, name), "{part}");
        seen.insert(
            name.rsplit('/')
                .next()
                .unwrap()
                .split('!')
                .next()
                .unwrap()
                .to_owned(),
        );
    }
    let unseen: Vec<_> = counts.keys().filter(|it| !seen.contains(*it)).collect();
    assert!(unseen.is_empty(), "no pipeline reads {unseen:?}");
}

#[test]
fn both_balances_hold_for_every_pipeline() {
    let lake = RealLake::get();
    let part = lake.sql(
        "SELECT * FROM meta.run_parts WHERE records <> decoded + broken OR filtered > decoded",
    );
    assert!(part.is_empty(), "{part:?}");
    let table = lake.sql(
        "SELECT * FROM meta.run_tables WHERE mapped <> loaded + unchanged + superseded + rejected",
    );
    assert!(table.is_empty(), "{table:?}");
    let pipelines = lake.number("SELECT count(DISTINCT pipeline) FROM meta.run_tables");
    assert!(
        pipelines >= 16.0,
        "only {pipelines} pipelines told their balance"
    );
    // What is told is what is there.
    for row in lake.sql("SELECT pipeline, table_schema, table_name, loaded FROM meta.run_tables") {
        let (pipeline, loaded) = (
            row["pipeline"].as_str().unwrap(),
            row["loaded"].as_f64().unwrap(),
        );
        let table = format!(
            "{}.{}",
            row["table_schema"].as_str().unwrap(),
            row["table_name"].as_str().unwrap()
        );
        let held = lake.number(&format!(
            "SELECT count(*) FROM {table} WHERE _source = '{pipeline}'"
        ));
        assert!(
            (held - loaded).abs() < 0.5,
            "{table} holds {held} rows of {pipeline}, told are {loaded}"
        );
    }
}

#[test]
fn every_rejected_row_is_told() {
    let lake = RealLake::get();
    let differ = lake.sql(
        "WITH kept AS (
           SELECT pipeline, table_schema, table_name, count(*) FILTER (WHERE reason = 1 AND mapped AND severity IS DISTINCT FROM 'warn') AS kept
           FROM meta.rejected_rows GROUP BY pipeline, table_schema, table_name
         )
         SELECT t.pipeline, t.table_schema, t.table_name, t.rejected, kept.kept
         FROM meta.run_tables t LEFT JOIN kept
           ON kept.pipeline = t.pipeline AND kept.table_schema = t.table_schema AND kept.table_name = t.table_name
         WHERE t.rejected <> coalesce(kept.kept, 0)",
    );
    assert!(differ.is_empty(), "{differ:?}");
}

#[test]
fn feeds_are_loaded_whole() {
    let (lake, counts) = (RealLake::get(), counts());
    let feeds = [
        ("cairns-bus", "gtfs_cairns_2014.zip"),
        ("frioul-ferry", "gtfs_frioul_ferry.zip"),
        ("porto-alegre-bus", "gtfs_porto_alegre.zip"),
        ("sao-paulo-transit", "gtfs_sao_paulo.zip"),
    ];
    for (pipeline, file) in feeds {
        for (member, rows) in counts[file].as_object().unwrap() {
            let table = member.trim_end_matches(".txt");
            // São Paulo's feed names one agency twice, and all its six calendars.
            let twice = match (pipeline, table) {
                ("sao-paulo-transit", "agency") => 1.0,
                ("sao-paulo-transit", "calendar") => 6.0,
                _ => 0.0,
            };
            let held = lake.number(&format!(
                "SELECT count(*) FROM transport.{table} WHERE _source = '{pipeline}'"
            ));
            assert!(
                (held - (rows.as_f64().unwrap() - twice)).abs() < 0.5,
                "{pipeline} {table}: {held} of {rows}"
            );
        }
    }
}

#[test]
fn tables_of_the_statistics_office_keep_every_cell() {
    let (lake, counts) = (RealLake::get(), counts());
    let files = [
        ("gso-pupils", "vn_gso_pupils_by_province.csv"),
        ("gso-schools", "vn_gso_schools_by_province.csv"),
        ("gso-teachers", "vn_gso_teachers_by_province.csv"),
        ("gso-rainfall", "vn_gso_monthly_rainfall.csv"),
        ("gso-temperature", "vn_gso_monthly_temperature.csv"),
        ("gso-freight", "vn_gso_freight_by_province.csv"),
        (
            "gso-road-passengers",
            "vn_gso_road_passengers_by_province.csv",
        ),
    ];
    for (pipeline, file) in files {
        let row = &lake.sql(&format!(
            "SELECT count(obs_value) AS numbers, count(*) - count(obs_value) AS missing, sum(obs_value) AS sum
             FROM common.indicators WHERE _source = '{pipeline}'"
        ))[0];
        for key in ["numbers", "missing"] {
            assert_eq!(row[key], counts[file][key], "{pipeline}: {key}");
        }
        let (held, counted) = (
            row["sum"].as_f64().unwrap(),
            counts[file]["sum"].as_f64().unwrap(),
        );
        assert!(
            (held - counted).abs() < 0.01,
            "{pipeline} sums up to {held}, the file to {counted}"
        );
        let rejected = lake.number(&format!(
            "SELECT sum(rejected) FROM meta.run_tables WHERE pipeline = '{pipeline}'"
        ));
        assert!(
            (rejected - counts[file]["neither"].as_f64().unwrap()).abs() < 0.5,
            "{pipeline}: {rejected} rejected"
        );
    }
}

#[test]
fn places_schools_roads_and_weather() {
    let (lake, counts) = (RealLake::get(), counts());
    let number = |file: &str, key: &str| counts[file][key].as_f64().unwrap();
    let (before, after) = ("vn_gso_units_2025-01-04.csv", "vn_units_2026-07-25.json");
    let schools = "hcmc_poi_schools_hospitals.geojson";
    let cases = [
        (
            "SELECT count(*) FROM common.places WHERE _source = 'vn-units'",
            number(after, "provinces") + number(after, "wards"),
        ),
        (
            "SELECT count(*) FROM common.places WHERE _source = 'vn-units-2025-01'",
            number(before, "provinces") + number(before, "districts") + number(before, "wards"),
        ),
        // Three are called "Unnamed POI".
        (
            "SELECT count(*) FROM education.schools WHERE _source = 'hcmc-schools'",
            number(schools, "schools") - 3.0,
        ),
        (
            "SELECT count(*) FROM transport.road_segments",
            number("hcmc_road_segments.geojson", "ids"),
        ),
        (
            "SELECT round(sum(length), 2) FROM transport.road_segments",
            number("hcmc_road_segments.geojson", "length_sum"),
        ),
        (
            "SELECT count(*) FROM environment.stations WHERE _source = 'hcmc-weather'",
            1.0,
        ),
        (
            "SELECT sum(result) FROM environment.observations WHERE _source = 'openaq-vietnam'",
            number(
                "openaq_v3_measurements_hanoi_sensor_7772024.json",
                "value_sum",
            ),
        ),
        (
            "SELECT sum(obs_value) FROM common.indicators WHERE _source = 'uis-out-of-school-parity'",
            number("uis_out_of_school_parity_index.json", "value_sum"),
        ),
        (
            "SELECT sum(filtered) FROM meta.run_parts WHERE pipeline = 'hcmc-schools'",
            number(schools, "features") - number(schools, "schools"),
        ),
    ];
    for (statement, counted) in cases {
        let held = lake.number(statement);
        assert!(
            (held - counted).abs() < 0.02,
            "{statement}: {held}, counted are {counted}"
        );
    }
}

#[test]
fn the_demo_s_questions_are_answered() {
    let lake = RealLake::get();
    let mut asked = 0;
    for entry in fs::read_dir(repository().join("tests/demo")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "sql") {
            asked += 1;
            let rows = lake
                .sectorlake(&["sql", "--format", "ndjson", "-f", path.to_str().unwrap()])
                .rows();
            assert!(
                rows.len() >= 5,
                "{} answers {} rows",
                path.display(),
                rows.len()
            );
        }
    }
    assert!(asked >= 3);
}

#[test]
fn the_second_run_of_all_publishes_nothing() {
    // A lake of its own: the shared one must not get new runs under the other tests.
    let project = crate::harness::Project::empty();
    let (lake, recording) = (project.lake(), recording());
    let run = || {
        let args = [
            "run",
            "--all",
            "--replay",
            &recording,
            "--project",
            repository().to_str().unwrap(),
            "--lake",
            lake.to_str().unwrap(),
        ];
        project.sectorlake(&args).ok()
    };
    run();
    let before = project.snapshots();
    let again = run();
    assert!(again.says("unchanged"), "{}", again.whole());
    assert_eq!(project.snapshots(), before, "{}", again.whole());
}
