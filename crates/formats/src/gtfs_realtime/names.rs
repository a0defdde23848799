//! The names of the proto's enumerations. A number without one, of a later version, is written as a number.

use serde::Serializer;

/// Numbers and their names.
pub(crate) type Names = &'static [(i32, &'static str)];

/// The name of a number.
pub(crate) fn name(names: Names, number: i32) -> String {
    let known = names.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

fn serialize<S: Serializer>(
    names: Names,
    number: Option<i32>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => serializer.serialize_str(&name(names, number)),
        None => serializer.serialize_none(),
    }
}

/// A table, and the serde function of fields that hold its numbers.
macro_rules! enumerations {
    ($($table:ident $function:ident { $($number:literal $name:literal),+ $(,)? })+) => {$(
        pub(crate) const $table: Names = &[$(($number, $name)),+];

        pub(crate) fn $function<S: Serializer>(
            number: &Option<i32>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serialize($table, *number, serializer)
        }
    )+};
}

pub(crate) const INCREMENTALITY: Names = &[(0, "FULL_DATASET"), (1, "DIFFERENTIAL")];

enumerations! {
    TRIP_RELATIONSHIP trip_relationship {
        0 "SCHEDULED", 1 "ADDED", 2 "UNSCHEDULED", 3 "CANCELED", 5 "REPLACEMENT", 6 "DUPLICATED", 7 "DELETED", 8 "NEW",
    }
    STOP_RELATIONSHIP stop_relationship { 0 "SCHEDULED", 1 "SKIPPED", 2 "NO_DATA", 3 "UNSCHEDULED" }
    BOARDING boarding { 0 "REGULAR", 1 "NONE", 2 "PHONE_AGENCY", 3 "COORDINATE_WITH_DRIVER" }
    WHEELCHAIR wheelchair { 0 "NO_VALUE", 1 "UNKNOWN", 2 "WHEELCHAIR_ACCESSIBLE", 3 "WHEELCHAIR_INACCESSIBLE" }
    STOP_STATUS stop_status { 0 "INCOMING_AT", 1 "STOPPED_AT", 2 "IN_TRANSIT_TO" }
    CONGESTION congestion {
        0 "UNKNOWN_CONGESTION_LEVEL", 1 "RUNNING_SMOOTHLY", 2 "STOP_AND_GO", 3 "CONGESTION", 4 "SEVERE_CONGESTION",
    }
    OCCUPANCY occupancy {
        0 "EMPTY", 1 "MANY_SEATS_AVAILABLE", 2 "FEW_SEATS_AVAILABLE", 3 "STANDING_ROOM_ONLY", 4 "CRUSHED_STANDING_ROOM_ONLY",
        5 "FULL", 6 "NOT_ACCEPTING_PASSENGERS", 7 "NO_DATA_AVAILABLE", 8 "NOT_BOARDABLE",
    }
    CAUSE cause {
        1 "UNKNOWN_CAUSE", 2 "OTHER_CAUSE", 3 "TECHNICAL_PROBLEM", 4 "STRIKE", 5 "DEMONSTRATION", 6 "ACCIDENT", 7 "HOLIDAY",
        8 "WEATHER", 9 "MAINTENANCE", 10 "CONSTRUCTION", 11 "POLICE_ACTIVITY", 12 "MEDICAL_EMERGENCY",
        13 "SPECIAL_EVENT",
    }
    EFFECT effect {
        1 "NO_SERVICE", 2 "REDUCED_SERVICE", 3 "SIGNIFICANT_DELAYS", 4 "DETOUR", 5 "ADDITIONAL_SERVICE", 6 "MODIFIED_SERVICE",
        7 "OTHER_EFFECT", 8 "UNKNOWN_EFFECT", 9 "STOP_MOVED", 10 "NO_EFFECT", 11 "ACCESSIBILITY_ISSUE",
    }
    SEVERITY severity { 1 "UNKNOWN_SEVERITY", 2 "INFO", 3 "WARNING", 4 "SEVERE" }
}
