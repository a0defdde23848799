//! `giga`: schools of the world as points, from Giga Maps of UNICEF and ITU.
//!
//! Reference: the School Location API, <https://maps.giga.global/docs/explore-api>, and the programs that read it,
//! <https://github.com/unicef/giga-maps-api>; licence ODbL 1.0, free after registration. A country is a partition. Behind the last page the
//! API answers 404.

mod countries;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::paging::{Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, Io, MakeContext,
    Registration, Request, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

use countries::COUNTRIES;

const API: &str = "https://uni-ooi-giga-maps-service.azurewebsites.net/api/v1";
const SCHOOLS: &str = "schools";
/// What the API knows, and leaves out of some countries' records.
const COLUMNS: &[&str] = &[
    "school_id_govt",
    "education_level",
    "admin1",
    "admin2",
    "country_iso3_code",
];

/// Settings of `giga`. The key goes into `auth: { bearer: "${env:GIGA_KEY}" }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Countries by ISO 3166-1 alpha-3 code, such as `[VNM, LAO]`.
    countries: Vec<String>,
    /// Schools a page, at most 1000. Default: 1000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    page_size: Option<u32>,
    /// The API. Default: `https://uni-ooi-giga-maps-service.azurewebsites.net/api/v1`.
    #[serde(default)]
    url: Option<UrlSetting>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "giga",
        "Schools of a country as points, from Giga Maps of UNICEF and ITU.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("giga/example.yaml"))
}

/// A country's address at the API.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let (_, country) = url.path().split_once("/schools_location/country/")?;
    let country = country.split('/').next()?.to_owned();
    let settings = [
        ("countries", json!([country])),
        ("auth", json!({ "bearer": "${env:GIGA_KEY}" })),
    ];
    Some(Claim::own(
        settings,
        "it is the School Location API of Giga",
    ))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let mut countries = settings.countries;
    countries
        .iter_mut()
        .for_each(|code| code.make_ascii_uppercase());
    let is_code = |code: &&String| COUNTRIES.contains(&format!("|{code}="));
    if let Some(wrong) = countries
        .iter()
        .find(|code| code.len() != 3 || !is_code(code))
    {
        let message = format!("{wrong:?} is no country's code");
        return Err(SettingsError::of_key("countries", message)
            .with_help("write three letters of ISO 3166-1, as in VNM"));
    }
    if countries.is_empty() {
        return Err(SettingsError::of_key("countries", "names no country")
            .with_help("write `countries: [VNM]`"));
    }
    let url = settings.url.unwrap_or_else(|| UrlSetting::new(API));
    Ok(Arc::new(Giga {
        url: url.resolve(&["url"], context)?,
        countries,
        page_size: settings.page_size.unwrap_or(1000),
    }))
}

struct Giga {
    url: SourceUrl,
    countries: Vec<String>,
    page_size: u32,
}

#[async_trait]
impl Connector for Giga {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stream = Stream::new(SCHOOLS, SCHOOLS);
        stream.format = Some(json!({ "name": "json", "record_path": "data" }));
        let sql = include_str!("giga/schools.sql");
        stream.mappings = vec![
            DefaultMapping::new("education.schools", "replace", sql)
                .with_columns(COLUMNS)
                .with_parameter("countries", COUNTRIES),
        ];
        Ok(vec![stream])
    }

    async fn partitions(&self, _unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        Ok(self.countries.clone())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let Some(country) = slice.partition else {
            return Ok(None);
        };
        let paging = Paging {
            size: Some(self.page_size),
            size_parameter: Some("size".to_owned()),
            records: "data".parse().ok(),
            ..Paging::of(Style::Page)
        };
        let url = self.url.join(&["schools_location", "country", country]);
        let pager = Pager::new(url, Some(paging));
        let name = format!("{country}.json");
        let request = |url| Request::get(url).accept("application/json");
        match pager.fetch(cursor, io, &name, request).await {
            // A last page that is full has none behind it.
            Err(error) if error.kind == ErrorKind::NotFound && cursor.is_some() => Ok(None),
            fetched => fetched,
        }
    }
}
