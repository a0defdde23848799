//! `metar`: hourly reports of the world's airports, as observations: temperature, wind, visibility, QNH.
//!
//! Reference: the Data API of NOAA's Aviation Weather Center, <https://aviationweather.gov/data/api/>; the reports themselves are
//! METAR and SPECI of WMO No. 306, FM 15 and FM 16. A work of the US government, in the public domain.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{Months, NaiveDate};
use schemars::JsonSchema;
use sectorlake_connector::paging::Pager;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext, Origin,
    OriginSettings, Registration, Request, Saved, SettingsError, Sight, Slice, SourceUrl, Stream,
    UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

const API: &str = "https://aviationweather.gov/api/data/metar";
const REPORTS: &str = "reports";
/// Before this and after it stands what the API was asked on: raw reports tell only the day of the month.
const ASKED: &str = "#asked=";
/// What a table or document of reports has, and may leave out.
const COLUMNS: &[&str] = &[
    "raw_text",
    "temp_c",
    "dewpoint_c",
    "wind_dir_degrees",
    "wind_speed_kt",
    "wind_gust_kt",
    "visibility_statute_mi",
    "altim_in_hg",
    "sea_level_pressure_mb",
    "elevation_m",
];
const JSON_COLUMNS: &[&str] = &[
    "temp", "dewp", "wdir", "wspd", "wgst", "visib", "altim", "slp", "rawOb", "lat", "lon", "elev",
    "name",
];

/// Settings of `metar`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Airports by their ICAO codes, such as `[VVCI, VVNB]`. Needed unless `path` is set.
    #[serde(default)]
    stations: Vec<String>,
    /// How many hours back each run asks, at most 360. Default: 24.
    #[serde(default)]
    #[schemars(range(min = 1, max = 360))]
    hours: Option<u16>,
    /// How reports come. `json`: decoded, with the station's place; `xml` and `csv`: decoded, as in the Center's cache files; `raw`: as
    /// the airport sends them, a report a line. Default: `json`.
    #[serde(default)]
    layout: Layout,
    /// Saved reports instead of the API: a file, a folder or a glob, absolute or relative to the project's folder.
    #[serde(default)]
    path: Option<String>,
    /// The month that saved raw reports are of, such as `2025-11`: they tell only its day.
    #[serde(default)]
    month: Option<String>,
    /// The API. Default: `https://aviationweather.gov/api/data/metar`.
    #[serde(default)]
    url: Option<UrlSetting>,
}

/// How reports come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Layout {
    /// Decoded, a list of objects.
    #[default]
    Json,
    /// Decoded, `response/data/METAR`.
    Xml,
    /// Decoded, a table under some lines of notes.
    Csv,
    /// A report a line.
    Raw,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "metar",
        "Weather reports of airports (METAR), from the Aviation Weather Center or saved.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("metar/example.yaml"))
}

