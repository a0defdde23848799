//! The `format:` of a pipeline file: a name, or a name with options.

mod structured;
mod tabular;
mod text;
mod transit;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

pub use structured::{
    AvroFormat, AxisOrder, EsriJsonFormat, GeojsonFormat, GmlFormat, GtfsRealtimeFormat,
    JsonFormat, NdjsonFormat, NgsiLdFormat, ParquetFormat, RealtimeEntity, SdmxJsonFormat,
    XmlFormat,
};
pub use tabular::{FormulaErrors, HtmlFormat, HtmlTable, SheetName, WorkbookFormat};
pub use text::{CsvFormat, FixedColumn, FixedFormat, Quote, ShortRecords};
pub use transit::{NetexFormat, NetexObjects, SiriFormat, SiriService};

/// One list of formats: the enum, its twin that serde reads as a map, and the names.
macro_rules! formats {
    ($($(#[$about:meta])* $variant:ident($options:ty) = $name:literal,)*) => {
        /// How a part is read. Written as a name (`csv`) or as `{ name: csv, delimiter: ";" }`.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(tag = "name")]
        pub enum FormatSpec {
            $($(#[$about])* #[serde(rename = $name)] $variant($options),)*
        }

        /// A format's name, and its options.
        // The twin of `FormatSpec` that serde reads as a map.
        #[derive(Deserialize, JsonSchema)]
        #[serde(tag = "name")]
        #[schemars(rename = "FormatOptions")]
        enum Options {
            $($(#[$about])* #[serde(rename = $name)] $variant($options),)*
        }

        /// The formats' names.
        pub(crate) const NAMES: &[&str] = &[$($name),*];

        impl From<Options> for FormatSpec {
            fn from(options: Options) -> Self {
                match options {
                    $(Options::$variant(options) => Self::$variant(options),)*
                }
            }
        }

        impl FormatSpec {
            /// The format's name, as `format:` has it.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// The format of that name, without options.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant(Default::default())),)*
                    _ => None,
                }
            }
        }
    };
}

formats! {
    /// Delimited text.
    Csv(CsvFormat) = "csv",
    /// Text whose fields stand at fixed places of each line.
    Fixed(FixedFormat) = "fixed",
    /// A JSON document that is, or holds, a list of records.
    Json(JsonFormat) = "json",
    /// A JSON value per line.
    Ndjson(NdjsonFormat) = "ndjson",
    /// A sheet of an Excel workbook (.xlsx, .xlsm).
    Xlsx(WorkbookFormat) = "xlsx",
    /// A sheet of an old Excel workbook (.xls).
    Xls(WorkbookFormat) = "xls",
    /// A sheet of an OpenDocument workbook (.ods).
    Ods(WorkbookFormat) = "ods",
    /// A table of a web page, whatever the file's name says.
    Html(HtmlFormat) = "html",
    /// The elements of an XML document that are records.
    Xml(XmlFormat) = "xml",
    /// A GeoJSON FeatureCollection.
    Geojson(GeojsonFormat) = "geojson",
    /// What an ArcGIS server answers to a query: `attributes` as columns, `geometry` as in GeoJSON, dates as times in UTC, and
    /// for a coded value `status` its meaning as `status_label`. Coordinates of another reference system than 4326 stay as they
    /// are, which is told.
    EsriJson(EsriJsonFormat) = "esri_json",
    /// Features of a Web Feature Service as GML 3.2, 3.1 or 2: properties as columns, the first shape as `geometry`, `gml:id` as `id`.
    /// Arcs and splines are not read. Coordinates of another reference system than 4326 stay as they are, which is told.
    Gml(GmlFormat) = "gml",
    /// An SDMX-JSON data message, version 1.0 or 2.0: a row for each observation, a column for each dimension and attribute (its code,
    /// and what that means as `…_label`), `OBS_VALUE`, and the data set's `ACTION`. It is read whole, up to the memory bound.
    SdmxJson(SdmxJsonFormat) = "sdmx_json",
    /// Entities of an NGSI-LD (or NGSI-v2) context broker, normalized, concise or as key-values: an attribute is a column of its
    /// value, and what stands beside the value is `pm25.unitCode`, `pm25.observedAt` and so on. A geometry stays GeoJSON text.
    NgsiLd(NgsiLdFormat) = "ngsi_ld",
    /// A GTFS-Realtime feed (protobuf).
    GtfsRealtime(GtfsRealtimeFormat) = "gtfs_realtime",
    /// SIRI: what public transit says of the moment, as XML or as the JSON of SIRI Lite. Columns are named as the elements are, in small
    /// letters with `_`.
    Siri(SiriFormat) = "siri",
    /// NeTEx: stops and timetables of public transit. What rows need of other objects of the same document is put into their columns.
    Netex(NetexFormat) = "netex",
    /// An Avro object container file.
    Avro(AvroFormat) = "avro",
    /// Apache Parquet.
    Parquet(ParquetFormat) = "parquet",
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
mod tests;
