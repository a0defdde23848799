//! Stop places with their quays and entrances, and scheduled stop points that no quay stands for.

use super::references::References;
use super::{Cell, id};
use crate::transmodel::{all, at, attribute, cell, reference, text};
use crate::xml::tree::Element;

/// A column, and the ways to its value: the first that leads to a text counts.
const TEXTS: &[(&str, &[&str])] = &[
    ("short_name", &["ShortName"]),
    ("public_code", &["PublicCode"]),
    ("private_code", &["PrivateCode"]),
    ("description", &["Description"]),
    ("transport_mode", &["TransportMode"]),
    (
        "stop_place_type",
        &["StopPlaceType", "QuayType", "StopType"],
    ),
    ("url", &["Url"]),
    ("town", &["PostalAddress/Town"]),
    ("postal_region", &["PostalAddress/PostalRegion"]),
    (
        "wheelchair_access",
        &[
            "AccessibilityAssessment/limitations/AccessibilityLimitation/WheelchairAccess",
            "AccessibilityAssessment/MobilityImpairedAccess",
        ],
    ),
];

pub(super) fn columns() -> Vec<&'static str> {
    let first = ["id", "kind", "name", "parent_ref", "assigned_ref"];
    let place = ["longitude", "latitude", "x", "y", "srs_name"];
    let texts = TEXTS.iter().map(|(name, _)| *name);
    first.into_iter().chain(place).chain(texts).collect()
}

pub(super) fn rows<'a>(element: &'a Element, known: &References) -> Vec<(Vec<Cell>, &'a Element)> {
    if element.name == "ScheduledStopPoint" {
        // Where the publication's journeys lead to the quay, the point is no stop of its own.
        let is_assigned = id(element).is_some_and(|id| known.place(id).is_some());
        return match is_assigned && known.resolves() {
            true => Vec::new(),
            false => vec![(row(element, None, known), element)],
        };
    }
    let mut rows = vec![(row(element, None, known), element)];
    let inside = ["quays/Quay", "entrances/StopPlaceEntrance"];
    for within in inside.iter().flat_map(|way| all(element, way)) {
        rows.push((row(within, Some(element), known), within));
        // A quay may hold quays: the parts of a long platform.
        for part in all(within, "quays/Quay") {
            rows.push((row(part, Some(within), known), part));
        }
    }
    rows
}

/// `assigned_ref` is the quay or stop place that a scheduled stop point is assigned to.
fn row(element: &Element, around: Option<&Element>, known: &References) -> Vec<Cell> {
    let name = text(element, "Name").or_else(|| text(around?, "Name"));
    let parent = ["SiteRef", "ParentQuayRef", "ParentSiteRef"]
        .iter()
        .find_map(|way| reference(element, way))
        .or_else(|| id(around?));
    let is_point = element.name == "ScheduledStopPoint";
    let assigned = id(element).filter(|_| is_point);
    let assigned = assigned.and_then(|id| known.assigned(id));
    let own = [
        id(element),
        Some(element.name.as_str()),
        name,
        parent,
        assigned,
    ];
    let own = own.into_iter().map(cell).chain(location(element));
    let texts = TEXTS.iter().map(|(_, ways)| {
        let found = ways.iter().find_map(|way| text(element, way));
        cell(found)
    });
    own.chain(texts).collect()
}

/// Longitude and latitude; x, y and the reference system where a position is given in one.
fn location(element: &Element) -> [Cell; 5] {
    let Some(location) = at(element, "Centroid/Location").or_else(|| at(element, "Location"))
    else {
        return [const { None }; 5];
    };
    let position = at(location, "pos");
    let said = position
        .map(|position| position.text.as_str())
        .unwrap_or_default();
    let mut numbers = said.split_whitespace();
    let (x, y) = (numbers.next(), numbers.next());
    let system = position
        .and_then(|position| attribute(position, "srsName"))
        .or_else(|| attribute(location, "srsName"));
    [
        cell(text(location, "Longitude")),
        cell(text(location, "Latitude")),
        cell(x),
        cell(y),
        cell(system),
    ]
}
