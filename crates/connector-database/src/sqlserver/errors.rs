//! What SQL Server says, as what code decides on and what mends it.
//!
//! Reference: <https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors>.

use sectorlake_connector::{ConnectorError, ErrorKind};
use tiberius::error::Error;

use crate::address::Address;
use crate::catalogue::Doing;

pub(super) fn of_sqlserver(doing: &Doing, error: &Error, address: &Address) -> ConnectorError {
    match error {
        Error::Server(token) => of_code(doing, token.code(), token.message(), address),
        Error::Tls(_) | Error::Protocol(_) if is_about_tls(error) => {
            let help = "give the authority's certificate as `tls: { ca: file.pem }`; where the way to the server is safe, \
                `tls: { mode: require }` or `disable`";
            ConnectorError::new(ErrorKind::Unreachable, format!("the encrypted connection is refused: {error}"))
                .with_help(help)
                .lasting()
        }
        other if *doing == Doing::Connect => ConnectorError::new(ErrorKind::Unreachable, format!("{doing}: {other}"))
            .with_help("check `host` and `port`, that TCP/IP is on in the server's configuration manager, and that a firewall lets this machine through"),
        Error::Io { .. } => doing.lost(&error.to_string()),
        other => ConnectorError::new(ErrorKind::Invalid, format!("{doing}: the answer cannot be read: {other}"))
            .with_help("read fewer columns with `queries:`, to find the one that is not understood"),
    }
}

fn is_about_tls(error: &Error) -> bool {
    matches!(error, Error::Tls(_)) || error.to_string().contains("encryption")
}

pub(super) fn of_code(
    doing: &Doing,
    code: u32,
    message: &str,
    address: &Address,
) -> ConnectorError {
    let user = &address.user;
    let said = format!("{doing}: SQL Server says: {message} (error {code})");
    let (kind, help) = match code {
        18456 | 18452 | 18470 | 18486 | 18487 | 18488 => (
            ErrorKind::Forbidden,
            format!(
                "check `user` and `password`, and that the server lets {user:?} in with a password of its own"
            ),
        ),
        4060 | 911 | 916 => (
            ErrorKind::NotFound,
            format!("check the database's name, and that {user:?} is one of its users"),
        ),
        229 | 230 | 297 | 300 | 262 => (ErrorKind::Forbidden, doing.right(user)),
        1205 | 1222 | 3960 | 3961 => (
            ErrorKind::Changed,
            "somebody writes or alters what is read: run the pipeline again later".to_owned(),
        ),
        596 | 6005 | 40197 | 40501 | 40613 | 49918 | 49919 | 49920 => (
            ErrorKind::Unreachable,
            "run the pipeline again: it goes on where it stopped".to_owned(),
        ),
        156 | 319 if message.contains("WITH") || message.contains("'with'") => (
            ErrorKind::Invalid,
            "WITH … cannot stand here: make it a view, or nest its SELECT".to_owned(),
        ),
        1033 => (
            ErrorKind::Invalid,
            "leave ORDER BY out: rows are put in order by `incremental`".to_owned(),
        ),
        102 | 105 | 156 | 207 | 208 | 209 | 8155 | 8156 | 11501..=11537 => (
            ErrorKind::Invalid,
            "try the query as SELECT * FROM (…) AS q in SQL Server Management Studio".to_owned(),
        ),
        code => (
            ErrorKind::Refused,
            format!("look up error {code} in SQL Server's documentation"),
        ),
    };
    ConnectorError::new(kind, said).with_help(help)
}
