//! Elements → shapes.

use geo_types::{
    Coord, Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon, Rect,
};

use crate::xml::tree::Element;

/// Elements that are shapes.
const SHAPES: [&str; 21] = [
    "Point",
    "LineString",
    "LinearRing",
    "Curve",
    "CompositeCurve",
    "OrientableCurve",
    "Polygon",
    "Surface",
    "CompositeSurface",
    "OrientableSurface",
    "PolyhedralSurface",
    "MultiPoint",
    "MultiLineString",
    "MultiCurve",
    "MultiPolygon",
    "MultiSurface",
    "MultiGeometry",
    "GeometryCollection",
    "Envelope",
    "Box",
    "Ring",
];

pub(crate) fn is_shape(name: &str) -> bool {
    SHAPES.contains(&name)
}

fn attribute<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let found = element.attributes.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// The reference system that an element names.
pub(crate) fn reference(element: &Element) -> Option<&str> {
    attribute(element, "srsName")
}

/// What a shape takes from the elements around it.
#[derive(Clone, Copy)]
struct Around<'a> {
    reference: &'a str,
    dimensions: usize,
    swaps: &'a dyn Fn(&str) -> bool,
}

/// The shape that an element is; none if it is empty.
pub(crate) fn read(
    element: &Element,
    reference: &str,
    swaps: &dyn Fn(&str) -> bool,
) -> Result<Option<Geometry<f64>>, String> {
    let around = Around {
        reference,
        dimensions: 2,
        swaps,
    };
    around.of(element).shape(element)
}

impl<'a> Around<'a> {
    fn of(self, element: &'a Element) -> Self {
        let dimensions =
            attribute(element, "srsDimension").or_else(|| attribute(element, "dimension"));
        let dimensions = dimensions
            .and_then(|it| it.parse().ok())
            .filter(|it| (2..=4).contains(it));
        Self {
            reference: reference(element).unwrap_or(self.reference),
            dimensions: dimensions.unwrap_or(self.dimensions),
            ..self
        }
    }

    fn shape(self, element: &Element) -> Result<Option<Geometry<f64>>, String> {
        Ok(match element.name.as_str() {
            "Point" => self
                .places(element)?
                .first()
                .map(|at| Geometry::Point(Point(*at))),
            "LineString" | "LinearRing" | "Curve" | "CompositeCurve" | "OrientableCurve"
            | "Ring" => {
                let line = self.line(element)?;
                (!line.0.is_empty()).then_some(Geometry::LineString(line))
            }
            "Polygon" | "Surface" | "CompositeSurface" | "OrientableSurface"
            | "PolyhedralSurface" => {
                let mut areas = self.areas(element)?;
                match areas.len() {
                    0 => None,
                    1 => Some(Geometry::Polygon(areas.remove(0))),
                    _ => Some(Geometry::MultiPolygon(MultiPolygon(areas))),
                }
            }
            "MultiPoint" => {
                let points = self.members(element, |around, member| around.places(member))?;
                let points: Vec<_> = points.into_iter().flatten().map(Point).collect();
                (!points.is_empty()).then_some(Geometry::MultiPoint(MultiPoint(points)))
            }
            "MultiLineString" | "MultiCurve" => {
                let lines = self.members(element, |around, member| around.line(member))?;
                let lines: Vec<_> = lines.into_iter().filter(|it| !it.0.is_empty()).collect();
                (!lines.is_empty()).then_some(Geometry::MultiLineString(MultiLineString(lines)))
            }
            "MultiPolygon" | "MultiSurface" => {
                let areas = self.members(element, |around, member| around.areas(member))?;
                let areas: Vec<_> = areas.into_iter().flatten().collect();
                (!areas.is_empty()).then_some(Geometry::MultiPolygon(MultiPolygon(areas)))
            }
            "MultiGeometry" | "GeometryCollection" => {
                let shapes = self.members(element, |around, member| around.shape(member))?;
                let shapes: Vec<_> = shapes.into_iter().flatten().collect();
                let whole = GeometryCollection(shapes);
                (!whole.0.is_empty()).then_some(Geometry::GeometryCollection(whole))
            }
            "Envelope" | "Box" => match self.places(element)?.as_slice() {
                [] => None,
                [low, high] => Some(Rect::new(*low, *high).to_polygon().into()),
                places => return Err(format!("its extent has {} corners", places.len())),
            },
            other => return Err(format!("`{other}` is no shape that is read here")),
        })
    }

