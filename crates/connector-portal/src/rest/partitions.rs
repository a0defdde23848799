//! Which partitions a stream has.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use sectorlake_connector::paging::{Count, JsonPath, Pager};
use sectorlake_connector::{
    ConnectorError, ErrorKind, Io, MakeContext, Request, SettingsError, SourceUrl,
};
use serde_json::Value;

use super::call::address;
use super::settings::{MonthSettings, OverSettings, PartitionSettings};
use crate::ask;

/// Partitions that a stream may have.
const PARTITIONS_MAX: usize = 100_000;
const MONTH: &str = "%Y-%m";

/// Which partitions a stream has.
pub(super) enum Partitions {
    Values(Vec<String>),
    Months {
        from: NaiveDate,
        to: Option<NaiveDate>,
        format: String,
    },
    Over {
        pager: Box<Pager>,
        values: JsonPath,
    },
}

impl Partitions {
    pub(super) fn new(
        settings: &PartitionSettings,
        base: &SourceUrl,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let wrong = |message: &str, help: &str| {
            Err(SettingsError::of_key("partitions", message).with_help(help))
        };
        match settings {
            PartitionSettings::Values(values) if values.is_empty() => {
                wrong("is an empty list", "write at least one value")
            }
            PartitionSettings::Values(values) => {
                let texts: Option<Vec<String>> = values.iter().map(text).collect();
                match texts {
                    Some(texts) => Ok(Self::Values(texts)),
                    None => wrong("must be texts or numbers", "write them as in [a, b]"),
                }
            }
            PartitionSettings::Found(found) => match (&found.months, &found.over) {
                (Some(months), None) => Self::months(months),
                (None, Some(over)) => Self::over(over, base, context),
                _ => wrong(
                    "is neither a list nor one of `months` and `over`",
                    "write one of them",
                ),
            },
        }
    }

    fn months(settings: &MonthSettings) -> Result<Self, SettingsError> {
        let wrong = |key: &str, message: String, help: &str| {
            let path = ["partitions", "months", key].map(str::to_owned).to_vec();
            SettingsError::new(path, message).with_help(help)
        };
        let parse = |key: &str, text: &str| {
            let day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d");
            day.map_err(|_| {
                wrong(
                    key,
                    format!("{text:?} is no month"),
                    "write it as in 2025-01",
                )
            })
        };
        let format = settings.format.clone().unwrap_or_else(|| MONTH.to_owned());
        let from = parse("from", &settings.from)?;
        if written(from, &format).is_none() {
            let message = format!("{format:?} is no format of months");
            return Err(wrong("format", message, "write it as in %Y-%m or %m/%Y"));
        }
        let to = settings
            .to
            .as_deref()
            .map(|to| parse("to", to))
            .transpose()?;
        if to.is_some_and(|to| to < from) {
            return Err(wrong(
                "to",
                "lies before `from`".to_owned(),
                "write the later month there",
            ));
        }
        Ok(Self::Months { from, to, format })
    }

    fn over(
        settings: &OverSettings,
        base: &SourceUrl,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let below = |key: &str| ["partitions", "over", key].map(str::to_owned).to_vec();
        let url = address(&settings.url, &["partitions", "over", "url"], base, context)?;
        let list = settings.records.clone().unwrap_or_default();
        let values = format!("{list}[*].{}", settings.field);
        let values = values.parse().map_err(|error| {
            SettingsError::new(below("field"), format!("is no way into a record: {error}"))
        })?;
        let count = match settings
            .records
            .as_deref()
            .map(str::parse::<JsonPath>)
            .transpose()
        {
            Ok(Some(path)) => Count::Path(path),
            Ok(None) => Count::Guess,
            Err(error) => return Err(SettingsError::new(below("records"), error.to_string())),
        };
        if let Some(paging) = &settings.paging {
            paging.check("partitions.over.paging")?;
        }
        let pager = Pager::new(url, settings.paging.clone()).counting(count);
        Ok(Self::Over {
            pager: Box::new(pager),
            values,
        })
    }

    pub(super) async fn list(&self, io: &Io) -> Result<Vec<String>, ConnectorError> {
        match self {
            Self::Values(values) => Ok(values.clone()),
            Self::Months { from, to, format } => Ok(months(
                *from,
                to.unwrap_or_else(|| month_of(io.started_at())),
                format,
            )),
            Self::Over { pager, values } => named(pager, values, io).await,
        }
    }
}

/// The partitions that the records of a call name, each once, in their order.
async fn named(pager: &Pager, values: &JsonPath, io: &Io) -> Result<Vec<String>, ConnectorError> {
    let (mut names, mut seen, mut cursor) = (Vec::new(), BTreeSet::new(), None);
    while let Some(page) = pager.page(cursor.as_ref(), io)? {
        let place = page.url().to_string();
        let request = Request::get(page.url().clone()).accept("application/json");
        let (answer, bytes) = ask::read(&request, io).await?;
        let wrong = |message: String| {
            ConnectorError::new(ErrorKind::Invalid, message)
                .at(&place)
                .with_help("look at an answer: `records` and `field` under `over` say where the names stand")
        };
        let found = values
            .read(&bytes)
            .map_err(|error| wrong(format!("is no JSON: {error}")))?;
        let fresh = found
            .iter()
            .filter_map(text)
            .filter(|name| seen.insert(name.clone()));
        names.extend(fresh);
        if names.is_empty() {
            return Err(wrong(format!("no record names a partition at `{values}`")));
        }
        if names.len() > PARTITIONS_MAX {
            let message = format!("the records name more than {PARTITIONS_MAX} partitions");
            return Err(ConnectorError::new(ErrorKind::TooLarge, message).at(place));
        }
        cursor = page.turn(&answer.headers, &bytes)?.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(names)
}

fn months(from: NaiveDate, to: NaiveDate, format: &str) -> Vec<String> {
    let next = |month: &NaiveDate| month.checked_add_months(Months::new(1));
    std::iter::successors(Some(from), next)
        .take_while(|month| *month <= to)
        .take(PARTITIONS_MAX)
        .filter_map(|month| written(month, format))
        .collect()
}

fn month_of(now: DateTime<Utc>) -> NaiveDate {
    let day = now.date_naive();
    day.with_day(1).unwrap_or(day)
}

/// A month as the source writes it; `None` where the format is none.
fn written(month: NaiveDate, format: &str) -> Option<String> {
    let mut text = String::new();
    write!(text, "{}", month.format(format)).ok()?;
    Some(text)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}
