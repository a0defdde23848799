//! Observations of any dataflow onto `common.indicators`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sectorlake_connector::{ConnectorError, DefaultMapping, ErrorKind, SettingsError, nearest};
use serde::Deserialize;

use super::Format;
use super::structure::{DataStructure, Flow};

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
const KNOWN: [&str; 5] = [
    "REF_AREA",
    "TIME_PERIOD",
    "OBS_VALUE",
    "OBS_STATUS",
    "COMMENT_OBS",
];
/// What publishers call the dimension of the place: SDMX's own word, then Eurostat, the Pacific Data Hub, the OECD before 2023.
const AREAS: [&str; 6] = ["REF_AREA", "GEO", "GEO_PICT", "LOCATION", "COUNTRY", "COU"];
const FREQUENCIES: [&str; 2] = ["FREQ", "FREQUENCY"];
const UNIT_COLUMNS: [&str; 2] = ["UNIT_MEASURE", "UNIT"];

/// How observations become rows of `common.indicators`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Indicators {
    /// The dimension whose code is the indicator: `INDICATOR`, `MEASURE`. Default: the dataflow is the indicator.
    #[serde(default)]
    dimension: Option<String>,
    /// The dimension of the place. Default: `REF_AREA`, or what the dataflow's structure has in its place: `GEO`, `GEO_PICT`,
    /// `LOCATION`, `COUNTRY`, `COU`.
    #[serde(default)]
    area: Option<String>,
    /// The dimensions that tell observations apart beside indicator, place, period and frequency: `[SEX, AGE]`. Default: all that
    /// the dataflow's structure has, which the service is asked for in each run; where they are written it is not asked.
    #[serde(default)]
    dimensions: Option<Vec<String>>,
    /// The unit of all observations, in UCUM. Default: what `UNIT_MEASURE` says.
    #[serde(default)]
    unit: Option<String>,
    /// Codes of `UNIT_MEASURE` in UCUM, beside those known: `{ PT_B1GQ: "%" }`. A code that is not known is rejected.
    #[serde(default)]
    units: BTreeMap<String, String>,
    /// The name of the indicator, where it is the dataflow. Default: the dataflow's own, where the service was asked.
    #[serde(default)]
    name: Option<String>,
}

fn is_id(name: &str) -> bool {
    let is_letter =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'@');
    !name.is_empty() && name.bytes().all(is_letter)
}

/// The column that has one of these names, the first name first.
fn called<'a>(columns: &[&'a str], names: &[&str]) -> Option<&'a str> {
    let find = |name: &&str| columns.iter().find(|it| it.eq_ignore_ascii_case(name));
    names.iter().find_map(find).copied()
}

fn no_area(dimensions: &[&str]) -> ConnectorError {
    let message = "the dataflow has no dimension that is known to be the place";
    ConnectorError::new(ErrorKind::Invalid, message).with_help(format!(
        "write `indicators: {{ area: … }}` with one of: {}; or, where the pipeline has a mapping of its own, `indicators: {{ dimensions: [] }}`",
        dimensions.join(", ")
    ))
}

fn unknown_dimension(name: &str, dimensions: &[&str]) -> ConnectorError {
    let message = format!("the dataflow has no dimension {name:?}");
    let help = match nearest(name, dimensions.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("it has: {}", dimensions.join(", ")),
    };
    ConnectorError::new(ErrorKind::Invalid, message).with_help(help)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What the service tells of the dataflow: itself, and what its data are made of.
pub(super) type Told<'a> = (Option<&'a Flow>, &'a DataStructure);

/// The columns that stand for what every statistic has.
struct Roles<'a> {
    area: &'a str,
    frequency: &'a str,
    unit: &'a str,
    /// In alphabetical order.
    dimensions: Vec<&'a str>,
}

impl Indicators {
    /// Whether the service must be asked what the data are made of.
    pub(super) fn asks(&self) -> bool {
        self.dimensions.is_none()
    }

