//! `sdmx`: a dataflow of an SDMX REST service: OECD, Eurostat, UNESCO UIS, ILO, World Bank, statistics offices.
//!
//! Reference: SDMX RESTful API 1.5 (for SDMX 2.1) and 2.x (for SDMX 3.0), <https://github.com/sdmx-twg/sdmx-rest>; SDMX-CSV at
//! <https://github.com/sdmx-twg/sdmx-csv>, SDMX-JSON at <https://github.com/sdmx-twg/sdmx-json>. Each service names its terms; those of
//! the OECD, Eurostat and ILO are CC BY 4.0.
//!
//! Where the settings leave out which dimensions tell observations apart, the service is asked for the dataflow's data structure
//! definition: a dimension that nobody names would let observations take one another's place.

mod mapping;
pub(crate) mod structure;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::Pager;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, Io, MakeContext,
    OneOrMany, Registration, Request, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::ask;
use structure::Structures;

/// Settings of `sdmx`. A key of the service goes into `headers` or `auth`, as UNESCO's `Ocp-Apim-Subscription-Key`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The service, the address before `/data`: `https://sdmx.oecd.org/public/rest`.
    url: UrlSetting,
    /// The dataflow: `AGENCY,ID,VERSION`, or its id alone where the service allows it.
    flow: String,
    /// Which series: a code or none for each dimension, with dots between them, `A.VNM..T`. `all` for all. Of several each is a
    /// partition, fetched by itself. Default: all.
    #[serde(default)]
    key: Option<OneOrMany<String>>,
    /// The first period: `2015`, `2020-Q1`. Default: the first there is.
    #[serde(default)]
    start: Option<String>,
    /// The last period. Default: the last there is.
    #[serde(default)]
    end: Option<String>,
    /// The version of the API: `2.1` or `3.0`. Default: `2.1`, which all services have.
    #[serde(default)]
    api: Api,
    /// How observations are sent: `csv` (SDMX-CSV, of any size) or `json` (SDMX-JSON, with the meanings of codes). Default: csv.
    #[serde(default)]
    format: Format,
    /// Further query parameters, such as Eurostat's `{ format: SDMX-CSV }`.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Later runs ask for observations updated since the last one (`updatedAfter`); `{}` is enough. Take `load: merge` with it.
    #[serde(default)]
    incremental: Option<IncrementalSettings>,
    /// How observations become rows of `common.indicators`.
    #[serde(default)]
    indicators: mapping::Indicators,
}

/// The version of the API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum Api {
    /// SDMX 2.1.
    #[default]
    #[serde(rename = "2.1")]
    Second,
    /// SDMX 3.0.
    #[serde(rename = "3.0")]
    Third,
}

/// How observations are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// SDMX-CSV.
    #[default]
    Csv,
    /// SDMX-JSON.
    Json,
}

/// How later runs go on.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IncrementalSettings {
    /// Where the first run starts: `2025-01-01`. Left out, it reads all.
    #[serde(default)]
    start: Option<String>,
    /// How far behind the last run each run asks again: `7d`.
    #[serde(default)]
    lookback: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "sdmx",
        "A dataflow of an SDMX service: OECD, Eurostat, UNESCO UIS, ILO, statistics offices.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("sdmx/example.yaml"))
}

