//! `sqlite`: tables and queries of a SQLite file.
//!
//! Reference: the file format, <https://www.sqlite.org/fileformat2.html>, and how its values are typed,
//! <https://www.sqlite.org/datatype3.html>.

mod errors;
mod read;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};
use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, ErrorKind, MakeContext, Registration, SettingsError, Sight,
};
use serde::Deserialize;

use crate::connector::Database;
use crate::engine::{Ask, Engine, Feed};
use crate::settings::{QuerySetting, TablesSetting, Wanted, wrong};

/// How long to wait for somebody else's write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of `sqlite`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The file, absolute or relative to the project.
    path: String,
    /// The tables to read, a stream each: `all`, a list of names, or names with options.
    #[serde(default)]
    tables: Option<TablesSetting>,
    /// Queries to read, a stream each: `{ open_stations: "SELECT … FROM …" }`.
    #[serde(default)]
    queries: BTreeMap<String, QuerySetting>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "sqlite",
        "Tables and queries of a SQLite file, whole or only what is new.",
        make,
    )
    .with_claims(claims)
    .with_example(include_str!("example.yaml"))
}

/// Endings of SQLite files; a GeoPackage is one.
const ENDINGS: [&str; 4] = [".sqlite", ".sqlite3", ".db3", ".gpkg"];

fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let (key, path) = sight.place();
    let name = path.to_ascii_lowercase();
    let is_own = key == "path" && ENDINGS.iter().any(|ending| name.ends_with(ending));
    is_own.then(|| {
        Claim::open(
            [("path", path.into()), ("tables", "all".into())],
            "its name ends as that of a SQLite file",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    if settings.path.trim().is_empty() {
        return Err(wrong(
            &["path"],
            "is empty",
            "write the path of a SQLite file",
        ));
    }
    let wanted = Wanted::of(settings.tables, settings.queries)?;
    let engine = Sqlite {
        file: context.project_dir().join(&settings.path),
        place: format!("sqlite:{}", settings.path),
    };
    Ok(Arc::new(Database::new(Arc::new(engine), wanted)))
}

/// A SQLite file.
#[derive(Debug, Clone)]
struct Sqlite {
    file: PathBuf,
    place: String,
}

impl Sqlite {
    /// The file within a transaction that can only read.
    fn open(&self) -> Result<Connection, ConnectorError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if !self.file.is_file() {
            return Err(
                ConnectorError::new(ErrorKind::NotFound, "there is no such file")
                    .at(&self.place)
                    .with_help("check `path`; it is relative to the project"),
            );
        }
        let opened = Connection::open_with_flags(&self.file, flags).and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection
                .execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; BEGIN")?;
            Ok(connection)
        });
        opened.map_err(|error| errors::of_sqlite("opening the file", &error).at(&self.place))
    }

    /// Runs `work` where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, ConnectorError> + Send + 'static,
    ) -> Result<T, ConnectorError> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            work(&this).map_err(|error| match error.place {
                Some(_) => error,
                None => error.at(&this.place),
            })
        });
        let broken =
            |_| ConnectorError::new(ErrorKind::Local, "the read ended before its rows did");
        done.await.map_err(broken)?
    }
}

#[async_trait]
impl Engine for Sqlite {
    fn place(&self) -> &str {
        &self.place
    }

    fn is_local(&self) -> bool {
        true
    }

    async fn tables(&self) -> Result<Vec<String>, ConnectorError> {
        self.blocking(|sqlite| read::tables(&sqlite.open()?, read::Views::LeftOut))
            .await
    }

    async fn read(&self, ask: Ask, feed: Feed) -> Result<(), ConnectorError> {
        self.blocking(move |sqlite| read::read(&sqlite.open()?, &ask, &feed))
            .await
    }
}
