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
