//! What MySQL says, as what code decides on and what mends it.
//!
//! Reference: <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>.

use mysql_async::{Error, IoError, ServerError};
use sectorlake_connector::{ConnectorError, ErrorKind};

use crate::address::Address;
use crate::catalogue::Doing;

pub(super) fn of_mysql(doing: &Doing, error: &Error, address: &Address) -> ConnectorError {
    match error {
        Error::Server(said) => of_server(doing, said, address),
        Error::Io(cause) if is_about_tls(cause) => {
            let help = "give the authority's certificate as `tls: { ca: file.pem }`; where the way to the server is safe, \
                `tls: { mode: disable }`";
            let message = format!("the encrypted connection is refused: {cause}");
            ConnectorError::new(ErrorKind::Unreachable, message).with_help(help).lasting()
        }
        other if *doing == Doing::Connect => {
            ConnectorError::new(ErrorKind::Unreachable, format!("{doing}: {other}")).with_help(
                "check `host` and `port`, and that the server listens there, speaks TLS if it is wanted, and a firewall lets this machine through",
            )
        }
        other => doing.lost(&other.to_string()),
    }
}

fn is_about_tls(cause: &IoError) -> bool {
    matches!(cause, IoError::Tls(_)) || cause.to_string().contains("certificate")
}

fn of_server(doing: &Doing, said: &ServerError, address: &Address) -> ConnectorError {
    let user = &address.user;
    let ServerError { code, message, .. } = said;
    let message = format!("{doing}: the server says: {message} (error {code})");
    let (kind, help) = match said.code {
        1045 | 1698 | 1251 => (
            ErrorKind::Forbidden,
            format!("check `user` and `password`, and from where the server lets {user:?} in"),
        ),
        1130 => (
            ErrorKind::Forbidden,
            "ask the server's owner to let this machine in".to_owned(),
        ),
        1044 => (
            ErrorKind::Forbidden,
            format!("check the database's name, and ask its owner for SELECT, for {user:?}"),
        ),
        1049 => (ErrorKind::NotFound, "check the database's name".to_owned()),
        1142 | 1143 | 1370 => (ErrorKind::Forbidden, doing.right(user)),
        1792 | 1290 => (
            ErrorKind::Refused,
            "a source is only read: write one SELECT that changes nothing".to_owned(),
        ),
        1205 | 1213 | 1412 => (
            ErrorKind::Changed,
            "somebody alters the table: run the pipeline again later".to_owned(),
        ),
        1040 | 1053 | 1203 | 1317 | 1927 | 3024 | 1969 => (
            ErrorKind::Unreachable,
            "run the pipeline again: it goes on where it stopped".to_owned(),
        ),
        1054 | 1060 | 1064 | 1146 | 1248 | 1295 => (
            ErrorKind::Invalid,
            "try the query in the server's own client".to_owned(),
        ),
        _ => (
            ErrorKind::Refused,
            format!("look up error {code} in the server's manual"),
        ),
    };
    ConnectorError::new(kind, message).with_help(help)
}
