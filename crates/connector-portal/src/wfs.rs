//! `wfs`: feature types of an OGC Web Feature Service.
//!
//! Reference: OGC 09-025r2 (WFS 2.0.2), <https://docs.ogc.org/is/09-025r2/09-025r2.html>: capabilities in section 8, GetFeature in 11,
//! paging in 7.7.4. The service names fees and constraints in its capabilities.

mod capabilities;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::paging::{JsonPath, Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Registration,
    Request, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::ask;
use capabilities::{Capabilities, counted};

const FEATURES: u32 = 1000;

/// Settings of `wfs`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The service's address, without `service=WFS&request=…`.
    url: UrlSetting,
    /// The feature types, with their prefix: each is a stream. Default: all that the service has.
    #[serde(default)]
    types: Vec<String>,
    /// The version to speak: `2.0.0` or `1.1.0`; what is older than 2.0 cannot page. Default: `2.0.0`.
    #[serde(default)]
    version: Version,
    /// How features are sent. Default: `geojson` where the service offers it, else `gml`.
    #[serde(default)]
    format: Option<Format>,
    /// The reference system. Default: `urn:ogc:def:crs:EPSG::4326`, longitude and latitude.
    #[serde(default = "wgs84")]
    srs: String,
    /// Only features in this box: west, south, east, north in degrees.
    #[serde(default)]
    bbox: Option<[f64; 4]>,
    /// The property to sort by, for services whose pages otherwise overlap.
    #[serde(default)]
    sort_by: Option<String>,
    /// Further query parameters, such as GeoServer's `{ cql_filter: "status = 'open'" }`.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Features a page. Default: 1000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    page_size: Option<u32>,
}

/// The version to speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum Version {
    /// 2.0.
    #[default]
    #[serde(rename = "2.0.0")]
    Second,
    /// 1.1.
    #[serde(rename = "1.1.0")]
    First,
}

/// How features are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// GeoJSON.
    Geojson,
    /// GML, which every service has.
    Gml,
}

fn wgs84() -> String {
    "urn:ogc:def:crs:EPSG::4326".to_owned()
}

pub(crate) fn registration() -> Registration {
    Registration::of("wfs", "Feature types of an OGC Web Feature Service.", make)
        .over_http()
        .with_claims(claims)
        .with_example(include_str!("wfs/example.yaml"))
}

