//! Answers built after the API's reference, as its recording.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{Abilities, Exchange, Subject, check};

use super::*;
use crate::testing::{make as made, project, recording};

#[tokio::test]
async fn passes_the_kit() {
    let page = |query: &str, file: &str| {
        let target = format!("/hydrometrie/observations_tr?{query}");
        Exchange::new(&target, recording(&format!("hub_eau/{file}.json")))
    };
    let subject = Subject {
        make: &|server| {
            let url = format!("{server}/hydrometrie");
            let settings = json!({"url": url, "stations": ["F700000103", "F664000104"]});
            made(&registration(), settings)
        },
        recording: vec![
            page("code_entite=F700000103", "seine_1"),
            page("code_entite=F700000103&cursor=AW10", "seine_2"),
            page("code_entite=F664000104", "marne"),
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

#[test]
fn an_address_of_the_api_is_claimed() {
    let url =
        "https://hubeau.eaufrance.fr/api/v2/hydrometrie/observations_tr?code_entite=F700000103";
    let claim = claims(&Sight {
        location: url,
        members: &[],
        head: b"",
    });
    let claim = claim.unwrap();
    assert_eq!(claim.settings["stations"], json!(["F700000103"]));
}

/// The page for contributors shows this connector, whole.
#[test]
fn the_page_for_contributors_shows_it_as_it_is() {
    let read = |path: &str| std::fs::read_to_string(project().join(path)).unwrap();
    let shown = read("CONTRIBUTING.md");
    let folder = "crates/connector-environment/src";
    for file in [
        "hub_eau.rs",
        "hub_eau/observations.sql",
        "hub_eau/example.yaml",
    ] {
        let source = read(&format!("{folder}/{file}"));
        assert!(source.lines().count() < 100, "{file} has grown");
        assert!(
            shown.contains(&source),
            "CONTRIBUTING.md shows another {file}"
        );
    }
    let tests = read(&format!("{folder}/hub_eau/tests.rs"));
    let of_kit = tests
        .split("#[tokio::test]")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next());
    assert!(shown.contains(of_kit.unwrap()));
}
