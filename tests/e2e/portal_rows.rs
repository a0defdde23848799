//! Rows of portals through the binary: what is new, what was revised, and what is asked for part by part.

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::Project;
use crate::served;

/// Counts by station and hour; a later one of the same key revises.
const CONTRACT: &str = r#"{
  "title": "Counts",
  "fields": [
    { "name": "station", "type": "string", "title": "Station", "constraints": { "required": true } },
    { "name": "hour", "type": "string", "title": "Hour", "constraints": { "required": true } },
    { "name": "vehicles", "type": "integer", "title": "Vehicles" }
  ],
  "missingValues": [""],
  "primaryKey": ["station", "hour"],
  "sectorlake": { "version": "1.0.0", "title": { "vi": "Lượt xe", "en": "Counts" } }
}"#;

struct Source {
    runtime: Runtime,
    server: MockServer,
}

impl Source {
    fn start() -> Self {
        let (runtime, server) = served::server();
        Self { runtime, server }
    }

    fn answers(&self, mock: wiremock::MockBuilder, answer: &Value) {
        let mock = mock.respond_with(ResponseTemplate::new(200).set_body_json(answer));
        self.runtime.block_on(mock.mount(&self.server));
    }

    fn forgets(&self) {
        self.runtime.block_on(self.server.reset());
    }

    /// Addresses asked for since the last [`Self::forgets`].
    fn asked(&self) -> Vec<String> {
        let requests = self
            .runtime
            .block_on(self.server.received_requests())
            .unwrap();
        requests
            .iter()
            .map(|request| request.url.to_string())
            .collect()
    }

    /// A project whose counts come from here, as `source` says.
    fn project(&self, source: &str, map: &str) -> Project {
        let project = Project::empty();
        let uri = self.server.uri();
        let source = source.replace("URI", &uri).replace('\n', "\n  ");
        project.file("schemas/traffic/counts.json", CONTRACT).file(
            "pipelines/traffic/counts.yaml",
            format!("source:\n  {source}\n  allow_private: true\ntables:\n  traffic.counts:\n    load: merge\n    {map}\n"),
        );
        project
    }
}

fn get(at: &str) -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path(at))
}

fn vehicles(project: &Project) -> Vec<(String, i64)> {
    let rows =
        project.sql("SELECT station || ' ' || hour AS k, vehicles FROM traffic.counts ORDER BY k");
    rows.iter()
        .map(|row| {
            (
                row["k"].as_str().unwrap().to_owned(),
                row["vehicles"].as_i64().unwrap(),
            )
        })
        .collect()
}

fn expected(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter()
        .map(|(key, vehicles)| ((*key).to_owned(), *vehicles))
        .collect()
}

#[test]
fn newer_rows_of_a_datastore_come_and_revised_ones_count() {
    let source = Source::start();
    let api = || get("/api/3/action/datastore_search");
    let page = |rows: &[(&str, &str, i64)], total: usize| {
        let records: Vec<Value> = rows
            .iter()
            .map(|(hour, at, n)| json!({ "_id": 1, "st": "A", "h": hour, "n": n, "at": at }))
            .collect();
        json!({ "success": true, "result": { "records": records, "total": total, "limit": 2 } })
    };
    source.answers(
        api().and(query_param("offset", "0")),
        &page(&[("03", "2025-01-03", 3), ("02", "2025-01-02", 2)], 3),
    );
    source.answers(
        api().and(query_param("offset", "2")),
        &page(&[("01", "2025-01-01", 1)], 3),
    );
    let project = source.project(
        "connector: ckan\nurl: URI\nresources: { id: t1 }\n\
         datastore: { page_size: 2, incremental: { field: at, kind: time, lookback: 1d } }",
        "map: SELECT st AS station, h AS hour, n AS vehicles FROM source",
    );
    project.run(&["counts"]).ok();
    assert_eq!(
        vehicles(&project),
        expected(&[("A 01", 1), ("A 02", 2), ("A 03", 3)])
    );

    // The row of the second was revised; what is older than the window is not asked for.
    source.forgets();
    source.answers(
        api().and(query_param("offset", "0")),
        &page(&[("04", "2025-01-04", 4), ("02", "2025-01-03", 20)], 4),
    );
    source.answers(
        api().and(query_param("offset", "2")),
        &page(&[("03", "2025-01-03", 3), ("01", "2025-01-01", 1)], 4),
    );
    project.run(&["counts"]).ok();
    assert_eq!(
        vehicles(&project),
        expected(&[("A 01", 1), ("A 02", 20), ("A 03", 3), ("A 04", 4)])
    );
    assert_eq!(source.asked().len(), 2);

    // Everything that is stored is what all runs fetched.
    project.run(&["counts"]).ok();
    assert_eq!(project.count("traffic.counts"), 4);
}

