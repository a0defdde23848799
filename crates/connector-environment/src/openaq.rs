//! `openaq`: air quality of the world, from stations of agencies, researchers and citizens.
//!
//! Reference: OpenAQ API v3, <https://docs.openaq.org/>; licence CC BY 4.0 unless a location names its own. Its answers tell
//! neither sensor nor location of a measurement: both stand in the part's key, where the mapping finds them.
//!
//! Its archive, <https://docs.openaq.org/aws/about>, has a CSV a location and day. All times end their interval
//! (<https://docs.openaq.org/using-the-api/dates-datetimes>); the archive does not say how long that was.

mod api;
mod archive;
mod saved;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext,
    Registration, SettingsError, Sight, Slice, Stream,
};
use serde_json::json;

use api::Api;
use archive::Archive;
use saved::Saved;
use settings::Settings;

const LOCATIONS: &str = "locations";
const MEASUREMENTS: &str = "measurements";

pub(crate) fn registration() -> Registration {
    Registration::of(
        "openaq",
        "Stations and measurements of air quality, from the OpenAQ API or its saved answers.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("openaq/example.yaml"))
}

/// The API's own host, or a saved answer of `/locations`.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    if sight.host().as_deref() == Some("api.openaq.org") {
        let iso = sight.url().and_then(|url| {
            let mut query = url.query_pairs();
            query.find_map(|(key, value)| (key == "iso").then(|| value.into_owned()))
        });
        let country = iso.unwrap_or_else(|| "VN".to_owned());
        let settings = [
            ("country", country.into()),
            ("api_key", "${env:OPENAQ_KEY}".into()),
        ];
        return Some(Claim::own(settings, "api.openaq.org is the OpenAQ API"));
    }
    let says = |text: &str| {
        sight
            .head
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    let is_saved = says("\"openaq-api\"") && says("\"isMonitor\"");
    (sight.url().is_none() && is_saved).then(|| {
        Claim::own(
            [("path", json!({ "locations": sight.location }))],
            "it is an answer of OpenAQ's /locations",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let source = match (&settings.path, &settings.archive) {
        (Some(path), _) => {
            settings.refuse_beside("path")?;
            Source::Saved(Saved::new(context.project_dir().to_owned(), path.clone()))
        }
        (None, Some(archive)) => {
            settings.refuse_beside("archive")?;
            Source::Archive(Box::new(Archive::new(
                archive,
                settings.url.as_ref(),
                context,
            )?))
        }
        (None, None) => Source::Api(Box::new(Api::new(&settings, context)?)),
    };
    Ok(Arc::new(OpenAq { source }))
}

struct OpenAq {
    source: Source,
}

enum Source {
    Api(Box<Api>),
    Archive(Box<Archive>),
    Saved(Saved),
}

#[async_trait]
impl Connector for OpenAq {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        if let Source::Archive(archive) = &self.source {
            return Ok(vec![archive.stream()]);
        }
        let mut locations = stream(LOCATIONS);
        locations.mappings = vec![DefaultMapping::new(
            "environment.stations",
            "replace",
            include_str!("openaq/stations.sql"),
        )];
        let mut measurements = stream(MEASUREMENTS);
        // Later runs bring later measurements, and revised ones.
        measurements.mappings = vec![DefaultMapping::new(
            "environment.observations",
            "merge",
            include_str!("openaq/observations.sql"),
        )];
        if let Source::Api(api) = &self.source {
            measurements.reads = api.reads();
        }
        Ok(vec![locations, measurements])
    }

    async fn partitions(&self, unit: &str, io: &Io) -> Result<Vec<String>, ConnectorError> {
        match &self.source {
            Source::Api(api) if unit == MEASUREMENTS => api.partitions(io).await,
            Source::Archive(archive) => Ok(archive.partitions(io)),
            _ => Ok(Vec::new()),
        }
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match (&self.source, slice.unit) {
            (Source::Api(api), LOCATIONS) => api.locations(cursor, io).await,
            (Source::Api(api), _) => api.measurements(slice.partition, cursor, io).await,
            (Source::Archive(archive), _) => archive.fetch(slice.partition, cursor, io).await,
            (Source::Saved(saved), LOCATIONS) => saved.locations().await,
            (Source::Saved(saved), _) => saved.measurements(cursor).await,
        }
    }
}

/// Both kinds of answer hold their records under `results`.
fn stream(name: &str) -> Stream {
    let mut stream = Stream::new(name, name);
    stream.format = Some(serde_json::json!({ "name": "json", "record_path": "results" }));
    stream
}

/// The key of an answer with measurements: where it is from, and what it is about.
fn measurements_key(place: &str, location: &str, sensor: &str) -> String {
    format!("{place}#location={location}&sensor={sensor}")
}
