//! `sensor_community`: low-cost sensors of citizens (formerly luftdaten.info), in the three layouts they are published in.
//!
//! Reference: <https://archive.sensor.community/> (a CSV a sensor and day), <https://api-rrd.madavi.de/> (the log of one node,
//! what its owner keeps) and <https://github.com/opendata-stuttgart/meta/wiki/EN-APIs> (the last five minutes of all). Licence of
//! archive and API: ODbL 1.0. All three write UTC without saying so: in a log from Hồ Chí Minh City it is warmest at 06:00.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext, MemberPattern,
    OneOrMany, Origin, OriginSettings, Registration, SettingsError, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

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
    /// The node of a `madavi` log, which does not tell it itself. The other layouts do.
    #[serde(default)]
    station: Option<Station>,
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
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let origin = OriginSettings {
        path: settings.path.as_deref(),
        url: settings.url.as_ref(),
        ..OriginSettings::default()
    };
    let origin = Origin::of(origin, context)?;
    let stream = match (settings.layout, settings.station) {
        (Layout::Madavi, Some(station)) => madavi(&station)?,
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
        (Layout::Archive, None) => archive()?,
        (Layout::Live, None) => live(),
    };
    Ok(Arc::new(SensorCommunity { origin, stream }))
}

/// Columns are sensors' readings, and each firmware knows others; records of old firmware are shorter than their header.
fn madavi(station: &Station) -> Result<Stream, SettingsError> {
    let mut stream = csv_stream()?;
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

fn archive() -> Result<Stream, SettingsError> {
    let mut stream = csv_stream()?;
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
    Ok(stream)
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

fn csv_stream() -> Result<Stream, SettingsError> {
    let mut stream = Stream::new(STREAM, STREAM);
    let pattern = MemberPattern::new("*.csv")
        .map_err(|error| SettingsError::new(Vec::new(), error.to_string()))?;
    stream.member = Some(pattern);
    stream.format = Some(json!({ "name": "csv", "delimiter": ";", "short_records": "fill" }));
    Ok(stream)
}

struct SensorCommunity {
    origin: Origin,
    stream: Stream,
}

#[async_trait]
impl Connector for SensorCommunity {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        Ok(vec![self.stream.clone()])
    }

    async fn fetch(
        &self,
        _unit: &str,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        self.origin.fetch(cursor, io).await
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;

    use bytes::Bytes;
    use futures::TryStreamExt;
    use sectorlake_connector::kit::{Abilities, Exchange, Subject, TestPace, check};
    use sectorlake_connector::{Http, Limits};

    use super::*;

    fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let context = MakeContext::new(project, "demo", |_| None);
        registration().make(settings.as_object().unwrap().clone(), &context)
    }

    /// Two days of one sensor, in the archive's layout.
    const DAYS: [&str; 2] = [
        "sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2\n\
         1;SDS011;7;10.7;106.7;2018-10-08T09:21:52;31.52;;;27.22;;\n",
        "sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2\n\
         1;SDS011;7;10.7;106.7;2018-10-09T09:21:52;30.50;;;26.93;;\n",
    ];

    #[tokio::test]
    async fn passes_the_kit() {
        let subject = Subject {
            make: &|server| {
                make_at(
                    json!({"layout": "archive", "url": [format!("{server}/1.csv"), format!("{server}/2.csv")]}),
                )
            },
            recording: vec![
                Exchange::new("/1.csv", DAYS[0]).with_etag("\"1\""),
                Exchange::new("/2.csv", DAYS[1]).with_etag("\"2\""),
            ],
            abilities: Abilities {
                conditional: true,
                ..Abilities::default()
            },
            secrets: &[],
        };
        assert_eq!(check(&subject).await, [""; 0]);
    }

    #[tokio::test]
    async fn a_log_is_one_zip_with_all_its_days() {
        let log = "tests/data/environment/hcmc_sensor_12779556_2018-10.zip";
        let station = json!({"id": "esp8266-12779556", "latitude": 10.69, "longitude": 106.74});
        let source = make_at(json!({"layout": "madavi", "path": log, "station": station})).unwrap();
        let http = Http::new(Limits::default(), Arc::new(TestPace::default())).unwrap();
        let io = Io::new(http, chrono::DateTime::UNIX_EPOCH);
        let streams = source.streams(&io).await.unwrap();
        let member = streams[0].member.clone().unwrap();
        assert!(member.matches("data-esp8266-12779556-2018-10-08.csv"));
        assert_eq!(streams[0].mappings[0].parameters["latitude"], "10.69");
        let fetched = source.fetch(STREAM, None, &io).await.unwrap().unwrap();
        assert_eq!(fetched.next, None);
        let body = fetched
            .part
            .unwrap()
            .body
            .try_collect::<Vec<Bytes>>()
            .await
            .unwrap();
        assert_eq!(body.concat().len(), 273_901);
    }

    #[test]
    fn settings_are_checked() {
        let say = |settings: serde_json::Value| {
            let error = make_at(settings).err().unwrap();
            format!("{error} / {}", error.help.as_deref().unwrap_or("-"))
        };
        let said = [
            say(json!({"path": "a.zip"})),
            say(json!({"path": "a.zip", "layout": "madavy"})),
            say(json!({"path": "a.zip", "layout": "madavi"})),
            say(
                json!({"path": "a.zip", "layout": "madavi", "station": {"id": "x", "latitude": "10"}}),
            ),
            say(
                json!({"path": "a.zip", "layout": "live", "station": {"id": "x", "latitude": 1, "longitude": 2}}),
            ),
            say(json!({"layout": "live"})),
        ];
        insta::assert_snapshot!(said.join("\n"), @"");
    }
}
