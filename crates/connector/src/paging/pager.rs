//! The pages of one unit, one after the other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::progress::{Position, Progress};
use super::{JsonPath, Paging, Style};
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};
use crate::http::{Answer, Http, Request};
use crate::incremental::{Incremental, Kind, Mark};
use crate::io::Io;
use crate::source::{Cursor, Fetched, Reads};

/// A page that must be looked into, at most.
const PAGE_BYTES_MAX: usize = 256 << 20;

/// How the records of a page are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// JSON: the answer itself, if it is a list, or the only list in it.
    Guess,
    /// JSON: the list there.
    Path(JsonPath),
    /// CSV, or other text with a record a line, after so many lines of header.
    Lines {
        /// Lines that are no records.
        header: u64,
    },
    /// Not at all: the answer says by itself how it goes on.
    None,
}

/// The pages of one unit.
#[derive(Debug, Clone)]
pub struct Pager {
    pub(super) base: SourceUrl,
    pub(super) paging: Option<Paging>,
    pub(super) incremental: Option<Incremental>,
    pub(super) count: Count,
}

/// The page that is next.
#[derive(Debug)]
pub struct Page<'a> {
    pub(super) pager: &'a Pager,
    pub(super) progress: Progress,
    pub(super) at: Position,
    pub(super) now: DateTime<Utc>,
    pub(super) http: Http,
    pub(super) url: SourceUrl,
    /// The first page of the round, whose address names all of them.
    pub(super) first: SourceUrl,
}

/// What a page brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Its records, where they were counted.
    pub records: Option<u64>,
    /// Where the unit goes on: [`Fetched::next`].
    pub next: Option<Cursor>,
    /// Whether pages of this round follow.
    pub has_more: bool,
}

impl Pager {
    /// The pages from `base` on; without paging there is one.
    #[must_use]
    pub fn new(base: SourceUrl, paging: Option<Paging>) -> Self {
        let count = match &paging {
            None => Count::None,
            Some(paging) => match &paging.records {
                Some(path) => Count::Path(path.clone()),
                None => Count::Guess,
            },
        };
        Self {
            base,
            paging,
            incremental: None,
            count,
        }
    }

    /// Counts records so, unless the settings say where they stand.
    #[must_use]
    pub fn counting(mut self, count: Count) -> Self {
        let is_set = self
            .paging
            .as_ref()
            .is_some_and(|paging| paging.records.is_some());
        if !is_set {
            self.count = count;
        }
        self
    }

    /// Asks only for what is new since the last run.
    #[must_use]
    pub fn since(mut self, incremental: Option<Incremental>) -> Self {
        self.incremental = incremental;
        self
    }

    /// From where on a run reads these pages.
    #[must_use]
    pub fn reads(&self) -> Reads {
        let incremental = self.incremental.as_ref();
        incremental.map(Incremental::reads).unwrap_or_default()
    }

    /// The next page as a part: what most connectors' `fetch` is. A source without paging and mark is asked for changes only.
    /// A round that finds nothing new brings no part.
    ///
    /// `name` is the file's, for messages; `request` adds what the connector has to say: an `Accept`, a body.
    ///
    /// # Errors
    /// What the source answers with, and [`ErrorKind::Invalid`] for pages that lead in a circle or have no end.
    pub async fn fetch(
        &self,
        cursor: Option<&Cursor>,
        io: &Io,
        name: &str,
        request: impl Fn(SourceUrl) -> Request + Send,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let Some(page) = self.page(cursor, io)? else {
            return Ok(None);
        };
        let key = page.key();
        let is_whole = self.paging.is_none() && self.incremental.is_none();
        let known = is_whole.then(|| io.validators(&key)).flatten();
        let request = request(page.url().clone()).if_changed_since(known);
        let answer = match io.http().get(&request).await? {
            Answer::Unchanged => return Ok(Some(Fetched::unchanged(key, None))),
            Answer::Fresh(answer) if is_whole => {
                return Ok(Some(Fetched::part(answer.into_part(key, name), None)));
            }
            Answer::Fresh(answer) => answer,
        };
        let (answer, bytes) = answer.read(PAGE_BYTES_MAX).await?;
        let name = numbered(name, page.number());
        let is_later_round = self.incremental.is_some() && cursor.is_some() && page.number() == 1;
        let turn = page.turn(&answer.headers, &bytes);
        let turn = turn.map_err(|error| match bytes.trim_ascii().is_empty() {
            // Whatever was looked for in it.
            true => ConnectorError {
                message: format!("the answer is empty (HTTP {})", answer.status),
                ..error
            },
            false => error,
        })?;
        if is_later_round && turn.records == Some(0) && !turn.has_more {
            return Ok(None);
        }
        Ok(Some(Fetched::part(answer.into_part(key, &name), turn.next)))
    }

