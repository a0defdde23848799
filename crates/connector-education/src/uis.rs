//! `uis`: indicators of the UNESCO Institute for Statistics, from its API or its exports.
//!
//! Reference: <https://api.uis.unesco.org/api/public/documentation/>; licence CC BY-SA 4.0, as the README of
//! each export says. Its records tell an indicator's code, but neither its name nor its unit.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::paging::Pager;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext, Origin,
    OriginSettings, Registration, Request, SettingsError, Sight, Slice, SourceUrl, Stream,
    UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

use crate::indicators::{Indicator, by_code};

const API: &str = "https://api.uis.unesco.org/api/public";
const STREAM: &str = "indicators";

/// Settings of `uis`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The indicators, by code, and what their records leave unsaid. Codes are listed at <https://databrowser.uis.unesco.org/>.
    indicators: BTreeMap<String, Indicator>,
    /// Countries by ISO 3166-1 alpha-3 code, or regions. Default: all. Without effect on saved exports.
    #[serde(default)]
    geo_units: Vec<String>,
    /// First year. Default: the first there is. Without effect on saved exports.
    #[serde(default)]
    start: Option<u16>,
    /// Last year. Default: the last there is. Without effect on saved exports.
    #[serde(default)]
    end: Option<u16>,
    /// Saved exports (JSON) instead of the API: a file, a folder or a glob, absolute or relative to the project's folder.
    #[serde(default)]
    path: Option<String>,
    /// The API. Default: `https://api.uis.unesco.org/api/public`.
    #[serde(default)]
    url: Option<UrlSetting>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "uis",
        "Education indicators of the UNESCO Institute for Statistics.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("uis/example.yaml"))
}

