//! `opendatasoft`: a dataset of a portal by Opendatasoft (Huwise), through the Explore API.
//!
//! Reference: Explore API v2.1, <https://help.opendatasoft.com/apis/ods-explore-v2/>: `exports` send all rows in one answer,
//! `records` at most 10,000 by paging; so rows come by `exports`, and `records` only tells how new the newest is. Each dataset
//! names its own licence; `sectorlake discover` shows it.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Ahead, Incremental, Kind, Mark};
use sectorlake_connector::{
    Answer, Claim, Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext,
    Registration, Request, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ask;

/// Settings of `opendatasoft`. A key of the portal goes into `auth: { header: { name: Authorization, value: "Apikey
/// ${env:NAME}" } }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The portal's address, such as `https://opendata.example.fr`.
    url: UrlSetting,
    /// The dataset's id, as in its page's address behind `/explore/dataset/`.
    dataset: String,
    /// The columns, in ODSQL: `id, name as title`. Default: all.
    #[serde(default)]
    select: Option<String>,
    /// Only records for which this holds, in ODSQL: `city = "Hải Phòng"`.
    #[serde(default)]
    r#where: Option<String>,
    /// The records' order: `date desc`.
    #[serde(default)]
    order_by: Option<String>,
    /// How the records are sent; `parquet` keeps their types. Default: `csv`.
    #[serde(default)]
    format: RecordFormat,
    /// Later runs read only what is newer. Take `load: merge` with it.
    #[serde(default)]
    incremental: Option<IncrementalSettings>,
}

/// How records are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RecordFormat {
    /// All columns as text.
    #[default]
    Csv,
    /// One list of records.
    Json,
    /// With their types.
    Parquet,
    /// With their geometries.
    Geojson,
}

/// A field that rises.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IncrementalSettings {
    /// The field: a date or time, or an id.
    field: String,
    /// What it holds. Default: `time`.
    #[serde(default)]
    kind: Option<Kind>,
    /// Where the first run starts: `2025-01-01`. Left out, it reads all.
    #[serde(default)]
    start: Option<String>,
    /// How far behind the newest record of the last run each run asks again: `2d`.
    #[serde(default)]
    lookback: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "opendatasoft",
        "A dataset of an Opendatasoft portal, through its Explore API.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("opendatasoft/example.yaml"))
}

/// The page of a dataset, or a call of the Explore API.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let steps = Sight::steps(&url);
    let id = match steps.as_slice() {
        ["explore", "dataset", id, ..]
        | ["explore", "embed", "dataset", id, ..]
        | ["api", "explore", _, "catalog", "datasets", id, ..] => *id,
        _ => return None,
    };
    let settings = [
        ("url", url.origin().ascii_serialization().into()),
        ("dataset", id.into()),
    ];
    Some(Claim::open(
        settings,
        "it is a dataset of an Opendatasoft portal",
    ))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let portal = settings.url.resolve(&["url"], context)?;
    let dataset = portal.join(&[
        "api",
        "explore",
        "v2.1",
        "catalog",
        "datasets",
        &settings.dataset,
    ]);
    let newest = match &settings.incremental {
        None => None,
        Some(wanted) => {
            let marks = Incremental {
                start: wanted.start.clone(),
                lookback: wanted.lookback.clone(),
                field: "results[0].mark".parse().ok(),
                ..Incremental::of(wanted.kind.unwrap_or(Kind::Time))
            };
            marks.check("incremental")?;
            if wanted.field.is_empty() || wanted.field.contains('`') {
                let path = ["incremental", "field"].map(str::to_owned).to_vec();
                return Err(SettingsError::new(path, "is no name of a field"));
            }
            Some(Newest {
                field: wanted.field.clone(),
                marks,
            })
        }
    };
    let mut query = vec![("limit", "-1".to_owned()), ("timezone", "UTC".to_owned())];
    if settings.format == RecordFormat::Csv {
        query.push(("delimiter", ",".to_owned()));
    }
    query.extend(settings.select.map(|text| ("select", text)));
    query.extend(settings.order_by.map(|text| ("order_by", text)));
    Ok(Arc::new(Opendatasoft {
        dataset,
        name: settings.dataset,
        format: settings.format,
        query,
        condition: settings.r#where,
        newest,
    }))
}

struct Opendatasoft {
    dataset: SourceUrl,
    name: String,
    format: RecordFormat,
    query: Vec<(&'static str, String)>,
    condition: Option<String>,
    newest: Option<Newest>,
}

/// A field that rises, and how far it is read.
struct Newest {
    field: String,
    marks: Incremental,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Progress {
    mark: Option<Mark>,
    run: Option<DateTime<Utc>>,
}

/// The answer to "how new is the newest".
#[derive(Deserialize)]
struct Newness {
    results: Vec<NewnessResult>,
}

#[derive(Deserialize)]
struct NewnessResult {
    mark: Value,
}

impl RecordFormat {
    fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Geojson => "geojson",
        }
    }
}

