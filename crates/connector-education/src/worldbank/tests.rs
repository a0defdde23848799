//! Answers built after the API's documentation as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{
    Abilities, Exchange, Server, Subject, check, io, make as made, recording, say,
};

use super::*;

fn exchanges() -> Vec<Exchange> {
    let answer = |target: &str, file: &str| {
        Exchange::new(
            &format!("/v2/country/{target}"),
            recording(&format!("worldbank/{file}.json")),
        )
    };
    let query = "format=json&date=2000%3A2100&per_page=2&page=";
    vec![
        answer(
            &format!("VNM;EAS/indicator/DP.DOD.DECD.CR.GG.Z1?{query}1"),
            "debt",
        ),
        answer(
            &format!("VNM;EAS/indicator/SE.PRM.ENRR?{query}1"),
            "enrolment_1",
        ),
        answer(
            &format!("VNM;EAS/indicator/SE.PRM.ENRR?{query}2"),
            "enrolment_2",
        ),
        answer(&format!("VNM;EAS/indicator/NO.SUCH?{query}1"), "invalid"),
    ]
}

fn settings(server: &str, codes: &[&str]) -> Value {
    let codes = codes
        .iter()
        .map(|code| ((*code).to_owned(), json!({"unit": "%"})));
    let codes: Map<String, Value> = codes.collect();
    json!({"url": format!("{server}/v2"), "indicators": codes, "countries": ["VNM", "EAS"], "start": 2000, "page_size": 2})
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            made(
                &registration(),
                settings(server, &["SE.PRM.ENRR", "DP.DOD.DECD.CR.GG.Z1"]),
            )
        },
        recording: exchanges(),
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn a_message_under_200_is_told() {
    let server = Server::start(exchanges()).await.unwrap();
    let bank = made(&registration(), settings(server.url(), &["NO.SUCH"])).unwrap();
    let slice = Slice {
        unit: INDICATORS,
        partition: Some("NO.SUCH"),
    };
    let error = bank
        .fetch(slice, None, &io("2025-01-01T00:00:00Z"))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the World Bank says of NO.SUCH: The provided parameter value is not valid"),
        "{error}"
    );
}

#[test]
fn settings_and_claims() {
    let said = [
        json!({"indicators": {}}),
        json!({"indicators": {"SE.PRM.ENRR": {}}}),
        json!({"indicators": {"SE.PRM.ENRR": {"unit": "%"}}, "start": 2020, "end": 2010}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    let claim = |location: &str| {
        let claim = claims(&Sight {
            location,
            members: &[],
            head: b"",
        });
        claim.map(|claim| Value::from(claim.settings))
    };
    assert_eq!(
        claim("https://api.worldbank.org/v2/country/VNM;THA/indicator/SE.PRM.ENRR?format=json")
            .unwrap(),
        json!({"indicators": {"SE.PRM.ENRR": {}}, "countries": ["VNM", "THA"]})
    );
    assert!(claim("https://data.worldbank.org/indicator/SE.PRM.ENRR").is_some());
    assert!(claim("https://example.org/indicator/SE.PRM.ENRR").is_none());
}
