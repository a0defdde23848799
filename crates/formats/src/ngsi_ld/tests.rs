#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use proptest::prelude::*;

use crate::ReadOptions;
use crate::testing::{All, block_on, options, part, read, read_bytes};

fn entities(text: &str) -> All {
    read_bytes(text.as_bytes(), r#""ngsi_ld""#, &ReadOptions::default()).unwrap()
}

fn file(name: &str) -> Vec<u8> {
    let data =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/environment/ngsi_ld");
    std::fs::read(data.join(name)).unwrap()
}

#[test]
fn every_form_of_the_published_examples_gives_the_same_columns() {
    for model in [
        "AirQualityObserved",
        "FloodMonitoring",
        "NoiseLevelObserved",
        "WaterObserved",
    ] {
        for form in [
            "example-normalized.jsonld",
            "example.jsonld",
            "example.json",
        ] {
            let bytes = file(&format!("{model}.{form}"));
            let all = read_bytes(&bytes, r#""ngsi_ld""#, &ReadOptions::default()).unwrap();
            assert_eq!((all.rows.len(), all.broken.len()), (1, 0), "{model}.{form}");
            assert_eq!(all.column("type"), [model], "{form}");
            let shapes = all.columns.iter().filter(|it| *it == "location").count();
            assert_eq!(shapes, usize::from(model != "FloodMonitoring"), "{form}");
            assert!(!all.columns.contains(&"@context".to_owned()));
        }
    }
    let normalized = read_bytes(
        &file("AirQualityObserved.example-normalized.jsonld"),
        r#""ngsi_ld""#,
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(
        (normalized.column("no2"), normalized.column("no2.unitCode")),
        (vec!["69"], vec!["GQ"])
    );
    assert_eq!(
        normalized.column("refPointOfInterest"),
        ["urn:ngsi-ld:PointOfInterest:28079004-Pza.deEspanya"]
    );
    assert_eq!(normalized.column("dateObserved"), ["2016-03-15T11:00:00"]);
}

#[test]
fn lists_of_entities_are_recognised() {
    let text = r#"[{"id": "urn:ngsi-ld:Sensor:1", "type": "Sensor", "a": {"type": "Property", "value": 1}}]"#;
    for text in [text, &text[1..text.len() - 1]] {
        let all = block_on(async {
            read(
                &part("answer.json", text).await,
                None,
                None,
                &ReadOptions::default(),
            )
            .await
        });
        assert_eq!(all.unwrap().column("a"), ["1"]);
    }
}

#[test]
fn attributes_in_all_their_forms() {
    let text = r#"[
        {"@id": "urn:ngsi-ld:A:1", "@type": ["A", "B"], "@context": "x", "scope": "/city",
         "pm25": {"type": "Property", "value": 12.30, "unitCode": "GQ", "observedAt": "2024-01-01T00:00:00Z", "quality": {"type": "Property", "value": 0.9}},
         "name": {"type": "LanguageProperty", "languageMap": {"vi": "Cầu", "en": "Bridge"}},
         "at": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [106.7, 20.8]}},
         "when": {"type": "Property", "value": {"@type": "DateTime", "@value": "2024-01-01T00:00:00Z"}},
         "owner": {"type": "Relationship", "object": ["urn:a", "urn:b"]},
         "speed": [{"type": "Property", "value": 5, "datasetId": "urn:gps"}, {"type": "Property", "value": 7}]},
        {"id": "2", "type": "A", "pm25": {"value": 3, "unitCode": "GP"}, "at": {"type": "Point", "coordinates": [1, 2]}, "tags": ["a", "b"]},
        {"id": "3", "type": "A", "pm25": {"type": "Number", "value": null, "metadata": {"unitCode": {"type": "Text", "value": "X"}}}},
        {"id": "4", "type": "A", "pm25": 4},
        5]"#;
    let all = entities(text);
    assert_eq!(all.column("id"), ["urn:ngsi-ld:A:1", "2", "3", "4"]);
    assert_eq!(all.column("type")[0], r#"["A", "B"]"#);
    assert_eq!(all.column("pm25"), ["12.30", "3", "", "4"]);
    assert_eq!(all.column("pm25.unitCode"), ["GQ", "GP", "X", ""]);
    assert_eq!(all.column("pm25.observedAt")[0], "2024-01-01T00:00:00Z");
    assert_eq!(all.column("pm25.quality")[0], "0.9");
    assert_eq!(all.column("name")[0], r#"{"vi": "Cầu", "en": "Bridge"}"#);
    assert_eq!(
        all.column("at")[..2],
        [
            r#"{"type": "Point", "coordinates": [106.7, 20.8]}"#,
            r#"{"type": "Point", "coordinates": [1, 2]}"#
        ]
    );
    assert_eq!(all.column("when")[0], "2024-01-01T00:00:00Z");
    assert_eq!(all.column("owner")[0], r#"["urn:a", "urn:b"]"#);
    assert_eq!(all.column("speed")[0], "7");
    assert_eq!(all.column("tags")[1], r#"["a", "b"]"#);
    assert_eq!(all.reasons(), [(5, "it is a number, no JSON object")]);
    let small = read_bytes(text.as_bytes(), r#""ngsi_ld""#, &options(64, 2, 2)).unwrap();
    assert_eq!(small, all);
}

/// An attribute's value, and the attribute in one of its forms.
fn attribute() -> impl Strategy<Value = (String, serde_json::Value)> {
    ("[a-zA-Zế]{1,6}", 0_i32..999, 0_u8..5).prop_map(|(name, value, form)| {
        let attribute = match form {
            0 => serde_json::json!(value),
            1 => serde_json::json!({ "type": "Property", "value": value, "unitCode": "X" }),
            2 => serde_json::json!({ "value": value, "observedAt": "2024-01-01T00:00:00Z" }),
            3 => serde_json::json!({ "type": "Number", "value": value, "metadata": {} }),
            _ => serde_json::json!([{ "type": "Property", "value": 0, "datasetId": "u" }, { "type": "Property", "value": value }]),
        };
        (value.to_string(), serde_json::json!({ "id": "x", "type": "T", format!("a{name}"): attribute }))
    })
}

proptest! {
    #[test]
    fn a_value_is_found_in_every_form(entities in prop::collection::vec(attribute(), 1..8)) {
        let text = serde_json::Value::Array(entities.iter().map(|(_, it)| it.clone()).collect()).to_string();
        let all = self::entities(&text);
        prop_assert_eq!(all.rows.len(), entities.len());
        for ((value, entity), row) in entities.iter().zip(all.rows.values()) {
            let name = entity.as_object().unwrap().keys().find(|key| key.starts_with('a')).unwrap();
            let column = all.columns.iter().position(|it| it == name).unwrap();
            prop_assert_eq!(row[column].as_deref(), Some(value.as_str()));
        }
    }
}
