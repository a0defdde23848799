//! What a portal offers, listed and drafted through the binary: a CKAN-like server on this machine.

use std::fs;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Done, Project};
use crate::samples::{CLINICS, CLINICS_CONTRACT, CLINICS_CONTRACT_FILE};
use crate::served;

/// A portal with its runtime.
struct Portal {
    runtime: Runtime,
    server: MockServer,
}

impl Portal {
    /// Two datasets: one with the clinics as CSV beside a manual, one of which only a manual is left.
    fn start() -> Self {
        let (runtime, server) = served::server();
        let portal = Self { runtime, server };
        let uri = portal.server.uri();
        let resource = |id: &str, format: &str, file: &str| json!({ "id": id, "name": file, "format": format, "url": format!("{uri}/files/{file}"), "state": "active" });
        let clinics = json!({
            "name": "co-so-y-te", "title": "Cơ sở y tế thành phố", "license_id": "cc-by", "notes": "Danh sách",
            "metadata_modified": "2025-01-02T03:04:05", "organization": { "title": "Sở Y tế" }, "tags": [{ "name": "y tế" }],
            "resources": [resource("1", "PDF", "manual.pdf"), resource("2", "CSV", "clinics.csv")],
        });
        let beaches = json!({ "name": "bai-bien", "title": "Bãi biển", "resources": [resource("3", "PDF", "b.pdf")] });
        let found = json!({ "count": 2, "results": [beaches, clinics] });
        let api =
            |action: &str| Mock::given(method("GET")).and(path(format!("/api/3/action/{action}")));
        let answer = |result: &Value| {
            ResponseTemplate::new(200).set_body_json(json!({ "success": true, "result": result }))
        };
        portal.answers(api("package_search").respond_with(answer(&found)));
        for package in [&clinics, &beaches] {
            let name = package["name"].as_str().unwrap();
            portal.answers(
                api("package_show")
                    .and(query_param("id", name))
                    .respond_with(answer(package)),
            );
        }
        let file = Mock::given(method("GET")).and(path("/files/clinics.csv"));
        portal.answers(
            file.respond_with(ResponseTemplate::new(200).set_body_raw(CLINICS, "text/csv")),
        );
        portal
    }

    fn answers(&self, mock: Mock) {
        self.runtime.block_on(mock.mount(&self.server));
    }

    fn uri(&self) -> String {
        self.server.uri()
    }
}

fn project() -> Project {
    let project = Project::empty();
    project.file(CLINICS_CONTRACT_FILE, CLINICS_CONTRACT);
    project
}

#[test]
fn a_portal_is_listed_and_what_is_chosen_is_drafted_and_runs() {
    let (portal, project) = (Portal::start(), project());
    let uri = portal.uri();
    let listed = project.sectorlake(&["discover", &uri]).ok();
    for said in [
        "co-so-y-te",
        "Cơ sở y tế thành phố",
        "Sở Y tế",
        "cc-by",
        "csv pdf",
        "2 datasets of",
    ] {
        assert!(listed.says(said), "{said}: {}", listed.whole());
    }
    let rows = project
        .sectorlake(&["discover", &uri, "--search", "Y TẾ", "--format", "ndjson"])
        .ok()
        .rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["url"], json!(format!("{uri}/dataset/co-so-y-te")));

    let drafted = project
        .sectorlake(&["discover", &uri, "--write", "co-so-y-te"])
        .ok();
    let file = "pipelines/drafts/co-so-y-te-thanh-pho.yaml";
    assert!(
        drafted.says(&format!("wrote {file}")),
        "{}",
        drafted.whole()
    );
    let text = fs::read_to_string(project.path(file)).unwrap();
    for line in [
        "title: { vi: Cơ sở y tế thành phố, en: Cơ sở y tế thành phố }",
        "licence: cc-by",
        "connector: ckan",
        "dataset: co-so-y-te",
        "allow_private: [\"127.0.0.1\"]",
        "from: clinics.csv",
        "health.clinics:",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let again = project
        .sectorlake(&["discover", &uri, "--write", "co-so-y-te"])
        .ok();
    let said = format!("drafted already: {file}");
    assert!(again.says(&said), "{}", again.whole());
    let drafts = fs::read_dir(project.path("pipelines/drafts")).unwrap();
    assert_eq!(drafts.count(), 1);
    project.run(&["co-so-y-te-thanh-pho"]).ok();
    assert_eq!(project.count("health.clinics"), 12);
}

