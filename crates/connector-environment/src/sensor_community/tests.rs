//! Two days of the archive as a recording, and the bundled log.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::path::Path;

use bytes::Bytes;
use futures::TryStreamExt;
use sectorlake_connector::kit::{Abilities, Exchange, Subject, TestPace, check};
use sectorlake_connector::{Http, Io, Slice, kit};

use super::*;

fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let context = MakeContext::new(project, "demo", |_| None);
    registration().make(settings.as_object().unwrap().clone(), &context)
}

/// Two days of one sensor, in the archive's layout.
const DAYS: [&str; 2] = [
    "sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2\n\
     1;SDS011;7;10.7;106.7;2018-10-08T09:21:52;31.52;;;27.22;;\n",
    "sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2\n\
     1;SDS011;7;10.7;106.7;2018-10-09T09:21:52;30.50;;;26.93;;\n",
];

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            make_at(
                json!({"layout": "archive", "url": [format!("{server}/1.csv"), format!("{server}/2.csv")]}),
            )
        },
        recording: vec![
            Exchange::new("/1.csv", DAYS[0]).with_etag("\"1\""),
            Exchange::new("/2.csv", DAYS[1]).with_etag("\"2\""),
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
async fn a_log_is_one_zip_with_all_its_days() {
    let log = "tests/data/environment/hcmc_sensor_12779556_2018-10.zip";
    let station = json!({"id": "esp8266-12779556", "latitude": 10.69, "longitude": 106.74});
    let source = make_at(json!({"layout": "madavi", "path": log, "station": station})).unwrap();
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    let io = Io::new(http, chrono::DateTime::UNIX_EPOCH);
    let streams = source.streams(&io).await.unwrap();
    let member = streams[0].member.clone().unwrap();
    assert!(member.matches("data-esp8266-12779556-2018-10-08.csv"));
    assert_eq!(streams[0].mappings[0].parameters["latitude"], "10.69");
    let fetched = source
        .fetch(Slice::whole(STREAM), None, &io)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(fetched.next, None);
    let body = fetched
        .part
        .unwrap()
        .body
        .try_collect::<Vec<Bytes>>()
        .await
        .unwrap();
    assert_eq!(body.concat().len(), 273_901);
}

#[test]
fn settings_are_checked() {
    let say = |settings: serde_json::Value| {
        let error = make_at(settings).err().unwrap();
        format!("{error} / {}", error.help.as_deref().unwrap_or("-"))
    };
    let said = [
        say(json!({"path": "a.zip"})),
        say(json!({"path": "a.zip", "layout": "madavy"})),
        say(json!({"path": "a.zip", "layout": "madavi"})),
        say(json!({"path": "a.zip", "layout": "madavi", "station": {"id": "x", "latitude": "10"}})),
        say(
            json!({"path": "a.zip", "layout": "live", "station": {"id": "x", "latitude": 1, "longitude": 2}}),
        ),
        say(json!({"layout": "live"})),
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
    `layout` is missing / layout: `archive`: a CSV a sensor and day; `madavi`: the log of one node; `live`: JSON of the last minutes.
    layout: "madavy" is none of its values / did you mean `madavi`?
    `station` is missing / a node's log does not say where it stands: write station: { id: …, latitude: …, longitude: … }
    station.latitude: must be a number, not a text / -
    station: has no effect in this layout / leave it out: each record tells where its sensor stands
    neither `path` nor `url` is there / write `path:` with a file of this machine, or `url:` with an address
    "#);
}

#[tokio::test]
async fn days_of_the_archive_are_partitions() {
    let name = "2018-10-08_sds011_sensor_1.csv";
    let exchanges = vec![
        Exchange::new(&format!("/2018-10-08/{name}"), DAYS[0]).with_etag("\"1\""),
        Exchange::new(
            "/2018/2018-10-10/2018-10-10_sds011_sensor_1.csv.gz",
            DAYS[1],
        ),
    ];
    let server = kit::Server::start(exchanges).await.unwrap();
    let days = json!({"sensors": ["sds011_sensor_1"], "start": "2018-10-08", "url": server.url()});
    let source = make_at(json!({"layout": "archive", "days": days})).unwrap();
    let io = |at: &str| {
        let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
        Io::new(http, at.parse().unwrap())
    };
    let first = io("2018-10-11T03:00:00Z");
    let names = source.partitions(STREAM, &first).await.unwrap();
    let days = ["2018-10-08", "2018-10-09", "2018-10-10"];
    assert_eq!(names, days.map(|day| format!("{day}/sds011_sensor_1")));
    let fetch = async |index: usize, cursor: Option<&sectorlake_connector::Cursor>, io: &Io| {
        let slice = Slice {
            unit: STREAM,
            partition: Some(&names[index]),
        };
        source.fetch(slice, cursor, io).await.unwrap()
    };
    let there = fetch(0, None, &first).await.unwrap();
    assert_eq!(there.part.unwrap().name, name);
    assert!(
        fetch(1, None, &first).await.is_none(),
        "the sensor was silent"
    );
    let packed = fetch(2, None, &first).await.unwrap().part.unwrap();
    assert!(packed.name.ends_with(".csv.gz"));
    // The same run is through; another one asks for changes, until the day is settled.
    assert!(fetch(0, there.next.as_ref(), &first).await.is_none());
    let later = io("2018-10-20T03:00:00Z");
    let again = fetch(0, there.next.as_ref(), &later).await.unwrap();
    let asked = server.asked().len();
    let last = io("2018-10-21T03:00:00Z");
    assert!(fetch(0, again.next.as_ref(), &last).await.is_none());
    assert_eq!(server.asked().len(), asked);
}

#[test]
fn days_are_checked() {
    let say = |settings: serde_json::Value| make_at(settings).err().unwrap().to_string();
    let days = json!({"sensors": ["sds011_sensor_1"], "start": "2018-10-08"});
    let said = [
        say(json!({"layout": "live", "days": days})),
        say(json!({"layout": "archive", "days": {"sensors": ["1"], "start": "2018-10-08"}})),
        say(json!({"layout": "archive", "days": {"sensors": [], "start": "2018-10-08"}})),
        say(json!({"layout": "archive", "days": {"sensors": ["sds011_sensor_1"], "start": "May"}})),
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
    days: are of the archive alone
    days.sensors: "1" is no sensor's name
    days.sensors: names no sensor
    days.start: "May" is no day
    "#);
}
