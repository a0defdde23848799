//! `sensorthings`: stations and observations of any service of the OGC SensorThings API, such as FROST.
//!
//! Reference: OGC SensorThings API Part 1: Sensing, version 1.1 (OGC 18-088), <https://docs.ogc.org/is/18-088/18-088.html>:
//! `$expand`, `$filter` and `$orderby` in 9.3.3, `@iot.nextLink` in 9.3.3.5. Each service names the licence of its data.
//!
//! Observations come datastream by datastream: a sensor that reports late is then asked from its own last observation on, not from
//! that of the quickest.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::{JsonPath, Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, Io, MakeContext,
    Registration, Request, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{ask, since};

const STATIONS: &str = "stations";
const OBSERVATIONS: &str = "observations";
/// What an observation does not say by itself: whose it is, of what, in which unit.
const EXPAND: &str =
    "Datastream($expand=Thing($select=id,name),ObservedProperty($select=name,definition))";

/// Settings of `sensorthings`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The service's address with its version: `https://sensors.example.org/FROST-Server/v1.1`.
    url: UrlSetting,
    /// Only things for which this holds, as an OData filter: `properties/city eq 'Hải Phòng'`.
    #[serde(default)]
    things: Option<String>,
    /// Only datastreams for which this holds: `ObservedProperty/name eq 'PM2.5'`, or `Thing/name eq 'Cầu Bính'`.
    #[serde(default)]
    datastreams: Option<String>,
    /// Where the first run begins: `2025-01-01`. Left out, it reads all. Later runs go on where the last one stopped.
    #[serde(default)]
    since: Option<String>,
    /// How far behind its newest observation each datastream is asked again, for late and corrected ones: `2d`.
    #[serde(default)]
    lookback: Option<String>,
    /// Entities a page; a service may send fewer. Default: 1000.
    #[serde(default)]
    #[schemars(range(min = 1))]
    page_size: Option<u32>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "sensorthings",
        "Stations and observations of a service of the OGC SensorThings API.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("sensorthings/example.yaml"))
}

