//! `usgs`: levels, flows and quality of water at the gauges of the U.S. Geological Survey.
//!
//! Reference: the OGC API of Water Data for the Nation, <https://api.waterdata.usgs.gov/docs/ogcapi/>, and the older Water Services,
//! <https://waterservices.usgs.gov/docs/>, which answer with WaterML as JSON and with RDB. A work of the US government, in the public
//! domain. A key raises the OGC API's limit of requests: `auth: { header: { name: X-Api-Key, value: "${env:NAME}" } }`.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::{Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext,
    Registration, Request, Saved, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

use crate::since;

const OGC: &str = "https://api.waterdata.usgs.gov/ogcapi/v0";
const NWIS: &str = "https://waterservices.usgs.gov/nwis";
const STATIONS: &str = "stations";
const OBSERVATIONS: &str = "observations";
const FIRST_DAYS: TimeDelta = TimeDelta::days(7);

/// Settings of `usgs`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Numbers of monitoring locations, in quotes: `["01491000"]`. Needed unless `path` is set.
    #[serde(default)]
    sites: Vec<String>,
    /// Only these parameters, by their codes of five digits, in quotes: `["00060", "00065"]`. Default: all.
    #[serde(default)]
    parameters: Vec<String>,
    /// `continuous`: every quarter of an hour or so; `daily`: means and sums of days. Default: `continuous`.
    #[serde(default)]
    values: Values,
    /// Which service is asked. Default: `ogc`; `nwis` is the older one.
    #[serde(default)]
    api: Service,
    /// Where the first run begins: `2025-01-01`. Default: seven days before the run. Later runs go on where the last one stopped.
    #[serde(default)]
    since: Option<String>,
    /// How far behind its newest value each location is asked again: values are provisional for weeks, and revised: `30d`.
    #[serde(default)]
    lookback: Option<String>,
    /// Another address of the service. Default: the Survey's.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// Saved answers of the service, of each stream (`stations`, `observations`) a file, a folder or a glob, absolute or relative to
    /// the project's folder.
    #[serde(default)]
    path: Option<BTreeMap<String, String>>,
}

/// How often values are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Values {
    /// As measured.
    #[default]
    Continuous,
    /// Of days.
    Daily,
}

/// Which service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Service {
    /// The OGC API.
    #[default]
    Ogc,
    /// Water Services.
    Nwis,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "usgs",
        "Water levels, flows and quality at the gauges of the U.S. Geological Survey.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("usgs/example.yaml"))
}

/// A question to either service that names sites.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let (api, parameter) = match url.host_str()? {
        "waterservices.usgs.gov" => ("nwis", "sites"),
        "api.waterdata.usgs.gov" => ("ogc", "monitoring_location_id"),
        _ => return None,
    };
    let sites = url
        .query_pairs()
        .find(|(key, _)| key == parameter)?
        .1
        .into_owned();
    let sites: Vec<&str> = sites
        .split(',')
        .map(|site| site.trim_start_matches("USGS-"))
        .collect();
    let is_daily = url.path().contains("/dv") || url.path().contains("/daily/");
    let values = if is_daily { "daily" } else { "continuous" };
    let settings = [
        ("sites", json!(sites)),
        ("values", values.into()),
        ("api", api.into()),
    ];
    Some(Claim::own(
        settings,
        "it is a water service of the U.S. Geological Survey",
    ))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let saved = match &settings.path {
        Some(paths) => {
            let given = [
                ("sites", !settings.sites.is_empty()),
                ("parameters", !settings.parameters.is_empty()),
                ("since", settings.since.is_some()),
                ("lookback", settings.lookback.is_some()),
                ("url", settings.url.is_some()),
            ];
            Saved::refuse_beside(&given)?;
            let paths = paths
                .iter()
                .map(|(stream, path)| (stream.as_str(), path.as_str()));
            Some(Saved::of(paths, &[STATIONS, OBSERVATIONS], context)?)
        }
        None if settings.sites.is_empty() => {
            return Err(SettingsError::new(Vec::new(), "`sites` is missing")
                .with_help("write numbers of monitoring locations in quotes, as in `sites: [\"01491000\"]`"));
        }
        None => None,
    };
    let is_number =
        |text: &&String| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(code) = settings.parameters.iter().find(|code| !is_number(code)) {
        let message = format!("{code:?} is no code of a parameter");
        return Err(SettingsError::of_key("parameters", message)
            .with_help("it has five digits, in quotes, as in \"00060\" for discharge"));
    }
    let marks = Incremental {
        start: settings.since,
        lookback: settings.lookback,
        ..Incremental::of(Kind::Time)
    };
    since::check(&marks)?;
    let url = settings.url.unwrap_or_else(|| {
        UrlSetting::new(match settings.api {
            Service::Ogc => OGC,
            Service::Nwis => NWIS,
        })
    });
    Ok(Arc::new(Usgs {
        url: url.resolve(&["url"], context)?,
        sites: settings.sites,
        parameters: settings.parameters,
        values: settings.values,
        api: settings.api,
        marks,
        saved,
    }))
}

struct Usgs {
    url: SourceUrl,
    sites: Vec<String>,
    parameters: Vec<String>,
    values: Values,
    api: Service,
    marks: Incremental,
    saved: Option<Saved>,
}

impl Usgs {
    fn observations(&self, partition: &str, io: &Io) -> Pager {
        let first = io.started_at() - FIRST_DAYS;
        let marks = Incremental {
            start: self.marks.start.clone().or(Some(first.to_rfc3339())),
            ..self.marks.clone()
        };
        match self.api {
            Service::Nwis => self.nwis(partition, marks),
            Service::Ogc => self.ogc(partition, marks),
        }
    }

