//! Options of text formats.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Options of delimited text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvFormat {
    /// The character between fields. Left out: the one of `,` `;` tab `|` that divides the first records evenly, else `,`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// The character around fields, or `none` where quotes mean nothing. Left out: `"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// The encoding's name, such as `windows-1258`, `utf-16le`, `tcvn3` or `vni`. Left out: by byte order mark, else UTF-8 where the
    /// text is that, else as the text's bytes tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Lines before the header that are left out: titles, notes. The header is the first line after them that is not empty. Left out:
    /// 0, or the titles where the first records show them beyond doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_rows: Option<usize>,
    /// The lines, from 1, that hold the header; data follow the last. Several are joined with a space, and a cell of an upper line
    /// stands for the empty ones to its right. Left out: the first line that is not empty. `[]`: there is none, and columns are named
    /// `column_1` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_rows: Option<Vec<usize>>,
    /// Records at the end that are no data: notes, sources. Left out: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_footer: Option<usize>,
    /// A regular expression: from the first record on whose first field it finds, nothing is data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// Lines that begin with this character are no records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<char>,
    /// What becomes of a record with fewer fields than the header. Left out: `reject`.
    #[serde(default, skip_serializing_if = "ShortRecords::is_reject")]
    pub short_records: ShortRecords,
    /// Whether a record that repeats the header is dropped, and counted as such. Left out: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop_repeated_header: Option<bool>,
}

/// What stands around fields of delimited text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// This character.
    Char(char),
    /// Nothing: quotes are text like any other.
    None,
}

impl Serialize for Quote {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Char(quote) => serializer.serialize_char(*quote),
            Self::None => serializer.serialize_str("none"),
        }
    }
}

impl<'de> Deserialize<'de> for Quote {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(quote), None) => Ok(Self::Char(quote)),
            _ if text == "none" => Ok(Self::None),
            _ => Err(serde::de::Error::custom(
                "`quote` is a single character, or `none`",
            )),
        }
    }
}

impl JsonSchema for Quote {
    fn schema_name() -> Cow<'static, str> {
        "Quote".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The character around fields, or `none`.",
            "anyOf": [{ "type": "string", "minLength": 1, "maxLength": 1 }, { "const": "none" }],
        })
    }
}

/// What becomes of a record with fewer fields than the header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShortRecords {
    /// It is broken, and kept apart.
    #[default]
    Reject,
    /// Its missing last fields are empty.
    Fill,
}

impl ShortRecords {
    fn is_reject(&self) -> bool {
        *self == Self::Reject
    }
}

/// Options of fixed-width text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedFormat {
    /// The columns, in any order, at least one; characters that no column takes are not read.
    #[serde(default)]
    pub columns: Vec<FixedColumn>,
    /// The encoding's name. Left out: as for `csv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Lines at the start that are no data: titles, a header. Left out: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_rows: Option<usize>,
    /// Lines at the end that are no data. Left out: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_footer: Option<usize>,
    /// A regular expression: from the first line on in which it is found, nothing is data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// Lines that begin with this character are no records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<char>,
}

/// A column of fixed-width text; blanks around a value are no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedColumn {
    /// Its name.
    pub name: String,
    /// Its first character in the line, from 1.
    pub start: usize,
    /// How many characters it has.
    pub width: usize,
}