/// An address of one of the standard's collections, or an answer that has its control information.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let steps = Sight::steps(&url);
    let version = steps
        .iter()
        .position(|step| matches!(*step, "v1.0" | "v1.1"))?;
    let names = [
        "Things",
        "Datastreams",
        "Observations",
        "Locations",
        "Sensors",
        "ObservedProperties",
    ];
    let is_collection = steps.get(version + 1).is_some_and(|step| {
        names
            .iter()
            .any(|name| step.split('(').next() == Some(name))
    });
    let holds = |text: &str| {
        let mut windows = sight.head.windows(text.len());
        windows.any(|window| window == text.as_bytes())
    };
    // The service's own address answers with the addresses of its collections.
    let is_root = steps.len() == version + 1
        && ["\"Things\"", "\"Datastreams\"", "\"Observations\""]
            .into_iter()
            .all(holds);
    (is_collection || is_root || holds("\"@iot.selfLink\"")).then(|| {
        let root = format!(
            "{}/{}",
            url.origin().ascii_serialization(),
            steps[..=version].join("/")
        );
        Claim::own(
            [("url", root.into())],
            "it is a service of the OGC SensorThings API",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let url = settings.url.resolve(&["url"], context)?;
    let marks = Incremental {
        parameter: Some("$filter".to_owned()),
        template: Some("phenomenonTime ge {mark}".to_owned()),
        field: "value[*].phenomenonTime".parse().ok(),
        start: settings.since,
        lookback: settings.lookback,
        ..Incremental::of(Kind::Time)
    };
    since::check(&marks)?;
    let with_filter = |url: SourceUrl, filter: Option<&str>| match filter {
        Some(filter) => url.with_query(&[("$filter", filter)]),
        None => url,
    };
    let things = url
        .join(&["Things"])
        .with_query(&[("$expand", "Locations")]);
    Ok(Arc::new(SensorThings {
        things: with_filter(things, settings.things.as_deref()),
        datastreams: with_filter(url.join(&["Datastreams"]), settings.datastreams.as_deref()),
        url,
        marks,
        page_size: settings.page_size.unwrap_or(1000),
    }))
}

struct SensorThings {
    url: SourceUrl,
    things: SourceUrl,
    datastreams: SourceUrl,
    marks: Incremental,
    page_size: u32,
}

impl SensorThings {
    fn pager(&self, url: SourceUrl) -> Pager {
        let paging = Paging {
            next: "['@iot.nextLink']".parse().ok(),
            size: Some(self.page_size),
            size_parameter: Some("$top".to_owned()),
            records: "value".parse().ok(),
            ..Paging::of(Style::Next)
        };
        Pager::new(url, Some(paging))
    }

    /// `12`, or `'a''b'`, as an entity's id stands in an address.
    async fn ids(&self, io: &Io) -> Result<Vec<String>, ConnectorError> {
        let place = self.datastreams.to_string();
        let path: JsonPath = "value[*]['@iot.id']"
            .parse()
            .map_err(|error| ConnectorError::new(ErrorKind::Invalid, format!("{error}")))?;
        let pager = self.pager(self.datastreams.clone());
        let (mut ids, mut cursor) = (Vec::new(), None);
        while let Some(page) = pager.page(cursor.as_ref(), io)? {
            let request = Request::get(page.url().clone()).accept("application/json");
            let (answer, bytes) = ask::read(&request, io).await?;
            let found = path.read(&bytes).map_err(|error| {
                let message = format!("is no answer of a SensorThings service: {error}");
                ConnectorError::new(ErrorKind::Invalid, message)
                    .at(&place)
                    .with_help(
                        "`url` is the service's root with its version, such as https://…/v1.1",
                    )
            })?;
            ids.extend(found.iter().filter_map(quoted));
            cursor = page.turn(&answer.headers, &bytes)?.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(ids)
    }
}

fn quoted(id: &Value) -> Option<String> {
    match id {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(format!("'{}'", text.replace('\'', "''"))),
        _ => None,
    }
}

#[async_trait]
impl Connector for SensorThings {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stations = stream(STATIONS, &["@iot.id", "name", "description", "Locations"]);
        let sql = include_str!("sensorthings/stations.sql");
        stations.mappings = vec![DefaultMapping::new("environment.stations", "replace", sql)];
        let columns = ["phenomenonTime", "result", "resultQuality", "Datastream"];
        let mut observations = stream(OBSERVATIONS, &columns);
        let sql = include_str!("sensorthings/observations.sql");
        observations.mappings = vec![DefaultMapping::new(
            "environment.observations",
            "merge",
            sql,
        )];
        observations.reads = self.marks.reads();
        Ok(vec![stations, observations])
    }

    async fn partitions(&self, unit: &str, io: &Io) -> Result<Vec<String>, ConnectorError> {
        match unit {
            OBSERVATIONS => self.ids(io).await,
            _ => Ok(Vec::new()),
        }
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let (pager, name) = match (slice.unit, slice.partition) {
            (STATIONS, _) => (self.pager(self.things.clone()), "things.json"),
            (_, Some(id)) => {
                let url = self
                    .url
                    .join(&[&format!("Datastreams({id})"), "Observations"])
                    .with_query(&[("$expand", EXPAND), ("$orderby", "phenomenonTime asc")]);
                let pager = self.pager(url).since(Some(self.marks.clone()));
                (pager, "observations.json")
            }
            // No datastream, no observations.
            (_, None) => return Ok(None),
        };
        let request = |url| Request::get(url).accept("application/json");
        pager.fetch(cursor, io, name, request).await
    }
}

/// A service leaves out what is empty.
fn stream(name: &str, columns: &[&str]) -> Stream {
    let mut stream = Stream::new(name, name);
    stream.format = Some(json!({ "name": "json", "record_path": "value" }));
    stream.columns = columns.iter().map(|&column| column.to_owned()).collect();
    stream
}
