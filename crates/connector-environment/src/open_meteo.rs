//! `open_meteo`: hourly weather and air quality of any place, out of models: forecasts, reanalyses, CAMS.
//!
//! Reference: <https://open-meteo.com/en/docs> (forecast), `/en/docs/historical-weather-api` and `/en/docs/air-quality-api`; licence
//! CC BY 4.0, free for uses that are not commercial. Its JSON has a list of values for each variable; its CSV (`format=csv`) is a table
//! with a column for each, under three lines about the place, which is what is read here.
//!
//! A forecast reaches into the future, which observations cannot: hours that have not begun are rejected by the rule `future`, unless
//! the pipeline marks them instead: `on_reject: { rules: { future: { severity: warn } } }`.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use schemars::JsonSchema;
use sectorlake_connector::paging::Pager;
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext, Registration,
    Request, SettingsError, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

const STATIONS: &str = "stations";
const OBSERVATIONS: &str = "observations";

/// Settings of `open_meteo`. A customer's key goes into `auth: { query: { name: apikey, value: "${env:NAME}" } }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The places, at least one.
    locations: Vec<Location>,
    /// Hourly variables by Open-Meteo's names, such as `temperature_2m`, `relative_humidity_2m`, `precipitation`, `pm2_5`.
    hourly: Vec<String>,
    /// Which of its services. Default: `forecast`.
    #[serde(default)]
    product: Product,
    /// First day, `2024-01-01`. Needed for `archive`.
    #[serde(default)]
    start: Option<String>,
    /// Last day. Default for `archive`: five days before the run, where the reanalysis ends; else the service's own.
    #[serde(default)]
    end: Option<String>,
    /// Days before the run, in place of `start`, at most 92. Default: none.
    #[serde(default)]
    past_days: Option<u8>,
    /// Days from the run's own on, at most 16. Default: 7, of air quality 5.
    #[serde(default)]
    forecast_days: Option<u8>,
    /// Another address of the service. Default: Open-Meteo's.
    #[serde(default)]
    url: Option<UrlSetting>,
}

/// A place.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Location {
    /// Its id in the tables: small letters, digits and hyphens, such as `hai-phong`.
    id: String,
    /// What people call it.
    #[serde(default)]
    name: Option<String>,
    /// Degrees north, WGS 84.
    #[schemars(range(min = -90, max = 90))]
    latitude: f64,
    /// Degrees east, WGS 84.
    #[schemars(range(min = -180, max = 180))]
    longitude: f64,
}

/// Which service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Product {
    /// Weather: days past and days to come.
    #[default]
    Forecast,
    /// Weather since 1940, as reanalysed.
    Archive,
    /// Air quality of CAMS.
    AirQuality,
}

impl Product {
    fn url(self) -> &'static str {
        match self {
            Self::Forecast => "https://api.open-meteo.com/v1/forecast",
            Self::Archive => "https://archive-api.open-meteo.com/v1/archive",
            Self::AirQuality => "https://air-quality-api.open-meteo.com/v1/air-quality",
        }
    }
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "open_meteo",
        "Hourly weather and air quality of any place, out of models (Open-Meteo).",
        make,
    )
    .over_http()
    .with_example(include_str!("open_meteo/example.yaml"))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    places(&settings)?;
    if settings.hourly.is_empty() {
        return Err(SettingsError::of_key("hourly", "names no variable")
            .with_help("write them as in `hourly: [temperature_2m]`"));
    }
    let (start, end) = days(&settings)?;
    let url = settings
        .url
        .clone()
        .unwrap_or_else(|| UrlSetting::new(settings.product.url()));
    Ok(Arc::new(OpenMeteo {
        url: url.resolve(&["url"], context)?,
        start,
        end,
        settings,
    }))
}

/// Each place has an id that names its rows.
fn places(settings: &Settings) -> Result<(), SettingsError> {
    if settings.locations.is_empty() {
        return Err(SettingsError::of_key("locations", "names no place")
            .with_help("write `- { id: hai-phong, latitude: 20.86, longitude: 106.68 }`"));
    }
    let is_id = |id: &str| {
        let is_ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !id.is_empty() && id.bytes().all(is_ours)
    };
    for (index, location) in settings.locations.iter().enumerate() {
        if !is_id(&location.id) {
            let path = vec!["locations".to_owned(), index.to_string(), "id".to_owned()];
            let message = format!("{:?} is no id", location.id);
            return Err(SettingsError::new(path, message)
                .with_help("write small letters, digits and hyphens, as in `hai-phong`"));
        }
    }
    Ok(())
}