    /// The page that is next; `None`: the unit is read to its end.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a source without end.
    pub fn page(
        &self,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Page<'_>>, ConnectorError> {
        let now = io.started_at();
        let mut progress = Progress::of(cursor);
        let at = match (progress.at.take(), &self.incremental) {
            // A round that broke off goes on, whichever run began it.
            (Some(at), _) => at,
            (None, Some(_)) if progress.run == Some(now) => return Ok(None),
            (None, incremental) => Position {
                page: 1,
                from: incremental
                    .as_ref()
                    .and_then(|it| it.asks_from(progress.mark.as_ref(), now)),
                newest: incremental.as_ref().and_then(|it| of_run(it, now)),
                ..Position::default()
            },
        };
        progress.run = self.incremental.is_some().then_some(now);
        let first = self.first(at.from.as_ref());
        let url = match (&at.place, &self.paging) {
            (Some(place), Some(paging)) => place.url(&first, paging)?,
            _ => first.clone(),
        };
        let pages_max = self
            .paging
            .as_ref()
            .map_or(1, |paging| u64::from(paging.pages_max));
        if at.page > pages_max {
            return Err(endless(pages_max, &first));
        }
        Ok(Some(Page {
            pager: self,
            progress,
            at,
            now,
            http: io.http().clone(),
            url,
            first,
        }))
    }

    /// The address of a round's first page.
    fn first(&self, from: Option<&Mark>) -> SourceUrl {
        let mut pairs: Vec<(String, String)> = Vec::new();
        if let Some(incremental) = &self.incremental
            && let (Some(parameter), Some(from)) = (&incremental.parameter, from)
        {
            pairs.push((parameter.clone(), incremental.text(from)));
        }
        if let Some(paging) = &self.paging {
            if let Some((name, size)) = paging.size() {
                pairs.push((name.to_owned(), size.to_string()));
            }
            if matches!(paging.style, Style::Offset | Style::Page) {
                pairs.push((paging.parameter().to_owned(), paging.first().to_string()));
            }
        }
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        match pairs.is_empty() {
            true => self.base.clone(),
            false => self.base.with_query(&pairs),
        }
    }
}

impl Page<'_> {
    /// What to ask for.
    #[must_use]
    pub fn url(&self) -> &SourceUrl {
        &self.url
    }

    /// The part's key. Pages that are found by a link or a mark are told apart by their numbers: what the source writes into
    /// its links may be masked, or new with every run.
    #[must_use]
    pub fn key(&self) -> String {
        let (first, url) = (self.first.to_string(), self.url.to_string());
        let is_numbered = self
            .pager
            .paging
            .as_ref()
            .is_some_and(|paging| matches!(paging.style, Style::Offset | Style::Page));
        match self.at.page {
            1 => first,
            _ if is_numbered && url != first => url,
            number => format!("{first}#page={number}"),
        }
    }

    /// Its number within the round, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.at.page
    }

    /// What came: its records are counted, and where it goes on is found.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for an answer that cannot be read as the settings say, and for pages that lead in a circle.
    pub fn turn(
        self,
        headers: &BTreeMap<String, String>,
        bytes: &[u8],
    ) -> Result<Turn, ConnectorError> {
        let records = self.records(bytes)?;
        self.turned(headers, bytes, records)
    }

    /// The same where the connector has counted the records itself.
    ///
    /// # Errors
    /// As of [`Self::turn`].
    pub fn turn_counted(
        self,
        headers: &BTreeMap<String, String>,
        bytes: &[u8],
        records: u64,
    ) -> Result<Turn, ConnectorError> {
        self.turned(headers, bytes, Some(records))
    }
}

/// The mark of a round whose answers have none.
fn of_run(incremental: &Incremental, now: DateTime<Utc>) -> Option<Mark> {
    let has_none = incremental.field.is_none() && incremental.kind == Kind::Time;
    has_none.then_some(Mark::Time(now))
}

fn numbered(name: &str, page: u64) -> String {
    match (page, name.rsplit_once('.')) {
        (1, _) => name.to_owned(),
        (page, Some((stem, ending))) => format!("{stem}-{page}.{ending}"),
        (page, None) => format!("{name}-{page}"),
    }
}

fn endless(pages_max: u64, first: &SourceUrl) -> ConnectorError {
    let message = format!("the source does not come to an end: it has more than {pages_max} pages");
    ConnectorError::new(ErrorKind::Invalid, message)
        .at(first)
        .with_help("ask for larger pages, or raise `pages_max` if there really are so many")
}