/// `…/rest/data/FLOW/KEY` of version 2.1, or `…/data/dataflow/AGENCY/ID/VERSION/KEY` of version 3.0.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let mut url = sight.url()?;
    let path = url.path().to_owned();
    let (root, rest) = path.split_once("/data/")?;
    let steps: Vec<String> = rest
        .split('/')
        .filter(|step| !step.is_empty())
        .map(|step| step.replace("%2C", ",").replace("%40", "@"))
        .collect();
    let (flow, key, api) = match steps.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["dataflow", agency, id, version] => (format!("{agency},{id},{version}"), None, "3.0"),
        ["dataflow", agency, id, version, key] => (
            format!("{agency},{id},{version}"),
            Some(key.to_owned()),
            "3.0",
        ),
        [flow] => (flow.to_owned(), None, "2.1"),
        [flow, key] | [flow, key, _] => (flow.to_owned(), Some(key.to_owned()), "2.1"),
        _ => return None,
    };
    let is_service = ["/rest", "/sdmx", "/rest/v2"]
        .iter()
        .any(|end| root.ends_with(end))
        || root.to_ascii_lowercase().contains("/sdmx")
        // No other kind of service names what it has by agency, id and version.
        || flow.matches(',').count() == 2;
    let asked: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    url.set_path(root);
    url.set_query(None);
    is_service.then(|| {
        let mut settings = vec![("url", json!(url.as_str())), ("flow", json!(flow))];
        settings.extend(
            key.filter(|key| key != "all" && key != "*")
                .map(|key| ("key", json!(key))),
        );
        settings.extend(asked.get("startPeriod").map(|it| ("start", json!(it))));
        settings.extend(asked.get("endPeriod").map(|it| ("end", json!(it))));
        settings.extend((api == "3.0").then(|| ("api", json!(api))));
        // Eurostat sends XML, whatever the request accepts.
        let is_eurostat = url.host_str() == Some("ec.europa.eu");
        settings.extend(is_eurostat.then(|| ("query", json!({ "format": "SDMX-CSV" }))));
        Claim::own(settings, "its address is that of data of an SDMX service")
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let flow: Vec<String> = settings.flow.split(',').map(str::to_owned).collect();
    let is_step = |text: &String| !text.is_empty() && !text.contains(['/', '?', '#', ' ']);
    if flow.len() > 3 || !flow.iter().all(is_step) {
        let message = format!("{:?} is no dataflow", settings.flow);
        return Err(SettingsError::of_key("flow", message).with_help(
            "write its agency, id and version, as in `OECD.EDU.IMEP,DSD_EAG@DF_EAG,1.0`",
        ));
    }
    if settings.api == Api::Third && flow.len() < 3 {
        let message = format!("{:?} lacks its agency or version", settings.flow);
        return Err(SettingsError::of_key("flow", message).with_help(
            "the address of version 3.0 needs both: AGENCY,ID,VERSION; `*` for any version",
        ));
    }
    let incremental = settings.incremental.as_ref();
    let incremental = incremental.map(|it| {
        let marks = Incremental {
            parameter: Some("updatedAfter".to_owned()),
            start: it.start.clone(),
            lookback: it.lookback.clone(),
            ..Incremental::of(Kind::Time)
        };
        marks.check("incremental").map(|()| marks)
    });
    let keys = match settings.key {
        None => vec!["all".to_owned()],
        Some(OneOrMany::One(key)) => vec![key],
        Some(OneOrMany::Many(keys)) => keys,
    };
    if settings.api == Api::Third
        && let Some(wrong) = keys.iter().find(|key| key.contains('+'))
    {
        let message = format!("{wrong:?} has `+`, which version 3.0 does not know in a key");
        return Err(SettingsError::of_key("key", message).with_help(
            "write several keys in a list, or leave the dimension empty and write its codes in `query: { \"c[REF_AREA]\": \"VNM,THA\" }`",
        ));
    }
    if let Some(wrong) = keys.iter().find(|key| !is_step(key)) {
        let help = "write a code or nothing for each dimension, as in `A.VNM..T`";
        return Err(SettingsError::of_key("key", format!("{wrong:?} is no key")).with_help(help));
    }
    settings.indicators.check()?;
    Ok(Arc::new(Sdmx {
        url: settings.url.resolve(&["url"], context)?,
        flow,
        keys,
        periods: (settings.start, settings.end),
        api: settings.api,
        format: settings.format,
        query: settings.query,
        incremental: incremental.transpose()?,
        indicators: settings.indicators,
        mapping: OnceCell::new(),
    }))
}

/// A key as version 3.0 writes it: `*` for each dimension without a code.
fn starred(key: &str) -> String {
    if key == "all" {
        return "*".to_owned();
    }
    let codes = key
        .split('.')
        .map(|code| if code.is_empty() { "*" } else { code });
    codes.collect::<Vec<_>>().join(".")
}

/// What to do where a service does not tell what a dataflow's data are made of.
const HELP: &str = "write the dimensions yourself, as in `indicators: { dimensions: [SEX, AGE] }`: then it is not asked for";

struct Sdmx {
    url: SourceUrl,
    flow: Vec<String>,
    keys: Vec<String>,
    periods: (Option<String>, Option<String>),
    api: Api,
    format: Format,
    query: BTreeMap<String, String>,
    incremental: Option<Incremental>,
    indicators: mapping::Indicators,
    mapping: OnceCell<DefaultMapping>,
}

impl Sdmx {
    fn accept(&self) -> &'static str {
        match (self.format, self.api) {
            (Format::Csv, Api::Second) => "application/vnd.sdmx.data+csv;version=1.0.0;labels=id",
            (Format::Csv, Api::Third) => "application/vnd.sdmx.data+csv;version=2.0.0;labels=id",
            (Format::Json, Api::Second) => "application/vnd.sdmx.data+json;version=1.0.0",
            (Format::Json, Api::Third) => "application/vnd.sdmx.data+json;version=2.0.0",
        }
    }

    /// What the service tells of the dataflow and of its structure.
    fn structure(&self) -> Request {
        let of = |index: usize| self.flow.get(index).map(String::as_str);
        let children = [("references", "children")];
        match (self.api, self.flow.as_slice()) {
            (Api::Third, flow) => {
                let mut steps = vec!["structure", "dataflow"];
                steps.extend(flow.iter().map(String::as_str));
                let url = self.url.join(&steps).with_query(&children);
                Request::get(url).accept("application/vnd.sdmx.structure+json;version=2.0.0")
            }
            (Api::Second, flow) => {
                // Its id alone names a dataflow of whatever agency.
                let (agency, id) = match flow {
                    [id] => ("all", id.as_str()),
                    _ => (of(0).unwrap_or("all"), of(1).unwrap_or_default()),
                };
                let steps = ["dataflow", agency, id, of(2).unwrap_or("latest")];
                let url = self.url.join(&steps).with_query(&children);
                Request::get(url).accept("application/vnd.sdmx.structure+xml;version=2.1")
            }
        }
    }

    /// The default mapping; the service is asked where the settings leave out what it depends on.
    async fn mapping(&self, io: &Io) -> Result<&DefaultMapping, ConnectorError> {
        let flow = self.flow.join(",");
        let made = self.mapping.get_or_try_init(async || {
            if !self.indicators.asks() {
                return self.indicators.mapping(&flow, None, self.format);
            }
            let mended = |error: ConnectorError| match error.kind {
                ErrorKind::NotFound | ErrorKind::Refused => error.with_help(format!(
                    "is `flow` right? `sectorlake discover` with the service's address lists its dataflows; else {HELP}"
                )),
                _ if error.help.is_none() => error.with_help(HELP),
                _ => error,
            };
            let request = self.structure();
            let (response, bytes) = ask::read(&request, io).await.map_err(mended)?;
            let none = || {
                let message = "is no structure message that tells what the dataflow's data are made of";
                ConnectorError::new(ErrorKind::Invalid, message).with_help(HELP)
            };
            let told = Structures::parse(&bytes).and_then(|told| told.ok_or_else(none));
            let mapping = told.and_then(|told| {
                let first = told.first().ok_or_else(none)?;
                self.indicators.mapping(&flow, Some(first), self.format)
            });
            mapping.map_err(|error| mended(error).at(&response.url))
        });
        made.await
    }

    fn pager(&self, key: &str) -> Pager {
        let (start, end) = (self.periods.0.as_deref(), self.periods.1.as_deref());
        let mut pairs: Vec<(&str, String)> = Vec::new();
        let url = match self.api {
            Api::Second => {
                pairs.extend(start.map(|start| ("startPeriod", start.to_owned())));
                pairs.extend(end.map(|end| ("endPeriod", end.to_owned())));
                self.url.join(&["data", &self.flow.join(","), key])
            }
            Api::Third => {
                let bounds = [
                    start.map(|it| format!("ge:{it}")),
                    end.map(|it| format!("le:{it}")),
                ];
                let bounds: Vec<String> = bounds.into_iter().flatten().collect();
                if !bounds.is_empty() {
                    pairs.push(("c[TIME_PERIOD]", bounds.join("+")));
                }
                let key = starred(key);
                let mut steps = vec!["data", "dataflow"];
                steps.extend(self.flow.iter().map(String::as_str));
                steps.push(&key);
                self.url.join(&steps)
            }
        };
        if self.format == Format::Json {
            // Flat, so that no dimension stands apart from the others.
            pairs.push(("dimensionAtObservation", "AllDimensions".to_owned()));
        }
        pairs.extend(
            self.query
                .iter()
                .map(|(key, value)| (key.as_str(), value.clone())),
        );
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        Pager::new(url.with_query(&pairs), None).since(self.incremental.clone())
    }
}

