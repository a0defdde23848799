//! One table or query of SQL Server into batches.

use std::sync::Arc;

use arrow::datatypes::DataType;
use futures::TryStreamExt;
use sectorlake_connector::{ConnectorError, ErrorKind};

use super::errors::of_code;
use super::types::{Asked, identifier, literal, value};
use super::{Session, SqlServer};
use crate::catalogue::{Doing, Table};
use crate::cells::{Rows, schema};
use crate::engine::{Ask, Chunk, Engine, Feed, From, column_index, plain_value};
use crate::settings::{Lookback, Relation};
use crate::ties::{holds_null, unfit};

const SECONDS_OF_DAY: u64 = 86_400;

pub(super) async fn read(server: &SqlServer, ask: Ask, feed: Feed) -> Result<(), ConnectorError> {
    let mut session = server.session().await?;
    let doing = Doing::of(&ask.relation);
    let relation = relation(server, &mut session, &ask.relation, &doing).await?;
    let asked = describe(
        server,
        &mut session,
        &format!("SELECT * FROM {relation}"),
        &doing,
    )
    .await?;
    let tail = match &ask.from {
        None => String::new(),
        Some(from) => {
            let column =
                &asked[column_index(&from.column, asked.iter().map(|it| it.name.as_str()))?];
            // Texts are equal here that are not the same bytes.
            if column.data_type == DataType::Utf8 {
                return Err(unfit(&column.name, &column.type_name));
            }
            no_nulls(server, &mut session, &relation, column, &doing).await?;
            tail(from, column)?
        }
    };
    let expressions: Vec<String> = asked
        .iter()
        .map(|column| format!("{} AS {}", column.expression, identifier(&column.name)))
        .collect();
    let sql = format!("SELECT {} FROM {relation}{tail}", expressions.join(", "));
    rows(server, &mut session, (&sql, &asked), &doing, &feed).await
}

async fn rows(
    server: &SqlServer,
    session: &mut Session,
    (sql, asked): (&str, &[Asked]),
    doing: &Doing,
    feed: &Feed,
) -> Result<(), ConnectorError> {
    let failed = |error| server.error(doing, &error);
    let schema = schema(
        asked
            .iter()
            .map(|column| (column.name.clone(), column.data_type.clone())),
    );
    let mut found = session
        .simple_query(sql)
        .await
        .map_err(failed)?
        .into_row_stream();
    feed.put(Chunk::Schema(Arc::clone(&schema))).await?;
    let mut batch = Rows::new(schema);
    while let Some(row) = found.try_next().await.map_err(failed)? {
        if row.len() != asked.len() {
            return Err(ConnectorError::new(
                ErrorKind::Changed,
                "the columns changed while they were read",
            ));
        }
        let mut bytes = 0;
        for (column, found) in row.into_iter().enumerate() {
            bytes += value(found, column, &mut batch).map_err(|what| {
                let message = format!("a value of the column {:?} {what}", asked[column].name);
                ConnectorError::new(ErrorKind::Invalid, message)
            })?;
        }
        batch.row(bytes);
        if batch.is_full()
            && let Some((batch, replaced)) = batch.take()?
        {
            feed.put(Chunk::Rows(batch, replaced)).await?;
        }
    }
    match batch.take()? {
        Some((batch, replaced)) => feed.put(Chunk::Rows(batch, replaced)).await,
        None => Ok(()),
    }
}

async fn relation(
    server: &SqlServer,
    session: &mut Session,
    relation: &Relation,
    doing: &Doing,
) -> Result<String, ConnectorError> {
    match relation {
        Relation::Query(sql) => {
            // By itself first, and without running it: what is whole by itself cannot break out of the parentheses.
            describe(server, session, sql, doing).await?;
            Ok(format!("(\n{sql}\n) AS q"))
        }
        Relation::Table(name) => {
            let tables = server.catalogue(session).await?;
            let found = Table::find(name, &tables).map_err(|error| error.at(server.place()))?;
            Ok(format!(
                "{}.{} AS q",
                identifier(&found.schema),
                identifier(&found.name)
            ))
        }
    }
}

