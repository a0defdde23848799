//! Connectors of the environment, from their recordings through their own mappings into the shared tables.

use crate::harness::{Done, Project};
use crate::served::{Served, examples, lines, loaded, recording};

const OBSERVATIONS: &str = "SELECT station_id, observed_property, phenomenon_time, phenomenon_time_end, result, unit, sensor_id, \
    result_quality FROM environment.observations ORDER BY station_id, phenomenon_time, observed_property";
const STATIONS: &str = "SELECT station_id, name, facility_type, locality, country, latitude, longitude, elevation, time_zone, owner, \
    ST_AsText(location) AS location FROM environment.stations ORDER BY station_id";

fn from(source: &str) -> Project {
    loaded("environment", &format!("source:\n{source}"))
}

#[test]
fn ghcn_daily_in_both_layouts() {
    let table = from(
        "  connector: ghcn_daily\n  path:\n    stations: TESTS/recordings/ghcn_daily/ghcnd-stations.txt\n    observations: TESTS/recordings/ghcn_daily/*.csv.gz\n",
    );
    insta::assert_snapshot!("ghcn_daily_stations", lines(&table, STATIONS));
    insta::assert_snapshot!("ghcn_daily_csv", lines(&table, OBSERVATIONS));
    let months = from(
        "  connector: ghcn_daily\n  layout: dly\n  path: { observations: TESTS/recordings/ghcn_daily/*.dly }\n",
    );
    insta::assert_snapshot!("ghcn_daily_dly", lines(&months, OBSERVATIONS));
}

#[test]
fn metar_in_each_layout() {
    let table = from("  connector: metar\n  path: TESTS/recordings/metar/metar.json\n");
    insta::assert_snapshot!("metar_stations", lines(&table, STATIONS));
    let decoded = lines(&table, OBSERVATIONS);
    insta::assert_snapshot!("metar_json", decoded);
    let raw = from(
        "  connector: metar\n  layout: raw\n  month: 2025-11\n  path: TESTS/recordings/metar/metar.raw\n",
    );
    insta::assert_snapshot!("metar_raw", lines(&raw, OBSERVATIONS));
    let xml = from("  connector: metar\n  layout: xml\n  path: TESTS/recordings/metar/metar.xml\n");
    insta::assert_snapshot!("metar_xml", lines(&xml, OBSERVATIONS));
    let csv = from(
        "  connector: metar\n  layout: csv\n  path: TESTS/recordings/metar/metars.cache.csv\n",
    );
    assert_eq!(lines(&csv, OBSERVATIONS), lines(&xml, OBSERVATIONS));
    assert_eq!(lines(&csv, STATIONS), lines(&xml, STATIONS));
}

#[test]
fn usgs_from_both_services() {
    let nwis = from(
        "  connector: usgs\n  api: nwis\n  path:\n    stations: TESTS/data/environment/usgs_site.rdb.txt\n    observations: TESTS/recordings/usgs/iv.json\n",
    );
    insta::assert_snapshot!("usgs_nwis_stations", lines(&nwis, STATIONS));
    insta::assert_snapshot!("usgs_nwis_iv", lines(&nwis, OBSERVATIONS));
    let days = from(
        "  connector: usgs\n  api: nwis\n  values: daily\n  path: { observations: TESTS/recordings/usgs/dv.json }\n",
    );
    insta::assert_snapshot!("usgs_nwis_dv", lines(&days, OBSERVATIONS));
    // Captured at different places: no station of this answer has the values of the next.
    let ogc =
        from("  connector: usgs\n  path: { stations: TESTS/recordings/usgs/location.json }\n");
    insta::assert_snapshot!("usgs_ogc_stations", lines(&ogc, STATIONS));
    let ogc = from(
        "  connector: usgs\n  path: { observations: TESTS/recordings/usgs/continuous.json }\n",
    );
    insta::assert_snapshot!("usgs_ogc_continuous", lines(&ogc, OBSERVATIONS));
    let days = from(
        "  connector: usgs\n  values: daily\n  path: { observations: TESTS/recordings/usgs/daily.json }\n",
    );
    insta::assert_snapshot!("usgs_ogc_daily", lines(&days, OBSERVATIONS));
}

#[test]
fn eea_sampling_points_and_their_hours() {
    let project = from(
        "  connector: eea\n  path:\n    stations: TESTS/recordings/eea/PanEuropean_metadata.csv\n    observations: TESTS/recordings/eea/*.parquet\n",
    );
    insta::assert_snapshot!("eea_stations", lines(&project, STATIONS));
    insta::assert_snapshot!("eea_observations", lines(&project, OBSERVATIONS));
}

#[test]
fn sensorthings_stations_and_observations() {
    let expand = "%24expand=Datastream%28%24expand%3DThing%28%24select%3Did%2Cname%29%2CObservedProperty%28%24select%3Dname%2Cdefinition%29%29&%24orderby=phenomenonTime+asc&%24top=2";
    let answers = [
        ("/v1.1/Things?%24expand=Locations&%24top=2", "things_1"),
        ("/v1.1/Things?$top=2&$skip=1&$expand=Locations", "things_2"),
        ("/v1.1/Datastreams?%24top=2", "datastreams"),
        (
            &format!("/v1.1/Datastreams(11)/Observations?{expand}"),
            "observations_11_1",
        ),
        (
            "/v1.1/Datastreams(11)/Observations?$skip=2",
            "observations_11_2",
        ),
        (
            &format!("/v1.1/Datastreams('s''2')/Observations?{expand}"),
            "observations_s2",
        ),
    ];
    let answers = answers.map(|(target, file)| {
        (
            target.to_owned(),
            recording(&format!("sensorthings/{file}.json")),
        )
    });
    let served = Served::start(answers.to_vec());
    let project = from(&format!(
        "  connector: sensorthings\n  url: {}/v1.1\n  page_size: 2\n  allow_private: true\n",
        served.url()
    ));
    insta::assert_snapshot!("sensorthings_stations", lines(&project, STATIONS));
    insta::assert_snapshot!("sensorthings_observations", lines(&project, OBSERVATIONS));
    // A second run begins with each datastream's last observation, of which this server knows nothing.
    assert_eq!(project.count("environment.observations"), 4);
}

