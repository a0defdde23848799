//! What a service says of itself, of a page, and of what it cannot do.

use sectorlake_connector::{ConnectorError, ErrorKind};
use serde::Deserialize;

use crate::elements::walk;

/// Elements of features: how GML lists them.
const MEMBERS: [&str; 2] = ["member", "featureMember"];

/// What a service offers.
#[derive(Debug, Default)]
pub(super) struct Capabilities {
    /// Its feature types, as it names them.
    pub(super) types: Vec<String>,
    formats: Vec<String>,
    /// Whether it gives features from a number on.
    pub(super) pages: bool,
}

fn invalid(message: String) -> ConnectorError {
    ConnectorError::new(ErrorKind::Invalid, message).with_help(
        "open the address with ?service=WFS&request=GetCapabilities in a browser: is it the service that the pipeline means?",
    )
}

impl Capabilities {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ConnectorError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| invalid("the capabilities are no UTF-8".to_owned()))?;
        let mut found = Self {
            pages: true,
            ..Self::default()
        };
        let mut is_capabilities = false;
        // What stands inside comes before what stands around it.
        let (mut values, mut formats, mut default) = (Vec::new(), Vec::new(), String::new());
        let walked = walk(text, |way, attributes, text| {
            let named = attributes.iter().find(|(name, _)| name == "name");
            let named = named.map(|(_, value)| value.as_str()).unwrap_or_default();
            is_capabilities |= way[0].ends_with("_Capabilities");
            match way.iter().rev().map(String::as_str).collect::<Vec<_>>()[..] {
                ["Name", "FeatureType", ..] => found.types.push(text.to_owned()),
                ["Value", "AllowedValues" | "Parameter", ..] => values.push(text.to_owned()),
                ["Parameter", around, ..] => {
                    let values = std::mem::take(&mut values);
                    match named {
                        "outputFormat" if around == "Operation" => formats = values,
                        "outputFormat" => found.formats.extend(values),
                        _ => {}
                    }
                }
                ["Operation", ..] => {
                    let formats = std::mem::take(&mut formats);
                    if named == "GetFeature" && !formats.is_empty() {
                        found.formats = formats;
                    }
                }
                ["DefaultValue", "Constraint", ..] => default = text.to_owned(),
                ["Constraint", ..] => {
                    let says_no = std::mem::take(&mut default).eq_ignore_ascii_case("false");
                    found.pages &= !(says_no && named == "ImplementsResultPaging");
                }
                _ => {}
            }
        });
        walked.map_err(|error| invalid(format!("the capabilities cannot be read: {error}")))?;
        match is_capabilities {
            true => Ok(found),
            false => Err(
                invalid("is no description of a Web Feature Service".to_owned()).with_help(
                    "open the address with ?service=WFS&request=GetCapabilities in a browser",
                ),
            ),
        }
    }

    /// The service's word for GeoJSON.
    pub(super) fn geojson(&self) -> Option<&str> {
        let is = |format: &&String| {
            let format = format.to_ascii_lowercase();
            [
                "application/json",
                "geojson",
                "application/geo+json",
                "json",
            ]
            .iter()
            .any(|it| format == *it || format.starts_with(&format!("{it};")))
                || format.contains("geojson")
        };
        self.formats.iter().find(is).map(String::as_str)
    }
}

/// How many features a page has, and how many there are in all.
pub(super) struct Counted {
    pub(super) records: u64,
    pub(super) matched: Option<u64>,
}

pub(super) fn counted(bytes: &[u8]) -> Result<Counted, ConnectorError> {
    match bytes.trim_ascii_start().first() {
        Some(b'{') => json(bytes),
        Some(b'<' | 0xEF) => gml(bytes),
        _ => Err(invalid("the answer holds no features".to_owned())),
    }
}

fn json(bytes: &[u8]) -> Result<Counted, ConnectorError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        features: Vec<serde::de::IgnoredAny>,
        /// `unknown` where the service does not count.
        #[serde(default)]
        number_matched: serde_json::Value,
        #[serde(default)]
        total_features: serde_json::Value,
    }
    let page: Page = serde_json::from_slice(bytes)
        .map_err(|error| invalid(format!("the answer is no GeoJSON of features: {error}")))?;
    Ok(Counted {
        records: page.features.len() as u64,
        matched: page
            .number_matched
            .as_u64()
            .or(page.total_features.as_u64()),
    })
}

fn gml(bytes: &[u8]) -> Result<Counted, ConnectorError> {
    let text = String::from_utf8_lossy(bytes);
    let (mut records, mut matched, mut has_root) = (0, None, false);
    let walked = walk(&text, |way, attributes, _| match way {
        [root] => {
            has_root = root == "FeatureCollection";
            let name = |key: &str| attributes.iter().find(|(name, _)| name == key);
            matched = name("numberMatched").and_then(|(_, value)| value.parse().ok());
        }
        [_, member] if MEMBERS.contains(&member.as_str()) => records += 1,
        [_, members, _] if members == "featureMembers" => records += 1,
        _ => {}
    });
    walked.map_err(|error| invalid(format!("the answer is no GML: {error}")))?;
    match has_root {
        true => Ok(Counted { records, matched }),
        false => Err(invalid(
            "the answer is no collection of features".to_owned(),
        )),
    }
}