/// Its table is a draft too, and no table that a second draft would be taken for.
#[test]
fn a_dataset_is_drafted_once() {
    let (portal, project) = (Portal::start(), Project::empty());
    let uri = portal.uri();
    let both = ["discover", &uri, "--write", "co-so-y-te", "co-so-y-te"];
    let written = project.sectorlake(&both).ok();
    let file = "pipelines/drafts/co-so-y-te-thanh-pho.yaml";
    for said in [format!("wrote {file}"), format!("drafted already: {file}")] {
        assert!(written.says(&said), "{said}: {}", written.whole());
    }
    for folder in ["pipelines/drafts", "schemas/drafts"] {
        let drafts = fs::read_dir(project.path(folder)).unwrap();
        assert_eq!(drafts.count(), 1, "{folder}");
    }
    let json = project.sectorlake(&[&both[..4], &["--json"]].concat());
    assert_eq!(json.json()[0]["drafted_already"], json!(file));
}

#[test]
fn a_page_of_a_dataset_is_a_source() {
    let (portal, project) = (Portal::start(), project());
    let page = format!("{}/dataset/co-so-y-te", portal.uri());
    project
        .sectorlake(&["new", "source", &page, "--name", "clinics"])
        .ok();
    project.run(&["clinics"]).ok();
    assert_eq!(project.count("health.clinics"), 12);
}

#[test]
fn what_cannot_be_drafted_keeps_nothing_else_from_it() {
    let (portal, project) = (Portal::start(), project());
    let uri = portal.uri();
    let some = project
        .sectorlake(&["discover", &uri, "--write", "bai-bien", "co-so-y-te"])
        .exits(3);
    assert!(
        some.says("of the 1 resources that the portal names"),
        "{}",
        some.whole()
    );
    assert!(
        project
            .path("pipelines/drafts/co-so-y-te-thanh-pho.yaml")
            .exists()
    );
    let none = project
        .sectorlake(&["discover", &uri, "--write", "co-so-y-t"])
        .exits(2);
    assert!(
        none.says("did you mean \"co-so-y-te\"?"),
        "{}",
        none.whole()
    );
}

#[test]
fn a_catalogue_that_wants_a_key_gets_it_and_a_site_without_one_is_told() {
    let (portal, project) = (Portal::start(), project());
    let turtle = "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n<a> a dcat:Dataset ; dct:title \"Một\" .";
    let closed = Mock::given(method("GET")).and(path("/closed.ttl"));
    portal.answers(
        closed
            .and(header("x-key", "s3cret"))
            .respond_with(ResponseTemplate::new(200).set_body_raw(turtle, "text/turtle")),
    );
    let url = format!("{}/closed.ttl", portal.uri());
    let mut command = project.command(&[
        "discover",
        &url,
        "--header",
        "X-Key: ${env:PORTAL_KEY}",
        "--format",
        "json",
    ]);
    command.env("PORTAL_KEY", "s3cret");
    let done = crate::harness::Done::of(command).ok();
    assert!(
        done.says("\"title\": \"Một\"") && !done.says("s3cret"),
        "{}",
        done.whole()
    );

    let other = portal.runtime.block_on(MockServer::start());
    let done = project.sectorlake(&["discover", &other.uri()]).exits(4);
    assert!(done.says("no catalogue is found here"), "{}", done.whole());
}

