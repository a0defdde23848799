//! The name of a table: its sector and its own name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The longest name of a schema or a table, in bytes: PostgreSQL's bound, so that every client can show it.
const NAME_BYTES_MAX: usize = 63;

/// A table's name, `schema.table`, for instance `transport.stops`.
///
/// Both parts are lower-case ASCII words (`[a-z][a-z0-9_]*`), so that no SQL client needs to quote them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    schema: String,
    table: String,
}

/// Why a text is no table name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// There is no single dot.
    #[error("{0:?} is not of the form schema.table")]
    Form(String),
    /// A part has other characters than the allowed ones.
    #[error(
        "{part:?} in {name:?} is not a lower-case word (a-z, then a-z, 0-9 and _; at most 63 bytes)"
    )]
    Part {
        /// The whole name.
        name: String,
        /// The part that is wrong.
        part: String,
    },
}

impl TableName {
    /// A name from its two parts.
    ///
    /// # Errors
    /// [`NameError::Part`] where a part is no lower-case word.
    pub fn new(schema: impl Into<String>, table: impl Into<String>) -> Result<Self, NameError> {
        let (schema, table) = (schema.into(), table.into());
        for part in [&schema, &table] {
            if !is_word(part) {
                return Err(NameError::Part {
                    name: format!("{schema}.{table}"),
                    part: part.clone(),
                });
            }
        }
        Ok(Self { schema, table })
    }

    /// The sector: the folder under `schemas/` and the SQL schema.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The table's own name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

impl FromStr for TableName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split_once('.') {
            Some((schema, table)) if !table.contains('.') => Self::new(schema, table),
            _ => Err(NameError::Form(text.to_owned())),
        }
    }
}

impl Serialize for TableName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TableName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

fn is_word(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::TableName;

    #[test]
    fn only_two_lower_case_words_are_a_name() {
        for (text, sound) in [
            ("transport.stops", true),
            ("a1.b_2", true),
            ("stops", false),
            ("a.b.c", false),
            ("Transport.stops", false),
            ("transport.", false),
            ("1a.b", false),
            ("transport.điểm", false),
            ("transport.../x", false),
        ] {
            let name = text.parse::<TableName>();
            assert_eq!(name.is_ok(), sound, "{text}");
            assert!(name.is_err() || name.is_ok_and(|name| name.to_string() == text));
        }
        assert!(
            format!("a.{}", "b".repeat(64))
                .parse::<TableName>()
                .is_err()
        );
    }
}
