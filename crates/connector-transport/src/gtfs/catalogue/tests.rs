//! A list built after the Mobility Database's, and answers built after its API's reference.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use sectorlake_connector::kit::{self, Abilities, Exchange, Server, Subject, TestPace, check};
use sectorlake_connector::{Connector, Http, Slice};
use serde_json::json;

use super::*;
use crate::gtfs::registration;

fn tests(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests")
            .join(name),
    )
    .unwrap()
}

fn exchanges() -> Vec<Exchange> {
    let feed = tests("data/transport/gtfs_frioul_ferry.zip");
    vec![
        Exchange::new("/feeds_v2.csv", tests("recordings/gtfs/feeds_v2.csv")),
        Exchange::new("/publisher/frioul.zip", feed.clone()).with_etag("\"v1\""),
        Exchange::new("/hosted/mdb-1/latest.zip", feed).with_etag("\"v1\""),
    ]
}

fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(".", "demo", |name| {
        (name == "TOKEN").then(|| "s3cr3t-r3fr3sh".to_owned())
    });
    registration().make(settings.as_object().unwrap().clone(), &context)
}

fn listed(server: &str, feed: &str) -> serde_json::Value {
    let url = format!("{server}/feeds_v2.csv");
    json!({"catalogue": "mobility_database", "feed": feed, "catalogue_url": url})
}

/// The key of the part, or why there is none.
async fn key(settings: serde_json::Value, server: &str) -> String {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    let io = Io::new(http, chrono::DateTime::UNIX_EPOCH);
    let fetched = make_at(settings)
        .unwrap()
        .fetch(Slice::whole("feed"), None, &io)
        .await;
    let said = match fetched {
        Ok(fetched) => fetched.unwrap().part.unwrap().key,
        Err(error) => error.to_string(),
    };
    said.replace(server, "")
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| make_at(listed(server, "mdb-1")),
        recording: exchanges(),
        abilities: Abilities {
            conditional: true,
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn a_feed_is_found_by_its_number() {
    let server = Server::start(exchanges()).await.unwrap();
    let url = server.url();
    let mut said = Vec::new();
    for feed in [
        "mdb-1", "mdb-2", "mdb-3", "mdb-4", "mdb-6", "mdb-7", "mdb-8",
    ] {
        said.push(format!("{feed}: {}", key(listed(url, feed), url).await));
    }
    let mut hosted = listed(url, "mdb-1");
    hosted["copy"] = json!("hosted");
    said.push(format!("hosted: {}", key(hosted, url).await));
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn with_a_token_the_api_is_asked() {
    let answer = json!({"id": "mdb-1", "data_type": "gtfs", "status": "active", "provider": "Frioul",
        "source_info": {"producer_url": "/publisher/frioul.zip", "authentication_type": 0},
        "latest_dataset": {"id": "mdb-1-202501", "hosted_url": "/hosted/mdb-1/latest.zip"}, "redirects": []});
    let mut all = exchanges();
    all.push(Exchange::new(
        "/v1/tokens",
        r#"{"access_token": "s3cr3t-acc3ss", "token_type": "Bearer"}"#,
    ));
    all.push(Exchange::new("/v1/gtfs_feeds/mdb-1", answer.to_string()));
    let server = Server::start(all).await.unwrap();
    let settings = json!({"catalogue": "mobility_database", "feed": "mdb-1", "token": "${env:TOKEN}",
        "catalogue_url": format!("{}/v1", server.url())});
    assert_eq!(
        key(settings.clone(), server.url()).await,
        "/publisher/frioul.zip"
    );
    let refused = Server::start(vec![Exchange::new(
        "/v1/tokens",
        "{\"detail\": \"s3cr3t\"}",
    )])
    .await
    .unwrap();
    let mut settings = settings;
    settings["catalogue_url"] = json!(format!("{}/v1", refused.url()));
    assert_eq!(
        key(settings, refused.url()).await,
        "/v1/tokens: the answer holds no access token"
    );
}

#[test]
fn settings_say_what_they_lack() {
    let say = |settings| make_at(settings).err().unwrap().to_string();
    assert_eq!(
        say(json!({"catalogue": "mobility_database"})),
        "`feed` is missing"
    );
    assert_eq!(say(json!({"feed": "mdb-1"})), "feed: has no catalogue");
    let both = json!({"catalogue": "mobility_database", "feed": "mdb-1", "path": "a.zip"});
    assert_eq!(say(both), "path: stands beside `catalogue`");
    let odd = json!({"catalogue": "mobility_database", "feed": "../admin"});
    assert_eq!(say(odd), "feed: is no number of a feed");
}
