//! Files built after the Center's record layouts as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{
    Abilities, Exchange, Subject, check, io, make as made, recording, say,
};
use serde_json::Value;

use super::*;

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            let url = format!("{server}/ccd_sch_029_2223_w_1a_083023.csv");
            made(&registration(), json!({"layout": "ccd", "url": url}))
        },
        recording: vec![
            Exchange::new(
                "/ccd_sch_029_2223_w_1a_083023.csv",
                recording("nces/ccd_sch_029_2223.csv"),
            )
            .with_etag("\"1\""),
        ],
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn of_a_zip_the_table_is_read() {
    let source = made(
        &registration(),
        json!({"layout": "edge", "path": "EDGE_GEOCODE_PUBLICSCH_2223.zip"}),
    )
    .unwrap();
    let streams = source.streams(&io("2025-01-01T00:00:00Z")).await.unwrap();
    let member = streams[0].member.clone().unwrap();
    assert!(member.matches("EDGE_GEOCODE_PUBLICSCH_2223/EDGE_GEOCODE_PUBLICSCH_2223.xlsx"));
    assert!(!member.matches("EDGE_GEOCODE_PUBLICSCH_2223/EDGE_GEOCODE_PUBLICSCH_2223.shp"));
}

#[test]
fn settings_and_claims() {
    let said = [
        json!({"path": "a.csv"}),
        json!({"layout": "ccd"}),
        json!({"layout": "ipeds", "path": "a.csv"}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    let claim = |location: &str, head: &[u8]| {
        let claim = claims(&Sight {
            location,
            members: &[],
            head,
        });
        claim.map(|claim| Value::from(claim.settings))
    };
    let url = "https://nces.ed.gov/programs/edge/data/EDGE_GEOCODE_PUBLICSCH_2223.zip";
    assert_eq!(
        claim(url, b"").unwrap(),
        json!({"layout": "edge", "url": url})
    );
    let head = recording("nces/ccd_sch_029_2223.csv");
    assert_eq!(
        claim("a.csv", &head).unwrap(),
        json!({"layout": "ccd", "path": "a.csv"})
    );
    assert!(claim("a.csv", b"id,name\n1,2\n").is_none());
}
