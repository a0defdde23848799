//! Answers built after the published layout as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{Abilities, Exchange, Subject, check};
use serde_json::Value;

use super::*;
use crate::testing::{io, make as made, recording, say};

fn settings(server: &str) -> Value {
    json!({
        "url": format!("{server}/v1/forecast"), "hourly": ["temperature_2m", "pm2_5"], "past_days": 2,
        "locations": [{"id": "hai-phong", "latitude": 20.86, "longitude": 106.68}],
    })
}

#[tokio::test]
async fn passes_the_kit() {
    let place = "/v1/forecast?latitude=20.86&longitude=106.68";
    let hourly = "hourly=temperature_2m%2Cpm2_5&past_days=2&timezone=GMT&format=csv";
    let subject = Subject {
        make: &|server| made(&registration(), settings(server)),
        recording: vec![
            Exchange::new(
                &format!("{place}&timezone=auto"),
                recording("open_meteo/place.json"),
            ),
            Exchange::new(
                &format!("{place}&{hourly}"),
                recording("open_meteo/hourly.csv"),
            ),
        ],
        abilities: Abilities::default(),
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[test]
fn the_archive_ends_before_the_run() {
    let settings: Settings = serde_json::from_value(json!({
        "product": "archive", "start": "2024-01-01", "hourly": ["pressure_msl"],
        "locations": [{"id": "a", "latitude": 1.0, "longitude": 2.5}],
    }))
    .unwrap();
    let context = MakeContext::new(".", "demo", |_| None);
    let url = UrlSetting::new(settings.product.url())
        .resolve(&["url"], &context)
        .unwrap();
    let start = settings.start.as_ref().map(|day| day.parse().unwrap());
    let archive = OpenMeteo {
        url,
        start,
        end: None,
        settings,
    };
    let query = archive.query(
        OBSERVATIONS,
        &archive.settings.locations[0],
        &io("2025-01-10T12:00:00Z"),
    );
    let query: Vec<(&str, &str)> = query
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    insta::assert_snapshot!(archive.url.with_query(&query));
}

#[test]
fn settings_are_checked() {
    let place = json!([{"id": "a", "latitude": 1.0, "longitude": 2.0}]);
    let said = [
        json!({"locations": [], "hourly": ["rain"]}),
        json!({"locations": place, "hourly": []}),
        json!({"locations": [{"id": "Hải Phòng", "latitude": 1.0, "longitude": 2.0}], "hourly": ["rain"]}),
        json!({"locations": place, "hourly": ["rain"], "product": "archive"}),
        json!({"locations": place, "hourly": ["rain"], "product": "archive", "start": "2024-01-01", "past_days": 2}),
        json!({"locations": place, "hourly": ["rain"], "start": "soon"}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}