/// The API's own address.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let is_ours =
        url.host_str()?.ends_with("aviationweather.gov") && url.path().ends_with("/data/metar");
    let ids = url
        .query_pairs()
        .find(|(key, _)| key == "ids")?
        .1
        .into_owned();
    let ids: Vec<&str> = ids.split(',').filter(|id| !id.is_empty()).collect();
    is_ours.then(|| {
        Claim::own(
            [("stations", json!(ids))],
            "it is the Aviation Weather Center's API",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let month = match (&settings.month, settings.layout) {
        (None, Layout::Raw) if settings.path.is_some() => {
            return Err(SettingsError::new(Vec::new(), "`month` is missing")
                .with_help("raw reports tell only the day: write the month they are of, as in `month: 2025-11`"));
        }
        (Some(_), layout) if layout != Layout::Raw || settings.path.is_none() => {
            return Err(
                SettingsError::of_key("month", "is of saved raw reports alone")
                    .with_help("leave it out"),
            );
        }
        (month, _) => month.as_deref().map(last_day).transpose()?,
    };
    let source = match &settings.path {
        Some(path) => {
            let given = [
                ("stations", !settings.stations.is_empty()),
                ("hours", settings.hours.is_some()),
                ("url", settings.url.is_some()),
            ];
            Saved::refuse_beside(&given)?;
            let origin = OriginSettings {
                path: Some(path),
                ..OriginSettings::default()
            };
            Source::Saved(Origin::of(origin, context)?)
        }
        None if settings.stations.is_empty() => {
            return Err(SettingsError::new(Vec::new(), "`stations` is missing")
                .with_help("write airports by their ICAO codes, as in `stations: [VVCI]`"));
        }
        None => {
            let url = settings.url.unwrap_or_else(|| UrlSetting::new(API));
            let hours = settings.hours.unwrap_or(24).to_string();
            let query = [
                ("ids", settings.stations.join(",").to_ascii_uppercase()),
                ("format", settings.layout.name().to_owned()),
                ("hours", hours),
            ];
            let query = query.each_ref().map(|(key, value)| (*key, value.as_str()));
            Source::Api(url.resolve(&["url"], context)?.with_query(&query))
        }
    };
    Ok(Arc::new(Metar {
        source,
        layout: settings.layout,
        month,
    }))
}

/// The last day of a month, so that no day lies behind it.
fn last_day(month: &str) -> Result<NaiveDate, SettingsError> {
    let first = format!("{}-01", month.trim()).parse::<NaiveDate>().ok();
    let last = first
        .and_then(|first| first.checked_add_months(Months::new(1)))
        .and_then(|next| next.pred_opt());
    last.ok_or_else(|| {
        SettingsError::of_key("month", format!("{month:?} is no month"))
            .with_help("write it as in 2025-11")
    })
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Csv => "csv",
            Self::Raw => "raw",
        }
    }
}

struct Metar {
    source: Source,
    layout: Layout,
    month: Option<NaiveDate>,
}

enum Source {
    Api(SourceUrl),
    Saved(Origin),
}

#[async_trait]
impl Connector for Metar {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stream = Stream::new(REPORTS, REPORTS);
        let stations = |sql: &str| DefaultMapping::new("environment.stations", "merge", sql);
        let observations =
            |sql: &str| DefaultMapping::new("environment.observations", "merge", sql);
        let decoded = || {
            let stations =
                stations(include_str!("metar/decoded_stations.sql")).with_columns(COLUMNS);
            let sql = include_str!("metar/decoded_observations.sql");
            vec![stations, observations(sql).with_columns(COLUMNS)]
        };
        let (format, mappings) = match self.layout {
            Layout::Json => {
                let places =
                    stations(include_str!("metar/stations.sql")).with_columns(JSON_COLUMNS);
                let sql = include_str!("metar/observations.sql");
                (
                    json!("json"),
                    vec![places, observations(sql).with_columns(JSON_COLUMNS)],
                )
            }
            Layout::Xml => (
                json!({ "name": "xml", "record_path": "response/data/METAR" }),
                decoded(),
            ),
            // Above the header stand five lines: errors, warnings, time taken, source, number of results.
            Layout::Csv => (
                json!({ "name": "csv", "delimiter": ",", "skip_rows": 5 }),
                decoded(),
            ),
            Layout::Raw => {
                let sql = include_str!("metar/raw_observations.sql");
                let month = self.month.map(|day| day.to_string()).unwrap_or_default();
                let format =
                    json!({ "name": "csv", "delimiter": "|", "quote": "none", "header_rows": [] });
                (
                    format,
                    vec![observations(sql).with_parameter("asked", month)],
                )
            }
        };
        (stream.format, stream.mappings) = (Some(format), mappings);
        Ok(vec![stream])
    }

    async fn fetch(
        &self,
        _slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let url = match &self.source {
            Source::Saved(origin) => return origin.fetch(cursor, io).await,
            Source::Api(url) => url.clone(),
        };
        let name = format!("metar.{}", self.layout.name());
        let mut fetched = Pager::new(url, None)
            .fetch(cursor, io, &name, Request::get)
            .await?;
        if self.layout == Layout::Raw
            && let Some(part) = fetched.as_mut().and_then(|fetched| fetched.part.as_mut())
        {
            part.key
                .push_str(&format!("{ASKED}{}", io.started_at().format("%Y-%m-%d")));
        }
        Ok(fetched)
    }
}
