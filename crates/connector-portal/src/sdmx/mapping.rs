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
        self.check()?;
        let id = flow.split(',').nth(1).unwrap_or(flow);
        let mut dimensions: Vec<&str> = self.dimensions.iter().map(String::as_str).collect();
        dimensions.sort_unstable();
        let indicator = match &self.dimension {
            Some(name) => format!("\"{name}\""),
            None => quoted(id),
        };
        let name = self
            .name
            .as_deref()
            .map_or_else(|| "NULL".to_owned(), quoted);
        let sql = include_str!("indicators.sql")
            .replace("{indicator}", &indicator)
            .replace("{area}", self.area.as_deref().unwrap_or("REF_AREA"))
            .replace("{dimensions}", &object(&dimensions))
            .replace("{unit}", &self.unit())
            .replace("{name}", &name);
        let mut columns: Vec<&str> = KNOWN.to_vec();
        columns.extend(dimensions);
        Ok(DefaultMapping::new("common.indicators", "merge", &sql).with_columns(&columns))
    }

    /// Names of dimensions stand in the SQL as they are.
    fn check(&self) -> Result<(), SettingsError> {
        let named = [("dimension", &self.dimension), ("area", &self.area)];
        let named = named
            .into_iter()
            .filter_map(|(key, name)| Some((key, name.as_ref()?)));
        let listed = self.dimensions.iter().map(|name| ("dimensions", name));
        let is_id =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'@');
        let is_wrong = |name: &String| name.is_empty() || !name.bytes().all(is_id);
        match named.chain(listed).find(|(_, name)| is_wrong(name)) {
            None => Ok(()),
            Some((key, name)) => {
                let path = ["indicators", key].map(str::to_owned).to_vec();
                let message = format!("{name:?} is no dimension");
                Err(SettingsError::new(path, message)
                    .with_help("write its id, as in REF_AREA, not its name"))
            }
        }
    }

    /// The unit as an expression.
    fn unit(&self) -> String {
        if let Some(unit) = &self.unit {
            return quoted(unit);
        }
        let mut known: BTreeMap<&str, &str> = UNITS.into_iter().collect();
        let own = self.units.iter();
        known.extend(own.map(|(code, unit)| (code.as_str(), unit.as_str())));
        let cases = known
            .iter()
            .map(|(code, unit)| format!("WHEN {} THEN {}", quoted(code), quoted(unit)));
        let cases: Vec<String> = cases.collect();
        format!("CASE \"UNIT_MEASURE\" {} END", cases.join(" "))
    }
}

/// An object of these dimensions, whose keys stand in alphabetical order; one without a value is left out.
fn object(dimensions: &[&str]) -> String {
    let pairs = dimensions
        .iter()
        .map(|name| format!("'\"{name}\":\"' || NULLIF(\"{name}\", '') || '\"'"));
    match pairs.collect::<Vec<_>>().as_slice() {
        [] => "'{}'".to_owned(),
        pairs => format!("'{{' || concat_ws(',', {}) || '}}'", pairs.join(", ")),
    }
}