#[test]
fn a_column_that_a_page_leaves_out_is_empty() {
    let source = Source::start();
    let view =
        json!({ "columns": [{ "fieldName": "st" }, { "fieldName": "h" }, { "fieldName": "n" }] });
    source.answers(get("/api/views/abcd-1234.json"), &view);
    let rows = || get("/resource/abcd-1234.json");
    let row = |h: &str, at: &str| json!([{ ":updated_at": at, "st": "A", "h": h }]);
    source.answers(
        rows().and(query_param_is_missing("$where")),
        &row("01", "2025-01-01T00:00:00.000Z"),
    );
    let project = source.project(
        "connector: socrata\nurl: URI\ndataset: abcd-1234\nincremental: {}",
        "map: SELECT st AS station, h AS hour, n AS vehicles FROM source",
    );
    // No row has a count, so that the answer has no such key at all.
    project.run(&["counts"]).ok();
    let since = ":updated_at >= '2025-01-01T00:00:00Z'";
    let later =
        json!([{ ":updated_at": "2025-01-02T00:00:00.000Z", "st": "A", "h": "02", "n": "7" }]);
    source.answers(rows().and(query_param("$where", since)), &later);
    project.run(&["counts"]).ok();
    let rows = project.sql("SELECT hour, vehicles FROM traffic.counts ORDER BY hour");
    assert_eq!(
        rows,
        [
            json!({ "hour": "01", "vehicles": null }),
            json!({ "hour": "02", "vehicles": 7 })
        ]
    );
}

#[test]
fn stations_are_asked_one_by_one_and_each_goes_on_by_itself() {
    let source = Source::start();
    let stations = json!({ "data": [{ "id": "A" }, { "id": "B" }] });
    source.answers(get("/v1/stations"), &stations);
    let readings = |station: &str, from: usize, hours: &[&str]| {
        let items: Vec<Value> = hours
            .iter()
            .map(|hour| json!({ "st": station, "h": hour, "n": from }))
            .collect();
        json!({ "items": items })
    };
    for station in ["A", "B"] {
        let at = format!("/v1/stations/{station}/readings");
        let page = |offset: &str| {
            get(&at)
                .and(query_param("offset", offset))
                .and(query_param_is_missing("since"))
        };
        source.answers(
            page("0"),
            &readings(
                station,
                1,
                &["2025-01-01T01:00:00Z", "2025-01-01T02:00:00Z"],
            ),
        );
        source.answers(page("2"), &readings(station, 1, &["2025-01-01T03:00:00Z"]));
    }
    let project = source.project(
        "connector: rest\nurl: URI/v1\npath: stations/{partition}/readings\nrecords: items\n\
         partitions: { over: { url: stations, records: data, field: id } }\n\
         paging: { style: offset, size: 2 }\n\
         incremental: { kind: time, parameter: since, field: \"items[*].h\" }",
        "map: SELECT st AS station, h AS hour, n AS vehicles FROM source",
    );
    project.run(&["counts"]).ok();
    assert_eq!(project.count("traffic.counts"), 6);

    // B has something new, A nothing, and a third station has come.
    source.forgets();
    source.answers(
        get("/v1/stations"),
        &json!({ "data": [{ "id": "A" }, { "id": "B" }, { "id": "C" }] }),
    );
    let since = |station: &str| {
        get(&format!("/v1/stations/{station}/readings"))
            .and(query_param("since", "2025-01-01T03:00:00Z"))
    };
    source.answers(since("A"), &readings("A", 1, &[]));
    source.answers(since("B"), &readings("B", 2, &["2025-01-01T04:00:00Z"]));
    source.answers(
        get("/v1/stations/C/readings").and(query_param_is_missing("since")),
        &readings("C", 1, &["2025-01-01T04:00:00Z"]),
    );
    project.run(&["counts"]).ok();
    assert_eq!(project.count("traffic.counts"), 8, "{:?}", source.asked());
    assert_eq!(
        project.number("SELECT max(vehicles) FROM traffic.counts WHERE station = 'B'"),
        2
    );
}
