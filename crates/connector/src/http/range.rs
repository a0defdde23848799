//! The rest of a body that broke off (RFC 9110, section 14): asked for only if it is still the same thing.

use reqwest::header::HeaderMap;

use super::body::text;
use super::request::Request;

/// How the rest of an answer is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resume {
    /// What If-Range names: a strong ETag, or Last-Modified.
    validator: String,
    etag: Option<String>,
}

/// The rest from a byte on, if nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rest {
    pub(crate) from: u64,
    pub(crate) validator: String,
}

impl Resume {
    /// `None` where a rest cannot be told from a part of something else.
    pub(super) fn of(request: &Request, headers: &HeaderMap) -> Option<Self> {
        if request.body.is_some() || text(headers, "accept-ranges") == Some("none") {
            return None;
        }
        let etag = text(headers, "etag");
        let strong = etag.filter(|etag| etag.starts_with('"'));
        let date = text(headers, "last-modified").filter(|_| etag.is_none());
        Some(Self {
            validator: strong.or(date)?.to_owned(),
            etag: etag.map(str::to_owned),
        })
    }

    pub(super) fn rest(&self, from: u64) -> Rest {
        Rest {
            from,
            validator: self.validator.clone(),
        }
    }

    /// Whether another answer is about the same version, as far as it tells.
    pub(super) fn is_same(&self, headers: &HeaderMap) -> bool {
        match (&self.etag, text(headers, "etag")) {
            (Some(first), Some(second)) => first == second,
            (None, None) => {
                text(headers, "last-modified").is_none_or(|date| date == self.validator)
            }
            _ => true,
        }
    }
}

/// What a Content-Range says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    first: u64,
    last: u64,
    total: Option<u64>,
}

impl Part {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let (range, total) = text(headers, "content-range")?
            .strip_prefix("bytes ")?
            .split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        let total = match total {
            "*" => None,
            total => Some(total.parse().ok()?),
        };
        let fits = first <= last && total.is_none_or(|total| last < total);
        fits.then_some(Self { first, last, total })
    }

    /// Whether it begins where `given` bytes end, in a thing of `announced` bytes.
    pub(super) fn goes_on(&self, given: u64, announced: Option<u64>) -> bool {
        let is_as_large = match (self.total, announced) {
            (Some(total), Some(announced)) => total == announced,
            _ => true,
        };
        self.first == given
            && is_as_large
            && announced.is_none_or(|announced| self.last < announced)
    }

    /// The byte behind its last one.
    pub(super) fn end(&self) -> u64 {
        self.last.saturating_add(1)
    }

    pub(super) fn length(&self) -> u64 {
        self.end().saturating_sub(self.first)
    }

    /// Of the whole, where that is known.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { first, last, total } = self;
        match total {
            Some(total) => write!(f, "those from {first} to {last} of {total}"),
            None => write!(f, "those from {first} to {last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;
    use reqwest::header::{CONTENT_RANGE, HeaderValue};

    use super::*;

    fn part(text: &str) -> Option<Part> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_RANGE, HeaderValue::try_from(text).unwrap());
        Part::of(&headers)
    }

    #[test]
    fn content_ranges() {
        for (text, goes_on) in [
            ("bytes 5-9/10", true),
            ("bytes 5-7/10", true),
            ("bytes 5-9/*", true),
            ("bytes 5-10/*", false),
            ("bytes 4-9/10", false),
            ("bytes 6-9/10", false),
            ("bytes 5-9/11", false),
            ("bytes 5-10/10", false),
            ("bytes 9-5/10", false),
            ("bytes */10", false),
            ("items 5-9/10", false),
            ("bytes 5-9", false),
            ("bytes -5-9/10", false),
        ] {
            let found = part(text).is_some_and(|part| part.goes_on(5, Some(10)));
            assert_eq!(found, goes_on, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(bytes )?[0-9*/ -]{0,40}") {
            part(&text);
        }
    }
}
