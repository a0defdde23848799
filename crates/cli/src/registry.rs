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
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeSet;

    use sectorlake_pipeline::Project;

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

    /// Settings of `connector` that reach a loopback server, each source asking it for something before it can be read.
    fn asking(place: &str) -> [(&'static str, String); 7] {
        let http = |rest: &str| format!("  url: http://{place}/\n  allow_private: true\n{rest}");
        let database = |scheme: &str| format!("  url: {scheme}://u@{place}/d\n  tables: all\n");
        let over = "  path: s/{partition}/r\n  partitions: { over: { url: list, field: id } }\n";
        [
            ("rest", http(over)),
            ("ogc_features", http("")),
            ("ngsi_ld", http("")),
            ("wfs", http("")),
            ("odata", http("")),
            ("postgres", database("postgres")),
            ("mysql", database("mysql")),
        ]
    }

    #[tokio::test]
    async fn validating_asks_nobody() {
        let registry = all();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let folder = tempfile::tempdir().unwrap();
        let pipelines = folder.path().join("pipelines/examples");
        std::fs::create_dir_all(&pipelines).unwrap();
        let map = "tables:\n  common.places:\n    map: SELECT id FROM\n";
        for (connector, settings) in asking(&place) {
            let yaml = format!("source:\n  connector: {connector}\n{settings}{map}");
            std::fs::write(pipelines.join(format!("{connector}.yaml")), yaml).unwrap();
        }
        let (project, problems) = Project::load(folder.path(), &registry);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, [""; 0]);
        // What can be said without asking is said of each.
        let problems = sectorlake_pipeline::validate(&project, &registry).await;
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let of_map = told
            .iter()
            .filter(|told| told.contains(".yaml:") && !told.contains("is not asked"));
        assert_eq!(of_map.count(), asking(&place).len(), "{told:#?}");
        assert_eq!(told.len(), asking(&place).len(), "{told:#?}");
        let asked = listener.accept().map(drop).unwrap_err();
        assert_eq!(asked.kind(), std::io::ErrorKind::WouldBlock);
    }

    /// What a connector shows of itself is a pipeline that can be run as it stands.
    #[test]
    fn examples_are_pipelines() {
        let registry = all();
        let folder = tempfile::tempdir().unwrap();
        let pipelines = folder.path().join("pipelines/examples");
        std::fs::create_dir_all(&pipelines).unwrap();
        for registration in registry.iter() {
            if let Some(yaml) = registration.example() {
                let file = pipelines.join(format!("{}.yaml", registration.name()));
                std::fs::write(file, yaml).unwrap();
            }
        }
        let (project, problems) = Project::load(folder.path(), &registry);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, [""; 0]);
        for registration in registry.iter().filter(|it| it.example().is_some()) {
            let named = &project.file(registration.name()).unwrap().source["connector"];
            assert_eq!(named, registration.name());
        }
    }
}
