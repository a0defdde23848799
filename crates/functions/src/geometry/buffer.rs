//! The area within a distance of a geometry.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryViewBuilder};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use geo::{BooleanOps, Buffer, CoordsIter, Geometry, MultiPolygon, Polygon, unary_union};

use super::{is_finite, read_wkb, write_wkb};
use crate::function::{Function, Kind};

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let kinds: &[Kind] = &[Kind::Geometry, Kind::Number];
    let about = "The area within a planar distance of a geometry, in the units of its coordinates (degrees in the lake).";
    let buffer = Function::new(
        "st_buffer",
        kinds,
        DataType::BinaryView,
        buffer,
        about,
        "ST_Buffer(geometry, 0.01)",
    );
    vec![buffer.into()]
}

fn buffer(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let distances = args[1].as_primitive::<Float64Type>();
    let mut out = BinaryViewBuilder::with_capacity(rows);
    let mut bytes = Vec::new();
    for (geometry, distance) in args[0].as_binary_view().iter().zip(distances) {
        match (geometry.map(read_wkb).transpose()?.flatten(), distance) {
            (Some(geometry), Some(distance)) => {
                out.append_value(write_wkb(&around(&geometry, distance)?, &mut bytes)?);
            }
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// One polygon where there is one, as PostGIS gives it.
fn around(geometry: &Geometry<f64>, distance: f64) -> Result<Geometry<f64>> {
    // The algorithm asserts on coordinates that are no numbers.
    if !is_finite(geometry) || !distance.is_finite() {
        return exec_err!("st_buffer takes finite coordinates and a finite distance");
    }
    let mut areas = match geometry {
        _ if geometry.coords_count() == 0 => MultiPolygon::new(Vec::new()),
        Geometry::Polygon(polygon) => around_areas(std::slice::from_ref(polygon), distance)?,
        Geometry::MultiPolygon(polygons) => around_areas(&polygons.0, distance)?,
        other => other.buffer(distance),
    };
    Ok(match (areas.0.pop(), areas.0.is_empty()) {
        (Some(only), true) => Geometry::Polygon(only),
        (Some(last), false) => {
            areas.0.push(last);
            Geometry::MultiPolygon(areas)
        }
        (None, _) => Geometry::MultiPolygon(areas),
    })
}

/// Around areas. Of one whose border crosses itself, as those of real districts do, parts would be lost: such a one is mended first.
fn around_areas(polygons: &[Polygon<f64>], distance: f64) -> Result<MultiPolygon<f64>> {
    let rings = polygons
        .iter()
        .flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()));
    if let Some(ring) = rings
        .into_iter()
        .find(|ring| (1..4).contains(&ring.0.len()))
    {
        return exec_err!(
            "st_buffer: a polygon's border has {} points, and needs 4",
            ring.0.len()
        );
    }
    // What lies inside an odd number of borders is inside; areas that overlap are one.
    let nothing = MultiPolygon::new(Vec::new());
    let mended: Vec<Polygon<f64>> = polygons
        .iter()
        .flat_map(|polygon| polygon.union(&nothing).0)
        .collect();
    let around = unary_union(&mended).buffer(distance);
    if around.0.is_empty() && distance > 0.0 {
        return exec_err!(
            "st_buffer cannot be computed for one of these geometries; ST_IsValid tells which is at fault"
        );
    }
    Ok(around)
}
