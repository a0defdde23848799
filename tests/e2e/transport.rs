//! Connectors of transport, from their recordings through their own mappings into the shared tables.

use crate::harness::{Done, Project, repository};
use crate::served::{examples, lines, loaded};

fn from(source: &str) -> Project {
    loaded("transport", &format!("source:\n{source}"))
}

#[test]
fn collisions_of_both_releases_are_accidents() {
    let project = from(
        "  connector: stats19\n  path:\n    collisions: TESTS/recordings/stats19/dft-road-casualty-statistics-collision-*.csv\n",
    );
    insta::assert_snapshot!(lines(
        &project,
        "SELECT accident_id, accident_date, accident_time, severity, persons_killed, persons_seriously_injured, persons_injured, \
         road_name, road_class, maximum_allowed_speed, in_built_up_area, light_conditions, weather_conditions, surface_conditions, \
         ST_X(location) AS x FROM transport.accidents ORDER BY accident_id",
    ));
}

#[test]
fn raw_counts_have_a_row_for_each_vehicle_type() {
    let project = from(
        "  connector: traffic_counts\n  preset: dft_raw_counts\n  path: TESTS/recordings/traffic_counts/dft_traffic_counts_raw_counts.csv\n",
    );
    insta::assert_snapshot!(lines(
        &project,
        "SELECT site_id, direction, vehicle_type, period_start, period_length, vehicle_count FROM transport.traffic_counts \
         WHERE direction = 'westBound' OR vehicle_type = 'anyVehicle' ORDER BY period_start, vehicle_type",
    ));
    assert_eq!(project.count("transport.traffic_counts"), 21);
}

#[test]
fn siri_feeds_the_tables_of_gtfs_realtime() {
    let stops = from(
        "  connector: siri\n  service: stop_monitoring\n  path: TESTS/recordings/siri/stop_monitoring.json\n",
    );
    insta::assert_snapshot!(lines(
        &stops,
        "SELECT entity_id, \"timestamp\", trip_id, route_id, start_date, stop_sequence, stop_id, arrival_delay, arrival_time, \
         departure_time FROM transport.trip_updates ORDER BY entity_id, stop_sequence",
    ));
    let vehicles = from(
        "  connector: siri\n  service: vehicle_monitoring\n  path: TESTS/recordings/siri/vehicle_monitoring.xml\n",
    );
    insta::assert_snapshot!(lines(
        &vehicles,
        "SELECT entity_id, \"timestamp\", trip_id, route_id, direction_id, latitude, longitude, bearing, speed, current_stop_sequence, \
         current_status, occupancy_status FROM transport.vehicle_positions ORDER BY entity_id",
    ));
    let situations = from(
        "  connector: siri\n  service: situation_exchange\n  path: TESTS/recordings/siri/situation_exchange.xml\n",
    );
    insta::assert_snapshot!(lines(
        &situations,
        "SELECT entity_id, \"timestamp\", informed_entity, active_period, cause, cause_detail, effect, severity_level, header_text, \
         header_text_translations, url, route_id, stop_id FROM transport.alerts ORDER BY entity_id, informed_entity",
    ));
}

#[test]
fn stations_have_names_in_the_language_asked_for() {
    let names = |language: &str| {
        let project = Project::empty();
        let station = r#"{"last_updated": "2025-09-23T10:00:00Z", "ttl": 0, "version": "3.0", "data": {"stations": [{"station_id": "1",
            "name": [{"text": "Opera house", "language": "en"}, {"text": "Nhà hát lớn", "language": "vi"}], "lat": 20.86, "lon": 106.68}]}}"#;
        project.file("data/stations.json", station);
        let source = format!(
            "source:\n  connector: gbfs\n  language: {language}\n  path: {{ station_information: data/stations.json }}\n"
        );
        project.file("pipelines/transport/demo.yaml", source);
        project.run(&["demo"]).ok();
        lines(
            &project,
            "SELECT name, system_id FROM transport.shared_mobility_stations",
        )
    };
    assert_eq!(names("vi"), "Nhà hát lớn | demo");
    assert_eq!(names("de"), "Opera house | demo");
}

#[test]
fn a_vehicle_that_has_not_moved_on_keeps_one_row() {
    let mut message = std::fs::read(
        repository().join("tests/data/transport/gtfs_rt_aomori_vehicle_positions.pb"),
    )
    .unwrap();
    let project = Project::empty();
    project.file(
        "pipelines/transport/demo.yaml",
        "source:\n  connector: gtfs_realtime\n  path: data/vehicles.pb\n  entities: [vehicle_positions]\n",
    );
    // Of the header's time the lowest seven bits, which stand behind the fields 1 and 2 and its own key: the message of a later moment.
    let low = message
        .windows(4)
        .position(|bytes| bytes[..3] == [0x10, 0, 0x18])
        .unwrap()
        + 3;
    for change in [0, 1, 3] {
        message[low] ^= change;
        project.file("data/vehicles.pb", &message);
        project.run(&["demo"]).ok();
        assert_eq!(project.count("transport.vehicle_positions"), 37);
    }
}

#[test]
fn every_example_validates() {
    let (project, found) = examples("transport");
    assert_eq!(found, 7);
    let mut command = project.command(&["validate"]);
    command.env("SIRI_KEY", "s3cr3t");
    Done::of(command).ok();
}