/// An address that asks for something of a WFS.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let mut url = sight.url()?;
    let asked: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let of = |name: &str| {
        let found = asked.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    };
    let is_asked = of("service").is_some_and(|it| it.eq_ignore_ascii_case("wfs"));
    let is_named = url
        .path()
        .to_ascii_lowercase()
        .trim_end_matches('/')
        .ends_with("/wfs");
    const OURS: [&str; 14] = [
        "service",
        "request",
        "version",
        "typename",
        "typenames",
        "outputformat",
        "srsname",
        "count",
        "startindex",
        "maxfeatures",
        "bbox",
        "resulttype",
        "propertyname",
        "acceptversions",
    ];
    let types = of("typeNames").or_else(|| of("typeName"));
    let kept = asked
        .into_iter()
        .filter(|(key, _)| !OURS.contains(&key.to_ascii_lowercase().as_str()));
    let kept: Vec<(String, String)> = kept.collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    (is_asked || is_named).then(|| {
        let mut settings = vec![("url", url.to_string().into())];
        settings.extend(types.map(|it| ("types", json!(it.split(',').collect::<Vec<_>>()))));
        Claim::open(settings, "its address is that of a Web Feature Service")
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    Ok(Arc::new(Wfs {
        url: settings.url.resolve(&["url"], context)?,
        size: settings.page_size.unwrap_or(FEATURES),
        settings: Asked {
            types: settings.types,
            version: settings.version,
            format: settings.format,
            srs: settings.srs,
            bbox: settings.bbox,
            sort_by: settings.sort_by,
            query: settings.query,
        },
        capabilities: OnceCell::new(),
    }))
}

/// What the pipeline file asks for.
struct Asked {
    types: Vec<String>,
    version: Version,
    format: Option<Format>,
    srs: String,
    bbox: Option<[f64; 4]>,
    sort_by: Option<String>,
    query: BTreeMap<String, String>,
}

struct Wfs {
    url: SourceUrl,
    settings: Asked,
    size: u32,
    capabilities: OnceCell<Capabilities>,
}

impl Wfs {
    async fn capabilities(&self, io: &Io) -> Result<&Capabilities, ConnectorError> {
        let found = self.capabilities.get_or_try_init(async || {
            let version = self.version();
            let pairs = [
                ("service", "WFS"),
                ("request", "GetCapabilities"),
                ("version", version),
            ];
            let request = Request::get(self.url.with_query(&pairs)).accept("application/xml");
            let (response, bytes) = ask::read(&request, io).await?;
            Capabilities::parse(&bytes).map_err(|error| error.at(&response.url))
        });
        found.await
    }

    fn version(&self) -> &'static str {
        match self.settings.version {
            Version::Second => "2.0.0",
            Version::First => "1.1.0",
        }
    }

    /// The format, and the service's own word for it.
    fn format(&self, capabilities: &Capabilities) -> (Format, Option<String>) {
        let json = capabilities.geojson();
        match (self.settings.format, json) {
            (Some(Format::Gml), _) | (None, None) => (Format::Gml, None),
            (Some(Format::Geojson), None) => (Format::Geojson, Some("application/json".to_owned())),
            (_, Some(word)) => (Format::Geojson, Some(word.to_owned())),
        }
    }

    fn pager(&self, kind: &str, capabilities: &Capabilities) -> Result<Pager, ConnectorError> {
        let (_, word) = self.format(capabilities);
        let asked = &self.settings;
        let is_second = asked.version == Version::Second;
        let mut pairs: Vec<(&str, String)> = vec![
            ("service", "WFS".to_owned()),
            ("version", self.version().to_owned()),
            ("request", "GetFeature".to_owned()),
            (
                if is_second { "typeNames" } else { "typeName" },
                kind.to_owned(),
            ),
            ("srsName", asked.srs.clone()),
        ];
        pairs.extend(word.map(|word| ("outputFormat", word)));
        pairs.extend(asked.sort_by.clone().map(|by| ("sortBy", by)));
        if let Some([west, south, east, north]) = asked.bbox {
            // Named as the register names it, so that latitude comes first.
            pairs.push((
                "bbox",
                format!("{south},{west},{north},{east},urn:ogc:def:crs:EPSG::4326"),
            ));
        }
        pairs.extend(
            asked
                .query
                .iter()
                .map(|(key, value)| (key.as_str(), value.clone())),
        );
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        let path = |text: &str| {
            let wrong =
                |_| ConnectorError::new(ErrorKind::Invalid, "internal: a path that is none");
            text.parse::<JsonPath>().map_err(wrong)
        };
        let paging = Paging {
            parameter: Some("startIndex".to_owned()),
            size_parameter: Some("count".to_owned()),
            size: Some(self.size),
            total: Some(path("numberMatched")?),
            ..Paging::of(Style::Offset)
        };
        let pages = is_second && capabilities.pages;
        Ok(Pager::new(
            self.url.with_query(&pairs),
            pages.then_some(paging),
        ))
    }
}

#[async_trait]
impl Connector for Wfs {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let capabilities = self.capabilities(io).await?;
        let names = match self.settings.types.is_empty() {
            true => &capabilities.types,
            false => &self.settings.types,
        };
        let format = match self.format(capabilities).0 {
            Format::Geojson => "geojson",
            Format::Gml => "gml",
        };
        let stream = |name: &String| {
            let mut stream = Stream::new(name.clone(), name.clone());
            stream.format = Some(json!(format));
            stream
        };
        Ok(names.iter().map(stream).collect())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let capabilities = self.capabilities(io).await?;
        let pager = self.pager(slice.unit, capabilities)?;
        let Some(page) = pager.page(cursor, io)? else {
            return Ok(None);
        };
        let (key, number) = (page.key(), page.number());
        let (response, bytes) = ask::read(&Request::get(page.url().clone()), io).await?;
        if self.format(capabilities).0 == Format::Geojson
            && bytes.trim_ascii_start().starts_with(b"<")
        {
            let message =
                "the service answers with XML, though it offers GeoJSON and was asked for it";
            return Err(ConnectorError::new(ErrorKind::Invalid, message)
                .at(&response.url)
                .with_help("write `format: gml`"));
        }
        let found = counted(&bytes).map_err(|error| error.at(&response.url))?;
        // What the pager reads is how many there are in all; what it compares is the page itself.
        let told =
            json!({ "numberMatched": found.matched, "page": String::from_utf8_lossy(&bytes) });
        let turn = page.turn_counted(
            &response.headers,
            told.to_string().as_bytes(),
            found.records,
        )?;
        let ending = match self.format(capabilities).0 {
            Format::Geojson => "geojson",
            Format::Gml => "gml",
        };
        let name = format!("features-{number}.{ending}");
        Ok(Some(Fetched::part(
            response.into_part(key, &name),
            turn.next,
        )))
    }
}

#[cfg(test)]
#[path = "wfs/tests.rs"]
mod tests;
