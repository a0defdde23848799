//! Options of formats whose records have named fields.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Options of a JSON document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonFormat {
    /// The way to the list of records, such as `results` or `data.items`; in a document that is a list, `1` is its second element;
    /// `*` is the only list that the document is or holds, and the document itself where it holds several. Left out: the document
    /// itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_path: Option<String>,
    /// The way from a record to a list in it, such as `wards`: each element becomes a row, which keeps the record's other fields. The
    /// element's own are named `wards.name` and so on, an element that is no object `wards`. Rows are numbered by elements; the
    /// record's number is `_parent_row`. A record without elements gives no row, and is counted as filtered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnest: Option<String>,
}

/// Options of a JSON value per line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NdjsonFormat {
    /// The way from a record to a list in it, as for `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnest: Option<String>,
}

/// Options of XML.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XmlFormat {
    /// The way from the root to the elements that are records, such as `response/body/items/item`: local names, whatever their
    /// namespace. Left out: the element that is repeated first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_path: Option<String>,
    /// The way from a record to elements in it, such as `Obs`: each becomes a row, which keeps what else the record holds, as a series
    /// and its observations in SDMX-ML. Rows are numbered by these elements. A record without any gives no row, and is counted as
    /// filtered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnest: Option<String>,
}

/// Options of GeoJSON: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeojsonFormat {}

/// Options of Esri JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EsriJsonFormat {
    /// What the codes of attributes mean, as the layer's description has it: `{ status: { "1": open } }`. Left out: what the answer
    /// itself says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub domains: BTreeMap<String, BTreeMap<String, String>>,
}

/// Options of SDMX-JSON: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SdmxJsonFormat {}

/// Options of GML.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GmlFormat {
    /// Which of two numbers comes first, where a server does not keep to the name of its reference system. Left out: by that name, so
    /// `urn:ogc:def:crs:EPSG::4326` is latitude first and `EPSG:4326` longitude first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axis_order: Option<AxisOrder>,
}

/// Which of two numbers comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AxisOrder {
    /// Longitude or easting.
    Xy,
    /// Latitude or northing.
    Yx,
}

/// Options of NGSI-LD: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NgsiLdFormat {}

/// Options of GTFS-Realtime.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GtfsRealtimeFormat {
    /// What the rows are. Left out: what the feed holds most of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<RealtimeEntity>,
    /// The encoding of texts that are no UTF-8, which the format demands, such as `shift_jis`. Left out: found out from them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
}

/// What a GTFS-Realtime feed's rows are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RealtimeEntity {
    /// A row for each stop-time update of a trip; a trip without any has one row.
    #[default]
    TripUpdates,
    /// A row for each vehicle.
    VehiclePositions,
    /// A row for each entity that an alert informs; an alert without any has one row.
    Alerts,
}

impl RealtimeEntity {
    /// The name, as `entity:` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TripUpdates => "trip_updates",
            Self::VehiclePositions => "vehicle_positions",
            Self::Alerts => "alerts",
        }
    }
}

/// Options of Avro: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AvroFormat {}

/// Options of Parquet: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParquetFormat {}
