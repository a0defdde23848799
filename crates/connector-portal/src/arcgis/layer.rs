//! What a server says of its layers.

use std::collections::{BTreeMap, HashMap};

use sectorlake_connector::{ConnectorError, ErrorKind, SourceUrl};
use serde::Deserialize;
use serde_json::Value;

const LOOK: &str =
    "open the address with ?f=json in a browser: is it the layer that the pipeline means?";

/// Whether the answer says that there are more features than it has.
pub(super) fn is_cut(answer: &[u8]) -> bool {
    let is_told =
        |json: &Value| json.get("exceededTransferLimit").and_then(Value::as_bool) == Some(true);
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        #[serde(default)]
        exceeded_transfer_limit: bool,
        #[serde(default)]
        properties: Value,
    }
    let told = serde_json::from_slice::<Told>(answer);
    told.is_ok_and(|told| told.exceeded_transfer_limit || is_told(&told.properties))
}

/// A service.
pub(super) struct Service {
    layers: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: Value,
    name: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl Service {
    pub(super) fn of(answer: Value, url: &SourceUrl) -> Result<Self, ConnectorError> {
        let list = |key: &str| -> Result<Vec<Listed>, ConnectorError> {
            let listed = answer.get(key).filter(|it| !it.is_null()).cloned();
            let listed = serde_json::from_value(listed.unwrap_or(Value::Array(Vec::new())));
            listed.map_err(|error| {
                let message = format!("is no description of an ArcGIS service: {error}");
                ConnectorError::new(ErrorKind::Invalid, message)
                    .at(url)
                    .with_help(LOOK)
            })
        };
        let mut layers = list("layers")?;
        layers.extend(list("tables")?);
        layers.retain(|it| it.kind.as_deref() != Some("Group Layer"));
        Ok(Self { layers })
    }

    /// Each layer's name, and its id. Names that repeat get the id behind them.
    pub(super) fn named(&self) -> Vec<(String, String)> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for layer in &self.layers {
            *seen.entry(layer.name.as_str()).or_default() += 1;
        }
        let named = self.layers.iter().map(|layer| {
            let id = layer
                .id
                .as_str()
                .map_or_else(|| layer.id.to_string(), str::to_owned);
            match seen.get(layer.name.as_str()) {
                Some(1) if !layer.name.is_empty() => (layer.name.clone(), id),
                _ => (format!("{} {id}", layer.name).trim().to_owned(), id),
            }
        });
        named.collect()
    }
}

/// A layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) url: SourceUrl,
    /// Features that it gives at once.
    pub(super) records_max: Option<u32>,
    pub(super) id_field: String,
    /// Whether it can begin at a feature of that number.
    pub(super) pages: bool,
    /// Whether it can sort.
    pub(super) orders: bool,
    pub(super) fields: Vec<String>,
    /// Attribute → code → meaning.
    pub(super) domains: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    #[serde(default)]
    max_record_count: Option<u32>,
    #[serde(default)]
    object_id_field: Option<String>,
    fields: Option<Vec<DescribedField>>,
    #[serde(default)]
    advanced_query_capabilities: Option<Advanced>,
    #[serde(default)]
    supports_advanced_queries: bool,
    #[serde(default)]
    capabilities: Option<String>,
}

#[derive(Deserialize)]
struct DescribedField {
    name: String,
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    domain: Option<Domain>,
}

/// The values that an attribute may have; only coded ones are listed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Domain {
    #[serde(default)]
    coded_values: Vec<CodedValue>,
}

#[derive(Deserialize)]
struct CodedValue {
    code: Value,
    name: String,
}

impl DescribedField {
    /// What its codes mean.
    fn meanings(&self) -> BTreeMap<String, String> {
        let code = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let coded = self.domain.iter().flat_map(|domain| &domain.coded_values);
        coded.map(|it| (code(&it.code), it.name.clone())).collect()
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Advanced {
    supports_pagination: bool,
    supports_order_by: bool,
}

impl Layer {
    pub(super) fn of(answer: Value, url: SourceUrl) -> Result<Self, ConnectorError> {
        let invalid = |message: String| {
            ConnectorError::new(ErrorKind::Invalid, message)
                .at(&url)
                .with_help(LOOK)
        };
        let described: Described = serde_json::from_value(answer)
            .map_err(|error| invalid(format!("is no description of an ArcGIS layer: {error}")))?;
        let can_query = described
            .capabilities
            .as_deref()
            .is_none_or(|it| it.contains("Query") || it.contains("Data"));
        let Some(fields) = described.fields.filter(|it| !it.is_empty() && can_query) else {
            let message = "the layer cannot be asked for features".to_owned();
            return Err(invalid(message)
                .with_help("a layer of images or a group has none; name one of features"));
        };
        let is = |field: &DescribedField, kind: &str| field.kind.as_deref() == Some(kind);
        let id_field = described.object_id_field.or_else(|| {
            fields
                .iter()
                .find(|it| is(it, "esriFieldTypeOID"))
                .map(|it| it.name.clone())
        });
        let id_field = id_field.ok_or_else(|| {
            invalid("the layer has no object ids, by which it could be divided".to_owned())
        })?;
        let advanced = described.advanced_query_capabilities.unwrap_or_default();
        Ok(Self {
            records_max: described.max_record_count.filter(|it| *it > 0),
            id_field,
            pages: advanced.supports_pagination,
            orders: advanced.supports_order_by || described.supports_advanced_queries,
            domains: fields
                .iter()
                .map(|it| (it.name.clone(), it.meanings()))
                .filter(|(_, meanings)| !meanings.is_empty())
                .collect(),
            fields: fields
                .iter()
                .filter(|it| !is(it, "esriFieldTypeGeometry"))
                .map(|it| it.name.clone())
                .collect(),
            url,
        })
    }
}
