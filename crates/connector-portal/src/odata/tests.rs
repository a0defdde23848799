#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};
use serde_json::Value;

use super::*;
use crate::testing::{SECRET, io, make, read, recording, say};

fn settings(server: &str, more: Value) -> Value {
    let mut settings = json!({ "url": format!("{server}/odata/v4") });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

fn exchanges() -> Vec<Exchange> {
    vec![
        Exchange::new("/odata/v4/$metadata", recording("odata/metadata_v4.xml")),
        Exchange::new(
            "/odata/v4/Stops?%24filter=Id+gt+0",
            recording("odata/stops_1.json"),
        ),
        Exchange::new(
            "/odata/v4/Stops?%24filter=Id+gt+0&%24skiptoken=2",
            recording("odata/stops_2.json"),
        ),
    ]
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            let auth = json!({ "bearer": "${env:KEY}" });
            let more =
                json!({ "entities": ["Stops"], "filter": "Id gt 0", "page_size": 2, "auth": auth });
            make(&registration(), settings(server, more))
        },
        recording: exchanges(),
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[SECRET],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn sets_are_streams() {
    let server = Server::start(exchanges()).await.unwrap();
    let io = io("2025-01-01T00:00:00Z");
    let odata = make(&registration(), settings(server.url(), json!({}))).unwrap();
    let streams = odata.streams(&io).await.unwrap();
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["Schools", "Stops"]);
    assert_eq!(
        streams[0].format,
        Some(json!({ "name": "json", "record_path": "value" }))
    );
    let odata = make(
        &registration(),
        settings(server.url(), json!({ "entities": ["Stop"] })),
    )
    .unwrap();
    let error = odata.streams(&io).await.unwrap_err();
    assert_eq!(error.help.unwrap(), "did you mean `Stops`?");
    // What the settings say needs no asking.
    let asked = server.asked().len();
    let declared = json!({ "entities": ["Old"], "version": 2 });
    let odata = make(&registration(), settings(server.url(), declared)).unwrap();
    let streams = odata.streams(&io).await.unwrap();
    assert_eq!(
        streams[0].format,
        Some(json!({ "name": "json", "record_path": "d.results" }))
    );
    assert_eq!(server.asked().len(), asked);
}

