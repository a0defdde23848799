//! End to end: drives the real binary, on real files and on small made ones, as its users would.
//!
//! The binary is the one `make build` made (`SECTORLAKE_BIN` names another). Each test has a project and a lake of its own in a
//! temporary folder, except those that read the shared lake of the real files ([`real_lake`]). Nothing leaves the machine.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../servers/fleet.rs"]
mod fleet;
mod harness;
mod real_lake;
mod samples;
mod served;
#[expect(
    dead_code,
    reason = "the folder of a server is read by the tests of crates"
)]
#[path = "../servers/mod.rs"]
mod servers;

mod architecture;
mod attacks;
mod bad_archives;
mod bad_files;
mod bad_lakes;
mod bad_projects;
mod commands;
mod corpus;
mod databases;
mod discover;
mod drafts;
mod drafts_odd;
mod drift;
mod education;
mod environment;
mod evolution;
mod fixes;
mod foreign;
mod gtfs;
mod kill;
mod loads;
mod paged;
mod pipelines;
mod places;
mod portal;
mod portal_rows;
mod profiles;
mod provenance;
mod real_files;
mod recordings;
mod remote;
mod slow_server;
mod stores;
mod tight_places;
mod transport;
mod upstream;
mod watch;
