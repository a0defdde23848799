//! Answers built after the API as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{
    Abilities, Exchange, SECRET, Server, Subject, check, io, make as made, recording, say,
};
use serde_json::Value;

use super::*;

fn exchange(page: u8, file: &str) -> Exchange {
    let target = format!("/api/v1/schools_location/country/VNM?size=2&page={page}");
    Exchange::new(&target, recording(&format!("giga/{file}.json")))
}

fn settings(server: &str) -> Value {
    json!({"url": format!("{server}/api/v1"), "countries": ["vnm"], "page_size": 2, "auth": {"bearer": "${env:KEY}"}})
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| made(&registration(), settings(server)),
        recording: vec![exchange(1, "VNM_1"), exchange(2, "VNM_2")],
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[SECRET],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn behind_a_full_last_page_is_404() {
    let server = Server::start(vec![exchange(1, "VNM_1")]).await.unwrap();
    let giga = made(&registration(), settings(server.url())).unwrap();
    let slice = Slice {
        unit: SCHOOLS,
        partition: Some("VNM"),
    };
    let io = io("2025-01-01T00:00:00Z");
    let first = giga.fetch(slice, None, &io).await.unwrap().unwrap();
    assert!(
        giga.fetch(slice, first.next.as_ref(), &io)
            .await
            .unwrap()
            .is_none()
    );
    let other = Slice {
        unit: SCHOOLS,
        partition: Some("LAO"),
    };
    assert_eq!(
        giga.fetch(other, None, &io).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
}

#[test]
fn settings_and_claims() {
    let said = [
        json!({"countries": []}),
        json!({"countries": ["VN"]}),
        json!({"countries": ["XXX"]}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    let location = "https://uni-ooi-giga-maps-service.azurewebsites.net/api/v1/schools_location/country/VNM?page=1";
    let claim = claims(&Sight {
        location,
        members: &[],
        head: b"",
    })
    .unwrap();
    assert_eq!(claim.settings["countries"], json!(["VNM"]));
}
