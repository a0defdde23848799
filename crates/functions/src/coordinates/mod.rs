//! Coordinates in SQL: VN-2000 and any EPSG system to WGS 84, and angles from text.
//!
//! Points are given and taken with x (easting, longitude) before y (northing, latitude), as everywhere in the lake, whatever order a system's
//! own register lists its axes in. VN-2000 alone is asked for as its surveys write it: x is the northing.

mod dms;
mod meridians;
mod transform;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ScalarUDF;
use geo::{Coord, MapCoords, Point};

use self::transform::{Transform, Transforms, WGS84};
use crate::function::{Function, Kind};
use crate::geometry::{read_wkb, write_wkb};
use crate::names::spelling::plain;
use crate::names::types::typed;
use crate::row::{self, Row};

const VN2000: &[Kind] = &[Kind::Number, Kind::Number, Kind::Label, Kind::Number];
const XY_EPSG: &[Kind] = &[Kind::Number, Kind::Number, Kind::Label];
const TRANSFORM: &[Kind] = &[Kind::Geometry, Kind::Label, Kind::Label];
/// Central meridians that a zone of VN-2000 can have, in degrees.
const MERIDIANS: [f64; 2] = [99.0, 120.0];
/// Northings and eastings of Vietnam's land and waters in VN-2000, with room to spare.
const NORTHINGS: [f64; 2] = [400_000.0, 2_700_000.0];
const EASTINGS: [f64; 2] = [-200_000.0, 1_200_000.0];

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let vn2000 = Function::new(
        "vn2000_to_wgs84",
        VN2000,
        DataType::BinaryView,
        vn2000_to_wgs84,
        "The point (WGS 84, longitude and latitude) of VN-2000 coordinates as surveys write them: x the northing, y the easting, in metres. The zone is the province's name before July 2025 (its central meridian by Circular 973/2001/TT-TCĐC), or the central meridian in degrees or as 105°45'. Zones are 3 degrees wide (scale 0.9999) unless a fourth argument says 6 (0.9996). Shifted by EPSG:6960.",
        "ST_AsText(vn2000_to_wgs84(2300000, 600000, 'Hải Phòng'))",
    );
    let to_wgs84 = Function::new(
        "to_wgs84",
        XY_EPSG,
        DataType::BinaryView,
        to_wgs84,
        "The point (WGS 84, longitude and latitude) of coordinates in a reference system by its EPSG code (32648 or 'EPSG:32648'); x is the easting or longitude, y the northing or latitude. Systems that need a grid of shifts are refused; those on GRS 80 or WGS 84 without parameters (JGD2011, …) are taken for WGS 84, which holds to about two metres.",
        "to_wgs84(600000, 2300000, 32648)",
    );
    let st_transform = Function::new(
        "st_transform",
        TRANSFORM,
        DataType::BinaryView,
        st_transform,
        "A geometry of one reference system in another, each by its EPSG code; x is the easting or longitude in both.",
        "ST_Transform('POINT(106.68 20.86)', 4326, 32648)",
    );
    let degrees = Function::new(
        "dms_to_degrees",
        &[Kind::Text],
        DataType::Float64,
        dms_to_degrees,
        "An angle in degrees from text: degrees, minutes and seconds parted by their signs, spaces, dashes or colons, a decimal point or comma in the last number; the hemisphere as N, S, E, W, as B (Bắc), Đ (Đông), T (Tây), Nam, or as a sign. A single N is north. Beyond 90 degrees north or south, or 180 east or west, it is no angle. Blank text is NULL.",
        "dms_to_degrees('20°51''54,5\"B')",
    );
    vec![
        vn2000.required(3).into(),
        to_wgs84.into(),
        st_transform.into(),
        degrees.into(),
    ]
}

fn vn2000_to_wgs84(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let mut zones: HashMap<(String, bool), Transform> = HashMap::new();
    let mut buffer = Vec::new();
    row::geometries(args, rows, |row| {
        let (northing, easting) = (row.number(0), row.number(1));
        let is_wide = match row.number_or(3, 3.0) {
            3.0 => false,
            6.0 => true,
            other => return exec_err!("a zone of VN-2000 is 3 or 6 degrees wide, not {other}"),
        };
        check_extent(northing, easting)?;
        let key = (row.text(2).to_owned(), is_wide);
        if !zones.contains_key(&key) {
            let scale = if is_wide { 0.9996 } else { 0.9999 };
            let zone = Transform::of_vn2000(central_meridian(&key.0)?, scale)?;
            zones.insert(key.clone(), zone);
        }
        let Some(zone) = zones.get(&key) else {
            return Ok(None);
        };
        let (longitude, latitude) = zone.apply(easting, northing)?;
        point(longitude, latitude, &mut buffer)
    })
}

