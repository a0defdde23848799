//! Runs that are recorded, and replayed without a network.

use std::path::Path;

use super::*;
use crate::io::{Io, Validators};
use crate::pace::LeapPace;
use crate::recording::{Recorder, Recording};

fn over(tape: Tape, settings: serde_json::Value) -> Bench {
    let pace = Arc::new(TestPace::default());
    let shared = Arc::clone(&pace) as Arc<dyn Pace>;
    let http = Http::over(tape, Limits::default(), shared, &|_| None).unwrap();
    let http = http.configured(&Arc::new(config(settings).unwrap()));
    Bench {
        pace,
        http: http.unwrap(),
    }
}

fn settings() -> serde_json::Value {
    json!({ "allow_private": true, "auth": { "query": { "name": "k", "value": "${env:KEY}" } }, "headers": { "x-key": "${env:KEY}" } })
}

async fn talkative() -> Server {
    Server::start(
        |before, asked| match asked.target().split('?').next().unwrap() {
            "/moved" => answer(302, &["Location: /echo?sig=signed"], "away"),
            "/echo" => answer(
                200,
                &["ETag: \"v1\"", "X-Other: 1"],
                "your key is s3cr3t-k3y, ok",
            ),
            "/busy" if before == 0 => answer(503, &["Retry-After: 7"], "busy"),
            "/cut" if asked.header("range").is_none() => answer(
                200,
                &["ETag: \"v2\"", "Content-Length: 9000"],
                "a".repeat(5000),
            ),
            "/cut" => answer(
                206,
                &["ETag: \"v2\"", "Content-Range: bytes 5000-8999/9000"],
                "b".repeat(4000),
            ),
            "/ask" => answer(200, &[], format!("{before} {}", asked.body)),
            "/gone" => answer(404, &["Content-Type: text/plain"], "no s3cr3t-k3y here"),
            _ => answer(200, &[], format!("{before}")),
        },
    )
    .await
}

/// What each question brings, errors and all.
async fn everything(bench: &Bench, place: &str) -> Vec<String> {
    let mut all = Vec::new();
    for path in ["/busy", "/moved", "/cut", "/gone", "/twice", "/twice"] {
        let url = format!("{place}{path}?token=${{env:KEY}}");
        all.push(match bench.read(&url).await {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("{error} / {:?}", error.help),
        });
    }
    for body in ["{\"a\":1}", "{\"a\":2}"] {
        let url = source(&format!("{place}/ask"));
        let request = Request::post(url, body, "application/json");
        let answer = bench.ask(&request).await.unwrap();
        let (answer, bytes) = answer.read(100).await.unwrap();
        all.push(format!(
            "{} {}",
            answer.status,
            String::from_utf8_lossy(&bytes)
        ));
    }
    all
}

fn texts(dir: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        all.push_str(&format!("{}\n", path.display()));
        match path.is_dir() {
            true => all.push_str(&texts(&path)),
            false => all.push_str(&String::from_utf8(std::fs::read(&path).unwrap()).unwrap()),
        }
    }
    all
}

#[tokio::test]
async fn a_replay_brings_what_the_recorded_run_brought_without_a_network() {
    let dir = tempfile::tempdir().unwrap();
    let server = talkative().await;
    let place = server.url("");
    let began = "2025-03-01T02:00:00Z".parse().unwrap();
    let recorder = Recorder::start(dir.path(), began).unwrap();
    let recorded = over(Tape::Record(recorder.clone()), settings());
    let mut brought = everything(&recorded, &place).await;
    let told = recorder.finish().unwrap();
    assert_eq!(told.exchanges, 11);
    assert!(
        !texts(dir.path()).contains("s3cr3t"),
        "{}",
        texts(dir.path())
    );
    assert!(!texts(dir.path()).contains("signed"));
    let asked = server.asked().len();
    drop(server);
    // What the source echoed of our keys is all that differs.
    brought[1] = brought[1].replace("s3cr3t-k3y", "**********");
    brought[3] = brought[3].replace("no ***", "no **********");

    let recording = Recording::open(dir.path()).unwrap();
    assert_eq!(recording.started_at(), began);
    let replayed = over(Tape::Replay(recording), settings());
    assert_eq!(everything(&replayed, &place).await, brought);
    assert_eq!(asked, 11);
    // What was asked twice gets its answers in their order, the last again and again.
    let last = replayed.read(&format!("{place}/twice?token=x")).await;
    assert_eq!(last.unwrap(), brought[5]);
    // Connectors see the recording's start, whenever it is replayed.
    let io = Io::new(replayed.http.clone(), chrono::DateTime::UNIX_EPOCH);
    assert_eq!(io.started_at(), began);
}

