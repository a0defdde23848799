//! `connector: store` through the binary: a bucket on a real S3 server, and a folder on an SFTP server.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Done, Project};
use crate::servers;

#[expect(dead_code, reason = "other keys are for the tests of the crate")]
#[path = "../../crates/connector-portal/src/sftp/tests/server.rs"]
mod sftp;

const CONTRACT: &str = r#"{
  "$schema": "https://datapackage.org/profiles/2.0/tableschema.json", "title": "Readings",
  "fields": [
    { "name": "id", "type": "integer", "title": "Number", "constraints": { "required": true } },
    { "name": "value", "type": "number", "title": "Value" }
  ],
  "primaryKey": ["id"]
}"#;

const SECRET: &str = "s3cr3t";

fn project(source: &str) -> Project {
    let project = Project::empty();
    project
        .file("schemas/city/readings.json", CONTRACT)
        .file(
            "pipelines/readings.yaml",
            format!("source:\n  connector: store\n{source}  format: csv\ntables:\n  city.readings: {{ load: merge, map: 'SELECT id, value FROM source' }}\n"),
        );
    project
}

fn run(project: &Project) -> Done {
    let mut command = project.command(&["run", "readings"]);
    command.env("STORE_SECRET", SECRET);
    Done::of(command).ok()
}

fn rows(project: &Project) -> Vec<Value> {
    project.sql("SELECT id, value FROM city.readings ORDER BY id")
}

/// Fails if the secret stands in any file of the project.
fn holds_no_secret(project: &Project) {
    let found = std::process::Command::new("grep")
        .args(["-rl", SECRET])
        .arg(project.root())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

/// A way to a server that notes what is asked: the first line of each request. None of them has a body.
struct Way {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Way {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let way = Self {
            port: listener.local_addr().unwrap().port(),
            asked: Arc::clone(&asked),
        };
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let asked = Arc::clone(&asked);
                std::thread::spawn(move || pass(client.unwrap(), server, &asked));
            }
        });
        way
    }

    /// What was asked since the last look: the method and what is asked for, without its query.
    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        let short = |line: &String| {
            let mut words = line.split(' ');
            let (method, target) = (words.next().unwrap(), words.next().unwrap());
            format!("{method} {}", target.split('?').next().unwrap())
        };
        asked.iter().map(short).collect()
    }
}

fn pass(mut client: TcpStream, mut server: TcpStream, asked: &Mutex<Vec<String>>) {
    let (mut back, mut forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        // Either side may go at any time.
        let _ = std::io::copy(&mut back, &mut forth);
        let _ = forth.shutdown(Shutdown::Both);
    });
    let (mut head, mut bytes) = (Vec::new(), [0; 8192]);
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        head.extend_from_slice(&bytes[..count]);
        while let Some(end) = head.windows(4).position(|it| it == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&head[..end]).into_owned();
            asked
                .lock()
                .unwrap()
                .push(text.lines().next().unwrap().to_owned());
            head.drain(..end + 4);
        }
        if server.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

/// Puts an object into the bucket `city`; the server takes any key.
fn put(port: u16, path: &str, text: &str) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!(
        "PUT /city/{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=setup/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{text}",
        text.len()
    );
    server.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_bucket_comes_whole_then_costs_a_listing_and_then_what_changed() {
    let Some(server) = servers::server("s3") else {
        return;
    };
    put(server.port, "stores/2025/a.csv", "id,value\n1,1.5\n2,2.5\n");
    put(server.port, "stores/2026/b.csv", "id,value\n3,3.5\n");
    put(server.port, "stores/readme.txt", "not one of them\n");
    let way = Way::to(server.port);
    let project = project(&format!(
        "  url: s3://city/stores/**/*.csv\n  endpoint: http://127.0.0.1:{}\n  access_key: owner\n  secret_key: ${{env:STORE_SECRET}}\n  \
         allow_private: true\n",
        way.port
    ));
    run(&project);
    let row = |id: i64, value: f64| json!({"id": id, "value": value});
    assert_eq!(rows(&project), [row(1, 1.5), row(2, 2.5), row(3, 3.5)]);
    let gets = |asked: &[String]| -> Vec<String> {
        let objects = asked
            .iter()
            .filter(|it| it.starts_with("GET /city/stores/"));
        objects.cloned().collect()
    };
    let first = way.asked();
    let objects = ["GET /city/stores/2025/a.csv", "GET /city/stores/2026/b.csv"];
    assert_eq!(gets(&first), objects, "{first:?}");

    // What has not changed is not read: the listing says so.
    assert!(run(&project).says("unchanged"));
    let second = way.asked();
    assert_eq!(gets(&second), [""; 0], "{second:?}");
    assert!((1..=4).contains(&second.len()), "{second:?}");

    put(
        server.port,
        "stores/2025/a.csv",
        "id,value\n1,1.75\n2,2.5\n4,4.5\n",
    );
    run(&project);
    let third = way.asked();
    assert_eq!(gets(&third), objects[..1], "{third:?}");
    let expected = [row(1, 1.75), row(2, 2.5), row(3, 3.5), row(4, 4.5)];
    assert_eq!(rows(&project), expected);
    assert_eq!(project.count("meta.revisions"), 1);
    holds_no_secret(&project);
}

#[test]
fn a_folder_behind_sftp_comes_whole_and_then_what_changed() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let served = runtime.block_on(sftp::Served::start());
    served.write("readings/2025/a.csv", "id,value\n1,1.5\n2,2.5\n");
    served.write("readings/2026/b.csv", "id,value\n3,3.5\n");
    let project = project(&format!(
        "  url: sftp://agency@127.0.0.1:{}/readings/*/*.csv\n  password: ${{env:STORE_SECRET}}\n  host_key: {}\n  allow_private: true\n",
        served.port, served.fingerprint
    ));
    run(&project);
    let row = |id: i64, value: f64| json!({"id": id, "value": value});
    assert_eq!(rows(&project), [row(1, 1.5), row(2, 2.5), row(3, 3.5)]);
    assert!(run(&project).says("unchanged"));
    assert_eq!(project.snapshots(), 1);
    served.write("readings/2025/a.csv", "id,value\n1,1.75\n2,2.5\n4,4.5\n");
    run(&project);
    let expected = [row(1, 1.75), row(2, 2.5), row(3, 3.5), row(4, 4.5)];
    assert_eq!(rows(&project), expected);
    holds_no_secret(&project);
    // Whom it does not know it does not trust.
    let file = project.path("pipelines/readings.yaml");
    let yaml = std::fs::read_to_string(&file).unwrap();
    let other = yaml.replace(&served.fingerprint, &format!("SHA256:{}", "A".repeat(43)));
    std::fs::write(&file, other).unwrap();
    let mut command = project.command(&["run", "readings"]);
    command.env("STORE_SECRET", SECRET);
    let done = Done::of(command).exits(4);
    assert!(
        done.says("the server shows another key"),
        "{}",
        done.whole()
    );
}
