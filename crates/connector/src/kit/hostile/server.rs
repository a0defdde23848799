//! A server that plays a case's answer, whatever it is asked.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::answer::{Answer, Scene, Then};
use super::case::Case;
use super::corpus;
use crate::kit::TestPace;
use crate::kit::server::{Exchange, head, message};
use crate::pace::Pace as _;

/// Between two bytes of a drip.
const DRIP: Duration = Duration::from_secs(20);
/// What is written at once of what has no end.
const ENDLESS_BYTES: usize = 64 << 10;
/// Bytes of a drip; long before, nobody waits for them any more.
const DRIPS_MAX: usize = 10_000;

struct Inner {
    url: OnceLock<String>,
    case: Case,
    recording: Vec<Exchange>,
    pace: OnceLock<Arc<TestPace>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: usize,
    sent: Vec<Bytes>,
}

/// The server; it ends when dropped.
pub(super) struct Villain {
    url: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Drop for Villain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Villain {
    pub(super) async fn start(case: Case, recording: Vec<Exchange>) -> std::io::Result<Self> {
        let tls = case.tls.as_deref().map(acceptor).transpose()?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let inner = Arc::new(Inner {
            url: OnceLock::from(url.clone()),
            case,
            recording,
            pace: OnceLock::new(),
            state: Mutex::default(),
        });
        let shared = Arc::clone(&inner);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, shared) = (tls.clone(), Arc::clone(&shared));
                // A client that goes away is no fault of the server's.
                tokio::spawn(async move {
                    match tls {
                        None => shared.serve(stream).await,
                        Some(tls) => shared.serve(tls.accept(stream).await?).await,
                    }
                });
            }
        });
        Ok(Self { url, inner, task })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The clock that a drip moves.
    pub(super) fn keeps(&self, pace: &Arc<TestPace>) {
        let _ = self.inner.pace.set(Arc::clone(pace));
    }

    pub(super) fn asked(&self) -> usize {
        self.inner.lock().asked
    }

    /// Whether these bytes were a whole body, as it was sent.
    pub(super) fn sent(&self, bytes: &Bytes) -> bool {
        self.inner.lock().sent.contains(bytes)
    }

    /// Whether a body that was sent began so.
    pub(super) fn began(&self, bytes: &Bytes) -> bool {
        let state = self.inner.lock();
        state.sent.iter().any(|sent| sent.starts_with(bytes))
    }
}

fn acceptor(name: &str) -> std::io::Result<TlsAcceptor> {
    let pem = corpus::certificates(name);
    let wrong = |reason: String| std::io::Error::other(format!("{name}.pem: {reason}"));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    let key =
        PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong(error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let (target, headers) = head(&mut stream).await?;
        swallow(&mut stream, &headers).await?;
        let answer = self.answer(&target);
        stream.write_all(&answer.head).await?;
        stream.write_all(&answer.body).await?;
        stream.flush().await?;
        match &answer.then {
            Then::Close => {}
            Then::Endless(again) => {
                let many = again.repeat(ENDLESS_BYTES.div_ceil(again.len().max(1)));
                loop {
                    stream.write_all(&many).await?;
                }
            }
            Then::Drip => {
                for _ in 0..DRIPS_MAX {
                    if let Some(pace) = self.pace.get() {
                        pace.sleep(DRIP).await;
                    }
                    stream.write_all(b"1").await?;
                    stream.flush().await?;
                    tokio::task::yield_now().await;
                }
            }
        }
        stream.shutdown().await
    }

    fn answer(&self, target: &str) -> Answer {
        let number = {
            let mut state = self.lock();
            state.asked += 1;
            state.asked - 1
        };
        let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
        let right = self.recording.iter().find(|it| it.is_for(target));
        let alike = self
            .recording
            .iter()
            .find(|it| path(&it.target) == path(target));
        let nothing = Bytes::new();
        let is_over = self.case.times.is_some_and(|times| number >= times);
        let answer = match right {
            Some(right) if is_over => right_answer(200, &right.body),
            None if is_over => right_answer(404, b""),
            _ => {
                let same = alike.map_or(&nothing, |it| &it.body);
                let scene = Scene {
                    server: self.url.get().map_or("", String::as_str),
                    target,
                    number,
                    data: right.map_or(same, |it| &it.body),
                    same,
                };
                Answer::of(&self.case.answer, &scene)
            }
        };
        self.lock().sent.push(answer.body.clone().into());
        answer
    }
}

fn right_answer(status: u16, body: &[u8]) -> Answer {
    let mut head = message(status, &[], body);
    head.truncate(head.len() - body.len());
    Answer {
        head,
        body: body.to_vec(),
        then: Then::Close,
    }
}

/// A question's body; one that is left unread would break the connection.
async fn swallow(stream: &mut (impl AsyncRead + Unpin), headers: &[String]) -> std::io::Result<()> {
    let length = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or_default().min(1 << 20)];
    stream.read_exact(&mut body).await?;
    Ok(())
}
