//! Connectors of portals, over the wire, into the shared tables.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Done, Project, repository};
use crate::paged::Source;

fn file(name: &str) -> String {
    fs::read_to_string(repository().join("tests").join(name)).unwrap()
}

/// A project with one pipeline on this server, run.
fn loaded(source: &Source, pipeline: &str) -> Project {
    let project = Project::empty();
    let pipeline = pipeline.replace("SERVER", &source.address);
    project.file(
        "pipelines/portal/demo.yaml",
        format!("source:\n  allow_private: true\n  rate: {{ per_second: 1000 }}\n{pipeline}"),
    );
    project.run(&["demo"]).ok();
    project
}

/// The values of an answer's rows, `|` between them.
fn lines(project: &Project, statement: &str) -> String {
    let line = |row: &Value| {
        let values = row.as_object().unwrap().values();
        let texts = values.map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        });
        texts.collect::<Vec<_>>().join(" | ")
    };
    let rows = project.sql(statement);
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn entities_are_observations_stations_and_traffic_counts() {
    let source = Source::start();
    let air = file("data/environment/ngsi_ld/AirQualityObserved.example-normalized.jsonld");
    let road = json!([{
        "id": "urn:ngsi-ld:TrafficFlowObserved:1", "type": "TrafficFlowObserved",
        "refRoadSegment": { "type": "Relationship", "object": "urn:ngsi-ld:RoadSegment:HP-1" },
        "laneId": { "type": "Property", "value": 1 }, "laneDirection": { "type": "Property", "value": "forward" },
        "vehicleType": { "type": "Property", "value": "motorcycle" },
        "dateObserved": { "type": "Property", "value": "2025-03-01T07:00:00Z/2025-03-01T07:15:00Z" },
        "intensity": { "type": "Property", "value": 197 }, "occupancy": { "type": "Property", "value": 0.76 },
        "location": { "type": "GeoProperty", "value": { "type": "Point", "coordinates": [106.68, 20.86] } }
    }]);
    let target = |kind: &str| format!("/ngsi-ld/v1/entities?type={kind}&limit=1000&offset=0");
    source.says(&target("AirQualityObserved"), &format!("[{air}]"));
    source.says(&target("TrafficFlowObserved"), &road.to_string());
    let pipeline =
        "  connector: ngsi_ld\n  url: SERVER\n  types: [AirQualityObserved, TrafficFlowObserved]\n";
    let project = loaded(&source, pipeline);
    insta::assert_snapshot!(lines(
        &project,
        "SELECT observed_property, phenomenon_time, result, unit, locality, country, latitude FROM environment.observations \
         JOIN environment.stations USING (station_id) ORDER BY observed_property",
    ));
    insta::assert_snapshot!(lines(
        &project,
        "SELECT site_id, direction, vehicle_type, period_start, period_length, vehicle_count, occupancy FROM transport.traffic_counts",
    ));
}

#[test]
fn a_dataflow_is_indicators() {
    let source = Source::start();
    source.says(
        "/rest/dataflow/UIS/DF_OOS/1.0?references=children",
        &file("recordings/sdmx/df_oos_structure.xml"),
    );
    source.says(
        "/rest/data/UIS,DF_OOS,1.0/all",
        &file("recordings/sdmx/schools.csv"),
    );
    let pipeline = "  connector: sdmx\n  url: SERVER/rest\n  flow: UIS,DF_OOS,1.0\n  indicators: { name: Out of school }\n";
    insta::assert_snapshot!(lines(
        &loaded(&source, pipeline),
        "SELECT indicator_code, ref_area, time_period, freq, dimensions, obs_value, unit_measure, obs_status, comment_obs \
         FROM common.indicators ORDER BY time_period, dimensions",
    ));
}

#[test]
fn dataflows_are_listed_drafted_and_run() {
    let source = Source::start();
    let structure = file("recordings/sdmx/df_oos_structure.xml");
    source.says("/rest", "<!DOCTYPE html><title>SDMX web service</title>");
    source.says("/rest/dataflow/all/all/latest", &structure);
    let of_one = "/rest/dataflow/UIS/DF_OOS/1.0?references=children";
    source.says(of_one, &structure);
    source.says(
        "/rest/data/UIS,DF_OOS,1.0/all",
        &file("recordings/sdmx/schools.csv"),
    );
    let (project, service) = (Project::empty(), format!("{}/rest", source.address));
    let listed = project.sectorlake(&["discover", &service]).ok();
    assert!(listed.says("1 dataset of"), "{}", listed.whole());
    let name = "Children & adolescents out of school";
    assert!(listed.says(name), "{}", listed.whole());
    project
        .sectorlake(&["discover", &service, "--write", "UIS,DF_OOS,1.0"])
        .ok();
    project.run(&["children-adolescents-out-of-school"]).ok();
    // Girls and boys are rows of their own, though nobody named a dimension.
    assert_eq!(project.count("common.indicators"), 3);
}

