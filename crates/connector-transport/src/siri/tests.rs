//! A real delivery of the Norwegian railways, and deliveries built after the standard, as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use proptest::prelude::*;
use sectorlake_connector::Http;
use sectorlake_connector::kit::{self, Abilities, Exchange, Server, Subject, TestPace, check};

use super::*;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests")
            .join(name),
    )
    .unwrap()
}

fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(".", "demo", |name| {
        (name == "KEY").then(|| "s3cr3t-k3y".to_owned())
    });
    registration().make(settings.as_object().unwrap().clone(), &context)
}

fn io(at: &str) -> Io {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    Io::new(http, at.parse().unwrap())
}

#[tokio::test]
async fn passes_the_kit() {
    for (service, name) in [
        (
            "estimated_timetable",
            "data/transport/siri_et_norway_nsb.xml",
        ),
        ("stop_monitoring", "recordings/siri/stop_monitoring.json"),
        (
            "vehicle_monitoring",
            "recordings/siri/vehicle_monitoring.xml",
        ),
        (
            "situation_exchange",
            "recordings/siri/situation_exchange.xml",
        ),
    ] {
        let subject = Subject {
            make: &|server| {
                make_at(
                    json!({"service": service, "url": format!("{server}/siri?key=${{env:KEY}}")}),
                )
            },
            recording: vec![Exchange::new("/siri?key=s3cr3t-k3y", file(name)).with_etag("\"v1\"")],
            abilities: Abilities {
                looks_inside: true,
                incremental: true,
                ..Abilities::default()
            },
            secrets: &["s3cr3t-k3y"],
        };
        assert_eq!(check(&subject).await, [""; 0], "{service}");
    }
}

#[tokio::test]
async fn stops_are_partitions_and_unchanged_deliveries_are_told() {
    let body = file("recordings/siri/stop_monitoring.json");
    let exchange = Exchange::new("/sm?MonitoringRef=HPTC%3A0201", body);
    let server = Server::start(vec![exchange]).await.unwrap();
    let settings = json!({"service": "stop_monitoring", "url": format!("{}/sm", server.url()), "stops": ["HPTC:0201"]});
    let siri = make_at(settings).unwrap();
    let first = io("2025-09-23T08:46:30Z");
    assert_eq!(
        siri.partitions("stop_monitoring", &first).await.unwrap(),
        ["HPTC:0201"]
    );
    let slice = Slice {
        unit: "stop_monitoring",
        partition: Some("HPTC:0201"),
    };
    let fetched = siri.fetch(slice, None, &first).await.unwrap().unwrap();
    let key = fetched.part.unwrap().key;
    assert!(
        key.ends_with("#ResponseTimestamp=2025-09-23T08:46:21.203Z"),
        "{key}"
    );
    assert!(
        siri.fetch(slice, fetched.next.as_ref(), &first)
            .await
            .unwrap()
            .is_none()
    );
    let later = io("2025-09-23T08:47:00Z");
    let again = siri
        .fetch(slice, fetched.next.as_ref(), &later)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.known, Some(key));
}

#[tokio::test]
async fn a_delivery_that_says_there_is_more_is_followed_by_the_next_but_not_without_end() {
    let more = |more: bool| {
        format!(
            "<ServiceDelivery><MoreData>{more}</MoreData><EstimatedTimetableDelivery/></ServiceDelivery>"
        )
    };
    let server = Server::start(vec![Exchange::new("/et", more(true))])
        .await
        .unwrap();
    let siri =
        make_at(json!({"service": "estimated_timetable", "url": format!("{}/et", server.url())}))
            .unwrap();
    let (slice, io) = (
        Slice::whole("estimated_timetable"),
        io("2025-09-23T08:46:30Z"),
    );
    let mut cursor = None;
    let error = loop {
        match siri.fetch(slice, cursor.as_ref(), &io).await {
            Ok(fetched) => cursor = fetched.unwrap().next,
            Err(error) => break error,
        }
    };
    assert!(
        error
            .to_string()
            .ends_with("1000 answers one after the other say that there is more"),
        "{error}"
    );
    assert_eq!(server.asked().len(), 1000);
    assert!(says_more(b"{\"MoreData\": true}"));
    assert!(!says_more(more(false).as_bytes()));
}

proptest! {
    #[test]
    fn no_delivery_is_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..60) {
        let timestamp = b"Delivery ResponseTimestamp\">2025-09-23T08:46:30Z< MoreData:";
        let text = [&timestamp[..cut.min(timestamp.len())], &bytes].concat();
        let _ = moment(&text);
    }
}

#[test]
fn a_service_request_is_made_of_what_is_asked() {
    let now = "2025-09-23T08:46:30Z".parse().unwrap();
    let request = request::service_request(Service::StopMonitoring, "a&b", Some("<1>"), now);
    insta::assert_snapshot!(request);
}

#[test]
fn settings_and_claims() {
    let say = |settings| make_at(settings).err().unwrap().to_string();
    assert_eq!(
        say(json!({"url": "https://siri.example"})),
        "`service` is missing"
    );
    assert_eq!(
        say(json!({"service": "stop_monitoring"})),
        "neither `path` nor `url` is there"
    );
    let stops =
        json!({"service": "vehicle_monitoring", "url": "https://siri.example", "stops": ["1"]});
    assert_eq!(say(stops), "stops: are monitored by stop_monitoring alone");
    for (name, service) in [
        (
            "data/transport/siri_et_norway_nsb.xml",
            "estimated_timetable",
        ),
        ("recordings/siri/stop_monitoring.json", "stop_monitoring"),
        (
            "recordings/siri/situation_exchange.xml",
            "situation_exchange",
        ),
    ] {
        let head = file(name);
        let sight = Sight {
            location: name,
            members: &[],
            head: &head[..1024.min(head.len())],
        };
        assert_eq!(claims(&sight).unwrap().settings["service"], service);
    }
}