#[tokio::test]
async fn later_runs_ask_for_what_changed() {
    let page = |changed: &str| format!(r#"{{"value": [{{"Id": 1, "Changed": "{changed}"}}]}}"#);
    let later = "/odata/v4/Stops?%24filter=%28Id+gt+0%29+and+Changed+ge+2025-01-01T07%3A00%3A00Z";
    let server = Server::start(vec![
        Exchange::new("/odata/v4/$metadata", recording("odata/metadata_v4.xml")),
        Exchange::new(
            "/odata/v4/Stops?%24filter=Id+gt+0",
            page("2025-01-02T07:00:00Z"),
        ),
        Exchange::new(later, page("2025-01-03T07:00:00Z")),
    ])
    .await
    .unwrap();
    let incremental = json!({ "field": "Changed", "lookback": "1d" });
    let more = json!({ "filter": "Id gt 0", "incremental": incremental });
    let odata = make(&registration(), settings(server.url(), more)).unwrap();
    let slice = Slice::whole("Stops");
    let run = io("2025-01-10T00:00:00Z");
    let (_, cursor) = read(&*odata, slice, None, (&run, &server)).await.unwrap();
    let run = io("2025-01-11T00:00:00Z");
    let (parts, _) = read(&*odata, slice, cursor, (&run, &server)).await.unwrap();
    assert_eq!(parts.len(), 1, "{:?}", server.asked());
}

#[tokio::test]
async fn version_2_is_read_too() {
    let first = r#"{"d": {"results": [{"Id": 1}], "__next": "http://localhost:1/odata/v4/Stops?$skiptoken=1"}}"#;
    let last = r#"{"d": {"results": [{"Id": 2}]}}"#;
    let server = Server::start(vec![Exchange::new("/odata/v4/Stops", first.to_owned())])
        .await
        .unwrap();
    let next = format!("{}/odata/v4/Stops?$skiptoken=1", server.url());
    let first = first.replace("http://localhost:1/odata/v4/Stops?$skiptoken=1", &next);
    server.play(vec![
        Exchange::new("/odata/v4/Stops", first),
        Exchange::new("/odata/v4/Stops?$skiptoken=1", last),
    ]);
    let declared = json!({ "entities": ["Stops"], "version": 2 });
    let odata = make(&registration(), settings(server.url(), declared)).unwrap();
    let run = io("2025-01-10T00:00:00Z");
    let (parts, _) = read(&*odata, Slice::whole("Stops"), None, (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 2);
    let sent = server.headers().concat().join("\n").to_lowercase();
    assert!(sent.contains("maxdataserviceversion: 2.0"), "{sent}");
}

#[test]
fn conditions_are_written_as_each_version_wants_them() {
    let wanted = |kind| IncrementalSettings {
        field: "At".to_owned(),
        kind: Some(kind),
        start: Some(match kind {
            Kind::Time => "2025-01-31".to_owned(),
            Kind::Id => "7".to_owned(),
        }),
        lookback: None,
    };
    let said: Vec<String> = [
        (Kind::Time, Version::V4, None),
        (Kind::Time, Version::V4, Some("Edm.Date")),
        (Kind::Time, Version::V3, Some("Edm.DateTimeOffset")),
        (Kind::Time, Version::V2, Some("Edm.DateTime")),
        (Kind::Id, Version::V4, Some("Edm.Int32")),
        (Kind::Id, Version::V2, Some("Edm.String")),
    ]
    .map(|(kind, version, of_type)| {
        let marks = marks(&wanted(kind), None, version, of_type).unwrap();
        let from = marks.asks_from(None, chrono::DateTime::UNIX_EPOCH).unwrap();
        marks.text(&from)
    })
    .to_vec();
    assert_eq!(
        said,
        [
            "At ge 2025-01-31T00:00:00Z",
            "At ge 2025-01-31",
            "At ge datetimeoffset'2025-01-31T00:00:00Z'",
            "At ge datetime'2025-01-31T00:00:00'",
            "At ge 7",
            "At ge '7'",
        ]
    );
}

#[test]
fn addresses_of_services_are_claimed() {
    let claim = |location: &str| {
        let sight = Sight {
            location,
            members: &[],
            head: &[],
        };
        claims(&sight).map(|claim| Value::Object(claim.settings).to_string())
    };
    let said: Vec<String> = [
        "https://services.odata.org/V4/Northwind/Northwind.svc/Customers?$top=5",
        "https://services.odata.org/V4/Northwind/Northwind.svc/",
        "https://example.org/api/odata/v4/Stops(1)",
        "https://example.org/api/odata/v4",
        "https://example.org/anything/$metadata",
        "https://example.org/odata.csv",
    ]
    .iter()
    .map(|location| claim(location).unwrap_or_else(|| "not claimed".to_owned()))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
{"entities":["Customers"],"url":"https://services.odata.org/V4/Northwind/Northwind.svc"}
{"url":"https://services.odata.org/V4/Northwind/Northwind.svc"}
{"entities":["Stops"],"url":"https://example.org/api/odata/v4"}
{"url":"https://example.org/api/odata/v4"}
{"url":"https://example.org/anything"}
not claimed
"#);
}

#[test]
fn settings_are_checked() {
    let said: Vec<String> = [
        json!({ "version": 5 }),
        json!({ "incremental": { "field": "a b" } }),
        json!({ "incremental": { "field": "a", "lookback": "x" } }),
        json!({ "incremental": { "field": "a", "kind": "number" } }),
        json!({ "entity": ["a"] }),
    ]
    .into_iter()
    .map(|more| say(&registration(), settings("https://data.example.org", more)))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
version: must be at most 4, not 5 / -
incremental.field: is no name of a property / -
incremental.lookback: "x" is no window / write it as in 30m, 6h, 2d or 1w
incremental.kind: "number" is none of its values / one of: time, id
entity: unknown setting / did you mean `entities`?
"#);
}
