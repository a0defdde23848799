//! One field of a contract: its type, constraints and meaning.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, TimeUnit};
use regex::Regex;
use serde_json::Value;

use crate::titles::Titles;

/// A field (column) of a contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The column's name, in the words of the standard that the table follows.
    pub name: String,
    /// Its type.
    pub kind: FieldType,
    /// Table Schema `format`, `None` for `default`: `any`, a strptime pattern, `email`, `uri`, `array`, …
    pub format: Option<String>,
    /// Titles by language.
    pub title: Titles,
    /// Table Schema `description`.
    pub description: Option<String>,
    /// Rules each value must keep.
    pub constraints: Constraints,
    /// Texts that mean "no value" in this field, instead of the table's.
    pub missing_values: Option<Vec<String>>,
    /// The unit of the values, a UCUM code (case-sensitive form): `ug/m3`, `Cel`, `m`.
    pub unit: Option<String>,
    /// Who may see the values.
    pub classification: Classification,
    /// For date-times without an offset: the zone whose clock the source shows.
    pub time_zone: Option<chrono_tz::Tz>,
    /// For the time of an observation: which end of its interval the value marks. Such values must not lie in the future, nor a period begin there.
    pub interval: Option<Interval>,
    /// How hard a rule is, by the rule's name; a rule that is not here rejects the row.
    pub severity: BTreeMap<String, Severity>,
    /// Table Schema `examples`: values as a source or a mapping may give them.
    pub examples: Vec<Value>,
    /// Table Schema `rdfType`: the IRI of the notion behind the field.
    pub rdf_type: Option<String>,
    /// Whether no contract names it: the source's drift added it to the stored table.
    pub added: bool,
}

/// Which end of an observation's interval a time marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interval {
    /// The observation has no length: the time is all of it.
    Instant,
    /// The interval begins then.
    Start,
    /// The interval ends then.
    End,
    /// The value names the whole interval: a year, a month, an SDMX time period, a school year.
    Period,
}

impl Interval {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Instant, Self::Start, Self::End, Self::Period];

    /// Whether values of a type mark an interval so: what names a period is a year, a month or a text.
    #[must_use]
    pub fn applies_to(self, kind: &FieldType) -> bool {
        match self {
            Self::Instant | Self::Start | Self::End => {
                matches!(kind, FieldType::Date | FieldType::Datetime)
            }
            Self::Period => matches!(
                kind,
                FieldType::Year | FieldType::YearMonth | FieldType::String
            ),
        }
    }

    /// The word in the contract.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::Start => "start",
            Self::End => "end",
            Self::Period => "period",
        }
    }
}

/// What becomes of a row that breaks a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The row is marked and loaded all the same.
    Warn,
    /// The row is rejected.
    #[default]
    Reject,
}

/// The rules that can be soft: those of a field, then that of a table. `required`, `unique` and types cannot: a row without them has no
/// place to stand.
pub const SOFT_RULES: [&str; 10] = [
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "enum",
    "future",
    "foreignKey",
];

impl Severity {
    /// All of them, from soft to hard.
    pub const ALL: [Self; 2] = [Self::Warn, Self::Reject];

    /// The word in the contract.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Reject => "reject",
        }
    }
}

/// A Table Schema type, and the Arrow type it is stored as.
///
/// | Table Schema `type` | here | Arrow | stored value |
/// |---|---|---|---|
/// | `string` | `String` | `Utf8` | the text, as published; GTFS clock times (`25:10:00`) are strings with a `pattern` |
/// | `integer` | `Integer` | `Int64` | |
/// | `number` | `Number` | `Float64` | |
/// | `number` with `sectorlake.precision` and `.scale` | `Decimal` | `Decimal128(precision, scale)` | exact |
/// | `boolean` | `Boolean` | `Boolean` | `trueValues` and `falseValues` say which texts count |
/// | `date` | `Date` | `Date32` | days since 1970-01-01 |
/// | `datetime` | `Datetime` | `Timestamp(Microsecond, "UTC")` | the instant; a text without offset is read in `sectorlake.time_zone`, else as UTC |
/// | `time` | `Time` | `Utf8` | `HH:MM:SS` (Delta has no time type) |
/// | `year` | `Year` | `Int32` | |
/// | `yearmonth` | `YearMonth` | `Utf8` | `YYYY-MM` |
/// | `geopoint` | `GeoPoint` | `Binary` | WKB point, EPSG:4326, x = longitude |
/// | `geojson` | `GeoJson` | `Binary` | WKB geometry, EPSG:4326 |
/// | `list`, `array` | `List` | `Utf8` | JSON text of an array |
/// | `object` | `Object` | `Utf8` | JSON text of an object |
///
/// `duration` and `any` are refused: write `string`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number of 64 bits.
    Number,
    /// An exact decimal number.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// True or false.
    Boolean {
        /// Texts that mean true.
        true_values: Vec<String>,
        /// Texts that mean false.
        false_values: Vec<String>,
    },
    /// A calendar date.
    Date,
    /// An instant, kept in UTC.
    Datetime,
    /// A time of day.
    Time,
    /// A calendar year.
    Year,
    /// A calendar month of a year.
    YearMonth,
    /// A point on the earth.
    GeoPoint,
    /// A geometry on the earth.
    GeoJson,
    /// A JSON array.
    List,
    /// A JSON object.
    Object,
}

