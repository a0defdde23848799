//! Esri JSON: what a layer of an ArcGIS server answers to a query.
//!
//! Reference: <https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/> and, for the shapes,
//! <https://developers.arcgis.com/rest/services-reference/enterprise/geometry-objects/>. A record is an object of `attributes` and a
//! `geometry`; the answer's `fields` say which attributes are dates (milliseconds since 1970) and which are codes of a domain.

mod shape;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use arrow::temporal_conversions::timestamp_ms_to_datetime;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::choice::Choice;
use crate::json::fields::{fields, text};
use crate::json::no_json;
pub(crate) use shape::wkb;

/// What the column of a code's meaning is named after the code's own.
const LABEL: &str = "_label";
/// The reference system of the lake's geometries.
const WGS84: i64 = 4326;

/// What codes mean: attribute → code → meaning.
pub(crate) type Domains = BTreeMap<String, BTreeMap<String, String>>;

/// What an answer says of its records.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    /// The attributes, in the order of the answer, shapes left out.
    pub(crate) names: Vec<String>,
    dates: Vec<String>,
    /// Attribute → code → meaning.
    domains: HashMap<String, HashMap<String, String>>,
    wkid: Option<i64>,
}

/// One of an answer's `fields`.
#[derive(Debug, Deserialize)]
struct LayerField {
    name: String,
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    domain: Option<Domain>,
}

/// The values that an attribute may have; only coded ones are listed.
#[derive(Debug, Deserialize)]
struct Domain {
    #[serde(rename = "codedValues", default)]
    coded_values: Vec<CodedValue>,
}

#[derive(Debug, Deserialize)]
struct CodedValue {
    code: Value,
    name: String,
}

/// A text as JSON has it inside quotes, or any other value as it is written.
fn code(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Layer {
    /// Of the elements of `fields`, and `spatialReference`. An element that says nothing of use is passed over.
    pub(crate) fn of(fields: &[Bytes], reference: Option<&Bytes>, domains: &Domains) -> Self {
        let mut layer = Self::default();
        for field in fields {
            let Ok(field) = serde_json::from_slice::<LayerField>(field) else {
                continue;
            };
            match field.kind.as_deref() {
                Some("esriFieldTypeGeometry") => continue,
                Some("esriFieldTypeDate") => layer.dates.push(field.name.clone()),
                _ => {}
            }
            let coded = field.domain.map(|it| it.coded_values).unwrap_or_default();
            let coded = coded.into_iter().map(|it| (code(&it.code), it.name));
            let mut coded: HashMap<String, String> = coded.collect();
            let declared = domains.get(&field.name).into_iter().flatten();
            coded.extend(declared.map(|(code, name)| (code.clone(), name.clone())));
            layer.names.push(field.name.clone());
            if !coded.is_empty() {
                layer.names.push(format!("{}{LABEL}", field.name));
                layer.domains.insert(field.name, coded);
            }
        }
        let reference = reference.and_then(|it| serde_json::from_slice::<Value>(it).ok());
        let wkid = |key: &str| reference.as_ref()?.get(key)?.as_i64();
        layer.wkid = wkid("latestWkid").or_else(|| wkid("wkid"));
        layer
    }

    /// What a reader of the rows must know.
    pub(crate) fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        if let Some(wkid) = self.wkid.filter(|it| *it != WGS84) {
            let why = format!(
                "the answer says so: coordinates stay as they are, `ST_Transform(geometry, {wkid}, {WGS84})` makes them longitude and latitude"
            );
            choices.push(Choice::new("spatial reference", wkid.to_string(), why));
        }
        if !self.dates.is_empty() {
            let why = "milliseconds since 1970, written as times in UTC";
            choices.push(Choice::new("dates", self.dates.join(", "), why));
        }
        choices
    }

    /// An attribute's text, and what its code means.
    fn value<'a>(
        &self,
        name: &str,
        value: &'a str,
    ) -> Result<(Option<Cow<'a, str>>, Option<&str>), String> {
        let said = match value.as_bytes().first() {
            Some(b'n') => return Ok((None, None)),
            Some(b'"') => text(value).map_err(no_json)?,
            _ => Cow::Borrowed(value),
        };
        let label = self.domains.get(name).and_then(|it| it.get(said.as_ref()));
        let is_date = || self.dates.iter().any(|date| date == name);
        let said = match value.starts_with('"') {
            false if is_date() => Cow::Owned(
                time(value).map_err(|reason| format!("its date `{name}` is {value}, {reason}"))?,
            ),
            _ => said,
        };
        Ok((Some(said), label.map(String::as_str)))
    }
}

/// Milliseconds since 1970 as a time in UTC (RFC 3339).
fn time(milliseconds: &str) -> Result<String, &'static str> {
    // Old servers write them as `1.428404675E12`.
    let number: f64 = milliseconds.parse().map_err(|_| "no number")?;
    let whole = number.is_finite() && number.fract() == 0.0 && number.abs() < 1e15;
    let time = whole
        .then(|| timestamp_ms_to_datetime(number as i64))
        .flatten();
    let time = time.ok_or("no time in milliseconds since 1970")?;
    Ok(format!("{time:?}Z"))
}

/// One record, read.
#[derive(Debug, Default)]
pub(crate) struct Row<'a> {
    /// Attribute → text, and the meanings of codes.
    pub(crate) values: Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>,
    /// The shape as WKB.
    pub(crate) shape: Option<Vec<u8>>,
}

/// Reads the members of a record.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub(crate) fn row<'a>(
    members: &[(Cow<'a, str>, &'a str)],
    layer: &'a Layer,
) -> Result<Row<'a>, String> {
    let mut row = Row::default();
    let mut attributes = None;
    for (key, value) in members {
        match key.as_ref() {
            "attributes" => attributes = Some(*value),
            "geometry" if *value != "null" => row.shape = wkb(value)?,
            _ => {}
        }
    }
    let attributes = attributes.ok_or("it is no Esri feature: it has no `attributes`")?;
    for (name, value) in fields(attributes).map_err(no_json)? {
        let (value, label) = layer.value(&name, value)?;
        if let Some(label) = label {
            let name = format!("{name}{LABEL}");
            row.values.push((name.into(), Some(Cow::Borrowed(label))));
        }
        row.values.push((name, value));
    }
    Ok(row)
}

/// The error that a server answers with, under whatever status.
pub(crate) fn error(answer: &[Bytes]) -> Option<String> {
    let error: Value = serde_json::from_slice(answer.first()?).ok()?;
    let mut said: Vec<String> = Vec::new();
    let code = error.get("code").map(|code| format!("error {code}"));
    said.extend(code);
    let text = |value: &Value| {
        value
            .as_str()
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
    };
    said.extend(error.get("message").and_then(text));
    let details = error.get("details").and_then(Value::as_array);
    said.extend(details.into_iter().flatten().filter_map(text));
    (!said.is_empty()).then(|| said.join(": "))
}

/// Whether the text begins as an answer with records does: its description comes before them.
pub(crate) fn is_answer(head: &[u8]) -> bool {
    let says = |text: &[u8]| memchr::memmem::find(head, text).is_some();
    let describes = [
        &b"\"fieldAliases\""[..],
        b"\"objectIdFieldName\"",
        b"\"esriFieldType",
        b"\"geometryType\"",
    ];
    says(b"\"features\"") && says(b"\"attributes\"") && describes.iter().any(|it| says(it))
}
