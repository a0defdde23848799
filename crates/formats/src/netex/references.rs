//! What rows need of other objects: gathered in one pass over the document, before its rows are read.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;

use super::elsewhere::Elsewhere;
use super::{calendar::Calendar, flag, id};
use crate::error::FormatError;
use crate::spec::NetexObjects;
use crate::transmodel::{Document, attribute, child, elements, reference, text};
use crate::xml::tree::Element;

/// What an entry takes beside its texts, about.
const ENTRY_BYTES: usize = 96;

/// Other objects of the document, by their ids.
#[derive(Debug, Default)]
pub(super) struct References {
    patterns: HashMap<String, Pattern>,
    routes: HashMap<String, Route>,
    /// `DirectionType` of directions.
    directions: HashMap<String, String>,
    /// What destination displays show.
    displays: HashMap<String, String>,
    /// The quay, or else the stop place, that a scheduled stop point is assigned to.
    assignments: HashMap<String, String>,
    /// Whether there are journeys to resolve.
    pub(super) has_patterns: bool,
    pub(super) calendar: Calendar,
    /// Of the first frame that says one.
    time_zone: Option<String>,
    /// What the other documents of the same archive say.
    elsewhere: Option<Arc<Elsewhere>>,
    bytes: usize,
}

/// A journey pattern.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    pub(super) route: Option<String>,
    pub(super) line: Option<String>,
    pub(super) name: Option<String>,
    pub(super) direction: Option<String>,
    pub(super) display: Option<String>,
    pub(super) points: Vec<Point>,
}

/// A point of a journey pattern, in its sequence.
#[derive(Debug, Default)]
pub(super) struct Point {
    pub(super) id: Option<String>,
    pub(super) order: Option<String>,
    /// None: a timing point, where nobody gets on or off.
    pub(super) stop: Option<String>,
    pub(super) for_alighting: Option<bool>,
    pub(super) for_boarding: Option<bool>,
    pub(super) request_stop: Option<bool>,
}

/// A route of a line.
#[derive(Debug, Default)]
pub(super) struct Route {
    pub(super) line: Option<String>,
    pub(super) direction: Option<String>,
}

/// The objects that rows of `kind` refer to.
///
/// # Errors
/// [`FormatError::TooLarge`] where they take more than half the memory bound, and what the document fails with.
pub(super) async fn gather(
    document: &Document,
    kind: NetexObjects,
    elsewhere: Option<Arc<Elsewhere>>,
) -> Result<References, FormatError> {
    let mut known = References {
        elsewhere,
        ..References::default()
    };
    let names: &'static [&'static str] = match kind {
        NetexObjects::Lines => return Ok(known),
        NetexObjects::Stops => &[
            "PassengerStopAssignment",
            "ServiceJourneyPattern",
            "JourneyPattern",
        ],
        NetexObjects::Operators => &["FrameDefaults"],
        NetexObjects::ServiceJourneys => &[
            "ServiceJourneyPattern",
            "JourneyPattern",
            "Route",
            "Direction",
            "DestinationDisplay",
        ],
        NetexObjects::PassingTimes => &[
            "ServiceJourneyPattern",
            "JourneyPattern",
            "PassengerStopAssignment",
        ],
        NetexObjects::DayTypeDates => &[
            "DayType",
            "OperatingPeriod",
            "UicOperatingPeriod",
            "OperatingDay",
            "DayTypeAssignment",
        ],
    };
    let wants_points = kind == NetexObjects::PassingTimes;
    let bound = document.content.options.memory_bytes_max / 2;
    let mut found = elements(&document.content, document.notation, names);
    while let Some(found) = found.next().await.transpose()? {
        // One that is broken is told of where a row needs it, by the reference that is left.
        let Ok(element) = found.element else { continue };
        known.take(&element, wants_points);
        if known.bytes() as u64 > bound {
            return Err(FormatError::TooLarge {
                name: document.content.name.clone(),
                bytes: document.content.size,
                format: "NeTEx whose objects refer to so many others",
                bound: document.content.options.memory_bytes_max,
            });
        }
    }
    Ok(known)
}

