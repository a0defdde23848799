//! Where answers come from: the network, the network with a recording made of it, or a recording alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::try_unfold;
use futures::{Stream, StreamExt};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, StatusCode};

use super::Http;
use super::request::Request;
use super::send::method;
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};
use crate::recording::{Line, Question, Recorder, Recording};
use crate::secret::Secret;

/// Headers of an answer that change what is done with it. None of them is kept with a secret in it.
const HEADERS: [&str; 24] = [
    "accept-ranges",
    "age",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "digest",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "ratelimit-remaining",
    "ratelimit-reset",
    "repr-digest",
    "content-digest",
    "retry-after",
    "x-goog-hash",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];
/// A piece of a recorded body.
const PIECE_BYTES: usize = 64 << 10;

/// Where a client's answers come from.
#[derive(Debug, Clone, Default)]
pub enum Tape {
    /// The network.
    #[default]
    Live,
    /// The network, and each exchange is recorded.
    Record(Recorder),
    /// A recording; the network is not touched.
    Replay(Recording),
    /// Nowhere: whatever is asked is refused before even its host's name is looked up.
    Nowhere,
}

impl Tape {
    /// The run's start as connectors see it; none where it is the real one.
    pub(crate) fn started_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Live | Self::Nowhere => None,
            Self::Record(recorder) => Some(recorder.started_at()),
            Self::Replay(recording) => Some(recording.started_at()),
        }
    }
}

impl Http {
    pub(super) fn is_replay(&self) -> bool {
        matches!(self.inner.shared.tape, Tape::Replay(_))
    }

    /// Whether nobody may be asked: what only a source could tell is then not known.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        matches!(self.inner.shared.tape, Tape::Nowhere)
    }

    /// That somebody may be asked.
    pub(super) fn asks(&self) -> Result<(), ConnectorError> {
        match self.is_offline() {
            true => Err(not_asked()),
            false => Ok(()),
        }
    }

    /// The run's start as connectors see it.
    pub(crate) fn started_at(&self) -> Option<DateTime<Utc>> {
        self.inner.shared.tape.started_at()
    }

    /// One question and the head of its answer.
    pub(super) async fn answered(
        &self,
        request: &Request,
        url: &SourceUrl,
        token: Option<&Secret>,
    ) -> Result<reqwest::Result<reqwest::Response>, ConnectorError> {
        match &self.inner.shared.tape {
            Tape::Live => Ok(self.built(request, url, token)?.send().await),
            Tape::Record(recorder) => {
                let at = self.inner.shared.pace.now();
                // What is unchanged would be missing in the recording.
                let whole = request.clone().if_changed_since(None);
                let sent = self.built(&whole, url, token)?.send().await;
                Ok(sent.map(|answer| self.recorded(recorder, at, request, url, answer)))
            }
            Tape::Replay(recording) => {
                let line = recording.answer(&self.question(request, url))?;
                replayed(recording, line, request, url).map(Ok)
            }
            Tape::Nowhere => Err(not_asked()),
        }
    }

    fn question(&self, request: &Request, url: &SourceUrl) -> Question {
        let target = self.mask(&url.to_string(), request);
        // Who replays it may not have the secrets.
        let masked = |(body, _): &(Bytes, _)| match std::str::from_utf8(body) {
            Ok(text) => Bytes::from(self.mask(text, request)),
            Err(_) => body.clone(),
        };
        let posted = request.body.as_ref().map(masked);
        Question::new(method(request).as_str(), target, posted.as_deref())
    }

    fn recorded(
        &self,
        recorder: &Recorder,
        at: DateTime<Utc>,
        request: &Request,
        url: &SourceUrl,
        answer: reqwest::Response,
    ) -> reqwest::Response {
        let line = Line {
            at,
            asked: self.question(request, url),
            status: answer.status().as_u16(),
            headers: self.told(request, url, answer.headers()),
            body: None,
            bytes: 0,
            whole: false,
        };
        let take = recorder.take(line, self.secrets(request));
        let (status, headers) = (answer.status(), answer.headers().clone());
        let pieces = Box::pin(answer.bytes_stream());
        let body = try_unfold((pieces, take), |(mut pieces, mut take)| async move {
            let Some(piece) = pieces.next().await else {
                take.end(true);
                return Ok::<_, reqwest::Error>(None);
            };
            // What breaks off is dropped, and so recorded as far as it came.
            let piece = piece?;
            take.push(&piece);
            Ok(Some((piece, (pieces, take))))
        });
        let mut remade = http::Response::new(Body::wrap_stream(body));
        (*remade.status_mut(), *remade.headers_mut()) = (status, headers);
        remade.into()
    }

    /// The headers that matter, without secrets.
    fn told(
        &self,
        request: &Request,
        url: &SourceUrl,
        headers: &HeaderMap,
    ) -> BTreeMap<String, String> {
        HEADERS
            .iter()
            .filter_map(|&name| {
                let all = headers.get_all(name).iter();
                let all: Vec<&str> = all.filter_map(|value| value.to_str().ok()).collect();
                let text = all.join(", ");
                // A signed address is as good as a key.
                let text = match (name, url.redirected(&text)) {
                    ("location", Some(next)) => next.to_string(),
                    _ => text,
                };
                (!all.is_empty()).then(|| (name.to_owned(), self.mask(&text, request)))
            })
            .collect()
    }
}

fn not_asked() -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Unreachable,
        "is not asked: nothing leaves this machine now",
    )
    .lasting()
}

fn replayed(
    recording: &Recording,
    line: &Line,
    request: &Request,
    url: &SourceUrl,
) -> Result<reqwest::Response, ConnectorError> {
    let wrong = |what: String| {
        ConnectorError::new(ErrorKind::Local, format!("the recording is broken: {what}"))
            .at(url)
            .with_help("record again into another folder")
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &line.headers {
        let pair = HeaderName::try_from(name)
            .ok()
            .zip(HeaderValue::try_from(value).ok());
        let (name, value) = pair.ok_or_else(|| wrong(format!("the header {name:?} is none")))?;
        headers.insert(name, value);
    }
    let status = match is_unchanged(line, request) {
        true => 304,
        false => line.status,
    };
    let body = match recording.body(line)? {
        None if line.whole => Body::default(),
        _ if status == 304 => Body::default(),
        file => Body::wrap_stream(pieces(file, line.whole)),
    };
    let mut answer = http::Response::new(body);
    *answer.status_mut() =
        StatusCode::from_u16(status).map_err(|_| wrong(format!("the status {status} is none")))?;
    *answer.headers_mut() = headers;
    Ok(answer.into())
}

/// Whether what the asker knows is what was recorded.
fn is_unchanged(line: &Line, request: &Request) -> bool {
    let Some(known) = request.validators.as_ref().filter(|_| line.status == 200) else {
        return false;
    };
    let is_same = |name: &str, known: &Option<String>| {
        let told = line.headers.get(name);
        told.is_some() && told == known.as_ref()
    };
    match known.etag {
        Some(_) => is_same("etag", &known.etag),
        None => is_same("last-modified", &known.last_modified),
    }
}

/// A recorded body; where it was not read to its end, neither can it be now.
fn pieces(
    file: Option<File>,
    is_whole: bool,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    try_unfold(file, move |mut file| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let read = match &mut file {
            Some(file) => file.read(&mut piece)?,
            None => 0,
        };
        piece.truncate(read);
        match (read, is_whole) {
            (0, true) => Ok(None),
            (0, false) => Err(std::io::Error::other("the recording holds no more of it")),
            _ => Ok(Some((Bytes::from(piece), file))),
        }
    })
}
