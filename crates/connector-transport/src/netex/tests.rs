//! A real publication as a recording.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use sectorlake_connector::Http;
use sectorlake_connector::kit::{self, Abilities, Exchange, Server, Subject, TestPace, check};

use super::*;

fn zip() -> Vec<u8> {
    let data: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/transport");
    std::fs::read(data.join("netex_marseille_par_abm.zip")).unwrap()
}

fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(".", "demo-ferry", |name| {
        (name == "KEY").then(|| "s3cr3t-k3y".to_owned())
    });
    registration().make(settings.as_object().unwrap().clone(), &context)
}

fn io() -> Io {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    Io::new(http, chrono::DateTime::UNIX_EPOCH)
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| make_at(json!({ "url": format!("{server}/netex.zip?key=${{env:KEY}}") })),
        recording: vec![Exchange::new("/netex.zip?key=s3cr3t-k3y", zip()).with_etag("\"v1\"")],
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &["s3cr3t-k3y"],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn every_kind_of_objects_feeds_a_table_of_gtfs() {
    let netex =
        make_at(json!({"path": "a.zip", "feed_id": "x", "agency_url": "https://a.example"}))
            .unwrap();
    let streams = netex.streams(&io()).await.unwrap();
    let tables: Vec<&str> = streams
        .iter()
        .map(|stream| stream.mappings[0].table.as_str())
        .collect();
    assert_eq!(
        tables,
        [
            "transport.stops",
            "transport.routes",
            "transport.agency",
            "transport.trips",
            "transport.stop_times",
            "transport.calendar_dates"
        ]
    );
    assert_eq!(
        streams[4].format.as_ref().unwrap()["objects"],
        "passing_times"
    );
    assert_eq!(
        streams[0].mappings[0].parameters["agency_url"],
        "https://a.example"
    );
}

#[tokio::test]
async fn a_document_behind_any_address_is_named_as_one() {
    let server = Server::start(vec![Exchange::new("/export?format=netex", zip())])
        .await
        .unwrap();
    let netex = make_at(json!({ "url": format!("{}/export?format=netex", server.url()) })).unwrap();
    let fetched = netex
        .fetch(Slice::whole(PUBLICATION), None, &io())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(fetched.part.unwrap().name, "export.xml");
}

#[test]
fn a_document_is_known_by_its_beginning() {
    let claim = |head: &[u8]| {
        claims(&Sight {
            location: "data/stops.xml",
            members: &[],
            head,
        })
    };
    let head = b"<PublicationDelivery xmlns=\"http://www.netex.org.uk/netex\" version=\"1.10\">";
    assert_eq!(claim(head).unwrap().settings["path"], "data/stops.xml");
    assert_eq!(claim(b"<Siri xmlns=\"http://www.siri.org.uk/siri\">"), None);
}