/// The first and the last day, which the archive cannot do without.
fn days(settings: &Settings) -> Result<(Option<NaiveDate>, Option<NaiveDate>), SettingsError> {
    if settings.product == Product::Archive {
        let wrong = |message: &str, help: &str| {
            Err(SettingsError::of_key("product", message).with_help(help))
        };
        if settings.start.is_none() {
            return wrong(
                "is the archive, and `start` is missing",
                "write the first day, as in `start: 2024-01-01`",
            );
        }
        if settings.past_days.is_some() || settings.forecast_days.is_some() {
            return wrong(
                "is the archive, which knows days, not their distance",
                "write `start` and `end` alone",
            );
        }
    }
    let day = |key: &str, text: &Option<String>| {
        let parse = |text: &String| {
            text.trim().parse::<NaiveDate>().map_err(|_| {
                SettingsError::of_key(key, format!("{text:?} is no day"))
                    .with_help("write it as in 2024-01-31")
            })
        };
        text.as_ref().map(parse).transpose()
    };
    Ok((day("start", &settings.start)?, day("end", &settings.end)?))
}

struct OpenMeteo {
    url: SourceUrl,
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
    settings: Settings,
}

/// Where the reanalysis ends before the run.
const ARCHIVE_DAYS: i64 = 5;

impl OpenMeteo {
    fn location(&self, partition: Option<&str>) -> Option<&Location> {
        self.settings
            .locations
            .iter()
            .find(|location| Some(location.id.as_str()) == partition)
    }

    fn query(&self, unit: &str, location: &Location, io: &Io) -> Vec<(&'static str, String)> {
        let settings = &self.settings;
        let mut query = vec![
            ("latitude", location.latitude.to_string()),
            ("longitude", location.longitude.to_string()),
        ];
        if unit == STATIONS {
            // Without a variable the answer is about the place alone.
            query.push(("timezone", "auto".to_owned()));
            if let (Product::Archive, Some(start)) = (settings.product, self.start) {
                query.push(("start_date", start.to_string()));
                query.push(("end_date", start.to_string()));
            }
            return query;
        }
        query.push(("hourly", settings.hourly.join(",")));
        let is_archive = settings.product == Product::Archive;
        let last = io.started_at().date_naive() - chrono::TimeDelta::days(ARCHIVE_DAYS);
        let end = self.end.or(is_archive.then_some(last));
        query.extend(self.start.map(|day| ("start_date", day.to_string())));
        query.extend(end.map(|day| ("end_date", day.to_string())));
        query.extend(
            settings
                .past_days
                .map(|days| ("past_days", days.to_string())),
        );
        query.extend(
            settings
                .forecast_days
                .map(|days| ("forecast_days", days.to_string())),
        );
        query.push(("timezone", "GMT".to_owned()));
        query.push(("format", "csv".to_owned()));
        query
    }
}

#[async_trait]
impl Connector for OpenMeteo {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stations = Stream::new(STATIONS, STATIONS);
        stations.format = Some(json!("json"));
        let named = |location: &Location| {
            let name = location.name.as_deref().unwrap_or(&location.id);
            format!("{}={}|", location.id, name.replace('|', "/"))
        };
        let names: String = self.settings.locations.iter().map(named).collect();
        stations.mappings = vec![
            DefaultMapping::new(
                "environment.stations",
                "merge",
                include_str!("open_meteo/stations.sql"),
            )
            .with_parameter("names", format!("|{names}")),
        ];
        let mut observations = Stream::new(OBSERVATIONS, OBSERVATIONS);
        // Latitude and longitude with their line, an empty line, then the table.
        observations.format = Some(json!({ "name": "csv", "delimiter": ",", "header_rows": [4] }));
        let sql = include_str!("open_meteo/observations.sql");
        let mut mapping = DefaultMapping::new("environment.observations", "merge", sql)
            .with_parameter(
                "product",
                match self.settings.product {
                    Product::Forecast => "forecast",
                    Product::Archive => "reanalysis",
                    Product::AirQuality => "CAMS",
                },
            );
        mapping.unpivot = Some(json!({ "keep": ["time"], "name": "variable", "value": "value" }));
        observations.mappings = vec![mapping];
        Ok(vec![stations, observations])
    }

    async fn partitions(&self, _unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        Ok(self
            .settings
            .locations
            .iter()
            .map(|location| location.id.clone())
            .collect())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let Some(location) = self.location(slice.partition) else {
            return Ok(None);
        };
        let query = self.query(slice.unit, location, io);
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        let url = self.url.with_query(&query);
        let name = if slice.unit == STATIONS {
            "place.json"
        } else {
            "hourly.csv"
        };
        let mut fetched = Pager::new(url, None)
            .fetch(cursor, io, name, Request::get)
            .await?;
        if let Some(part) = fetched.as_mut().and_then(|fetched| fetched.part.as_mut()) {
            part.key.push_str(&format!("#location={}", location.id));
        }
        Ok(fetched)
    }
}
