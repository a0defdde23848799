//! A body that mends itself: when it breaks off, it is asked for again and goes on behind the bytes already given.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::stream::try_unfold;
use reqwest::header::{self, HeaderMap};

use super::digest::Checks;
use super::judge::Opened;
use super::range::{Part, Resume};
use super::request::{Request, Response};
use super::response::{announced, file_name};
use super::{Http, Inner};
use crate::error::{ConnectorError, ErrorKind};

/// After so many bytes the attempts count anew: a large file over a bad line breaks off more often than a small one. Where the
/// rest alone is asked for, fewer will do, as long as so many come within the time that a whole answer may take.
const PROGRESS_BYTES: u64 = 4 << 20;

impl Http {
    pub(super) fn response(&self, request: &Request, opened: Opened) -> Response {
        let headers = opened.answer.headers();
        let text = |name| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        Response {
            status: opened.answer.status().as_u16(),
            headers: self.kept(headers, request),
            etag: text(header::ETAG),
            last_modified: text(header::LAST_MODIFIED),
            length: announced(headers),
            file_name: text(header::CONTENT_DISPOSITION)
                .as_deref()
                .and_then(file_name),
            url: request.url.to_string(),
            body: self.body(request, opened),
        }
    }

    fn body(&self, request: &Request, opened: Opened) -> crate::source::Body {
        let headers = opened.answer.headers();
        let state = Reading {
            http: self.clone(),
            // The bytes are wanted now, changed or not.
            request: request.clone().if_changed_since(None),
            announced: announced(headers),
            part_end: None,
            resume: Resume::of(request, headers),
            checks: Checks::of(headers, self.inner.config.checksum.as_ref()),
            opened,
            given: 0,
            hash: blake3::Hasher::new(),
            attempt: 1,
            broke_at: 0,
            moved: (0, self.inner.shared.pace.now()),
        };
        try_unfold(state, |mut state| async move {
            let chunk = state.next().await?;
            Ok((!chunk.is_empty()).then_some((chunk, state)))
        })
        .boxed()
    }
}

struct Reading {
    http: Http,
    request: Request,
    opened: Opened,
    announced: Option<u64>,
    /// Where the part at hand ends, if it is one: no byte may come after it.
    part_end: Option<u64>,
    /// How to ask for the rest alone.
    resume: Option<Resume>,
    checks: Checks,
    given: u64,
    /// Of the bytes given: tells whether a second answer begins with the same.
    hash: blake3::Hasher,
    attempt: u32,
    broke_at: u64,
    /// How many bytes were given, and when, as the last [`PROGRESS_BYTES`] were full.
    moved: (u64, DateTime<Utc>),
}

impl Reading {
    /// The next bytes; none at the end.
    async fn next(&mut self) -> Result<Bytes, ConnectorError> {
        loop {
            match self.raw().await {
                Ok(chunk) => {
                    self.given += chunk.len() as u64;
                    if self.given - self.moved.0 >= PROGRESS_BYTES {
                        self.moved = (self.given, self.http.inner.shared.pace.now());
                    }
                    self.hash.update(&chunk);
                    self.checks.update(&chunk);
                    self.within_bound()?;
                    if chunk.is_empty() {
                        self.is_what_was_told()?;
                    }
                    return Ok(chunk);
                }
                Err(error) => self.mend(error).await?,
            }
        }
    }

    async fn mend(&mut self, mut error: ConnectorError) -> Result<(), ConnectorError> {
        let won = self.given - self.broke_at;
        self.broke_at = self.given;
        if won >= PROGRESS_BYTES {
            self.attempt = 1;
        }
        if error.retryable && self.is_moving(won) {
            self.attempt = 1;
            tracing::info!(%error, given = self.given, "the rest is asked for");
            self.rest().await;
            match self.restart().await {
                Ok(()) => return Ok(()),
                Err(again) => error = again,
            }
        }
        loop {
            self.http.pause_or_fail(error, self.attempt).await?;
            self.attempt += 1;
            match self.restart().await {
                Ok(()) => return Ok(()),
                Err(again) => error = again,
            }
        }
    }

    /// The shortest pause.
    async fn rest(&self) {
        let Inner { limits, shared, .. } = &*self.http.inner;
        let pause = limits.pause(1, shared.pace.jitter());
        shared.pace.sleep(pause).await;
    }

    /// Whether an attempt that won so many bytes counts as none that failed: the source gives the rest alone, so that what came
    /// is asked for no more; it gives no mere drops; and it comes to an end in some time.
    fn is_moving(&self, won: u64) -> bool {
        let Inner { limits, shared, .. } = &*self.http.inner;
        let taken = (shared.pace.now() - self.moved.1).to_std();
        self.part_end.is_some()
            && won >= limits.progress_bytes_min
            && taken.unwrap_or_default() < limits.total_timeout
    }

