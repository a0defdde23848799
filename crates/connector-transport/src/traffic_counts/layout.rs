//! Which column of a table is what, and the mapping that this makes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sectorlake_connector::{DefaultMapping, SettingsError};
use serde::Deserialize;
use serde_json::json;

/// Which column is what. Names are the table's own; `{ value: … }` is the same in every row.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    /// The counter.
    site_id: Cell,
    /// The counter's name or place.
    #[serde(default)]
    site_name: Option<Cell>,
    /// When counting began.
    period_start: String,
    /// How `period_start` is written, such as `%d/%m/%Y %H:%M` (chrono), or `dmy`. Default: as ISO 8601.
    #[serde(default)]
    time_format: Option<String>,
    /// The IANA zone of times that give no offset, such as `Asia/Ho_Chi_Minh`. Default: UTC.
    #[serde(default)]
    time_zone: Option<String>,
    /// How long counting lasted, such as `15m`, `1h` or `1d`.
    period: String,
    /// How many were counted; left out where `directions` or `vehicle_types` name the columns of counts.
    #[serde(default)]
    vehicle_count: Option<String>,
    /// In DATEX II's words: `northBound`, `inboundTowardsTown`, …. Default: `allDirections`.
    #[serde(default)]
    direction: Option<Cell>,
    /// In DATEX II's words: `bicycle`, `motorcycle`, `car`, …. Default: `anyVehicle`.
    #[serde(default)]
    vehicle_type: Option<Cell>,
    /// Columns of counts, one a direction, and the direction of each.
    #[serde(default)]
    directions: BTreeMap<String, String>,
    /// Columns of counts, one a vehicle type, and the type of each.
    #[serde(default)]
    vehicle_types: BTreeMap<String, String>,
    /// Mean speed in km/h.
    #[serde(default)]
    average_vehicle_speed: Option<String>,
    /// The source's own flag of quality.
    #[serde(default)]
    result_quality: Option<String>,
    /// WGS 84, in degrees; with `latitude`.
    #[serde(default)]
    longitude: Option<String>,
    /// WGS 84, in degrees; with `longitude`.
    #[serde(default)]
    latitude: Option<String>,
}

/// A column's name, or what stands in every row.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Cell {
    /// A column.
    Column(String),
    /// The same in every row.
    Same {
        /// What it is.
        value: String,
    },
}

/// Where a wide table's column name and count stand once they are rows.
const NAME: &str = "counted_column";
const VALUE: &str = "counted";

impl Cell {
    fn sql(&self) -> String {
        match self {
            Self::Column(name) => column(name),
            Self::Same { value } => text(value),
        }
    }
}

