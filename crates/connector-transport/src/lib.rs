//! Sources of transport: public transit by timetable and of the moment, vehicles for hire, accidents and traffic counts.
//!
//! Place: a connector crate; it fetches bytes and a cursor and ships, as `.sql` files, how they feed the shared tables.
//! Must not know: Arrow, formats, contracts, other connectors.
//! Bounds: those of the SDK's client and file reader.
//!
//! ```
//! use sectorlake_connector::{MakeContext, Registry};
//!
//! let registry = Registry::new(sectorlake_connector_transport::registrations());
//! let context = MakeContext::new(".", "my-bus", |_| None);
//! let settings = serde_json::from_str(r#"{"url": "https://transit.example/gtfs.zip"}"#).unwrap();
//! assert!(registry.get("gtfs").unwrap().make(settings, &context).is_ok());
//! ```

mod gbfs;
mod gtfs;
mod gtfs_realtime;
mod netex;
mod poll;
mod siri;
mod stats19;
mod traffic_counts;

use sectorlake_connector::Registration;

/// The connectors of this crate.
#[must_use]
pub fn registrations() -> Vec<Registration> {
    vec![
        gtfs::registration(),
        gtfs_realtime::registration(),
        gbfs::registration(),
        siri::registration(),
        netex::registration(),
        stats19::registration(),
        traffic_counts::registration(),
    ]
}