/// The columns that a statement would give; it is not run.
async fn describe(
    server: &SqlServer,
    session: &mut Session,
    sql: &str,
    doing: &Doing,
) -> Result<Vec<Asked>, ConnectorError> {
    let ask = format!(
        "SELECT name, system_type_name, CAST(error_number AS int) AS error_number, error_message \
         FROM sys.dm_exec_describe_first_result_set({}, NULL, 0) ORDER BY column_ordinal",
        literal(sql)
    );
    let rows = server.rows(session, doing, &ask).await?;
    let mut asked = Vec::with_capacity(rows.len());
    for row in &rows {
        let text = |index: usize| {
            row.try_get::<&str, _>(index)
                .map_err(|error| server.error(doing, &error))
        };
        let code = row
            .try_get::<i32, _>(2)
            .map_err(|error| server.error(doing, &error))?;
        if let Some(code) = code.filter(|&code| code != 0) {
            let message = text(3)?.unwrap_or("the query cannot be described");
            let error = of_code(doing, code.unsigned_abs(), message, &server.address);
            return Err(doing.blamed(error.at(server.place())));
        }
        match text(0)? {
            Some(name) => asked.push(Asked::of(name, text(1)?.unwrap_or_default())),
            None => {
                let error = ConnectorError::new(
                    ErrorKind::Invalid,
                    "the query has a column without a name",
                );
                return Err(error
                    .at(server.place())
                    .with_help("name it: SELECT count(*) AS stations")
                    .of_setting(&[]));
            }
        }
    }
    match asked.is_empty() {
        true => Err(
            ConnectorError::new(ErrorKind::Invalid, "there are no columns to read")
                .at(server.place()),
        ),
        false => Ok(asked),
    }
}

/// Rows without a value would be missed, so there must be none.
async fn no_nulls(
    server: &SqlServer,
    session: &mut Session,
    relation: &str,
    column: &Asked,
    doing: &Doing,
) -> Result<(), ConnectorError> {
    let name = identifier(&column.name);
    let sql = format!(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM {relation} WHERE {name} IS NULL) THEN 1 ELSE 0 END AS found"
    );
    let rows = server.rows(session, doing, &sql).await?;
    match rows
        .first()
        .and_then(|row| row.try_get::<i32, _>(0).ok().flatten())
    {
        Some(1) => Err(holds_null(&column.name).at(server.place())),
        _ => Ok(()),
    }
}

/// `WHERE` and `ORDER BY` of a read that goes on: by the column itself, which may have an index, not by what is asked for in
/// its place under the same name.
fn tail(from: &From, column: &Asked) -> Result<String, ConnectorError> {
    let name = format!("q.{}", identifier(&column.name));
    let lower = match &from.value {
        None => String::new(),
        Some(value) => {
            let value = lower(plain_value(value)?, from.lookback, column);
            format!(" WHERE {name} >= {value}")
        }
    };
    Ok(format!("{lower} ORDER BY {name}"))
}

fn lower(value: &str, lookback: Option<Lookback>, column: &Asked) -> String {
    if matches!(column.data_type, DataType::Date32 | DataType::Timestamp(..)) {
        let moment = format!("CAST('{value}' AS datetime2(7))");
        let moment = match lookback {
            None => moment,
            Some(Lookback::Units(days)) => format!("DATEADD(day, -{days}, {moment})"),
            // Seconds of a hundred years are more than an int holds.
            Some(Lookback::Seconds(seconds)) => {
                let (days, rest) = (seconds / SECONDS_OF_DAY, seconds % SECONDS_OF_DAY);
                format!("DATEADD(day, -{days}, DATEADD(second, -{rest}, {moment}))")
            }
        };
        // As the column's own type: a `datetime` counts in 1/300 seconds, and its neighbour would be another value.
        return format!("CAST({moment} AS {})", column.type_name);
    }
    let number = match lookback {
        None => value.to_owned(),
        Some(Lookback::Units(units) | Lookback::Seconds(units)) => format!("{value} - {units}"),
    };
    match column.family() {
        "timestamp" | "rowversion" => format!("CAST(CAST({number} AS bigint) AS binary(8))"),
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_read_goes_on_from_the_columns_own_type() {
        let said = |type_name: &str, value: &str, lookback| {
            let from = From {
                column: "c".to_owned(),
                value: Some(value.to_owned()),
                lookback,
            };
            tail(&from, &Asked::of("c", type_name)).unwrap()
        };
        let moment = "2025-01-01 00:00:00.003333";
        let all = [
            said("bigint", "7", None),
            said("bigint", "7", Some(Lookback::Units(100))),
            said("rowversion", "2001", None),
            said("datetime", moment, None),
            said("datetimeoffset(7)", moment, Some(Lookback::Seconds(90_000))),
            said("date", "2025-01-01", Some(Lookback::Units(2))),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }
}
