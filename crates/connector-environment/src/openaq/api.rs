//! The API itself: pages of locations, then pages of each sensor's measurements, from where the last run stopped.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use sectorlake_connector::{
    Answer, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Request, Response, Secret,
    SettingsError, SourceUrl, UrlSetting,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::OnceCell;

use super::measurements_key;
use super::settings::Settings;

const API: &str = "https://api.openaq.org/v3";
const PAGE_SIZE_MAX: u16 = 1000;
/// A page of 1000 records is about one megabyte.
const PAGE_BYTES_MAX: usize = 32 << 20;
const PAGES_MAX: u32 = 10_000;
/// The free key allows 60 requests a minute.
const GAP: Duration = Duration::from_millis(1000);
const FIRST_DAYS: TimeDelta = TimeDelta::days(7);

pub(super) struct Api {
    url: SourceUrl,
    key: Vec<(String, Secret)>,
    area: (&'static str, String),
    parameters: Vec<String>,
    since: Option<DateTime<Utc>>,
    page_size: u16,
    /// The sensors of the area, asked for once.
    sensors: OnceCell<Vec<Sensor>>,
}

/// The envelope of every answer. `meta.found` is no help: it is a number, or a text such as ">100".
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) results: Vec<T>,
}

#[derive(Deserialize)]
pub(super) struct Location {
    id: u64,
    #[serde(default)]
    sensors: Vec<SensorOfLocation>,
}

#[derive(Deserialize)]
struct SensorOfLocation {
    id: u64,
    parameter: Parameter,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
}

#[derive(Deserialize)]
struct Measurement {
    period: Option<Period>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Period {
    datetime_to: Option<Instant>,
}

#[derive(Deserialize)]
struct Instant {
    utc: DateTime<Utc>,
}

/// A sensor, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sensor {
    pub(super) id: u64,
    pub(super) location: u64,
    parameter: String,
}

pub(super) fn location_of(location: Location) -> Vec<Sensor> {
    let sensor = |sensor: SensorOfLocation| Sensor {
        id: sensor.id,
        location: location.id,
        parameter: sensor.parameter.name,
    };
    location.sensors.into_iter().map(sensor).collect()
}

/// How far the measurements are read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Progress {
    /// Sensor → end of its newest measurement. Kept from run to run.
    since: BTreeMap<u64, DateTime<Utc>>,
    /// The run that is under way; another one begins a round of its own.
    run: DateTime<Utc>,
    /// Where this run goes on; `None`: its round is over.
    at: Option<Position>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Position {
    sensor: u64,
    page: u32,
    /// Newest measurement of the sensor's pages so far.
    newest: Option<DateTime<Utc>>,
}

impl<T: DeserializeOwned> Page<T> {
    pub(super) fn parse(bytes: &[u8], place: &str) -> Result<Self, ConnectorError> {
        serde_json::from_slice(bytes).map_err(|error| {
            ConnectorError::new(
                ErrorKind::Invalid,
                format!("is no answer of the OpenAQ API: {error}"),
            )
            .at(place)
            .with_help("it must be JSON with a list `results`, as docs.openaq.org describes")
        })
    }
}

impl Api {
    pub(super) fn new(settings: &Settings, context: &MakeContext) -> Result<Self, SettingsError> {
        let Some(api_key) = &settings.api_key else {
            return Err(
                SettingsError::new(Vec::new(), "`api_key` is missing").with_help(
                    "register at explore.openaq.org, then write `api_key: ${env:OPENAQ_KEY}`",
                ),
            );
        };
        let area = match (&settings.country, &settings.bbox) {
            (Some(country), None) => ("iso", country.to_ascii_uppercase()),
            (None, Some(bbox)) => ("bbox", bbox.map(|degrees| degrees.to_string()).join(",")),
            (Some(_), Some(_)) => {
                return Err(SettingsError::of_key("bbox", "stands beside `country`")
                    .with_help("leave one of them out"));
            }
            (None, None) => {
                return Err(SettingsError::new(
                    Vec::new(),
                    "neither `country` nor `bbox` is there",
                )
                .with_help("write `country: VN`, or `bbox: [west, south, east, north]`"));
            }
        };
        let url: UrlSetting = match &settings.url {
            Some(url) => url.clone(),
            None => UrlSetting::new(API),
        };
        Ok(Self {
            url: url.resolve(&["url"], context)?,
            key: vec![("x-api-key".to_owned(), api_key.resolve("api_key", context)?)],
            area,
            parameters: settings.parameters.clone(),
            since: settings.since.as_deref().map(parse_since).transpose()?,
            page_size: settings.page_size.unwrap_or(PAGE_SIZE_MAX),
            sensors: OnceCell::new(),
        })
    }

    /// A page of locations; each run reads them anew.
    pub(super) async fn locations(
        &self,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let page = cursor
            .and_then(|cursor| cursor.0["page"].as_u64())
            .unwrap_or(1);
        let url = self.locations_url(page);
        let (answer, results) = self.page::<Location>(&url, io).await?;
        let next = self
            .is_full(results.len())
            .then(|| Cursor(json!({ "page": page + 1 })));
        Ok(Some(Fetched::part(
            answer.into_part(url.to_string(), "locations.json"),
            next,
        )))
    }

