//! Which of two numbers comes first: it follows from how a reference system is named.
//!
//! Reference: OGC 08-038r7 (axis order policy). `EPSG:4326` is longitude first, by old custom; `urn:ogc:def:crs:EPSG::4326` and
//! `http://www.opengis.net/def/crs/EPSG/0/4326` are as the EPSG register has it, latitude first. Systems whose axes point west or south
//! are left as they are sent, as GDAL leaves them.

use super::north_first::CHANGES;

/// The name of the horizontal system in that of a compound one (OGC 09-048r6, section 7.5.3).
fn horizontal(name: &str) -> &str {
    if let Some(parts) = name.strip_prefix("urn:ogc:def:crs,crs:") {
        return parts.split(',').next().unwrap_or(parts);
    }
    match name.split_once("/def/crs-compound?1=") {
        Some((_, parts)) => parts.split('&').next().unwrap_or(parts),
        None => name,
    }
}

/// The EPSG code that a reference system's name ends in.
pub(crate) fn code(name: &str) -> Option<u32> {
    let name = horizontal(name);
    name.rsplit([':', '/', '#']).next()?.parse().ok()
}

/// Whether the first of two numbers is the latitude, or the northing.
pub(crate) fn is_north_first(name: &str) -> bool {
    let by_register = name.starts_with("urn:") || name.contains("/def/crs");
    by_register
        && name.contains("EPSG")
        && code(name).is_some_and(|code| {
            let passed = CHANGES.partition_point(|change| *change <= code);
            passed % 2 == 1
        })
}

/// The first name of a reference system in a text.
pub(crate) fn first_name(head: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(head, b"srsName=")?;
    let rest = head.get(at + 8..)?;
    let quote = *rest.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let end = memchr::memchr(quote, rest.get(1..)?)?;
    String::from_utf8(rest[1..=end].to_vec()).ok()
}
