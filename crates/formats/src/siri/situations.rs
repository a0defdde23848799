//! Situations: what is wrong, since when and until when, and what it affects.

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use serde_json::{Map, Value, json};

use super::Cell;
use super::journeys::first;
use crate::transmodel::{self, all, attribute, cell, text};
use crate::xml::tree::Element;

/// What a situation says once.
const ONCE: &[(&str, &[&str])] = &[
    ("creation_time", &["CreationTime"]),
    ("versioned_at_time", &["VersionedAtTime"]),
    ("participant_ref", &["ParticipantRef"]),
    ("situation_number", &["SituationNumber"]),
    ("version", &["Version"]),
    ("source_name", &["Source/Name", "Source/SourceType"]),
    ("progress", &["Progress"]),
    ("reality", &["Reality"]),
    ("severity", &["Severity"]),
    ("report_type", &["ReportType"]),
    ("condition", &["Consequences/Consequence/Condition"]),
    ("info_link", &["InfoLinks/InfoLink/Uri"]),
];

/// Of an affected thing.
const AFFECTED: &[(&str, &[&str])] = &[
    (
        "operator_ref",
        &["OperatorRef", "AffectedOperator/OperatorRef"],
    ),
    ("line_ref", &["LineRef", "AffectedLine/LineRef"]),
    ("direction_ref", &["Direction/DirectionRef", "DirectionRef"]),
    ("data_frame_ref", &["FramedVehicleJourneyRef/DataFrameRef"]),
    (
        "vehicle_journey_ref",
        &[
            "FramedVehicleJourneyRef/DatedVehicleJourneyRef",
            "DatedVehicleJourneyRef",
            "VehicleJourneyRef",
        ],
    ),
    ("stop_point_ref", &["StopPointRef"]),
    ("stop_place_ref", &["StopPlaceRef"]),
];

/// Where affected things stand.
const AFFECTS: [&str; 6] = [
    "Affects/Operators/AffectedOperator",
    "Affects/Networks/AffectedNetwork/AffectedLine",
    "Affects/Networks/AffectedNetwork/AffectedOperator",
    "Affects/StopPoints/AffectedStopPoint",
    "Affects/StopPlaces/AffectedStopPlace",
    "Affects/VehicleJourneys/AffectedVehicleJourney",
];

pub(super) fn columns() -> Vec<&'static str> {
    let names = |columns: &'static [(&str, &[&str])]| columns.iter().map(|(name, _)| *name);
    let made = [
        "cause",
        "validity_period",
        "summary",
        "summary_translations",
        "description",
        "description_translations",
    ];
    names(ONCE).chain(made).chain(names(AFFECTED)).collect()
}

pub(super) fn rows(situation: &Element) -> Result<Vec<(Vec<Cell>, &Element)>, String> {
    let mut common: Vec<Cell> = ONCE
        .iter()
        .map(|(_, ways)| first(situation, ways))
        .collect();
    common.push(cell(cause(situation)));
    common.push(periods(situation)?);
    for name in ["Summary", "Description"] {
        let texts = all(situation, name);
        common.push(cell(text(situation, name)));
        common.push(translations(&texts));
    }
    let affected = AFFECTS.iter().flat_map(|way| all(situation, way));
    let rows: Vec<_> = affected
        .map(|affected| {
            let own = AFFECTED.iter().map(|(_, ways)| first(affected, ways));
            (common.iter().cloned().chain(own).collect(), affected)
        })
        .collect();
    if rows.is_empty() {
        common.resize(common.len() + AFFECTED.len(), None);
        return Ok(vec![(common, situation)]);
    }
    Ok(rows)
}

/// The reason, whichever of the elements it stands in.
fn cause(situation: &Element) -> Option<&str> {
    let reason = situation.children.iter().find(|child| {
        child.name == "AlertCause" || (child.name.ends_with("Reason") && child.children.is_empty())
    })?;
    let text = reason.text.trim();
    (!text.is_empty()).then_some(text)
}

/// As GTFS Realtime has them: a list of start and end in seconds of POSIX time.
fn periods(situation: &Element) -> Result<Cell, String> {
    let mut list = Vec::new();
    for period in all(situation, "ValidityPeriod") {
        let mut found = Map::new();
        for (name, way) in [("start", "StartTime"), ("end", "EndTime")] {
            if let Some(time) = text(period, way) {
                let nanoseconds = string_to_timestamp_nanos(time)
                    .map_err(|_| format!("its {way} {time:?} is no time"))?;
                found.insert(
                    name.to_owned(),
                    json!(nanoseconds.div_euclid(1_000_000_000)),
                );
            }
        }
        list.push(Value::Object(found));
    }
    Ok(transmodel::json(&Value::Array(list)))
}

/// Language to text; the first of each.
fn translations(texts: &[&Element]) -> Cell {
    let mut found = Map::new();
    for element in texts {
        let language = attribute(element, "lang").unwrap_or("und");
        let text = element.text.trim();
        if !text.is_empty() && !found.contains_key(language) {
            found.insert(language.to_owned(), Value::String(text.to_owned()));
        }
    }
    transmodel::json(&Value::Object(found))
}
