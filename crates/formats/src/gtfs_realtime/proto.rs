//! The messages of `gtfs-realtime.proto`, version 2.0 (<https://gtfs.org/documentation/realtime/proto/>), as far as they are read.
//!
//! Every field is optional here, also where the proto says `required`: what a feed leaves out reads as NULL, not as a default that
//! nobody sent. Enumerations are kept as their numbers, so that a value of a later version is still told. Extensions and unknown
//! fields are skipped.

use serde::Serialize;

use super::names;

/// `FeedHeader`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FeedHeader {
    #[prost(string, optional, tag = "1")]
    pub(crate) gtfs_realtime_version: Option<String>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) incrementality: Option<i32>,
    #[prost(uint64, optional, tag = "3")]
    pub(crate) timestamp: Option<u64>,
    #[prost(string, optional, tag = "4")]
    pub(crate) feed_version: Option<String>,
}

/// `FeedEntity`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct FeedEntity {
    #[prost(string, optional, tag = "1")]
    pub(crate) id: Option<String>,
    #[prost(bool, optional, tag = "2")]
    pub(crate) is_deleted: Option<bool>,
    #[prost(message, optional, tag = "3")]
    pub(crate) trip_update: Option<TripUpdate>,
    #[prost(message, optional, tag = "4")]
    pub(crate) vehicle: Option<VehiclePosition>,
    #[prost(message, optional, tag = "5")]
    pub(crate) alert: Option<Alert>,
}

/// `TripUpdate`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct TripUpdate {
    #[prost(message, optional, tag = "1")]
    pub(crate) trip: Option<TripDescriptor>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) stop_time_update: Vec<StopTimeUpdate>,
    #[prost(message, optional, tag = "3")]
    pub(crate) vehicle: Option<VehicleDescriptor>,
    #[prost(uint64, optional, tag = "4")]
    pub(crate) timestamp: Option<u64>,
    #[prost(int32, optional, tag = "5")]
    pub(crate) delay: Option<i32>,
    #[prost(message, optional, tag = "6")]
    pub(crate) trip_properties: Option<TripProperties>,
}

/// `TripUpdate.StopTimeUpdate`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct StopTimeUpdate {
    #[prost(uint32, optional, tag = "1")]
    pub(crate) stop_sequence: Option<u32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) arrival: Option<StopTimeEvent>,
    #[prost(message, optional, tag = "3")]
    pub(crate) departure: Option<StopTimeEvent>,
    #[prost(string, optional, tag = "4")]
    pub(crate) stop_id: Option<String>,
    #[prost(int32, optional, tag = "5")]
    #[serde(serialize_with = "names::stop_relationship")]
    pub(crate) schedule_relationship: Option<i32>,
    #[prost(message, optional, tag = "6")]
    pub(crate) stop_time_properties: Option<StopTimeProperties>,
    #[prost(int32, optional, tag = "7")]
    #[serde(serialize_with = "names::occupancy")]
    pub(crate) departure_occupancy_status: Option<i32>,
}

/// `TripUpdate.StopTimeEvent`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct StopTimeEvent {
    #[prost(int32, optional, tag = "1")]
    pub(crate) delay: Option<i32>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) time: Option<i64>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) uncertainty: Option<i32>,
    #[prost(int64, optional, tag = "4")]
    pub(crate) scheduled_time: Option<i64>,
}

/// `TripUpdate.StopTimeUpdate.StopTimeProperties`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct StopTimeProperties {
    #[prost(string, optional, tag = "1")]
    pub(crate) assigned_stop_id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) stop_headsign: Option<String>,
    #[prost(int32, optional, tag = "3")]
    #[serde(serialize_with = "names::boarding")]
    pub(crate) pickup_type: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    #[serde(serialize_with = "names::boarding")]
    pub(crate) drop_off_type: Option<i32>,
}

/// `TripUpdate.TripProperties`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct TripProperties {
    #[prost(string, optional, tag = "1")]
    pub(crate) trip_id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) start_date: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) start_time: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(crate) shape_id: Option<String>,
    #[prost(string, optional, tag = "5")]
    pub(crate) trip_headsign: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(crate) trip_short_name: Option<String>,
}

/// `TripDescriptor`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct TripDescriptor {
    #[prost(string, optional, tag = "1")]
    pub(crate) trip_id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) start_time: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) start_date: Option<String>,
    #[prost(int32, optional, tag = "4")]
    #[serde(serialize_with = "names::trip_relationship")]
    pub(crate) schedule_relationship: Option<i32>,
    #[prost(string, optional, tag = "5")]
    pub(crate) route_id: Option<String>,
    #[prost(uint32, optional, tag = "6")]
    pub(crate) direction_id: Option<u32>,
}

/// `VehicleDescriptor`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct VehicleDescriptor {
    #[prost(string, optional, tag = "1")]
    pub(crate) id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) label: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) license_plate: Option<String>,
    #[prost(int32, optional, tag = "4")]
    #[serde(serialize_with = "names::wheelchair")]
    pub(crate) wheelchair_accessible: Option<i32>,
}

