//! ST_* over geometries as the lake keeps them: plain WKB in a binary column, EPSG:4326.
//!
//! geodatafusion works on GeoArrow types, which it knows by extension metadata and gives as unions: those can be neither grouped, sorted
//! nor written to a file. Here every geometry goes in as WKB (or WKT text) and comes out as WKB, so that it is a value like any other.

mod buffer;
mod native;
mod sphere;
mod wrapped;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use geo::{CoordsIter, Geometry};
use geo_traits::GeometryTrait;
use geo_traits::to_geo::ToGeoGeometry;
use wkb::writer::{WriteOptions, write_geometry};

/// The field metadata of a WKB column in longitude and latitude, as GeoArrow has it, so that other tools know it for a geometry.
pub fn wkb_field_metadata() -> HashMap<String, String> {
    HashMap::from([
        ("ARROW:extension:name".to_owned(), "geoarrow.wkb".to_owned()),
        (
            "ARROW:extension:metadata".to_owned(),
            r#"{"crs":"EPSG:4326","crs_type":"authority_code"}"#.to_owned(),
        ),
    ])
}

pub(crate) fn functions() -> Result<Vec<ScalarUDF>> {
    let native = native::functions().into_iter();
    let all = native.chain(buffer::functions()).chain(sphere::functions());
    Ok(all.chain(wrapped::functions()?).collect())
}

/// WKB of well-known text, row by row.
pub(crate) fn wkb_of_wkt(texts: &ArrayRef) -> Result<ArrayRef> {
    let texts = cast(texts, &DataType::Utf8View)?;
    let mut out = BinaryViewBuilder::with_capacity(texts.len());
    let mut buffer = Vec::new();
    for text in texts.as_string_view() {
        let Some(text) = text else {
            out.append_null();
            continue;
        };
        let geometry: wkt::Wkt<f64> = text.parse().map_err(|reason| {
            exec_datafusion_err!("{text:?} is not well-known text of a geometry: {reason}")
        })?;
        out.append_value(write_wkb(&geometry, &mut buffer)?);
    }
    Ok(Arc::new(out.finish()))
}

/// Writes little-endian WKB into `buffer`, which is cleared first.
pub(crate) fn write_wkb<'a>(
    geometry: &impl GeometryTrait<T = f64>,
    buffer: &'a mut Vec<u8>,
) -> Result<&'a [u8]> {
    buffer.clear();
    write_geometry(buffer, geometry, &WriteOptions::default())
        .map_err(|reason| exec_datafusion_err!("a geometry cannot be written as WKB: {reason}"))?;
    Ok(buffer)
}

/// The geometry in `bytes`; `None` for an empty one.
pub(crate) fn read_wkb(bytes: &[u8]) -> Result<Option<Geometry<f64>>> {
    let parsed = wkb::reader::read_wkb(bytes).map_err(|reason| {
        exec_datafusion_err!("a value is not well-known binary of a geometry: {reason}")
    })?;
    Ok(parsed.try_to_geometry())
}

/// What the geometry algorithms can make of a geometry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sound {
    Computable,
    /// They know no point without coordinates.
    Empty,
    /// They assert that coordinates are numbers.
    NotFinite,
}

fn sound(bytes: &[u8]) -> Result<Sound> {
    let finite = match point_xy(bytes) {
        Some((x, y)) => x.is_finite() && y.is_finite(),
        None => match read_wkb(bytes)? {
            None => return Ok(Sound::Empty),
            Some(geometry) => is_finite(&geometry),
        },
    };
    Ok(if finite {
        Sound::Computable
    } else {
        Sound::NotFinite
    })
}

fn is_finite(geometry: &Geometry<f64>) -> bool {
    geometry
        .coords_iter()
        .all(|coord| coord.x.is_finite() && coord.y.is_finite())
}

/// The coordinates of a little-endian 2D point, read in place: the usual case, many times quicker than a full parse.
pub(crate) fn point_xy(bytes: &[u8]) -> Option<(f64, f64)> {
    const POINT: [u8; 5] = [1, 1, 0, 0, 0];
    let coordinates = bytes.strip_prefix(&POINT)?;
    let (x, y) = coordinates.split_first_chunk::<8>()?;
    let (y, rest) = y.split_first_chunk::<8>()?;
    let (x, y) = (f64::from_le_bytes(*x), f64::from_le_bytes(*y));
    (rest.is_empty() && !x.is_nan() && !y.is_nan()).then_some((x, y))
}
