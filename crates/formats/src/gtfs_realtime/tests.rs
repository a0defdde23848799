#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::testing::{All, options, read_bytes};
use crate::{ReadOptions, guess};

const TRIPS: &str = r#"{"name": "gtfs_realtime", "entity": "trip_updates"}"#;
const ALERTS: &str = r#"{"name": "gtfs_realtime", "entity": "alerts"}"#;
const ANY: &str = "\"gtfs_realtime\"";

/// One field of wire type 2.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = value.len();
    while length >= 0x80 {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(value);
    field
}

fn feed(entities: &[Vec<u8>]) -> Vec<u8> {
    let header = FeedHeader {
        gtfs_realtime_version: Some("2.0".to_owned()),
        incrementality: Some(1),
        timestamp: Some(1_700_000_000),
        feed_version: None,
    };
    let mut feed = field(1, &header.encode_to_vec());
    for entity in entities {
        feed.extend(field(2, entity));
    }
    feed
}

fn update(id: &str, delays: &[i32]) -> Vec<u8> {
    let stop = |(index, delay): (usize, &i32)| proto::StopTimeUpdate {
        stop_sequence: Some(index as u32 + 1),
        arrival: Some(proto::StopTimeEvent {
            delay: Some(*delay),
            ..Default::default()
        }),
        schedule_relationship: Some(if *delay == 0 { 2 } else { 0 }),
        ..Default::default()
    };
    FeedEntity {
        id: Some(id.to_owned()),
        trip_update: Some(proto::TripUpdate {
            trip: Some(proto::TripDescriptor {
                trip_id: Some(format!("trip {id}")),
                schedule_relationship: Some(99),
                ..Default::default()
            }),
            stop_time_update: delays.iter().enumerate().map(stop).collect(),
            ..Default::default()
        }),
        ..Default::default()
    }
    .encode_to_vec()
}

