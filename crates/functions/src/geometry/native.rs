//! Accessors and constructors read from and written to WKB directly.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewBuilder, BooleanBuilder, Float64Builder, StringBuilder,
};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use geo::{BoundingRect, Distance, Euclidean};
use geo_traits::{CoordTrait, GeometryTrait, GeometryType, PointTrait};

use super::{point_xy, read_wkb, write_wkb};
use crate::function::{Function, Kind};

const GEOMETRY: &[Kind] = &[Kind::Geometry];

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let functions = [coordinates(), made(), written()];
    functions.into_iter().flatten().collect()
}

fn coordinates() -> Vec<ScalarUDF> {
    let number = |name, body, about| {
        Function::new(
            name,
            GEOMETRY,
            DataType::Float64,
            body,
            about,
            "ST_X(point)",
        )
        .into()
    };
    vec![
        number(
            "st_x",
            |args, _| coordinate(args, 0),
            "The x (longitude) of a point; NULL for other geometries.",
        ),
        number(
            "st_y",
            |args, _| coordinate(args, 1),
            "The y (latitude) of a point; NULL for other geometries.",
        ),
        number(
            "st_z",
            |args, _| coordinate(args, 2),
            "The z of a point; NULL where it has none.",
        ),
    ]
}

/// Geometries of numbers, bytes and text.
fn made() -> Vec<ScalarUDF> {
    let point_args: &[Kind] = &[Kind::Number, Kind::Number];
    let point = Function::new(
        "st_point",
        point_args,
        DataType::BinaryView,
        point,
        "A point of x (longitude) and y (latitude).",
        "ST_Point(106.68, 20.86)",
    );
    let from_wkb = Function::new(
        "st_geomfromwkb",
        GEOMETRY,
        DataType::BinaryView,
        checked,
        "A geometry from WKB, checked.",
        "ST_GeomFromWKB(geometry)",
    );
    let from_text = Function::new(
        "st_geomfromtext",
        &[Kind::Text],
        DataType::BinaryView,
        from_text,
        "A geometry from WKT.",
        "ST_GeomFromText('POINT(1 2)')",
    );
    vec![
        point.alias("st_makepoint").into(),
        from_wkb.alias("st_wkbtosql").into(),
        from_text
            .alias("st_geometryfromtext")
            .alias("st_wkttosql")
            .into(),
    ]
}

/// What is asked of geometries, and their other forms.
fn written() -> Vec<ScalarUDF> {
    let within: &[Kind] = &[Kind::Geometry, Kind::Geometry, Kind::Number];
    let as_binary = Function::new(
        "st_asbinary",
        GEOMETRY,
        DataType::BinaryView,
        checked,
        "The WKB of a geometry.",
        "ST_AsBinary(geometry)",
    );
    let about = "Whether two geometries lie within a planar distance, in the units of their coordinates (degrees in the lake).";
    let d_within = Function::new(
        "st_dwithin",
        within,
        DataType::Boolean,
        d_within,
        about,
        "ST_DWithin(a, b, 0.01)",
    );
    let about = "The rectangle around a geometry; the point itself for a point.";
    let envelope = Function::new(
        "st_envelope",
        GEOMETRY,
        DataType::BinaryView,
        envelope,
        about,
        "ST_Envelope(geometry)",
    );
    let about = "A geometry as GeoJSON text (RFC 7946).";
    let geo_json = Function::new(
        "st_asgeojson",
        GEOMETRY,
        DataType::Utf8,
        as_geo_json,
        about,
        "ST_AsGeoJSON(geometry)",
    );
    vec![
        as_binary.into(),
        d_within.into(),
        envelope.into(),
        geo_json.into(),
    ]
}

fn coordinate(args: &[ArrayRef], axis: usize) -> Result<ArrayRef> {
    let mut out = Float64Builder::with_capacity(args[0].len());
    for bytes in args[0].as_binary_view() {
        let value = match bytes.map(|bytes| (point_xy(bytes), bytes)) {
            None => None,
            Some((Some((x, _)), _)) if axis == 0 => Some(x),
            Some((Some((_, y)), _)) if axis == 1 => Some(y),
            Some((_, bytes)) => other_coordinate(bytes, axis)?,
        };
        out.append_option(value);
    }
    Ok(Arc::new(out.finish()))
}

fn other_coordinate(bytes: &[u8], axis: usize) -> Result<Option<f64>> {
    let geometry = wkb::reader::read_wkb(bytes).map_err(|reason| {
        datafusion::common::exec_datafusion_err!(
            "a value is not well-known binary of a geometry: {reason}"
        )
    })?;
    let GeometryType::Point(point) = geometry.as_type() else {
        return Ok(None);
    };
    let has_z = matches!(
        geometry.dim(),
        geo_traits::Dimensions::Xyz | geo_traits::Dimensions::Xyzm
    );
    Ok(point
        .coord()
        .filter(|_| axis < 2 || has_z)
        .and_then(|coord| coord.nth(axis)))
}

