//! Answers built after the standard as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};

use super::*;
use crate::testing::{io, make as made, read, recording, say};

const SINCE: &str = "phenomenonTime+ge+2025-01-01T00%3A00%3A00Z";
const OF: &str = "%24expand=Datastream%28%24expand%3DThing%28%24select%3Did%2Cname%29%2CObservedProperty%28%24select%3Dname%2Cdefinition%29%29&%24orderby=phenomenonTime+asc";

fn exchanges() -> Vec<Exchange> {
    let answer = |target: &str, file: &str| {
        Exchange::new(target, recording(&format!("sensorthings/{file}.json")))
    };
    vec![
        answer("/v1.1/Things?%24expand=Locations&%24top=2", "things_1"),
        answer("/v1.1/Things?$top=2&$skip=1&$expand=Locations", "things_2"),
        answer(
            "/v1.1/Datastreams?%24filter=name+ne+%27x%27&%24top=2",
            "datastreams",
        ),
        answer(
            &format!("/v1.1/Datastreams(11)/Observations?{OF}&%24filter={SINCE}&%24top=2"),
            "observations_11_1",
        ),
        answer(
            "/v1.1/Datastreams(11)/Observations?$skip=2",
            "observations_11_2",
        ),
        answer(
            &format!("/v1.1/Datastreams('s''2')/Observations?{OF}&%24filter={SINCE}&%24top=2"),
            "observations_s2",
        ),
    ]
}

fn settings(server: &str) -> Value {
    json!({"url": format!("{server}/v1.1"), "since": "2025-01-01", "page_size": 2, "datastreams": "name ne 'x'"})
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| made(&registration(), settings(server)),
        recording: exchanges(),
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
async fn each_datastream_goes_on_from_its_own_last_observation() {
    let server = Server::start(exchanges()).await.unwrap();
    let service = made(&registration(), settings(server.url())).unwrap();
    let first = io("2025-02-01T00:00:00Z");
    let names = service.partitions(OBSERVATIONS, &first).await.unwrap();
    assert_eq!(names, ["11", "'s''2'"]);
    let slice = Slice {
        unit: OBSERVATIONS,
        partition: Some("11"),
    };
    let (parts, cursor) = read(&*service, slice, None, (&first, server.url()))
        .await
        .unwrap();
    assert_eq!(parts.len(), 2);
    let later = io("2025-02-02T00:00:00Z");
    let error = read(&*service, slice, cursor, (&later, server.url()))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    let asked = server.asked();
    // The end of the last interval, not its start.
    assert!(
        asked
            .last()
            .unwrap()
            .contains("ge+2025-01-01T03%3A00%3A00Z"),
        "{asked:?}"
    );
}

#[test]
fn settings_and_claims() {
    let said = [
        say(&registration(), json!({})),
        say(
            &registration(),
            json!({"url": "https://x.example/v1.1", "since": "soon"}),
        ),
        say(
            &registration(),
            json!({"url": "https://x.example/v1.1", "lookback": "2"}),
        ),
    ];
    insta::assert_snapshot!(said.join("\n"));
    let claim = |location: &str| {
        claims(&Sight {
            location,
            members: &[],
            head: b"",
        })
    };
    let claimed = claim("https://x.example/FROST/v1.1/Datastreams(3)/Observations?$top=1").unwrap();
    assert_eq!(
        claimed.settings["url"],
        json!("https://x.example/FROST/v1.1")
    );
    assert!(claim("https://x.example/v1.1/users").is_none());
    let root = br#"{"value":[{"name":"Things","url":"https://x.example/v1.1/Things"},
        {"name":"Datastreams","url":"https://x.example/v1.1/Datastreams"},
        {"name":"Observations","url":"https://x.example/v1.1/Observations"}]}"#;
    let of_head = |head| {
        claims(&Sight {
            location: "https://x.example/v1.1/",
            members: &[],
            head,
        })
    };
    assert!(of_head(root).is_some());
    assert!(of_head(br#"{"value":[{"name":"Things"}]}"#).is_none());
}
