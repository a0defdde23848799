//! Runs that are held up in the middle of a fetch, by a server that answers when the test says so.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};

use crate::harness::{Done, Project, assert_said};
use crate::samples::{CLINICS, CLINICS_CONTRACT, CLINICS_CONTRACT_FILE};

/// A server, and a project that fetches from it.
struct Held {
    server: TcpListener,
    project: Project,
}

impl Held {
    fn new() -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let project = Project::empty();
        project
            .file(CLINICS_CONTRACT_FILE, CLINICS_CONTRACT)
            .file(
                "pipelines/health/clinics.yaml",
                format!(
                    "source:\n  connector: http\n  url: http://{}/clinics.csv\n  allow_private: true\n  format: csv\n\
                     tables:\n  health.clinics:\n    load: replace\n    map: SELECT id AS clinic_id, name, level, beds, opened FROM source\n",
                    server.local_addr().unwrap()
                ),
            );
        Self { server, project }
    }

    /// Starts a run; it waits for its answer when this returns.
    fn start(&self) -> (Child, TcpStream) {
        let mut command = self.project.command(&["run", "clinics"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let (stream, _) = self.server.accept().unwrap();
        (child, read_head(stream))
    }
}

/// The connection, its question read.
fn read_head(mut stream: TcpStream) -> TcpStream {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    stream
}

/// The head of an answer with all clinics.
fn head() -> String {
    let length = CLINICS.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
}

fn answer(mut stream: TcpStream) {
    stream.write_all(head().as_bytes()).unwrap();
    stream.write_all(CLINICS.as_bytes()).unwrap();
}

#[test]
fn a_second_run_of_the_same_pipeline_is_locked_out() {
    let held = Held::new();
    let (first, stream) = held.start();
    let second = held.project.run(&["clinics"]).exits(5);
    held.project.has_published_nothing();
    answer(stream);
    let first = Done::from_output(
        "sectorlake run clinics".to_owned(),
        first.wait_with_output().unwrap(),
    );
    first.ok();
    assert_eq!(held.project.count("health.clinics"), 12);
    assert_said!(second);
}

#[test]
fn a_run_killed_in_the_middle_of_a_body_is_made_up_for() {
    let held = Held::new();
    let (mut killed, mut stream) = held.start();
    let half = &CLINICS.as_bytes()[..CLINICS.len() / 2];
    stream.write_all(head().as_bytes()).unwrap();
    stream.write_all(half).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    held.project.has_published_nothing();
    let (next, stream) = held.start();
    answer(stream);
    Done::from_output(
        "sectorlake run clinics".to_owned(),
        next.wait_with_output().unwrap(),
    )
    .ok();
    assert_eq!(held.project.count("health.clinics"), 12);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_read_anew() {
    let held = Held::new();
    let (run, mut stream) = held.start();
    let other = CLINICS.replace("\nC", "\nX");
    let half = &other.as_bytes()[..other.len() / 2];
    stream.write_all(head().as_bytes()).unwrap();
    stream.write_all(half).unwrap();
    drop(stream);
    // The rest is asked for, and what comes is another file; so the whole of it is fetched.
    let server = held.server.try_clone().unwrap();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            answer(read_head(stream.unwrap()));
        }
    });
    Done::from_output(
        "sectorlake run clinics".to_owned(),
        run.wait_with_output().unwrap(),
    )
    .ok();
    assert_eq!(held.project.count("health.clinics"), 12);
    let of_first = "SELECT count(*) FROM health.clinics WHERE clinic_id LIKE 'X%'";
    assert_eq!(held.project.number(of_first), 0);
}
