//! Of a run that takes in corrections: all of them are there or none, and the file can be taken in again where none is.

use super::instant::Instants;
use super::{most_hit, random};
use crate::fixes::{corrected, wards};
use crate::harness::{Project, is_soak};

const FIX: [&str; 4] = ["run", "wards", "--fix", "fix.csv"];

/// Rejected rows are exported and corrected, and wait to be taken in.
fn project() -> Project {
    let project = wards();
    project.run(&["wards"]).ok();
    let export = ["rejected", "wards", "--export", "out.csv"];
    project.sectorlake(&export).ok();
    let sheet = std::fs::read_to_string(project.path("out.csv")).unwrap();
    project.file("fix.csv", corrected(&sheet));
    project
}

#[test]
fn of_a_correction() {
    let mut random = random(3);
    let mut instants = Instants::of(&project(), &FIX);
    let mut shots = Vec::new();
    for _ in 0..if is_soak() { 15 } else { 4 } {
        let project = project();
        shots.push(instants.shoot(&project, &mut random));
        let seen = project.count("health.wards");
        assert!(
            seen == 1 || seen == 3,
            "{seen} rows: half a correction is seen"
        );
        // What was published, but not in full, the next run rolls forward: then the file is in force already.
        let again = project.sectorlake(&FIX).ok();
        let is_told = again.says("already taken in");
        assert!(is_told || seen == 1, "{}", again.whole());
        assert_eq!(project.count("health.wards"), 3);
        assert!(project.run(&["wards"]).ok().says("unchanged"));
    }
    most_hit(&shots);
}
