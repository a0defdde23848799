#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};
use serde_json::Value;

use super::*;
use crate::testing::{SECRET, io, make, read, recording, say};

const DATASET: &str = "65db-xm6k";

/// Real readings of a city's bicycle counter, pages cut to two rows and one.
fn page(rows: std::ops::Range<usize>) -> String {
    let all: Vec<Value> = serde_json::from_slice(&recording("socrata/bike_counts.json")).unwrap();
    Value::Array(all[rows].to_vec()).to_string()
}

fn settings(server: &str, more: Value) -> Value {
    let mut settings = json!({ "url": server, "dataset": DATASET, "page_size": 2 });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

fn target(ending: &str, query: &str, offset: u32) -> String {
    format!("/resource/{DATASET}.{ending}?%24order=%3Aid{query}&%24limit=2&%24offset={offset}")
}

const VIEW: &str = r#"{"id": "65db-xm6k", "columns": [{"fieldName": "id", "dataTypeName": "text"},
    {"fieldName": "date", "dataTypeName": "calendar_date"}, {"fieldName": "counts"}, {"fieldName": "status"}]}"#;

#[tokio::test]
async fn csv_passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            let auth = json!({ "header": { "name": "X-App-Token", "value": "${env:KEY}" } });
            let settings = settings(server, json!({ "where": "counts > 0", "auth": auth }));
            super::super::testing::make(&registration(), settings)
        },
        recording: vec![
            Exchange::new(
                &target("csv", "&%24where=counts+%3E+0", 0),
                "\"id\",\"counts\"\n\"1\",\"100\"\n\"2\",\"77\"\n",
            ),
            Exchange::new(
                &target("csv", "&%24where=counts+%3E+0", 2),
                "\"id\",\"counts\"\n\"3\",\"61\"\n",
            ),
        ],
        abilities: Abilities::default(),
        secrets: &[SECRET],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn json_passes_the_kit_and_knows_its_columns() {
    let view = Exchange::new(&format!("/api/views/{DATASET}.json"), VIEW);
    let pages = [(0, 0..2), (2, 2..3)];
    let pages = pages.map(|(offset, rows)| Exchange::new(&target("json", "", offset), page(rows)));
    let recording: Vec<Exchange> = std::iter::once(view).chain(pages).collect();
    let make = |server: &str| {
        make(
            &registration(),
            settings(server, json!({ "format": "json" })),
        )
    };
    let subject = Subject {
        make: &make,
        recording: recording.clone(),
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);

    let server = Server::start(recording).await.unwrap();
    let streams = make(server.url())
        .unwrap()
        .streams(&io("2025-01-01T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(streams[0].columns, ["id", "date", "counts", "status"]);
}

#[tokio::test]
async fn later_runs_ask_for_rows_written_since() {
    let rows =
        |updated: &str| format!(r#"[{{":id": "row-1", ":updated_at": "{updated}", "id": "1"}}]"#);
    let select = "&%24select=%3A*%2C+*";
    let first = format!(
        "/resource/{DATASET}.json?%24order=%3Aid{select}&%24where=counts+%3E+0&%24limit=2&%24offset=0"
    );
    let since =
        "%24where=%28counts+%3E+0%29+AND+%3Aupdated_at+%3E%3D+%272025-01-01T07%3A00%3A00Z%27";
    let later =
        format!("/resource/{DATASET}.json?%24order=%3Aid{select}&{since}&%24limit=2&%24offset=0");
    let server = Server::start(vec![
        Exchange::new(&first, rows("2025-01-02T07:00:00.123Z")),
        Exchange::new(&later, rows("2025-01-03T07:00:00.000Z")),
    ])
    .await
    .unwrap();
    let more = json!({ "where": "counts > 0", "incremental": { "lookback": "1d" } });
    let socrata = make(&registration(), settings(server.url(), more)).unwrap();
    let slice = Slice::whole("rows");
    let run = io("2025-01-10T00:00:00Z");
    let (parts, cursor) = read(&*socrata, slice, None, (&run, &server)).await.unwrap();
    assert_eq!(parts.len(), 1);
    let run = io("2025-01-11T00:00:00Z");
    let (parts, _) = read(&*socrata, slice, cursor, (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 1, "{:?}", server.asked());
    assert!(parts[0].2.contains("2025-01-03"));
}

#[test]
fn addresses_of_datasets_are_claimed() {
    let claim = |location: &str| {
        let sight = Sight {
            location,
            members: &[],
            head: &[],
        };
        claims(&sight).map(|claim| Value::Object(claim.settings).to_string())
    };
    let said: Vec<String> = [
        "https://data.seattle.gov/d/65db-xm6k",
        "https://data.seattle.gov/Transportation/Fremont-Bridge/65db-xm6k",
        "https://data.seattle.gov/Transportation/Fremont-Bridge/65db-xm6k/about_data",
        "https://data.seattle.gov/resource/65db-xm6k.json?$limit=5",
        "https://data.seattle.gov/api/views/65db-xm6k/rows.csv",
        "https://example.org/a/b/some-file",
        "https://example.org/a/b/2025-2026",
        "https://example.org/a/b/file.csv",
    ]
    .iter()
    .map(|location| claim(location).unwrap_or_else(|| "not claimed".to_owned()))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
{"dataset":"65db-xm6k","url":"https://data.seattle.gov"}
{"dataset":"65db-xm6k","url":"https://data.seattle.gov"}
{"dataset":"65db-xm6k","url":"https://data.seattle.gov"}
{"dataset":"65db-xm6k","url":"https://data.seattle.gov"}
{"dataset":"65db-xm6k","url":"https://data.seattle.gov"}
not claimed
not claimed
not claimed
"#);
}

#[test]
fn settings_are_checked() {
    let said: Vec<String> = [
        json!({ "dataset": "65db_xm6k" }),
        json!({ "format": "csv", "incremental": {} }),
        json!({ "format": "xml" }),
        json!({ "incremental": { "lookback": "soon" } }),
        json!({ "page_size": 100_000 }),
        json!({ "incremental": {} }),
    ]
    .into_iter()
    .map(|more| say(&registration(), settings("https://data.example.gov", more)))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
dataset: "65db_xm6k" is no id of a dataset / it stands at the end of the dataset's address, as in `abcd-1234`
format: has no marks to go on from as `csv` / leave it out: `incremental` reads json
format: "xml" is none of its values / one of: csv, json
incremental.lookback: "soon" is no window / write it as in 30m, 6h, 2d or 1w
page_size: must be at most 50000, not 100000 / -
fine
"#);
}
