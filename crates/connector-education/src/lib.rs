//! Sources of education: international statistics, registers of schools, results of exams.
//!
//! Place: a connector crate; it fetches bytes and a cursor and ships, as `.sql` files, how they feed the shared tables.
//! Must not know: Arrow, formats, contracts, other connectors.
//! Bounds: those of the SDK's client and file reader.
//!
//! ```
//! use sectorlake_connector::{MakeContext, Registry};
//!
//! let registry = Registry::new(sectorlake_connector_education::registrations());
//! let context = MakeContext::new(".", "demo", |_| None);
//! let settings = serde_json::from_str(r#"{"indicators": {"CR.1": {"unit": "%"}}, "geo_units": ["VNM"]}"#).unwrap();
//! assert!(registry.get("uis").unwrap().make(settings, &context).is_ok());
//! ```

mod gias;
mod giga;
mod indicators;
mod nces;
mod uis;
mod vn_exam_results;
mod worldbank;

use sectorlake_connector::Registration;

/// The connectors of this crate.
#[must_use]
pub fn registrations() -> Vec<Registration> {
    vec![
        uis::registration(),
        worldbank::registration(),
        gias::registration(),
        nces::registration(),
        giga::registration(),
        vn_exam_results::registration(),
    ]
}
