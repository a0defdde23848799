//! What a page says of the next one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::link;
use super::pager::{Count, Page, Turn};
use super::path::{Found, JsonPath, digest, only_list, places_of_only_list};
use super::place::Place;
use super::progress::{Position, hash};
use super::{Paging, Style};
use crate::error::{ConnectorError, ErrorKind};
use crate::incremental::Ahead;

/// Pages without records, one after the other, after which nothing more is expected.
const EMPTY_PAGES_MAX: u64 = 100;

/// Pages with the same records as the page before, one after the other, after which nothing else is expected.
const ALIKE_PAGES_MAX: u64 = 3;

/// Where OData says how to go on: versions 4, 4.01, 3 and 2.
const ODATA_NEXT: [&str; 4] = [
    "['@odata.nextLink']",
    "['@nextLink']",
    "['odata.nextLink']",
    "d.__next",
];
/// Where OData has its records: version 4, and two ways of version 2.
const ODATA_RECORDS: [&str; 3] = ["value", "d.results", "d"];

fn odata_records() -> Vec<JsonPath> {
    let paths = ODATA_RECORDS.iter();
    paths.filter_map(|path| path.parse().ok()).collect()
}

impl Page<'_> {
    /// How many records came; `None` where they are not counted.
    pub(super) fn records(&self, bytes: &[u8]) -> Result<Option<u64>, ConnectorError> {
        let is_odata = self
            .paging()
            .is_some_and(|paging| paging.style == Style::Odata);
        match &self.pager.count {
            Count::None => Ok(None),
            Count::Lines { header } => {
                let size = self.paging().and_then(|paging| paging.size);
                Ok(Some(lines(bytes, *header, size.map(u64::from))))
            }
            Count::Path(path) => match self.json(path.count(bytes))? {
                None => Err(self
                    .error(format!("the answer has no records at `{path}`"))
                    .with_help(
                        "look at an answer of the source: `records` says where its list stands",
                    )),
                found => Ok(found),
            },
            Count::Guess if !looks_like_json(bytes) => Ok(None),
            Count::Guess if is_odata => {
                for path in odata_records() {
                    if let Some(count) = self.json(path.count(bytes))? {
                        return Ok(Some(count));
                    }
                }
                Ok(None)
            }
            Count::Guess => self.json(only_list(bytes)),
        }
    }

    pub(super) fn turned(
        mut self,
        headers: &BTreeMap<String, String>,
        bytes: &[u8],
        records: Option<u64>,
    ) -> Result<Turn, ConnectorError> {
        self.note_marks(bytes, records)?;
        let hash = self.hashed(bytes);
        let is_alike = records != Some(0) && self.at.last.as_ref() == Some(&hash);
        self.at.alike = if is_alike { self.at.alike + 1 } else { 0 };
        if self.at.alike >= self.alike_max(records) {
            return Err(self.same_again());
        }
        let next = match self.paging() {
            Some(paging) => self.next(paging, headers, bytes, records)?,
            None => None,
        };
        let Some(place) = next else {
            let is_incremental = self.pager.incremental.is_some();
            let mut progress = self.progress;
            progress.mark = match (progress.mark.take(), self.at.newest) {
                (Some(mark), Some(newest)) => Some(mark.max(newest)),
                (mark, newest) => newest.or(mark),
            };
            return Ok(Turn {
                records,
                next: is_incremental.then(|| progress.into_cursor()),
                has_more: false,
            });
        };
        let at = self.step(place, hash, records)?;
        let mut progress = self.progress;
        progress.at = Some(at);
        Ok(Turn {
            records,
            next: Some(progress.into_cursor()),
            has_more: true,
        })
    }

    /// What the page is known by if it comes again. Where pages have numbers of ours, all of it; else its records, for the way to
    /// the next page stands beside them and may be another each time.
    fn hashed(&self, bytes: &[u8]) -> String {
        let known = match &self.pager.count {
            _ if self.is_numbered() => None,
            Count::Path(path) => digest(std::slice::from_ref(path), bytes),
            Count::Guess if self.paging().is_some_and(|it| it.style == Style::Odata) => {
                digest(&odata_records(), bytes)
            }
            Count::Guess if looks_like_json(bytes) => digest(&places_of_only_list(), bytes),
            _ => None,
        };
        known.unwrap_or_else(|| hash(bytes))
    }

    /// Pages in a row like the one before them after which a source is said to have no end. Where the source itself leads on, a
    /// few may be alike by chance, and more of them where each has one record alone.
    fn alike_max(&self, records: Option<u64>) -> u64 {
        match records {
            _ if self.is_numbered() => 1,
            Some(1) => EMPTY_PAGES_MAX,
            _ => ALIKE_PAGES_MAX,
        }
    }

    fn is_numbered(&self) -> bool {
        let style = self.paging().map(|paging| paging.style);
        matches!(style, Some(Style::Offset | Style::Page))
    }

    /// The position behind this page, unless the way there leads in a circle.
    fn step(
        &self,
        place: Place,
        last: String,
        records: Option<u64>,
    ) -> Result<Position, ConnectorError> {
        let hashed = hash(place.text().as_bytes());
        let is_same = self.at.place.as_ref() == Some(&place);
        if is_same || self.at.trail.as_ref() == Some(&hashed) {
            return Err(self.circle());
        }
        let empty = match records {
            Some(0) => self.at.empty + 1,
            _ => 0,
        };
        if empty >= EMPTY_PAGES_MAX {
            let message = format!(
                "the source does not come to an end: {empty} pages in a row have no records, and it promises more"
            );
            return Err(self.error(message).with_help(ASK));
        }
        let cap = self
            .paging()
            .zip(records)
            .and_then(|(paging, records)| self.cap(paging, records));
        let counts = |paging: &Paging| paging.size.is_none() && paging.total.is_some();
        let most = match self.paging().is_some_and(counts) {
            true => self.at.most.max(records.unwrap_or_default()),
            false => 0,
        };
        let page = self.at.page + 1;
        let trail = match page.is_power_of_two() {
            true => Some(hashed),
            false => self.at.trail.clone(),
        };
        Ok(Position {
            page,
            place: Some(place),
            from: self.at.from.clone(),
            newest: self.at.newest.clone(),
            records: self.at.records + records.unwrap_or_default(),
            cap: self.at.cap.or(cap),
            most,
            empty,
            alike: self.at.alike,
            last: Some(last),
            trail,
        })
    }

    /// Where the source goes on; `None` at its end.
    fn next(
        &self,
        paging: &Paging,
        headers: &BTreeMap<String, String>,
        bytes: &[u8],
        records: Option<u64>,
    ) -> Result<Option<Place>, ConnectorError> {
        let link = match paging.style {
            Style::Offset | Style::Page => return self.numbered(paging, bytes, records),
            Style::Link => headers
                .get("link")
                .and_then(|header| link::target(header, "next")),
            _ => None,
        };
        if let Some(more) = &paging.more
            && self.flag(more, bytes)? == Some(false)
        {
            return Ok(None);
        }
        let told = match (paging.style, &paging.next) {
            (Style::Link, _) => link.map(str::to_owned),
            (_, Some(path)) => self.text(path, bytes)?,
            (_, None) => self.odata_link(bytes)?,
        };
        match told.filter(|told| !told.is_empty()) {
            Some(mark) if paging.style == Style::Cursor => {
                let place = Place::Mark(mark);
                // Some sources repeat their last mark where there is nothing more.
                let is_end = records == Some(0) && self.at.place.as_ref() == Some(&place);
                Ok((!is_end).then_some(place))
            }
            Some(link) => {
                let is_key = |name: &str| self.http.sends_query(name);
                Place::of_link(&link, &self.url, &self.pager.base, paging, &is_key).map(Some)
            }
            None if paging.style == Style::Odata && paging.size.is_some() => {
                self.numbered(paging, bytes, records)
            }
            None => Ok(None),
        }
    }

    /// The greatest mark so far.
    fn note_marks(&mut self, bytes: &[u8], records: Option<u64>) -> Result<(), ConnectorError> {
        let Some(incremental) = &self.pager.incremental else {
            return Ok(());
        };
        let Some(field) = incremental.field.as_ref().filter(|_| records != Some(0)) else {
            return Ok(());
        };
        let (mut newest, mut has_any) = (self.at.newest.take(), false);
        let (now, mut ahead) = (self.now, Ahead::default());
        let walked = field.walk(bytes, &mut |found| {
            if let Found::Scalar(value) = found {
                if let Some(read) = incremental.read(&value) {
                    has_any = true;
                    ahead.add(&read, now);
                }
                newest = incremental.highest(newest.take(), &value, now);
            }
        });
        self.json(walked)?;
        self.at.newest = newest;
        if let Some(note) = ahead.note(field) {
            self.http.note(note);
        }
        // Without paging nobody counts, and an empty answer may well have none.
        if has_any || records.is_none() {
            return Ok(());
        }
        let message = format!("no record has a time or id at `{field}`");
        Err(self.error(message).with_help(
            "look at an answer of the source: `field` says where the value stands, `format` how it is written",
        ))
    }

    fn odata_link(&self, bytes: &[u8]) -> Result<Option<String>, ConnectorError> {
        for path in ODATA_NEXT.iter().filter_map(|path| path.parse().ok()) {
            if let Some(link) = self.text(&path, bytes)? {
                return Ok(Some(link));
            }
        }
        Ok(None)
    }

    /// A text or number there.
    fn text(&self, path: &JsonPath, bytes: &[u8]) -> Result<Option<String>, ConnectorError> {
        Ok(match self.json(path.read(bytes))?.into_iter().next() {
            Some(Value::String(text)) => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        })
    }

    pub(super) fn number_at(
        &self,
        path: &JsonPath,
        bytes: &[u8],
    ) -> Result<Option<u64>, ConnectorError> {
        Ok(match self.json(path.read(bytes))?.into_iter().next() {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        })
    }

    pub(super) fn flag(
        &self,
        path: &JsonPath,
        bytes: &[u8],
    ) -> Result<Option<bool>, ConnectorError> {
        Ok(match self.json(path.read(bytes))?.into_iter().next() {
            Some(Value::Bool(flag)) => Some(flag),
            Some(Value::String(text)) => text.trim().to_ascii_lowercase().parse().ok(),
            Some(Value::Number(number)) => Some(number.as_f64() != Some(0.0)),
            _ => None,
        })
    }

    fn paging(&self) -> Option<&Paging> {
        self.pager.paging.as_ref()
    }

    fn json<T>(&self, read: Result<T, serde_json::Error>) -> Result<T, ConnectorError> {
        read.map_err(|error| {
            self.error(format!("the answer is no JSON: {error}"))
                .with_help("look at the address in a browser, and at what `format` the source is asked for")
        })
    }

    pub(super) fn error(&self, message: impl Into<String>) -> ConnectorError {
        ConnectorError::new(ErrorKind::Invalid, message).at(&self.url)
    }

    fn circle(&self) -> ConnectorError {
        let page = self.at.page;
        self.error(format!(
            "the source does not come to an end: page {page} leads back to where it was"
        ))
        .with_help(ASK)
    }

    fn same_again(&self) -> ConnectorError {
        let (page, first) = (self.at.page, self.at.page - self.at.alike);
        let message = match self.is_numbered() {
            true => format!(
                "the source does not come to an end: page {page} has the same content as page {first}"
            ),
            false => format!(
                "the source does not come to an end: it leads in a circle, for the pages {first} to {page} have the same records"
            ),
        };
        let help = match self.paging() {
            Some(paging) if self.is_numbered() => format!(
                "the source may not know the parameter `{}`: look at the publisher's documentation",
                paging.parameter()
            ),
            _ => ASK.to_owned(),
        };
        self.error(message).with_help(help)
    }
}

const ASK: &str =
    "ask the publisher; how pages are found may be set up wrongly there, or under `paging:`";

fn looks_like_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Records of a text after so many lines of header. A line break between quotes ends no record, but a quote may also stand
/// for inches: where both readings leave it open, the page is as long as it was asked to be.
fn lines(bytes: &[u8], header: u64, size: Option<u64>) -> u64 {
    let (mut all, mut unquoted) = (0_u64, 0_u64);
    let (mut is_quoted, mut is_blank) = (false, true);
    for line in bytes.split(|byte| *byte == b'\n') {
        let has_text = !line.trim_ascii().is_empty();
        all += u64::from(has_text);
        is_blank &= !has_text;
        is_quoted ^= line.iter().filter(|byte| **byte == b'"').count() % 2 == 1;
        if !is_quoted {
            unquoted += u64::from(!is_blank);
            is_blank = true;
        }
    }
    // A quote that stays open hides one record at least.
    unquoted += u64::from(is_quoted);
    let (least, most) = (unquoted.saturating_sub(header), all.saturating_sub(header));
    size.filter(|size| (least..=most).contains(size))
        .unwrap_or(least)
}
