//! The `http` connector through the binary: a server on this machine, asked politely.

use tokio::runtime::Runtime;
use wiremock::matchers::{header, header_exists, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Project, assert_said};
use crate::samples::{CLINICS, CLINICS_CONTRACT, CLINICS_CONTRACT_FILE};
use crate::served;

/// A server with its runtime.
struct Server {
    runtime: Runtime,
    server: MockServer,
}

impl Server {
    fn start() -> Self {
        let (runtime, server) = served::server();
        Self { runtime, server }
    }

    fn answers(&self, mock: Mock) {
        self.runtime.block_on(mock.mount(&self.server));
    }

    fn requests(&self) -> Vec<wiremock::Request> {
        self.runtime
            .block_on(self.server.received_requests())
            .unwrap()
    }

    /// A project that fetches clinics from here.
    fn project(&self, query: &str) -> Project {
        let project = Project::empty();
        project.file(CLINICS_CONTRACT_FILE, CLINICS_CONTRACT).file(
            "pipelines/health/clinics.yaml",
            format!(
                "source:\n  connector: http\n  url: {}/clinics.csv{query}\n  allow_private: true\n  format: csv\n\
                 tables:\n  health.clinics:\n    load: replace\n    map: SELECT id AS clinic_id, name, level, beds, opened FROM source\n",
                self.server.uri()
            ),
        );
        project
    }
}

fn get() -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path("/clinics.csv"))
}

#[test]
fn asked_again_only_for_what_is_new() {
    let server = Server::start();
    server.answers(
        get()
            .and(header("if-none-match", "\"v1\""))
            .respond_with(ResponseTemplate::new(304))
            .with_priority(1),
    );
    let whole = ResponseTemplate::new(200)
        .insert_header("etag", "\"v1\"")
        .set_body_raw(CLINICS, "text/csv");
    server.answers(get().and(header_exists("user-agent")).respond_with(whole));
    let project = server.project("");
    project.run(&["clinics"]).ok();
    assert_eq!(project.count("health.clinics"), 12);
    let second = project.run(&["clinics"]).ok();
    assert!(second.says("unchanged"), "{}", second.whole());
    assert_eq!(project.snapshots(), 1);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests[0].headers["user-agent"]
            .to_str()
            .unwrap()
            .contains("sectorlake")
    );
}

#[test]
fn page_of_an_outage_is_no_data() {
    let server = Server::start();
    let page = ResponseTemplate::new(200).set_body_raw(
        "<!DOCTYPE html><html><body>Bảo trì hệ thống</body></html>",
        "text/html",
    );
    server.answers(get().respond_with(page));
    let project = server.project("");
    let done = project.run(&["clinics"]).exits(4);
    project.has_published_nothing();
    assert_said!(masked(done, &server));
}

#[test]
fn file_that_is_gone() {
    let server = Server::start();
    let project = server.project("");
    let done = project.run(&["clinics"]).exits(4);
    project.has_published_nothing();
    assert_said!(masked(done, &server));
}

#[test]
fn secret_in_a_url_is_told_nowhere() {
    let server = Server::start();
    server
        .answers(get().respond_with(ResponseTemplate::new(200).set_body_raw(CLINICS, "text/csv")));
    let project = server.project("?api_key=sesame-4711");
    let done = project.run(&["clinics"]).ok();
    assert!(!done.says("sesame-4711"), "{}", done.whole());
    for (path, bytes) in lake_files(&project.lake()) {
        let is_there = bytes.windows(11).any(|it| it == b"sesame-4711");
        assert!(!is_there, "{} tells the secret", path.display());
    }
}

#[test]
fn a_portal_that_moved_is_told_and_hears_whom_to_write_to() {
    let server = Server::start();
    let moved = ResponseTemplate::new(301).insert_header("location", "/data/clinics.csv");
    server.answers(get().respond_with(moved));
    let found = ResponseTemplate::new(200).set_body_raw(CLINICS, "text/csv");
    server.answers(
        Mock::given(method("GET"))
            .and(path("/data/clinics.csv"))
            .and(header("from", "data@city.example"))
            .respond_with(found),
    );
    let project = server.project("");
    project.file("pipelines/sectorlake.yaml", "contact: data@city.example\n");
    let done = project.run(&["clinics"]).ok();
    assert_eq!(project.count("health.clinics"), 12);
    let note = format!(
        "{0}/clinics.csv has moved for good: write {0}/data/clinics.csv in its place",
        server.server.uri()
    );
    assert!(done.says(&note), "{}", done.whole());
}

fn lake_files(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(lake_files(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

/// The server's port differs from run to run.
fn masked(mut done: crate::harness::Done, server: &Server) -> crate::harness::Done {
    for text in [&mut done.stdout, &mut done.stderr] {
        *text = text.replace(&server.server.uri(), "http://server");
    }
    done
}
