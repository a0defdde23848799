//! Sources that are SQL databases: PostgreSQL, MySQL and MariaDB, SQLite, Microsoft SQL Server.
//!
//! Place: a connector crate of its own, so that its drivers weigh on nobody else; its raw parts are Parquet, with the types that
//! the database has.
//! Must not know: contracts, tables, the lake, other connectors.
//! Bounds: a part has a million rows or some 32 MiB, and three of them at most are in memory; a read waits for the raw zone.
//!
//! A source is only read: every read is one transaction that can change nothing and sees one snapshot, over all parts of a
//! table. Databases live in private networks, so the host that the settings name is connected to as it is written.
//!
//! ```
//! use sectorlake_connector::{MakeContext, Registry};
//!
//! let registry = Registry::new(sectorlake_connector_database::registrations());
//! let context = MakeContext::new(".", "monitoring", |name| (name == "PASSWORD").then(|| "secret".to_owned()));
//! let settings = r#"{"url": "postgres://reader:${env:PASSWORD}@db.example/monitoring", "tables": ["stations"]}"#;
//! let settings = serde_json::from_str(settings).unwrap();
//! assert!(registry.get("postgres").unwrap().make(settings, &context).is_ok());
//! ```

mod address;
mod catalogue;
mod cells;
mod connector;
mod cursor;
mod engine;
mod mysql;
mod parts;
mod postgres;
mod settings;
mod sqlite;
mod sqlserver;
#[cfg(test)]
mod testing;
mod ties;
mod tls;

use sectorlake_connector::Registration;

/// The connectors of this crate.
#[must_use]
pub fn registrations() -> Vec<Registration> {
    vec![
        postgres::registration(),
        mysql::registration(),
        sqlite::registration(),
        sqlserver::registration(),
    ]
}