/// A name as SQL has it.
fn column(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL has it.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

impl Columns {
    /// The mapping onto `transport.traffic_counts`.
    pub(super) fn mapping(&self) -> Result<DefaultMapping, SettingsError> {
        let wide = match (self.directions.is_empty(), self.vehicle_types.is_empty()) {
            (true, true) => None,
            (false, true) => Some(&self.directions),
            (true, false) => Some(&self.vehicle_types),
            (false, false) => {
                return Err(wrong("vehicle_types", "stands beside `directions`")
                    .with_help("a column counts either a direction or a type; map the table with SQL of your own"));
            }
        };
        let count = match (&self.vehicle_count, wide) {
            (Some(name), None) => column(name),
            (None, Some(_)) => column(VALUE),
            (Some(_), Some(_)) => {
                return Err(
                    wrong("vehicle_count", "stands beside the columns of counts")
                        .with_help("leave one of them out"),
                );
            }
            (None, None) => {
                return Err(wrong("vehicle_count", "is missing")
                    .with_help("name the column that counts, or the columns in `directions` or `vehicle_types`"));
            }
        };
        let mut sql = self.sql(&count)?;
        if let Some(wide) = wide {
            let names: Vec<String> = wide.keys().map(|name| text(name)).collect();
            sql.push_str(&format!(
                "\nWHERE {} IN ({})",
                column(NAME),
                names.join(", ")
            ));
        }
        let mut mapping = DefaultMapping::new("transport.traffic_counts", "replace", &sql);
        mapping.unpivot = wide.map(|_| self.unpivot());
        Ok(mapping)
    }

    fn sql(&self, count: &str) -> Result<String, SettingsError> {
        let cell = |cell: &Option<Cell>, default: &str| {
            cell.as_ref().map_or_else(|| text(default), Cell::sql)
        };
        let optional = |name: &Option<String>, alias: &str| match name {
            Some(name) => format!(",\n  NULLIF({}, '') AS {alias}", column(name)),
            None => String::new(),
        };
        let direction = match self.directions.is_empty() {
            true => cell(&self.direction, "allDirections"),
            false => cases(&self.directions),
        };
        let vehicle = match self.vehicle_types.is_empty() {
            true => cell(&self.vehicle_type, "anyVehicle"),
            false => cases(&self.vehicle_types),
        };
        let location = match (&self.longitude, &self.latitude) {
            (Some(longitude), Some(latitude)) => {
                format!(
                    ",\n  {} || ', ' || {} AS location",
                    column(longitude),
                    column(latitude)
                )
            }
            (None, None) => String::new(),
            _ => {
                return Err(
                    wrong("longitude", "goes with `latitude`").with_help("name both, or neither")
                );
            }
        };
        let name = match &self.site_name {
            Some(name) => format!(", {} AS site_name", name.sql()),
            None => String::new(),
        };
        Ok(format!(
            "SELECT {} AS site_id{name}, {direction} AS direction, {vehicle} AS vehicle_type,\n  {} AS period_start, {} AS period_length,\n  \
             CAST(CAST(NULLIF(CAST({count} AS text), '') AS DOUBLE) AS BIGINT) AS vehicle_count{}{}{location}\nFROM source",
            self.site_id.sql(),
            self.start(),
            seconds(&self.period)?,
            optional(&self.average_vehicle_speed, "average_vehicle_speed"),
            optional(&self.result_quality, "result_quality"),
        ))
    }

    /// Times with an offset are cast by the contract; others are read by their format and zone.
    fn start(&self) -> String {
        let start = column(&self.period_start);
        match (&self.time_format, &self.time_zone) {
            (None, None) => start,
            (format, zone) => format!(
                "parse_timestamp({start}, {}, {})",
                text(format.as_deref().unwrap_or("iso")),
                text(zone.as_deref().unwrap_or("UTC"))
            ),
        }
    }

    /// Every column that is not kept becomes rows; the mapping takes those that count.
    fn unpivot(&self) -> serde_json::Value {
        let cells = [
            Some(&self.site_id),
            self.site_name.as_ref(),
            self.direction.as_ref(),
            self.vehicle_type.as_ref(),
        ];
        let of_cells = cells.into_iter().flatten().filter_map(|cell| match cell {
            Cell::Column(name) => Some(name),
            Cell::Same { .. } => None,
        });
        let named = [
            Some(&self.period_start),
            self.average_vehicle_speed.as_ref(),
            self.result_quality.as_ref(),
            self.longitude.as_ref(),
            self.latitude.as_ref(),
        ];
        let mut keep: Vec<&String> = of_cells.chain(named.into_iter().flatten()).collect();
        keep.sort_unstable();
        keep.dedup();
        json!({ "keep": keep, "name": NAME, "value": VALUE })
    }
}

fn cases(wide: &BTreeMap<String, String>) -> String {
    let cases = wide
        .iter()
        .map(|(name, meaning)| format!("WHEN {} THEN {}", text(name), text(meaning)));
    format!(
        "CASE {} {} END",
        column(NAME),
        cases.collect::<Vec<_>>().join(" ")
    )
}

fn wrong(key: &str, message: &str) -> SettingsError {
    SettingsError::new(vec!["columns".to_owned(), key.to_owned()], message)
}

/// Seconds of a period such as `15m`.
fn seconds(period: &str) -> Result<u64, SettingsError> {
    let digits = period.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let unit = match &period[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 0,
    };
    let length = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit));
    length.filter(|length| *length > 0).ok_or_else(|| {
        wrong("period", "is no period").with_help("write a number with s, m, h or d, such as 15m")
    })
}