/// Refuses what cannot lie in or near Vietnam; the usual faults are told by name.
fn check_extent(northing: f64, easting: f64) -> Result<()> {
    let within = |value: f64, [least, most]: [f64; 2]| (least..=most).contains(&value);
    if within(northing, NORTHINGS) && within(easting, EASTINGS) {
        return Ok(());
    }
    let mend = if within(easting, NORTHINGS) && within(northing, EASTINGS) {
        "they look swapped: VN-2000 has the northing as x and the easting as y"
    } else if within(easting % 1_000_000.0, EASTINGS) && within(northing, NORTHINGS) {
        "the easting seems to bear its zone's number in front: take it off (y % 1000000)"
    } else {
        "northings there lie between 400000 and 2700000 metres, eastings around 500000"
    };
    exec_err!("x {northing}, y {easting} is no place in Vietnam in VN-2000; {mend}")
}

/// The meridian by province or as written.
fn central_meridian(zone: &str) -> Result<f64> {
    let name = plain(zone);
    let bare = typed(&name, Some("VN")).map_or(name.as_str(), |typed| typed.rest);
    if let Some(meridian) = meridians::of_province(bare) {
        return Ok(meridian);
    }
    let written = zone.trim();
    match dms::degrees(written) {
        Some(meridian) if (MERIDIANS[0]..=MERIDIANS[1]).contains(&meridian) => Ok(meridian),
        _ => {
            let near = strsim_nearest(bare);
            exec_err!(
                "{zone:?} is neither a province of Vietnam before July 2025 nor a central meridian; {near}write one of the 63 names (as in 'Hải Phòng') or the meridian (as in 105.75 or '105°45''')"
            )
        }
    }
}

fn strsim_nearest(name: &str) -> String {
    let all = meridians::OF_PROVINCES
        .iter()
        .flat_map(|(_, provinces)| provinces.iter());
    let alike = all.map(|province| (*province, strsim::jaro_winkler(name, province)));
    match alike.max_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((province, alike)) if alike > 0.8 => format!("is it {province:?}? "),
        _ => String::new(),
    }
}

fn to_wgs84(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let mut transforms = Transforms::default();
    let mut buffer = Vec::new();
    row::geometries(args, rows, |row| {
        let transform = transforms.between(epsg(row, 2)?, WGS84)?;
        let (longitude, latitude) = transform.apply(row.number(0), row.number(1))?;
        point(longitude, latitude, &mut buffer)
    })
}

fn st_transform(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let mut transforms = Transforms::default();
    let mut buffer = Vec::new();
    row::geometries(args, rows, |row| {
        let transform = transforms.between(epsg(row, 1)?, epsg(row, 2)?)?;
        let Some(geometry) = read_wkb(row.bytes(0))? else {
            return Ok(Some(row.bytes(0).to_vec()));
        };
        let moved = geometry.try_map_coords(|coord| {
            let (x, y) = transform.apply(coord.x, coord.y)?;
            Ok::<_, DataFusionError>(Coord { x, y })
        })?;
        Ok(Some(write_wkb(&moved, &mut buffer)?.to_vec()))
    })
}

/// `32648` or `EPSG:32648`.
fn epsg(row: Row<'_>, argument: usize) -> Result<u16> {
    let text = row.text(argument).trim();
    let code = match text.split_once(':') {
        Some((authority, code)) if authority.eq_ignore_ascii_case("EPSG") => code,
        _ => text.strip_suffix(".0").unwrap_or(text),
    };
    code.parse().map_err(|_| {
        exec_datafusion_err!(
            "{text:?} is no EPSG code: write a number from 1 to 65535, as in 32648 or 'EPSG:32648'"
        )
    })
}

fn dms_to_degrees(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    row::numbers(args, rows, |row| {
        let text = row.text(0).trim();
        match dms::degrees(text) {
            None if !text.is_empty() => exec_err!(
                "{text:?} is no angle: write degrees, minutes and seconds (as in 20°51'54.5\"N), or degrees"
            ),
            angle => Ok(angle),
        }
    })
}

fn point(x: f64, y: f64, buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>> {
    Ok(Some(write_wkb(&Point::new(x, y), buffer)?.to_vec()))
}
