//! Sources that know no sector: files on this machine and files behind URLs.
//!
//! Place: a connector crate; it fetches bytes and a cursor, the raw zone keeps them.
//! Must not know: Arrow, formats, contracts, other connectors; a `format:` passes through as it is written.
//! Bounds: those of the SDK's client and file reader.
//!
//! ```
//! use sectorlake_connector::{MakeContext, Registry};
//!
//! let registry = Registry::new(sectorlake_connector_portal::registrations());
//! let context = MakeContext::new(".", "demo", |_| None);
//! let settings = serde_json::from_str(r#"{"path": "data/*.csv", "format": "csv"}"#).unwrap();
//! assert!(registry.get("file").unwrap().make(settings, &context).is_ok());
//! ```

mod arcgis;
mod ask;
mod catalogues;
mod ckan;
mod elements;
mod file;
mod http;
mod ngsi_ld;
mod odata;
mod ogc_features;
mod opendatasoft;
mod rest;
mod sdmx;
mod sftp;
mod socrata;
mod store;
mod wfs;

#[cfg(test)]
mod testing;

pub use catalogues::catalogues;
use sectorlake_connector::Registration;

/// The connectors of this crate.
#[must_use]
pub fn registrations() -> Vec<Registration> {
    vec![
        file::registration(),
        http::registration(),
        store::registration(),
        // Those of portals come with the protocols' own claims.
        ckan::registration(),
        socrata::registration(),
        opendatasoft::registration(),
        odata::registration(),
        arcgis::registration(),
        ogc_features::registration(),
        wfs::registration(),
        sdmx::registration(),
        ngsi_ld::registration(),
        rest::registration(),
    ]
}