const PLACES: &str = r#"{
  "fields": [{ "name": "id", "type": "string" }, { "name": "name", "type": "string" }, { "name": "location", "type": "geojson" }],
  "primaryKey": ["id"]
}"#;

/// The ids, names and shapes that a stream of features gives.
fn places(source: &Source, settings: &str, from: &str, map: &str) -> String {
    let project = Project::empty();
    let settings = settings.replace("SERVER", &source.address);
    project.file("schemas/geo/features.json", PLACES).file(
        "pipelines/geo/demo.yaml",
        format!(
            "source:\n  allow_private: true\n  rate: {{ per_second: 1000 }}\n{settings}tables:\n  geo.features:\n    from: {from}\n    load: replace\n    map: {map}\n"
        ),
    );
    project.run(&["demo"]).ok();
    lines(
        &project,
        "SELECT count(*) AS a, count(name) AS b, min(id) AS c, sum(ST_NPoints(location)) AS d FROM geo.features",
    )
}

#[test]
fn features_of_three_protocols_are_rows() {
    let source = Source::start();
    let wfs = "service=WFS&version=2.0.0&request=GetFeature&typeNames=hp%3Aroads&srsName=urn%3Aogc%3Adef%3Acrs%3AEPSG%3A%3A4326&count=2&startIndex=";
    source.says(
        "/wfs?service=WFS&request=GetCapabilities&version=2.0.0",
        &file("recordings/wfs/capabilities.xml"),
    );
    source.says(&format!("/wfs?{wfs}0"), &file("recordings/wfs/roads_1.gml"));
    source.says(&format!("/wfs?{wfs}2"), &file("recordings/wfs/roads_2.gml"));
    let settings = "  connector: wfs\n  url: SERVER/wfs\n  types: [\"hp:roads\"]\n  format: gml\n  page_size: 2\n";
    assert_eq!(
        places(
            &source,
            settings,
            "hp:roads",
            "SELECT id, name, geometry AS location FROM source"
        ),
        "3 | 3 | roads.1 | 6"
    );

    let layer = "/arcgis/rest/services/D/FeatureServer/0";
    source.says(
        &format!("{layer}?f=json"),
        &file("data/common/arcgis_layer_no_geometry_metadata.json"),
    );
    let query = "query?where=1%3D1&outFields=*&outSR=4326&f=json&orderByFields=objectid&resultRecordCount=1000&resultOffset=";
    source.says(
        &format!("{layer}/{query}0"),
        &file("data/common/arcgis_query_no_geometry.json"),
    );
    let end = json!({ "fields": [], "features": [] });
    source.says(&format!("{layer}/{query}1000"), &end.to_string());
    let settings = format!("  connector: arcgis\n  url: SERVER{layer}\n");
    let map = "SELECT objectid AS id, description AS name, geometry AS location FROM source";
    let found = places(&source, &settings, "features", map);
    assert!(
        found.starts_with("1000 | ") && found.ends_with(" | 838"),
        "{found}"
    );

    let answers: Value = serde_json::from_str(&file(
        "data/environment/usgs_ogc_api_features_responses.json",
    ))
    .unwrap();
    let items = "/ogc/collections/monitoring-locations/items?f=json&limit=1000";
    source.says(items, &answers["monitoring-locations"].to_string());
    let settings =
        "  connector: ogc_features\n  url: SERVER/ogc\n  collections: [monitoring-locations]\n";
    let map = "SELECT id, monitoring_location_name AS name, geometry AS location FROM source";
    let found = places(&source, settings, "monitoring-locations", map);
    assert!(found.starts_with("2 | 2 | "), "{found}");
}

#[test]
fn every_example_validates() {
    let crate_dir = repository().join("crates/connector-portal/src");
    let project = Project::empty();
    // The example of files here names one.
    project.file("inbox/schools/2025.csv", "ma_truong,ten_truong\n");
    let (mut found, mut keys) = (0, Vec::new());
    for entry in fs::read_dir(crate_dir).unwrap() {
        let path = entry.unwrap().path();
        let Ok(example) = fs::read_to_string(path.join("example.yaml")) else {
            continue;
        };
        let references = example.split("${env:").skip(1);
        keys.extend(references.map(|it| it.split('}').next().unwrap().to_owned()));
        let name = path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .replace('_', "-");
        project.file(&format!("pipelines/portal/{name}.yaml"), example);
        found += 1;
    }
    assert!(found >= 9);
    let mut command = project.command(&["validate"]);
    command.envs(keys.iter().map(|key| (key, "s3cr3t")));
    Done::of(command).ok();
}
