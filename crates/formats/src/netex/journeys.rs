//! Service journeys, and when they pass their stops.

use super::references::{Pattern, Point, References};
use super::{Cell, flag, id};
use crate::transmodel::{all, at, attribute, cell, reference, text};
use crate::xml::tree::Element;

const TRIP: [&str; 14] = [
    "id",
    "service_journey_id",
    "day_type_ref",
    "line_ref",
    "journey_pattern_ref",
    "direction_type",
    "destination",
    "name",
    "short_name",
    "public_code",
    "block_ref",
    "transport_mode",
    "operator_ref",
    "wheelchair_access",
];

const TIME: [&str; 11] = [
    "journey_id",
    "service_journey_id",
    "stop_ref",
    "scheduled_stop_point_ref",
    "order",
    "arrival_time",
    "departure_time",
    "for_alighting",
    "for_boarding",
    "request_stop",
    "day_type_ref",
];

/// Passing times of one journey, at most.
const TIMES_MAX: usize = 20_000;

pub(super) fn columns_of_trips() -> Vec<&'static str> {
    TRIP.to_vec()
}

pub(super) fn columns_of_times() -> Vec<&'static str> {
    TIME.to_vec()
}

/// A journey runs on day types, a trip of GTFS on one service: of several day types each makes a trip, `journey@day type`. A journey
/// without any runs on the days that dated journeys give it, so its service is itself.
fn services(journey: &Element) -> Result<Vec<(String, String)>, String> {
    let own = id(journey).ok_or_else(|| "the journey has no id".to_owned())?;
    let days: Vec<&str> = all(journey, "dayTypes/DayTypeRef")
        .into_iter()
        .filter_map(|day| attribute(day, "ref"))
        .collect();
    Ok(match days.as_slice() {
        [] => vec![(own.to_owned(), own.to_owned())],
        [only] => vec![(own.to_owned(), (*only).to_owned())],
        several => several
            .iter()
            .map(|day| (format!("{own}@{day}"), (*day).to_owned()))
            .collect(),
    })
}

fn pattern_ref(journey: &Element) -> Option<&str> {
    let ways = ["JourneyPatternRef", "ServiceJourneyPatternRef"];
    ways.iter().find_map(|way| reference(journey, way))
}

pub(super) fn trips<'a>(
    journey: &'a Element,
    known: &References,
) -> Result<Vec<(Vec<Cell>, &'a Element)>, String> {
    let pattern_ref = pattern_ref(journey);
    let pattern = pattern_ref.and_then(|id| known.pattern(id));
    let route_ref = reference(journey, "RouteRef").or_else(|| pattern?.route.as_deref());
    let route = route_ref.and_then(|id| known.route(id));
    let line = reference(journey, "LineRef")
        .or_else(|| pattern?.line.as_deref())
        .or_else(|| route?.line.as_deref());
    let direction = text(journey, "DirectionType")
        .or_else(|| pattern?.direction.as_deref())
        .or_else(|| route?.direction.as_deref());
    // A direction is a word itself, or the id of one.
    let direction = direction.map(|said| known.direction(said).unwrap_or(said));
    let common = [
        cell(line),
        cell(pattern_ref),
        cell(direction),
        cell(destination(journey, pattern, known)),
        cell(text(journey, "Name")),
        cell(text(journey, "ShortName")),
        cell(text(journey, "PublicCode").or_else(|| text(journey, "PrivateCode"))),
        cell(reference(journey, "BlockRef")),
        cell(text(journey, "TransportMode")),
        cell(reference(journey, "OperatorRef")),
        cell(text(
            journey,
            "AccessibilityAssessment/limitations/AccessibilityLimitation/WheelchairAccess",
        )),
    ];
    let own = cell(id(journey));
    let row = |(trip, service): (String, String)| {
        let first = [cell(Some(&trip)), own.clone(), cell(Some(&service))];
        (first.into_iter().chain(common.clone()).collect(), journey)
    };
    Ok(services(journey)?.into_iter().map(row).collect())
}

fn destination<'a>(
    journey: &'a Element,
    pattern: Option<&'a Pattern>,
    known: &'a References,
) -> Option<&'a str> {
    let display = reference(journey, "DestinationDisplayRef");
    let display = display.or_else(|| pattern?.display.as_deref())?;
    known.display(display)
}

/// A passing time, with the point of the pattern that it belongs to.
struct Passing<'a, 'k> {
    element: &'a Element,
    point: Option<&'k Point>,
    index: usize,
}