    /// The next page of measurements that holds any.
    pub(super) async fn measurements(
        &self,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let mut progress: Progress = cursor
            .and_then(|cursor| serde_json::from_value(cursor.0.clone()).ok())
            .unwrap_or_default();
        let sensors = self
            .sensors
            .get_or_try_init(|| self.all_sensors(io))
            .await?;
        if progress.run != io.started_at() || cursor.is_none() {
            progress.run = io.started_at();
            progress.at = first_after(sensors, None);
        }
        while let Some(at) = progress.at.take() {
            let Some(sensor) = sensors.iter().find(|sensor| sensor.id >= at.sensor) else {
                break;
            };
            let url = self.measurements_url(sensor, at.page, &progress, io);
            let (answer, results) = self.page::<Measurement>(&url, io).await?;
            let ends = results
                .iter()
                .filter_map(|result| Some(result.period.as_ref()?.datetime_to.as_ref()?.utc));
            let newest = ends.chain(at.newest).max();
            if self.is_full(results.len()) && at.page < PAGES_MAX {
                progress.at = Some(Position {
                    sensor: sensor.id,
                    page: at.page + 1,
                    newest,
                });
            } else {
                progress
                    .since
                    .extend(newest.map(|newest| (sensor.id, newest)));
                progress.at = first_after(sensors, Some(sensor.id));
            }
            if results.is_empty() {
                continue;
            }
            let key = measurements_key(&url.to_string(), sensor.location, sensor.id);
            let next = Cursor(json!(progress));
            return Ok(Some(Fetched::part(
                answer.into_part(key, "measurements.json"),
                Some(next),
            )));
        }
        Ok(None)
    }

    /// Sensors of the area that measure what is wanted, by id.
    async fn all_sensors(&self, io: &Io) -> Result<Vec<Sensor>, ConnectorError> {
        let mut sensors = Vec::new();
        for page in 1..=u64::from(PAGES_MAX) {
            let (_, results) = self.page::<Location>(&self.locations_url(page), io).await?;
            let is_last = !self.is_full(results.len());
            sensors.extend(results.into_iter().flat_map(location_of));
            if is_last {
                break;
            }
        }
        sensors.retain(|sensor| {
            self.parameters.is_empty() || self.parameters.contains(&sensor.parameter)
        });
        sensors.sort_by_key(|sensor| sensor.id);
        Ok(sensors)
    }

    async fn page<T: DeserializeOwned>(
        &self,
        url: &SourceUrl,
        io: &Io,
    ) -> Result<(Response, Vec<T>), ConnectorError> {
        let request = Request::get(url.clone())
            .with_headers(&self.key)
            .with_gap(GAP);
        let Answer::Fresh(answer) = io.http().get(&request).await? else {
            return Err(ConnectorError::new(ErrorKind::Invalid, "gave no page").at(url));
        };
        let (answer, bytes) = answer.read(PAGE_BYTES_MAX).await?;
        Ok((answer, Page::parse(&bytes, &url.to_string())?.results))
    }

    fn locations_url(&self, page: u64) -> SourceUrl {
        let (key, value) = (self.area.0, self.area.1.as_str());
        self.url.join(&["locations"]).with_query(&[
            (key, value),
            ("limit", &self.page_size.to_string()),
            ("page", &page.to_string()),
        ])
    }

    fn measurements_url(
        &self,
        sensor: &Sensor,
        page: u32,
        progress: &Progress,
        io: &Io,
    ) -> SourceUrl {
        let since = progress.since.get(&sensor.id).copied().or(self.since);
        let since = since.unwrap_or(io.started_at() - FIRST_DAYS);
        self.url
            .join(&["sensors", &sensor.id.to_string(), "measurements"])
            .with_query(&[
                (
                    "datetime_from",
                    &since.to_rfc3339_opts(SecondsFormat::Secs, true),
                ),
                ("limit", &self.page_size.to_string()),
                ("page", &page.to_string()),
            ])
    }

    fn is_full(&self, results: usize) -> bool {
        results >= usize::from(self.page_size)
    }
}

fn first_after(sensors: &[Sensor], done: Option<u64>) -> Option<Position> {
    let next = sensors
        .iter()
        .find(|sensor| done.is_none_or(|done| sensor.id > done))?;
    Some(Position {
        sensor: next.id,
        page: 1,
        newest: None,
    })
}

fn parse_since(text: &str) -> Result<DateTime<Utc>, SettingsError> {
    let instant = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
    let day = || {
        text.parse::<NaiveDate>()
            .ok()?
            .and_hms_opt(0, 0, 0)
            .map(|start| start.and_utc())
    };
    instant.ok().or_else(day).ok_or_else(|| {
        SettingsError::of_key("since", format!("{text:?} is no date"))
            .with_help("write it as in 2025-01-31 or 2025-01-31T07:00:00+07:00")
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