    /// What the members of a collection are; `pointMember` holds one shape, `pointMembers` many.
    fn members<T>(
        self,
        element: &'a Element,
        read: impl Fn(Self, &'a Element) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut all = Vec::new();
        for member in &element.children {
            for inner in &member.children {
                all.push(read(self.of(inner), inner)?);
            }
        }
        Ok(all)
    }

    /// The polygons of a surface.
    fn areas(self, element: &'a Element) -> Result<Vec<Polygon<f64>>, String> {
        match element.name.as_str() {
            "Polygon" | "PolygonPatch" | "Rectangle" | "Triangle" => {
                let mut shell = LineString(Vec::new());
                let mut holes = Vec::new();
                for side in &element.children {
                    for ring in &side.children {
                        let ring = self.of(ring).line(ring)?;
                        match side.name.as_str() {
                            "exterior" | "outerBoundaryIs" => shell = ring,
                            "interior" | "innerBoundaryIs" => holes.push(ring),
                            _ => {}
                        }
                    }
                }
                Ok((!shell.0.is_empty())
                    .then(|| Polygon::new(shell, holes))
                    .into_iter()
                    .collect())
            }
            "Surface"
            | "CompositeSurface"
            | "OrientableSurface"
            | "PolyhedralSurface"
            | "TriangulatedSurface" => {
                let areas = self.members(element, |around, patch| around.areas(patch))?;
                Ok(areas.into_iter().flatten().collect())
            }
            other => Err(format!("`{other}` is no area that is read here")),
        }
    }

    /// The places of a curve, its segments one after the other.
    fn line(self, element: &'a Element) -> Result<LineString<f64>, String> {
        match element.name.as_str() {
            "LineString" | "LinearRing" | "LineStringSegment" => {
                Ok(LineString(self.places(element)?))
            }
            "Curve" | "CompositeCurve" | "OrientableCurve" | "Ring" => {
                let mut whole: Vec<Coord<f64>> = Vec::new();
                for part in self.members(element, |around, part| around.line(part))? {
                    // Each segment begins where the last one ends.
                    let repeats = whole
                        .last()
                        .is_some_and(|last| part.0.first() == Some(last));
                    whole.extend(part.0.into_iter().skip(usize::from(repeats)));
                }
                Ok(LineString(whole))
            }
            other => Err(format!(
                "`{other}` is no straight line: arcs and splines are not read"
            )),
        }
    }

    /// The places that an element lists itself.
    fn places(self, element: &'a Element) -> Result<Vec<Coord<f64>>, String> {
        let mut places = Vec::new();
        for child in &element.children {
            let around = self.of(child);
            match child.name.as_str() {
                "pos" | "posList" | "lowerCorner" | "upperCorner" => {
                    places.extend(around.list(&child.text)?);
                }
                "coordinates" => places.extend(around.coordinates(child)?),
                "coord" => {
                    let number = |name: &str| {
                        let found = child.children.iter().find(|it| it.name == name);
                        found.map_or(Err(format!("a `coord` has no {name}")), |it| {
                            number(&it.text)
                        })
                    };
                    places.push(around.place(number("X")?, number("Y")?));
                }
                "pointProperty" | "pointRep" | "pointMember" => {
                    for point in &child.children {
                        places.extend(around.of(point).places(point)?);
                    }
                }
                _ => {}
            }
        }
        Ok(places)
    }

    fn place(self, first: f64, second: f64) -> Coord<f64> {
        match (self.swaps)(self.reference) {
            true => Coord {
                x: second,
                y: first,
            },
            false => Coord {
                x: first,
                y: second,
            },
        }
    }

    /// Numbers with blanks between them.
    fn list(self, text: &str) -> Result<Vec<Coord<f64>>, String> {
        let numbers: Vec<f64> = text
            .split_whitespace()
            .map(number)
            .collect::<Result<_, _>>()?;
        if !numbers.len().is_multiple_of(self.dimensions) {
            let (count, dimensions) = (numbers.len(), self.dimensions);
            return Err(format!(
                "{count} numbers are no list of places of {dimensions}"
            ));
        }
        let places = numbers.chunks_exact(self.dimensions);
        Ok(places.map(|place| self.place(place[0], place[1])).collect())
    }

    /// GML 2: `1,2 3,4`, or with the marks that it names.
    fn coordinates(self, element: &Element) -> Result<Vec<Coord<f64>>, String> {
        let mark = |name: &str, usual: char| {
            let mark = attribute(element, name).and_then(|it| it.chars().next());
            mark.unwrap_or(usual)
        };
        let (between, after, decimal) = (mark("cs", ','), mark("ts", ' '), mark("decimal", '.'));
        let is_end = |letter: char| letter == after || (after == ' ' && letter.is_whitespace());
        let tuples = element
            .text
            .split(is_end)
            .map(str::trim)
            .filter(|it| !it.is_empty());
        let places = tuples.map(|tuple| {
            let mut numbers = tuple
                .split(between)
                .map(|it| number(&it.replace(decimal, ".")));
            let mut next = || numbers.next().ok_or(format!("`{tuple}` is no place"))?;
            Ok(self.place(next()?, next()?))
        });
        places.collect()
    }
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|it| it.is_finite());
    number.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!("`{shown}` is no number")
    })
}
