//! A body that mends itself: when it breaks off, it is asked for again and goes on behind the bytes already given.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::try_unfold;
use reqwest::header::{self, HeaderMap};

use super::Http;
use super::judge::Opened;
use super::request::{Request, Response};
use super::transport::of_transport;
use crate::error::{ConnectorError, ErrorKind};

/// Headers that say something about the data, and are kept with it. None of them can hold a secret.
const KEPT_HEADERS: [&str; 9] = [
    "content-type",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "date",
    "age",
    "expires",
    "link",
];

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

    fn kept(&self, headers: &HeaderMap, request: &Request) -> BTreeMap<String, String> {
        let all = |name: &str| {
            let values = headers.get_all(name).iter();
            let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
            (!values.is_empty()).then(|| values.join(", "))
        };
        KEPT_HEADERS
            .iter()
            .filter_map(|&name| Some((name.to_owned(), self.mask(&all(name)?, request))))
            .collect()
    }

    fn body(&self, request: &Request, opened: Opened) -> crate::source::Body {
        let state = Reading {
            http: self.clone(),
            // The bytes are wanted now, changed or not.
            request: request.clone().if_changed_since(None),
            announced: announced(opened.answer.headers()),
            opened,
            given: 0,
            hash: blake3::Hasher::new(),
            attempt: 1,
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
    given: u64,
    /// Of the bytes given: tells whether a second answer begins with the same.
    hash: blake3::Hasher,
    attempt: u32,
}

impl Reading {
    /// The next bytes; none at the end.
    async fn next(&mut self) -> Result<Bytes, ConnectorError> {
        loop {
            match self.raw().await {
                Ok(chunk) => {
                    self.given += chunk.len() as u64;
                    self.hash.update(&chunk);
                    self.within_bound()?;
                    return Ok(chunk);
                }
                Err(error) => {
                    let mut error = error;
                    loop {
                        self.http.pause_or_fail(error, self.attempt).await?;
                        self.attempt += 1;
                        match self.restart().await {
                            Ok(()) => break,
                            Err(again) => error = again,
                        }
                    }
                }
            }
        }
    }

    /// The next bytes of the answer at hand; none at its end.
    async fn raw(&mut self) -> Result<Bytes, ConnectorError> {
        let first = std::mem::take(&mut self.opened.first);
        if !first.is_empty() {
            return Ok(first);
        }
        let chunk = loop {
            let chunk = self.opened.answer.chunk().await;
            let chunk =
                chunk.map_err(|error| of_transport(&self.http, &error, &self.request.url))?;
            match chunk {
                Some(empty) if empty.is_empty() => {}
                other => break other.unwrap_or_default(),
            }
        };
        match self.announced {
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

    /// Asks again and reads up to where the last answer broke off, which must be the same bytes.
    async fn restart(&mut self) -> Result<(), ConnectorError> {
        // One place at the host is enough.
        self.opened.permit = None;
        let given = self.given;
        let Some(opened) = self.http.once(&self.request).await? else {
            return Err(self.has_changed());
        };
        let announced = announced(opened.answer.headers());
        let (request, expected) = (self.request.clone(), self.hash.finalize());
        self.opened = opened;
        self.announced = announced;
        let mut hash = blake3::Hasher::new();
        self.given = 0;
        while self.given < given {
            let chunk = self.raw().await;
            // What is left of the state is right again before an error is told.
            let chunk = match chunk {
                Ok(chunk) if !chunk.is_empty() => chunk,
                Ok(_) => {
                    self.given = given;
                    return Err(self.has_changed());
                }
                Err(error) => {
                    self.given = given;
                    return Err(error);
                }
            };
            let wanted = usize::try_from(given - self.given)
                .unwrap_or(usize::MAX)
                .min(chunk.len());
            hash.update(&chunk[..wanted]);
            self.given += wanted as u64;
            self.opened.first = chunk.slice(wanted..);
        }
        if hash.finalize() != expected {
            return Err(self.has_changed());
        }
        tracing::info!(url = %request.url, given, "the answer goes on where it broke off");
        Ok(())
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
        let message = format!("the answer is larger than {bytes_max} bytes");
        Err(ConnectorError::new(ErrorKind::TooLarge, message).at(&self.request.url))
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The file name of a Content-Disposition (RFC 6266), without folders.
fn file_name(disposition: &str) -> Option<String> {
    let value = |key: &str| {
        disposition.split(';').find_map(|piece| {
            let (name, value) = piece.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case(key)
                .then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let encoded = value("filename*").and_then(|value| {
        let text = value.splitn(3, '\'').nth(2)?.replace('+', "%2B");
        let pair = format!("n={text}");
        url::form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, name)| name.into_owned())
    });
    let name = encoded.or_else(|| value("filename"))?;
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    (!name.is_empty() && name != "..").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_come_without_folders() {
        for (disposition, name) in [
            ("attachment; filename=\"a b.csv\"", Some("a b.csv")),
            ("attachment; filename=a.csv", Some("a.csv")),
            (
                "attachment; filename=x.csv; filename*=UTF-8''tr%C6%B0%E1%BB%9Dng.csv",
                Some("trường.csv"),
            ),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("inline", None),
            ("attachment; filename=\"\"", None),
        ] {
            assert_eq!(file_name(disposition).as_deref(), name, "{disposition}");
        }
    }
}
