//! A real delivery of the Norwegian railways, and documents made after the standard.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::ReadOptions;
use crate::testing::{All, options, read_bytes};

const TIMETABLE: &str = r#"{"name": "siri", "service": "estimated_timetable"}"#;
const STOPS: &str = r#"{"name": "siri", "service": "stop_monitoring"}"#;
const VEHICLES: &str = r#"{"name": "siri", "service": "vehicle_monitoring"}"#;
const SITUATIONS: &str = r#"{"name": "siri", "service": "situation_exchange"}"#;

fn file(name: &str) -> Vec<u8> {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/");
    std::fs::read(format!("{tests}{name}")).unwrap()
}

fn read(bytes: &[u8], format: &str) -> All {
    read_bytes(bytes, format, &ReadOptions::default()).unwrap()
}

fn say(bytes: &[u8], format: &str) -> String {
    let read = read_bytes(bytes, format, &ReadOptions::default());
    read.unwrap_err().to_string()
}

#[test]
fn every_call_of_a_real_timetable_is_a_row() {
    let bytes = file("data/transport/siri_et_norway_nsb.xml");
    let all = read(&bytes, TIMETABLE);
    assert_eq!((all.rows.len(), all.broken.len()), (897 + 1064, 0));
    let kinds = all.column("call");
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "recorded").count(),
        897
    );
    assert_eq!(
        kinds[..8],
        ["recorded"; 7]
            .into_iter()
            .chain(["estimated"])
            .collect::<Vec<_>>()
    );
    assert_eq!(
        all.column("dated_vehicle_journey_ref")[0],
        "NSB:ServiceJourney:1-710-1617"
    );
    assert_eq!(
        all.column("recorded_at_time")[0],
        "2018-08-28T09:08:35.867+02:00"
    );
    assert_eq!(all.column("stop_point_name")[1], "Brakerøya");
    assert_eq!(
        all.column("actual_arrival_time")[1],
        "2018-08-28T08:37:30+02:00"
    );
    assert!(all.column("_record")[1].contains(r#""Order":"2""#));
    // In blocks so small that each journey lies across several, nothing is otherwise.
    let cut = read_bytes(&bytes, TIMETABLE, &options(1000, 3, 10)).unwrap();
    assert_eq!(cut.rows, all.rows);
}

#[test]
fn json_of_siri_lite_is_read_as_xml_is() {
    let all = read(&file("recordings/siri/stop_monitoring.json"), STOPS);
    assert_eq!(
        all.column("call"),
        ["monitored", "monitored", "onward", "onward"]
    );
    assert_eq!(all.column("order"), ["4", "7", "8", "9"]);
    assert_eq!(all.column("line_ref")[0], "HPTC:Line::02:");
    assert_eq!(all.column("data_frame_ref")[3], "2025-09-23");
    assert_eq!(all.column("destination_name")[0], "Cầu Rào");
    assert_eq!(
        all.column("response_timestamp")[0],
        "2025-09-23T08:46:21.257Z"
    );
    assert_eq!(all.column("item_identifier")[3], "HPTC:Item::0003_1:LOC");
    let bare = br#"{"Siri": {"ServiceDelivery": {"VehicleMonitoringDelivery": {"VehicleActivity":
        {"MonitoredVehicleJourney": {"LineRef": "M1", "VehicleLocation": {"Longitude": -73.9, "Latitude": 40.7}}}}}}}"#;
    let all = read(bare, VEHICLES);
    assert_eq!(
        (all.column("line_ref"), all.column("latitude")),
        (vec!["M1"], vec!["40.7"])
    );
}

#[test]
fn vehicles_and_situations() {
    let all = read(&file("recordings/siri/vehicle_monitoring.xml"), VEHICLES);
    assert_eq!(all.column("vehicle_ref"), ["15B-01234", "15B-04321"]);
    assert_eq!(all.column("longitude"), ["106.6881", "106.7002"]);
    assert_eq!(all.column("stop_point_ref"), ["0201", ""]);
    let all = read(&file("recordings/siri/situation_exchange.xml"), SITUATIONS);
    assert_eq!(all.column("line_ref"), ["02", "10", "", ""]);
    assert_eq!(all.column("stop_point_ref"), ["", "", "0209", ""]);
    assert_eq!(
        all.column("validity_period")[0],
        r#"[{"end":1758733199,"start":1758560400},{"start":1759251600}]"#
    );
    assert_eq!(
        all.column("summary_translations")[2],
        r#"{"en":"Works on Rao bridge","vi":"Sửa cầu Rào"}"#
    );
    assert_eq!(
        all.column("cause"),
        [
            "constructionWork",
            "constructionWork",
            "constructionWork",
            ""
        ]
    );
    assert_eq!(all.column("situation_number")[3], "HPTC:43");
}

#[test]
fn what_a_service_refuses_is_told() {
    let refused = b"<Siri><ServiceDelivery><StopMonitoringDelivery><Status>false</Status><ErrorCondition>
        <AccessNotAllowedError><ErrorText>key expired</ErrorText></AccessNotAllowedError></ErrorCondition>
        </StopMonitoringDelivery></ServiceDelivery></Siri>";
    let all = read(refused, STOPS);
    let expected =
        "the service gives an error in place of records: AccessNotAllowedError: key expired";
    assert_eq!((all.reasons(), all.rows.len()), (vec![(1, expected)], 0));
    let broken = b"<Siri><ServiceDelivery><VehicleActivity><MonitoredVehicleJourney><LineRef>1</Line>
        </MonitoredVehicleJourney></VehicleActivity><VehicleActivity><MonitoredVehicleJourney/></VehicleActivity>
        </ServiceDelivery></Siri>";
    let all = read(broken, VEHICLES);
    assert_eq!((all.rows.len(), all.broken.len()), (1, 1));
}

#[test]
fn what_is_no_siri() {
    let said = [
        say(b"<?xml version='1.0'?><rss/>", STOPS),
        say(b"stop,time\n1,2\n", STOPS),
        say(br#"{"ServiceDelivery": [1, 2"#, STOPS),
        say(
            b"\xFF\xFE{\0\"\0S\0e\0r\0v\0i\0c\0e\0D\0e\0l\0i\0v\0e\0r\0y\0\"\0:\0",
            STOPS,
        ),
    ];
    insta::assert_snapshot!(said.join("\n"));
}
