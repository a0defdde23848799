//! `worldbank`: the World Bank's indicators, of education or anything else, country by country and year by year.
//!
//! Reference: Indicators API v2, <https://datahelpdesk.worldbank.org/knowledgebase/articles/889392-about-the-indicators-api-documentation>;
//! licence CC BY 4.0 unless an indicator names its own. An answer is a list of two: what is said of the pages, and the records. What the
//! API cannot answer comes as 200 with a message.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::paging::{JsonPath, Pager, Paging, Style};
use sectorlake_connector::{
    Answer, Claim, Connector, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, Io,
    MakeContext, Registration, Request, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::indicators::{Indicator, by_code};

const API: &str = "https://api.worldbank.org/v2";
const INDICATORS: &str = "indicators";
const PAGE_BYTES_MAX: usize = 64 << 20;

/// Settings of `worldbank`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The indicators, by code, and their units, which their records leave unsaid. Codes are listed at
    /// <https://data.worldbank.org/indicator>.
    indicators: BTreeMap<String, Indicator>,
    /// Countries by ISO 3166-1 alpha-3 code, or the Bank's own regions. Default: all.
    #[serde(default)]
    countries: Vec<String>,
    /// First year. Default: the first there is.
    #[serde(default)]
    start: Option<u16>,
    /// Last year. Default: the last there is.
    #[serde(default)]
    end: Option<u16>,
    /// The database, by its number, where an indicator is in several. Default: the API's own choice.
    #[serde(default)]
    database: Option<u16>,
    /// Records a page. Default: 5000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 32500))]
    page_size: Option<u32>,
    /// The API. Default: `https://api.worldbank.org/v2`.
    #[serde(default)]
    url: Option<UrlSetting>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "worldbank",
        "Indicators of the World Bank, by country and year.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("worldbank/example.yaml"))
}

/// A question to the API, or an indicator's page. Its unit is not known: it is left out, and validating says so.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let host = url.host_str()?;
    let steps = Sight::steps(&url);
    let at = steps.iter().position(|step| *step == "indicator")?;
    let code = steps.get(at + 1)?.split(';').next()?;
    let units: Map<String, Value> = Map::from_iter([(code.to_owned(), json!({}))]);
    let mut settings = vec![("indicators", units.into())];
    match (host, steps.get(..at)) {
        ("api.worldbank.org", Some([.., "country", countries])) if *countries != "all" => {
            let countries: Vec<&str> = countries.split(';').collect();
            settings.push(("countries", json!(countries)));
        }
        ("api.worldbank.org" | "data.worldbank.org", _) => {}
        _ => return None,
    }
    Some(Claim::own(settings, "it is an indicator of the World Bank"))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    if settings.indicators.is_empty() {
        return Err(SettingsError::of_key("indicators", "names no indicator")
            .with_help("write a code with its unit: SE.PRM.ENRR: { unit: \"%\" }"));
    }
    if let (Some(start), Some(end)) = (settings.start, settings.end)
        && start > end
    {
        return Err(SettingsError::of_key(
            "end",
            format!("lies before `start`, {start}"),
        ));
    }
    let url = settings.url.clone().unwrap_or_else(|| UrlSetting::new(API));
    Ok(Arc::new(WorldBank {
        url: url.resolve(&["url"], context)?,
        settings,
    }))
}

struct WorldBank {
    url: SourceUrl,
    settings: Settings,
}

impl WorldBank {
    fn pager(&self, code: &str) -> Pager {
        let settings = &self.settings;
        let countries = match settings.countries.is_empty() {
            true => "all".to_owned(),
            false => settings.countries.join(";"),
        };
        // Both ends must be there.
        let years = (settings.start.is_some() || settings.end.is_some()).then(|| {
            format!(
                "{}:{}",
                settings.start.unwrap_or(1900),
                settings.end.unwrap_or(2100)
            )
        });
        let database = settings.database.map(|number| number.to_string());
        let mut query = vec![("format", "json")];
        query.extend(years.as_deref().map(|years| ("date", years)));
        query.extend(database.as_deref().map(|number| ("source", number)));
        let url = self.url.join(&["country", &countries, "indicator", code]);
        let paging = Paging {
            size: Some(settings.page_size.unwrap_or(5000)),
            size_parameter: Some("per_page".to_owned()),
            records: "[1]".parse().ok(),
            pages: "[0].pages".parse().ok(),
            ..Paging::of(Style::Page)
        };
        Pager::new(url.with_query(&query), Some(paging))
    }
}

/// What an answer says in place of records.
fn complaint(bytes: &[u8]) -> Option<String> {
    let path: JsonPath = "[0].message[0].value".parse().ok()?;
    let found = path.read(bytes).ok()?;
    Some(found.first()?.as_str()?.to_owned())
}

#[async_trait]
impl Connector for WorldBank {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stream = Stream::new(INDICATORS, INDICATORS);
        stream.format = Some(json!({ "name": "json", "record_path": "1" }));
        let known = &self.settings.indicators;
        let units = by_code(known, |indicator| Some(&indicator.unit));
        let names = by_code(known, |indicator| indicator.name.as_ref());
        let sql = include_str!("worldbank/indicators.sql");
        stream.mappings = vec![
            DefaultMapping::new("common.indicators", "replace", sql)
                .with_columns(&["countryiso3code", "obs_status"])
                .with_parameter("units", units)
                .with_parameter("names", names),
        ];
        Ok(vec![stream])
    }

    async fn partitions(&self, _unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        Ok(self.settings.indicators.keys().cloned().collect())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let Some(code) = slice.partition else {
            return Ok(None);
        };
        let pager = self.pager(code);
        let Some(page) = pager.page(cursor, io)? else {
            return Ok(None);
        };
        let (key, number) = (page.key(), page.number());
        let Answer::Fresh(answer) = io.http().get(&Request::get(page.url().clone())).await? else {
            return Ok(Some(Fetched::unchanged(key, None)));
        };
        let (answer, bytes) = answer.read(PAGE_BYTES_MAX).await?;
        if let Some(message) = complaint(&bytes) {
            return Err(ConnectorError::new(
                ErrorKind::Invalid,
                format!("the World Bank says of {code}: {message}"),
            )
            .at(page.url())
            .with_help("look for the code at https://data.worldbank.org/indicator, and for the country's among its pages"));
        }
        let next = page.turn(&answer.headers, &bytes)?.next;
        let name = format!("{code}-{number}.json");
        Ok(Some(Fetched::part(answer.into_part(key, &name), next)))
    }
}