fn point(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let (xs, ys) = (
        args[0].as_primitive::<Float64Type>(),
        args[1].as_primitive::<Float64Type>(),
    );
    let mut out = BinaryViewBuilder::with_capacity(rows);
    let mut buffer = Vec::new();
    for (x, y) in xs.iter().zip(ys) {
        match (x, y) {
            (Some(x), Some(y)) => out.append_value(write_wkb(&geo::Point::new(x, y), &mut buffer)?),
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn from_text(args: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
    super::wkb_of_wkt(&args[0])
}

fn checked(args: &[ArrayRef], _rows: usize) -> Result<ArrayRef> {
    for bytes in args[0].as_binary_view().iter().flatten() {
        if point_xy(bytes).is_none() {
            read_wkb(bytes)?;
        }
    }
    Ok(Arc::clone(&args[0]))
}

fn d_within(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let limits = args[2].as_primitive::<Float64Type>();
    let mut out = BooleanBuilder::with_capacity(rows);
    for ((left, right), limit) in args[0]
        .as_binary_view()
        .iter()
        .zip(args[1].as_binary_view())
        .zip(limits)
    {
        let (Some(left), Some(right), Some(limit)) = (left, right, limit) else {
            out.append_null();
            continue;
        };
        out.append_option(planar_distance(left, right)?.map(|distance| distance <= limit));
    }
    Ok(Arc::new(out.finish()))
}

fn planar_distance(left: &[u8], right: &[u8]) -> Result<Option<f64>> {
    if let (Some((ax, ay)), Some((bx, by))) = (point_xy(left), point_xy(right)) {
        return Ok(Some((ax - bx).hypot(ay - by)));
    }
    let (Some(left), Some(right)) = (read_wkb(left)?, read_wkb(right)?) else {
        return Ok(None);
    };
    Ok(Some(Euclidean.distance(&left, &right)))
}

fn envelope(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let mut out = BinaryViewBuilder::with_capacity(rows);
    let mut buffer = Vec::new();
    for bytes in args[0].as_binary_view() {
        let rectangle = bytes
            .map(read_wkb)
            .transpose()?
            .flatten()
            .and_then(|geometry| geometry.bounding_rect());
        match rectangle {
            None => out.append_null(),
            Some(rectangle) if rectangle.width() == 0.0 && rectangle.height() == 0.0 => {
                out.append_value(write_wkb(&geo::Point::from(rectangle.min()), &mut buffer)?);
            }
            // Counted from the lower left corner and against the clock's way round, as PostGIS does.
            Some(rectangle) => {
                let (low, high) = (rectangle.min(), rectangle.max());
                let ring = vec![
                    (low.x, low.y),
                    (low.x, high.y),
                    (high.x, high.y),
                    (high.x, low.y),
                    (low.x, low.y),
                ];
                out.append_value(write_wkb(
                    &geo::Polygon::new(ring.into(), Vec::new()),
                    &mut buffer,
                )?);
            }
        }
    }
    Ok(Arc::new(out.finish()))
}

fn as_geo_json(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let mut out = StringBuilder::with_capacity(rows, rows * 64);
    for bytes in args[0].as_binary_view() {
        match bytes.map(read_wkb).transpose()?.flatten() {
            Some(geometry) => {
                let mut text = String::new();
                push_geo_json(&geometry, &mut text);
                out.append_value(text);
            }
            None => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn push_geo_json(geometry: &geo::Geometry<f64>, out: &mut String) {
    use geo::Geometry as G;
    let (name, coordinates) = match geometry {
        G::Point(point) => ("Point", position(&point.0)),
        G::MultiPoint(points) => (
            "MultiPoint",
            list(points.iter().map(|point| position(&point.0))),
        ),
        G::Line(line) => (
            "LineString",
            list([line.start, line.end].iter().map(position)),
        ),
        G::LineString(line) => ("LineString", positions(line)),
        G::MultiLineString(lines) => ("MultiLineString", list(lines.iter().map(positions))),
        G::Polygon(polygon) => ("Polygon", rings(polygon)),
        G::MultiPolygon(polygons) => ("MultiPolygon", list(polygons.iter().map(rings))),
        G::Rect(rectangle) => ("Polygon", rings(&rectangle.to_polygon())),
        G::Triangle(triangle) => ("Polygon", rings(&triangle.to_polygon())),
        G::GeometryCollection(members) => {
            out.push_str(r#"{"type":"GeometryCollection","geometries":["#);
            for (at, member) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                push_geo_json(member, out);
            }
            out.push_str("]}");
            return;
        }
    };
    out.push_str(&format!(
        r#"{{"type":"{name}","coordinates":{coordinates}}}"#
    ));
}

fn position(coord: &geo::Coord<f64>) -> String {
    format!("[{},{}]", coord.x, coord.y)
}

fn positions(line: &geo::LineString<f64>) -> String {
    list(line.coords().map(position))
}

fn rings(polygon: &geo::Polygon<f64>) -> String {
    list(
        std::iter::once(polygon.exterior())
            .chain(polygon.interiors())
            .map(positions),
    )
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}
