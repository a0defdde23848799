//! The register's real layout, as the Department anonymised it, as a recording.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{
    Abilities, Exchange, Subject, check, io, make as made, project, say,
};
use serde_json::Value;

use super::*;

const FOLDER: &str = "tests/data/education";

fn exchange(target: &str, file: &str) -> Exchange {
    let body = std::fs::read(project().join(FOLDER).join(file)).unwrap();
    Exchange::new(target, body).with_etag("\"1\"")
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| made(&registration(), json!({"url": format!("{server}/public")})),
        // The kit's runs begin on this day.
        recording: vec![
            exchange(
                "/public/edubasealldata19700101.csv",
                "uk_gias_establishments_anonymised.csv",
            ),
            exchange(
                "/public/links_edubasealldata19700101.csv",
                "uk_gias_links.csv",
            ),
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
async fn saved_files_may_be_some_of_them() {
    let path = json!({"links": format!("{FOLDER}/uk_gias_links.csv")});
    let gias = made(&registration(), json!({"path": path})).unwrap();
    let io = io("2025-01-01T00:00:00Z");
    let names: Vec<String> = gias
        .streams(&io)
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(names, [LINKS]);
    assert!(
        gias.fetch(Slice::whole(LINKS), None, &io)
            .await
            .unwrap()
            .is_some()
    );
}

#[test]
fn settings_and_claims() {
    let said = [
        json!({"date": "November"}),
        json!({"path": {}}),
        json!({"path": {"establishments": "a.csv"}, "date": "2025-01-01"}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    let head = std::fs::read(
        project()
            .join(FOLDER)
            .join("uk_gias_establishments_anonymised.csv"),
    )
    .unwrap();
    let claim = claims(&Sight {
        location: "data/schools.csv",
        members: &[],
        head: &head,
    })
    .unwrap();
    assert_eq!(
        Value::from(claim.settings),
        json!({"path": {"establishments": "data/schools.csv"}})
    );
    let location = "https://ea-edubase-api-prod.azurewebsites.net/edubase/downloads/public/edubasealldata20251101.csv";
    assert!(
        claims(&Sight {
            location,
            members: &[],
            head: b""
        })
        .is_some()
    );
}
