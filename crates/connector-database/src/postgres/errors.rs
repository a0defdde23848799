//! What PostgreSQL says, as what code decides on and what mends it.
//!
//! Reference: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use std::error::Error as _;

use sectorlake_connector::{ConnectorError, ErrorKind};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::address::Address;
use crate::catalogue::Doing;

pub(crate) fn of_postgres(doing: &Doing, error: &Error, address: &Address) -> ConnectorError {
    match error.as_db_error() {
        Some(said) => of_server(doing, said.code(), said.message(), address),
        None => of_connection(doing, error),
    }
}

fn of_server(doing: &Doing, code: &SqlState, message: &str, address: &Address) -> ConnectorError {
    let user = &address.user;
    let error =
        |kind, message: String, help: String| ConnectorError::new(kind, message).with_help(help);
    let said = format!("{doing}: PostgreSQL says: {message}");
    if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
    {
        let help = format!(
            "check `user` and `password`, and that pg_hba.conf lets {user:?} in from this machine"
        );
        return error(ErrorKind::Forbidden, said, help);
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return error(
            ErrorKind::NotFound,
            said,
            "check the database's name".to_owned(),
        );
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return error(ErrorKind::Forbidden, said, doing.right(user));
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return error(
            ErrorKind::Refused,
            said,
            "a source is only read: write one SELECT that changes nothing".to_owned(),
        );
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        let help = "somebody alters the table: run the pipeline again later";
        return error(ErrorKind::Changed, said, help.to_owned());
    }
    match code.code().get(..2) {
        Some("57" | "53" | "08") => {
            error(ErrorKind::Unreachable, said, "run the pipeline again: it goes on where it stopped".to_owned())
        }
        // Among them a conflict with the replay on a standby server.
        Some("40") => error(
            ErrorKind::Changed,
            said,
            "run the pipeline again; on a standby, ask for a larger max_standby_streaming_delay or read the primary".to_owned(),
        ),
        Some("42") => error(ErrorKind::Invalid, said, "try the query in psql".to_owned()),
        _ => error(ErrorKind::Refused, said, format!("look up {} in PostgreSQL's list of error codes", code.code())),
    }
}

/// No answer, or one cut short.
fn of_connection(doing: &Doing, error: &Error) -> ConnectorError {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_said = inner.to_string();
        if !cause.contains(&inner_said) {
            cause = format!("{cause}: {inner_said}");
        }
        source = inner.source();
    }
    if cause.contains("TLS") || cause.contains("certificate") {
        let help = "give the authority's certificate as `tls: { ca: file.pem }` or the server's own as `tls: { fingerprint: … }`; \
            where the way to the server is safe, `tls: { mode: disable }`";
        return ConnectorError::new(ErrorKind::Unreachable, cause)
            .with_help(help)
            .lasting();
    }
    match doing {
        Doing::Connect if error.is_closed() || cause.contains("connect") => {
            ConnectorError::new(ErrorKind::Unreachable, cause)
                .with_help("check `host` and `port`, and that the server listens there and a firewall lets this machine through")
        }
        Doing::Connect => ConnectorError::new(ErrorKind::Forbidden, cause).with_help("check `user` and `password`"),
        _ => doing.lost(&cause),
    }
}