    fn nwis(&self, site: &str, marks: Incremental) -> Pager {
        let (service, format) = match self.values {
            Values::Continuous => ("iv", "%Y-%m-%dT%H:%MZ"),
            Values::Daily => ("dv", "%Y-%m-%d"),
        };
        let parameters = self.parameters.join(",");
        let mut query = vec![("format", "json"), ("sites", site)];
        if !parameters.is_empty() {
            query.push(("parameterCd", &parameters));
        }
        let url = self.url.join(&[service, ""]).with_query(&query);
        Pager::new(url, None).since(Some(Incremental {
            parameter: Some("startDT".to_owned()),
            field: "value.timeSeries[*].values[*].value[*].dateTime"
                .parse()
                .ok(),
            format: Some(format.to_owned()),
            ..marks
        }))
    }

    /// `01491000/00060`, or the location alone: the API takes one parameter in a question.
    fn ogc(&self, partition: &str, marks: Incremental) -> Pager {
        let (site, parameter) = match partition.split_once('/') {
            Some((site, parameter)) => (site, Some(parameter)),
            None => (partition, None),
        };
        let collection = match self.values {
            Values::Continuous => "continuous",
            Values::Daily => "daily",
        };
        let site = format!("USGS-{site}");
        let mut query = vec![("f", "json"), ("monitoring_location_id", site.as_str())];
        query.extend(parameter.map(|code| ("parameter_code", code)));
        let url = self
            .url
            .join(&["collections", collection, "items"])
            .with_query(&query);
        let paging = Paging {
            next: "links[rel=next].href".parse().ok(),
            size: Some(10_000),
            records: "features".parse().ok(),
            ..Paging::of(Style::Next)
        };
        Pager::new(url, Some(paging)).since(Some(Incremental {
            parameter: Some("datetime".to_owned()),
            template: Some("{mark}/..".to_owned()),
            field: "features[*].properties.time".parse().ok(),
            ..marks
        }))
    }

    fn stations(&self, site: Option<&str>) -> Option<(Pager, &'static str)> {
        match (self.api, site) {
            (Service::Nwis, _) => {
                let sites = self.sites.join(",");
                let query = [
                    ("format", "rdb"),
                    ("siteStatus", "all"),
                    ("sites", sites.as_str()),
                ];
                let url = self.url.join(&["site", ""]).with_query(&query);
                Some((Pager::new(url, None), "site.rdb"))
            }
            (Service::Ogc, Some(site)) => {
                let id = format!("USGS-{site}");
                let url = self
                    .url
                    .join(&["collections", "monitoring-locations", "items", &id]);
                Some((
                    Pager::new(url.with_query(&[("f", "json")]), None),
                    "location.geojson",
                ))
            }
            (Service::Ogc, None) => None,
        }
    }
}

#[async_trait]
impl Connector for Usgs {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let (mut stations, mut observations) = match self.api {
            Service::Ogc => (
                stream(
                    STATIONS,
                    json!("geojson"),
                    include_str!("usgs/ogc_stations.sql"),
                ),
                stream(
                    OBSERVATIONS,
                    json!("geojson"),
                    include_str!("usgs/ogc_observations.sql"),
                ),
            ),
            Service::Nwis => (
                stream(
                    STATIONS,
                    json!({ "name": "csv", "delimiter": "\t", "comment": "#" }),
                    include_str!("usgs/nwis_stations.sql"),
                ),
                stream(
                    OBSERVATIONS,
                    json!({ "name": "json", "record_path": "value.timeSeries" }),
                    include_str!("usgs/nwis_observations.sql"),
                ),
            ),
        };
        stations.mappings[0].table = "environment.stations".to_owned();
        stations.mappings[0].load = "replace";
        if self.api == Service::Nwis {
            let names = ["agency_cd", "alt_va", "site_tp_cd"].map(str::to_owned);
            stations.mappings[0].columns = names.to_vec();
        } else {
            observations.columns = ["qualifier", "statistic_id"].map(str::to_owned).to_vec();
        }
        if self.saved.is_none() {
            observations.reads = self.marks.reads();
        }
        let mut streams = vec![stations, observations];
        if let Some(saved) = &self.saved {
            saved.keep(&mut streams);
        }
        Ok(streams)
    }

    async fn partitions(&self, unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        if self.saved.is_some() || (unit == STATIONS && self.api == Service::Nwis) {
            return Ok(Vec::new());
        }
        if unit == STATIONS || self.api == Service::Nwis || self.parameters.is_empty() {
            return Ok(self.sites.clone());
        }
        let of = |site: &String| {
            let name = |code: &String| format!("{site}/{code}");
            self.parameters.iter().map(name).collect::<Vec<_>>()
        };
        Ok(self.sites.iter().flat_map(of).collect())
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
        let asked = match (slice.unit, slice.partition) {
            (STATIONS, site) => self.stations(site),
            (_, Some(partition)) => Some((self.observations(partition, io), "values.json")),
            (_, None) => None,
        };
        match asked {
            Some((pager, name)) => pager.fetch(cursor, io, name, Request::get).await,
            None => Ok(None),
        }
    }
}

fn stream(name: &str, format: serde_json::Value, sql: &str) -> Stream {
    let mut stream = Stream::new(name, name);
    stream.format = Some(format);
    stream.mappings = vec![DefaultMapping::new(
        "environment.observations",
        "merge",
        sql,
    )];
    stream
}
