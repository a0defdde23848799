#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};

use super::*;
use crate::testing::{SECRET, io, make, read, recording, say};

const DATASET: &str = "/api/explore/v2.1/catalog/datasets/qualite-de-l-air";

fn settings(server: &str, more: Value) -> Value {
    let mut settings = json!({ "url": server, "dataset": "qualite-de-l-air" });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    settings
}

fn newest(mark: &str) -> Exchange {
    let target =
        format!("{DATASET}/records?select=max%28%60date_heure%60%29+as+mark&limit=1&timezone=UTC");
    Exchange::new(&target, format!(r#"{{"results": [{{"mark": {mark}}}]}}"#))
}

fn export(condition: &str, body: &str) -> Exchange {
    let condition: String = url::form_urlencoded::byte_serialize(condition.as_bytes()).collect();
    let target =
        format!("{DATASET}/exports/csv?limit=-1&timezone=UTC&delimiter=%2C&where={condition}");
    Exchange::new(&target, body.to_owned())
}

#[tokio::test]
async fn a_whole_dataset_passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            let auth = json!({ "header": { "name": "Authorization", "value": "Apikey ${env:KEY}" } });
            let more = json!({ "select": "code_station, valeur", "order_by": "code_station", "auth": auth });
            make(&registration(), settings(server, more))
        },
        recording: vec![
            Exchange::new(
                &format!("{DATASET}/exports/csv?limit=-1&timezone=UTC&delimiter=%2C&select=code_station%2C+valeur&order_by=code_station"),
                recording("opendatasoft/export.csv"),
            )
            .with_etag("W/\"7\""),
        ],
        abilities: Abilities { conditional: true, ..Abilities::default() },
        secrets: &[SECRET],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn newer_records_pass_the_kit() {
    let subject = Subject {
        make: &|server| {
            make(
                &registration(),
                settings(server, json!({ "incremental": { "field": "date_heure" } })),
            )
        },
        recording: vec![
            // The kit's runs begin with the year 1970.
            newest("\"1969-01-02T07:00:00+00:00\""),
            export("`date_heure` <= date'1969-01-02T07:00:01Z'", "a,b\n1,2\n"),
        ],
        abilities: Abilities {
            looks_inside: true,
            incremental: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn later_runs_ask_for_newer_records() {
    let first = export(
        "(a > 1) AND `date_heure` <= date'2025-01-02T07:00:01Z'",
        "a\n1\n",
    );
    let with_where = |mark: &str| {
        let mut exchange = newest(mark);
        exchange.target.push_str("&where=a+%3E+1");
        exchange
    };
    let server = Server::start(vec![with_where("\"2025-01-02T07:00:00+00:00\""), first])
        .await
        .unwrap();
    let more = json!({ "where": "a > 1", "incremental": { "field": "date_heure" } });
    let portal = make(&registration(), settings(server.url(), more)).unwrap();
    let slice = Slice::whole("records");
    let run = io("2025-01-03T00:00:00Z");
    let (parts, cursor) = read(&*portal, slice, None, (&run, &server)).await.unwrap();
    assert_eq!(parts.len(), 1, "{:?}", server.asked());

    // Nothing is new: one small request, no part.
    let run = io("2025-01-04T00:00:00Z");
    let (parts, cursor) = read(&*portal, slice, cursor, (&run, &server))
        .await
        .unwrap();
    assert_eq!((parts.len(), server.asked().len()), (0, 3));

    let condition = "(a > 1) AND `date_heure` >= date'2025-01-02T07:00:00Z' AND `date_heure` <= date'2025-01-05T07:00:01Z'";
    server.play(vec![
        with_where("\"2025-01-05T07:00:00+00:00\""),
        export(condition, "a\n2\n"),
    ]);
    let run = io("2025-01-06T00:00:00Z");
    let (parts, _) = read(&*portal, slice, cursor.clone(), (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 1, "{:?}", server.asked());

    server.play(vec![with_where("{\"a\": 1}")]);
    let error = read(&*portal, slice, cursor, (&run, &server))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is no time or id"), "{error}");
}

#[tokio::test]
async fn a_record_of_the_future_does_not_move_the_mark() {
    let mut present = newest("\"2025-01-02T07:00:00+00:00\"");
    present
        .target
        .push_str("&where=%60date_heure%60+%3C%3D+date%272025-01-03T00%3A00%3A00Z%27");
    let records = export("`date_heure` <= date'2025-01-02T07:00:01Z'", "a\n1\n");
    let server = Server::start(vec![
        newest("\"2099-01-01T00:00:00+00:00\""),
        present,
        records,
    ])
    .await
    .unwrap();
    let more = json!({ "incremental": { "field": "date_heure" } });
    let portal = make(&registration(), settings(server.url(), more)).unwrap();
    let run = io("2025-01-03T00:00:00Z");
    let (parts, _) = read(&*portal, Slice::whole("records"), None, (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 1, "{:?}", server.asked());
    assert_eq!(
        run.take_notes(),
        [
            "a record has a time in the future at `date_heure`, 2099-01-01T00:00:00Z: it does not count for where the next run goes on"
        ]
    );
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
    for (location, is_claimed) in [
        (
            "https://opendata.paris.fr/explore/dataset/qualite-de-l-air/information/",
            true,
        ),
        (
            "https://opendata.paris.fr/api/explore/v2.1/catalog/datasets/qualite-de-l-air/records?limit=20",
            true,
        ),
        (
            "https://opendata.paris.fr/api/explore/v2.0/catalog/datasets/qualite-de-l-air/exports/csv",
            true,
        ),
        ("https://opendata.paris.fr/explore/", false),
        ("https://example.org/dataset/a.csv", false),
    ] {
        let expected = is_claimed.then(|| {
            r#"{"url":"https://opendata.paris.fr","dataset":"qualite-de-l-air"}"#.to_owned()
        });
        let found = claim(location).map(|text| sorted(&text));
        assert_eq!(found, expected.map(|text| sorted(&text)), "{location}");
    }
}

fn sorted(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn settings_are_checked() {
    let said: Vec<String> = [
        json!({ "format": "xlsx" }),
        json!({ "incremental": {} }),
        json!({ "incremental": { "field": "a`b" } }),
        json!({ "incremental": { "field": "a", "kind": "id", "lookback": "2d" } }),
        json!({ "dataset": "a", "page_size": 7 }),
    ]
    .into_iter()
    .map(|more| say(&registration(), settings("https://data.example.org", more)))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
format: "xlsx" is none of its values / one of: csv, json, parquet, geojson
incremental: `field` is missing / field: The field: a date or time, or an id.
incremental.field: is no name of a field / -
incremental.lookback: "2d" is no window / write a number: how many ids back
page_size: unknown setting / did you mean `max_size`?
"#);
}
