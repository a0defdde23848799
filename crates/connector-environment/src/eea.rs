//! `eea`: air quality of Europe, as its countries report it to the European Environment Agency.
//!
//! Reference: the Air Quality Download Service, <https://eeadmz1-downloads-webapp.azurewebsites.net/>, whose documentation lists the
//! columns of its Parquet files; licence CC BY 4.0. A sampling point's file is a partition, asked for changes only. Times are in UTC+1
//! without summer time. Places come from the Agency's list of sampling points (`PanEuropean_metadata.csv`).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::paging::Pager;
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, Io, MakeContext,
    Registration, Request, Saved, SettingsError, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::ask;

const API: &str = "https://eeadmz1-downloads-api-appservice.azurewebsites.net";
const METADATA: &str = "https://discomap.eea.europa.eu/map/fme/metadata/PanEuropean_metadata.csv";
const STATIONS: &str = "stations";
const OBSERVATIONS: &str = "observations";

/// Settings of `eea`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Countries by their ISO 3166-1 alpha-2 codes, such as `[NL, BE]`. Needed unless `path` is set.
    #[serde(default)]
    countries: Vec<String>,
    /// Only these cities, as the service names them. Default: all.
    #[serde(default)]
    cities: Vec<String>,
    /// Only these pollutants, such as `[NO2, PM2.5]`. Default: all.
    #[serde(default)]
    pollutants: Vec<String>,
    /// `up_to_date`: of this and last year, not yet verified (E2a); `verified`: since 2013 (E1a); `historical`: before (AirBase).
    /// Default: `up_to_date`.
    #[serde(default)]
    dataset: Dataset,
    /// Another address of the service. Default: the Agency's.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// Another address of the list of sampling points. Default: the Agency's.
    #[serde(default)]
    metadata: Option<UrlSetting>,
    /// Saved files: of `stations` the list of sampling points, of `observations` Parquet files; each a file, a folder or a glob,
    /// absolute or relative to the project's folder.
    #[serde(default)]
    path: Option<BTreeMap<String, String>>,
}

/// Which of the Agency's data flows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Dataset {
    /// E2a.
    #[default]
    UpToDate,
    /// E1a.
    Verified,
    /// AirBase.
    Historical,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "eea",
        "Air quality of Europe, as reported to the European Environment Agency.",
        make,
    )
    .over_http()
    .with_example(include_str!("eea/example.yaml"))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let saved = match &settings.path {
        Some(paths) => {
            let given = [
                ("countries", !settings.countries.is_empty()),
                ("cities", !settings.cities.is_empty()),
                ("pollutants", !settings.pollutants.is_empty()),
                ("url", settings.url.is_some()),
                ("metadata", settings.metadata.is_some()),
            ];
            Saved::refuse_beside(&given)?;
            let paths = paths
                .iter()
                .map(|(stream, path)| (stream.as_str(), path.as_str()));
            Some(Saved::of(paths, &[STATIONS, OBSERVATIONS], context)?)
        }
        None if settings.countries.is_empty() => {
            return Err(SettingsError::new(Vec::new(), "`countries` is missing")
                .with_help("write them as in `countries: [NL, BE]`"));
        }
        None => None,
    };
    let question = json!({
        "countries": settings.countries,
        "cities": settings.cities,
        "pollutants": settings.pollutants,
        "dataset": match settings.dataset {
            Dataset::UpToDate => 1,
            Dataset::Verified => 2,
            Dataset::Historical => 3,
        },
        "source": "API",
    });
    let resolve = |url: Option<UrlSetting>, default: &str, key: &str| {
        url.unwrap_or_else(|| UrlSetting::new(default))
            .resolve(&[key], context)
    };
    Ok(Arc::new(Eea {
        api: resolve(settings.url, API, "url")?,
        metadata: resolve(settings.metadata, METADATA, "metadata")?,
        countries: settings.countries,
        question: question.to_string(),
        files: OnceCell::new(),
        saved,
    }))
}

struct Eea {
    api: SourceUrl,
    metadata: SourceUrl,
    countries: Vec<String>,
    question: String,
    /// The files that answer the question, asked for once.
    files: OnceCell<Vec<(String, SourceUrl)>>,
    saved: Option<Saved>,
}

impl Eea {
    /// The files, by their names with the country: `BE/SPO-BETN029_00008_100.parquet`.
    async fn files(&self, io: &Io) -> Result<&[(String, SourceUrl)], ConnectorError> {
        let ask = || async {
            let url = self.api.join(&["ParquetFile", "urls"]);
            let place = url.clone();
            let request =
                Request::post(url, self.question.clone(), "application/json").accept("text/plain");
            let (_, bytes) = ask::read(&request, io).await?;
            let text = String::from_utf8_lossy(&bytes);
            let mut lines = text.lines().map(str::trim);
            if lines.next() != Some("ParquetFileUrl") {
                let message = "is no list of files: it does not begin with ParquetFileUrl";
                return Err(ConnectorError::new(ErrorKind::Invalid, message)
                    .at(place)
                    .with_help("`url` is the address of the Air Quality Download Service"));
            }
            let file = |line: &str| {
                let url = place.follow(line)?;
                let steps = line.split('?').next().unwrap_or(line).rsplit('/');
                let mut steps: Vec<&str> = steps.take(2).collect();
                steps.reverse();
                Ok((steps.join("/"), url))
            };
            lines
                .filter(|line| !line.is_empty())
                .map(file)
                .collect::<Result<Vec<_>, ConnectorError>>()
        };
        self.files.get_or_try_init(ask).await.map(Vec::as_slice)
    }
}

#[async_trait]
impl Connector for Eea {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stations = Stream::new(STATIONS, STATIONS);
        stations.format = Some(json!({ "name": "csv", "delimiter": "\t" }));
        let wanted: String = self
            .countries
            .iter()
            .map(|code| format!("{code}|"))
            .collect();
        stations.mappings = vec![
            DefaultMapping::new(
                "environment.stations",
                "merge",
                include_str!("eea/stations.sql"),
            )
            .with_parameter("wanted", format!("|{wanted}")),
        ];
        let mut observations = Stream::new(OBSERVATIONS, OBSERVATIONS);
        observations.format = Some(json!("parquet"));
        let sql = include_str!("eea/observations.sql");
        observations.mappings = vec![DefaultMapping::new(
            "environment.observations",
            "merge",
            sql,
        )];
        let mut streams = vec![stations, observations];
        if let Some(saved) = &self.saved {
            saved.keep(&mut streams);
        }
        Ok(streams)
    }

    async fn partitions(&self, unit: &str, io: &Io) -> Result<Vec<String>, ConnectorError> {
        match (&self.saved, unit) {
            (None, OBSERVATIONS) => {
                let files = self.files(io).await?;
                Ok(files.iter().map(|(name, _)| name.clone()).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        if let Some(saved) = &self.saved {
            return saved.fetch(slice.unit, cursor, io).await;
        }
        let url = match (slice.unit, slice.partition) {
            (STATIONS, _) => Some(self.metadata.clone()),
            (_, Some(wanted)) => {
                let files = self.files(io).await?;
                let found = files.iter().find(|(name, _)| name == wanted);
                found.map(|(_, url)| url.clone())
            }
            (_, None) => None,
        };
        let Some(url) = url else {
            return Ok(None);
        };
        let name = url.file_name();
        Pager::new(url, None)
            .fetch(cursor, io, &name, Request::get)
            .await
    }
}