/// A catalogue is a stranger's word: what it names in a private network is not reached, save on the host that was typed.
#[test]
fn a_catalogue_leads_nobody_into_private_networks() {
    let (portal, project) = (Portal::start(), project());
    let elsewhere = portal.uri().replace("127.0.0.1", "localhost");
    let entry = |id: &str, url: String| json!({ "identifier": id, "title": id, "distribution": [{ "downloadURL": url }] });
    let listed = json!({ "dataset": [
        entry("inside", "http://169.254.169.254/latest/meta-data.csv".to_owned()),
        entry("elsewhere", format!("{elsewhere}/files/clinics.csv")),
        entry("own", format!("{}/files/clinics.csv", portal.uri())),
    ] });
    let answer = ResponseTemplate::new(200).set_body_json(listed);
    portal.answers(
        Mock::given(method("GET"))
            .and(path("/data.json"))
            .respond_with(answer),
    );
    let url = format!("{}/data.json", portal.uri());
    for id in ["inside", "elsewhere"] {
        let done = project
            .sectorlake(&["discover", &url, "--write", id])
            .exits(4);
        assert!(done.says("private network"), "{id}: {}", done.whole());
    }
    project
        .sectorlake(&["discover", &url, "--write", "own"])
        .ok();
    assert!(project.path("pipelines/drafts/own.yaml").exists());
}

#[test]
fn a_catalogue_reads_neither_files_nor_secrets_of_this_machine() {
    let (portal, project) = (Portal::start(), project());
    let uri = portal.uri();
    project.file("private.csv", CLINICS);
    let private = project.path("private.csv");
    let entry = |id: &str, url: String| json!({ "identifier": id, "title": id, "distribution": [{ "downloadURL": url }] });
    let listed = json!({ "dataset": [
        entry("variable", format!("{uri}/files/clinics.csv?x=${{env:PGPW}}")),
        entry("encoded", format!("{uri}/files/clinics.csv?x=%24%7Benv:PGPW%7D")),
        entry("database", "postgres://pg:${env:PGPW}@127.0.0.1/db".to_owned()),
        entry("server", "postgres://pg@127.0.0.1/db".to_owned()),
        entry("file", format!("file://{}", private.display())),
        entry("path", private.display().to_string()),
        entry("up", "../private.csv".to_owned()),
        entry("near", "files/clinics.csv".to_owned()),
    ] });
    let answer = ResponseTemplate::new(200).set_body_json(listed);
    portal.answers(
        Mock::given(method("GET"))
            .and(path("/data.json"))
            .respond_with(answer),
    );
    let url = format!("{uri}/data.json");
    for id in [
        "variable", "encoded", "database", "server", "file", "path", "up",
    ] {
        let mut command = project.command(&["discover", &url, "--write", id]);
        command.env("PGPW", "sup3rsecret");
        let done = Done::of(command).exits(4);
        assert!(!done.says("sup3rsecret"), "{id}: {}", done.whole());
        assert!(
            !project
                .path(&format!("pipelines/drafts/{id}.yaml"))
                .exists()
        );
    }
    let asked = portal.runtime.block_on(portal.server.received_requests());
    for request in asked.unwrap_or_default() {
        let address = request.url.as_str();
        assert!(
            !address.contains("sup3rsecret") && !address.contains("env:"),
            "{address}"
        );
    }
    let done = project
        .sectorlake(&["discover", &url, "--format", "json"])
        .ok();
    assert!(
        done.says("links to file://, which is not fetched here"),
        "{}",
        done.whole()
    );
    project
        .sectorlake(&["discover", &url, "--write", "near"])
        .ok();
    let drafted = fs::read_to_string(project.path("pipelines/drafts/near.yaml")).unwrap();
    assert!(
        drafted.contains(&format!("{uri}/files/clinics.csv")),
        "{drafted}"
    );
}
