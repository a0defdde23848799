//! One table or query of MySQL into batches.

use std::sync::Arc;

use arrow::datatypes::DataType;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use sectorlake_connector::{ConnectorError, ErrorKind};

use super::Mysql;
use super::types::{data_type, is_geometry, value};
use crate::catalogue::{Doing, Table};
use crate::cells::{Rows, schema};
use crate::engine::{Ask, Chunk, Engine, Feed, From, column_index, plain_value};
use crate::settings::{Lookback, Relation};
use crate::ties::{holds_null, unfit};

pub(super) async fn read(server: &Mysql, ask: Ask, feed: Feed) -> Result<(), ConnectorError> {
    let mut session = server.session().await?;
    let doing = Doing::of(&ask.relation);
    let failed = |error| server.error(&doing, &error);
    let relation = relation(server, &mut session, &ask.relation).await?;
    let probe = session
        .prep(format!("SELECT * FROM {relation}"))
        .await
        .map_err(failed)?;
    let columns: Vec<(String, DataType)> = probe
        .columns()
        .iter()
        .map(|column| (column.name_str().into_owned(), data_type(column)))
        .collect();
    let tail = match &ask.from {
        None => String::new(),
        Some(from) => {
            let index = column_index(&from.column, columns.iter().map(|(name, _)| name.as_str()))?;
            let (name, data_type) = &columns[index];
            // Texts are equal here that are not the same bytes.
            if *data_type == DataType::Utf8 {
                return Err(unfit(name, "text"));
            }
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM {relation} WHERE {} IS NULL)",
                identifier(name)
            );
            if session.query_first::<bool, _>(sql).await.map_err(failed)? == Some(true) {
                return Err(holds_null(name));
            }
            tail(from, data_type)?
        }
    };
    let statement = format!("SELECT * FROM {relation}{tail}");
    rows(session, &statement, columns, &feed, &failed).await
}

async fn rows(
    mut session: Conn,
    statement: &str,
    columns: Vec<(String, DataType)>,
    feed: &Feed,
    failed: &impl Fn(mysql_async::Error) -> ConnectorError,
) -> Result<(), ConnectorError> {
    let schema = schema(columns);
    feed.put(Chunk::Schema(Arc::clone(&schema))).await?;
    let mut batch = Rows::new(Arc::clone(&schema));
    let mut found = session.exec_iter(statement, ()).await.map_err(failed)?;
    let geometries: Vec<bool> = found.columns_ref().iter().map(is_geometry).collect();
    if geometries.len() != schema.fields().len() {
        return Err(ConnectorError::new(
            ErrorKind::Changed,
            "the columns changed while they were read",
        ));
    }
    while let Some(row) = found.next().await.map_err(failed)? {
        let mut bytes = 0;
        for (column, found) in row.unwrap().into_iter().enumerate() {
            bytes += value(found, geometries[column], column, &mut batch).map_err(|what| {
                let message = format!(
                    "a value of the column {:?} {what}",
                    schema.field(column).name()
                );
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
    server: &Mysql,
    session: &mut Conn,
    relation: &Relation,
) -> Result<String, ConnectorError> {
    match relation {
        // A comment at its end must not swallow what follows.
        Relation::Query(sql) => Ok(format!("(\n{sql}\n) AS q")),
        Relation::Table(name) => {
            let tables = server.catalogue(session).await?;
            let found = Table::find(name, &tables).map_err(|error| error.at(server.place()))?;
            Ok(format!(
                "{}.{}",
                identifier(&found.schema),
                identifier(&found.name)
            ))
        }
    }
}

/// `WHERE` and `ORDER BY` of a read that goes on.
fn tail(from: &From, data_type: &DataType) -> Result<String, ConnectorError> {
    let name = identifier(&from.column);
    let is_time = matches!(data_type, DataType::Date32 | DataType::Timestamp(..));
    let lower = match &from.value {
        None => String::new(),
        Some(value) => {
            let value = plain_value(value)?;
            let value = match is_time {
                true => format!("CAST('{value}' AS DATETIME(6))"),
                false => value.to_owned(),
            };
            let back = match from.lookback {
                None => String::new(),
                Some(Lookback::Units(units)) if is_time => format!(" - INTERVAL {units} DAY"),
                Some(Lookback::Units(units)) => format!(" - {units}"),
                Some(Lookback::Seconds(seconds)) if is_time => {
                    format!(" - INTERVAL {seconds} SECOND")
                }
                // Seconds since 1970.
                Some(Lookback::Seconds(seconds)) => format!(" - {seconds}"),
            };
            format!(" WHERE {name} >= {value}{back}")
        }
    };
    Ok(format!("{lower} ORDER BY {name}"))
}

fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