    /// The next bytes of the answer at hand; none at its end.
    async fn raw(&mut self) -> Result<Bytes, ConnectorError> {
        let first = std::mem::take(&mut self.opened.first);
        if !first.is_empty() {
            return Ok(first);
        }
        let chunk = self.http.piece(&mut self.opened, &self.request.url).await?;
        if self
            .part_end
            .is_some_and(|end| chunk.len() as u64 > end.saturating_sub(self.given))
        {
            // What came of this part is doubtful: the whole is read anew, and must begin with the bytes given.
            self.resume = None;
            return Err(too_much(&self.request));
        }
        match self.announced.max(self.part_end) {
            Some(announced) if chunk.is_empty() && self.given < announced => {
                let message = format!(
                    "the answer broke off after {} of {announced} bytes",
                    self.given
                );
                Err(ConnectorError::new(ErrorKind::Truncated, message).at(&self.request.url))
            }
            _ => Ok(chunk),
        }
    }

    /// Asks again: for the rest alone where the source can do that, else for the whole, which must begin with the same bytes.
    async fn restart(&mut self) -> Result<(), ConnectorError> {
        // One place at the host is enough.
        self.opened.permit = None;
        let resume = self.resume.as_ref().filter(|_| self.given > 0);
        let mut request = self.request.clone();
        request.rest = resume.map(|resume| resume.rest(self.given));
        let opened = match self.http.once(&request).await {
            Ok(Some(opened)) => opened,
            Ok(None) => return Err(self.has_changed()),
            // 416: there is no such rest.
            Err(error) if request.rest.is_some() && error.kind == ErrorKind::Refused => {
                return Err(self.has_changed());
            }
            Err(error) => return Err(error),
        };
        let headers = opened.answer.headers();
        if let Some(resume) = resume {
            if !resume.is_same(headers) {
                return Err(self.has_changed());
            }
            if opened.answer.status().as_u16() == 206 {
                let part = Part::of(headers);
                let length = announced(headers);
                let Some(part) = part.filter(|part| part.goes_on(self.given, self.announced))
                else {
                    // From now on the whole is asked for.
                    self.resume = None;
                    return Err(other_part(part.as_ref(), self.given, &self.request));
                };
                if length.is_some_and(|length| length != part.length()) {
                    self.resume = None;
                    return Err(other_length(&part, length, &self.request));
                }
                self.announced = self.announced.or(part.total());
                self.part_end = Some(part.end());
                self.opened = opened;
                tracing::info!(url = %self.request.url, given = self.given, "the rest of the answer comes");
                return Ok(());
            }
        }
        self.announced = announced(headers);
        self.part_end = None;
        self.opened = opened;
        self.skip().await
    }

    /// Reads up to where the last answer broke off.
    async fn skip(&mut self) -> Result<(), ConnectorError> {
        let given = std::mem::take(&mut self.given);
        let skipped = self.skip_to(given).await;
        // What is left of the state is right again before an error is told.
        self.given = given;
        if skipped? != self.hash.finalize() {
            return Err(self.has_changed());
        }
        tracing::info!(url = %self.request.url, given, "the answer goes on where it broke off");
        Ok(())
    }

    async fn skip_to(&mut self, given: u64) -> Result<blake3::Hash, ConnectorError> {
        let mut hash = blake3::Hasher::new();
        while self.given < given {
            let chunk = self.raw().await?;
            if chunk.is_empty() {
                return Err(self.has_changed());
            }
            let wanted = usize::try_from(given - self.given)
                .unwrap_or(usize::MAX)
                .min(chunk.len());
            hash.update(&chunk[..wanted]);
            self.given += wanted as u64;
            self.opened.first = chunk.slice(wanted..);
        }
        Ok(hash.finalize())
    }

    fn has_changed(&self) -> ConnectorError {
        ConnectorError::new(ErrorKind::Changed, "the source changed while it was read")
            .at(&self.request.url)
            .lasting()
            .with_help("run the pipeline again")
    }

    fn within_bound(&self) -> Result<(), ConnectorError> {
        let bytes_max = self.http.inner.limits.body_bytes_max;
        if self.given <= bytes_max {
            return Ok(());
        }
        Err(self.http.too_large(&self.request.url))
    }

    fn is_what_was_told(&mut self) -> Result<(), ConnectorError> {
        let Some(said_by) = self.checks.finish() else {
            return Ok(());
        };
        let message = format!("the bytes are not those whose checksum {said_by} tells");
        Err(ConnectorError::new(ErrorKind::Corrupt, message)
            .at(&self.request.url)
            .lasting()
            .with_help(match said_by {
                "`checksum:`" => "the publisher has changed the file, or it is not theirs: compare with the checksum on their page",
                _ => "run the pipeline again; if it stays, something between here and the publisher changes the file",
            }))
    }
}

fn other_part(part: Option<&Part>, given: u64, request: &Request) -> ConnectorError {
    let found = part.map_or_else(|| "no Content-Range".to_owned(), ToString::to_string);
    let message = format!("was asked for the bytes from {given} on, and answers with {found}");
    let mut error = ConnectorError::new(ErrorKind::Invalid, message).at(&request.url);
    error.retryable = true;
    error
}

fn other_length(part: &Part, length: Option<u64>, request: &Request) -> ConnectorError {
    let length = length.unwrap_or_default();
    let message = format!("the answer says that its bytes are {part}, and that it has {length}");
    ConnectorError::new(ErrorKind::Corrupt, message).at(&request.url)
}

fn too_much(request: &Request) -> ConnectorError {
    let message = "more bytes came than the answer's Content-Range tells";
    ConnectorError::new(ErrorKind::Corrupt, message).at(&request.url)
}

/// A header as text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
}