impl Newest {
    /// Records from `from` on, up to `to`: what comes while they are sent is the next run's.
    fn condition(&self, from: Option<&Mark>, to: &Mark) -> String {
        let literal = |mark: &Mark| match mark {
            Mark::Time(_) => format!("date'{}'", self.marks.text(mark)),
            Mark::Id(id) => id.to_string(),
            Mark::Text(text) => Value::from(text.as_str()).to_string(),
        };
        let to = format!("`{}` <= {}", self.field, literal(to));
        match from {
            Some(from) => format!("`{}` >= {} AND {to}", self.field, literal(from)),
            None => to,
        }
    }
}

impl Opendatasoft {
    fn export(&self, condition: Option<&str>) -> SourceUrl {
        let mut query: Vec<(&str, &str)> = self
            .query
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        query.extend(condition.map(|condition| ("where", condition)));
        self.dataset
            .join(&["exports", self.format.name()])
            .with_query(&query)
    }

    async fn whole(
        &self,
        url: SourceUrl,
        next: Option<Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let key = url.to_string();
        let known = if next.is_none() {
            io.validators(&key)
        } else {
            None
        };
        let request = Request::get(url).if_changed_since(known);
        let name = format!("{}.{}", self.name, self.format.name());
        Ok(Some(match io.http().get(&request).await? {
            Answer::Unchanged => Fetched::unchanged(key, next),
            Answer::Fresh(answer) => Fetched::part(answer.into_part(key, &name), next),
        }))
    }

    /// How new the newest record is, but for those in the future; `None`: there is none.
    async fn newest(&self, newest: &Newest, io: &Io) -> Result<Option<Mark>, ConnectorError> {
        let now = io.started_at();
        let found = self.greatest(newest, self.condition.clone(), io).await?;
        let Some(found) = found else {
            return Ok(None);
        };
        if !found.is_ahead(now) {
            return Ok(Some(found));
        }
        let mut ahead = Ahead::default();
        ahead.add(&found, now);
        if let Some(note) = ahead.note(&newest.field) {
            io.note(note);
        }
        let present = self.with_condition(newest.condition(None, &Mark::Time(now)));
        self.greatest(newest, Some(present), io).await
    }

    fn with_condition(&self, window: String) -> String {
        match &self.condition {
            Some(condition) => format!("({condition}) AND {window}"),
            None => window,
        }
    }

    async fn greatest(
        &self,
        newest: &Newest,
        condition: Option<String>,
        io: &Io,
    ) -> Result<Option<Mark>, ConnectorError> {
        let select = format!("max(`{}`) as mark", newest.field);
        let mut query = vec![
            ("select", select.as_str()),
            ("limit", "1"),
            ("timezone", "UTC"),
        ];
        query.extend(condition.as_deref().map(|condition| ("where", condition)));
        let url = self.dataset.join(&["records"]).with_query(&query);
        let what = "answer of the Explore API";
        let told: Newness = ask::json(url.clone(), what, io).await?;
        let value = told
            .results
            .into_iter()
            .next()
            .map(|result| result.mark)
            .unwrap_or(Value::Null);
        if value.is_null() {
            return Ok(None);
        }
        newest.marks.read(&value).map(Some).ok_or_else(|| {
            let message = format!("the greatest `{}` is {value}, which is no time or id", newest.field);
            ConnectorError::new(ErrorKind::Invalid, message)
                .at(url)
                .with_help("mend `incremental`: `field` names a date, or `kind: id` says that it is a number")
        })
    }

    async fn newer(
        &self,
        newest: &Newest,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let before: Progress = cursor
            .and_then(|cursor| serde_json::from_value(cursor.0.clone()).ok())
            .unwrap_or_default();
        let run = io.started_at();
        if before.run == Some(run) {
            return Ok(None);
        }
        let Some(mark) = self.newest(newest, io).await? else {
            return Ok(None);
        };
        let from = newest.marks.asks_from(before.mark.as_ref(), run);
        if before.mark.as_ref() == Some(&mark) && newest.marks.lookback.is_none() {
            return Ok(None);
        }
        let window = newest.condition(from.as_ref(), &ceiling(&mark));
        let condition = self.with_condition(window);
        let next = Cursor(json!(Progress {
            mark: Some(mark),
            run: Some(run)
        }));
        self.whole(self.export(Some(&condition)), Some(next), io)
            .await
    }
}

/// A time is asked for by the second; what is finer must not be cut off.
fn ceiling(mark: &Mark) -> Mark {
    match mark {
        Mark::Time(time) => Mark::Time(*time + chrono::TimeDelta::seconds(1)),
        other => other.clone(),
    }
}

#[async_trait]
impl Connector for Opendatasoft {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stream = Stream::new("records", "records");
        stream.format = Some(match self.format {
            RecordFormat::Csv => json!({ "name": "csv", "delimiter": "," }),
            other => other.name().into(),
        });
        let newest = self.newest.as_ref();
        stream.reads = newest.map(|it| it.marks.reads()).unwrap_or_default();
        Ok(vec![stream])
    }

    async fn fetch(
        &self,
        _slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match &self.newest {
            Some(newest) => self.newer(newest, cursor, io).await,
            None => {
                self.whole(self.export(self.condition.as_deref()), None, io)
                    .await
            }
        }
    }
}

#[cfg(test)]
#[path = "opendatasoft/tests.rs"]
mod tests;
