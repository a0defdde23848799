//! Reports built after the published layouts as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};

use super::*;
use crate::testing::{io, make as made, recording, say};

fn exchange(layout: &str) -> Exchange {
    let target = format!("/api/data/metar?ids=VVCI%2CVVNB&format={layout}&hours=24");
    Exchange::new(&target, recording(&format!("metar/metar.{layout}"))).with_etag("\"1\"")
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            let url = format!("{server}/api/data/metar");
            made(
                &registration(),
                json!({"url": url, "stations": ["vvci", "VVNB"]}),
            )
        },
        recording: vec![exchange("json")],
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn raw_reports_tell_when_they_were_asked_for() {
    let server = Server::start(vec![exchange("raw")]).await.unwrap();
    let url = format!("{}/api/data/metar", server.url());
    let settings = json!({"url": url, "stations": ["VVCI", "VVNB"], "layout": "raw"});
    let metar = made(&registration(), settings).unwrap();
    let fetched = metar
        .fetch(Slice::whole(REPORTS), None, &io("2025-12-01T00:10:00Z"))
        .await;
    let part = fetched.unwrap().unwrap().part.unwrap();
    assert!(
        part.key.ends_with("&hours=24#asked=2025-12-01"),
        "{}",
        part.key
    );
}

#[test]
fn settings_and_claims() {
    let said = [
        json!({}),
        json!({"path": "a.json", "hours": 3}),
        json!({"path": "a.txt", "layout": "raw"}),
        json!({"path": "a.txt", "layout": "raw", "month": "November"}),
        json!({"stations": ["VVCI"], "month": "2025-11"}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(last_day("2024-02").unwrap().to_string(), "2024-02-29");
    let location = "https://aviationweather.gov/api/data/metar?ids=VVCI,VVNB&format=raw";
    let claim = claims(&Sight {
        location,
        members: &[],
        head: b"",
    })
    .unwrap();
    assert_eq!(claim.settings["stations"], json!(["VVCI", "VVNB"]));
}
