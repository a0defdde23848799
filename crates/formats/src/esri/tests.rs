#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::ReadOptions;
use crate::testing::{block_on, options, part, read, read_bytes, spec};

const FORMAT: &str = r#""esri_json""#;

fn file(name: &str) -> Vec<u8> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/common");
    std::fs::read(data.join(name)).unwrap()
}

fn answer(fields: &str, features: &str) -> String {
    format!(
        r#"{{"spatialReference": {{"wkid": 4326}}, "fields": [{fields}], "features": [{features}]}}"#
    )
}

#[test]
fn a_captured_page_with_points() {
    let all = read_bytes(
        &file("arcgis_query_columbia.json"),
        FORMAT,
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!((all.rows.len(), all.broken.len()), (43, 0));
    assert_eq!(all.columns[..3], ["OBJECTID", "HOUSENO", "PRE_DIR"]);
    assert_eq!(
        all.columns[all.columns.len() - 2..],
        ["geometry", "_record"]
    );
    assert_eq!(all.column("STREET")[0], all.column("STREET")[0].trim_end());
    assert!(
        all.column("geometry").iter().all(|shape| shape.len() == 42),
        "WKB points as hexadecimal"
    );
    let small = read_bytes(
        &file("arcgis_query_columbia.json"),
        FORMAT,
        &options(64, 2, 3),
    )
    .unwrap();
    assert_eq!(small, all);
}

#[test]
fn a_captured_page_with_dates_and_missing_shapes() {
    let all = read_bytes(
        &file("arcgis_query_no_geometry.json"),
        FORMAT,
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(all.rows.len(), 1000);
    assert_eq!(all.column("observed")[0], "2015-04-07T11:04:35Z");
    let shapes = all.column("geometry");
    assert_eq!(shapes.iter().filter(|shape| !shape.is_empty()).count(), 838);
    let carson = read_bytes(
        &file("arcgis_query_carson.json"),
        FORMAT,
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(carson.rows.len(), 6);
}

#[test]
fn it_is_recognised() {
    for name in [
        "arcgis_query_columbia.json",
        "arcgis_query_carson.json",
        "arcgis_query_no_geometry.json",
    ] {
        let all = block_on(async {
            read(
                &part(name, file(name)).await,
                None,
                None,
                &ReadOptions::default(),
            )
            .await
        });
        assert!(
            all.unwrap().columns.contains(&"geometry".to_owned()),
            "{name}"
        );
    }
}

#[test]
fn codes_have_labels_and_dates_are_times() {
    let fields = r#"{"name": "id", "type": "esriFieldTypeOID"},
        {"name": "kind", "type": "esriFieldTypeSmallInteger", "domain": {"type": "codedValue", "codedValues": [{"code": 1, "name": "Trường"}, {"code": 2, "name": "Cầu"}]}},
        {"name": "state", "type": "esriFieldTypeString", "domain": {"codedValues": [{"code": "o", "name": "open"}]}},
        {"name": "edited", "type": "esriFieldTypeDate", "domain": null},
        {"name": "Shape", "type": "esriFieldTypeGeometry"}"#;
    let features = r#"{"attributes": {"id": 1, "kind": 2, "state": "o", "edited": -1500}},
        {"attributes": {"id": 2, "kind": 9, "state": null, "edited": 1.428404675E12}},
        {"attributes": {"id": 3, "edited": "2020-01-01"}},
        {"attributes": {"id": 4, "edited": 1.5}},
        {"geometry": {"x": 1, "y": 2}}"#;
    let all = read_bytes(
        answer(fields, features).as_bytes(),
        FORMAT,
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(
        all.columns,
        [
            "id",
            "kind",
            "kind_label",
            "state",
            "state_label",
            "edited",
            "geometry",
            "_record"
        ]
    );
    assert_eq!(all.column("kind_label"), ["Cầu", "", ""]);
    assert_eq!(all.column("state_label"), ["open", "", ""]);
    assert_eq!(
        all.column("edited"),
        [
            "1969-12-31T23:59:58.500Z",
            "2015-04-07T11:04:35Z",
            "2020-01-01"
        ]
    );
    assert_eq!(
        all.reasons(),
        [
            (
                4,
                "its date `edited` is 1.5, no time in milliseconds since 1970"
            ),
            (5, "it is no Esri feature: it has no `attributes`"),
        ]
    );
    let empty = read_bytes(
        answer(fields, "").as_bytes(),
        FORMAT,
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!((empty.columns, empty.rows.len()), (all.columns, 0));
}

#[test]
fn what_the_server_refuses_is_told() {
    let refused = br#"{"error": {"code": 400, "message": "Invalid query", "details": ["'where' is not valid", ""]}}"#;
    let error = read_bytes(refused, FORMAT, &ReadOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the server answered: error 400: Invalid query: 'where' is not valid"),
        "{error}"
    );
    let other = read_bytes(br#"{"count": 7}"#, FORMAT, &ReadOptions::default()).unwrap_err();
    assert!(other.to_string().contains("`features`"), "{other}");
}

#[test]
fn other_reference_systems_are_told() {
    let text = r#"{"spatialReference": {"wkid": 102100, "latestWkid": 3857}, "features": [{"attributes": {"a": 1}, "geometry": {"x": 1, "y": 2}}]}"#;
    block_on(async {
        let part = part("part", text).await;
        let opened = crate::open(&part, None, Some(&spec(FORMAT)), &ReadOptions::default())
            .await
            .unwrap();
        let told = opened
            .choices()
            .iter()
            .find(|choice| choice.what == "spatial reference")
            .unwrap();
        assert_eq!(told.value, "3857");
    });
}

#[test]
fn shapes() {
    // The type of a WKB geometry is its second to fifth byte.
    let kind = |text: &str| shape_kind(wkb(text));
    assert_eq!(
        kind(r#"{"x": 106.68, "y": 20.86, "z": 4, "spatialReference": {"wkid": 4326}}"#),
        Ok(Some(1))
    );
    for empty in [
        r#"{"x": "NaN", "y": "NaN"}"#,
        r#"{"x": null, "y": null}"#,
        "{}",
        r#"{"rings": []}"#,
        r#"{"paths": []}"#,
        r#"{"points": []}"#,
    ] {
        assert_eq!(kind(empty), Ok(None), "{empty}");
    }
    assert_eq!(kind(r#"{"points": [[1, 2], [3, 4, 5]]}"#), Ok(Some(4)));
    assert_eq!(kind(r#"{"paths": [[[1, 2], [3, 4, null]]]}"#), Ok(Some(2)));
    assert_eq!(
        kind(r#"{"paths": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}"#),
        Ok(Some(5))
    );
    assert_eq!(
        kind(r#"{"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}"#),
        Ok(Some(3))
    );
    let shell = "[[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]]";
    let hole = "[[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]";
    let far = "[[20, 20], [20, 29], [29, 29], [29, 20], [20, 20]]";
    assert_eq!(
        kind(&format!(r#"{{"rings": [{shell}, {hole}]}}"#)),
        Ok(Some(3))
    );
    assert_eq!(
        kind(&format!(r#"{{"rings": [{hole}, {shell}]}}"#)),
        Ok(Some(3))
    );
    assert_eq!(
        kind(&format!(r#"{{"rings": [{shell}, {far}, {hole}]}}"#)),
        Ok(Some(6))
    );
    for wrong in [
        r#"{"x": [1]}"#,
        r#"{"points": [[1]]}"#,
        r#"{"points": [["a", 1]]}"#,
        r#"{"curveRings": []}"#,
        "[1, 2]",
        "7",
    ] {
        match wrong.starts_with("{\"x\"") {
            true => assert_eq!(kind(wrong), Ok(None)),
            false => assert!(kind(wrong).is_err(), "{wrong}"),
        }
    }
}

fn shape_kind(binary: Result<Option<Vec<u8>>, String>) -> Result<Option<u32>, String> {
    binary.map(|binary| binary.map(|it| u32::from_le_bytes(it[1..5].try_into().unwrap())))
}

proptest! {
    #[test]
    fn rings_never_panic_and_none_is_lost(rings in prop::collection::vec(prop::collection::vec((-9_i8..9, -9_i8..9), 3..8), 1..9)) {
        let text = serde_json::json!({ "rings": rings }).to_string();
        let binary = wkb(&text).unwrap().unwrap();
        // Every place stands in it once.
        let places: usize = rings.iter().map(Vec::len).sum();
        prop_assert!(binary.len() >= places * 16);
    }

    #[test]
    fn times_are_what_they_say(seconds in -9_000_000_000_i64..9_000_000_000) {
        let text = time(&(seconds * 1000).to_string()).unwrap();
        let back = seconds_of(&text);
        prop_assert_eq!(back, Some(seconds));
    }
}

fn seconds_of(text: &str) -> Option<i64> {
    arrow::compute::kernels::cast_utils::string_to_timestamp_nanos(text)
        .ok()
        .map(|it| it.div_euclid(1_000_000_000))
}

#[test]
fn codes_that_the_settings_explain_have_labels_too() {
    let text = answer(
        r#"{"name": "kind", "type": "esriFieldTypeInteger"}"#,
        r#"{"attributes": {"kind": 1}}, {"attributes": {"kind": 3}}"#,
    );
    let format = r#"{"name": "esri_json", "domains": {"kind": {"1": "Trường"}}}"#;
    let all = read_bytes(text.as_bytes(), format, &ReadOptions::default()).unwrap();
    assert_eq!(all.column("kind_label"), ["Trường", ""]);
}
