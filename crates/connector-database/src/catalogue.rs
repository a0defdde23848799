//! What a server has, what is being done with it, and the errors that all servers share.

use sectorlake_connector::{ConnectorError, ErrorKind, nearest};

use crate::settings::Relation;

/// A table or view as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) is_view: bool,
    /// Whether its name alone finds it.
    pub(crate) is_near: bool,
}

impl Table {
    /// As settings name it.
    pub(crate) fn shown(&self) -> String {
        match self.is_near {
            true => self.name.clone(),
            false => format!("{}.{}", self.schema, self.name),
        }
    }

    fn is_called(&self, name: &str) -> bool {
        (self.is_near && self.name == name) || format!("{}.{}", self.schema, self.name) == name
    }

    /// The one that `name` means.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with the nearest name.
    pub(crate) fn find<'a>(name: &str, tables: &'a [Self]) -> Result<&'a Self, ConnectorError> {
        tables
            .iter()
            .find(|table| table.is_called(name))
            .ok_or_else(|| {
                let names: Vec<String> = tables.iter().map(Self::shown).collect();
                no_table(name, &names, Holder::Server)
            })
    }
}

/// What holds tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Shows each user some of them.
    Server,
    /// Shows all.
    File,
}

/// The error of a table that is not there; `tables` are those that are.
pub(crate) fn no_table(table: &str, tables: &[String], holder: Holder) -> ConnectorError {
    let holds = match holder {
        Holder::Server => "the user sees",
        Holder::File => "the file holds",
    };
    let help = match (nearest(table, tables.iter().map(String::as_str)), holder) {
        (Some(name), _) => format!("did you mean {name:?}?"),
        (None, Holder::Server) if tables.is_empty() => {
            "the user sees no table: ask for SELECT on those to be read".to_owned()
        }
        (None, Holder::File) if tables.is_empty() => {
            "the file holds no table: check `path`".to_owned()
        }
        (None, _) => {
            let names: Vec<&str> = tables.iter().take(20).map(String::as_str).collect();
            format!("{holds}: {}", names.join(", "))
        }
    };
    ConnectorError::new(ErrorKind::NotFound, format!("there is no table {table:?}"))
        .with_help(help)
        .of_setting(&[])
}

/// An error of what is read, which its settings are to blame for, unless the server is.
pub(crate) fn blamed(error: ConnectorError) -> ConnectorError {
    match error.kind {
        ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Forbidden | ErrorKind::Refused => {
            error.of_setting(&[])
        }
        _ => error,
    }
}

/// What was being done when something failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doing {
    Connect,
    List,
    Read(String),
    Query,
}

impl Doing {
    pub(crate) fn of(relation: &Relation) -> Self {
        match relation {
            Relation::Table(name) => Self::Read(name.clone()),
            Relation::Query(_) => Self::Query,
        }
    }

    /// The error, with what is to blame for it.
    pub(crate) fn blamed(&self, error: ConnectorError) -> ConnectorError {
        match self {
            Self::Connect | Self::List => error,
            Self::Read(_) | Self::Query => blamed(error),
        }
    }

    /// The mend where `user` lacks a right.
    pub(crate) fn right(&self, user: &str) -> String {
        match self {
            Self::Read(table) => {
                format!("ask the database's owner for SELECT on {table}, for {user:?}")
            }
            _ => format!("ask the database's owner for SELECT on what is read, for {user:?}"),
        }
    }

    /// The connection broke within an answer.
    pub(crate) fn lost(&self, cause: &str) -> ConnectorError {
        ConnectorError::new(
            ErrorKind::Truncated,
            format!("{self}: the connection was lost: {cause}"),
        )
        .with_help("run the pipeline again: it goes on where it stopped")
    }
}

impl std::fmt::Display for Doing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect => f.write_str("connecting"),
            Self::List => f.write_str("listing the tables"),
            Self::Read(table) => write!(f, "reading the table {table:?}"),
            Self::Query => f.write_str("running the query"),
        }
    }
}

/// Nobody answers.
pub(crate) fn timeout() -> ConnectorError {
    ConnectorError::new(ErrorKind::Timeout, "the server does not answer")
        .with_help("check `host` and `port`, and that a firewall lets this machine through")
}
