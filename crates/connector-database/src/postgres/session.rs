//! A connection to PostgreSQL that can only read.

use std::time::Duration;

use async_trait::async_trait;
use sectorlake_connector::{ConnectorError, Secret};
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::debug;

use super::errors::of_postgres;
use super::read;
use crate::address::Address;
use crate::catalogue::{Doing, Table, timeout};
use crate::engine::{Ask, Engine, Feed};
use crate::tls::Tls;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// After how much silence it is asked whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Read only, one snapshot from start to end, texts that do not depend on the server's settings. Rows come in the order in
/// which they lie, so that a table that has not changed is the same bytes again.
const BEGIN: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; \
    SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = 3; \
    SET standard_conforming_strings = on; SET synchronize_seqscans = off; SET lock_timeout = '60s'; \
    BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// The tables that `all` means: partitions are read through their table.
const TABLES: &str = "SELECT n.nspname, c.relname, c.relkind::text, n.nspname = ANY(current_schemas(false)) \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' \
    AND has_schema_privilege(n.oid, 'USAGE') \
    ORDER BY array_position(current_schemas(false), n.nspname) NULLS LAST, n.nspname, c.relname";

/// A PostgreSQL server.
pub(crate) struct Postgres {
    address: Address,
    tls: Tls,
    place: String,
}

/// A connection, and the task that drives it; it ends with this.
pub(crate) struct Session {
    pub(crate) client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Postgres {
    pub(crate) fn new(address: Address, tls: Tls) -> Self {
        Self {
            place: address.place(),
            address,
            tls,
        }
    }

    /// A new connection within a transaction that can only read.
    ///
    /// # Errors
    /// What the server or the network says.
    pub(crate) async fn session(&self) -> Result<Session, ConnectorError> {
        let session = match self.tls.client()? {
            None => self.connect(NoTls, SslMode::Disable).await?,
            Some(tls) => {
                self.connect(MakeRustlsConnect::new(tls), SslMode::Require)
                    .await?
            }
        };
        let begun = session.client.batch_execute(BEGIN).await;
        begun.map_err(|error| self.error(&Doing::Connect, &error))?;
        Ok(session)
    }

    async fn connect<T>(&self, tls: T, mode: SslMode) -> Result<Session, ConnectorError>
    where
        T: tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>,
        T::Stream: Send + 'static,
    {
        let mut config = Config::new();
        config
            .host(&self.address.host)
            .port(self.address.port)
            .dbname(&self.address.database)
            .user(&self.address.user)
            .password(
                self.address
                    .password
                    .as_ref()
                    .map(Secret::expose)
                    .unwrap_or_default(),
            )
            .ssl_mode(mode)
            .application_name("sectorlake")
            .keepalives_idle(KEEPALIVE)
            .connect_timeout(CONNECT_TIMEOUT);
        let connected = tokio::time::timeout(CONNECT_TIMEOUT * 2, config.connect(tls)).await;
        let (client, connection) = match connected {
            Ok(connected) => connected.map_err(|error| self.error(&Doing::Connect, &error))?,
            Err(_) => return Err(timeout().at(&self.place)),
        };
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                // Whoever waits for an answer is told as well.
                debug!("the connection to PostgreSQL ended: {error}");
            }
        });
        Ok(Session { client, driver })
    }

    pub(crate) async fn catalogue(&self, session: &Session) -> Result<Vec<Table>, ConnectorError> {
        let rows = session.client.query(TABLES, &[]).await;
        let rows = rows.map_err(|error| self.error(&Doing::List, &error))?;
        let table = |row: &tokio_postgres::Row| {
            let kind: String = row.try_get(2)?;
            Ok(Table {
                schema: row.try_get(0)?,
                name: row.try_get(1)?,
                is_near: row.try_get(3)?,
                is_view: matches!(kind.as_str(), "v" | "m"),
            })
        };
        let mut tables: Vec<Table> = rows
            .iter()
            .map(table)
            .collect::<Result<_, tokio_postgres::Error>>()
            .map_err(|error| self.error(&Doing::List, &error))?;
        // Of two with one name the first on the search path is meant.
        for index in 0..tables.len() {
            let (before, rest) = tables.split_at_mut(index);
            if before
                .iter()
                .any(|table| table.is_near && table.name == rest[0].name)
            {
                rest[0].is_near = false;
            }
        }
        Ok(tables)
    }

    pub(crate) fn error(&self, doing: &Doing, error: &tokio_postgres::Error) -> ConnectorError {
        let error = of_postgres(doing, error, &self.address);
        doing.blamed(error.at(&self.place))
    }
}

#[async_trait]
impl Engine for Postgres {
    fn place(&self) -> &str {
        &self.place
    }

    async fn tables(&self) -> Result<Vec<String>, ConnectorError> {
        let session = self.session().await?;
        let tables = self.catalogue(&session).await?;
        Ok(tables
            .iter()
            .filter(|table| !table.is_view)
            .map(Table::shown)
            .collect())
    }

    async fn read(&self, ask: Ask, feed: Feed) -> Result<(), ConnectorError> {
        read::read(self, ask, feed).await
    }
}