fn alert(informed: usize, texts: &[(&str, Option<&str>)]) -> Vec<u8> {
    let translation = |(text, language): &(&str, Option<&str>)| proto::Translation {
        text: Some((*text).to_owned()),
        language: language.map(str::to_owned),
    };
    FeedEntity {
        id: Some("alert".to_owned()),
        alert: Some(proto::Alert {
            active_period: vec![proto::TimeRange {
                start: Some(5),
                end: None,
            }],
            informed_entity: (0..informed)
                .map(|route| proto::EntitySelector {
                    route_id: Some(route.to_string()),
                    ..Default::default()
                })
                .collect(),
            cause: Some(10),
            effect: Some(4),
            header_text: Some(proto::TranslatedString {
                translation: texts.iter().map(translation).collect(),
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
    .encode_to_vec()
}

fn read(bytes: &[u8], format: &str) -> All {
    read_bytes(bytes, format, &options(50, 2, 2)).unwrap()
}

#[test]
fn stop_time_updates_are_rows() {
    let bytes = feed(&[
        update("a", &[60, 0, -5]),
        update("b", &[]),
        alert(1, &[]),
        update("c", &[7]),
    ]);
    let all = read(&bytes, ANY);
    assert_eq!(all.column("entity_id"), ["a", "a", "a", "b", "c"]);
    assert_eq!(all.column("trip_id")[3], "trip b");
    assert_eq!(all.column("stop_sequence"), ["1", "2", "3", "", "1"]);
    assert_eq!(all.column("arrival_delay"), ["60", "0", "-5", "", "7"]);
    assert_eq!(
        all.column("schedule_relationship")[..2],
        ["SCHEDULED", "NO_DATA"]
    );
    // A value of a later version is told as its number.
    assert_eq!(all.column("trip_schedule_relationship")[0], "99");
    assert_eq!(all.column("header_timestamp")[4], "1700000000");
    assert_eq!(all.column("header_incrementality")[0], "DIFFERENTIAL");
    insta::assert_snapshot!(all.column("_record")[1], @r#"{"id":"a","trip_update":{"stop_time_update":[{"arrival":{"delay":0},"schedule_relationship":"NO_DATA","stop_sequence":2}],"trip":{"schedule_relationship":"99","trip_id":"trip a"}}}"#);
}

#[test]
fn informed_entities_are_rows() {
    let texts = [
        ("Travaux", Some("fr")),
        ("Works", None),
        ("Bis", Some("fr")),
    ];
    let bytes = feed(&[alert(2, &texts), alert(0, &[])]);
    let all = read(&bytes, ALERTS);
    assert_eq!(all.column("route_id"), ["0", "1", ""]);
    assert_eq!(all.column("cause"), ["CONSTRUCTION"; 3]);
    assert_eq!(all.column("effect"), ["DETOUR"; 3]);
    assert_eq!(all.column("header_text"), ["Travaux", "Travaux", ""]);
    assert_eq!(
        all.column("header_text_translations")[0],
        r#"{"fr":"Travaux","und":"Works"}"#
    );
    assert_eq!(all.column("active_period")[0], r#"[{"start":5}]"#);
}

#[test]
fn broken_entities_lose_only_themselves() {
    let no_id = proto::FeedEntity::default().encode_to_vec();
    let no_text = [field(1, b"\xff\xfe"), field(3, b"")].concat();
    let far = FeedEntity {
        id: Some("far".to_owned()),
        trip_update: Some(proto::TripUpdate {
            timestamp: Some(u64::MAX),
            ..Default::default()
        }),
        ..Default::default()
    };
    let long = update(&"x".repeat(300), &[1]);
    let entities = [
        update("a", &[1]),
        no_id,
        no_text,
        far.encode_to_vec(),
        long,
        update("b", &[2]),
    ];
    let bounds = ReadOptions {
        record_bytes_max: 200,
        batch_rows: 3,
        ..ReadOptions::default()
    };
    let all = read_bytes(&feed(&entities), TRIPS, &bounds).unwrap();
    assert_eq!(all.column("entity_id"), ["a", "b"]);
    let reasons: Vec<String> = all
        .broken
        .iter()
        .map(|it| format!("{} at {:?}: {}", it.row, it.byte, it.reason))
        .collect();
    insta::assert_snapshot!(reasons.join("\n"), @r"
2 at Some(46): the entity has no id
3 at Some(48): the entity cannot be read: failed to decode Protobuf message: FeedEntity.id: invalid string value: data is not UTF-8 encoded
4 at Some(56): the timestamp 18446744073709551615 is beyond all dates
5 at Some(77): the entity is longer than 200 bytes
");
}

#[test]
fn texts_in_another_encoding() {
    // "Tram" in Shift_JIS, as a Japanese bus company sends it, beside an id in UTF-8.
    let mut entities: Vec<Vec<u8>> = Vec::new();
    for text in [
        &b"\x8e\x73\x89\x63\x83\x6f\x83\x58"[..],
        b"\x90\xc2\x90\x58\x8e\x73\x89\x63",
        b"plain",
    ] {
        let vehicle = [field(1, text), field(2, "dài".as_bytes())].concat();
        let position = field(8, &vehicle);
        entities.push([field(1, b"a"), field(4, &position)].concat());
    }
    let all = read(&feed(&entities), ANY);
    assert_eq!(all.broken, []);
    assert_eq!(all.column("vehicle_id"), ["市営バス", "青森市営", "plain"]);
    assert_eq!(all.column("vehicle_label"), ["dài"; 3]);
    let declared = r#"{"name": "gtfs_realtime", "encoding": "windows-1252"}"#;
    assert_eq!(
        read(&feed(&entities), declared).column("vehicle_id")[2],
        "plain"
    );
    let unknown = read_bytes(
        &feed(&entities),
        r#"{"name": "gtfs_realtime", "encoding": "x"}"#,
        &ReadOptions::default(),
    );
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "part: there is no encoding `x`"
    );
}

#[test]
fn long_texts_are_not_repeated_without_end() {
    let text = "x".repeat(3000);
    let bounds = ReadOptions {
        record_bytes_max: 5000,
        ..ReadOptions::default()
    };
    let bytes = feed(&[alert(50, &[(&text, None)]), alert(200, &[(&text, None)])]);
    let all = read_bytes(&bytes, ALERTS, &bounds).unwrap();
    assert_eq!(all.rows.len(), 50);
    assert_eq!(
        all.reasons(),
        [(51, "the entity's 200 rows would each repeat its long texts")]
    );
}

#[test]
fn what_is_no_feed() {
    let whole = feed(&[update("a", &[1, 2]), update("b", &[3])]);
    let cases: [&[u8]; 5] = [
        &whole[..whole.len() - 3],
        b"<html>404</html>",
        b"{\"a\": 1}",
        &field(2, b""),
        &field(1, b"\x0a\x05ab"),
    ];
    let said: Vec<String> = cases
        .iter()
        .map(|bytes| {
            read_bytes(bytes, ANY, &ReadOptions::default())
                .unwrap_err()
                .to_string()
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
part: at byte 54: this is no GTFS-Realtime feed, or it was cut off: a field says it has 27 bytes, and only 24 follow
part: at byte 0: this is no GTFS-Realtime feed, or it was cut off: a field has the wire type 4, which GTFS-Realtime never uses
part: at byte 0: this is no GTFS-Realtime feed, or it was cut off: a field has the wire type 3, which GTFS-Realtime never uses
part: at byte 0: the feed has no header
part: at byte 0: the feed's header cannot be read: failed to decode Protobuf message: FeedHeader.gtfs_realtime_version: buffer underflow
");
    assert_eq!(read(&feed(&[]), ANY).records(), 0);
    assert!(is_feed(&whole) && is_feed(&feed(&[])));
    for other in [&b""[..], b"\n", b"\n\n\n\n", b"\x0a\x02\x0a\x00", b"a,b\n"] {
        assert!(!is_feed(other), "{other:?}");
    }
    assert_eq!(
        guess("feed", &whole).map(|format| format.name()),
        Some("gtfs_realtime")
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(place in 0_usize..400, byte: u8, cut in 0_usize..400, noise in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut bytes = feed(&[update("a", &[1, 2]), alert(2, &[("x", Some("vi"))]), update("b", &[3]), noise.clone()]);
        let length = bytes.len();
        bytes[place % length] = byte;
        bytes.truncate(length - cut % length);
        for bytes in [&bytes, &noise] {
            for format in [TRIPS, ALERTS, ANY] {
                drop(read_bytes(bytes, format, &options(50, 2, 3)));
            }
        }
    }
}
