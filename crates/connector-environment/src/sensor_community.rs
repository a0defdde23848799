//! `sensor_community`: low-cost sensors of citizens (formerly luftdaten.info), in the three layouts they are published in.
//!
//! Reference: <https://archive.sensor.community/> (a CSV a sensor and day), <https://api-rrd.madavi.de/> (the log of one node,
//! what its owner keeps) and <https://github.com/opendata-stuttgart/meta/wiki/EN-APIs> (the last five minutes of all). Licence of
//! archive and API: ODbL 1.0. All three write UTC without saying so: in a log from Hồ Chí Minh City it is warmest at 06:00.

mod days;

use std::sync::Arc;

use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, DefaultMapping, MakeContext, MemberPattern, OneOrMany, Origin,
    OriginSettings, PlainSource, Registration, SettingsError, Sight, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

use days::Days;

const STREAM: &str = "measurements";

/// Settings of `sensor_community`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Files on this machine: one, a folder or a glob; a zip is read with all its CSV files. Absolute, or relative to the
    /// project's folder.
    #[serde(default)]
    path: Option<String>,
    /// An http or https URL, or a list of them.
    #[serde(default)]
    url: Option<OneOrMany<UrlSetting>>,
    /// `archive`: a CSV a sensor and day; `madavi`: the log of one node; `live`: JSON of the last minutes.
    layout: Layout,
    /// Sensors of the archive day by day, in place of `path` and `url`, with `layout: archive`.
    #[serde(default)]
    days: Option<DaySettings>,
    /// The node of a `madavi` log, which does not tell it itself. The other layouts do.
    #[serde(default)]
    station: Option<Station>,
}

/// Which sensors' files, and of which days.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DaySettings {
    /// Sensors as the archive's files name them: `[sds011_sensor_12345]`.
    sensors: Vec<String>,
    /// The first day: `2024-05-01`. A day without a file is asked for in every run, so let it be no earlier than the sensor.
    start: String,
    /// The last day. Default: the day before the run.
    #[serde(default)]
    end: Option<String>,
    /// The archive. Default: `https://archive.sensor.community`.
    #[serde(default)]
    url: Option<UrlSetting>,
}

/// How the files are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Layout {
    Archive,
    Madavi,
    Live,
}

/// The node that keeps a log.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Station {
    /// Its id, such as `esp8266-12779556`.
    id: String,
    /// What people call it.
    #[serde(default)]
    name: Option<String>,
    /// Where it stands: degrees north, WGS 84.
    latitude: f64,
    /// Where it stands: degrees east, WGS 84.
    longitude: f64,
    /// City, ward or street.
    #[serde(default)]
    locality: Option<String>,
    /// ISO 3166-1 alpha-2 code.
    #[serde(default)]
    country: Option<String>,
    /// IANA name of its local clock.
    #[serde(default)]
    time_zone: Option<String>,
    /// Who runs it.
    #[serde(default)]
    owner: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "sensor_community",
        "Low-cost sensors of sensor.community: archive, a node's own log, or live.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("sensor_community/example.yaml"))
}

/// The two hosts of the project that tell all they must; a log of one node lacks the node.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let (layout, host) = match sight.host()?.as_str() {
        host @ "archive.sensor.community" => ("archive", host.to_owned()),
        host @ "data.sensor.community" => ("live", host.to_owned()),
        _ => return None,
    };
    let settings = [("url", sight.location.into()), ("layout", layout.into())];
    Some(Claim::own(
        settings,
        format!("{host} is of sensor.community"),
    ))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    if let Some(days) = &settings.days {
        let others =
            settings.path.is_some() || settings.url.is_some() || settings.station.is_some();
        if others || settings.layout != Layout::Archive {
            return Err(SettingsError::of_key("days", "are of the archive alone")
                .with_help("write `layout: archive`, without `path`, `url` and `station`"));
        }
        return Ok(Arc::new(Days::of(days, context)?));
    }
    let origin = OriginSettings {
        path: settings.path.as_deref(),
        url: settings.url.as_ref(),
        ..OriginSettings::default()
    };
    let origin = Origin::of(origin, context)?;
    let stream = match (settings.layout, settings.station) {
        (Layout::Madavi, Some(station)) => madavi(&origin, &station)?,
        (Layout::Madavi, None) => {
            return Err(SettingsError::new(Vec::new(), "`station` is missing")
                .with_help("a node's log does not say where it stands: write station: { id: …, latitude: …, longitude: … }"));
        }
        (_, Some(_)) => {
            return Err(
                SettingsError::of_key("station", "has no effect in this layout")
                    .with_help("leave it out: each record tells where its sensor stands"),
            );
        }
        (Layout::Archive, None) => archive(csv_stream(&origin)?),
        (Layout::Live, None) => live(),
    };
    Ok(Arc::new(PlainSource {
        origin,
        streams: vec![stream],
    }))
}

