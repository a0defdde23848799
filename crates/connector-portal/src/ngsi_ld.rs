//! `ngsi_ld`: entities of a context broker, as FIWARE's Smart Data Models have them.
//!
//! Reference: ETSI GS CIM 009, <https://www.etsi.org/deliver/etsi_gs/CIM/001_099/009/01.08.01_60/gs_CIM009v010801p.pdf>: query entities
//! in section 5.7.2, pagination in 6.3.10, the tenant in 4.14; the models at <https://smartdatamodels.org>. What a broker holds is
//! under its owner's licence.

mod mappings;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::{Count, Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, Fetched, Io, MakeContext, Registration, Request,
    Secret, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ask;

/// The most that brokers give at once.
const ENTITIES: u32 = 1000;

/// Settings of `ngsi_ld`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The broker, the address before `/ngsi-ld/v1`.
    url: UrlSetting,
    /// The types of entities: each is a stream. Default: all that the broker knows.
    #[serde(default)]
    types: Vec<String>,
    /// The address of the JSON-LD context, by which short names of types and attributes are meant.
    #[serde(default)]
    context: Option<String>,
    /// The tenant, where a broker serves several.
    #[serde(default)]
    tenant: Option<String>,
    /// Only entities for which this holds, in NGSI-LD's query language: `no2>40`.
    #[serde(default)]
    q: Option<String>,
    /// The attributes. Default: all.
    #[serde(default)]
    attrs: Vec<String>,
    /// Further query parameters: `{ georel: "near;maxDistance==2000" }`.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// How entities are sent. `normalized` has units and times beside the values, `keyValues` values alone. Default: `normalized`.
    #[serde(default)]
    options: Form,
    /// Units of attributes that come without one, in UCUM: `{ no2: ug/m3 }`. For the default mappings.
    #[serde(default)]
    units: BTreeMap<String, String>,
    /// Entities a page. Default: 1000, the most that brokers give.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    page_size: Option<u32>,
    /// Later runs read only entities with a later time. Take `load: merge` with it.
    #[serde(default)]
    incremental: Option<IncrementalSettings>,
}

/// How entities are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum Form {
    /// With what stands beside the values.
    #[default]
    #[serde(rename = "normalized")]
    Normalized,
    /// Values alone.
    #[serde(rename = "keyValues")]
    KeyValues,
}

/// An attribute that rises.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IncrementalSettings {
    /// The attribute. Default: `dateObserved`.
    #[serde(default)]
    attribute: Option<String>,
    /// Where the first run starts: `2025-01-01`. Left out, it reads all.
    #[serde(default)]
    start: Option<String>,
    /// How far behind the newest entity each run asks again: `1h`.
    #[serde(default)]
    lookback: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "ngsi_ld",
        "Entities of an NGSI-LD context broker (FIWARE Smart Data Models).",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("ngsi_ld/example.yaml"))
}

/// The address of a broker's entities.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let mut url = sight.url()?;
    let path = url.path().to_owned();
    let (root, rest) = path.split_once("/ngsi-ld/v1")?;
    let is_ours = matches!(rest, "" | "/" | "/entities" | "/entities/" | "/types");
    let kind = url
        .query_pairs()
        .find(|(key, _)| key == "type")
        .map(|(_, value)| value.into_owned());
    url.set_path(root);
    url.set_query(None);
    is_ours.then(|| {
        let mut settings = vec![("url", url.to_string().into())];
        settings.extend(kind.map(|kind| ("types", json!(kind.split(',').collect::<Vec<_>>()))));
        Claim::own(settings, "its address is that of an NGSI-LD broker")
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let incremental = settings.incremental.as_ref();
    let incremental = incremental
        .map(|it| marks(it, settings.q.as_deref(), settings.options))
        .transpose()?;
    let mut headers = Vec::new();
    if let Some(tenant) = settings.tenant {
        if tenant.is_empty() || !tenant.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SettingsError::of_key("tenant", "is no name of a tenant"));
        }
        headers.push(("NGSILD-Tenant".to_owned(), Secret::new(tenant)));
    }
    if let Some(address) = settings.context {
        if address
            .chars()
            .any(|letter| letter == '>' || letter.is_control())
        {
            return Err(SettingsError::of_key("context", "is no address"));
        }
        let link = format!(
            "<{address}>; rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\""
        );
        headers.push(("Link".to_owned(), Secret::new(link)));
    }
    let mut query: Vec<(String, String)> = settings.query.into_iter().collect();
    if !settings.attrs.is_empty() {
        query.push(("attrs".to_owned(), settings.attrs.join(",")));
    }
    if settings.options == Form::KeyValues {
        query.push(("options".to_owned(), "keyValues".to_owned()));
    }
    query.extend(
        settings
            .q
            .filter(|_| incremental.is_none())
            .map(|q| ("q".to_owned(), q)),
    );
    Ok(Arc::new(NgsiLd {
        root: settings
            .url
            .resolve(&["url"], context)?
            .join(&["ngsi-ld", "v1"]),
        types: settings.types,
        headers,
        query,
        units: mappings::listed(&settings.units),
        size: settings.page_size.unwrap_or(ENTITIES),
        incremental,
    }))
}

