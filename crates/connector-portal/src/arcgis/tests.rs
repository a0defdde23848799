#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::kit::{Abilities, Exchange, Fault, Server, Subject, check};
use serde_json::Value;

use super::*;
use crate::testing::{SECRET, io, make, read, recording, say};

const LAYER: &str = "/arcgis/rest/services/Demo/FeatureServer/0";

fn captured(name: &str) -> Value {
    serde_json::from_slice(&recording(&format!("../data/common/{name}.json"))).unwrap()
}

/// A captured answer of so many of its features.
fn features(name: &str, range: std::ops::Range<usize>, exceeds: bool) -> String {
    let mut page = captured(name);
    let kept = page["features"].as_array().unwrap()[range].to_vec();
    page["features"] = kept.into();
    if exceeds {
        page["exceededTransferLimit"] = true.into();
    }
    page.to_string()
}

fn settings(server: &str, more: Value) -> Value {
    let mut settings = json!({ "url": format!("{server}{LAYER}"), "page_size": 400 });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

/// The layer's description with pages or without.
fn description(name: &str) -> Exchange {
    Exchange::new(&format!("{LAYER}?f=json"), captured(name).to_string())
}

fn paged(offset: u32, key: &str) -> String {
    format!(
        "{LAYER}/query?where=1%3D1&outFields=*&outSR=4326&f=json&orderByFields=objectid&resultRecordCount=400&resultOffset={offset}{key}"
    )
}

fn pages(key: &str) -> Vec<Exchange> {
    let name = "arcgis_query_no_geometry";
    let mut all = vec![
        Exchange::new(&paged(0, key), features(name, 0..400, true)),
        Exchange::new(&paged(400, key), features(name, 400..800, true)),
        Exchange::new(&paged(800, key), features(name, 800..1000, false)),
    ];
    let mut layer = description("arcgis_layer_no_geometry_metadata");
    layer.target.push_str(key);
    all.push(layer);
    all
}

#[tokio::test]
async fn pages_pass_the_kit() {
    let subject = Subject {
        make: &|server| {
            let auth = json!({ "query": { "name": "token", "value": "${env:KEY}" } });
            super::super::testing::make(&registration(), settings(server, json!({ "auth": auth })))
        },
        recording: pages(&format!("&token={SECRET}")),
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[SECRET],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn a_layer_that_cannot_page_is_read_by_ranges_of_ids() {
    let ids = captured("arcgis_ids_columbia");
    let range = |from: u32, to: u32, features: String| {
        let target = format!(
            "{LAYER}/query?where=%281%3D1%29+AND+OBJECTID+%3E%3D+{from}+AND+OBJECTID+%3C%3D+{to}&outFields=*&outSR=4326&f=json"
        );
        Exchange::new(&target, features)
    };
    let name = "arcgis_query_columbia";
    let server = Server::start(vec![
        description("arcgis_layer_columbia_metadata"),
        Exchange::new(
            &format!("{LAYER}/query?where=1%3D1&returnIdsOnly=true&f=json"),
            ids.to_string(),
        ),
        range(64_579_816, 64_579_845, features(name, 0..30, false)),
        range(64_579_846, 64_579_858, features(name, 30..43, true)),
    ])
    .await
    .unwrap();
    let arcgis = make(
        &registration(),
        settings(server.url(), json!({ "page_size": 30 })),
    )
    .unwrap();
    let run = io("2025-01-01T00:00:00Z");
    let partitions = arcgis.partitions("features", &run).await.unwrap();
    assert_eq!(partitions, ["64579816..=64579845", "64579846..=64579858"]);
    let slice = |partition| Slice {
        unit: "features",
        partition: Some(partition),
    };
    let (parts, cursor) = read(
        &*arcgis,
        slice(partitions[0].as_str()),
        None,
        (&run, &server),
    )
    .await
    .unwrap();
    assert_eq!((parts.len(), cursor), (1, None));
    assert!(parts[0].2.contains("\"features\":["));
    let error = read(
        &*arcgis,
        slice(partitions[1].as_str()),
        None,
        (&run, &server),
    )
    .await
    .unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Changed, true));
    let streams = arcgis.streams(&run).await.unwrap();
    assert_eq!(streams[0].columns.len(), 26);
}

#[tokio::test]
async fn errors_under_a_status_of_success_are_told() {
    let server = Server::start(vec![
        description("arcgis_layer_no_geometry_metadata"),
        Exchange::new(&paged(0, ""), r#"{"error": {"code": 400, "message": "Cannot perform query.", "details": ["'x' is no field"]}}"#),
    ])
    .await
    .unwrap();
    let run = io("2025-01-01T00:00:00Z");
    let of = |server: &Server| make(&registration(), settings(server.url(), json!({}))).unwrap();
    let error = of(&server)
        .fetch(Slice::whole("features"), None, &run)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(
        error.to_string().ends_with("Cannot perform query."),
        "{error}"
    );
    let token = json!({ "error": { "code": 499, "message": "Token Required", "details": [] } });
    let server = Server::start(vec![Exchange::new(
        &format!("{LAYER}?f=json"),
        token.to_string(),
    )])
    .await
    .unwrap();
    let error = of(&server).streams(&run).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    server.fail(Fault::Status(404, vec![]), 1);
    assert_eq!(
        of(&server).streams(&run).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn later_runs_ask_for_what_was_edited_since() {
    let target = |since: &str| {
        let condition = format!("%28facility+%3E+5%29+AND+observed+%3E%3D+TIMESTAMP+%27{since}%27");
        let rest = "outFields=objectid%2Cobserved&outSR=4326&f=json&orderByFields=objectid";
        format!("{LAYER}/query?{rest}&where={condition}&resultRecordCount=400&resultOffset=0")
    };
    let name = "arcgis_query_no_geometry";
    let server = Server::start(vec![
        description("arcgis_layer_no_geometry_metadata"),
        Exchange::new(
            &target("2025-01-01+00%3A00%3A00"),
            features(name, 0..2, false),
        ),
        Exchange::new(
            &target("2025-02-09+22%3A00%3A00"),
            features(name, 0..0, false),
        ),
    ])
    .await
    .unwrap();
    let more = json!({ "where": "facility > 5", "fields": ["objectid", "observed"], "incremental": { "field": "observed", "start": "2025-01-01", "lookback": "2h" } });
    let arcgis = make(&registration(), settings(server.url(), more)).unwrap();
    let run = io("2025-02-10T00:00:00Z");
    let (parts, cursor) = read(&*arcgis, Slice::whole("features"), None, (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 1, "{:?}", server.asked());
    let run = io("2025-02-11T00:00:00Z");
    let (parts, _) = read(&*arcgis, Slice::whole("features"), cursor, (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 0, "{:?}", server.asked());
}

#[tokio::test]
async fn layers_of_a_service_are_streams() {
    let service = "/arcgis/rest/services/Demo/FeatureServer";
    let list = json!({ "layers": [{ "id": 0, "name": "Stops" }, { "id": 1, "name": "Group", "type": "Group Layer" }], "tables": [{ "id": 2, "name": "Stops" }] });
    let layer = |id: u32| {
        Exchange::new(
            &format!("{service}/{id}?f=json"),
            captured("arcgis_layer_no_geometry_metadata").to_string(),
        )
    };
    let server = Server::start(vec![
        Exchange::new(&format!("{service}?f=json"), list.to_string()),
        layer(0),
        layer(2),
    ])
    .await
    .unwrap();
    let arcgis = make(
        &registration(),
        json!({ "url": format!("{}{service}", server.url()) }),
    )
    .unwrap();
    let streams = arcgis.streams(&io("2025-01-01T00:00:00Z")).await.unwrap();
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["Stops 0", "Stops 2"]);
}

#[tokio::test]
async fn what_codes_mean_goes_into_the_format() {
    let mut layer = captured("arcgis_layer_no_geometry_metadata");
    layer["fields"][1]["domain"] =
        json!({ "type": "codedValue", "codedValues": [{ "code": 123, "name": "Cầu" }] });
    let layer = Exchange::new(&format!("{LAYER}?f=json"), layer.to_string());
    let server = Server::start(vec![layer]).await.unwrap();
    let arcgis = make(&registration(), settings(server.url(), json!({}))).unwrap();
    let streams = arcgis.streams(&io("2025-01-01T00:00:00Z")).await.unwrap();
    let format = json!({ "name": "esri_json", "domains": { "facility": { "123": "Cầu" }, "quality": { "0": "Excellent", "1": "Good", "2": "Fair", "3": "Poor" } } });
    assert_eq!(streams[0].format, Some(format));
    assert_eq!(streams[0].columns.last().unwrap(), "quality_label");
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
    let layer = r#"{"url":"https://gis.example.gov/arcgis/rest/services/A/MapServer/3"}"#;
    assert_eq!(
        claim("https://gis.example.gov/arcgis/rest/services/A/MapServer/3/query?where=1=1&f=json")
            .unwrap(),
        layer
    );
    assert_eq!(
        claim("https://gis.example.gov/arcgis/rest/services/A/MapServer/3").unwrap(),
        layer
    );
    assert_eq!(
        claim("https://gis.example.gov/x/FeatureServer").unwrap(),
        r#"{"url":"https://gis.example.gov/x/FeatureServer"}"#
    );
    for other in [
        "https://example.org/FeatureServers",
        "https://example.org/a.json",
        "FeatureServer/0",
    ] {
        assert_eq!(claim(other), None, "{other}");
    }
}

#[test]
fn settings_are_checked() {
    let said: Vec<String> = [
        json!({ "url": "https://example.gov/data.json" }),
        json!({ "format": "xml" }),
        json!({ "incremental": { "field": "a b" } }),
        json!({ "incremental": { "field": "edited", "start": "soon" } }),
        json!({ "by": "ids" }),
    ]
    .into_iter()
    .map(|more| say(&registration(), settings("https://example.gov", more)))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
url: is no address of an ArcGIS service / it ends in /FeatureServer or /MapServer, or in the number of a layer behind that
format: "xml" is none of its values / one of: json, geojson
incremental.field: "a b" is no name of an attribute / -
incremental.start: "soon" is no date / write it as in 2025-01-31 or 2025-01-31T07:00:00+07:00
fine
"#);
}