/// Columns are sensors' readings, and each firmware knows others; records of old firmware are shorter than their header.
fn madavi(origin: &Origin, station: &Station) -> Result<Stream, SettingsError> {
    let mut stream = csv_stream(origin)?;
    let unknown = String::new;
    let parameters = [
        ("station_id", station.id.clone()),
        ("station_name", station.name.clone().unwrap_or_else(unknown)),
        ("latitude", station.latitude.to_string()),
        ("longitude", station.longitude.to_string()),
        ("locality", station.locality.clone().unwrap_or_else(unknown)),
        ("country", station.country.clone().unwrap_or_else(unknown)),
        (
            "time_zone",
            station.time_zone.clone().unwrap_or_else(unknown),
        ),
        ("owner", station.owner.clone().unwrap_or_else(unknown)),
    ];
    let mut stations = DefaultMapping::new(
        "environment.stations",
        "merge",
        include_str!("sensor_community/madavi_stations.sql"),
    );
    let mut observations = DefaultMapping::new(
        "environment.observations",
        "replace",
        include_str!("sensor_community/madavi_observations.sql"),
    );
    observations.unpivot = Some(json!({ "keep": ["Time"], "name": "property", "value": "value" }));
    for (name, value) in parameters {
        stations = stations.with_parameter(name, value);
    }
    observations = observations.with_parameter("station_id", &station.id);
    stream.mappings = vec![stations, observations];
    Ok(stream)
}

fn archive(mut stream: Stream) -> Stream {
    let stations = DefaultMapping::new(
        "environment.stations",
        "merge",
        include_str!("sensor_community/archive_stations.sql"),
    );
    let mut observations = DefaultMapping::new(
        "environment.observations",
        "replace",
        include_str!("sensor_community/archive_observations.sql"),
    );
    observations.unpivot = Some(json!({
        "keep": ["sensor_id", "sensor_type", "location", "lat", "lon", "timestamp"],
        "name": "property", "value": "value",
    }));
    stream.mappings = vec![stations, observations];
    stream
}

/// What is live is gone in five minutes, so what earlier runs saw is kept.
fn live() -> Stream {
    let mut stream = Stream::new(STREAM, STREAM);
    stream.format = Some(json!("json"));
    stream.mappings = vec![
        DefaultMapping::new(
            "environment.stations",
            "merge",
            include_str!("sensor_community/live_stations.sql"),
        ),
        DefaultMapping::new(
            "environment.observations",
            "merge",
            include_str!("sensor_community/live_observations.sql"),
        ),
    ];
    stream
}

/// In a zip all CSV files are meant: logs are packed by the month.
fn csv_stream(origin: &Origin) -> Result<Stream, SettingsError> {
    let mut stream = Stream::new(STREAM, STREAM);
    if origin.file_name().to_ascii_lowercase().ends_with(".zip") {
        let pattern = MemberPattern::new("*.csv")
            .map_err(|error| SettingsError::new(Vec::new(), error.to_string()))?;
        stream.member = Some(pattern);
    }
    stream.format = Some(csv_format());
    Ok(stream)
}

fn csv_format() -> serde_json::Value {
    json!({ "name": "csv", "delimiter": ";", "short_records": "fill" })
}

#[cfg(test)]
mod tests;