fn marks(
    settings: &IncrementalSettings,
    q: Option<&str>,
    form: Form,
) -> Result<Incremental, SettingsError> {
    let attribute = settings.attribute.as_deref().unwrap_or("dateObserved");
    let path = match form {
        Form::Normalized => format!("[*]['{attribute}'].value"),
        Form::KeyValues => format!("[*]['{attribute}']"),
    };
    let wrong = || {
        let path = ["incremental", "attribute"].map(str::to_owned).to_vec();
        SettingsError::new(path, format!("{attribute:?} is no name of an attribute"))
    };
    let condition = q.map_or(String::new(), |q| format!("({q});"));
    let marks = Incremental {
        parameter: Some("q".to_owned()),
        template: Some(format!("{condition}{attribute}>={{mark}}")),
        field: Some(path.parse().map_err(|_| wrong())?),
        start: settings.start.clone(),
        lookback: settings.lookback.clone(),
        ..Incremental::of(Kind::Time)
    };
    marks.check("incremental")?;
    Ok(marks)
}

struct NgsiLd {
    root: SourceUrl,
    types: Vec<String>,
    headers: Vec<(String, Secret)>,
    query: Vec<(String, String)>,
    units: String,
    size: u32,
    incremental: Option<Incremental>,
}

impl NgsiLd {
    /// The types that the broker knows (section 5.7.5).
    async fn listed(&self, io: &Io) -> Result<Vec<String>, ConnectorError> {
        let url = self.root.join(&["types"]);
        let place = url.to_string();
        let request = Request::get(url)
            .accept("application/json")
            .with_headers(&self.headers);
        let (_, bytes) = ask::read(&request, io).await?;
        let what = "list of types of an NGSI-LD broker";
        let list: Value = ask::parse(&bytes, what, &place)?;
        let listed = list.as_array().or_else(|| list.get("typeList")?.as_array());
        // With details each is an object.
        let name = |it: &Value| {
            it.as_str()
                .or_else(|| it.get("typeName")?.as_str())
                .map(str::to_owned)
        };
        Ok(listed.into_iter().flatten().filter_map(name).collect())
    }

    fn pager(&self, kind: &str) -> Pager {
        let mut pairs = vec![("type", kind)];
        pairs.extend(
            self.query
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
        );
        let paging = Paging {
            size: Some(self.size),
            ..Paging::of(Style::Offset)
        };
        Pager::new(
            self.root.join(&["entities"]).with_query(&pairs),
            Some(paging),
        )
        .counting(Count::Guess)
        .since(self.incremental.clone())
    }
}

#[async_trait]
impl Connector for NgsiLd {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let names = match self.types.is_empty() {
            true => self.listed(io).await?,
            false => self.types.clone(),
        };
        let incremental = self.incremental.as_ref();
        let reads = incremental.map(Incremental::reads).unwrap_or_default();
        let stream = |name: String| {
            let mut stream = Stream::new(name.clone(), name.clone());
            stream.format = Some(json!("ngsi_ld"));
            stream.mappings = mappings::of_type(&name, &self.units);
            stream.reads = reads;
            stream
        };
        Ok(names.into_iter().map(stream).collect())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let name = format!("{}.json", slice.unit);
        let request = |url| {
            Request::get(url)
                .accept("application/json")
                .with_headers(&self.headers)
        };
        self.pager(slice.unit)
            .fetch(cursor, io, &name, request)
            .await
    }
}

#[cfg(test)]
#[path = "ngsi_ld/tests.rs"]
mod tests;
