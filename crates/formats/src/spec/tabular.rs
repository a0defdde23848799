//! Options of formats that are grids of cells.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Options of a workbook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkbookFormat {
    /// The sheet: its name, or `{ pattern: "…" }`, a regular expression. All visible sheets that it is found in are read one after the
    /// other, where their headers are equal; the column `_sheet` names each row's. Left out: the first visible sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<SheetName>,
    /// The sheet's rows, from 1, that hold the header; data follow the last. Several are joined with a space, merged cells counting for
    /// all that they cover. Left out: the first row that names the columns in use, where that is certain. `[]`: there is none, and
    /// columns are named `column_1` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_rows: Option<Vec<usize>>,
    /// The sheet's row, from 1, that holds the columns' units, which is no data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_row: Option<usize>,
    /// The columns to read, as the sheet names them: `B:G`. What stands in others is left out. Left out: those that have a header, or
    /// that most rows fill; a record with cells elsewhere is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<String>,
    /// Rows at the top that are left out: titles. The header is looked for after them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_rows: Option<usize>,
    /// A regular expression: a row in whose first cell that is not empty it is found is dropped, and counted as such. For totals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop_rows: Option<String>,
    /// A regular expression: from the first row on in whose first cell that is not empty it is found, nothing is data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// Columns, by name, whose empty cells take the value of the row above: a year that stands on its first month's row only. Cells
    /// that are merged downwards are filled without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fill_down: Vec<String>,
    /// The encoding of fonts that the cells were typed in, which show Latin letters as Vietnamese ones: `tcvn3` (fonts named `.Vn…`),
    /// `tcvn-5712` or `vni`. Cells with other letters, such as Vietnamese ones in Unicode, stay. Left out: cells are Unicode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What becomes of cells whose formula failed (`#DIV/0!`, `#N/A`). Left out: `reject`.
    #[serde(default, skip_serializing_if = "FormulaErrors::is_reject")]
    pub formula_errors: FormulaErrors,
}

/// What becomes of cells whose formula failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FormulaErrors {
    /// A record with one, in a column that is read, is rejected; the reason names the cell.
    #[default]
    Reject,
    /// The cell holds the error's text, such as `#N/A`, which `missingValues` of a contract may name.
    Text,
    /// The cell is empty.
    Empty,
}

impl FormulaErrors {
    fn is_reject(&self) -> bool {
        *self == Self::Reject
    }
}

/// Which sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SheetName {
    /// The one of this name.
    Name(String),
    /// All visible ones that a regular expression is found in.
    Pattern {
        /// The regular expression.
        pattern: String,
    },
}

impl<'de> Deserialize<'de> for SheetName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrPattern)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pattern {
    pattern: String,
}

/// Not an untagged enum: those lose which key is unknown.
struct NameOrPattern;

impl<'de> Visitor<'de> for NameOrPattern {
    type Value = SheetName;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a sheet's name, or a map with `pattern`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<SheetName, E> {
        Ok(SheetName::Name(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SheetName, A::Error> {
        let Pattern { pattern } = Pattern::deserialize(MapAccessDeserializer::new(map))?;
        Ok(SheetName::Pattern { pattern })
    }
}

impl JsonSchema for SheetName {
    fn schema_name() -> Cow<'static, str> {
        "SheetName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A sheet's name, or all visible sheets that a regular expression is found in.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": { "pattern": { "type": "string" } },
                    "required": ["pattern"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// Options of a web page's table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HtmlFormat {
    /// Which table: its number in the page, from 1, its `id`, or a part of its caption. Left out: the one with most cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<HtmlTable>,
    /// The encoding's name, as for `csv`. Left out: as the page or its bytes tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The table's rows, from 1, that hold the header; data follow the last. Several are joined with a space, and cells that span count
    /// for all that they cover. Left out: the rows that the page marks as header, else the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_rows: Option<Vec<usize>>,
    /// A regular expression: a row in whose first cell that is not empty it is found is dropped, and counted as such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop_rows: Option<String>,
    /// A regular expression: from the first row on in whose first cell that is not empty it is found, nothing is data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// Columns, by name, whose empty cells take the value of the row above.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fill_down: Vec<String>,
}

/// Which table of a web page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HtmlTable {
    /// Its number in the page, from 1.
    Number(usize),
    /// Its `id`, or a part of its caption.
    Text(String),
}