#[tokio::test]
async fn a_recording_is_whole_and_a_replay_knows_what_is_unchanged() {
    let server = Server::start(|_, asked| match asked.header("if-none-match") {
        Some(_) => answer(304, &["ETag: \"v1\""], ""),
        None => answer(200, &["ETag: \"v1\""], "1"),
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(dir.path(), chrono::DateTime::UNIX_EPOCH).unwrap();
    let asks = |etag: &str| {
        let known = Validators {
            etag: Some(etag.to_owned()),
            last_modified: None,
        };
        Request::get(source(&server.url("/a"))).if_changed_since(Some(known))
    };
    let recorded = over(Tape::Record(recorder), settings());
    recorded
        .ask(&asks("\"v1\""))
        .await
        .unwrap()
        .read(9)
        .await
        .unwrap();
    let replayed = over(
        Tape::Replay(Recording::open(dir.path()).unwrap()),
        settings(),
    );
    let known = replayed.http.get(&asks("\"v1\"")).await.unwrap();
    assert!(matches!(known, Answer::Unchanged));
    let (_, changed) = replayed
        .ask(&asks("\"v0\""))
        .await
        .unwrap()
        .read(9)
        .await
        .unwrap();
    assert_eq!(changed, "1");
}

#[tokio::test]
async fn a_token_is_neither_recorded_nor_asked_for_in_a_replay() {
    let server = Server::start(|_, asked| match asked.target() {
        "/token" => answer(
            200,
            &[],
            r#"{"access_token":"t0k3n-0f-0urs","token_type":"Bearer"}"#,
        ),
        _ => answer(200, &[], asked.header("authorization").unwrap()),
    })
    .await;
    let settings = json!({ "allow_private": true, "auth": { "oauth2": {
        "token_url": server.url("/token"), "client_id": "me", "client_secret": "${env:KEY}" } } });
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(dir.path(), chrono::DateTime::UNIX_EPOCH).unwrap();
    let url = server.url("/a");
    let recorded = over(Tape::Record(recorder), settings.clone());
    assert_eq!(recorded.read(&url).await.unwrap(), "Bearer t0k3n-0f-0urs");
    let written = texts(dir.path());
    assert!(
        !written.contains("t0k3n") && !written.contains("s3cr3t"),
        "{written}"
    );
    drop(server);
    let replayed = over(Tape::Replay(Recording::open(dir.path()).unwrap()), settings);
    assert_eq!(replayed.read(&url).await.unwrap(), "Bearer *************");
}

#[tokio::test]
async fn what_is_no_recording_or_not_in_it_is_named_with_its_mend() {
    let dir = tempfile::tempdir().unwrap();
    let said = |error: ConnectorError| {
        let help = error.help.clone().unwrap();
        format!("{error} / {help}").replace(&dir.path().display().to_string(), "DIR")
    };
    let mut all = vec![said(Recording::open(dir.path()).unwrap_err())];
    Recorder::start(dir.path(), chrono::DateTime::UNIX_EPOCH).unwrap();
    all.push(said(
        Recorder::start(dir.path(), chrono::DateTime::UNIX_EPOCH).unwrap_err(),
    ));
    let replayed = over(
        Tape::Replay(Recording::open(dir.path()).unwrap()),
        settings(),
    );
    let error = replayed
        .fails("http://data.invalid/a?token=${env:KEY}")
        .await;
    assert_eq!((error.kind, error.retryable), (ErrorKind::Local, false));
    all.push(said(error));
    let index = dir.path().join("index.ndjson");
    for line in [
        "{\"recording\":2,\"started_at\":\"2025-03-01T02:00:00Z\"}\n",
        "{\"recording\":1,\"started_at\":\"2025-03-01T02:00:00Z\"}\n{\"at\":\"2025-03-01T02:00:00Z\",\"method\":\"GET\",\"target\":\"http://a/\",\"status\":200,\"headers\":{},\"body\":\"../../etc/passwd\",\"bytes\":1,\"whole\":true}\n",
        "",
    ] {
        std::fs::write(&index, line).unwrap();
        all.push(said(Recording::open(dir.path()).unwrap_err()));
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    DIR/index.ndjson: is no recording: No such file or directory (os error 2) / make one with `sectorlake run PIPELINE --record DIR`
    DIR: holds a recording already / name a folder that does not exist yet, or remove this one
    http://data.invalid/a?token=***: the recording DIR holds no answer to GET http://data.invalid/a?token=*** / the pipeline asks otherwise than when it was recorded: record it again, with an empty lake
    DIR/index.ndjson: line 1: has the version 2 / record again into another folder
    DIR/index.ndjson: line 2: `body` is no hash / record again into another folder
    DIR/index.ndjson: is empty / make one with `sectorlake run PIPELINE --record DIR`
    "#);
}

#[tokio::test]
async fn nothing_waits_in_a_replay() {
    let dir = tempfile::tempdir().unwrap();
    let server = talkative().await;
    let url = server.url("/busy");
    let recorder = Recorder::start(dir.path(), chrono::DateTime::UNIX_EPOCH).unwrap();
    over(Tape::Record(recorder), settings())
        .read(&url)
        .await
        .unwrap();
    let pace = Arc::new(LeapPace::new(|| chrono::DateTime::UNIX_EPOCH));
    let tape = Tape::Replay(Recording::open(dir.path()).unwrap());
    let shared = Arc::clone(&pace) as Arc<dyn Pace>;
    let http = Http::over(tape, Limits::default(), shared, &|_| None).unwrap();
    let http = http
        .configured(&Arc::new(config(settings()).unwrap()))
        .unwrap();
    assert!(matches!(
        http.get(&Request::get(source(&url))).await.unwrap(),
        Answer::Fresh(_)
    ));
    let leapt = pace.now() - chrono::DateTime::UNIX_EPOCH;
    assert!(leapt.num_seconds() >= 7, "{leapt}");
}
