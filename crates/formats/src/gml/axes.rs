//! Which of two numbers comes first: it follows from how a reference system is named.
//!
//! Reference: OGC 08-038r7 (axis order policy). `EPSG:4326` is longitude first, by old custom; `urn:ogc:def:crs:EPSG::4326` and
//! `http://www.opengis.net/def/crs/EPSG/0/4326` are as the EPSG register has it, latitude first.

use std::ops::RangeInclusive;

/// Codes whose register entry has the north axis first: geographic ones, and the projected ones that agencies publish in.
const NORTH_FIRST: [RangeInclusive<u32>; 14] = [
    4001..=4977,
    4979..=4999,
    // New Zealand, Poland, Hong Kong.
    2193..=2193,
    2180..=2180,
    2326..=2326,
    // Japan, plane rectangular systems.
    2443..=2461,
    6669..=6687,
    // Sweden.
    3006..=3024,
    // Europe: LCC, LAEA, UTM (N-E).
    3034..=3035,
    3038..=3051,
    // Norway NTM.
    5105..=5130,
    // VN-2000 / TM-3.
    5896..=5899,
    9205..=9218,
    // Germany, Gauss-Krüger.
    31466..=31469,
];

/// The EPSG code that a reference system's name ends in.
pub(crate) fn code(name: &str) -> Option<u32> {
    name.rsplit([':', '/', '#']).next()?.parse().ok()
}

/// Whether the first of two numbers is the latitude, or the northing.
pub(crate) fn is_north_first(name: &str) -> bool {
    let by_register = name.starts_with("urn:") || name.contains("/def/crs/");
    by_register
        && name.contains("EPSG")
        && code(name).is_some_and(|code| NORTH_FIRST.iter().any(|range| range.contains(&code)))
}

/// The first name of a reference system in a text.
pub(crate) fn first_name(head: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(head, b"srsName=")?;
    let rest = head.get(at + 8..)?;
    let quote = *rest.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let end = memchr::memchr(quote, rest.get(1..)?)?;
    String::from_utf8(rest[1..=end].to_vec()).ok()
}
