//! Connections that break, and what a bucket without a key says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::fails;

/// A way to a server on loopback that breaks once, after so many bytes came through it.
pub(crate) async fn broken_way(to: u16, after: u64) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let left = Arc::new(AtomicU64::new(after));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            tokio::spawn(relay(client, server, Arc::clone(&left)));
        }
    });
    port
}

async fn relay(client: TcpStream, server: TcpStream, left: Arc<AtomicU64>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move {
        // Either end may be gone.
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    let mut piece = vec![0; 16 << 10];
    while let Ok(read) = from_server.read(&mut piece).await {
        let before = left.load(Ordering::SeqCst);
        if read == 0 {
            break;
        }
        // Zero: it broke once and holds from then on.
        if before > 0 {
            let after = before.saturating_sub(read as u64);
            left.store(after, Ordering::SeqCst);
            if after == 0 {
                break;
            }
        }
        if to_client.write_all(&piece[..read]).await.is_err() {
            break;
        }
    }
    up.abort();
}

/// A server that answers whatever it is asked with a status alone.
async fn answers(status: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut question = vec![0; 16 << 10];
            let _ = client.read(&mut question).await;
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = client.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn what_a_server_says_by_status_alone_is_told() {
    let mut said = Vec::new();
    for status in [401, 403, 404, 301, 429, 503] {
        for path in ["a.csv", "*.csv"] {
            let settings = json!({
                "url": format!("s3://city/{path}"),
                "endpoint": answers(status).await,
                "allow_private": true,
                "attempts": 2,
            });
            said.push(format!("{status}: {}", fails(settings).await));
        }
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn private_networks_are_closed() {
    use sectorlake_connector::{Http, Io, Limits, Slice, kit::TestPace};
    for url in [
        "s3://city/a.csv",
        "webdav://127.0.0.1:1/a.csv",
        "webdav://localhost:1/a.csv",
        "ftp://localhost:1/a.csv",
        "ftps://localhost:1/a.csv",
        "sftp://u@localhost:1/a.csv",
    ] {
        let mut settings = json!({ "url": url });
        if url.starts_with("s3") {
            settings["endpoint"] = "http://169.254.169.254".into();
        }
        let http = Http::new(Limits::default(), Arc::new(TestPace::default())).unwrap();
        let io = Io::new(http, chrono::DateTime::UNIX_EPOCH);
        let store = super::connector(settings);
        let error = store
            .fetch(Slice::whole("files"), None, &io)
            .await
            .unwrap_err();
        assert_eq!(
            error.kind,
            sectorlake_connector::ErrorKind::PrivateNetwork,
            "{url}: {error}"
        );
        assert!(error.help.unwrap().contains("allow_private"), "{url}");
    }
}
