//! Real WebDAV and FTP servers.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::servers::{self, Server};
use super::{Known, connector, fails, read};

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