/// A question to the API that names an indicator. Its unit is not known: it is left out, and validating says so.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let is_ours = url.host_str() == Some("api.uis.unesco.org");
    let named = url.query_pairs().filter(|(key, _)| key == "indicator");
    let named: serde_json::Map<String, serde_json::Value> = named
        .map(|(_, code)| (code.into_owned(), json!({})))
        .collect();
    (is_ours && !named.is_empty()).then(|| {
        Claim::own(
            [("indicators", named.into())],
            "api.uis.unesco.org is the API of UNESCO's institute",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    if settings.indicators.is_empty() {
        return Err(SettingsError::of_key("indicators", "names no indicator")
            .with_help("write a code with its unit: ROFST.1T3.GPIA.CP: { unit: \"1\" }"));
    }
    let source = match (&settings.path, &settings.url) {
        (Some(_), Some(_)) => {
            return Err(SettingsError::of_key("url", "stands beside `path`")
                .with_help("leave one of them out"));
        }
        (Some(path), None) => {
            let origin = OriginSettings {
                path: Some(path),
                ..OriginSettings::default()
            };
            Source::Saved(Origin::of(origin, context)?)
        }
        (None, url) => {
            let url = url.clone().unwrap_or_else(|| UrlSetting::new(API));
            Source::Api(url.resolve(&["url"], context)?)
        }
    };
    Ok(Arc::new(Uis { source, settings }))
}

struct Uis {
    source: Source,
    settings: Settings,
}

enum Source {
    Api(SourceUrl),
    Saved(Origin),
}

impl Uis {
    /// A question an indicator, so that each answer stays below the API's bound of 100 000 records.
    fn question(&self, url: &SourceUrl, code: &str) -> SourceUrl {
        let settings = &self.settings;
        let years = [("start", settings.start), ("end", settings.end)];
        let years: Vec<(&str, String)> = years
            .into_iter()
            .filter_map(|(name, year)| Some((name, year?.to_string())))
            .collect();
        let mut query = vec![("indicator", code)];
        query.extend(
            settings
                .geo_units
                .iter()
                .map(|unit| ("geoUnit", unit.as_str())),
        );
        query.extend(years.iter().map(|(name, year)| (*name, year.as_str())));
        url.join(&["data", "indicators"]).with_query(&query)
    }
}

#[async_trait]
impl Connector for Uis {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        Ok(vec![stream(&self.settings.indicators)])
    }

    async fn partitions(&self, _unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        match self.source {
            Source::Api(_) => Ok(self.settings.indicators.keys().cloned().collect()),
            Source::Saved(_) => Ok(Vec::new()),
        }
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match (&self.source, slice.partition) {
            (Source::Saved(origin), _) => origin.fetch(cursor, io).await,
            (Source::Api(url), Some(code)) => {
                let pager = Pager::new(self.question(url, code), None);
                pager
                    .fetch(cursor, io, &format!("{code}.json"), Request::get)
                    .await
            }
            (Source::Api(_), None) => Ok(None),
        }
    }
}

fn stream(indicators: &BTreeMap<String, Indicator>) -> Stream {
    let mut stream = Stream::new(STREAM, STREAM);
    stream.format = Some(json!({ "name": "json", "record_path": "records" }));
    let sql = include_str!("uis/indicators.sql");
    stream.mappings = vec![
        DefaultMapping::new("common.indicators", "replace", sql)
            .with_columns(&["magnitude", "qualifier"])
            .with_parameter(
                "units",
                by_code(indicators, |indicator| Some(&indicator.unit)),
            )
            .with_parameter(
                "names",
                by_code(indicators, |indicator| indicator.name.as_ref()),
            ),
    ];
    stream
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;

    use sectorlake_connector::kit::{Abilities, Exchange, Subject, TestPace, check};
    use sectorlake_connector::{Http, kit};

    use super::*;

    fn project() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
        let context = MakeContext::new(project(), "demo", |_| None);
        registration().make(settings.as_object().unwrap().clone(), &context)
    }

    #[tokio::test]
    async fn passes_the_kit() {
        let export = std::fs::read(project().join("tests/data/education").join(EXPORT)).unwrap();
        let subject = Subject {
            make: &|server| {
                make_at(json!({
                    "url": server, "geo_units": ["THA", "LAO"], "start": 2010,
                    "indicators": { "CR.1": {"unit": "%"}, "ROFST.1T3.GPIA.CP": {"unit": "1"} },
                }))
            },
            recording: vec![
                Exchange::new("/data/indicators?indicator=CR.1&geoUnit=THA&geoUnit=LAO&start=2010", "{\"records\":[]}")
                    .with_etag("\"1\""),
                Exchange::new(
                    "/data/indicators?indicator=ROFST.1T3.GPIA.CP&geoUnit=THA&geoUnit=LAO&start=2010",
                    export,
                )
                .with_etag("\"2\""),
            ],
            abilities: Abilities { conditional: true, ..Abilities::default() },
            secrets: &[],
        };
        assert_eq!(check(&subject).await, [""; 0]);
    }

    const EXPORT: &str = "uis_out_of_school_parity_index.json";

    #[tokio::test]
    async fn saved_exports_and_what_they_leave_unsaid() {
        let source = make_at(json!({
            "path": format!("tests/data/education/{EXPORT}"),
            "indicators": { "CR.1": {"unit": "%", "name": "a|b"}, "ROFST.1T3.GPIA.CP": {"unit": "1"} },
        }))
        .unwrap();
        let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
        let io = Io::new(http, chrono::DateTime::UNIX_EPOCH);
        let streams = source.streams(&io).await.unwrap();
        let parameters = &streams[0].mappings[0].parameters;
        assert_eq!(parameters["units"], "|CR.1=%|ROFST.1T3.GPIA.CP=1|");
        assert_eq!(parameters["names"], "|CR.1=a/b|");
        let fetched = source
            .fetch(Slice::whole(STREAM), None, &io)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(fetched.part.unwrap().name, EXPORT);
    }

    #[test]
    fn settings_are_checked() {
        let say = |settings: serde_json::Value| {
            let error = make_at(settings).err().unwrap();
            format!("{error} / {}", error.help.as_deref().unwrap_or("-"))
        };
        let said = [
            say(json!({})),
            say(json!({"indicators": {}})),
            say(json!({"indicators": {"CR.1": {}}})),
            say(json!({"indicators": ["CR.1"]})),
            say(
                json!({"indicators": {"CR.1": {"unit": "%"}}, "path": "a", "url": "https://example.org"}),
            ),
            say(json!({"indicators": {"CR.1": {"unit": "%"}}, "geo_unit": ["VNM"]})),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        `indicators` is missing / indicators: The indicators, by code, and what their records leave unsaid.
        indicators: names no indicator / write a code with its unit: ROFST.1T3.GPIA.CP: { unit: "1" }
        indicators.CR.1: `unit` is missing / unit: Its unit as a UCUM code: `%`, `{person}`, `1` for an index or a ratio.
        indicators: must be keys with values, not a list / -
        url: stands beside `path` / leave one of them out
        geo_unit: unknown setting / did you mean `geo_units`?
        "#);
    }
}
