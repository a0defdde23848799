//! Two stations of real answers, cut small, and the bundled files.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use sectorlake_connector::kit::{Abilities, Exchange, Subject, TestPace, check};
use sectorlake_connector::{Connector, Http, Slice, kit};
use serde_json::{Value, json};

use super::*;
use crate::openaq::registration;

fn project() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn make_at(settings: Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(project(), "demo", |name| {
        (name == "KEY").then(|| "s3cr3t-k3y".to_owned())
    });
    registration().make(settings.as_object().unwrap().clone(), &context)
}

fn data(name: &str) -> Value {
    let path = project().join("tests/data/environment").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A page of the real answer.
fn cut(name: &str, range: std::ops::Range<usize>) -> String {
    let mut answer = data(name);
    answer["results"] = Value::Array(answer["results"].as_array().unwrap()[range].to_vec());
    answer.to_string()
}

/// The first two locations on one full page and an empty one; of their sensors the first has three measurements, in pages of two.
fn recording() -> Vec<Exchange> {
    let locations = "openaq_v3_locations_vietnam.json";
    let measurements = "openaq_v3_measurements_hanoi_sensor_7772024.json";
    let mut recording = vec![
        Exchange::new("/v3/locations?iso=VN&limit=2&page=1", cut(locations, 0..2)),
        Exchange::new("/v3/locations?iso=VN&limit=2&page=2", cut(locations, 2..2)),
    ];
    let both: Vec<Sensor> = Page::<Location>::parse(cut(locations, 0..2).as_bytes(), "")
        .unwrap()
        .results
        .into_iter()
        .flat_map(location_of)
        .collect();
    let first = both.iter().map(|sensor| sensor.id).min().unwrap();
    let target = |sensor: u64, page: u32| {
        format!(
            "/v3/sensors/{sensor}/measurements?datetime_from=2024-01-01T00%3A00%3A00Z&limit=2&page={page}"
        )
    };
    for sensor in both.iter().map(|sensor| sensor.id) {
        if sensor == first {
            recording.push(Exchange::new(&target(sensor, 1), cut(measurements, 0..2)));
            recording.push(Exchange::new(&target(sensor, 2), cut(measurements, 2..3)));
        } else {
            recording.push(Exchange::new(&target(sensor, 1), cut(measurements, 0..0)));
        }
    }
    recording
}

fn settings(server: &str) -> Value {
    json!({
        "url": format!("{server}/v3"), "api_key": "${env:KEY}", "country": "vn", "since": "2024-01-01", "page_size": 2
    })
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| make_at(settings(server)),
        recording: recording(),
        abilities: Abilities {
            looks_inside: true,
            incremental: true,
            ..Abilities::default()
        },
        secrets: &["s3cr3t-k3y"],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

fn io(started_at: &str) -> Io {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    Io::new(http, started_at.parse().unwrap())
}

#[tokio::test]
async fn saved_answers_tell_sensor_and_location_in_their_keys() {
    let folder = "tests/data/environment";
    let answers = format!("{folder}/openaq_v3_measurements_hanoi_sensor_7772024.json");
    let openaq = make_at(json!({"path": {
        "locations": format!("{folder}/openaq_v3_locations_vietnam.json"),
        "measurements": { "7772024": &answers },
    }}))
    .unwrap();
    let io = io("2025-01-01T00:00:00Z");
    let fetched = openaq
        .fetch(Slice::whole("measurements"), None, &io)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        fetched.part.unwrap().key,
        format!("{answers}#location=2161292&sensor=7772024")
    );
    assert_eq!(fetched.next, None);
    let stations = openaq
        .fetch(Slice::whole("locations"), None, &io)
        .await
        .unwrap()
        .unwrap()
        .part
        .unwrap();
    assert_eq!(stations.name, "openaq_v3_locations_vietnam.json");
}

#[tokio::test]
async fn a_sensor_without_a_location_is_told() {
    let openaq = make_at(json!({"path": {
        "locations": "tests/data/environment/openaq_v3_locations_vietnam.json",
        "measurements": { "1": "tests/data/environment/openaq_v3_measurements_hanoi_sensor_7772024.json" },
    }}))
    .unwrap();
    let error = openaq
        .fetch(
            Slice::whole("measurements"),
            None,
            &io("2025-01-01T00:00:00Z"),
        )
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "tests/data/environment/openaq_v3_locations_vietnam.json: no location has the sensor 1"
    );
}

#[test]
fn settings_are_checked() {
    let say = |settings: Value| {
        let error = make_at(settings).err().unwrap();
        format!("{error} / {}", error.help.as_deref().unwrap_or("-"))
    };
    let said = [
        say(json!({})),
        say(json!({"api_key": "${env:NONE}", "country": "VN"})),
        say(json!({"api_key": "k"})),
        say(json!({"api_key": "k", "country": "VN", "bbox": [1.0, 2.0, 3.0, 4.0]})),
        say(json!({"api_key": "k", "country": "VN", "since": "yesterday"})),
        say(json!({"path": {"locations": "a.json"}, "country": "VN"})),
        say(json!({"path": {"location": "a.json"}})),
        say(json!({"path": "a.json"})),
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
    `api_key` is missing / register at explore.openaq.org, then write `api_key: ${env:OPENAQ_KEY}`
    api_key: the environment variable NONE is not set / set it where sectorlake runs: export NONE=…
    neither `country` nor `bbox` is there / write `country: VN`, or `bbox: [west, south, east, north]`
    bbox: stands beside `country` / leave one of them out
    since: "yesterday" is no date / write it as in 2025-01-31 or 2025-01-31T07:00:00+07:00
    country: has no effect beside `path` / leave it out, or leave `path` out to ask the API
    path.location: unknown setting / did you mean `locations`?
    path: must be keys with values, not a text / write path: { locations: … }; its keys are: locations, measurements
    "#);
}

#[tokio::test]
async fn a_later_run_asks_from_the_newest_measurement_on() {
    let server = sectorlake_connector::kit::Server::start(recording())
        .await
        .unwrap();
    let openaq = make_at(settings(server.url())).unwrap();
    let first = io("2025-01-01T00:00:00Z");
    let names = openaq.partitions("measurements", &first).await.unwrap();
    let slice = Slice {
        unit: "measurements",
        partition: Some(&names[0]),
    };
    let mut cursor = None;
    while let Some(fetched) = openaq.fetch(slice, cursor.as_ref(), &first).await.unwrap() {
        cursor = fetched.next;
    }
    let asked = server.asked().len();
    let later = io("2025-01-02T00:00:00Z");
    // The server knows no such question, and says so.
    let error = openaq
        .fetch(slice, cursor.as_ref(), &later)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(
        server.asked()[asked].contains("datetime_from=2024-01-29T18%3A00%3A00Z"),
        "{:?}",
        server.asked()[asked]
    );
}
