//! The area within a distance of a geometry.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryViewBuilder};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use geo::{Buffer, CoordsIter, Geometry};

use super::{read_wkb, write_wkb};
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
    let finite = geometry
        .coords_iter()
        .all(|coord| coord.x.is_finite() && coord.y.is_finite());
    if !finite || !distance.is_finite() {
        return exec_err!("st_buffer takes finite coordinates and a finite distance");
    }
    let mut areas = geometry.buffer(distance);
    Ok(match (areas.0.pop(), areas.0.is_empty()) {
        (Some(only), true) => Geometry::Polygon(only),
        (Some(last), false) => {
            areas.0.push(last);
            Geometry::MultiPolygon(areas)
        }
        (None, _) => Geometry::MultiPolygon(areas),
    })
}