#[test]
fn rivers_of_hub_eau() {
    let path = "/hydrometrie/observations_tr?code_entite=";
    let answers = [
        ("F700000103", "seine_1"),
        ("F700000103&cursor=AW10", "seine_2"),
        ("F664000104", "marne"),
    ];
    let answers = answers.map(|(query, file)| {
        let body = recording(&format!("hub_eau/{file}.json"));
        (format!("{path}{query}"), body)
    });
    let served = Served::start(answers.to_vec());
    let project = from(&format!(
        "  connector: hub_eau\n  url: {}/hydrometrie\n  stations: [F700000103, F664000104]\n  allow_private: true\n",
        served.url()
    ));
    insta::assert_snapshot!("hub_eau_observations", lines(&project, OBSERVATIONS));
}

#[test]
fn a_month_of_openaqs_archive() {
    let folder = "/records/csv.gz/locationid=2161292/year=2024/month=01";
    let prefix = folder
        .trim_start_matches('/')
        .replace('/', "%2F")
        .replace('=', "%3D");
    let file = |day: &str| {
        let name = format!("location-2161292-{day}.csv.gz");
        (
            format!("{folder}/{name}"),
            recording(&format!("openaq/{name}")),
        )
    };
    let list = recording("openaq/list_2024-01.xml");
    let answers = vec![
        (format!("/?list-type=2&prefix={prefix}%2F"), list),
        file("20240101"),
        file("20240102"),
    ];
    let served = Served::start(answers);
    let project = from(&format!(
        "  connector: openaq\n  url: {}\n  allow_private: true\n  archive: {{ locations: [2161292], start: 2024-01, end: 2024-01 }}\n",
        served.url()
    ));
    insta::assert_snapshot!("openaq_archive_stations", lines(&project, STATIONS));
    insta::assert_snapshot!("openaq_archive_observations", lines(&project, OBSERVATIONS));
}

#[test]
fn a_forecast_is_marked_where_the_table_allows_it() {
    let place = "/v1/forecast?latitude=20.86&longitude=106.68";
    let hourly = "hourly=temperature_2m%2Crelative_humidity_2m%2Cpm2_5&timezone=GMT&format=csv";
    let served = Served::start(vec![
        (
            format!("{place}&timezone=auto"),
            recording("open_meteo/place.json"),
        ),
        (
            format!("{place}&{hourly}"),
            recording("open_meteo/hourly.csv"),
        ),
    ]);
    let source = format!(
        "source:\n  connector: open_meteo\n  url: {}/v1/forecast\n  allow_private: true\n  locations:\n    - {{ id: hai-phong, name: Hải Phòng, latitude: 20.86, longitude: 106.68 }}\n  \
         hourly: [temperature_2m, relative_humidity_2m, pm2_5]\ntables:\n  environment.stations: {{ from: stations }}\n  environment.observations:\n    from: observations\n",
        served.url()
    );
    let marked = loaded(
        "environment",
        &format!("{source}on_reject: {{ rules: {{ future: {{ severity: warn }} }} }}\n"),
    );
    insta::assert_snapshot!("open_meteo_stations", lines(&marked, STATIONS));
    insta::assert_snapshot!("open_meteo_observations", lines(&marked, OBSERVATIONS));
    let strict = loaded(
        "environment",
        &format!("{source}on_reject: {{ max_share: 1 }}\n"),
    );
    assert_eq!(strict.count("environment.observations"), 5);
}

#[test]
fn days_of_a_sensor_are_read_once() {
    let day = |day: &str, value: &str| {
        let text = format!(
            "sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2\n\
             1;SDS011;7;10.7;106.7;{day}T09:21:52;{value};;;27.22;;\n"
        );
        (
            format!("/{day}/{day}_sds011_sensor_1.csv"),
            text.into_bytes(),
        )
    };
    let served = Served::start(vec![day("2018-10-08", "31.5"), day("2018-10-10", "30.5")]);
    let project = from(&format!(
        "  connector: sensor_community\n  layout: archive\n  allow_private: true\n  \
         days: {{ sensors: [sds011_sensor_1], start: 2018-10-08, end: 2018-10-10, url: {} }}\n",
        served.url()
    ));
    insta::assert_snapshot!("sensor_community_days", lines(&project, OBSERVATIONS));
    project.run(&["demo"]).ok();
    assert_eq!(project.count("environment.observations"), 4);
}

#[test]
fn every_example_of_the_environment_validates() {
    let (project, found) = examples("environment");
    assert_eq!(found, 9);
    let mut command = project.command(&["validate"]);
    command.env("OPENAQ_KEY", "k");
    Done::of(command).ok();
}
