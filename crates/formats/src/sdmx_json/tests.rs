#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use proptest::prelude::*;

use crate::ReadOptions;
use crate::testing::{All, block_on, options, part, read, read_bytes};

fn file(name: &str) -> Vec<u8> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    std::fs::read(data.join(name)).unwrap()
}

fn message(text: &str) -> All {
    let all = read_bytes(text.as_bytes(), r#""sdmx_json""#, &ReadOptions::default()).unwrap();
    let small = read_bytes(text.as_bytes(), r#""sdmx_json""#, &options(4096, 2, 2)).unwrap();
    assert_eq!(small, all);
    all
}

fn said(text: &str) -> String {
    read_bytes(text.as_bytes(), r#""sdmx_json""#, &ReadOptions::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_captured_message_of_the_oecd() {
    let bytes = file("education/oecd_innovation_in_education.sdmx.json");
    let all = block_on(async {
        read(
            &part("a.json", bytes).await,
            None,
            None,
            &ReadOptions::default(),
        )
        .await
    })
    .unwrap();
    assert_eq!((all.rows.len(), all.broken.len()), (7, 0));
    assert_eq!(
        all.columns[..4],
        ["LOCATION", "LOCATION_label", "IND", "IND_label"]
    );
    assert_eq!(all.column("LOCATION_label")[..2], ["Australia", "Hungary"]);
    assert_eq!(all.column("OBS_VALUE")[0], "11.963615756565");
    assert_eq!(all.column("OBS_STATUS"), ["", "x", "", "w", "", "y", ""]);
    assert_eq!(
        all.column("OBS_STATUS_label")[1],
        "Change significant at the 0.05 level"
    );
    assert_eq!(all.column("ACTION")[0], "Information");
}

#[test]
fn the_flat_sample_of_the_standard() {
    let all = message(std::str::from_utf8(&file("common/ecb_exr_flat.sdmx.json")).unwrap());
    assert_eq!(all.column("CURRENCY"), ["NZD", "NZD", "RUB", "RUB"]);
    assert_eq!(
        all.column("TIME_PERIOD"),
        ["2013-01-18", "2013-01-21", "2013-01-18", "2013-01-21"]
    );
    assert_eq!(
        all.column("OBS_VALUE"),
        ["1.5931", "1.5925", "40.3426", "40.3000"]
    );
    assert_eq!(
        (all.column("FREQ")[3], all.column("FREQ_label")[3]),
        ("D", "Daily")
    );
    assert_eq!(all.column("TITLE")[2], "Russian rouble (RUB)");
    assert!(!all.columns.contains(&"TIME_PERIOD_label".to_owned()));
    // The columns follow the key: FREQ, CURRENCY, CURRENCY_DENOM …
    assert_eq!(all.columns[2], "CURRENCY");
}

/// Version 2: two series, attributes on every level, two measures.
const SECOND: &str = r#"{"meta": {}, "data": {
    "structures": [{
        "dimensions": {
            "dataSet": [{"id": "FREQ", "keyPosition": 0, "values": [{"id": "A", "name": "Annual"}]}],
            "series": [{"id": "AREA", "keyPosition": 1, "values": [{"id": "31", "name": "Hải Phòng"}, {"id": "01", "name": "Hà Nội"}]}],
            "observation": [{"id": "TIME_PERIOD", "keyPosition": 2, "values": [{"value": "2023"}, {"value": "2024"}]}]},
        "measures": {"observation": [{"id": "PUPILS"}, {"id": "SCHOOLS"}]},
        "attributes": {
            "dataSet": [{"id": "SOURCE"}],
            "dimensionGroup": [{"id": "UNIT", "values": [{"id": "PS", "name": "Persons"}]}],
            "series": [{"id": "NOTE", "default": "-"}],
            "observation": [{"id": "STATUS", "default": "A", "values": [null, {"id": "P", "name": "Provisional"}, {"id": "A", "name": "Normal"}]}, {"id": "REMARKS"}]}}],
    "dataSets": [{"structure": 0, "action": "Replace", "attributes": ["Sở GD&ĐT"],
        "dimensionGroupAttributes": {"0:0:": [0]},
        "series": {
            "0": {"attributes": ["x"], "observations": {"0": [10, 2, 1, ["a", "b"]], "1": [11, null]}},
            "1": {"observations": {"1": [7, 1, null, {"vi": "ước"}], "5": [1, 1]}}}}]}}"#;

#[test]
fn series_groups_and_several_measures() {
    let all = message(SECOND);
    assert_eq!(
        all.columns,
        [
            "FREQ",
            "FREQ_label",
            "AREA",
            "AREA_label",
            "TIME_PERIOD",
            "PUPILS",
            "SCHOOLS",
            "SOURCE",
            "SOURCE_label",
            "UNIT",
            "UNIT_label",
            "NOTE",
            "NOTE_label",
            "STATUS",
            "STATUS_label",
            "REMARKS",
            "REMARKS_label",
            "ACTION"
        ]
    );
    assert_eq!(
        all.column("AREA_label"),
        ["Hải Phòng", "Hải Phòng", "Hà Nội"]
    );
    assert_eq!(all.column("TIME_PERIOD"), ["2023", "2024", "2024"]);
    assert_eq!(all.column("PUPILS"), ["10", "11", "7"]);
    assert_eq!(all.column("SCHOOLS"), ["2", "", "1"]);
    assert_eq!(all.column("UNIT_label"), ["Persons", "Persons", ""]);
    assert_eq!(all.column("NOTE"), ["x", "x", "-"]);
    assert_eq!(
        all.column("STATUS_label"),
        ["Provisional", "Normal", "Normal"]
    );
    assert_eq!(
        all.column("REMARKS"),
        [r#"["a", "b"]"#, "", r#"{"vi": "ước"}"#]
    );
    assert_eq!(all.column("SOURCE")[2], "Sở GD&ĐT");
    assert_eq!(all.column("ACTION"), ["Replace"; 3]);
    assert_eq!(
        all.reasons(),
        [(4, "it names value 5 of `TIME_PERIOD`, which has 2 from 0")]
    );
}

#[test]
fn what_is_no_data_message_says_so() {
    assert!(said("{}").contains("it has no `dataSets`"));
    assert!(
        said(r#"{"errors": [{"code": 404, "title": "No results found"}]}"#)
            .ends_with("the server answered: No results found")
    );
    assert!(
        said(r#"{"dataSets": [], "structure": {"dimensions": 7}}"#)
            .contains("its structure cannot be read")
    );
    assert!(
        said(r#"{"dataSets": [{"observations": {"0": [1]}}]}"#)
            .contains("a data set names structure 0, of 0")
    );
    assert!(
        said("{\"dataSets\": [\n  {]}").contains("(byte 17)")
            || said("{\"dataSets\": [\n  {]}").contains("byte")
    );
    let nothing = message(
        r#"{"dataSets": [], "structure": {"dimensions": {"observation": [{"id": "A", "values": []}]}}}"#,
    );
    assert_eq!(
        (nothing.columns, nothing.rows.len()),
        (
            ["A", "A_label", "OBS_VALUE", "ACTION"]
                .map(str::to_owned)
                .to_vec(),
            0
        )
    );
    let wrong = message(
        r#"{"dataSets": [{"observations": {"0:0": [1], "x": [1], "": [2], "0": [3]}}], "structure": {"dimensions": {"observation": [{"id": "A", "values": [1]}]}}}"#,
    );
    assert_eq!(wrong.column("OBS_VALUE"), ["2", "3"]);
    assert_eq!(wrong.column("A"), ["", "1"]);
    assert_eq!(
        wrong.reasons(),
        [
            (1, "its key `0:0` has 2 parts for 1 dimensions"),
            (2, "its key `x` is no list of numbers")
        ]
    );
}

proptest! {
    #[test]
    fn flat_messages_and_series_hold_the_same_rows(values in prop::collection::btree_map((0_usize..4, 0_usize..4), -999_i32..999, 1..12)) {
        let codes = |prefix: &str| (0..4).map(|it| serde_json::json!({ "id": format!("{prefix}{it}"), "name": format!("n{it}") })).collect::<Vec<_>>();
        let (a, b) = (serde_json::json!({ "id": "A", "values": codes("a") }), serde_json::json!({ "id": "B", "values": codes("b") }));
        let flat: serde_json::Map<String, serde_json::Value> = values.iter().map(|((a, b), it)| (format!("{a}:{b}"), serde_json::json!([it]))).collect();
        let flat = serde_json::json!({ "structure": { "dimensions": { "observation": [a, b] } }, "dataSets": [{ "observations": flat }] });
        let mut series = serde_json::Map::new();
        for ((a, b), it) in &values {
            series.entry(a.to_string()).or_insert_with(|| serde_json::json!({ "observations": {} }))["observations"][b.to_string()] = serde_json::json!([it]);
        }
        let nested = serde_json::json!({ "data": { "structures": [{ "dimensions": { "series": [a], "observation": [b] } }], "dataSets": [{ "series": series }] } });
        let (flat, nested) = (message(&flat.to_string()), message(&nested.to_string()));
        prop_assert_eq!(flat.rows.len(), values.len());
        prop_assert_eq!(flat, nested);
    }
}
