//! The API itself: pages of locations, and of each sensor's measurements, from where the last run stopped.

use std::time::Duration;

use chrono::TimeDelta;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::{Pager, Paging, Style};
use sectorlake_connector::{
    ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Reads, Request, Secret,
    SettingsError, SourceUrl, UrlSetting,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::measurements_key;
use super::settings::Settings;
use crate::{ask, since};

const API: &str = "https://api.openaq.org/v3";
const PAGE_SIZE_MAX: u16 = 1000;
/// The free key allows 60 requests a minute.
const GAP: Duration = Duration::from_millis(1000);
const FIRST_DAYS: TimeDelta = TimeDelta::days(7);

pub(super) struct Api {
    url: SourceUrl,
    key: Vec<(String, Secret)>,
    area: (&'static str, String),
    parameters: Vec<String>,
    marks: Incremental,
    page_size: u16,
    /// The sensors of the area, asked for once.
    sensors: OnceCell<Vec<Sensor>>,
}

/// The envelope of every answer.
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
        let marks = Incremental {
            parameter: Some("datetime_from".to_owned()),
            field: "results[*].period.datetimeTo.utc".parse().ok(),
            start: settings.since.clone(),
            lookback: settings.lookback.clone(),
            ..Incremental::of(Kind::Time)
        };
        since::check(&marks)?;
        let url: UrlSetting = match &settings.url {
            Some(url) => url.clone(),
            None => UrlSetting::new(API),
        };
        Ok(Self {
            url: url.resolve(&["url"], context)?,
            key: vec![("x-api-key".to_owned(), api_key.resolve("api_key", context)?)],
            area,
            parameters: settings.parameters.clone(),
            marks,
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
        self.pager(self.locations_url())
            .fetch(cursor, io, "locations.json", |url| self.request(url))
            .await
    }

    /// `meta.found` is no help: it is a number, or a text such as ">100".
    fn pager(&self, url: SourceUrl) -> Pager {
        let paging = Paging {
            size: Some(u32::from(self.page_size)),
            size_parameter: Some("limit".to_owned()),
            records: "results".parse().ok(),
            ..Paging::of(Style::Page)
        };
        Pager::new(url, Some(paging))
    }

    fn request(&self, url: SourceUrl) -> Request {
        Request::get(url).with_headers(&self.key).with_gap(GAP)
    }

    fn locations_url(&self) -> SourceUrl {
        let (key, value) = (self.area.0, self.area.1.as_str());
        self.url.join(&["locations"]).with_query(&[(key, value)])
    }

    /// From where on a run reads measurements.
    pub(super) fn reads(&self) -> Reads {
        self.marks.reads()
    }

    /// The sensors, each with its location: `2161292/7772024`.
    pub(super) async fn partitions(&self, io: &Io) -> Result<Vec<String>, ConnectorError> {
        let sensors = self
            .sensors
            .get_or_try_init(|| self.all_sensors(io))
            .await?;
        let name = |sensor: &Sensor| format!("{}/{}", sensor.location, sensor.id);
        Ok(sensors.iter().map(name).collect())
    }

    /// The next page of a sensor's measurements, from where the last run stopped on.
    pub(super) async fn measurements(
        &self,
        partition: Option<&str>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        // No sensor, no measurements.
        let Some((location, sensor)) = partition.and_then(|it| it.split_once('/')) else {
            return Ok(None);
        };
        let first = io.started_at() - FIRST_DAYS;
        let marks = Incremental {
            start: self.marks.start.clone().or(Some(first.to_rfc3339())),
            ..self.marks.clone()
        };
        let url = self.url.join(&["sensors", sensor, "measurements"]);
        let pager = self.pager(url).since(Some(marks));
        let fetched = pager
            .fetch(cursor, io, "measurements.json", |url| self.request(url))
            .await?;
        Ok(fetched.map(|mut fetched| {
            if let Some(part) = &mut fetched.part {
                part.key = measurements_key(&part.key, location, sensor);
            }
            fetched
        }))
    }

    /// Sensors of the area that measure what is wanted, by id.
    async fn all_sensors(&self, io: &Io) -> Result<Vec<Sensor>, ConnectorError> {
        let pager = self.pager(self.locations_url());
        let (mut sensors, mut cursor) = (Vec::new(), None);
        while let Some(page) = pager.page(cursor.as_ref(), io)? {
            let place = page.url().to_string();
            let (answer, bytes) = ask::read(&self.request(page.url().clone()), io).await?;
            let results = Page::<Location>::parse(&bytes, &place)?.results;
            sensors.extend(results.into_iter().flat_map(location_of));
            cursor = page.turn(&answer.headers, &bytes)?.next;
            if cursor.is_none() {
                break;
            }
        }
        sensors.retain(|sensor| {
            self.parameters.is_empty() || self.parameters.contains(&sensor.parameter)
        });
        sensors.sort_by_key(|sensor| sensor.id);
        Ok(sensors)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
