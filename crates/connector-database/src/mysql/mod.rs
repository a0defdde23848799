//! `mysql`: tables and queries of MySQL and MariaDB.
//!
//! Reference: the wire protocol, <https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>, and MariaDB's,
//! <https://mariadb.com/kb/en/clientserver-protocol/>.

mod errors;
mod read;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, SslOpts};
use rustls::crypto::aws_lc_rs;
use sectorlake_connector::{
    Connector, ConnectorError, MakeContext, Registration, Secret, SettingsError,
};

use crate::address::{Address, Defaults, ServerSettings};
use crate::catalogue::{Doing, Table, timeout};
use crate::connector::Database;
use crate::engine::{Ask, Engine, Feed};
use crate::settings::{Wanted, wrong};
use crate::tls::Tls;
use errors::of_mysql;

const DEFAULTS: Defaults = Defaults {
    schemes: &["mysql", "mariadb"],
    port: 3306,
};
/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// After how much silence it is asked whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// One snapshot from start to end in which nothing can be written, and instants in UTC.
const BEGIN: [&str; 3] = [
    "SET time_zone = '+00:00'",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
];

const TABLES: &str = "SELECT table_schema, table_name, table_type = 'VIEW', table_schema = DATABASE() \
    FROM information_schema.tables \
    WHERE table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') \
    ORDER BY table_schema <> DATABASE(), table_schema, table_name";

pub(crate) fn registration() -> Registration {
    Registration::of(
        "mysql",
        "Tables and queries of a MySQL or MariaDB database, whole or only what is new.",
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
    if matches!(tls, Tls::Fingerprint(_)) {
        let help = "give the certificate of the authority that signed the server's: `tls: { ca: file.pem }`";
        return Err(wrong(
            &["tls", "fingerprint"],
            "is not known to this connector",
            help,
        ));
    }
    let wanted = Wanted::of(settings.tables, settings.queries)?;
    Ok(Arc::new(Database::new(
        Arc::new(Mysql::new(address, tls)),
        wanted,
    )))
}

/// A MySQL or MariaDB server.
struct Mysql {
    address: Address,
    tls: Tls,
    place: String,
}

impl Mysql {
    fn new(address: Address, tls: Tls) -> Self {
        Self {
            place: address.place(),
            address,
            tls,
        }
    }

    fn options(&self) -> OptsBuilder {
        let options = OptsBuilder::default()
            .ip_or_hostname(self.address.host.clone())
            .tcp_port(self.address.port)
            .user(Some(self.address.user.clone()))
            .pass(self.address.password.as_ref().map(Secret::expose))
            .db_name(Some(self.address.database.clone()))
            .tcp_keepalive(Some(KEEPALIVE))
            .prefer_socket(false);
        let options = match self.address.host.starts_with('/') {
            true => options.socket(Some(self.address.host.clone())),
            false => options,
        };
        let ssl = match &self.tls {
            Tls::Off => return options,
            Tls::Authorities(pem) => SslOpts::default()
                .with_root_certs(vec![pem.clone().into()])
                .with_disable_built_in_roots(true),
            Tls::Blind => SslOpts::default()
                .with_danger_accept_invalid_certs(true)
                .with_danger_skip_domain_validation(true),
            Tls::Machine | Tls::Fingerprint(_) => SslOpts::default(),
        };
        // The driver takes the process's provider; somebody may have chosen one before.
        let _ = aws_lc_rs::default_provider().install_default();
        options.ssl_opts(ssl)
    }

    /// A new connection within a transaction that can only read.
    async fn session(&self) -> Result<Conn, ConnectorError> {
        let failed = |error| self.error(&Doing::Connect, &error);
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, Conn::new(self.options())).await;
        let mut session = match connected {
            Ok(connected) => connected.map_err(failed)?,
            Err(_) => return Err(timeout().at(&self.place)),
        };
        for statement in BEGIN {
            session.query_drop(statement).await.map_err(failed)?;
        }
        Ok(session)
    }

    async fn catalogue(&self, session: &mut Conn) -> Result<Vec<Table>, ConnectorError> {
        let rows: Vec<(String, String, bool, bool)> = session
            .query(TABLES)
            .await
            .map_err(|error| self.error(&Doing::List, &error))?;
        let table = |(schema, name, is_view, is_near)| Table {
            schema,
            name,
            is_view,
            is_near,
        };
        Ok(rows.into_iter().map(table).collect())
    }

    fn error(&self, doing: &Doing, error: &mysql_async::Error) -> ConnectorError {
        let error = of_mysql(doing, error, &self.address);
        doing.blamed(error.at(&self.place))
    }
}

#[async_trait]
impl Engine for Mysql {
    fn place(&self) -> &str {
        &self.place
    }

    async fn tables(&self) -> Result<Vec<String>, ConnectorError> {
        let mut session = self.session().await?;
        let tables = self.catalogue(&mut session).await?;
        // It has answered; whether it takes a farewell does not matter.
        let _ = session.disconnect().await;
        let of_database = tables
            .iter()
            .filter(|table| table.is_near && !table.is_view);
        Ok(of_database.map(Table::shown).collect())
    }

    async fn read(&self, ask: Ask, feed: Feed) -> Result<(), ConnectorError> {
        read::read(self, ask, feed).await
    }
}
