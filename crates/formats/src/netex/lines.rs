//! Lines, and who runs them.

use super::references::References;
use super::{Cell, id};
use crate::transmodel::{cell, reference, text};
use crate::xml::tree::Element;

const LINE: &[(&str, &[&str])] = &[
    ("name", &["Name"]),
    ("short_name", &["ShortName"]),
    ("description", &["Description"]),
    ("transport_mode", &["TransportMode"]),
    (
        "transport_submode",
        &[
            "TransportSubmode/BusSubmode",
            "TransportSubmode/CoachSubmode",
            "TransportSubmode/RailSubmode",
            "TransportSubmode/MetroSubmode",
            "TransportSubmode/TramSubmode",
            "TransportSubmode/WaterSubmode",
            "TransportSubmode/AirSubmode",
            "TransportSubmode/TelecabinSubmode",
            "TransportSubmode/FunicularSubmode",
        ],
    ),
    ("public_code", &["PublicCode"]),
    ("private_code", &["PrivateCode"]),
    ("url", &["Url"]),
    ("colour", &["Presentation/Colour"]),
    ("text_colour", &["Presentation/TextColour"]),
];

const OPERATOR: &[(&str, &[&str])] = &[
    ("name", &["Name", "LegalName"]),
    ("short_name", &["ShortName"]),
    ("public_code", &["PublicCode"]),
    ("private_code", &["PrivateCode"]),
    (
        "url",
        &["ContactDetails/Url", "CustomerServiceContactDetails/Url"],
    ),
    (
        "phone",
        &[
            "ContactDetails/Phone",
            "CustomerServiceContactDetails/Phone",
        ],
    ),
    (
        "email",
        &[
            "ContactDetails/Email",
            "CustomerServiceContactDetails/Email",
        ],
    ),
];

pub(super) fn columns_of_lines() -> Vec<&'static str> {
    let texts = LINE.iter().map(|(name, _)| *name);
    let references = ["operator_ref", "authority_ref", "group_ref"];
    ["id"].into_iter().chain(texts).chain(references).collect()
}

pub(super) fn line(element: &Element) -> Vec<Cell> {
    let authority = reference(element, "AuthorityRef")
        .or_else(|| reference(element, "additionalOperators/AuthorityRef"));
    let references = [
        reference(element, "OperatorRef"),
        authority,
        reference(element, "RepresentedByGroupRef"),
    ];
    let own = [cell(id(element))].into_iter().chain(texts(element, LINE));
    own.chain(references.map(cell)).collect()
}

pub(super) fn columns_of_operators() -> Vec<&'static str> {
    let texts = OPERATOR.iter().map(|(name, _)| *name);
    ["id", "kind"]
        .into_iter()
        .chain(texts)
        .chain(["time_zone"])
        .collect()
}

pub(super) fn operator(element: &Element, known: &References) -> Vec<Cell> {
    let own = [cell(id(element)), cell(Some(element.name.as_str()))];
    let own = own.into_iter().chain(texts(element, OPERATOR));
    own.chain([cell(known.time_zone())]).collect()
}

fn texts(
    element: &Element,
    columns: &'static [(&'static str, &'static [&'static str])],
) -> impl Iterator<Item = Cell> {
    columns
        .iter()
        .map(|(_, ways)| cell(ways.iter().find_map(|way| text(element, way))))
}
