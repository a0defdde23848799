//! Observations of any dataflow onto `common.indicators`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sectorlake_connector::{DefaultMapping, SettingsError};
use serde::Deserialize;

/// Units of SDMX's own and of large publishers, in UCUM.
const UNITS: [(&str, &str); 14] = [
    ("PT", "%"),
    ("PC", "%"),
    ("PCT", "%"),
    ("PERCENT", "%"),
    ("PS", "{person}"),
    ("PER", "{person}"),
    ("PERS", "{person}"),
    ("PERSONS", "{person}"),
    ("NR", "{number}"),
    ("NUMBER", "{number}"),
    ("IX", "{index}"),
    ("INDEX", "{index}"),
    ("GPI", "{index}"),
    ("YRS", "a"),
];
/// Columns that a dataflow may lack.
const KNOWN: [&str; 7] = [
    "REF_AREA",
    "TIME_PERIOD",
    "FREQ",
    "UNIT_MEASURE",
    "OBS_VALUE",
    "OBS_STATUS",
    "COMMENT_OBS",
];

/// How observations become rows of `common.indicators`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Indicators {
    /// The dimension whose code is the indicator: `INDICATOR`, `MEASURE`. Default: the dataflow is the indicator.
    #[serde(default)]
    dimension: Option<String>,
    /// The dimension of the place. Default: `REF_AREA`.
    #[serde(default)]
    area: Option<String>,
    /// The dimensions that tell observations apart beside indicator, place, period and frequency: `[SEX, AGE]`. Default: none.
    #[serde(default)]
    dimensions: Vec<String>,
    /// The unit of all observations, in UCUM. Default: what `UNIT_MEASURE` says.
    #[serde(default)]
    unit: Option<String>,
    /// Codes of `UNIT_MEASURE` in UCUM, beside those known: `{ PT_B1GQ: "%" }`. A code that is not known is rejected.
    #[serde(default)]
    units: BTreeMap<String, String>,
    /// The name of the indicator, where it is the dataflow.
    #[serde(default)]
    name: Option<String>,
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Indicators {
    pub(crate) fn mapping(&self, flow: &str) -> Result<DefaultMapping, SettingsError> {
        let named = [("dimension", &self.dimension), ("area", &self.area)];
        let named = named
            .into_iter()
            .filter_map(|(key, name)| Some((key, name.as_ref()?)));
        let listed = self.dimensions.iter().map(|name| ("dimensions", name));
        for (key, name) in named.chain(listed) {
            let is_id = |byte: u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'@')
            };
            if name.is_empty() || !name.bytes().all(is_id) {
                let path = ["indicators", key].map(str::to_owned).to_vec();
                return Err(SettingsError::new(
                    path,
                    format!("{name:?} is no dimension"),
                ));
            }
        }
        let id = flow.split(',').nth(1).unwrap_or(flow);
        let mut dimensions: Vec<&str> = self.dimensions.iter().map(String::as_str).collect();
        dimensions.sort_unstable();
        // The keys of an object stand in alphabetical order; one without a value is left out.
        let pairs: Vec<String> = dimensions
            .iter()
            .map(|name| format!("'\"{name}\":\"' || NULLIF(\"{name}\", '') || '\"'"))
            .collect();
        let object = match pairs.as_slice() {
            [] => "'{}'".to_owned(),
            pairs => format!("'{{' || concat_ws(',', {}) || '}}'", pairs.join(", ")),
        };
        let unit = match &self.unit {
            Some(unit) => quoted(unit),
            None => {
                let mut known: BTreeMap<&str, &str> = UNITS.into_iter().collect();
                known.extend(
                    self.units
                        .iter()
                        .map(|(code, unit)| (code.as_str(), unit.as_str())),
                );
                let cases = known
                    .iter()
                    .map(|(code, unit)| format!("WHEN {} THEN {}", quoted(code), quoted(unit)));
                format!(
                    "CASE \"UNIT_MEASURE\" {} END",
                    cases.collect::<Vec<_>>().join(" ")
                )
            }
        };
        let sql = include_str!("indicators.sql")
            .replace(
                "{indicator}",
                &self
                    .dimension
                    .as_ref()
                    .map_or_else(|| quoted(id), |name| format!("\"{name}\"")),
            )
            .replace(
                "{name}",
                &self
                    .name
                    .as_ref()
                    .map_or_else(|| "NULL".to_owned(), |name| quoted(name)),
            )
            .replace("{area}", self.area.as_deref().unwrap_or("REF_AREA"))
            .replace("{dimensions}", &object)
            .replace("{unit}", &unit);
        let mut columns: Vec<&str> = KNOWN.to_vec();
        columns.extend(dimensions);
        Ok(DefaultMapping::new("common.indicators", "merge", &sql).with_columns(&columns))
    }
}
