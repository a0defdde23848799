//! A server on loopback that plays back exchanges, and plays the faults of real sources. What has an ETag it does not send again
//! where it is known, and gives the rest of it alone.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use crate::address::UrlSetting;
use crate::error::ConnectorError;
use crate::recording::Recording;
use crate::registry::MakeContext;
use crate::secret::MASK;

/// Size of a question's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// One recorded question and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Path and query, as in `/v3/locations?page=1`.
    pub target: String,
    /// The answer's body.
    pub body: Bytes,
    /// ETag, for sources that send one.
    pub etag: Option<String>,
}

impl Exchange {
    /// An exchange without ETag.
    #[must_use]
    pub fn new(target: &str, body: impl Into<Bytes>) -> Self {
        Self {
            target: target.to_owned(),
            body: body.into(),
            etag: None,
        }
    }

    /// The exchanges of a recording that `sectorlake run --record` made, with their answers of status 200. Secrets are masked
    /// in it: the server takes any secret for them.
    ///
    /// # Errors
    /// There is no recording in `dir`, or it lacks a body.
    pub fn from_recording(dir: &Path) -> Result<Vec<Self>, ConnectorError> {
        let recording = Recording::open(dir)?;
        let whole = recording.lines().iter();
        whole
            .filter(|line| line.status == 200 && line.whole)
            .map(|line| {
                let body = recording.bytes(line)?;
                let target = Url::parse(&line.asked.target).ok();
                let target = target.map(|url| url[url::Position::BeforePath..].to_owned());
                Ok(Self {
                    target: target.unwrap_or_else(|| line.asked.target.clone()),
                    body: body.into(),
                    etag: line.headers.get("etag").cloned(),
                })
            })
            .collect()
    }

    /// Whether it answers a question for `target`.
    pub(super) fn is_for(&self, target: &str) -> bool {
        self.target == target || (self.target.contains(MASK) && self.target == shown(target))
    }

    /// The same with an ETag.
    #[must_use]
    pub fn with_etag(mut self, etag: &str) -> Self {
        self.etag = Some(etag.to_owned());
        self
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A status with these headers and no body.
    Status(u16, Vec<(String, String)>),
    /// Half of the body, then the connection ends.
    Truncated,
    /// A web page under 200.
    Page,
    /// Nothing under 200.
    Empty,
}

#[derive(Debug, Default)]
struct State {
    exchanges: Vec<Exchange>,
    /// What goes wrong, and how often yet.
    fault: Option<(Fault, u32)>,
    /// Targets asked for, with the header lines of each.
    asked: Vec<(String, Vec<String>)>,
}

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(exchanges: Vec<Exchange>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State {
            exchanges,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // A client that goes away mid-answer is no fault of the server's.
                tokio::spawn(async move { answer(stream, &state).await.ok() });
            }
        });
        Ok(Self { url, state, task })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets the next `times` answers go wrong.
    pub fn fail(&self, fault: Fault, times: u32) {
        self.lock().fault = Some((fault, times));
    }

    /// Plays back these from now on.
    pub fn play(&self, exchanges: Vec<Exchange>) {
        self.lock().exchanges = exchanges;
    }

    /// The targets asked for so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.lock()
            .asked
            .iter()
            .map(|(target, _)| target.clone())
            .collect()
    }

    /// The header lines of each request so far.
    #[must_use]
    pub fn headers(&self) -> Vec<Vec<String>> {
        self.lock()
            .asked
            .iter()
            .map(|(_, headers)| headers.clone())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let (target, headers) = head(&mut stream).await?;
    let reply = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.push((target.clone(), headers.clone()));
        state.reply(&target, &headers)
    };
    stream.write_all(&reply).await?;
    stream.shutdown().await
}

/// The target and the header lines, in small letters.
pub(super) async fn head(
    stream: &mut (impl AsyncRead + Unpin),
) -> std::io::Result<(String, Vec<String>)> {
    let mut head = Vec::new();
    // Byte by byte: what is behind the head is not for us.
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES_MAX {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers = lines.filter(|line| !line.is_empty());
    Ok((target, headers.map(str::to_owned).collect()))
}

impl State {
    fn reply(&mut self, target: &str, headers: &[String]) -> Vec<u8> {
        let exchange = self
            .exchanges
            .iter()
            .find(|exchange| exchange.is_for(target));
        let fault = match &mut self.fault {
            Some((fault, times)) if *times > 0 => {
                *times -= 1;
                Some(fault.clone())
            }
            _ => None,
        };
        let Some(exchange) = exchange else {
            return message(404, &[], b"no such exchange");
        };
        let etag: Vec<(String, String)> = exchange
            .etag
            .iter()
            .map(|etag| ("ETag".to_owned(), etag.clone()))
            .collect();
        match fault {
            Some(Fault::Status(status, headers)) => message(status, &headers, b""),
            Some(Fault::Page) => message(
                200,
                &[],
                b"<!DOCTYPE html><html><title>Sign in</title></html>",
            ),
            Some(Fault::Empty) => message(200, &[], b""),
            Some(Fault::Truncated) => {
                let whole = message(200, &etag, &exchange.body);
                whole[..whole.len() - exchange.body.len().div_ceil(2)].to_vec()
            }
            None if exchange
                .etag
                .as_ref()
                .is_some_and(|etag| knows(headers, etag)) =>
            {
                message(304, &etag, b"")
            }
            None => match rest(headers, exchange) {
                Some(from) => {
                    let length = exchange.body.len();
                    let range = format!("bytes {from}-{}/{length}", length - 1);
                    let lines = [etag, vec![("Content-Range".to_owned(), range)]].concat();
                    message(206, &lines, &exchange.body[from..])
                }
                None => message(200, &etag, &exchange.body),
            },
        }
    }
}

/// A target as a recording has it, without secrets.
fn shown(target: &str) -> String {
    const HOST: &str = "http://host";
    let url = UrlSetting::new(&format!("{HOST}{target}"));
    let url = url.resolve(&["url"], &MakeContext::new(".", "", |_| None));
    url.map_or_else(
        |_| target.to_owned(),
        |url| url.to_string().replacen(HOST, "", 1),
    )
}

fn knows(headers: &[String], etag: &str) -> bool {
    header(headers, "if-none-match") == Some(etag)
}

/// From where on a question wants a body whose beginning it has, if it is still the same (RFC 9110, section 13.1.5).
fn rest(headers: &[String], exchange: &Exchange) -> Option<usize> {
    let etag = exchange.etag.as_deref()?;
    let from = header(headers, "range")?.strip_prefix("bytes=")?;
    let from: usize = from.strip_suffix('-')?.parse().ok()?;
    let is_same = header(headers, "if-range") == Some(etag);
    (is_same && from < exchange.body.len()).then_some(from)
}

fn header<'h>(headers: &'h [String], name: &str) -> Option<&'h str> {
    headers
        .iter()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

pub(super) fn message(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut message = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    if status != 304 {
        message.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        message.push_str(&format!("{name}: {value}\r\n"));
    }
    message.push_str("\r\n");
    let mut bytes = message.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
