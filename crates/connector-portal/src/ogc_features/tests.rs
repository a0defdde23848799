#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};
use serde_json::Value;

use super::*;
use crate::testing::{io, make, read, recording, say};

/// Real answers of the USGS's service, kept by collection; links of pages are put in.
fn items(collection: &str, features: std::ops::Range<usize>, next: Option<&str>) -> String {
    let all: Value = serde_json::from_slice(&recording(
        "../data/environment/usgs_ogc_api_features_responses.json",
    ))
    .unwrap();
    let mut page = all[collection].clone();
    let list = page["features"].as_array().unwrap();
    page["features"] = list[features.start..features.end.min(list.len())]
        .to_vec()
        .into();
    let links = next.map(|href| json!({ "rel": "next", "href": href }));
    page["links"] = links.into_iter().collect::<Vec<_>>().into();
    page.to_string()
}

fn settings(server: &str, more: Value) -> Value {
    let mut settings =
        json!({ "url": format!("{server}/v0/"), "collections": ["daily"], "page_size": 1 });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

const FIRST: &str = "/v0/collections/daily/items?f=json&limit=1";

fn pages() -> Vec<Exchange> {
    let second = "/v0/collections/daily/items?f=json&limit=1&cursor=abc";
    vec![
        Exchange::new(FIRST, items("daily", 0..1, Some(second))),
        Exchange::new(second, items("daily", 1..2, None)),
    ]
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| make(&registration(), settings(server, json!({}))),
        recording: pages(),
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn collections_of_features_are_streams() {
    let list = json!({ "collections": [{ "id": "daily", "itemType": "feature" }, { "id": "stations" }, { "id": "papers", "itemType": "record" }] });
    let server = Server::start(vec![Exchange::new(
        "/v0/collections?f=json",
        list.to_string(),
    )])
    .await
    .unwrap();
    let features = make(
        &registration(),
        json!({ "url": format!("{}/v0", server.url()) }),
    )
    .unwrap();
    let streams = features.streams(&io("2025-01-01T00:00:00Z")).await.unwrap();
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["daily", "stations"]);
}

#[tokio::test]
async fn boxes_and_later_runs_are_asked_for() {
    let common = "/v0/collections/daily/items?site=A&f=json&bbox=106.5%2C20.5%2C107%2C21";
    let first = format!("{common}&datetime=2025-01-01T00%3A00%3A00Z%2F..&limit=1");
    let page = |time: &str| {
        format!(
            r#"{{"type": "FeatureCollection", "features": [{{"type": "Feature", "properties": {{"time": "{time}"}}, "geometry": null}}], "links": []}}"#
        )
    };
    let later = format!("{common}&datetime=2025-02-01T00%3A00%3A00Z%2F..&limit=1");
    let server = Server::start(vec![
        Exchange::new(&first, page("2025-02-03")),
        Exchange::new(&later, page("2025-02-04")),
    ])
    .await
    .unwrap();
    let more = json!({ "query": { "site": "A" }, "bbox": [106.5, 20.5, 107, 21], "incremental": { "property": "time", "start": "2025-01-01", "lookback": "2d" } });
    let features = make(&registration(), settings(server.url(), more)).unwrap();
    let run = io("2025-02-10T00:00:00Z");
    let (parts, cursor) = read(&*features, Slice::whole("daily"), None, (&run, &server))
        .await
        .unwrap();
    assert_eq!((parts.len(), parts[0].1.as_str()), (1, "daily.geojson"));
    let run = io("2025-02-11T00:00:00Z");
    let (parts, _) = read(&*features, Slice::whole("daily"), cursor, (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 1, "{:?}", server.asked());
}

#[test]
fn addresses_are_claimed() {
    let claim = |location: &str| {
        claims(&Sight {
            location,
            members: &[],
            head: &[],
        })
        .map(|claim| Value::Object(claim.settings).to_string())
    };
    assert_eq!(
        claim("https://api.example.org/ogcapi/v0/collections/daily/items?f=json&limit=5").unwrap(),
        r#"{"collections":["daily"],"url":"https://api.example.org/ogcapi/v0"}"#
    );
    assert_eq!(
        claim("https://api.example.org/collections").unwrap(),
        r#"{"url":"https://api.example.org/"}"#
    );
    for other in [
        "https://example.org/collections/daily/tiles",
        "https://example.org/collectionsX",
        "https://example.org/a.geojson",
        "data.geojson",
    ] {
        assert_eq!(claim(other), None, "{other}");
    }
}

#[test]
fn settings_are_checked() {
    let said: Vec<String> = [
        json!({ "datetime": "2025", "incremental": {} }),
        json!({ "incremental": { "start": "soon" } }),
        json!({ "bbox": [1, 2] }),
        json!({ "incremental": {} }),
    ]
    .into_iter()
    .map(|more| say(&registration(), settings("https://example.gov", more)))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
datetime: stands beside `incremental`, which asks by the same parameter / leave one of them out
incremental.start: "soon" is no date / write it as in 2025-01-31 or 2025-01-31T07:00:00+07:00
bbox: must be at least 4 entries, not 2 / -
fine
"#);
}
