//! `ogc_features`: collections of an OGC API - Features service.
//!
//! Reference: OGC 17-069r4 (part 1: core), <https://docs.ogc.org/is/17-069r4/17-069r4.html>: collections in section 7.14, items and
//! their `next` links in 7.15. The service names the licence of each collection in its `links` (`rel: license`).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::{Count, Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Registration,
    Request, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

use crate::ask;

const FEATURES: u32 = 1000;

/// Settings of `ogc_features`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The service's landing page, the address before `/collections`.
    url: UrlSetting,
    /// The collections, by id: each is a stream. Default: all that the service has.
    #[serde(default)]
    collections: Vec<String>,
    /// Only features in this box: west, south, east, north in degrees.
    #[serde(default)]
    bbox: Option<[f64; 4]>,
    /// Only features of this time or interval: `2025-01-01T00:00:00Z/..`.
    #[serde(default)]
    datetime: Option<String>,
    /// Further query parameters, such as properties to filter by: `{ monitoring_location_id: USGS-02238500 }`.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// The value of `f`, which most services take beside the `Accept` header. Empty: it is not sent. Default: json.
    #[serde(default = "json_name")]
    f: String,
    /// Features a page. A service may give fewer. Default: 1000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50000))]
    page_size: Option<u32>,
    /// Later runs ask, by `datetime`, for features since the last run; `{}` is enough. Take `load: merge` with it.
    #[serde(default)]
    incremental: Option<IncrementalSettings>,
}

/// How later runs go on.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IncrementalSettings {
    /// The property whose greatest value is where the next run goes on: `time`. Default: the time of the run.
    #[serde(default)]
    property: Option<String>,
    /// Where the first run starts: `2025-01-01`. Left out, it reads all.
    #[serde(default)]
    start: Option<String>,
    /// How far behind each run asks again: `2d`.
    #[serde(default)]
    lookback: Option<String>,
}

fn json_name() -> String {
    "json".to_owned()
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "ogc_features",
        "Collections of an OGC API - Features service.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("ogc_features/example.yaml"))
}

/// `…/collections`, `…/collections/ID` and `…/collections/ID/items`.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let mut url = sight.url()?;
    let path = url.path().to_owned();
    let (root, rest) = path.split_once("/collections")?;
    let mut steps = rest.split('/').filter(|step| !step.is_empty());
    let collection = steps.next().map(str::to_owned);
    let is_ours = matches!(steps.next(), None | Some("items"));
    let begins = rest.is_empty() || rest.starts_with('/');
    (is_ours && begins && steps.next().is_none()).then(|| {
        url.set_path(root);
        url.set_query(None);
        let mut settings = vec![("url", url.to_string().into())];
        settings.extend(collection.map(|id| ("collections", json!([id]))));
        Claim::open(settings, "its address is one of OGC API - Features")
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    if settings.datetime.is_some() && settings.incremental.is_some() {
        let message = "stands beside `incremental`, which asks by the same parameter";
        return Err(SettingsError::of_key("datetime", message).with_help("leave one of them out"));
    }
    let incremental = settings.incremental.as_ref().map(marks).transpose()?;
    let mut query: Vec<(String, String)> = settings.query.into_iter().collect();
    if !settings.f.is_empty() {
        query.push(("f".to_owned(), settings.f));
    }
    query.extend(
        settings
            .bbox
            .map(|it| ("bbox".to_owned(), it.map(|it| it.to_string()).join(","))),
    );
    query.extend(settings.datetime.map(|it| ("datetime".to_owned(), it)));
    Ok(Arc::new(OgcFeatures {
        root: settings.url.resolve(&["url"], context)?,
        collections: settings.collections,
        query,
        size: settings.page_size.unwrap_or(FEATURES),
        incremental,
    }))
}

fn marks(settings: &IncrementalSettings) -> Result<Incremental, SettingsError> {
    let field = settings.property.as_ref().map(|name| {
        format!("features[*].properties['{name}']")
            .parse()
            .map_err(|_| {
                let path = ["incremental", "property"].map(str::to_owned).to_vec();
                SettingsError::new(path, format!("{name:?} is no name of a property"))
            })
    });
    let marks = Incremental {
        parameter: Some("datetime".to_owned()),
        template: Some("{mark}/..".to_owned()),
        field: field.transpose()?,
        start: settings.start.clone(),
        lookback: settings.lookback.clone(),
        ..Incremental::of(Kind::Time)
    };
    marks.check("incremental")?;
    Ok(marks)
}

struct OgcFeatures {
    root: SourceUrl,
    collections: Vec<String>,
    query: Vec<(String, String)>,
    size: u32,
    incremental: Option<Incremental>,
}

#[derive(Deserialize)]
struct Collections {
    collections: Vec<Collection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Collection {
    id: String,
    #[serde(default)]
    item_type: Option<String>,
}

impl OgcFeatures {
    /// The ids of the collections that hold features; others are records, tiles or coverages.
    async fn listed(&self, io: &Io) -> Result<Vec<String>, ConnectorError> {
        let url = self
            .root
            .join(&["collections"])
            .with_query(&[("f", "json")]);
        let what = "list of collections of an OGC API";
        let found: Collections = ask::json(url, what, io).await?;
        let is_feature =
            |it: &Collection| it.item_type.as_deref().is_none_or(|kind| kind == "feature");
        Ok(found
            .collections
            .into_iter()
            .filter(is_feature)
            .map(|it| it.id)
            .collect())
    }

    fn pager(&self, collection: &str) -> Result<Pager, ConnectorError> {
        let query: Vec<(&str, &str)> = self
            .query
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let url = self
            .root
            .join(&["collections", collection, "items"])
            .with_query(&query);
        let path = |text: &str| {
            let wrong =
                |_| ConnectorError::new(ErrorKind::Invalid, "internal: a path that is none");
            text.parse().map_err(wrong)
        };
        let paging = Paging {
            size: Some(self.size),
            next: Some(path("links[rel=next].href")?),
            ..Paging::of(Style::Next)
        };
        Ok(Pager::new(url, Some(paging))
            .counting(Count::Path(path("features")?))
            .since(self.incremental.clone()))
    }
}

#[async_trait]
impl Connector for OgcFeatures {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let names = match self.collections.is_empty() {
            true => self.listed(io).await?,
            false => self.collections.clone(),
        };
        let incremental = self.incremental.as_ref();
        let reads = incremental.map(Incremental::reads).unwrap_or_default();
        let stream = |name: String| {
            let mut stream = Stream::new(name.clone(), name);
            stream.format = Some(json!("geojson"));
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
        let name = format!("{}.geojson", slice.unit);
        let request = |url| Request::get(url).accept("application/geo+json");
        self.pager(slice.unit)?
            .fetch(cursor, io, &name, request)
            .await
    }
}

#[cfg(test)]
#[path = "ogc_features/tests.rs"]
mod tests;