/// `VehiclePosition`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct VehiclePosition {
    #[prost(message, optional, tag = "1")]
    pub(crate) trip: Option<TripDescriptor>,
    #[prost(message, optional, tag = "2")]
    pub(crate) position: Option<Position>,
    #[prost(uint32, optional, tag = "3")]
    pub(crate) current_stop_sequence: Option<u32>,
    #[prost(int32, optional, tag = "4")]
    #[serde(serialize_with = "names::stop_status")]
    pub(crate) current_status: Option<i32>,
    #[prost(uint64, optional, tag = "5")]
    pub(crate) timestamp: Option<u64>,
    #[prost(int32, optional, tag = "6")]
    #[serde(serialize_with = "names::congestion")]
    pub(crate) congestion_level: Option<i32>,
    #[prost(string, optional, tag = "7")]
    pub(crate) stop_id: Option<String>,
    #[prost(message, optional, tag = "8")]
    pub(crate) vehicle: Option<VehicleDescriptor>,
    #[prost(int32, optional, tag = "9")]
    #[serde(serialize_with = "names::occupancy")]
    pub(crate) occupancy_status: Option<i32>,
    #[prost(uint32, optional, tag = "10")]
    pub(crate) occupancy_percentage: Option<u32>,
    #[prost(message, repeated, tag = "11")]
    pub(crate) multi_carriage_details: Vec<CarriageDetails>,
}

/// `Position`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Position {
    #[prost(float, optional, tag = "1")]
    pub(crate) latitude: Option<f32>,
    #[prost(float, optional, tag = "2")]
    pub(crate) longitude: Option<f32>,
    #[prost(float, optional, tag = "3")]
    pub(crate) bearing: Option<f32>,
    #[prost(double, optional, tag = "4")]
    pub(crate) odometer: Option<f64>,
    #[prost(float, optional, tag = "5")]
    pub(crate) speed: Option<f32>,
}

/// `VehiclePosition.CarriageDetails`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct CarriageDetails {
    #[prost(string, optional, tag = "1")]
    pub(crate) id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) label: Option<String>,
    #[prost(int32, optional, tag = "3")]
    #[serde(serialize_with = "names::occupancy")]
    pub(crate) occupancy_status: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    pub(crate) occupancy_percentage: Option<i32>,
    #[prost(uint32, optional, tag = "5")]
    pub(crate) carriage_sequence: Option<u32>,
}

/// `Alert`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Alert {
    #[prost(message, repeated, tag = "1")]
    pub(crate) active_period: Vec<TimeRange>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) communication_period: Vec<TimeRange>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) impact_period: Vec<TimeRange>,
    #[prost(message, repeated, tag = "5")]
    pub(crate) informed_entity: Vec<EntitySelector>,
    #[prost(int32, optional, tag = "6")]
    #[serde(serialize_with = "names::cause")]
    pub(crate) cause: Option<i32>,
    #[prost(int32, optional, tag = "7")]
    #[serde(serialize_with = "names::effect")]
    pub(crate) effect: Option<i32>,
    #[prost(message, optional, tag = "8")]
    pub(crate) url: Option<TranslatedString>,
    #[prost(message, optional, tag = "10")]
    pub(crate) header_text: Option<TranslatedString>,
    #[prost(message, optional, tag = "11")]
    pub(crate) description_text: Option<TranslatedString>,
    #[prost(message, optional, tag = "12")]
    pub(crate) tts_header_text: Option<TranslatedString>,
    #[prost(message, optional, tag = "13")]
    pub(crate) tts_description_text: Option<TranslatedString>,
    #[prost(int32, optional, tag = "14")]
    #[serde(serialize_with = "names::severity")]
    pub(crate) severity_level: Option<i32>,
    #[prost(message, optional, tag = "15")]
    pub(crate) image: Option<TranslatedImage>,
    #[prost(message, optional, tag = "16")]
    pub(crate) image_alternative_text: Option<TranslatedString>,
    #[prost(message, optional, tag = "17")]
    pub(crate) cause_detail: Option<TranslatedString>,
    #[prost(message, optional, tag = "18")]
    pub(crate) effect_detail: Option<TranslatedString>,
}

/// `TimeRange`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct TimeRange {
    #[prost(uint64, optional, tag = "1")]
    pub(crate) start: Option<u64>,
    #[prost(uint64, optional, tag = "2")]
    pub(crate) end: Option<u64>,
}

/// `EntitySelector`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct EntitySelector {
    #[prost(string, optional, tag = "1")]
    pub(crate) agency_id: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) route_id: Option<String>,
    #[prost(int32, optional, tag = "3")]
    pub(crate) route_type: Option<i32>,
    #[prost(message, optional, tag = "4")]
    pub(crate) trip: Option<TripDescriptor>,
    #[prost(string, optional, tag = "5")]
    pub(crate) stop_id: Option<String>,
    #[prost(uint32, optional, tag = "6")]
    pub(crate) direction_id: Option<u32>,
}

/// `TranslatedString`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct TranslatedString {
    #[prost(message, repeated, tag = "1")]
    pub(crate) translation: Vec<Translation>,
}

/// `TranslatedString.Translation`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Translation {
    #[prost(string, optional, tag = "1")]
    pub(crate) text: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) language: Option<String>,
}

/// `TranslatedImage`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct TranslatedImage {
    #[prost(message, repeated, tag = "1")]
    pub(crate) localized_image: Vec<LocalizedImage>,
}

/// `TranslatedImage.LocalizedImage`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct LocalizedImage {
    #[prost(string, optional, tag = "1")]
    pub(crate) url: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) media_type: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(crate) language: Option<String>,
}
