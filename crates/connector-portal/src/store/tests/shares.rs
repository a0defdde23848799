//! Real WebDAV and FTP servers.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::servers::{self, Server};
use super::{Known, connector, fails, read, read_at};

struct Share {
    server: &'static Server,
    scheme: &'static str,
    dir: PathBuf,
    name: &'static str,
}

impl Share {
    fn of_this_test(scheme: &'static str, name: &'static str) -> Option<Self> {
        let server = servers::server(scheme)?;
        let dir = server.dir.join(name);
        for (path, text) in [
            ("2025/b.csv", "2"),
            ("2025/a.csv", "1"),
            ("2026/điểm thi.csv", "3"),
            ("readme.txt", "4"),
        ] {
            let path = dir.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Some(Self {
            server,
            scheme,
            dir,
            name,
        })
    }

    fn settings(&self, path: &str) -> Value {
        let (scheme, port, name) = (self.scheme, self.server.port, self.name);
        json!({
            "url": format!("{scheme}://127.0.0.1:{port}/{name}/{path}"),
            "user": "agency",
            "password": "s3cr3t",
            "allow_private": ["127.0.0.1"],
        })
    }

    fn plain(&self, said: Vec<String>) -> Vec<String> {
        let root = format!("127.0.0.1:{}", self.server.port);
        let plain = |line: &String| line.replace(&root, "HOST");
        said.iter().map(plain).collect()
    }
}

async fn files_come_once(share: Share) {
    let known = Known::default();
    let store = connector(share.settings("**/*.csv"));
    let (scheme, name) = (share.scheme, share.name);
    let root = format!("{scheme}://HOST/{name}");
    let first = share.plain(read(&*store, &known).await.unwrap());
    let expected = [
        format!("{root}/2025/a.csv 1"),
        format!("{root}/2025/b.csv 2"),
        format!("{root}/2026/điểm thi.csv 3"),
    ];
    assert_eq!(first, expected);
    std::fs::write(share.dir.join("2025/b.csv"), "2222").unwrap();
    let second = share.plain(read(&*store, &known).await.unwrap());
    let expected = [
        format!("{root}/2025/a.csv unchanged"),
        format!("{root}/2025/b.csv 2222"),
        format!("{root}/2026/điểm thi.csv unchanged"),
    ];
    assert_eq!(second, expected);
    let one = connector(share.settings("readme.txt"));
    let one = share.plain(read(&*one, &Known::default()).await.unwrap());
    assert_eq!(one, [format!("{root}/readme.txt 4")]);
}

/// Writes a file as of the beginning of 2025, as the clock of each run stands.
pub(crate) fn write_in_tick(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    let tick = UNIX_EPOCH + Duration::from_secs(1_735_689_600);
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(tick).unwrap();
}

async fn told(share: &Share) -> String {
    let mut wrong = share.settings("*/*.csv");
    wrong["password"] = json!("wr0ng");
    let mut nobody = share.settings("*/*.csv");
    nobody["user"] = json!("nobody");
    let said = vec![
        fails(share.settings("readmi.txt")).await,
        fails(share.settings("2052/*.csv")).await,
        fails(share.settings("2025/*.txt")).await,
        fails(wrong).await,
        fails(nobody).await,
    ];
    let said = share.plain(said).join("\n");
    assert!(
        !said.contains("s3cr3t") && !said.contains("wr0ng"),
        "{said}"
    );
    said
}

#[tokio::test]
async fn webdav_files_come_once() {
    if let Some(share) = Share::of_this_test("webdav", "once") {
        files_come_once(share).await;
    }
}

#[tokio::test]
async fn ftp_files_come_once() {
    if let Some(share) = Share::of_this_test("ftp", "once") {
        files_come_once(share).await;
    }
}

#[tokio::test]
async fn a_change_within_the_minute_of_ftp_is_seen() {
    let Some(share) = Share::of_this_test("ftp", "minute") else {
        return;
    };
    let file = share.dir.join("2025/a.csv");
    let known = Known::default();
    let store = connector(share.settings("2025/a.csv"));
    for (text, started_at, expected) in [
        ("2", "2025-01-01T00:00:20Z", " 2"),
        // The same length, and for LIST the same time.
        ("9", "2025-01-01T00:00:45Z", " 9"),
        ("9", "2025-01-01T00:02:30Z", " 9"),
        ("9", "2025-01-01T00:02:31Z", " unchanged"),
    ] {
        write_in_tick(&file, text);
        let said = read_at(&*store, &known, started_at).await.unwrap();
        let said = share.plain(said).join("\n");
        let expected = format!("ftp://HOST/minute/2025/a.csv{expected}");
        assert_eq!(said, expected, "{started_at}");
    }
}

#[tokio::test]
async fn a_file_that_is_being_written_takes_nothing_away() {
    let Some(share) = Share::of_this_test("ftp", "writing") else {
        return;
    };
    let known = Known::default();
    let store = connector(share.settings("*/*.csv"));
    let mut said = read(&*store, &known).await.unwrap();
    for (path, text) in [("2025/b.csv", ""), ("2025/logger.csv", "")] {
        std::fs::write(share.dir.join(path), text).unwrap();
    }
    said.extend(read(&*store, &known).await.unwrap());
    let one = connector(share.settings("2025/logger.csv"));
    said.extend(read(&*one, &Known::default()).await.unwrap());
    insta::assert_snapshot!(share.plain(said).join("\n"));
}

#[tokio::test]
async fn webdav_tells_what_goes_wrong() {
    if let Some(share) = Share::of_this_test("webdav", "told") {
        insta::assert_snapshot!(told(&share).await);
    }
}

#[tokio::test]
async fn ftp_tells_what_goes_wrong() {
    if let Some(share) = Share::of_this_test("ftp", "told") {
        insta::assert_snapshot!(told(&share).await);
    }
}
