//! The real files of the demo, compared with counts made by Python's own readers.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use serde_json::Value;

use crate::testing::{All, block_on, options, part, read, spec};
use crate::{ReadOptions, members};

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data")
}

fn counts(name: &str) -> serde_json::Map<String, Value> {
    let all: Value =
        serde_json::from_slice(&std::fs::read(data().join("counts.json")).unwrap()).unwrap();
    all[name]["counts"].as_object().unwrap().clone()
}

fn read_file(name: &str, member: Option<&str>, format: Option<&str>) -> All {
    block_on(async {
        let part = part(name, std::fs::read(data().join(name)).unwrap()).await;
        let format = format.map(spec);
        let whole = read(&part, member, format.as_ref(), &ReadOptions::default())
            .await
            .unwrap();
        let in_blocks = read(&part, member, format.as_ref(), &options(5000, 3, 100))
            .await
            .unwrap();
        assert_eq!(whole, in_blocks);
        whole
    })
}

#[test]
fn tables_of_the_statistics_office() {
    let third = r#"{"name": "csv", "delimiter": ";", "header_rows": [3]}"#;
    for (name, kept, format) in [
        ("education/vn_gso_schools_by_province.csv", 1, third),
        ("education/vn_gso_teachers_by_province.csv", 1, third),
        ("education/vn_gso_pupils_by_province.csv", 2, "\"csv\""),
        ("environment/vn_gso_monthly_rainfall.csv", 2, third),
        ("environment/vn_gso_monthly_temperature.csv", 2, third),
        ("transport/vn_gso_freight_by_province.csv", 1, third),
        ("transport/vn_gso_road_passengers_by_province.csv", 1, third),
    ] {
        let (all, counts) = (read_file(name, None, Some(format)), counts(name));
        assert_eq!(all.broken, [], "{name}");
        assert_eq!(all.rows.len(), counts["rows"], "{name}");
        let cells: Vec<&str> = all
            .texts()
            .into_iter()
            .flat_map(|row| row.into_iter().skip(kept))
            .collect();
        assert_eq!(cells.len(), counts["cells"], "{name}");
        assert_eq!(
            cells
                .iter()
                .filter(|cell| matches!(**cell, ".." | "NA"))
                .count(),
            counts["missing"],
            "{name}"
        );
        let sum: f64 = cells
            .iter()
            .filter_map(|cell| cell.trim_matches('.').parse::<f64>().ok())
            .sum();
        assert!(
            (sum - counts["sum"].as_f64().unwrap()).abs() < 0.01,
            "{name}: {sum}"
        );
    }
}

#[test]
fn units_before_and_after_the_reform() {
    let name = "common/vn_gso_units_2025-01-04.csv";
    let all = read_file(name, None, None);
    assert_eq!(all.broken, []);
    assert_eq!(all.rows.len(), counts(name)["rows"]);
    assert_eq!(
        all.column("Mã PX")
            .iter()
            .filter(|code| !code.is_empty())
            .count(),
        counts(name)["wards"]
    );
    let name = "common/vn_units_2026-07-25.json";
    let all = read_file(name, None, None);
    assert_eq!(all.rows.len(), counts(name)["provinces"]);
    let wards = all
        .column("Wards")
        .iter()
        .map(|wards| serde_json::from_str::<Vec<Value>>(wards).unwrap().len())
        .sum::<usize>();
    assert_eq!(wards, counts(name)["wards"]);
}

#[test]
fn members_of_archives() {
    for name in [
        "environment/hcmc_sensor_12779556_2018-10.zip",
        "transport/gtfs_cairns_2014.zip",
        "transport/gtfs_frioul_ferry.zip",
        "transport/gtfs_porto_alegre.zip",
        "transport/gtfs_sao_paulo.zip",
    ] {
        let listed = block_on(async {
            let part = part(name, std::fs::read(data().join(name)).unwrap()).await;
            members(&part, &ReadOptions::default()).await.unwrap()
        });
        for (member, count) in counts(name) {
            assert!(
                listed.iter().any(|known| known.name == member),
                "{name}!{member}"
            );
            // The sensor leaves out its last columns.
            let format = member
                .ends_with(".csv")
                .then_some(r#"{"name": "csv", "short_records": "fill"}"#);
            let all = read_file(name, Some(&member), format);
            assert_eq!(all.records(), count, "{name}!{member}");
            assert_eq!(all.broken, [], "{name}!{member}");
        }
    }
}

#[test]
fn json_of_every_shape() {
    let name = "environment/hcmc_weather_observed.ndjson";
    let all = read_file(name, None, None);
    assert_eq!(
        (all.records(), all.broken.len()),
        (counts(name)["rows"].as_u64().unwrap() as usize, 0)
    );
    let results = Some(r#"{"name": "json", "record_path": "results"}"#);
    let name = "environment/openaq_v3_locations_vietnam.json";
    assert_eq!(
        read_file(name, None, results).rows.len(),
        counts(name)["results"]
    );
    let name = "environment/openaq_v3_measurements_hanoi_sensor_7772024.json";
    let all = read_file(name, None, results);
    let sum: f64 = all
        .column("value")
        .iter()
        .map(|value| value.parse::<f64>().unwrap())
        .sum();
    assert!((sum - counts(name)["value_sum"].as_f64().unwrap()).abs() < 0.01);
}

#[test]
fn features() {
    for name in [
        "education/hcmc_poi_schools_hospitals.geojson",
        "transport/hcmc_road_segments.geojson",
    ] {
        let all = read_file(name, None, None);
        assert_eq!(
            (all.rows.len(), all.broken.len()),
            (counts(name)["features"].as_u64().unwrap() as usize, 0),
            "{name}"
        );
        let ids: std::collections::HashSet<&str> = all.column("id").into_iter().collect();
        assert_eq!(ids.len(), counts(name)["ids"], "{name}");
        assert!(
            all.column("geometry")
                .iter()
                .all(|shape| shape.starts_with("01")),
            "{name}"
        );
    }
    let name = "transport/hcmc_road_segments.geojson";
    let length: f64 = read_file(name, None, None)
        .column("length")
        .iter()
        .map(|length| length.parse::<f64>().unwrap())
        .sum();
    assert!((length - counts(name)["length_sum"].as_f64().unwrap()).abs() < 0.01);
}
