//! `arcgis`: layers of an ArcGIS FeatureServer or MapServer.
//!
//! Reference: <https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/>; the description of a
//! layer in <https://developers.arcgis.com/rest/services-reference/enterprise/layer-feature-service/>. The licence stands in the
//! layer's `copyrightText` or on the portal's page of the item.

mod layer;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::{Count, JsonPath, Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Registration,
    Request, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::ask;
use layer::{Layer, Service};

/// Features of an answer where the layer does not say how many it gives.
const FEATURES: u32 = 1000;

/// Settings of `arcgis`. A token goes into `auth: { query: { name: token, value: "${env:NAME}" } }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The address of a layer, `…/FeatureServer/0`, or of a service, `…/FeatureServer`, whose layers and tables then are streams.
    url: UrlSetting,
    /// Only features for which this holds, in the server's SQL: `status = 'open'`. Default: all.
    #[serde(default)]
    r#where: Option<String>,
    /// The attributes. Default: all.
    #[serde(default)]
    fields: Vec<String>,
    /// How features are sent. `json` (Esri JSON) has dates as times and the meanings of codes; `geojson` has neither. Default: `json`.
    #[serde(default)]
    format: Format,
    /// Features a page; never more than the layer allows. Default: what the layer allows.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    page_size: Option<u32>,
    /// How a layer is divided. `offset`: page after page; `ids`: ranges of object ids, fetched side by side. Default: `offset` where
    /// the layer can, else `ids`.
    #[serde(default)]
    by: Option<By>,
    /// Later runs read only features edited since. Take `load: merge` with it.
    #[serde(default)]
    incremental: Option<IncrementalSettings>,
}

/// How features are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// Esri JSON.
    #[default]
    Json,
    /// GeoJSON.
    Geojson,
}

/// How a layer is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum By {
    /// Page after page.
    Offset,
    /// Ranges of object ids.
    Ids,
}

/// A date of the last edit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IncrementalSettings {
    /// The attribute: `EditDate`, `last_edited_date`.
    field: String,
    /// Where the first run starts: `2025-01-01`. Left out, it reads all.
    #[serde(default)]
    start: Option<String>,
    /// How far behind the last run each run asks again, so that clocks that differ lose nothing. Default: `1h`.
    #[serde(default)]
    lookback: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "arcgis",
        "Layers of an ArcGIS FeatureServer or MapServer.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("arcgis/example.yaml"))
}

/// The part of the path that ends with a service, and the layer behind it.
fn divided(path: &str) -> Option<(&str, Option<&str>)> {
    ["/FeatureServer", "/MapServer"]
        .into_iter()
        .find_map(|kind| {
            let at = path.find(kind)? + kind.len();
            let (service, rest) = path.split_at(at);
            let mut steps = rest.split('/').filter(|step| !step.is_empty());
            let layer = steps
                .next()
                .filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
            (rest.is_empty() || rest.starts_with('/')).then_some((service, layer))
        })
}

/// The address of a service, a layer or a query of one.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let mut url = sight.url()?;
    let path = url.path().to_owned();
    let (service, layer) = divided(&path)?;
    url.set_query(None);
    url.set_path(&match layer {
        Some(layer) => format!("{service}/{layer}"),
        None => service.to_owned(),
    });
    let settings = [("url", url.to_string().into())];
    Some(Claim::open(
        settings,
        "its address is that of an ArcGIS service",
    ))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let url = settings.url.resolve(&["url"], context)?;
    let path = url.expose().path().to_owned();
    let Some((_, layer)) = divided(&path) else {
        let message = "is no address of an ArcGIS service";
        return Err(SettingsError::of_key("url", message).with_help(
            "it ends in /FeatureServer or /MapServer, or in the number of a layer behind that",
        ));
    };
    let is_layer = layer.is_some();
    let incremental = settings.incremental.as_ref();
    let incremental = incremental
        .map(|it| marks(it, settings.r#where.as_deref()))
        .transpose()?;
    Ok(Arc::new(Arcgis {
        url,
        is_layer,
        condition: settings.r#where.unwrap_or_else(|| "1=1".to_owned()),
        fields: match settings.fields.is_empty() {
            true => "*".to_owned(),
            false => settings.fields.join(","),
        },
        format: settings.format,
        page_size: settings.page_size,
        by: settings.by,
        incremental,
        layers: OnceCell::new(),
    }))
}

fn marks(
    settings: &IncrementalSettings,
    condition: Option<&str>,
) -> Result<Incremental, SettingsError> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    if settings.field.is_empty() || !settings.field.bytes().all(is_name) {
        let path = ["incremental", "field"].map(str::to_owned).to_vec();
        let message = format!("{:?} is no name of an attribute", settings.field);
        return Err(SettingsError::new(path, message));
    }
    let condition = condition.map_or(String::new(), |it| format!("({it}) AND "));
    let marks = Incremental {
        parameter: Some("where".to_owned()),
        template: Some(format!(
            "{condition}{} >= TIMESTAMP '{{mark}}'",
            settings.field
        )),
        start: settings.start.clone(),
        lookback: Some(settings.lookback.clone().unwrap_or_else(|| "1h".to_owned())),
        format: Some("%Y-%m-%d %H:%M:%S".to_owned()),
        ..Incremental::of(Kind::Time)
    };
    marks.check("incremental")?;
    Ok(marks)
}

