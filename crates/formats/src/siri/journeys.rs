//! Journeys that are under way: their calls, and where their vehicles are.

use super::{Cell, Header};
use crate::transmodel::{all, at, cell, text};
use crate::xml::tree::Element;

/// A column, and the ways to its value: the first that leads to a text counts.
type Column = (&'static str, &'static [&'static str]);

/// From the record.
const VISIT: &[Column] = &[
    (
        "item_identifier",
        &["ItemIdentifier", "EstimatedVehicleJourneyCode"],
    ),
    ("monitoring_ref", &["MonitoringRef", "VehicleMonitoringRef"]),
    ("valid_until_time", &["ValidUntilTime"]),
];

/// From the journey.
const JOURNEY: &[Column] = &[
    ("line_ref", &["LineRef"]),
    ("direction_ref", &["DirectionRef"]),
    ("data_frame_ref", &["FramedVehicleJourneyRef/DataFrameRef"]),
    (
        "dated_vehicle_journey_ref",
        &[
            "FramedVehicleJourneyRef/DatedVehicleJourneyRef",
            "DatedVehicleJourneyRef",
            "VehicleJourneyRef",
        ],
    ),
    ("published_line_name", &["PublishedLineName"]),
    ("vehicle_mode", &["VehicleMode"]),
    ("operator_ref", &["OperatorRef"]),
    ("origin_ref", &["OriginRef"]),
    ("origin_name", &["OriginName"]),
    ("destination_ref", &["DestinationRef"]),
    ("destination_name", &["DestinationName"]),
    ("block_ref", &["BlockRef"]),
    ("vehicle_ref", &["VehicleRef"]),
    ("monitored", &["Monitored"]),
    ("cancellation", &["Cancellation"]),
    ("extra_journey", &["ExtraJourney"]),
    ("delay", &["Delay"]),
    ("occupancy", &["Occupancy"]),
    ("data_source", &["DataSource"]),
    ("longitude", &["VehicleLocation/Longitude"]),
    ("latitude", &["VehicleLocation/Latitude"]),
    ("bearing", &["Bearing"]),
    ("velocity", &["Velocity"]),
    ("in_congestion", &["InCongestion"]),
];

/// From a call.
const CALL: &[Column] = &[
    ("stop_point_ref", &["StopPointRef"]),
    ("stop_point_name", &["StopPointName"]),
    ("order", &["Order"]),
    ("visit_number", &["VisitNumber"]),
    ("vehicle_at_stop", &["VehicleAtStop"]),
    ("call_cancellation", &["Cancellation"]),
    ("call_occupancy", &["Occupancy"]),
    ("aimed_arrival_time", &["AimedArrivalTime"]),
    ("expected_arrival_time", &["ExpectedArrivalTime"]),
    ("actual_arrival_time", &["ActualArrivalTime"]),
    ("arrival_status", &["ArrivalStatus"]),
    ("arrival_platform_name", &["ArrivalPlatformName"]),
    ("aimed_departure_time", &["AimedDepartureTime"]),
    ("expected_departure_time", &["ExpectedDepartureTime"]),
    ("actual_departure_time", &["ActualDepartureTime"]),
    ("departure_status", &["DepartureStatus"]),
    ("departure_platform_name", &["DeparturePlatformName"]),
];

/// Where a journey's calls stand, in its order, and what they are.
const CALLS: [(&str, &str); 5] = [
    ("RecordedCalls/RecordedCall", "recorded"),
    ("PreviousCalls/PreviousCall", "previous"),
    ("MonitoredCall", "monitored"),
    ("EstimatedCalls/EstimatedCall", "estimated"),
    ("OnwardCalls/OnwardCall", "onward"),
];

/// What of an element goes into which columns.
pub(super) struct Journeys;

impl Journeys {
    fn columns() -> impl Iterator<Item = &'static str> {
        let of = |columns: &'static [Column]| columns.iter().map(|(name, _)| *name);
        ["recorded_at_time"]
            .into_iter()
            .chain(of(VISIT))
            .chain(of(JOURNEY))
    }

    pub(super) fn columns_of_calls() -> Vec<&'static str> {
        let call = CALL.iter().map(|(name, _)| *name);
        Self::columns().chain(["call"]).chain(call).collect()
    }

    pub(super) fn columns_of_vehicles() -> Vec<&'static str> {
        Self::columns_of_calls()
    }

    /// A row per call, in the journey's order; one without a call if there is none.
    pub(super) fn calls<'a>(record: &'a Element, header: &Header) -> Vec<(Vec<Cell>, &'a Element)> {
        let journey = journey(record);
        let common = common(record, journey, header);
        let calls = CALLS.iter().flat_map(|(way, kind)| {
            let calls = all(journey, way).into_iter();
            calls.map(|call| (call, *kind))
        });
        let row = |(call, kind): (&'a Element, &str)| {
            let mut cells = common.clone();
            cells.push(cell(Some(kind)));
            cells.extend(CALL.iter().map(|(_, ways)| first(call, ways)));
            (cells, call)
        };
        let rows: Vec<_> = calls.map(row).collect();
        match rows.is_empty() {
            true => vec![Self::without_call(record, common)],
            false => rows,
        }
    }

    /// Where the vehicle is, with the call that it makes.
    pub(super) fn vehicle<'a>(record: &'a Element, header: &Header) -> (Vec<Cell>, &'a Element) {
        let journey = journey(record);
        let mut cells = common(record, journey, header);
        let Some(call) = at(journey, "MonitoredCall") else {
            return Self::without_call(record, cells);
        };
        cells.push(cell(Some("monitored")));
        cells.extend(CALL.iter().map(|(_, ways)| first(call, ways)));
        (cells, record)
    }

    fn without_call(record: &Element, mut cells: Vec<Cell>) -> (Vec<Cell>, &Element) {
        cells.resize(cells.len() + 1 + CALL.len(), None);
        (cells, record)
    }
}

/// A visit and an activity hold their journey; an estimated journey is one.
fn journey(record: &Element) -> &Element {
    at(record, "MonitoredVehicleJourney").unwrap_or(record)
}

fn common(record: &Element, journey: &Element, header: &Header) -> Vec<Cell> {
    let recorded = text(record, "RecordedAtTime");
    let recorded = cell(recorded).or_else(|| header.recorded_at_time.clone());
    let visit = VISIT.iter().map(|(_, ways)| first(record, ways));
    let own = JOURNEY.iter().map(|(_, ways)| first(journey, ways));
    [recorded].into_iter().chain(visit).chain(own).collect()
}

pub(super) fn first(element: &Element, ways: &[&str]) -> Cell {
    cell(ways.iter().find_map(|way| text(element, way)))
}