    pub(super) fn mapping(
        &self,
        flow: &str,
        told: Option<Told<'_>>,
        format: Format,
    ) -> Result<DefaultMapping, ConnectorError> {
        let roles = self.roles(told.map(|(_, structure)| structure))?;
        let label = |column: &str| match format {
            Format::Json => format!("\"{column}_label\""),
            Format::Csv => "NULL".to_owned(),
        };
        let own_name = || told.and_then(|(flow, _)| flow?.name.as_deref());
        let (indicator, name) = match &self.dimension {
            Some(column) => (format!("\"{column}\""), label(column)),
            None => {
                let id = flow.split(',').nth(1).unwrap_or(flow);
                let name = self.name.as_deref().or_else(own_name);
                (quoted(id), name.map_or_else(|| "NULL".to_owned(), quoted))
            }
        };
        let sql = include_str!("indicators.sql")
            .replace("{indicator}", &indicator)
            .replace("{area}", roles.area)
            .replace("{area_name}", &label(roles.area))
            .replace("{freq}", roles.frequency)
            .replace("{dimensions}", &object(&roles.dimensions))
            .replace("{unit}", &self.unit(roles.unit))
            // The last, since it is a text of the publisher's.
            .replace("{name}", &name);
        let labelled = [Some(roles.area), self.dimension.as_deref()];
        let labels: Vec<String> = labelled
            .into_iter()
            .flatten()
            .map(|column| format!("{column}_label"))
            .collect();
        let mut columns = KNOWN.to_vec();
        columns.extend([roles.frequency, roles.unit]);
        columns.extend(roles.dimensions);
        if format == Format::Json {
            columns.extend(labels.iter().map(String::as_str));
        }
        Ok(DefaultMapping::new("common.indicators", "merge", &sql).with_columns(&columns))
    }

    /// Which column is what, by the settings, then by the structure.
    fn roles<'a>(
        &'a self,
        structure: Option<&'a DataStructure>,
    ) -> Result<Roles<'a>, ConnectorError> {
        let ids = |structure: Option<&'a DataStructure>| {
            let ids = structure.into_iter().flat_map(|it| &it.dimensions);
            ids.map(String::as_str).filter(|id| is_id(id)).collect()
        };
        let dimensions: Vec<&str> = ids(structure);
        let attributes = structure.into_iter().flat_map(|it| &it.attributes);
        let columns: Vec<&str> = attributes
            .map(String::as_str)
            .filter(|id| is_id(id))
            .chain(dimensions.iter().copied())
            .collect();
        let area = match (&self.area, structure) {
            (Some(area), _) => area,
            (None, None) => AREAS[0],
            (None, Some(_)) => called(&dimensions, &AREAS).ok_or_else(|| no_area(&dimensions))?,
        };
        let frequency = called(&dimensions, &FREQUENCIES).unwrap_or(FREQUENCIES[0]);
        let named = [self.dimension.as_deref(), Some(area)];
        if let Some(unknown) = named
            .iter()
            .flatten()
            .find(|name| !dimensions.contains(name))
            && structure.is_some()
        {
            return Err(unknown_dimension(unknown, &dimensions));
        }
        let is_rest = |id: &&str| !named.contains(&Some(*id)) && *id != frequency;
        let mut rest: Vec<&str> = match &self.dimensions {
            Some(listed) => listed.iter().map(String::as_str).collect(),
            None => dimensions.iter().copied().filter(is_rest).collect(),
        };
        rest.sort_unstable();
        Ok(Roles {
            area,
            frequency,
            unit: called(&columns, &UNIT_COLUMNS).unwrap_or(UNIT_COLUMNS[0]),
            dimensions: rest,
        })
    }

    /// Names of dimensions stand in the SQL as they are.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let named = [("dimension", &self.dimension), ("area", &self.area)];
        let named = named
            .into_iter()
            .filter_map(|(key, name)| Some((key, name.as_ref()?)));
        let listed = self.dimensions.iter().flatten();
        let listed = listed.map(|name| ("dimensions", name));
        match named.chain(listed).find(|(_, name)| !is_id(name)) {
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
    fn unit(&self, column: &str) -> String {
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
        format!("CASE \"{column}\" {} END", cases.join(" "))
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
