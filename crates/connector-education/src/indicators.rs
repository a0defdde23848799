//! What the records of an indicator leave unsaid, as settings say it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// What the records of an indicator leave unsaid.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Indicator {
    /// Its unit as a UCUM code: `%`, `{person}`, `1` for an index or a ratio.
    pub(crate) unit: String,
    /// Its name, as the publisher writes it.
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// `|code=value|code=value|`, which the mapping looks a code up in: a mapping is row-wise and joins no list of ours.
pub(crate) fn by_code(
    indicators: &BTreeMap<String, Indicator>,
    value: impl Fn(&Indicator) -> Option<&String>,
) -> String {
    let mut list = String::from("|");
    for (code, indicator) in indicators {
        if let Some(value) = value(indicator) {
            list.push_str(&format!("{code}={}|", value.replace('|', "/")));
        }
    }
    list
}