pub(super) fn times<'a>(
    journey: &'a Element,
    known: &References,
) -> Result<Vec<(Vec<Cell>, &'a Element)>, String> {
    let own = cell(id(journey));
    let services = services(journey)?;
    let pattern = pattern_ref(journey).and_then(|id| known.pattern(id));
    let passings = passings(journey, pattern);
    if passings.len().saturating_mul(services.len()) > TIMES_MAX {
        return Err(format!(
            "the journey has more than {TIMES_MAX} passing times"
        ));
    }
    let mut rows = Vec::with_capacity(passings.len() * services.len());
    let made: Vec<(Vec<Cell>, &Element)> = passings
        .iter()
        .filter_map(|passing| time(passing, known).transpose())
        .collect::<Result<_, String>>()?;
    for (trip, service) in services {
        let (trip, service) = (cell(Some(&trip)), cell(Some(&service)));
        for (cells, element) in &made {
            let first = [trip.clone(), own.clone()].into_iter();
            let last = [service.clone()];
            rows.push((
                first.chain(cells.iter().cloned()).chain(last).collect(),
                *element,
            ));
        }
    }
    Ok(rows)
}

/// Passing times belong to the points of the pattern by reference, or else by their order; calls say their stops themselves.
fn passings<'a, 'k>(journey: &'a Element, pattern: Option<&'k Pattern>) -> Vec<Passing<'a, 'k>> {
    let points = pattern
        .map(|pattern| pattern.points.as_slice())
        .unwrap_or_default();
    let named = |element: &Element| {
        let ways = [
            "StopPointInJourneyPatternRef",
            "PointInJourneyPatternRef",
            "TimingPointInJourneyPatternRef",
        ];
        ways.iter()
            .find_map(|way| reference(element, way).map(str::to_owned))
    };
    let times = all(journey, "passingTimes/TimetabledPassingTime").into_iter();
    let calls = all(journey, "calls/Call").into_iter();
    // Most patterns are looked up in order, so the search begins where the last one ended.
    let mut next = 0;
    times
        .chain(calls)
        .enumerate()
        .map(|(index, element)| {
            let point = match named(element) {
                None => points.get(index),
                Some(name) => {
                    let is_it = |point: &&Point| point.id.as_ref() == Some(&name);
                    let after = points.iter().skip(next).find(is_it);
                    let point = after.or_else(|| points.iter().find(is_it));
                    next = point.map_or(next, |point| {
                        points
                            .iter()
                            .position(|other| std::ptr::eq(other, point))
                            .unwrap_or(next)
                            + 1
                    });
                    point
                }
            };
            Passing {
                element,
                point,
                index,
            }
        })
        .collect()
}

/// The cells of one passing time; none where it is of a point that is no stop.
fn time<'a>(
    passing: &Passing<'a, '_>,
    known: &References,
) -> Result<Option<(Vec<Cell>, &'a Element)>, String> {
    let Passing {
        element,
        point,
        index,
    } = *passing;
    let stop = reference(element, "ScheduledStopPointRef").or_else(|| point?.stop.as_deref());
    if stop.is_none() && point.is_some() {
        return Ok(None);
    }
    let place = stop.map(|stop| known.place(stop).unwrap_or(stop));
    let order = attribute(element, "order").or_else(|| point?.order.as_deref());
    let order = order.map_or_else(|| (index + 1).to_string(), str::to_owned);
    let clock = |kind: &str| clock(element, kind);
    let said = |way: &str, of: fn(&Point) -> Option<bool>| {
        let said = flag(element, way).or_else(|| point.and_then(of))?;
        Some(if said { "true" } else { "false" })
    };
    let cells = vec![
        cell(place),
        cell(stop),
        cell(Some(&order)),
        cell(clock("Arrival")?.as_deref()),
        cell(clock("Departure")?.as_deref()),
        cell(said("Arrival/ForAlighting", |point| point.for_alighting)),
        cell(said("Departure/ForBoarding", |point| point.for_boarding)),
        cell(said("RequestStop", |point| point.request_stop)),
    ];
    Ok(Some((cells, element)))
}

/// A time of the service day, which passes 24:00:00 by its day offset: `ArrivalTime` with `ArrivalDayOffset`, or `Arrival/Time` of a call.
fn clock(element: &Element, kind: &str) -> Result<Option<String>, String> {
    let plain = format!("{kind}Time");
    let called = at(element, kind);
    let said = text(element, &plain).or_else(|| text(called?, "Time"));
    let Some(said) = said else {
        return Ok(None);
    };
    let offset = text(element, &format!("{kind}DayOffset")).or_else(|| text(called?, "DayOffset"));
    let days: u32 = match offset {
        None => 0,
        Some(offset) => offset
            .parse()
            .map_err(|_| format!("{kind}DayOffset {offset:?} is no number of days"))?,
    };
    let wrong = || format!("{plain} {said:?} is no time of day");
    // A zone behind it is the timetable's own.
    let time = said.get(..8).ok_or_else(wrong)?;
    let parts: Vec<u32> = time
        .split(':')
        .filter_map(|part| part.parse().ok())
        .collect();
    match parts.as_slice() {
        &[hours, minutes, seconds] if hours < 25 && minutes < 60 && seconds < 60 && days < 32 => {
            Ok(Some(format!(
                "{:02}:{minutes:02}:{seconds:02}",
                hours + 24 * days
            )))
        }
        _ => Err(wrong()),
    }
}
