#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};

use super::*;
use crate::testing::{SECRET, io, make, read, recording, say};

fn with(server: &str, more: Value) -> Value {
    let mut settings = json!({ "url": format!("{server}/v1") });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

async fn names(rest: &dyn Connector, unit: &str, started_at: &str) -> Vec<String> {
    rest.partitions(unit, &io(started_at)).await.unwrap()
}

#[tokio::test]
async fn pages_pass_the_kit() {
    let subject = Subject {
        make: &|server| {
            let paging = json!({ "style": "page", "size": 2, "size_parameter": "per_page", "total": "meta.total" });
            let query = json!({ "key": "${env:KEY}", "type": "PM2.5", "year": 2025 });
            let more = json!({ "query": query, "records": "data.items", "paging": paging });
            make(&registration(), with(server, more))
        },
        recording: [1, 2]
            .map(|page| {
                let target =
                    format!("/v1?key={SECRET}&type=PM2.5&year=2025&per_page=2&page={page}");
                Exchange::new(&target, recording(&format!("rest/stations_{page}.json")))
            })
            .to_vec(),
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[SECRET],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn one_answer_is_asked_for_changes_only() {
    let subject = Subject {
        make: &|server| make(&registration(), with(server, json!({ "format": "csv" }))),
        recording: vec![Exchange::new("/v1", "a,b\n1,2\n").with_etag("\"1\"")],
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

/// Stations are asked for first, then the readings of each.
fn readings(more: Value) -> Value {
    let over = json!({ "url": "stations", "records": "data.items", "field": "id" });
    let mut readings = json!({
        "path": "stations/{partition}/readings", "records": "items", "partitions": { "over": over },
    });
    readings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!({ "streams": { "stations": { "path": "stations", "records": "data.items" }, "readings": readings } })
}

#[tokio::test]
async fn partitions_are_the_records_of_another_call() {
    let items = |ids: &[&str]| json!({ "items": ids }).to_string();
    let server = Server::start(vec![
        Exchange::new("/v1/stations", recording("rest/stations_1.json")),
        Exchange::new("/v1/stations/HP%2F01/readings", items(&["a"])),
        Exchange::new("/v1/stations/2/readings", items(&["b"])),
    ])
    .await
    .unwrap();
    let rest = make(&registration(), with(server.url(), readings(json!({})))).unwrap();
    let run = io("2025-01-01T00:00:00Z");
    let streams = rest.streams(&run).await.unwrap();
    let formats: Vec<_> = streams
        .iter()
        .map(|stream| (stream.name.as_str(), &stream.format))
        .collect();
    let format = |path: &str| Some(json!({ "name": "json", "record_path": path }));
    assert_eq!(
        formats,
        [
            ("readings", &format("items")),
            ("stations", &format("data.items"))
        ]
    );
    assert_eq!(
        names(&*rest, "stations", "2025-01-01T00:00:00Z").await,
        [""; 0]
    );
    assert_eq!(
        names(&*rest, "readings", "2025-01-01T00:00:00Z").await,
        ["HP/01", "2"]
    );
    let slice = Slice {
        unit: "readings",
        partition: Some("HP/01"),
    };
    let (parts, _) = read(&*rest, slice, None, (&run, &server)).await.unwrap();
    assert_eq!(
        (parts.len(), parts[0].0.as_str()),
        (1, "/v1/stations/HP%2F01/readings")
    );
}

#[tokio::test]
async fn the_query_of_the_address_goes_along() {
    let target = "/v1/stations?lang=en&key=s3cr3t-k3y";
    let server = Server::start(vec![Exchange::new(target, "[]")])
        .await
        .unwrap();
    let url = format!("{}/v1?key=${{env:KEY}}&lang=vi", server.url());
    let settings = json!({ "url": url, "path": "stations?lang=en" });
    let rest = make(&registration(), settings).unwrap();
    let run = io("2025-01-01T00:00:00Z");
    let (parts, _) = read(&*rest, Slice::whole(ONLY), None, (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts[0].0, "/v1/stations?lang=en&key=***");
}

#[tokio::test]
async fn partitions_are_months_or_values() {
    let of = |partitions: Value| {
        let more = json!({ "query": { "m": "{partition}" }, "partitions": partitions });
        make(&registration(), with("https://example.org", more)).unwrap()
    };
    let rest = of(json!({ "months": { "from": "2024-11" } }));
    let months = ["2024-11", "2024-12", "2025-01", "2025-02"];
    assert_eq!(names(&*rest, ONLY, "2025-02-28T23:00:00Z").await, months);
    let rest = of(json!({ "months": { "from": "2024-11", "to": "2024-12", "format": "%m/%Y" } }));
    assert_eq!(
        names(&*rest, ONLY, "2025-02-28T23:00:00Z").await,
        ["11/2024", "12/2024"]
    );
    let rest = of(json!(["pm25", 7]));
    assert_eq!(
        names(&*rest, ONLY, "2025-02-28T23:00:00Z").await,
        ["pm25", "7"]
    );
}

#[tokio::test]
async fn a_body_holds_secrets_pages_and_partitions() {
    let page = |records: usize| json!({ "rows": vec![1; records] }).to_string();
    let server = Server::start(vec![Exchange::new("/v1", page(1))])
        .await
        .unwrap();
    let body = json!({ "token": "${env:KEY}", "filter": { "station": ["{partition}"] } });
    let more = json!({
        "body": body, "parameters": "body", "records": "rows", "partitions": ["a", "b"],
        "paging": { "style": "offset", "size": 2, "parameter": "page.start", "size_parameter": "page.rows" },
    });
    let rest = make(&registration(), with(server.url(), more)).unwrap();
    let run = io("2025-01-01T00:00:00Z");
    let mut keys = Vec::new();
    for partition in ["a", "b"] {
        let slice = Slice {
            unit: ONLY,
            partition: Some(partition),
        };
        let (parts, _) = read(&*rest, slice, None, (&run, &server)).await.unwrap();
        keys.extend(parts.into_iter().map(|(key, ..)| key));
    }
    assert_eq!(keys.len(), 2);
    assert!(
        keys[0] != keys[1] && keys.iter().all(|key| !key.contains(SECRET)),
        "{keys:?}"
    );
}

#[test]
fn parameters_move_into_the_body() {
    let base: sectorlake_connector::UrlSetting =
        serde_json::from_value(json!("https://x.org/a?k=1")).unwrap();
    let context = MakeContext::new(".", "demo", |_| None);
    let base = base.resolve(&["url"], &context).unwrap();
    let page = base.with_query(&[
        ("page.start", "20"),
        ("page.rows", "10"),
        ("since", "2025-01-01"),
    ]);
    let (url, body) = call::moved(&base, page, json!({ "page": { "rows": 5, "sort": "id" } }));
    assert_eq!(url.to_string(), "https://x.org/a?k=1");
    let expected =
        json!({ "page": { "rows": 10, "sort": "id", "start": 20 }, "since": "2025-01-01" });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn later_runs_ask_for_newer_records() {
    let page = |time: &str| json!({ "items": [{ "time": time }] }).to_string();
    let server = Server::start(vec![
        Exchange::new("/v1/stations/2/readings", page("2025-01-02T00:00:00Z")),
        Exchange::new(
            "/v1/stations/2/readings?since=2025-01-01T00%3A00%3A00Z",
            page("2025-01-03T00:00:00Z"),
        ),
    ])
    .await
    .unwrap();
    let incremental =
        json!({ "kind": "time", "parameter": "since", "field": "items[*].time", "lookback": "1d" });
    let settings = readings(json!({ "incremental": incremental }));
    let rest = make(&registration(), with(server.url(), settings)).unwrap();
    let slice = Slice {
        unit: "readings",
        partition: Some("2"),
    };
    let run = io("2025-02-01T00:00:00Z");
    let (_, cursor) = read(&*rest, slice, None, (&run, &server)).await.unwrap();
    let run = io("2025-02-02T00:00:00Z");
    let (parts, _) = read(&*rest, slice, cursor, (&run, &server)).await.unwrap();
    assert_eq!(parts.len(), 1, "{:?}", server.asked());
}

#[test]
fn settings_are_checked() {
    let said: Vec<String> = [
        json!({}),
        json!({ "recods": "a" }),
        json!({ "records": "a..b" }),
        json!({ "paging": { "style": "offset" } }),
        json!({ "incremental": { "kind": "id" } }),
        json!({ "query": { "a": ["b"] } }),
        json!({ "query": { "a": "${env:NONE}" } }),
        json!({ "query": { "a": "{partition}" } }),
        json!({ "partitions": ["a"] }),
        json!({ "query": { "a": "{partition}" }, "partitions": [] }),
        json!({ "query": { "a": "{partition}" }, "partitions": { "months": { "from": "January" } } }),
        json!({ "query": { "a": "{partition}" }, "partitions": {} }),
        json!({ "method": "GET", "body": {} }),
        json!({ "method": "POST" }),
        json!({ "method": "PUT", "body": {} }),
        json!({ "body": "a=b", "parameters": "body" }),
        json!({ "path": "ftp://x.org/a" }),
        json!({ "path": "a\nb" }),
        json!({ "headers": { "Host": "evil.example" } }),
        json!({ "streams": { "a": { "path": "a", "pagin": {} } } }),
        json!({ "streams": { "a": { "path": "a", "paging": { "style": "next" } } } }),
    ]
    .into_iter()
    .map(|more| say(&registration(), with("https://data.example.org", more)))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
fine
recods: unknown setting / did you mean `records`?
records: "a..b" is no path into JSON: a name is empty (write it as in meta.next, rows[0].id, rows[*].date, links[rel=next].href or $['@odata.nextLink']) / -
paging: `size` is missing / say how many records a page has, as in `size: 1000`
incremental: `field` is missing / say where the id stands in an answer, as in `field: results[*].id`
query.a: must be a text or a number / -
query.a: the environment variable NONE is not set / set it where sectorlake runs: export NONE=…
partitions: is missing, and `{partition}` is asked for / say which there are: `partitions: [a, b]`
partitions: are asked for nowhere / write `{partition}` in `url`, `query` or `body`, where the value of each goes
partitions: is an empty list / write at least one value
partitions.months.from: "January" is no month / write it as in 2025-01
partitions: is neither a list nor one of `months` and `over` / write one of them
body: is not sent with `method: GET` / leave `method` out, or write POST
method: posts nothing / write `body:`, which may be `{}`
method: "PUT" is none of its values / one of: GET, POST
parameters: go into a body of keys with values, and there is none / write `body: { … }`
path: ftp:// is not fetched here / write an http:// or https:// address; for files use `connector: file` with `path:`
path: holds a line break, which no address may / write it in one line
headers.Host: is a header that the client sets by itself / leave it out: it is the host of the address
streams.a.pagin: unknown setting / did you mean `paging`?
streams.a.paging: `next` is missing / say where the answer tells how to go on, as in `next: meta.next`
"#);
}

#[test]
fn without_a_word_the_only_list_holds_the_records() {
    let of = |declared: serde_json::Value, records: Option<&str>| format(Some(&declared), records);
    let only = json!({ "name": "json", "record_path": "*" });
    assert_eq!(format(None, None), only);
    assert_eq!(of(json!("json"), None), only);
    let declared = json!({ "name": "json", "record_path": "a" });
    assert_eq!(of(declared.clone(), None), declared);
    assert_eq!(of(json!("xml"), None), json!({ "name": "xml" }));
    assert_eq!(of(json!("csv"), Some("a")), json!({ "name": "csv" }));
}
