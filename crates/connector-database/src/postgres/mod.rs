//! `postgres`: tables and queries of PostgreSQL and what speaks its protocol.
//!
//! Reference: the wire protocol, <https://www.postgresql.org/docs/current/protocol.html>, and COPY in binary,
//! <https://www.postgresql.org/docs/current/sql-copy.html>.

mod binary;
mod errors;
mod numeric;
mod read;
mod session;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;

use sectorlake_connector::{Connector, MakeContext, Registration, SettingsError};

use crate::address::{Defaults, ServerSettings};
use crate::connector::Database;
use crate::settings::Wanted;
use session::Postgres;

pub(crate) const DEFAULTS: Defaults = Defaults {
    schemes: &["postgres", "postgresql"],
    port: 5432,
};

pub(crate) fn registration() -> Registration {
    Registration::of(
        "postgres",
        "Tables and queries of a PostgreSQL database, whole or only what is new.",
        make,
    )
    .with_claims(|sight| DEFAULTS.claim(sight))
    .with_example(include_str!("example.yaml"))
}

fn make(
    settings: ServerSettings,
    context: &MakeContext,
) -> Result<Arc<dyn Connector>, SettingsError> {
    let (address, tls) = settings.address(DEFAULTS, context)?;
    let wanted = Wanted::of(settings.tables, settings.queries)?;
    Ok(Arc::new(Database::new(
        Arc::new(Postgres::new(address, tls)),
        wanted,
    )))
}
