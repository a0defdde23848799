//! A contract: the fields, keys and layout of one table.

use std::collections::BTreeMap;
use std::fmt;

use crate::field::{Field, Severity};
use crate::name::TableName;
use crate::titles::Titles;

/// The contract of one table, read from a Table Schema descriptor with the `sectorlake` key of the design page.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// The table; the file's place names it, not its content.
    pub name: TableName,
    /// Titles by language.
    pub title: Titles,
    /// Table Schema `description`.
    pub description: Option<String>,
    /// The fields, in the order of the columns.
    pub fields: Vec<Field>,
    /// The fields that name a row; empty if nothing does.
    pub primary_key: Vec<String>,
    /// Keys into other tables, or into this one.
    pub foreign_keys: Vec<ForeignKey>,
    /// Texts that mean "no value"; Table Schema's default is the empty text.
    pub missing_values: Vec<String>,
    /// The contract's own version.
    pub version: String,
    /// The vocabulary that names and codes follow.
    pub standard: Option<String>,
    /// Who answers for the table.
    pub owner: Option<String>,
    /// The licence of the data, an SPDX id where there is one.
    pub licence: Option<String>,
    /// Physical partitions after `_source`.
    pub partition_by: Vec<PartitionBy>,
    /// The fields that rows of a file are sorted by.
    pub cluster_by: Vec<String>,
    /// Where keys are unique.
    pub key_scope: KeyScope,
    /// How hard a rule of the table is (`foreignKey`); a rule that is not here rejects the row.
    pub severity: BTreeMap<String, Severity>,
}

/// Within what a primary key is unique.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyScope {
    /// Within the rows of one `_source`.
    #[default]
    Source,
    /// Within the whole table.
    Lake,
}

impl KeyScope {
    /// The word in the contract.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Lake => "lake",
        }
    }
}

/// A physical partition of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionBy {
    /// By the values of a field.
    Field(String),
    /// By the month of a date or date-time: a column `_<field>_month`, `2024-01`.
    Month {
        /// The date or date-time.
        field: String,
    },
    /// By the year of a date or date-time: a column `_<field>_year`, `2024`.
    Year {
        /// The date or date-time.
        field: String,
    },
}

impl PartitionBy {
    /// The field that the partition is made from.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::Field(field) | Self::Month { field } | Self::Year { field } => field,
        }
    }

    /// The name of the physical partition column.
    #[must_use]
    pub fn column(&self) -> String {
        match self {
            Self::Field(field) => field.clone(),
            Self::Month { field } => format!("_{field}_month"),
            Self::Year { field } => format!("_{field}_year"),
        }
    }
}

/// As in the contract: `field`, `month(field)`, `year(field)`.
impl fmt::Display for PartitionBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field),
            Self::Month { field } => write!(f, "month({field})"),
            Self::Year { field } => write!(f, "year({field})"),
        }
    }
}

/// Fields whose values must stand in another table, or in one of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The fields of this table.
    pub fields: Vec<String>,
    /// Where the values may stand: one target is Table Schema's `foreignKeys`, several are `sectorlake.foreign_keys_any`.
    pub targets: Vec<KeyTarget>,
}

/// The table and fields that a foreign key points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTarget {
    /// The table; the contract's own for a self-reference.
    pub table: TableName,
    /// Its fields, as many as the key has.
    pub fields: Vec<String>,
}

impl Contract {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether each row must hold a value of the field: it is `required` or in the primary key.
    #[must_use]
    pub fn is_required(&self, field: &Field) -> bool {
        field.constraints.required || self.primary_key.contains(&field.name)
    }

    /// What becomes of a row that breaks a rule of the table: `foreignKey`.
    #[must_use]
    pub fn severity_of(&self, rule: &str) -> Severity {
        self.severity.get(rule).copied().unwrap_or_default()
    }

    /// The first number of `version`: contracts of one major version read and write one table.
    #[must_use]
    pub fn major(&self) -> u64 {
        major(&self.version).unwrap_or(1)
    }

    /// The texts that mean "no value" in the field.
    #[must_use]
    pub fn missing_values_of<'a>(&'a self, field: &'a Field) -> &'a [String] {
        field
            .missing_values
            .as_deref()
            .unwrap_or(&self.missing_values)
    }
}

/// The first number of a version such as `2`, `2.1` or `2.1.0-draft`.
pub(crate) fn major(version: &str) -> Option<u64> {
    let digits = version.split(['.', '-', '+']).next()?;
    digits.parse().ok().filter(|major| *major > 0)
}
