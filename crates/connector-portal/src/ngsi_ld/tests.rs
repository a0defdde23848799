#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};

use super::*;
use crate::testing::{io, make, read, recording, say};

fn entity(name: &str) -> Value {
    serde_json::from_slice(&recording(&format!("../data/environment/ngsi_ld/{name}"))).unwrap()
}

fn settings(server: &str, more: Value) -> Value {
    let mut settings = json!({ "url": server, "types": ["AirQualityObserved"], "page_size": 1, "context": "https://example.org/context.jsonld", "tenant": "haiphong" });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

fn target(query: &str, offset: u32) -> String {
    format!("/ngsi-ld/v1/entities?type=AirQualityObserved{query}&limit=1&offset={offset}")
}

fn pages() -> Vec<Exchange> {
    let mut second = entity("AirQualityObserved.example-normalized.jsonld");
    second["id"] = "urn:ngsi-ld:AirQualityObserved:2".into();
    let list = |all: Vec<Value>| Value::from(all).to_string();
    vec![
        Exchange::new(
            &target("", 0),
            list(vec![entity("AirQualityObserved.example-normalized.jsonld")]),
        ),
        Exchange::new(&target("", 1), list(vec![second])),
        Exchange::new(&target("", 2), list(Vec::new())),
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
async fn context_and_tenant_are_sent() {
    let server = Server::start(pages()).await.unwrap();
    let broker = make(&registration(), settings(server.url(), json!({}))).unwrap();
    let run = io("2025-01-01T00:00:00Z");
    broker
        .fetch(Slice::whole("AirQualityObserved"), None, &run)
        .await
        .unwrap();
    let headers = server.headers()[0].clone();
    assert!(
        headers.contains(&"ngsild-tenant: haiphong".to_owned()),
        "{headers:?}"
    );
    let link = "link: <https://example.org/context.jsonld>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\"";
    assert!(headers.contains(&link.to_owned()), "{headers:?}");
}

#[tokio::test]
async fn types_are_streams_and_feed_shared_tables() {
    let list = json!({ "id": "x", "type": "EntityTypeList", "typeList": ["AirQualityObserved", "https://uri.fiware.org/ns/data-models#TrafficFlowObserved", "Device"] });
    let server = Server::start(vec![Exchange::new("/ngsi-ld/v1/types", list.to_string())])
        .await
        .unwrap();
    let broker = make(
        &registration(),
        json!({ "url": server.url(), "units": { "no2": "ug/m3" } }),
    )
    .unwrap();
    let streams = broker.streams(&io("2025-01-01T00:00:00Z")).await.unwrap();
    let tables = |stream: &Stream| {
        stream
            .mappings
            .iter()
            .map(|it| it.table.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        tables(&streams[0]),
        ["environment.stations", "environment.observations"]
    );
    assert_eq!(tables(&streams[1]), ["transport.traffic_counts"]);
    assert_eq!(tables(&streams[2]), [""; 0]);
    let observations = &streams[0].mappings[1];
    assert_eq!(observations.parameters["units"], "|no2=ug/m3|");
    assert_eq!(observations.sql.matches("UNION ALL").count(), 17);
}

#[tokio::test]
async fn later_runs_ask_for_later_entities() {
    let since = |time: &str| target(&format!("&q=%28no2%3E40%29%3BdateObserved%3E%3D{time}"), 0);
    let page = |time: &str| {
        json!([{ "id": "a", "type": "AirQualityObserved", "dateObserved": { "type": "Property", "value": time } }]).to_string()
    };
    let next = since("2025-01-01T00%3A00%3A00Z").replace("offset=0", "offset=1");
    let later = since("2025-02-01T23%3A00%3A00Z");
    let more = json!({ "q": "no2>40", "incremental": { "start": "2025-01-01", "lookback": "1h" } });
    let server = Server::start(vec![
        Exchange::new(
            &since("2025-01-01T00%3A00%3A00Z"),
            page("2025-02-02T00:00:00Z"),
        ),
        Exchange::new(&next, "[]"),
        Exchange::new(&later, "[]"),
    ])
    .await
    .unwrap();
    let broker = make(&registration(), settings(server.url(), more)).unwrap();
    let slice = Slice::whole("AirQualityObserved");
    let (parts, cursor) = read(
        &*broker,
        slice,
        None,
        (&io("2025-02-10T00:00:00Z"), &server),
    )
    .await
    .unwrap();
    assert!(!parts.is_empty(), "{:?}", server.asked());
    let (parts, _) = read(
        &*broker,
        slice,
        cursor,
        (&io("2025-02-11T00:00:00Z"), &server),
    )
    .await
    .unwrap();
    assert_eq!(parts.len(), 0, "{:?}", server.asked());
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
        claim("https://broker.example.org/ngsi-ld/v1/entities?type=AirQualityObserved&limit=10")
            .unwrap(),
        r#"{"types":["AirQualityObserved"],"url":"https://broker.example.org/"}"#
    );
    for other in [
        "https://example.org/v2/entities",
        "https://example.org/ngsi-ld/v1/subscriptions",
        "entities.jsonld",
    ] {
        assert_eq!(claim(other), None, "{other}");
    }
}

#[test]
fn settings_are_checked() {
    let said: Vec<String> = [
        json!({ "tenant": "a\r\nb" }),
        json!({ "context": "x>\r\ny" }),
        json!({ "options": "concise" }),
        json!({ "incremental": { "start": "soon" } }),
        json!({ "incremental": {} }),
    ]
    .into_iter()
    .map(|more| say(&registration(), settings("https://example.org", more)))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
tenant: is no name of a tenant / -
context: is no address / -
options: "concise" is none of its values / one of: normalized, keyValues
incremental.start: "soon" is no date / write it as in 2025-01-31 or 2025-01-31T07:00:00+07:00
fine
"#);
}
