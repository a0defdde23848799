//! The `format:` of a pipeline file: a name, or a name with options.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// How a part is read. Written as a name (`csv`) or as `{ name: csv, delimiter: ";" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum FormatSpec {
    /// Delimited text.
    Csv(CsvFormat),
    /// A JSON document that is, or holds, a list of records.
    Json(JsonFormat),
    /// A JSON value per line.
    Ndjson(NdjsonFormat),
    /// A sheet of an Excel workbook.
    Xlsx(XlsxFormat),
    /// A GeoJSON FeatureCollection.
    Geojson(GeojsonFormat),
    /// Apache Parquet.
    Parquet(ParquetFormat),
}

/// Options of delimited text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvFormat {
    /// The character between fields. Left out: the one of `,` `;` tab `|` that divides the first records evenly, else `,`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// The character around fields. Left out: `"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<char>,
    /// The encoding's name, such as `windows-1258`. Left out: by byte order mark, else UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The lines, from 1, that hold the header; data follow the last. Several are joined with a space. Left out: the first line that
    /// is not empty. `[]`: there is none, and columns are named `column_1` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_rows: Option<Vec<usize>>,
    /// What becomes of a record with fewer fields than the header.
    #[serde(default, skip_serializing_if = "ShortRecords::is_reject")]
    pub short_records: ShortRecords,
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

/// Options of a JSON document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonFormat {
    /// The way to the list of records, such as `results` or `data.items`. Left out: the document itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_path: Option<String>,
}

/// Options of a JSON value per line: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NdjsonFormat {}

/// Options of a workbook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XlsxFormat {
    /// The sheet's name. Left out: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The sheet's rows, from 1, that hold the header; data follow the last. Several are joined with a space. Left out: the first row
    /// that is not empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_rows: Option<Vec<usize>>,
}

/// Options of GeoJSON: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeojsonFormat {}

/// Options of Parquet: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParquetFormat {}

/// [`FormatSpec`] as a map.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "name", rename_all = "lowercase")]
enum Options {
    /// Delimited text.
    Csv(CsvFormat),
    /// A JSON document that is, or holds, a list of records.
    Json(JsonFormat),
    /// A JSON value per line.
    Ndjson(NdjsonFormat),
    /// A sheet of an Excel workbook.
    Xlsx(XlsxFormat),
    /// A GeoJSON FeatureCollection.
    Geojson(GeojsonFormat),
    /// Apache Parquet.
    Parquet(ParquetFormat),
}

const NAMES: &[&str] = &["csv", "json", "ndjson", "xlsx", "geojson", "parquet"];

impl From<Options> for FormatSpec {
    fn from(options: Options) -> Self {
        match options {
            Options::Csv(csv) => Self::Csv(csv),
            Options::Json(json) => Self::Json(json),
            Options::Ndjson(ndjson) => Self::Ndjson(ndjson),
            Options::Xlsx(xlsx) => Self::Xlsx(xlsx),
            Options::Geojson(geojson) => Self::Geojson(geojson),
            Options::Parquet(parquet) => Self::Parquet(parquet),
        }
    }
}

impl FormatSpec {
    /// The format's name, as `format:` has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Json(_) => "json",
            Self::Ndjson(_) => "ndjson",
            Self::Xlsx(_) => "xlsx",
            Self::Geojson(_) => "geojson",
            Self::Parquet(_) => "parquet",
        }
    }

    /// The format of that name, without options.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "csv" => Self::Csv(CsvFormat::default()),
            "json" => Self::Json(JsonFormat::default()),
            "ndjson" => Self::Ndjson(NdjsonFormat {}),
            "xlsx" => Self::Xlsx(XlsxFormat::default()),
            "geojson" => Self::Geojson(GeojsonFormat {}),
            "parquet" => Self::Parquet(ParquetFormat {}),
            _ => return None,
        })
    }
}

impl<'de> Deserialize<'de> for FormatSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrOptions)
    }
}

/// Not an untagged enum: those lose which key is unknown.
struct NameOrOptions;

impl<'de> Visitor<'de> for NameOrOptions {
    type Value = FormatSpec;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a format's name, or a map with `name` and options")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<FormatSpec, E> {
        FormatSpec::from_name(name).ok_or_else(|| E::unknown_variant(name, NAMES))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FormatSpec, A::Error> {
        Options::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
    }
}

impl JsonSchema for FormatSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Format".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let options = generator.subschema_for::<Options>();
        json_schema!({
            "description": "How a part is read: a format's name, or its name with options. Left out: guessed from content and name.",
            "anyOf": [{ "type": "string", "enum": NAMES }, options],
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn read(text: &str) -> Result<FormatSpec, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_options() {
        assert_eq!(read(r#""csv""#), Ok(FormatSpec::Csv(CsvFormat::default())));
        let written = r#"{"name": "csv", "delimiter": ";", "header_rows": [3]}"#;
        let csv = CsvFormat {
            delimiter: Some(';'),
            header_rows: Some(vec![3]),
            ..CsvFormat::default()
        };
        assert_eq!(read(written), Ok(FormatSpec::Csv(csv.clone())));
        let again = serde_json::to_string(&FormatSpec::Csv(csv.clone())).unwrap();
        assert_eq!(read(&again), Ok(FormatSpec::Csv(csv)));
        for name in NAMES {
            assert_eq!(FormatSpec::from_name(name).unwrap().name(), *name);
        }
    }

    #[test]
    fn unknown_names_and_keys_are_refused() {
        let name = read(r#""cvs""#).unwrap_err();
        assert!(
            name.starts_with("unknown variant `cvs`, expected one of `csv`"),
            "{name}"
        );
        let key = read(r#"{"name": "csv", "delimeter": ";"}"#).unwrap_err();
        assert!(
            key.starts_with("unknown field `delimeter`, expected one of `delimiter`"),
            "{key}"
        );
        let none = read(r#"{"name": "parquet", "sheet": "a"}"#).unwrap_err();
        assert!(none.starts_with("unknown field `sheet`"), "{none}");
    }
}
