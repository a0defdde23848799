#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};
use serde_json::Value;

use super::*;
use crate::testing::{io, make, read, recording, say};

fn file(name: &str) -> bytes::Bytes {
    recording(&format!("wfs/{name}"))
}

fn settings(server: &str, more: Value) -> Value {
    let mut settings = json!({ "url": format!("{server}/geoserver/wfs?map=x"), "types": ["hp:roads"], "page_size": 2 });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

fn described(name: &str) -> Exchange {
    Exchange::new(
        "/geoserver/wfs?map=x&service=WFS&request=GetCapabilities&version=2.0.0",
        file(name),
    )
}

fn features(format: &str, offset: u32) -> String {
    let srs = "urn%3Aogc%3Adef%3Acrs%3AEPSG%3A%3A4326";
    format!(
        "/geoserver/wfs?map=x&service=WFS&version=2.0.0&request=GetFeature&typeNames=hp%3Aroads&srsName={srs}{format}&count=2&startIndex={offset}"
    )
}

const JSON: &str = "&outputFormat=application%2Fjson";

#[tokio::test]
async fn gml_passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            make(
                &registration(),
                settings(server, json!({ "format": "gml" })),
            )
        },
        recording: vec![
            described("capabilities.xml"),
            Exchange::new(&features("", 0), file("roads_1.gml")),
            Exchange::new(&features("", 2), file("roads_2.gml")),
        ],
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn geojson_is_asked_for_where_it_is_offered() {
    let page = |ids: &[u32], matched: &str| {
        let features: Vec<Value> = ids
            .iter()
            .map(|id| json!({ "type": "Feature", "id": id, "properties": {}, "geometry": null }))
            .collect();
        format!(
            r#"{{"type": "FeatureCollection", "features": {}, "numberMatched": {matched}}}"#,
            Value::from(features)
        )
    };
    let server = Server::start(vec![
        described("capabilities.xml"),
        // Fewer than asked for, as a service with a bound of its own gives them.
        Exchange::new(&features(JSON, 0), page(&[1], "2")),
        Exchange::new(&features(JSON, 1), page(&[2], "2")),
    ])
    .await
    .unwrap();
    let wfs = make(&registration(), settings(server.url(), json!({}))).unwrap();
    let run = io("2025-01-01T00:00:00Z");
    let streams = wfs.streams(&run).await.unwrap();
    assert_eq!(
        (streams[0].name.as_str(), streams[0].format.as_ref()),
        ("hp:roads", Some(&json!("geojson")))
    );
    let (parts, cursor) = read(&*wfs, Slice::whole("hp:roads"), None, (&run, &server))
        .await
        .unwrap();
    assert_eq!((parts.len(), cursor), (2, None), "{:?}", server.asked());
    assert_eq!(parts[1].1, "features-2.geojson");
}

#[tokio::test]
async fn a_service_that_cannot_page_is_asked_once() {
    let text = String::from_utf8(file("capabilities.xml").to_vec()).unwrap();
    let text = text.replace("<ows:DefaultValue>TRUE", "<ows:DefaultValue>FALSE");
    let capabilities = Exchange::new(
        "/geoserver/wfs?map=x&service=WFS&request=GetCapabilities&version=2.0.0",
        text,
    );
    let target = features(JSON, 0).replace("&count=2&startIndex=0", "");
    let server = Server::start(vec![
        capabilities,
        Exchange::new(&target, r#"{"features": [{}, {}, {}]}"#),
    ])
    .await
    .unwrap();
    let wfs = make(
        &registration(),
        settings(server.url(), json!({ "types": [] })),
    )
    .unwrap();
    let run = io("2025-01-01T00:00:00Z");
    let streams = wfs.streams(&run).await.unwrap();
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["hp:roads", "hp:bridges"]);
    let (parts, _) = read(&*wfs, Slice::whole("hp:roads"), None, (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 1, "{:?}", server.asked());
}

#[tokio::test]
async fn exceptions_under_a_status_of_success_are_told() {
    let server = Server::start(vec![
        described("capabilities.xml"),
        Exchange::new(&features(JSON, 0), file("exception.xml")),
    ])
    .await
    .unwrap();
    let wfs = make(&registration(), settings(server.url(), json!({}))).unwrap();
    let run = io("2025-01-01T00:00:00Z");
    let error = wfs
        .fetch(Slice::whole("hp:roads"), None, &run)
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::NotData, false));
    assert!(error.to_string().ends_with("unknown"), "{error}");
}

#[tokio::test]
async fn gml_where_geojson_was_asked_for_is_told() {
    let server = Server::start(vec![
        described("capabilities.xml"),
        Exchange::new(&features(JSON, 0), file("roads_1.gml")),
    ])
    .await
    .unwrap();
    let wfs = make(&registration(), settings(server.url(), json!({}))).unwrap();
    let run = io("2025-01-01T00:00:00Z");
    let error = wfs
        .fetch(Slice::whole("hp:roads"), None, &run)
        .await
        .unwrap_err();
    assert_eq!(error.help.as_deref(), Some("write `format: gml`"));
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
        claim("https://geo.example.gov/geoserver/ows?service=WFS&version=1.0.0&request=GetFeature&typeName=a:b&maxFeatures=50&outputFormat=json&map=x").unwrap(),
        r#"{"types":["a:b"],"url":"https://geo.example.gov/geoserver/ows?map=x"}"#
    );
    assert_eq!(
        claim("https://geo.example.gov/geoserver/wfs").unwrap(),
        r#"{"url":"https://geo.example.gov/geoserver/wfs"}"#
    );
    for other in [
        "https://geo.example.gov/geoserver/wms?service=WMS",
        "https://example.org/a.gml",
        "wfs",
    ] {
        assert_eq!(claim(other), None, "{other}");
    }
}

#[test]
fn settings_are_checked() {
    let said: Vec<String> = [
        json!({ "version": "3.0" }),
        json!({ "format": "shape" }),
        json!({ "page_size": 0 }),
        json!({ "version": "1.1.0" }),
    ]
    .into_iter()
    .map(|more| say(&registration(), settings("https://geo.example.gov", more)))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
version: "3.0" is none of its values / one of: 2.0.0, 1.1.0
format: "shape" is none of its values / one of: geojson, gml
page_size: must be at least 1, not 0 / -
fine
"#);
}