impl References {
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.calendar.bytes()
    }

    /// What `of` finds here, or else in the other documents.
    fn find<'a, T: ?Sized>(&'a self, of: impl Fn(&'a Self) -> Option<&'a T>) -> Option<&'a T> {
        let elsewhere = || of(&self.elsewhere.as_deref()?.known);
        of(self).or_else(elsewhere)
    }

    pub(super) fn pattern(&self, id: &str) -> Option<&Pattern> {
        self.find(|known| known.patterns.get(id))
    }

    pub(super) fn route(&self, id: &str) -> Option<&Route> {
        self.find(|known| known.routes.get(id))
    }

    pub(super) fn direction(&self, id: &str) -> Option<&str> {
        self.find(|known| known.directions.get(id).map(String::as_str))
    }

    pub(super) fn display(&self, id: &str) -> Option<&str> {
        self.find(|known| known.displays.get(id).map(String::as_str))
    }

    pub(super) fn time_zone(&self) -> Option<&str> {
        self.find(|known| known.time_zone.as_deref())
    }

    /// The quay or stop place that a scheduled stop point is assigned to.
    pub(super) fn assigned(&self, point: &str) -> Option<&str> {
        self.find(|known| known.assignments.get(point).map(String::as_str))
    }

    /// The same where it is a stop of the publication: one that stands in no document of an archive is no row that a stop time may
    /// refer to.
    pub(super) fn place(&self, point: &str) -> Option<&str> {
        let is_there = |place: &&str| {
            let elsewhere = self.elsewhere.as_deref();
            elsewhere.is_none_or(|elsewhere| elsewhere.has_site(place))
        };
        self.assigned(point).filter(is_there)
    }

    /// Whether the publication has journeys that lead to quays in place of scheduled stop points.
    pub(super) fn resolves(&self) -> bool {
        let elsewhere = self.elsewhere.as_deref();
        self.has_patterns || elsewhere.is_some_and(|it| it.known.has_patterns)
    }

    /// The calendar of the other documents.
    pub(super) fn other_calendar(&self) -> Option<&Calendar> {
        self.elsewhere.as_deref().map(|it| &it.known.calendar)
    }

    pub(super) fn take(&mut self, element: &Element, wants_points: bool) {
        match element.name.as_str() {
            "ServiceJourneyPattern" | "JourneyPattern" => {
                self.has_patterns = true;
                let pattern = pattern(element, wants_points);
                self.bytes += pattern.bytes();
                if let Some(id) = self.named(element) {
                    self.patterns.insert(id, pattern);
                }
            }
            "Route" => {
                let route = Route {
                    line: reference(element, "LineRef").map(str::to_owned),
                    direction: direction(element),
                };
                self.bytes += ENTRY_BYTES;
                if let Some(id) = self.named(element) {
                    self.routes.insert(id, route);
                }
            }
            "Direction" => self.text_of(element, &["DirectionType"], |known| &mut known.directions),
            "DestinationDisplay" => {
                self.text_of(element, &["FrontText", "Name"], |known| &mut known.displays);
            }
            "PassengerStopAssignment" => self.assignment(element),
            "FrameDefaults" => {
                let zone = text(element, "DefaultLocale/TimeZone");
                let zone = zone.or_else(|| text(element, "DefaultTimeZone"));
                self.time_zone = self.time_zone.take().or_else(|| zone.map(str::to_owned));
            }
            _ => {
                let other = self.elsewhere.as_deref().map(|it| &it.known.calendar);
                self.calendar.take(element, other);
            }
        }
    }

    /// The object's id, counted.
    fn named(&mut self, element: &Element) -> Option<String> {
        let id = id(element)?.to_owned();
        self.bytes += id.len() + ENTRY_BYTES;
        Some(id)
    }

    fn text_of(
        &mut self,
        element: &Element,
        ways: &[&str],
        map: impl Fn(&mut Self) -> &mut HashMap<String, String>,
    ) {
        let Some(found) = ways.iter().find_map(|way| text(element, way)) else {
            return;
        };
        if let Some(id) = self.named(element) {
            self.bytes += found.len();
            map(self).insert(id, found.to_owned());
        }
    }

    fn assignment(&mut self, element: &Element) {
        let place = reference(element, "QuayRef").or_else(|| reference(element, "StopPlaceRef"));
        if let (Some(point), Some(place)) = (reference(element, "ScheduledStopPointRef"), place) {
            self.bytes += point.len() + place.len() + ENTRY_BYTES;
            self.assignments.insert(point.to_owned(), place.to_owned());
        }
    }
}

fn direction(element: &Element) -> Option<String> {
    let said = text(element, "DirectionType").or_else(|| reference(element, "DirectionRef"));
    said.map(str::to_owned)
}

fn pattern(element: &Element, wants_points: bool) -> Pattern {
    let owned = |said: Option<&str>| said.map(str::to_owned);
    let points = child(element, "pointsInSequence").filter(|_| wants_points);
    Pattern {
        route: owned(reference(element, "RouteRef")),
        line: owned(reference(element, "LineRef")),
        name: owned(text(element, "Name")),
        direction: direction(element),
        display: owned(reference(element, "DestinationDisplayRef")),
        points: points
            .map(|points| points.children.iter().map(point).collect())
            .unwrap_or_default(),
    }
}

fn point(element: &Element) -> Point {
    Point {
        id: id(element).map(str::to_owned),
        order: attribute(element, "order").map(str::to_owned),
        stop: reference(element, "ScheduledStopPointRef").map(str::to_owned),
        for_alighting: flag(element, "ForAlighting"),
        for_boarding: flag(element, "ForBoarding"),
        request_stop: flag(element, "RequestStop"),
    }
}

impl Pattern {
    fn bytes(&self) -> usize {
        let texts = [
            &self.route,
            &self.line,
            &self.name,
            &self.direction,
            &self.display,
        ];
        let own: usize = texts.into_iter().flatten().map(String::len).sum();
        let points = self.points.iter().map(|point| {
            let texts = [&point.id, &point.order, &point.stop];
            texts.into_iter().flatten().map(String::len).sum::<usize>() + ENTRY_BYTES
        });
        own + points.sum::<usize>() + ENTRY_BYTES
    }
}