impl FieldType {
    /// The Table Schema word for the type.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number | Self::Decimal { .. } => "number",
            Self::Boolean { .. } => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Time => "time",
            Self::Year => "year",
            Self::YearMonth => "yearmonth",
            Self::GeoPoint => "geopoint",
            Self::GeoJson => "geojson",
            Self::List => "list",
            Self::Object => "object",
        }
    }

    /// The Arrow type that values are stored as; the table stands at [`FieldType`].
    #[must_use]
    pub fn arrow_type(&self) -> DataType {
        match self {
            Self::String | Self::Time | Self::YearMonth | Self::List | Self::Object => {
                DataType::Utf8
            }
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Self::Boolean { .. } => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Datetime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Year => DataType::Int32,
            Self::GeoPoint | Self::GeoJson => DataType::Binary,
        }
    }

    /// Whether values have an order, so that `minimum` and `maximum` make sense (Table Schema v2, "minimum").
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        matches!(
            self,
            Self::Integer
                | Self::Number
                | Self::Decimal { .. }
                | Self::Date
                | Self::Datetime
                | Self::Time
                | Self::Year
                | Self::YearMonth
        )
    }
}

/// The rules of Table Schema that one value can keep or break by itself (and `unique`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Constraints {
    /// A value must be there.
    pub required: bool,
    /// No value may be there twice within one `_source`.
    pub unique: bool,
    /// A regular expression that the whole text must match; see [`Constraints::regex`].
    pub pattern: Option<String>,
    /// The least allowed value, of the field's type.
    pub minimum: Option<Value>,
    /// The greatest allowed value, of the field's type.
    pub maximum: Option<Value>,
    /// Values must be greater than this.
    pub exclusive_minimum: Option<Value>,
    /// Values must be less than this.
    pub exclusive_maximum: Option<Value>,
    /// The least length, in characters (texts) or items (lists, objects).
    pub min_length: Option<usize>,
    /// The greatest length, in characters (texts) or items (lists, objects).
    pub max_length: Option<usize>,
    /// The allowed values, as text.
    pub enumeration: Option<Vec<String>>,
}

impl Constraints {
    /// The `pattern`, anchored at both ends: Table Schema's patterns match whole values.
    ///
    /// # Errors
    /// Never for a parsed contract; [`regex::Error`] where the pattern was set by hand and is no expression.
    pub fn regex(&self) -> Result<Option<Regex>, regex::Error> {
        self.pattern
            .as_deref()
            .map(|pattern| Regex::new(&format!("^(?:{pattern})$")))
            .transpose()
    }
}

/// Who may see a field's values; from open to closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Classification {
    /// Anyone.
    #[default]
    Public,
    /// The city's own staff.
    Internal,
    /// Says something about a person: masked and audited.
    Personal,
}

impl Classification {
    /// All classes, from open to closed.
    pub const ALL: [Self; 3] = [Self::Public, Self::Internal, Self::Personal];

    /// The word in the contract.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Personal => "personal",
        }
    }
}

impl Field {
    /// The Arrow type of the column; the table stands at [`FieldType`].
    #[must_use]
    pub fn arrow_type(&self) -> DataType {
        self.kind.arrow_type()
    }

    /// What becomes of a row whose value breaks the rule: `pattern`, `minimum`, `future`, …
    #[must_use]
    pub fn severity_of(&self, rule: &str) -> Severity {
        self.severity.get(rule).copied().unwrap_or_default()
    }
}

impl Default for Field {
    /// A public text field without a name; for tests and builders.
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: FieldType::String,
            format: None,
            title: Titles::default(),
            description: None,
            constraints: Constraints::default(),
            missing_values: None,
            unit: None,
            classification: Classification::default(),
            time_zone: None,
            interval: None,
            severity: BTreeMap::new(),
            examples: Vec::new(),
            rdf_type: None,
            added: false,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_types_stand_in_the_readme_as_they_do_here() {
        let readme = include_str!("../../../schemas/README.md");
        let documented = include_str!("field.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("/// |"));
        let table: Vec<String> = documented.map(|line| format!("|{line}")).collect();
        assert_eq!(table.len(), 16);
        assert!(readme.contains(&table.join("\n")), "{}", table.join("\n"));
    }
}
