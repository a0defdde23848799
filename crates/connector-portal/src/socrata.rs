//! `socrata`: a dataset of a Socrata portal (Data & Insights of Tyler Technologies), through the SODA API.
//!
//! Reference: SODA 2.1, <https://dev.socrata.com/docs/endpoints.html>: paging in <https://dev.socrata.com/docs/paging.html>,
//! system fields in <https://dev.socrata.com/docs/system-fields.html>. Each dataset names its own licence; `sectorlake discover`
//! shows it.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::{Count, Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, Fetched, Io, MakeContext, Registration, Request,
    SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::ask;

const ROWS: u32 = 10_000;
/// When a row was last written, by the portal's own clock.
const UPDATED: &str = ":updated_at";

/// Settings of `socrata`. An app token raises the limit of requests: `auth: { header: { name: X-App-Token, value:
/// "${env:NAME}" } }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The portal's address, such as `https://data.example.gov`.
    url: UrlSetting,
    /// The dataset's id: four letters or digits, a hyphen, four more, as at the end of its page's address.
    dataset: String,
    /// The columns, in SoQL: `id, date, counts`. Default: all.
    #[serde(default)]
    select: Option<String>,
    /// Only rows for which this holds, in SoQL: `date >= '2025-01-01' AND counts > 0`.
    #[serde(default)]
    r#where: Option<String>,
    /// How the rows are sent. `csv` has every column in every page; `json` leaves out what is empty. Default: `csv`, and `json` with
    /// `incremental`.
    #[serde(default)]
    format: Option<RowFormat>,
    /// Rows a page. Default: 10000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50000))]
    page_size: Option<u32>,
    /// Later runs read only rows written since; `{}` for the portal's own `:updated_at`. Take `load: merge` with it.
    #[serde(default)]
    incremental: Option<IncrementalSettings>,
}

/// How rows are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RowFormat {
    /// Every column in every page.
    Csv,
    /// Without what is empty.
    Json,
}

/// A column that rises.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IncrementalSettings {
    /// The column. Default: `:updated_at`, which rises with every change of a row.
    #[serde(default)]
    field: Option<String>,
    /// Where the first run starts: `2025-01-01`. Left out, it reads all.
    #[serde(default)]
    start: Option<String>,
    /// How far behind the newest row of the last run each run asks again: `2d`.
    #[serde(default)]
    lookback: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "socrata",
        "A dataset of a Socrata portal, row by row through SODA.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("socrata/example.yaml"))
}

/// An address that names a dataset as Socrata's do: `/d/abcd-1234`, `/resource/abcd-1234.json`, `/Category/Name/abcd-1234`.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let steps = Sight::steps(&url);
    let stem = |step: &str| step.split('.').next().unwrap_or_default().to_owned();
    let (id, is_telling) = match steps.as_slice() {
        ["d" | "resource", id] | ["api", "views", id, ..] => (stem(id), true),
        [_, _, id] | [_, _, id, "about_data" | "data"] => (stem(id), false),
        _ => return None,
    };
    // Behind any two steps two words of four letters are just that.
    let has_digit = || id.bytes().any(|byte| byte.is_ascii_digit());
    (is_id(&id) && (is_telling || has_digit())).then(|| {
        let settings = [
            ("url", url.origin().ascii_serialization().into()),
            ("dataset", id.into()),
        ];
        Claim::open(
            settings,
            "its address ends like those of Socrata's datasets",
        )
    })
}

