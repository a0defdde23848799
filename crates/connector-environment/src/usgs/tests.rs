//! Captured answers of both services as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};
use serde_json::Value;

use super::*;
use crate::testing::{io, make as made, project, read, recording, say};

const FROM: &str = "datetime=2025-01-01T00%3A00%3A00Z%2F..";

/// The first page of a captured answer with a link to the next.
fn ogc() -> Vec<Exchange> {
    let items = "/v0/collections/continuous/items";
    let mut first: Value = serde_json::from_slice(&recording("usgs/continuous.json")).unwrap();
    let last = recording("usgs/daily.json");
    first["links"] = json!([{"rel": "next", "href": format!("{items}?cursor=2")}]);
    vec![
        Exchange::new(
            "/v0/collections/monitoring-locations/items/USGS-06904500?f=json",
            recording("usgs/location.json"),
        ),
        Exchange::new(
            &format!(
                "{items}?f=json&monitoring_location_id=USGS-06904500&parameter_code=00065&{FROM}&limit=10000"
            ),
            first.to_string(),
        ),
        Exchange::new(&format!("{items}?cursor=2"), last),
    ]
}

#[tokio::test]
async fn the_ogc_api_passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            let settings = json!({
                "url": format!("{server}/v0"), "sites": ["06904500"], "parameters": ["00065"], "since": "2025-01-01",
            });
            made(&registration(), settings)
        },
        recording: ogc(),
        abilities: Abilities {
            looks_inside: true,
            incremental: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

fn nwis() -> Vec<Exchange> {
    let sites = std::fs::read(project().join("tests/data/environment/usgs_site.rdb.txt")).unwrap();
    vec![
        Exchange::new(
            "/nwis/site/?format=rdb&siteStatus=all&sites=01491000",
            sites,
        ),
        Exchange::new(
            "/nwis/iv/?format=json&sites=01491000&startDT=2019-02-14T00%3A00Z",
            recording("usgs/iv.json"),
        ),
    ]
}

fn settings(server: &str) -> Value {
    json!({"url": format!("{server}/nwis"), "api": "nwis", "sites": ["01491000"], "since": "2019-02-14"})
}

#[tokio::test]
async fn water_services_pass_the_kit() {
    let subject = Subject {
        make: &|server| made(&registration(), settings(server)),
        recording: nwis(),
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
async fn a_later_run_asks_from_the_newest_value_on() {
    let server = Server::start(nwis()).await.unwrap();
    let usgs = made(&registration(), settings(server.url())).unwrap();
    let first = io("2020-01-01T00:00:00Z");
    let slice = Slice {
        unit: OBSERVATIONS,
        partition: Some("01491000"),
    };
    let (parts, cursor) = read(&*usgs, slice, None, (&first, server.url()))
        .await
        .unwrap();
    assert_eq!(parts.len(), 1);
    let later = io("2020-01-02T00:00:00Z");
    read(&*usgs, slice, cursor, (&later, server.url()))
        .await
        .unwrap_err();
    insta::assert_snapshot!(server.asked().last().unwrap());
}

#[tokio::test]
async fn partitions_are_questions() {
    let names = async |settings: Value, unit: &str| {
        let usgs = made(&registration(), settings).unwrap();
        usgs.partitions(unit, &io("2025-01-01T00:00:00Z"))
            .await
            .unwrap()
    };
    let both = json!({"sites": ["1", "2"], "parameters": ["00060", "00065"]});
    assert_eq!(names(both.clone(), STATIONS).await, ["1", "2"]);
    assert_eq!(
        names(both, OBSERVATIONS).await,
        ["1/00060", "1/00065", "2/00060", "2/00065"]
    );
    let older = json!({"sites": ["1", "2"], "parameters": ["00060", "00065"], "api": "nwis"});
    assert_eq!(names(older.clone(), STATIONS).await, [""; 0]);
    assert_eq!(names(older, OBSERVATIONS).await, ["1", "2"]);
}

#[test]
fn settings_and_claims() {
    let said = [
        json!({}),
        json!({"sites": ["01491000"], "parameters": ["60"]}),
        json!({"sites": ["01491000"], "lookback": "month"}),
        json!({"path": {"observations": "a.json"}, "since": "2025-01-01"}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    let location = "https://waterservices.usgs.gov/nwis/dv/?format=rdb&sites=01491000,01645000";
    let claim = claims(&Sight {
        location,
        members: &[],
        head: b"",
    })
    .unwrap();
    let expected = json!({"sites": ["01491000", "01645000"], "values": "daily", "api": "nwis"});
    assert_eq!(Value::from(claim.settings), expected);
}
