//! Cells of a grid over the earth: H3 hexagons and geohashes.

use std::str::FromStr;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use geo::{Coord, Geometry, LineString, Point, Polygon, Rect};
use h3o::{CellIndex, LatLng, Resolution};

use crate::function::{Body, Function, Kind};
use crate::geometry::{point_xy, read_wkb, write_wkb};
use crate::row::{self, Row};

const CELL: &[Kind] = &[Kind::Geometry, Kind::Number];
/// The digits of a geohash.
const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
/// Digits of a geohash; twelve are a few centimetres.
const GEOHASH_DIGITS: [i32; 2] = [1, 12];
const BITS_OF_DIGIT: u32 = 5;

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let mut all = of_points();
    all.extend(of_cells());
    all
}

fn of_points() -> Vec<ScalarUDF> {
    let of_point = |name, body: Body, about, example| {
        Function::new(name, CELL, DataType::Utf8, body, about, example).into()
    };
    vec![
        of_point(
            "h3_cell",
            h3_cell,
            "The H3 cell of a point (longitude, latitude) at a resolution from 0 (4 million km²) to 15 (1 m²), as its usual hexadecimal text.",
            "h3_cell(ST_Point(106.68, 20.86), 9)",
        ),
        of_point(
            "geohash",
            geohash,
            "The geohash of a point (longitude, latitude) with so many digits, from 1 (5000 km) to 12 (4 cm).",
            "geohash(ST_Point(106.68, 20.86), 7)",
        ),
    ]
}

fn of_cells() -> Vec<ScalarUDF> {
    let of_cell = |name, body: Body, about, example| {
        Function::new(
            name,
            &[Kind::Text],
            DataType::BinaryView,
            body,
            about,
            example,
        )
        .into()
    };
    vec![
        of_cell(
            "h3_center",
            |args, rows| geometries(args, rows, h3_center),
            "The centre of an H3 cell.",
            "h3_center('8965a5a0b4fffff')",
        ),
        of_cell(
            "h3_boundary",
            |args, rows| geometries(args, rows, h3_boundary),
            "The outline of an H3 cell. Of a cell across the 180th meridian its longitudes jump there.",
            "h3_boundary('8965a5a0b4fffff')",
        ),
        of_cell(
            "geohash_center",
            |args, rows| {
                geometries(args, rows, |row| {
                    Ok(Point::from(hashed(row)?.center()).into())
                })
            },
            "The centre of a geohash.",
            "geohash_center('w7er8u0')",
        ),
        of_cell(
            "geohash_boundary",
            |args, rows| geometries(args, rows, |row| Ok(hashed(row)?.to_polygon().into())),
            "The rectangle of a geohash.",
            "geohash_boundary('w7er8u0')",
        ),
    ]
}

