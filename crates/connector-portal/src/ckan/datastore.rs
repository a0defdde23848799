//! Rows of the DataStore, page by page.

use chrono::{DateTime, Utc};
use sectorlake_connector::incremental::{Ahead, Incremental, Mark};
use sectorlake_connector::paging::{JsonPath, Pager, Paging, Style};
use sectorlake_connector::{
    ConnectorError, Cursor, ErrorKind, Fetched, Io, Reads, Request, SettingsError, SourceUrl,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::action;
use super::settings::DatastoreSettings;
use crate::ask;

const ROWS: u32 = 10_000;
/// Pages after which a table is said to have no end.
const PAGES_MAX: u64 = 100_000;

/// How a table is read.
#[derive(Debug)]
pub(super) struct Datastore {
    query: Vec<(String, String)>,
    sort: Option<String>,
    rows: u32,
    incremental: Option<Newest>,
}

/// A table whose newest rows are wanted.
#[derive(Debug)]
struct Newest {
    field: String,
    /// Where the field stands in an answer.
    path: JsonPath,
    marks: Incremental,
}

/// How far a table is read, newest rows first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Progress {
    /// The newest row of the last round.
    mark: Option<Mark>,
    /// The run that ended a round.
    run: Option<DateTime<Utc>>,
    /// Where a round goes on.
    at: Option<Position>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Position {
    page: u64,
    offset: u64,
    /// What is older has been read before.
    floor: Option<Mark>,
    newest: Option<Mark>,
}

impl Datastore {
    pub(super) fn new(settings: &DatastoreSettings) -> Result<Self, SettingsError> {
        let mut query = Vec::new();
        if !settings.filters.is_empty() {
            query.push(("filters".to_owned(), json!(settings.filters).to_string()));
        }
        if !settings.fields.is_empty() {
            query.push(("fields".to_owned(), settings.fields.join(",")));
        }
        let incremental = match &settings.incremental {
            None => None,
            Some(_) if settings.sort.is_some() => {
                let path = vec!["datastore".to_owned(), "sort".to_owned()];
                return Err(SettingsError::new(
                    path,
                    "stands beside `incremental`, which sorts by itself",
                )
                .with_help("leave it out"));
            }
            Some(wanted) => {
                let path = format!("result.records[*]['{}']", wanted.field.replace('\'', ""));
                let marks = Incremental {
                    start: wanted.start.clone(),
                    lookback: wanted.lookback.clone(),
                    format: wanted.format.clone(),
                    field: path.parse().ok(),
                    ..Incremental::of(wanted.kind)
                };
                marks.check("incremental").map_err(under_datastore)?;
                let path = path.parse().map_err(|_| {
                    let path = ["datastore", "incremental", "field"].map(str::to_owned);
                    SettingsError::new(path.to_vec(), "is no name of a column")
                })?;
                Some(Newest {
                    field: wanted.field.clone(),
                    path,
                    marks,
                })
            }
        };
        Ok(Self {
            query,
            sort: settings.sort.clone(),
            rows: settings.page_size.unwrap_or(ROWS),
            incremental,
        })
    }

    /// From where on a run reads.
    pub(super) fn reads(&self) -> Reads {
        let newest = self.incremental.as_ref();
        newest.map(|it| it.marks.reads()).unwrap_or_default()
    }

    /// The next page of the table `id`.
    pub(super) async fn fetch(
        &self,
        portal: &SourceUrl,
        id: &str,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match &self.incremental {
            None => {
                self.all(portal, id)
                    .fetch(cursor, io, "records.json", Request::get)
                    .await
            }
            Some(newest) => self.newest(newest, portal, id, cursor, io).await,
        }
    }

    /// All rows, in an order that stays.
    fn all(&self, portal: &SourceUrl, id: &str) -> Pager {
        let sort = self.sort.as_deref().unwrap_or("_id");
        let paging = Paging {
            size: Some(self.rows),
            records: "result.records".parse().ok(),
            total: "result.total".parse().ok(),
            ..Paging::of(Style::Offset)
        };
        Pager::new(self.url(portal, id, sort), Some(paging))
    }

    fn url(&self, portal: &SourceUrl, id: &str, sort: &str) -> SourceUrl {
        let mut query = vec![("resource_id", id), ("sort", sort)];
        query.extend(
            self.query
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
        );
        action(portal, "datastore_search").with_query(&query)
    }

    /// Rows from the newest back to the last run's. Rows that come meanwhile push the others behind: some are read twice then,
    /// and none is missed.
    async fn newest(
        &self,
        newest: &Newest,
        portal: &SourceUrl,
        id: &str,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let now = io.started_at();
        let mut progress: Progress = cursor
            .and_then(|cursor| serde_json::from_value(cursor.0.clone()).ok())
            .unwrap_or_default();
        if progress.at.is_none() && progress.run == Some(now) {
            return Ok(None);
        }
        let at = progress.at.take().unwrap_or_else(|| Position {
            page: 1,
            offset: 0,
            floor: newest.marks.asks_from(progress.mark.as_ref(), now),
            newest: progress.mark.clone(),
        });
        let sort = match newest.field.as_str() {
            "_id" => "_id desc".to_owned(),
            field => format!("\"{}\" desc nulls last, _id desc", field.replace('"', "")),
        };
        let (rows, offset) = (self.rows.to_string(), at.offset.to_string());
        let url = self
            .url(portal, id, &sort)
            .with_query(&[("limit", &rows), ("offset", &offset)]);
        let (answer, bytes) = ask::read(&Request::get(url.clone()), io).await?;
        let page = newest.page(&bytes, &at, now, &url)?;
        if let Some(note) = page.note {
            io.note(note);
        }
        let is_known = at.page == 1 && progress.mark.is_some() && page.newest == progress.mark;
        // A window behind the mark is read for its revised rows; without one, what is not newer is known.
        if is_known && newest.marks.lookback.is_none() {
            return Ok(None);
        }
        let key = match &at.floor {
            Some(floor) => format!("{url}#from={}", newest.marks.text(floor)),
            None => url.to_string(),
        };
        progress.run = Some(now);
        progress.at = (!page.is_last).then(|| Position {
            page: at.page + 1,
            offset: at.offset + page.records,
            floor: at.floor.clone(),
            newest: page.newest.clone(),
        });
        if progress.at.is_none() {
            progress.mark = page.newest;
        }
        let name = format!("records-{}.json", at.page);
        let next = Cursor(json!(progress));
        Ok(Some(Fetched::part(
            answer.into_part(key, &name),
            Some(next),
        )))
    }
}

/// What a page says of the next one.
struct Seen {
    records: u64,
    newest: Option<Mark>,
    note: Option<String>,
    is_last: bool,
}

impl Newest {
    fn page(
        &self,
        bytes: &[u8],
        at: &Position,
        now: DateTime<Utc>,
        url: &SourceUrl,
    ) -> Result<Seen, ConnectorError> {
        let wrong = |message: String| ConnectorError::new(ErrorKind::Invalid, message).at(url);
        let no_answer = |error: serde_json::Error| {
            wrong(format!("is no answer of CKAN's datastore_search: {error}"))
        };
        let count = |path: &str| -> Result<Option<u64>, ConnectorError> {
            match path.parse::<JsonPath>() {
                Ok(path) => path.count(bytes).map_err(no_answer),
                Err(_) => Ok(None),
            }
        };
        let Some(records) = count("result.records")? else {
            return Err(wrong(
                "the answer has no records at `result.records`".to_owned(),
            ));
        };
        let number = |path: &str| -> Result<Option<u64>, ConnectorError> {
            let Ok(path) = path.parse::<JsonPath>() else {
                return Ok(None);
            };
            Ok(path
                .read(bytes)
                .map_err(no_answer)?
                .first()
                .and_then(serde_json::Value::as_u64))
        };
        let values = self.path.read(bytes).map_err(no_answer)?;
        let marks: Vec<Mark> = values
            .iter()
            .filter_map(|value| self.marks.read(value))
            .collect();
        let mut ahead = Ahead::default();
        marks.iter().for_each(|mark| ahead.add(mark, now));
        if marks.is_empty() && records > 0 && at.page == 1 {
            let message = format!("no record has a time or id in `{}`", self.field);
            return Err(wrong(message)
                .with_help("mend `datastore.incremental`: `field` names the column, `format` how it writes times"));
        }
        let oldest = marks.iter().min();
        let is_old = oldest
            .zip(at.floor.as_ref())
            .is_some_and(|(oldest, floor)| oldest < floor);
        // What has no value stands behind what has: it is read in the first round alone.
        let is_past = at.floor.is_some() && (marks.len() as u64) < records;
        if at.page >= PAGES_MAX {
            return Err(wrong("the table does not come to an end".to_owned()));
        }
        let (read, total) = (at.offset + records, number("result.total")?);
        Ok(Seen {
            records,
            newest: marks
                .iter()
                .filter(|mark| !mark.is_ahead(now))
                .max()
                .cloned()
                .max(at.newest.clone()),
            note: ahead.note(&self.field),
            is_last: is_old || is_past || records == 0 || total.is_some_and(|total| read >= total),
        })
    }
}

fn under_datastore(error: SettingsError) -> SettingsError {
    let mut path = vec!["datastore".to_owned()];
    path.extend(error.path.clone());
    SettingsError { path, ..error }
}
