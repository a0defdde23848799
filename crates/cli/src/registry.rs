//! Every connector: the only place that knows them all.

use sectorlake_connector::Registry;
use sectorlake_connector::catalogue::Catalogue;

/// The connectors of all sectors.
pub(crate) fn all() -> Registry {
    let sectors = [
        sectorlake_connector_portal::registrations(),
        sectorlake_connector_database::registrations(),
        sectorlake_connector_education::registrations(),
        sectorlake_connector_environment::registrations(),
        sectorlake_connector_transport::registrations(),
    ];
    Registry::new(sectors.into_iter().flatten())
}

/// The catalogues of all kinds of portals, in the order in which they are looked for.
pub(crate) fn catalogues() -> Vec<Box<dyn Catalogue>> {
    sectorlake_connector_portal::catalogues()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_connectors_share_a_name() {
        let registry = all();
        let names: BTreeSet<&str> = registry.iter().map(|it| it.name()).collect();
        assert_eq!(names.len(), registry.iter().count());
        for name in ["file", "http", "gtfs"] {
            assert!(names.contains(name), "{name}");
        }
    }
}