/// Whether it is written as Socrata's ids are; two years with a hyphen are none.
fn is_id(text: &str) -> bool {
    let is_half = |half: &str| {
        half.len() == 4
            && half
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.split_once('-')
        .is_some_and(|(one, two)| is_half(one) && is_half(two))
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    if !is_id(&settings.dataset) {
        let message = format!("{:?} is no id of a dataset", settings.dataset);
        return Err(SettingsError::of_key("dataset", message)
            .with_help("it stands at the end of the dataset's address, as in `abcd-1234`"));
    }
    let portal = settings.url.resolve(&["url"], context)?;
    let format = match (settings.format, &settings.incremental) {
        (Some(RowFormat::Csv), Some(_)) => {
            return Err(
                SettingsError::of_key("format", "has no marks to go on from as `csv`")
                    .with_help("leave it out: `incremental` reads json"),
            );
        }
        (_, Some(_)) => RowFormat::Json,
        (format, None) => format.unwrap_or(RowFormat::Csv),
    };
    let incremental = settings
        .incremental
        .as_ref()
        .map(|it| marks(it, settings.r#where.as_deref()));
    let incremental = incremental.transpose()?;
    let ending = match format {
        RowFormat::Csv => "csv",
        RowFormat::Json => "json",
    };
    let rows = portal.join(&["resource", &format!("{}.{ending}", settings.dataset)]);
    let mut query = vec![("$order", ":id".to_owned())];
    let select = match (settings.select, &incremental) {
        // System fields come only where they are asked for.
        (None, Some(_)) => Some(":*, *".to_owned()),
        (Some(select), Some(_)) => Some(format!("{UPDATED}, {select}")),
        (select, None) => select,
    };
    query.extend(select.map(|select| ("$select", select)));
    query.extend(settings.r#where.map(|condition| ("$where", condition)));
    let query: Vec<(&str, &str)> = query
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    let paging = Paging {
        parameter: Some("$offset".to_owned()),
        size_parameter: Some("$limit".to_owned()),
        size: Some(settings.page_size.unwrap_or(ROWS)),
        ..Paging::of(Style::Offset)
    };
    let count = match format {
        RowFormat::Csv => Count::Lines { header: 1 },
        RowFormat::Json => Count::Guess,
    };
    Ok(Arc::new(Socrata {
        metadata: portal.join(&["api", "views", &format!("{}.json", settings.dataset)]),
        dataset: settings.dataset,
        pager: Pager::new(rows.with_query(&query), Some(paging))
            .counting(count)
            .since(incremental),
        format,
        columns: OnceCell::new(),
    }))
}

/// Rows written since the mark, and for which the user's own condition holds.
fn marks(
    settings: &IncrementalSettings,
    condition: Option<&str>,
) -> Result<Incremental, SettingsError> {
    let field = settings.field.as_deref().unwrap_or(UPDATED);
    let since = format!("{field} >= '{{mark}}'");
    let wrong = || {
        let path = ["incremental", "field"].map(str::to_owned).to_vec();
        SettingsError::new(path, format!("{field:?} is no name of a column"))
    };
    let marks = Incremental {
        parameter: Some("$where".to_owned()),
        template: Some(match condition {
            Some(condition) => format!("({condition}) AND {since}"),
            None => since,
        }),
        field: Some(format!("[*]['{field}']").parse().map_err(|_| wrong())?),
        start: settings.start.clone(),
        lookback: settings.lookback.clone(),
        // The portal's own times are instants, a dataset's have no zone.
        format: (!field.starts_with(':')).then(|| "%Y-%m-%dT%H:%M:%S".to_owned()),
        ..Incremental::of(Kind::Time)
    };
    marks.check("incremental")?;
    Ok(marks)
}

struct Socrata {
    metadata: SourceUrl,
    dataset: String,
    pager: Pager,
    format: RowFormat,
    /// The columns by the portal's own description, asked for once.
    columns: OnceCell<Vec<String>>,
}

#[derive(Deserialize)]
struct View {
    #[serde(default)]
    columns: Vec<ViewColumn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ViewColumn {
    field_name: String,
}

impl Socrata {
    /// JSON leaves out what is empty, so that a page may lack a column that the dataset has.
    async fn columns(&self, io: &Io) -> Result<Vec<String>, ConnectorError> {
        if self.format == RowFormat::Csv {
            return Ok(Vec::new());
        }
        let ask = async || {
            let what = "description of a Socrata dataset";
            let view: View = ask::json(self.metadata.clone(), what, io).await?;
            Ok(view
                .columns
                .into_iter()
                .map(|column| column.field_name)
                .collect())
        };
        self.columns.get_or_try_init(ask).await.cloned()
    }
}

#[async_trait]
impl Connector for Socrata {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stream = Stream::new("rows", "rows");
        stream.format = Some(match self.format {
            RowFormat::Csv => json!({ "name": "csv", "delimiter": "," }),
            RowFormat::Json => json!("json"),
        });
        stream.columns = self.columns(io).await?;
        stream.reads = self.pager.reads();
        Ok(vec![stream])
    }

    async fn fetch(
        &self,
        _slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let (ending, accept) = match self.format {
            RowFormat::Csv => ("csv", "text/csv"),
            RowFormat::Json => ("json", "application/json"),
        };
        let name = format!("{}.{ending}", self.dataset);
        self.pager
            .fetch(cursor, io, &name, |url| Request::get(url).accept(accept))
            .await
    }
}

#[cfg(test)]
#[path = "socrata/tests.rs"]
mod tests;
