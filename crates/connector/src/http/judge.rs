//! What an answer is: a refusal, no change, something that is no data, or the thing.

use bytes::{Bytes, BytesMut};
use reqwest::header;

use super::Http;
use super::complaint::{self, Complaint};
use super::drip::Drip;
use super::gate::Permit;
use super::request::{Pages, Request};
use super::sniff::{Page, SNIFF_BYTES, Topic, has_table, page};
use super::transport::of_transport;
use super::wait::wait_asked;
use crate::address::SourceUrl;
use crate::drawable::drawable;
use crate::error::{ConnectorError, ErrorKind};

/// How much of a refusal's text is shown.
const REASON_CHARS_MAX: usize = 200;
/// How much of it is looked at: more than is shown, so that no secret is cut where it is shown.
const REASON_BYTES_MAX: usize = 64 << 10;

/// Names of files that hold no JSON.
const FILES: [&str; 14] = [
    ".csv", ".tsv", ".txt", ".xml", ".parquet", ".avro", ".zip", ".gz", ".zst", ".pb", ".xlsx",
    ".xls", ".ods", ".gml",
];

/// An answer of status 2xx whose first bytes have come.
pub(super) struct Opened {
    pub(super) answer: reqwest::Response,
    pub(super) first: Bytes,
    pub(super) drip: Drip,
    pub(super) permit: Option<Permit>,
}

impl Http {
    /// Judges the answer that came from `url`, where the request ended up.
    pub(super) async fn judge(
        &self,
        request: &Request,
        url: &SourceUrl,
        answer: reqwest::Response,
        permit: Permit,
    ) -> Result<Option<Opened>, ConnectorError> {
        let status = answer.status().as_u16();
        let is_rest = status == 206 && request.rest.is_some();
        let mut opened = Opened {
            answer,
            first: Bytes::new(),
            drip: Drip::default(),
            permit: Some(permit),
        };
        self.heed(url, &opened.answer);
        if is_rest {
            return Ok(Some(opened));
        }
        if let Some(mut error) = ConnectorError::of_status(status) {
            error.wait = wait_asked(opened.answer.headers(), self.inner.shared.pace.now());
            if let Some(reason) = reason(&mut opened.answer).await {
                let reason = self.shown(&reason, request);
                if !reason.is_empty() {
                    error.message = format!("{}: {reason}", error.message);
                }
            }
            return Err(error.at(&request.url));
        }
        if status == 304 {
            return match &request.validators {
                Some(_) => Ok(None),
                None => Err(ConnectorError::new(
                    ErrorKind::Invalid,
                    "the source says that nothing changed, but was not asked (HTTP 304)",
                )
                .at(&request.url)),
            };
        }
        let length = opened.answer.content_length();
        if length.is_some_and(|length| length > self.inner.limits.body_bytes_max) {
            return Err(self.too_large(&request.url));
        }
        let is_whole = self.begin(&mut opened, &request.url).await?;
        match self.no_data(request, url, &opened.first, is_whole) {
            Some(error) => Err(error.at(&request.url)),
            None => Ok(Some(opened)),
        }
    }

    pub(super) fn too_large(&self, url: &SourceUrl) -> ConnectorError {
        let bytes_max = self.inner.limits.body_bytes_max;
        let message = format!("the answer is larger than {bytes_max} bytes");
        ConnectorError::new(ErrorKind::TooLarge, message)
            .at(url)
            .with_help("if that is meant, write a larger `max_size:` under `source:`")
    }

    /// The next piece of an answer; none at its end.
    pub(super) async fn piece(
        &self,
        opened: &mut Opened,
        url: &SourceUrl,
    ) -> Result<Bytes, ConnectorError> {
        let pace = &self.inner.shared.pace;
        loop {
            let asked = pace.now();
            let piece = opened.answer.chunk().await;
            let piece = piece.map_err(|error| of_transport(self, &error, url))?;
            let Some(piece) = piece else {
                return Ok(Bytes::new());
            };
            let limits = &self.inner.limits;
            if let Some(bytes) = opened.drip.piece(&piece, asked, pace.now(), limits) {
                let window = limits.progress_window.as_secs();
                let message = format!("only {bytes} bytes came in {window} s");
                return Err(ConnectorError::new(ErrorKind::Timeout, message).at(url));
            }
            if !piece.is_empty() {
                return Ok(piece);
            }
        }
    }

