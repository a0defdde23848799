//! `sqlserver`: tables and queries of Microsoft SQL Server.
//!
//! Reference: the wire protocol, MS-TDS,
//! <https://learn.microsoft.com/openspecs/windows_protocols/ms-tds/b46a581a-39de-4745-b076-ec4dbb7d13ec>.
//!
//! SQL Server has no read-only transaction. What is read is always the inside of `SELECT … FROM (…)`, where nothing can write; the
//! connection says that it only reads (`ApplicationIntent=ReadOnly`), and its transaction is never committed.

mod errors;
mod read;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sectorlake_connector::{
    Connector, ConnectorError, MakeContext, Registration, Secret, SettingsError,
};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};
use tracing::warn;

use crate::address::{Address, Defaults, ServerSettings};
use crate::catalogue::{Doing, Table, timeout};
use crate::connector::Database;
use crate::engine::{Ask, Engine, Feed};
use crate::settings::{Wanted, wrong};
use crate::tls::Tls;
use errors::of_sqlserver;

const DEFAULTS: Defaults = Defaults {
    schemes: &["sqlserver", "mssql"],
    port: 1433,
};
/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Whether readers of this database can see a snapshot.
const SNAPSHOTS: &str = "SELECT CAST(snapshot_isolation_state AS int) AS state FROM sys.databases WHERE database_id = DB_ID()";

const TABLES: &str = "SELECT CAST(TABLE_SCHEMA AS nvarchar(128)) AS s, CAST(TABLE_NAME AS nvarchar(128)) AS n, \
    CASE TABLE_TYPE WHEN 'VIEW' THEN 1 ELSE 0 END AS v, CASE TABLE_SCHEMA WHEN SCHEMA_NAME() THEN 1 ELSE 0 END AS d \
    FROM INFORMATION_SCHEMA.TABLES ORDER BY d DESC, s, n";

pub(crate) fn registration() -> Registration {
    Registration::of(
        "sqlserver",
        "Tables and queries of a Microsoft SQL Server database, whole or only what is new.",
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
        Arc::new(SqlServer::new(address, tls)),
        wanted,
    )))
}

type Session = Client<Compat<TcpStream>>;

/// A Microsoft SQL Server.
struct SqlServer {
    address: Address,
    tls: Tls,
    place: String,
}

impl SqlServer {
    fn new(address: Address, tls: Tls) -> Self {
        Self {
            place: address.place(),
            address,
            tls,
        }
    }

    fn config(&self) -> Config {
        let mut config = Config::new();
        config.host(&self.address.host);
        config.port(self.address.port);
        config.database(&self.address.database);
        config.application_name("sectorlake");
        config.readonly(true);
        let password = self
            .address
            .password
            .as_ref()
            .map(Secret::expose)
            .unwrap_or_default();
        config.authentication(AuthMethod::sql_server(&self.address.user, password));
        match &self.tls {
            Tls::Off => config.encryption(EncryptionLevel::NotSupported),
            _ => config.encryption(EncryptionLevel::Required),
        }
        match &self.tls {
            Tls::Blind => config.trust_cert(),
            Tls::Authorities(pem) => config.trust_cert_ca_bundle(pem.clone()),
            Tls::Off | Tls::Machine | Tls::Fingerprint(_) => {}
        }
        config
    }

    /// A new connection within a transaction that is never committed.
    async fn session(&self) -> Result<Session, ConnectorError> {
        let connecting = async {
            match connect(self.config()).await {
                // A listener of an availability group sends readers to a replica, once.
                Err(tiberius::error::Error::Routing { host, port }) => {
                    let mut config = self.config();
                    config.host(host);
                    config.port(port);
                    connect(config).await
                }
                other => other,
            }
        };
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
        let mut session = match connected {
            Ok(connected) => connected.map_err(|error| self.error(&Doing::Connect, &error))?,
            Err(_) => return Err(timeout().at(&self.place)),
        };
        let state = self.rows(&mut session, &Doing::Connect, SNAPSHOTS).await?;
        let has_snapshots = state
            .first()
            .and_then(|row| row.try_get::<i32, _>(0).ok().flatten())
            == Some(1);
        let isolation = if has_snapshots {
            "SNAPSHOT"
        } else {
            "READ COMMITTED"
        };
        if !has_snapshots {
            warn!(
                place = self.place,
                "the database allows no snapshots: a table that is written while it is read may come mixed; \
                 mend: ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON"
            );
        }
        let begin = format!(
            "SET TRANSACTION ISOLATION LEVEL {isolation}; SET LOCK_TIMEOUT 60000; BEGIN TRANSACTION"
        );
        self.rows(&mut session, &Doing::Connect, &begin).await?;
        Ok(session)
    }

    /// All rows of a short answer.
    async fn rows(
        &self,
        session: &mut Session,
        doing: &Doing,
        sql: &str,
    ) -> Result<Vec<tiberius::Row>, ConnectorError> {
        let failed = |error| self.error(doing, &error);
        let answer = session.simple_query(sql).await.map_err(failed)?;
        answer.into_first_result().await.map_err(failed)
    }

    async fn catalogue(&self, session: &mut Session) -> Result<Vec<Table>, ConnectorError> {
        let rows = self.rows(session, &Doing::List, TABLES).await?;
        let table = |row: &tiberius::Row| {
            Ok(Table {
                schema: row.try_get::<&str, _>(0)?.unwrap_or_default().to_owned(),
                name: row.try_get::<&str, _>(1)?.unwrap_or_default().to_owned(),
                is_view: row.try_get::<i32, _>(2)? == Some(1),
                is_near: row.try_get::<i32, _>(3)? == Some(1),
            })
        };
        let tables: Result<Vec<Table>, tiberius::error::Error> = rows.iter().map(table).collect();
        tables.map_err(|error| self.error(&Doing::List, &error))
    }

    fn error(&self, doing: &Doing, error: &tiberius::error::Error) -> ConnectorError {
        let error = of_sqlserver(doing, error, &self.address);
        doing.blamed(error.at(&self.place))
    }
}

async fn connect(config: Config) -> tiberius::Result<Session> {
    let stream = TcpStream::connect(config.get_addr()).await?;
    stream.set_nodelay(true)?;
    Client::connect(config, stream.compat_write()).await
}

#[async_trait]
impl Engine for SqlServer {
    fn place(&self) -> &str {
        &self.place
    }

    async fn tables(&self) -> Result<Vec<String>, ConnectorError> {
        let mut session = self.session().await?;
        let tables = self.catalogue(&mut session).await?;
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
