//! GeoJSON geometries as well-known binary.

use geojson::{GeometryValue, Position};
use wkb::writer::{WriteOptions, write_geometry};

use crate::error::FormatError;

/// A GeoJSON geometry (RFC 7946, section 3.1) as WKB: longitude and latitude, little endian. Altitudes are left out.
///
/// # Errors
/// [`FormatError::Geometry`] when the text is no geometry.
pub fn geometry_to_wkb(geojson: &str) -> Result<Vec<u8>, FormatError> {
    let error = |reason: String| FormatError::Geometry { reason };
    let geometry: geojson::Geometry = geojson
        .parse()
        .map_err(|reason: geojson::Error| error(reason.to_string()))?;
    if !has_whole_positions(&geometry.value) {
        return Err(error("a position holds fewer than two numbers".to_owned()));
    }
    let shape = geo_types::Geometry::<f64>::try_from(&geometry.value)
        .map_err(|reason| error(reason.to_string()))?;
    written(&shape).map_err(error)
}

/// Whether each position has its two numbers at least: the conversion takes that for granted and panics where it is not so.
fn has_whole_positions(value: &GeometryValue) -> bool {
    let line = |line: &Vec<Position>| line.iter().all(|at| at.as_slice().len() >= 2);
    let polygon = |rings: &Vec<Vec<Position>>| rings.iter().all(line);
    match value {
        GeometryValue::Point { coordinates } => coordinates.as_slice().len() >= 2,
        GeometryValue::MultiPoint { coordinates } | GeometryValue::LineString { coordinates } => {
            line(coordinates)
        }
        GeometryValue::MultiLineString { coordinates } | GeometryValue::Polygon { coordinates } => {
            polygon(coordinates)
        }
        GeometryValue::MultiPolygon { coordinates } => coordinates.iter().all(polygon),
        GeometryValue::GeometryCollection { geometries } => {
            let mut shapes = geometries.iter();
            shapes.all(|shape| has_whole_positions(&shape.value))
        }
    }
}

/// A geometry as WKB, little endian.
///
/// # Errors
/// Why it cannot be written.
pub(crate) fn written(shape: &geo_types::Geometry<f64>) -> Result<Vec<u8>, String> {
    let mut binary = Vec::new();
    write_geometry(&mut binary, shape, &WriteOptions::default())
        .map_err(|reason| reason.to_string())?;
    Ok(binary)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_point_with_altitude() {
        let binary =
            geometry_to_wkb(r#"{"type": "Point", "coordinates": [106.68, 20.86, 4]}"#).unwrap();
        let mut expected = vec![1, 1, 0, 0, 0];
        expected.extend(106.68_f64.to_le_bytes());
        expected.extend(20.86_f64.to_le_bytes());
        assert_eq!(binary, expected);
    }

    #[test]
    fn what_is_no_geometry() {
        for text in [
            "",
            "null",
            "{}",
            "[1, 2]",
            r#"{"type": "Point"}"#,
            r#"{"type": "Point", "coordinates": []}"#,
            r#"{"type": "Point", "coordinates": [1]}"#,
            r#"{"type": "Point", "coordinates": ["a", "b"]}"#,
            r#"{"type": "LineString", "coordinates": [[1, 2], [3]]}"#,
            r#"{"type": "Polygon", "coordinates": [[[12], [3, 4], [5, 6], [1, 2]]]}"#,
            r#"{"type": "MultiPolygon", "coordinates": [[[[1, 2], [], [5, 6], [1, 2]]]]}"#,
            r#"{"type": "Pont", "coordinates": [1, 2]}"#,
            r#"{"type": "LineString", "coordinates": [1, 2]}"#,
            r#"{"type": "Feature", "geometry": null, "properties": null}"#,
        ] {
            assert!(geometry_to_wkb(text).is_err(), "{text}");
        }
    }

    #[test]
    fn empty_shapes_do_not_panic() {
        for kind in [
            "LineString",
            "Polygon",
            "MultiPoint",
            "MultiLineString",
            "MultiPolygon",
        ] {
            drop(geometry_to_wkb(&format!(
                r#"{{"type": "{kind}", "coordinates": []}}"#
            )));
            drop(geometry_to_wkb(&format!(
                r#"{{"type": "{kind}", "coordinates": [[]]}}"#
            )));
        }
        drop(geometry_to_wkb(
            r#"{"type": "GeometryCollection", "geometries": []}"#,
        ));
    }
}
