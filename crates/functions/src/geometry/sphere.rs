//! Distances in metres on the sphere of WGS 84's mean radius.
//!
//! Two points: the haversine formula. Else the nearest points are found on a plane laid through the first geometry's vertex and measured by
//! haversine: exact to a few parts in ten thousand within a city, an estimate across continents.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use geo::{
    BoundingRect, Closest, ClosestPoint, Coord, CoordsIter, Geometry, Intersects, MapCoords, Point,
};

use super::{point_xy, read_wkb};
use crate::function::{Function, Kind};

/// The mean radius of the WGS 84 ellipsoid, (2a + b) / 3, which PostGIS uses too.
const EARTH_RADIUS_M: f64 = 6_371_008.771_415_059;

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let about = "Metres between two geometries in longitude and latitude, on a sphere.";
    let pair: &[Kind] = &[Kind::Geometry, Kind::Geometry];
    let geometries = Function::new(
        "st_distance_sphere",
        pair,
        DataType::Float64,
        of_geometries,
        about,
        "ST_DistanceSphere(a, b)",
    );
    let numbers: &[Kind] = &[Kind::Number, Kind::Number, Kind::Number, Kind::Number];
    let about =
        "Metres between two places given as latitude and longitude in degrees, on a sphere.";
    let example = "distance_sphere(20.86, 106.68, 21.03, 105.85)";
    let places = Function::new(
        "distance_sphere",
        numbers,
        DataType::Float64,
        of_numbers,
        about,
        example,
    );
    vec![geometries.alias("st_distancesphere").into(), places.into()]
}

fn of_numbers(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let columns: Vec<_> = args
        .iter()
        .map(|array| array.as_primitive::<Float64Type>())
        .collect();
    let mut out = Float64Builder::with_capacity(rows);
    let full = columns.iter().all(|column| column.null_count() == 0);
    for row in 0..rows {
        if full || columns.iter().all(|column| column.is_valid(row)) {
            out.append_value(haversine(
                columns[1].value(row),
                columns[0].value(row),
                columns[3].value(row),
                columns[2].value(row),
            ));
        } else {
            out.append_null();
        }
    }
    Ok(Arc::new(out.finish()))
}

fn of_geometries(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let mut out = Float64Builder::with_capacity(rows);
    for pair in args[0]
        .as_binary_view()
        .iter()
        .zip(args[1].as_binary_view())
    {
        let (Some(left), Some(right)) = pair else {
            out.append_null();
            continue;
        };
        match (point_xy(left), point_xy(right)) {
            (Some((ax, ay)), Some((bx, by))) => out.append_value(haversine(ax, ay, bx, by)),
            _ => match (read_wkb(left)?, read_wkb(right)?) {
                (Some(left), Some(right)) => out.append_option(between(&left, &right)),
                _ => out.append_null(),
            },
        }
    }
    Ok(Arc::new(out.finish()))
}

fn haversine(lon1: f64, lat1: f64, lon2: f64, lat2: f64) -> f64 {
    let (lat1, lat2) = (lat1.to_radians(), lat2.to_radians());
    let (d_lat, d_lon) = ((lat2 - lat1) * 0.5, (lon2 - lon1).to_radians() * 0.5);
    let (sin_lat, sin_lon) = (d_lat.sin(), d_lon.sin());
    let half_chord = sin_lat * sin_lat + lat1.cos() * lat2.cos() * sin_lon * sin_lon;
    2.0 * EARTH_RADIUS_M * half_chord.sqrt().min(1.0).asin()
}

/// The smallest distance. The nearest pair of two shapes that do not meet has a vertex of one of them.
fn between(left: &Geometry<f64>, right: &Geometry<f64>) -> Option<f64> {
    if let (Geometry::Point(a), Geometry::Point(b)) = (left, right) {
        return Some(haversine(a.x(), a.y(), b.x(), b.y()));
    }
    if left.intersects(right) {
        return Some(0.0);
    }
    let scale = left.bounding_rect()?.center().y.to_radians().cos();
    if let Geometry::Point(point) = left {
        return to_shape(point.0, &squeezed(right, scale), scale);
    }
    if let Geometry::Point(point) = right {
        return to_shape(point.0, &squeezed(left, scale), scale);
    }
    let (flat_left, flat_right) = (squeezed(left, scale), squeezed(right, scale));
    let from_left = left
        .coords_iter()
        .filter_map(|vertex| to_shape(vertex, &flat_right, scale));
    let from_right = right
        .coords_iter()
        .filter_map(|vertex| to_shape(vertex, &flat_left, scale));
    from_left.chain(from_right).min_by(f64::total_cmp)
}

/// Degrees of longitude shortened to the length of degrees of latitude, so that planar geometry finds the nearest point.
fn squeezed(shape: &Geometry<f64>, scale: f64) -> Geometry<f64> {
    shape.map_coords(|coord| Coord {
        x: coord.x * scale,
        y: coord.y,
    })
}

fn to_shape(vertex: Coord<f64>, flat_shape: &Geometry<f64>, scale: f64) -> Option<f64> {
    let flat_vertex = Point::new(vertex.x * scale, vertex.y);
    match flat_shape.closest_point(&flat_vertex) {
        Closest::Intersection(_) => Some(0.0),
        Closest::SinglePoint(nearest) => Some(haversine(
            vertex.x,
            vertex.y,
            nearest.x() / scale,
            nearest.y(),
        )),
        Closest::Indeterminate => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_distances() {
        // Hải Phòng to Hà Nội, and a quarter of the Earth's circumference.
        let city = haversine(106.6881, 20.8449, 105.8342, 21.0278);
        assert!((city - 91_030.0).abs() < 150.0, "{city}");
        let quarter = haversine(0.0, 0.0, 90.0, 0.0);
        assert!((quarter - EARTH_RADIUS_M * std::f64::consts::FRAC_PI_2).abs() < 1e-6);
    }

    #[test]
    fn a_point_off_a_road_is_its_height_away() {
        let road: geo::LineString<f64> = vec![(106.60, 20.80), (106.70, 20.80)].into();
        let school = Geometry::Point(Point::new(106.65, 20.81));
        let metres = between(&school, &Geometry::LineString(road.clone())).unwrap();
        assert!(
            (metres - haversine(106.65, 20.81, 106.65, 20.80)).abs() < 0.5,
            "{metres}"
        );
        let mirrored = between(&Geometry::LineString(road), &school).unwrap();
        assert!((metres - mirrored).abs() < 0.5);
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_bounded(a in (-180f64..180.0, -90f64..90.0), b in (-180f64..180.0, -90f64..90.0)) {
            let there = haversine(a.0, a.1, b.0, b.1);
            let back = haversine(b.0, b.1, a.0, a.1);
            prop_assert!((there - back).abs() < 1e-6);
            prop_assert!((0.0..=EARTH_RADIUS_M * std::f64::consts::PI + 1.0).contains(&there));
        }
    }
}