struct Arcgis {
    url: SourceUrl,
    is_layer: bool,
    condition: String,
    fields: String,
    format: Format,
    page_size: Option<u32>,
    by: Option<By>,
    incremental: Option<Incremental>,
    /// By stream, asked for once.
    layers: OnceCell<Vec<(String, Arc<Layer>)>>,
}

impl Arcgis {
    async fn layers(&self, io: &Io) -> Result<&[(String, Arc<Layer>)], ConnectorError> {
        let found = self.layers.get_or_try_init(|| self.described(io)).await?;
        Ok(found)
    }

    async fn described(&self, io: &Io) -> Result<Vec<(String, Arc<Layer>)>, ConnectorError> {
        if self.is_layer {
            return Ok(vec![(
                "features".to_owned(),
                self.layer(self.url.clone(), io).await?,
            )]);
        }
        let what = "description of an ArcGIS service";
        let answer = ask::json(self.url.with_query(&[("f", "json")]), what, io).await?;
        let service = Service::of(answer, &self.url)?;
        let mut layers = Vec::new();
        for (name, id) in service.named() {
            let url = self.url.join(&[&id]);
            layers.push((name, self.layer(url, io).await?));
        }
        Ok(layers)
    }

    async fn layer(&self, url: SourceUrl, io: &Io) -> Result<Arc<Layer>, ConnectorError> {
        let what = "description of an ArcGIS layer";
        let answer = ask::json(url.with_query(&[("f", "json")]), what, io).await?;
        Layer::of(answer, url).map(Arc::new)
    }

    async fn of(&self, unit: &str, io: &Io) -> Result<Arc<Layer>, ConnectorError> {
        let layers = self.layers(io).await?;
        let found = layers.iter().find(|(name, _)| name == unit);
        found.map(|(_, layer)| Arc::clone(layer)).ok_or_else(|| {
            ConnectorError::new(
                ErrorKind::NotFound,
                format!("the service has no layer {unit:?}"),
            )
            .at(&self.url)
            .with_help("open the address in a browser: were its layers renamed?")
        })
    }

    fn by(&self, layer: &Layer) -> By {
        match layer.pages {
            true => self.by.unwrap_or(By::Offset),
            // Later rounds hold few features; a layer that cannot page gives them in one answer.
            false if self.incremental.is_some() => By::Offset,
            false => By::Ids,
        }
    }

    fn size(&self, layer: &Layer) -> u32 {
        let allowed = layer.records_max.unwrap_or(FEATURES);
        self.page_size.map_or(allowed, |it| it.min(allowed))
    }

    /// The query without what divides it.
    fn query(&self, layer: &Layer, condition: &str) -> SourceUrl {
        let format = match self.format {
            Format::Json => "json",
            Format::Geojson => "geojson",
        };
        let mut pairs = vec![
            ("where", condition),
            ("outFields", self.fields.as_str()),
            ("outSR", "4326"),
            ("f", format),
        ];
        if layer.orders {
            // Pages of an order that is not fixed may overlap.
            pairs.push(("orderByFields", layer.id_field.as_str()));
        }
        layer.url.join(&["query"]).with_query(&pairs)
    }

    fn pager(&self, layer: &Layer) -> Result<Pager, ConnectorError> {
        let path = |text: &str| {
            let wrong =
                |_| ConnectorError::new(ErrorKind::Invalid, "internal: a path that is none");
            text.parse::<JsonPath>().map_err(wrong)
        };
        let paging = Paging {
            parameter: Some("resultOffset".to_owned()),
            size_parameter: Some("resultRecordCount".to_owned()),
            size: Some(self.size(layer)),
            more: Some(path(match self.format {
                Format::Json => "exceededTransferLimit",
                Format::Geojson => "properties.exceededTransferLimit",
            })?),
            ..Paging::of(Style::Offset)
        };
        Ok(Pager::new(
            self.query(layer, &self.condition),
            layer.pages.then_some(paging),
        )
        .counting(Count::Path(path("features")?))
        .since(self.incremental.clone()))
    }