#[async_trait]
impl Connector for Sdmx {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stream = Stream::new("observations", "observations");
        stream.format = Some(match self.format {
            Format::Csv => json!({ "name": "csv", "delimiter": "," }),
            Format::Json => json!("sdmx_json"),
        });
        stream.mappings = vec![self.mapping(io).await?.clone()];
        let incremental = self.incremental.as_ref();
        stream.reads = incremental.map(Incremental::reads).unwrap_or_default();
        Ok(vec![stream])
    }

    async fn partitions(&self, _unit: &str, _: &Io) -> Result<Vec<String>, ConnectorError> {
        Ok(match self.keys.as_slice() {
            [_] => Vec::new(),
            keys => keys.to_vec(),
        })
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let key = slice.partition.unwrap_or(&self.keys[0]);
        let pager = self.pager(key);
        let name = match self.format {
            Format::Csv => "data.csv",
            Format::Json => "data.json",
        };
        let fetched = pager
            .fetch(cursor, io, name, |url| {
                Request::get(url).accept(self.accept())
            })
            .await;
        match fetched {
            // Services answer 404 where nothing was updated since: the mark stays, and the next run asks from there.
            Err(error) if error.kind == ErrorKind::NotFound && cursor.is_some() => Ok(None),
            fetched => fetched,
        }
    }
}

#[cfg(test)]
#[path = "sdmx/tests.rs"]
mod tests;
