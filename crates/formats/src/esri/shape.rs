//! Esri shapes as well-known binary: x and y, heights and measures left out.

use std::fmt;

use geo_types::{
    Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, Rect,
};
use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::geometry::written;

/// Shells that are looked at for one hole; writers put holes after their shell.
const SHELLS_MAX: usize = 256;

/// Any shape: its members tell which.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Shape {
    x: Option<Value>,
    y: Option<Value>,
    points: Option<Vec<Position>>,
    paths: Option<Vec<Vec<Position>>>,
    rings: Option<Vec<Vec<Position>>>,
    xmin: Option<Value>,
    ymin: Option<Value>,
    xmax: Option<Value>,
    ymax: Option<Value>,
    curve_paths: Option<IgnoredAny>,
    curve_rings: Option<IgnoredAny>,
}

/// x and y; what follows them is passed over.
#[derive(Debug, Clone, Copy)]
struct Position(Coord<f64>);

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;
        impl<'de> Visitor<'de> for Pair {
            type Value = Position;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of x and y")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Position, A::Error> {
                let few = || A::Error::custom("a place of fewer than two numbers");
                let x = list.next_element()?.ok_or_else(few)?;
                let y = list.next_element()?.ok_or_else(few)?;
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Position(Coord { x, y }))
            }
        }
        deserializer.deserialize_seq(Pair)
    }
}

/// The shape as WKB; none where it is empty, as points with `NaN` are.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub(crate) fn wkb(text: &str) -> Result<Option<Vec<u8>>, String> {
    if !text.starts_with('{') {
        return Err("its geometry is no object".to_owned());
    }
    let shape: Shape = serde_json::from_str(text)
        .map_err(|error| format!("its geometry is no Esri geometry: {error}"))?;
    let geometry = shape.geometry()?;
    geometry.as_ref().map(written).transpose()
}

fn number(value: Option<&Value>) -> Option<f64> {
    value?.as_f64().filter(|it| it.is_finite())
}

fn line(places: Vec<Position>) -> LineString<f64> {
    LineString(places.into_iter().map(|place| place.0).collect())
}

impl Shape {
    fn geometry(self) -> Result<Option<Geometry<f64>>, String> {
        if self.curve_paths.is_some() || self.curve_rings.is_some() {
            return Err(
                "its geometry has curves: ask for it without `returnTrueCurves`".to_owned(),
            );
        }
        if let Some(rings) = self.rings {
            return Ok(area(rings.into_iter().map(line)));
        }
        if let Some(paths) = self.paths {
            let mut lines: Vec<_> = paths
                .into_iter()
                .map(line)
                .filter(|it| it.0.len() > 1)
                .collect();
            return Ok(match lines.len() {
                0 => None,
                1 => Some(Geometry::LineString(lines.remove(0))),
                _ => Some(Geometry::MultiLineString(MultiLineString(lines))),
            });
        }
        if let Some(points) = self.points {
            let points: Vec<_> = points.into_iter().map(|it| Point(it.0)).collect();
            return Ok((!points.is_empty()).then_some(Geometry::MultiPoint(MultiPoint(points))));
        }
        let corner = |x: &Option<Value>, y: &Option<Value>| {
            Some(Coord {
                x: number(x.as_ref())?,
                y: number(y.as_ref())?,
            })
        };
        if self.xmin.is_some() || self.xmax.is_some() {
            let corners = corner(&self.xmin, &self.ymin).zip(corner(&self.xmax, &self.ymax));
            return Ok(corners.map(|(low, high)| Rect::new(low, high).to_polygon().into()));
        }
        match (&self.x, &self.y) {
            (Some(_), _) | (_, Some(_)) => {
                Ok(corner(&self.x, &self.y).map(|at| Geometry::Point(Point(at))))
            }
            // `{}` is how some servers write that there is none; with the reference system beside it as well.
            (None, None) => Ok(None),
        }
    }
}

/// Twice the area that a ring encloses: below zero where it runs clockwise, as shells do.
fn turn(ring: &LineString<f64>) -> f64 {
    let origin = ring.0.first().copied().unwrap_or_default();
    let pairs = ring.0.iter().zip(ring.0.iter().skip(1));
    pairs
        .map(|(a, b)| (a.x - origin.x) * (b.y - origin.y) - (b.x - origin.x) * (a.y - origin.y))
        .sum()
}

fn holds(shell: &LineString<f64>, at: Coord<f64>) -> bool {
    let mut inside = false;
    for (a, b) in shell.0.iter().zip(shell.0.iter().skip(1)) {
        let crosses = (a.y > at.y) != (b.y > at.y);
        if crosses && at.x < (b.x - a.x) * (at.y - a.y) / (b.y - a.y) + a.x {
            inside = !inside;
        }
    }
    inside
}

/// Shells run clockwise and holes the other way; a hole in no shell, as some writers leave, is a shell.
fn area(rings: impl Iterator<Item = LineString<f64>>) -> Option<Geometry<f64>> {
    let mut areas: Vec<(LineString<f64>, Vec<LineString<f64>>)> = Vec::new();
    let mut holes = Vec::new();
    for ring in rings.filter(|ring| ring.0.len() > 2) {
        match turn(&ring) > 0.0 {
            true => holes.push((areas.len(), ring)),
            false => areas.push((ring, Vec::new())),
        }
    }
    let shells = areas.len();
    for (before, hole) in holes {
        // The shells before it, from the nearest on, then those after it.
        let order = (0..before).rev().chain(before..shells).take(SHELLS_MAX);
        let first = hole.0.first().copied().unwrap_or_default();
        let mut found = order.filter(|&index| holds(&areas[index].0, first));
        match found.next() {
            Some(index) => areas[index].1.push(hole),
            None => areas.push((hole, Vec::new())),
        }
    }
    let mut areas: Vec<_> = areas
        .into_iter()
        .map(|(shell, holes)| Polygon::new(shell, holes))
        .collect();
    match areas.len() {
        0 => None,
        1 => Some(Geometry::Polygon(areas.remove(0))),
        _ => Some(Geometry::MultiPolygon(MultiPolygon(areas))),
    }
}
