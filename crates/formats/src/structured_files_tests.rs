//! Real files of JSON, XML, protobuf and Parquet, compared with what other readers find in them.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use crate::testing::{All, block_on, options, part, read, spec};
use crate::{Choice, ReadOptions, open};

fn bytes(name: &str) -> Vec<u8> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    std::fs::read(data.join(name)).unwrap()
}

/// Reads a file whole, and again in small blocks where it need not be held whole.
fn read_file(name: &str, format: Option<&str>) -> (All, Vec<Choice>) {
    block_on(async {
        let part = part(name, bytes(name)).await;
        let format = format.map(spec);
        let bounds = ReadOptions::default();
        let opened = open(&part, None, format.as_ref(), &bounds).await.unwrap();
        let whole = read(&part, None, format.as_ref(), &bounds).await.unwrap();
        let small = match opened.format().name() {
            "gtfs_realtime" | "parquet" => ReadOptions {
                batch_rows: 5,
                ..bounds
            },
            _ => options(3000, 3, 5),
        };
        let in_blocks = read(&part, None, format.as_ref(), &small).await.unwrap();
        assert_eq!(whole, in_blocks);
        (whole, opened.choices().to_vec())
    })
}

fn said(choices: &[Choice]) -> String {
    let lines = choices
        .iter()
        .map(|it| format!("{} = {}: {}", it.what, it.value, it.why));
    lines.collect::<Vec<_>>().join("\n")
}

fn sum(all: &All, column: &str) -> f64 {
    let numbers = all
        .column(column)
        .into_iter()
        .filter_map(|it| it.parse::<f64>().ok());
    numbers.sum()
}

/// Counted with gtfs-realtime-bindings 3.0.0, Google's own reader.
#[test]
fn feeds_of_three_kinds() {
    let (updates, choices) = read_file("transport/gtfs_rt_aomori_trip_updates.pb", None);
    assert_eq!((updates.rows.len(), updates.broken.len()), (35, 0));
    assert_eq!(sum(&updates, "departure_delay"), 5420.0);
    assert_eq!(sum(&updates, "stop_sequence"), 513.0);
    assert_eq!(updates.column("trip_id")[0], "土日祝_13時10分_系統6161");
    insta::assert_snapshot!(said(&choices), @r"
format = gtfs_realtime: by content and name
entity = trip_updates: the feed holds most of it; 35 of the feed's 35 entities are of this kind, any others give no row
");
    let (vehicles, _) = read_file("transport/gtfs_rt_aomori_vehicle_positions.pb", None);
    assert_eq!((vehicles.rows.len(), vehicles.broken.len()), (37, 0));
    assert_eq!(
        vehicles.rows.len(),
        vehicles
            .column("latitude")
            .iter()
            .filter(|it| it.starts_with("40."))
            .count()
    );
    // The city's buses have their names in Shift_JIS.
    assert_eq!(vehicles.column("vehicle_id")[5], "1341 今ポタージュ");
    let latitudes = format!("{:.3}", sum(&vehicles, "latitude"));
    assert_eq!(latitudes, "1510.387");
    assert_eq!(format!("{:.3}", sum(&vehicles, "longitude")), "5207.650");
    insta::assert_snapshot!(vehicles.column("_record")[0], @r#"{"id":"VP-1","vehicle":{"current_status":"IN_TRANSIT_TO","current_stop_sequence":12,"position":{"latitude":40.82704162597656,"longitude":140.7784423828125},"timestamp":1666411754,"trip":{"trip_id":"土日祝_12時49分_系統1052"},"vehicle":{"id":"0883","label":"IchigoBUS","license_plate":"0883"}}}"#);
    let (alerts, _) = read_file("transport/gtfs_rt_brest_alerts.pb", None);
    assert_eq!((alerts.rows.len(), alerts.broken.len()), (14, 0));
    let ids: std::collections::HashSet<&str> = alerts.column("entity_id").into_iter().collect();
    assert_eq!(ids.len(), 12);
    insta::assert_snapshot!(alerts.texts()[0][..8].join(" | "), @r#"2ea09850-74d9-4db7-a537-d97d821956e8 |  | CONSTRUCTION | DETOUR |  | [{"end":1640365200,"start":1631635200}] |  |"#);
}

#[test]
fn stations_of_shared_bicycles() {
    let stations = r#"{"name": "json", "record_path": "data.stations"}"#;
    for (name, rows) in [
        ("station_information.2.2", 1),
        ("station_information.3.0", 2),
        ("station_status.2.2", 3),
        ("station_status.3.0", 2),
    ] {
        let (all, _) = read_file(&format!("transport/gbfs/{name}.json"), Some(stations));
        assert_eq!((all.rows.len(), all.broken.len()), (rows, 0), "{name}");
        assert!(all.columns.contains(&"station_id".to_owned()));
    }
    let by_type =
        r#"{"name": "json", "record_path": "data.stations", "unnest": "vehicle_types_available"}"#;
    let (all, choices) = read_file("transport/gbfs/station_status.2.2.json", Some(by_type));
    assert_eq!(
        all.column("station_id"),
        ["station 1", "station 1", "station 2", "station 2"]
    );
    assert_eq!(
        all.column("vehicle_types_available.count"),
        ["1", "0", "2", "4"]
    );
    assert_eq!(all.dropped, [5]);
    insta::assert_snapshot!(said(&choices), @"unnest = vehicle_types_available: declared; 2 of 3 records hold elements, the others give no row");
    // Names in several languages are a list of their own.
    let names = r#"{"name": "json", "record_path": "data.stations", "unnest": "name"}"#;
    let (all, _) = read_file("transport/gbfs/station_information.3.0.json", Some(names));
    assert_eq!(
        all.column("name.text"),
        ["Parking garage A", "SE Belmont & SE 10th"]
    );
    assert_eq!(all.column("capacity"), ["", "16"]);
}

#[test]
fn features_before_a_trailing_comma() {
    let (all, choices) = read_file("ugly/trailing_comma_carson.geojson", None);
    assert_eq!((all.rows.len(), all.broken.len()), (99, 0));
    assert_eq!(sum(&all, "OBJECTID"), 4950.0);
    insta::assert_snapshot!(said(&choices), @r"
format = geojson: by content and name
trailing comma = byte 47999: the list ends after a comma, which JSON does not allow; every record before it is read
");
}

#[test]
fn parquet_of_nested_types() {
    let (all, _) = read_file("common/geoparquet_nyc_overture.parquet", None);
    assert_eq!((all.rows.len(), all.columns.len()), (679, 24));
}