    /// Reads as much as tells what it is; whether that is all.
    async fn begin(&self, opened: &mut Opened, url: &SourceUrl) -> Result<bool, ConnectorError> {
        let mut first = BytesMut::new();
        let mut pieces = 0;
        let is_whole = loop {
            let piece = self.piece(opened, url).await?;
            if piece.is_empty() {
                break true;
            }
            // The usual case: one piece is enough, and is not copied.
            if pieces == 0 && piece.len() >= SNIFF_BYTES {
                opened.first = piece;
                return Ok(false);
            }
            pieces += 1;
            first.extend_from_slice(&piece);
            if first.len() >= SNIFF_BYTES {
                break false;
            }
        };
        opened.first = first.freeze();
        Ok(is_whole)
    }

    /// Why these first bytes are no data.
    fn no_data(
        &self,
        request: &Request,
        url: &SourceUrl,
        first: &[u8],
        is_whole: bool,
    ) -> Option<ConnectorError> {
        if let Some(page) = page(first)
            && !takes_page(request.pages, first)
        {
            return Some(self.a_page(&page, request, url));
        }
        let path = request.url.expose().path().to_ascii_lowercase();
        let is_file = FILES.iter().any(|ending| path.ends_with(ending));
        let told = match is_whole {
            true => complaint::of_json(first, is_file).or_else(|| complaint::of_xml(first)),
            false => complaint::of_xml(first),
        };
        told.map(|told| self.a_complaint(&told, request))
    }

    fn a_page(&self, page: &Page, request: &Request, url: &SourceUrl) -> ConnectorError {
        let named = match page.title.as_str() {
            "" => String::new(),
            title => format!(" {:?}", self.mask(title, request)),
        };
        let after = match url.expose() == request.url.expose() {
            true => String::new(),
            false => format!(
                ", after a redirect to {}",
                self.mask(&url.to_string(), request)
            ),
        };
        let (kind, what, help) = match page.topic {
            Topic::SignIn => (
                ErrorKind::NotData,
                "asks to sign in, where data is expected",
                "give the key that the publisher hands out as `auth:`, or ask for an address that needs no sign-in",
            ),
            Topic::NotFound => (
                ErrorKind::NotFound,
                "says that there is nothing at this address, though the status is 200",
                "look at the publisher's page; the file may have moved",
            ),
            Topic::Other => (
                ErrorKind::NotData,
                "came where data is expected",
                "open the address in a browser: it may ask for a sign-in, or the file may have moved",
            ),
        };
        ConnectorError::new(kind, format!("a web page{named} {what}{after}")).with_help(help)
    }

    /// The first words of what a source says. It is masked before it is cut: half a secret would not be known as one.
    fn shown(&self, said: &str, request: &Request) -> String {
        let masked = self.mask(said, request);
        let words = masked.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = words.chars().take(REASON_CHARS_MAX).collect();
        drawable(&cut).into_owned()
    }

    fn a_complaint(&self, told: &Complaint, request: &Request) -> ConnectorError {
        let said = self.shown(&told.said, request);
        let of_status = told.status.and_then(ConnectorError::of_status);
        let (kind, retryable) = match &of_status {
            Some(error) => (error.kind, error.retryable),
            None => (ErrorKind::NotData, false),
        };
        let message =
            format!("an error came where data is expected, though the status is 200: {said}");
        let mut error = ConnectorError::new(kind, message);
        error.retryable = retryable;
        let help = of_status.and_then(|error| error.help);
        error.with_help(help.unwrap_or_else(|| {
            "check the address and its parameters against the publisher's documentation".to_owned()
        }))
    }
}

fn takes_page(pages: Pages, first: &[u8]) -> bool {
    match pages {
        Pages::Refused => false,
        Pages::WithTable => has_table(first),
        Pages::Taken => true,
    }
}

/// What a refusal says, if it speaks in text.
async fn reason(answer: &mut reqwest::Response) -> Option<String> {
    let kind = answer
        .headers()
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()?
        .to_ascii_lowercase();
    if !(kind.contains("json") || kind.starts_with("text/plain")) {
        return None;
    }
    let chunk = answer.chunk().await.ok()??;
    let text = String::from_utf8_lossy(&chunk[..chunk.len().min(REASON_BYTES_MAX)]);
    Some(text.into_owned())
}
