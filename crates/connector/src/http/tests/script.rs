//! A server on loopback that does as a test says, to the byte.

use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What was asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// `GET /a HTTP/1.1`
    pub(super) line: String,
    /// In small letters.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// What is answered.
pub(super) enum Reply {
    /// These bytes, and the connection ends.
    Bytes(Vec<u8>),
    /// These, and then nothing, while the connection stands.
    Hold(Vec<u8>),
    /// These, and then the others, again and again.
    Endless(Vec<u8>, Vec<u8>),
}

/// An answer with these header lines.
pub(super) fn answer(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    let has_length = headers.iter().any(|line| {
        line.to_ascii_lowercase().starts_with("content-length")
            || line.starts_with("Transfer-Encoding")
    });
    if !has_length {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for line in headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    Reply::Bytes([head.as_bytes(), body].concat())
}

type Script = dyn Fn(usize, &Asked) -> Reply + Send + Sync;

pub(super) struct Server {
    /// `127.0.0.1:PORT`
    pub(super) place: String,
    pub(super) port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Answers as the script says, which is told how many were asked before, and what is asked.
    pub(super) async fn start(
        script: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with(None, script).await
    }

    pub(super) async fn over_tls(
        config: ServerConfig,
        script: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::with(Some(TlsAcceptor::from(Arc::new(config))), script).await
    }

    async fn with(
        tls: Option<TlsAcceptor>,
        script: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, script): (_, Arc<Script>) = (Arc::clone(&asked), Arc::new(script));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, heard, script) = (tls.clone(), Arc::clone(&heard), Arc::clone(&script));
                tokio::spawn(async move {
                    match tls {
                        // A client that does not trust us goes away in the handshake.
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &heard, script.as_ref()).await,
                            Err(_) => None,
                        },
                        None => serve(stream, &heard, script.as_ref()).await,
                    }
                });
            }
        });
        Self {
            place: format!("127.0.0.1:{port}"),
            port,
            asked,
            task,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.place)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// A client that goes away is no fault of the server's.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    heard: &Mutex<Vec<Asked>>,
    script: &Script,
) -> Option<()> {
    let asked = read(&mut stream).await?;
    let before = {
        let mut heard = heard.lock().unwrap();
        heard.push(asked.clone());
        heard.len() - 1
    };
    match script(before, &asked) {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await.ok()?,
        Reply::Hold(bytes) => {
            stream.write_all(&bytes).await.ok()?;
            stream.flush().await.ok()?;
            // Until the client goes.
            stream.read_u8().await.ok()?;
        }
        Reply::Endless(bytes, again) => {
            stream.write_all(&bytes).await.ok()?;
            loop {
                stream.write_all(&again).await.ok()?;
            }
        }
    }
    stream.shutdown().await.ok()
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut asked = Asked {
        line,
        headers,
        body: String::new(),
    };
    let length = asked
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}
