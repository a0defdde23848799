//! `openaq`: air quality of the world, from stations of agencies, researchers and citizens.
//!
//! Reference: OpenAQ API v3, <https://docs.openaq.org/>; licence CC BY 4.0 unless a location names its own. Its answers tell
//! neither sensor nor location of a measurement: both stand in the part's key, where the mapping finds them.

mod api;
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
    let source = match settings.path {
        Some(ref path) => {
            settings.refuse_beside_path()?;
            Source::Saved(Saved::new(context.project_dir().to_owned(), path.clone()))
        }
        None => Source::Api(Box::new(Api::new(&settings, context)?)),
    };
    Ok(Arc::new(OpenAq { source }))
}

struct OpenAq {
    source: Source,
}

enum Source {
    Api(Box<Api>),
    Saved(Saved),
}

#[async_trait]
impl Connector for OpenAq {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
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
        Ok(vec![locations, measurements])
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match (&self.source, slice.unit) {
            (Source::Api(api), LOCATIONS) => api.locations(cursor, io).await,
            (Source::Api(api), _) => api.measurements(cursor, io).await,
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
fn measurements_key(place: &str, location: u64, sensor: u64) -> String {
    format!("{place}#location={location}&sensor={sensor}")
}
