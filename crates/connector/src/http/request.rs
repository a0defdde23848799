//! What is asked for, and what a 200 brings.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use futures::TryStreamExt;

use super::range::Rest;
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};
use crate::io::Validators;
use crate::secret::Secret;
use crate::source::{Body, PartBody};

/// What is done with a web page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pages {
    /// It is refused: data is expected, and a page is a sign-in, or says that something is wrong.
    #[default]
    Refused,
    /// It is taken where it begins with a table, as agencies' exports to spreadsheets do.
    WithTable,
    /// It is taken: it is the data.
    Taken,
}

/// What is asked: a GET, or a POST that changes nothing and may be asked twice.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) url: SourceUrl,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) accept: Option<String>,
    pub(crate) body: Option<(Bytes, String)>,
    pub(crate) validators: Option<Validators>,
    pub(crate) gap: Option<Duration>,
    pub(crate) pages: Pages,
    /// Only the rest of it.
    pub(crate) rest: Option<Rest>,
}

impl Request {
    /// A GET of `url`.
    #[must_use]
    pub fn get(url: SourceUrl) -> Self {
        Self {
            url,
            headers: Vec::new(),
            accept: None,
            body: None,
            validators: None,
            gap: None,
            pages: Pages::Refused,
            rest: None,
        }
    }

    /// A POST of `body` to `url`, for sources that take their questions so.
    #[must_use]
    pub fn post(url: SourceUrl, body: impl Into<Bytes>, content_type: &str) -> Self {
        Self {
            body: Some((body.into(), content_type.to_owned())),
            ..Self::get(url)
        }
    }

    /// Wants an answer of this media type; the user's own `accept` header counts more.
    #[must_use]
    pub fn accept(mut self, media_type: &str) -> Self {
        self.accept = Some(media_type.to_owned());
        self
    }

    /// With headers; they are sent to the source's own host alone. For keys of the connector's own: what the user writes as
    /// `headers` and `auth` is in the client already.
    #[must_use]
    pub fn with_headers(mut self, headers: &[(String, Secret)]) -> Self {
        self.headers.extend_from_slice(headers);
        self
    }

    /// Asks for changes only.
    #[must_use]
    pub fn if_changed_since(mut self, validators: Option<Validators>) -> Self {
        self.validators = validators;
        self
    }

    /// Does this with web pages.
    #[must_use]
    pub fn with_pages(mut self, pages: Pages) -> Self {
        self.pages = pages;
        self
    }

    /// Keeps at least this distance from the last request to the host.
    #[must_use]
    pub fn with_gap(mut self, gap: Duration) -> Self {
        self.gap = Some(gap);
        self
    }
}

/// What came back.
#[derive(Debug)]
pub enum Answer {
    /// The thing is what its validators say (304).
    Unchanged,
    /// The thing.
    Fresh(Response),
}

/// An answer whose body is still to come.
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers that tell something about the data.
    pub headers: BTreeMap<String, String>,
    /// ETag.
    pub etag: Option<String>,
    /// Last-Modified, as sent.
    pub last_modified: Option<String>,
    /// The length that was announced.
    pub length: Option<u64>,
    /// File name from Content-Disposition.
    pub file_name: Option<String>,
    /// The URL that was asked for, masked.
    pub url: String,
    /// The bytes.
    pub body: Body,
}

impl Response {
    /// This answer as a part.
    #[must_use]
    pub fn into_part(self, key: String, name: &str) -> PartBody {
        PartBody {
            key,
            name: self.file_name.unwrap_or_else(|| name.to_owned()),
            status: Some(self.status),
            headers: self.headers,
            etag: self.etag,
            last_modified: self.last_modified,
            length: self.length,
            body: self.body,
        }
    }

    /// Reads the body whole, for answers that the connector must look into: pages, catalogues. Gives the answer again,
    /// its body at hand as it came, and the bytes to look into, unpacked if they came packed.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] beyond `bytes_max`, and what the body fails with.
    pub async fn read(self, bytes_max: usize) -> Result<(Self, Bytes), ConnectorError> {
        let Self { mut body, url, .. } = self;
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.try_next().await? {
            if bytes.len() + chunk.len() > bytes_max {
                let message = format!("a page of the answer is larger than {bytes_max} bytes");
                return Err(ConnectorError::new(ErrorKind::TooLarge, message).at(url));
            }
            bytes.extend_from_slice(&chunk);
        }
        let came = bytes.freeze();
        let is_packed = self.headers.get("content-encoding").is_some_and(|coding| {
            let coding = coding.trim().to_ascii_lowercase();
            coding == "gzip" || coding == "x-gzip"
        });
        let bytes = match is_packed {
            true => unpacked(&came, bytes_max, &url)?,
            false => came.clone(),
        };
        let length = Some(came.len() as u64);
        // What is kept is what came.
        let body: Body = Box::pin(futures::stream::once(async move { Ok(came) }));
        Ok((
            Self {
                body,
                url,
                length,
                ..self
            },
            bytes,
        ))
    }
}

/// We do not ask for packed answers, but some sources pack them all the same.
fn unpacked(packed: &[u8], bytes_max: usize, url: &str) -> Result<Bytes, ConnectorError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let read = MultiGzDecoder::new(packed)
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes);
    if let Err(error) = read {
        let message = format!("the answer is not packed as it says: {error}");
        return Err(ConnectorError::new(ErrorKind::Invalid, message).at(url));
    }
    if bytes.len() > bytes_max {
        let message = format!("a page of the answer unpacks to more than {bytes_max} bytes");
        return Err(ConnectorError::new(ErrorKind::TooLarge, message).at(url));
    }
    Ok(bytes.into())
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("url", &self.url)
            .field("status", &self.status)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
