//! Sources of the environment: networks of air-quality stations and sensors.
//!
//! Place: a connector crate; it fetches bytes and a cursor and ships, as `.sql` files, how they feed the shared tables.
//! Must not know: Arrow, formats, contracts, other connectors.
//! Bounds: those of the SDK's client and file reader; of a paged answer one page is held at a time.
//!
//! ```
//! use sectorlake_connector::{MakeContext, Registry};
//!
//! let registry = Registry::new(sectorlake_connector_environment::registrations());
//! let context = MakeContext::new(".", "demo", |name| (name == "OPENAQ_KEY").then(|| "k".to_owned()));
//! let settings = serde_json::from_str(r#"{"country": "VN", "api_key": "${env:OPENAQ_KEY}"}"#).unwrap();
//! assert!(registry.get("openaq").unwrap().make(settings, &context).is_ok());
//! ```

mod ask;
mod eea;
mod ghcn_daily;
mod hub_eau;
mod metar;
mod open_meteo;
mod openaq;
mod sensor_community;
mod sensorthings;
mod since;
mod usgs;

#[cfg(test)]
mod testing;

use sectorlake_connector::Registration;

/// The connectors of this crate.
#[must_use]
pub fn registrations() -> Vec<Registration> {
    vec![
        openaq::registration(),
        sensor_community::registration(),
        sensorthings::registration(),
        ghcn_daily::registration(),
        hub_eau::registration(),
        metar::registration(),
        usgs::registration(),
        eea::registration(),
        open_meteo::registration(),
    ]
}
