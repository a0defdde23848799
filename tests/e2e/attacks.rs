//! Sources and settings that mean harm, through the binary.

use crate::harness::{Done, Project};
use crate::samples::{CLINICS, CLINICS_CONTRACT, CLINICS_CONTRACT_FILE, SMALL_FEED, zip};
use crate::upstream::{Upstream, answer};

/// A project that fetches clinics as this `source:` says.
fn clinics(source: &str) -> Project {
    let project = Project::empty();
    project.file(CLINICS_CONTRACT_FILE, CLINICS_CONTRACT).file(
        "pipelines/health/clinics.yaml",
        format!(
            "source:\n  connector: http\n  format: csv\n{source}\ntables:\n  health.clinics:\n    load: replace\n    \
             map: SELECT id AS clinic_id, name, level, beds, opened FROM source\n"
        ),
    );
    project
}

fn whole() -> Upstream {
    Upstream::start(|_, _| answer(200, &["Content-Type: text/csv"], CLINICS))
}

/// A run that fails with this, and publishes nothing.
#[track_caller]
fn refused(project: &Project, pipeline: &str, code: i32, words: &str) -> Done {
    let done = project.run(&[pipeline]);
    assert_eq!(done.code, Some(code), "{}", done.whole());
    assert!(done.says(words), "{}", done.whole());
    assert!(!done.says("panicked"), "{}", done.whole());
    project.has_published_nothing();
    done
}

#[test]
fn names_and_numbers_of_this_machine_are_closed_unless_they_are_opened() {
    let server = whole();
    let port = server.port();
    for host in [
        "localhost",
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
    ] {
        let project = clinics(&format!("  url: http://{host}:{port}/clinics.csv"));
        refused(&project, "clinics", 4, "private network");
    }
    assert_eq!(server.asked().len(), 0);
    let project = clinics(&format!(
        "  url: http://127.0.0.1:{port}/clinics.csv\n  allow_private: [127.0.0.1]"
    ));
    project.run(&["clinics"]).ok();
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_redirect_leads_to_no_credentials_of_a_cloud() {
    for to in [
        "http://169.254.169.254/latest/meta-data/iam/",
        "http://[fd00:ec2::254]/latest/",
        "http://metadata.localhost/",
        "file:///etc/passwd",
    ] {
        let line = format!("Location: {to}");
        let server = Upstream::start(move |_, _| answer(302, &[&line], ""));
        let project = clinics(&format!(
            "  url: {}/clinics.csv\n  allow_private: [127.0.0.1]\n  attempts: 1",
            server.url()
        ));
        let done = refused(&project, "clinics", 4, "clinics.csv");
        assert!(
            [
                "private network",
                "a redirect (HTTP 302)",
                "there is no host",
                "no connection"
            ]
            .iter()
            .any(|why| done.says(why)),
            "{}",
            done.whole()
        );
    }
}

#[test]
fn settings_begin_no_header_of_their_own() {
    let server = whole();
    let url = server.url();
    for (settings, key) in [
        ("  headers: { x-a: \"1\\r\\nX-Evil: 1\" }", "headers.x-a"),
        (
            "  headers: { \"x-a\\r\\nX-Evil\": \"1\" }",
            "is no name of a header",
        ),
        ("  auth: { bearer: \"t\\r\\nX-Evil: 1\" }", "auth.bearer"),
        (
            "  auth: { header: { name: x-a, value: \"1\\nX-Evil: 1\" } }",
            "auth.header.value",
        ),
    ] {
        let project = clinics(&format!(
            "  url: {url}/clinics.csv\n  allow_private: true\n{settings}"
        ));
        refused(&project, "clinics", 2, key);
    }
    let address = format!("  url: \"{url}/clinics.csv?a=1\\r\\nX-Evil: 1\"\n  allow_private: true");
    refused(&clinics(&address), "clinics", 2, "holds a line break");
    assert_eq!(server.asked().len(), 0);
    // In what is encoded they are encoded.
    for settings in [
        format!(
            "  url: {url}/clinics.csv\n  auth: {{ query: {{ name: k, value: \"1\\r\\nX-Evil: 1\" }} }}"
        ),
        format!(
            "  url: {url}/clinics.csv\n  auth: {{ basic: {{ user: u, password: \"p\\r\\nX-Evil: 1\" }} }}"
        ),
    ] {
        clinics(&format!("{settings}\n  allow_private: true"))
            .run(&["clinics"])
            .ok();
    }
    for head in server.asked() {
        assert!(!head.to_ascii_lowercase().contains("\nx-evil"), "{head}");
    }
}

#[test]
fn a_feed_over_the_wire_climbs_out_of_nothing() {
    let mut members = SMALL_FEED.members();
    members.push(("../../../escaped.txt", "caught\n".to_owned()));
    members.push(("/escaped.txt", "caught\n".to_owned()));
    let members: Vec<_> = members
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    let feed = zip(&members);
    let name = "Content-Disposition: attachment; filename=\"../../../escaped.zip\"";
    let server = Upstream::start(move |_, _| answer(200, &[name], &feed));
    let project = Project::empty();
    project.file(
        "pipelines/transport/bus.yaml",
        format!(
            "source:\n  connector: gtfs\n  url: {}/feed.zip\n  allow_private: true\n",
            server.url()
        ),
    );
    refused(&project, "bus", 4, "escaped.txt");
    let mut above = project.root().to_owned();
    while above.pop() {
        for name in ["escaped.txt", "escaped.zip"] {
            assert!(!above.join(name).exists(), "{}", above.display());
        }
    }
}

#[test]
fn a_bomb_over_the_wire_does_not_go_off() {
    let mut bomb = b"id,name,level,beds,opened\nC1,".to_vec();
    bomb.resize(160 << 20, b'0');
    let packed = zip(&[("clinics.csv", &bomb)]);
    assert!(packed.len() < 1 << 20);
    let server = Upstream::start(move |_, _| answer(200, &[], &packed));
    let project = clinics(&format!(
        "  url: {}/clinics.zip\n  allow_private: true",
        server.url()
    ));
    let done = refused(&project, "clinics", 4, "clinics.csv");
    assert!(!done.says("memory"), "{}", done.whole());
}

#[test]
fn ten_million_pages_end_at_the_bound() {
    let server = Upstream::start(|before, _| {
        let next = before + 1;
        let page = format!(
            r#"{{"next":"/pages/{next}","total":10000000,"rows":[{{"id":"C{next}","name":"a","level":"commune","beds":"1","opened":""}}]}}"#
        );
        answer(200, &["Content-Type: application/json"], page)
    });
    let project = Project::empty();
    project.file(CLINICS_CONTRACT_FILE, CLINICS_CONTRACT).file(
        "pipelines/health/clinics.yaml",
        format!(
            "source:\n  connector: rest\n  url: {}/pages/0\n  allow_private: true\n  rate: {{ per_second: 1000 }}\n  \
             records: rows\n  paging: {{ style: next, next: next, pages_max: 60 }}\n\
             tables:\n  health.clinics:\n    load: replace\n    map: SELECT id AS clinic_id, name, level, beds, opened FROM source\n",
            server.url()
        ),
    );
    refused(&project, "clinics", 4, "pages_max");
    assert_eq!(server.asked().len(), 60);
}
