//! Coordinates from one reference system to another.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use proj4rs::Proj;
use proj4rs::adaptors::transform_xy;

use super::meridians::OF_EPSG;

/// WGS 84 in degrees.
pub(super) const WGS84: u16 = 4326;

/// From VN-2000 to WGS 84 by EPSG:6960, the seven parameters of the Ministry of Natural Resources and Environment (2007). EPSG gives the
/// rotations in the coordinate frame convention; this notation takes them as a position vector's, of opposite sign.
const VN2000_SHIFT: &str = "+ellps=WGS84 +towgs84=-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278";

/// Datums that need a grid of shifts, which is not at hand; without it the shift would silently be none.
const NEED_GRIDS: [&str; 2] = ["+datum=NAD27", "+datum=potsdam"];

/// Ellipsoids of systems that are tied to the same frame as WGS 84. Those without parameters of their own (Japan's JGD2011, NAD83's later
/// realisations) coincide with it to about two metres, which is as near as WGS 84 itself is told.
const COINCIDE: [&str; 2] = ["+ellps=GRS80", "+ellps=WGS84"];

/// A way from one system to another.
pub(super) struct Transform {
    from: Side,
    to: Side,
}

struct Side {
    system: Proj,
    name: String,
}

/// Transforms made once and kept while a batch lasts.
#[derive(Default)]
pub(super) struct Transforms(HashMap<(u16, u16), Transform>);

impl Transforms {
    pub(super) fn between(&mut self, from: u16, to: u16) -> Result<&Transform> {
        Ok(match self.0.entry((from, to)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Transform {
                from: Side::of_epsg(from)?,
                to: Side::of_epsg(to)?,
            }),
        })
    }
}

impl Transform {
    /// From VN-2000 in a zone to WGS 84.
    pub(super) fn of_vn2000(meridian: f64, scale: f64) -> Result<Self> {
        Ok(Self {
            from: Side::of_definition(
                &vn2000(meridian, scale),
                format!("VN-2000 with the central meridian {meridian}°"),
            )?,
            to: Side::of_epsg(WGS84)?,
        })
    }

    /// Easting (or longitude in degrees) and northing (or latitude), in that order on both sides.
    pub(super) fn apply(&self, x: f64, y: f64) -> Result<(f64, f64)> {
        let outside = || {
            exec_datafusion_err!(
                "x {x}, y {y} is no point of {} that {} can give: check the order (x is the easting or longitude) and the system",
                self.from.name,
                self.to.name
            )
        };
        if !x.is_finite() || !y.is_finite() {
            return Err(outside());
        }
        if self.from.system.is_latlong() && (x.abs() > 360.0 || y.abs() > 90.0) {
            return Err(outside());
        }
        let (x, y) = self.from.to_radians(x, y);
        let (x, y) =
            transform_xy(&self.from.system, &self.to.system, x, y).map_err(|_| outside())?;
        let (x, y) = self.to.to_degrees(x, y);
        if !x.is_finite() || !y.is_finite() {
            return Err(outside());
        }
        Ok((x, y))
    }
}

impl Side {
    fn of_epsg(code: u16) -> Result<Self> {
        let name = format!("EPSG:{code}");
        if let Some((_, meridian)) = OF_EPSG.iter().find(|(epsg, _)| *epsg == code) {
            return Self::of_definition(&vn2000(*meridian, 0.9999), name);
        }
        let Some(known) = crs_definitions::from_code(code) else {
            return exec_err!("{name} is not known: write the code of another reference system");
        };
        Self::of_definition(known.proj4, name)
    }

    fn of_definition(definition: &str, name: String) -> Result<Self> {
        let needs_grid = NEED_GRIDS.iter().any(|datum| definition.contains(datum))
            || (definition.contains("+nadgrids=") && !definition.contains("+nadgrids=@null"));
        if needs_grid {
            return exec_err!(
                "{name} is shifted to WGS 84 by a grid, and grids are not read: transform it with PROJ first, or use a system with parameters"
            );
        }
        let is_shifted = ["+towgs84=", "+datum=", "+nadgrids="]
            .iter()
            .chain(&COINCIDE)
            .any(|parameter| definition.contains(parameter));
        if !is_shifted {
            return exec_err!(
                "how {name} is shifted to WGS 84 is not known: transform it with PROJ first"
            );
        }
        let system = Proj::from_proj_string(definition).map_err(|reason| {
            exec_datafusion_err!(
                "{name} cannot be computed here ({reason}): transform it with PROJ first"
            )
        })?;
        Ok(Self { system, name })
    }

    fn to_radians(&self, x: f64, y: f64) -> (f64, f64) {
        if self.system.is_latlong() {
            (x.to_radians(), y.to_radians())
        } else {
            (x, y)
        }
    }

    fn to_degrees(&self, x: f64, y: f64) -> (f64, f64) {
        if self.system.is_latlong() {
            (x.to_degrees(), y.to_degrees())
        } else {
            (x, y)
        }
    }
}

fn vn2000(meridian: f64, scale: f64) -> String {
    format!(
        "+proj=tmerc +lat_0=0 +lon_0={meridian} +k={scale} +x_0=500000 +y_0=0 {VN2000_SHIFT} +units=m +no_defs"
    )
}