    /// The object ids of all features asked for, ascending.
    async fn ids(&self, layer: &Layer, io: &Io) -> Result<Vec<i64>, ConnectorError> {
        let pairs = [
            ("where", self.condition.as_str()),
            ("returnIdsOnly", "true"),
            ("f", "json"),
        ];
        let url = layer.url.join(&["query"]).with_query(&pairs);
        let answer: serde_json::Value =
            ask::json(url, "list of object ids of an ArcGIS layer", io).await?;
        let listed = answer
            .get("objectIds")
            .and_then(serde_json::Value::as_array);
        // Old servers write them as `6.4579816E7`.
        let id = |value: &serde_json::Value| value.as_i64().or(value.as_f64().map(|id| id as i64));
        let mut ids: Vec<i64> = listed.into_iter().flatten().filter_map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// A range of object ids, `from..=to`, in one answer.
    fn range(&self, layer: &Layer, partition: &str) -> Result<SourceUrl, ConnectorError> {
        let bounds = partition
            .split_once("..=")
            .and_then(|(from, to)| Some((from.parse::<i64>().ok()?, to.parse::<i64>().ok()?)));
        let wrong = || {
            ConnectorError::new(
                ErrorKind::Invalid,
                format!("{partition:?} is no range of ids"),
            )
            .with_help("a range is written as in `1..=1000`")
        };
        let (from, to) = bounds.ok_or_else(wrong)?;
        let (condition, field) = (&self.condition, &layer.id_field);
        Ok(self.query(
            layer,
            &format!("({condition}) AND {field} >= {from} AND {field} <= {to}"),
        ))
    }
}

#[async_trait]
impl Connector for Arcgis {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let incremental = self.incremental.as_ref();
        let reads = incremental.map(Incremental::reads).unwrap_or_default();
        let stream = |(name, layer): &(String, Arc<Layer>)| {
            let mut stream = Stream::new(name.clone(), name.clone());
            stream.format = Some(match self.format {
                // What codes mean stands in the layer's description; few servers repeat it in each answer.
                Format::Json if layer.domains.is_empty() => json!("esri_json"),
                Format::Json => json!({ "name": "esri_json", "domains": layer.domains }),
                Format::Geojson => json!("geojson"),
            });
            stream.columns.clone_from(&layer.fields);
            if self.format == Format::Json {
                let labels = layer.domains.keys().map(|name| format!("{name}_label"));
                stream.columns.extend(labels);
            }
            stream.reads = reads;
            stream
        };
        Ok(self.layers(io).await?.iter().map(stream).collect())
    }

    async fn partitions(&self, unit: &str, io: &Io) -> Result<Vec<String>, ConnectorError> {
        let layer = self.of(unit, io).await?;
        if self.by(&layer) == By::Offset {
            return Ok(Vec::new());
        }
        let ids = self.ids(&layer, io).await?;
        let ranges = ids.chunks(self.size(&layer) as usize);
        Ok(ranges
            .map(|ids| format!("{}..={}", ids[0], ids[ids.len() - 1]))
            .collect())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let layer = self.of(slice.unit, io).await?;
        if let Some(partition) = slice.partition {
            let url = self.range(&layer, partition)?;
            let key = url.to_string();
            let (answer, bytes) =
                ask::read(&Request::get(url).accept("application/json"), io).await?;
            if layer::is_cut(&bytes) {
                let message =
                    "the layer grew while it was read: a range holds more than one answer";
                return Err(ConnectorError::new(ErrorKind::Changed, message)
                    .at(key)
                    .with_help("run the pipeline again"));
            }
            let name = format!("features-{partition}.json");
            return Ok(Some(Fetched::part(answer.into_part(key, &name), None)));
        }
        let pager = self.pager(&layer)?;
        let Some(next) = pager.page(cursor, io)? else {
            return Ok(None);
        };
        let (key, number) = (next.key(), next.number());
        let request = Request::get(next.url().clone()).accept("application/json");
        let (answer, bytes) = ask::read(&request, io).await?;
        let turn = next.turn(&answer.headers, &bytes)?;
        if !layer.pages && layer::is_cut(&bytes) {
            let message = "the layer cannot page, and holds more than one answer gives";
            return Err(ConnectorError::new(ErrorKind::Invalid, message).at(key).with_help(
                "begin later with `incremental.start`, or leave `incremental` out: then it is read by object ids",
            ));
        }
        if self.incremental.is_some()
            && cursor.is_some()
            && number == 1
            && turn.records == Some(0)
            && !turn.has_more
        {
            return Ok(None);
        }
        let name = format!("features-{number}.json");
        Ok(Some(Fetched::part(answer.into_part(key, &name), turn.next)))
    }
}

#[cfg(test)]
#[path = "arcgis/tests.rs"]
mod tests;