/// The geometry of each row as WKB.
fn geometries(
    args: &[ArrayRef],
    rows: usize,
    geometry: fn(Row<'_>) -> Result<Geometry<f64>>,
) -> Result<ArrayRef> {
    let mut buffer = Vec::new();
    row::geometries(args, rows, |row| {
        Ok(Some(write_wkb(&geometry(row)?, &mut buffer)?.to_vec()))
    })
}

fn h3_center(row: Row<'_>) -> Result<Geometry<f64>> {
    let center = LatLng::from(h3(row)?);
    Ok(Point::new(center.lng(), center.lat()).into())
}

fn h3_boundary(row: Row<'_>) -> Result<Geometry<f64>> {
    let corners = h3(row)?.boundary();
    let ring = corners.iter().map(|corner| Coord {
        x: corner.lng(),
        y: corner.lat(),
    });
    Ok(Polygon::new(LineString::from_iter(ring), Vec::new()).into())
}

/// Longitude and latitude of a point; `None` for an empty one.
fn position(row: Row<'_>, function: &str) -> Result<Option<(f64, f64)>> {
    let (longitude, latitude) = match point_xy(row.bytes(0)) {
        Some(position) => position,
        None => match read_wkb(row.bytes(0))? {
            None => return Ok(None),
            Some(Geometry::Point(point)) => point.x_y(),
            Some(_) => {
                return exec_err!(
                    "{function} takes a point: take ST_Centroid of another geometry first"
                );
            }
        },
    };
    if !(-180.0..=180.0).contains(&longitude) || !(-90.0..=90.0).contains(&latitude) {
        return exec_err!(
            "{function} takes longitude and latitude, not ({longitude}, {latitude}): the longitude comes first; to_wgs84 makes them of other systems"
        );
    }
    Ok(Some((longitude, latitude)))
}

fn h3_cell(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    row::texts(args, rows, |row| {
        let resolution = row.whole(1, "the resolution of an H3 cell", [0, 15])?;
        let resolution = u8::try_from(resolution).ok();
        let resolution = resolution.and_then(|it| Resolution::try_from(it).ok());
        let (Some(resolution), Some((longitude, latitude))) =
            (resolution, position(row, "h3_cell")?)
        else {
            return Ok(None);
        };
        let position = LatLng::new(latitude, longitude)
            .map_err(|reason| exec_datafusion_err!("h3_cell: {reason}"))?;
        Ok(Some(position.to_cell(resolution).to_string()))
    })
}

fn h3(row: Row<'_>) -> Result<CellIndex> {
    let text = row.text(0);
    CellIndex::from_str(text).map_err(|_| {
        exec_datafusion_err!(
            "{text:?} is not an H3 cell (15 hexadecimal digits, as h3_cell gives them)"
        )
    })
}

fn geohash(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    row::texts(args, rows, |row| {
        let digits = row.whole(1, "the length of a geohash", GEOHASH_DIGITS)?;
        let position = position(row, "geohash")?;
        Ok(position
            .map(|(longitude, latitude)| encoded(longitude, latitude, digits.unsigned_abs())))
    })
}

/// Bits of longitude and latitude in turn, each halving what is left of its range.
fn encoded(longitude: f64, latitude: f64, digits: u32) -> String {
    let (mut x, mut y) = ([-180.0, 180.0], [-90.0, 90.0]);
    let mut text = String::new();
    let mut digit = 0;
    for bit in 0..digits * BITS_OF_DIGIT {
        let (range, value) = if bit % 2 == 0 {
            (&mut x, longitude)
        } else {
            (&mut y, latitude)
        };
        let middle = (range[0] + range[1]) / 2.0;
        let is_upper = value >= middle;
        range[usize::from(!is_upper)] = middle;
        digit = digit << 1 | usize::from(is_upper);
        if bit % BITS_OF_DIGIT == BITS_OF_DIGIT - 1 {
            text.push(char::from(ALPHABET[digit]));
            digit = 0;
        }
    }
    text
}

fn hashed(row: Row<'_>) -> Result<Rect<f64>> {
    let text = row.text(0);
    decoded(text).ok_or_else(|| {
        exec_datafusion_err!(
            "{text:?} is not a geohash (1 to 12 digits and letters, without a, i, l and o)"
        )
    })
}

fn decoded(text: &str) -> Option<Rect<f64>> {
    let [least, most] = GEOHASH_DIGITS;
    if !(least.unsigned_abs() as usize..=most.unsigned_abs() as usize).contains(&text.len()) {
        return None;
    }
    let (mut x, mut y) = ([-180.0, 180.0], [-90.0, 90.0]);
    let mut bit = 0;
    for c in text.bytes() {
        let digit = ALPHABET
            .iter()
            .position(|known| *known == c.to_ascii_lowercase())?;
        for shift in (0..BITS_OF_DIGIT).rev() {
            let range = if bit % 2 == 0 { &mut x } else { &mut y };
            let middle = (range[0] + range[1]) / 2.0;
            let is_upper = digit >> shift & 1 == 1;
            range[usize::from(!is_upper)] = middle;
            bit += 1;
        }
    }
    Some(Rect::new((x[0], y[0]), (x[1], y[1])))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use geo::Contains;
    use proptest::prelude::*;

    #[test]
    fn geohashes_that_are_known() {
        // The examples of the format's first description, and of its usual page.
        assert_eq!(encoded(-5.6, 42.6, 5), "ezs42");
        assert_eq!(encoded(10.40744, 57.64911, 11), "u4pruydqqvj");
        assert_eq!(decoded("aaa"), None);
        assert_eq!(decoded(""), None);
        assert_eq!(decoded("0123456789bcd"), None);
    }

    proptest! {
        #[test]
        fn a_point_lies_in_its_cells(x in -179.9..179.9, y in -89.9..89.9, digits in 1u32..13, resolution in 0u8..16) {
            let text = encoded(x, y, digits);
            let cell = decoded(&text).unwrap();
            prop_assert!(cell.min().x <= x && x <= cell.max().x && cell.min().y <= y && y <= cell.max().y);
            let center = cell.center();
            prop_assert_eq!(encoded(center.x, center.y, digits), text);
            prop_assert!(cell.contains(&Point::from(center)));
            let resolution = Resolution::try_from(resolution).unwrap();
            let cell = LatLng::new(y, x).unwrap().to_cell(resolution);
            prop_assert_eq!(LatLng::from(cell).to_cell(resolution), cell);
        }

        #[test]
        fn no_text_panics(text in ".{0,14}") {
            let _ = (decoded(&text), CellIndex::from_str(&text));
        }
    }
}
