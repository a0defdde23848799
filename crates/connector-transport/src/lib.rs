//! Sources of transport: public transit by timetable and of the moment.
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

mod gtfs;
mod gtfs_realtime;

use sectorlake_connector::Registration;

/// The connectors of this crate.
#[must_use]
pub fn registrations() -> Vec<Registration> {
    vec![gtfs::registration(), gtfs_realtime::registration()]
}
