//! One table or query of PostgreSQL, by COPY in binary, into batches.

use std::sync::Arc;

use futures::{StreamExt, pin_mut};
use sectorlake_connector::{ConnectorError, ErrorKind};
use tokio_postgres::Column;

use super::binary::Decoder;
use super::session::{Postgres, Session};
use super::types::{Asked, identifier, literal};
use crate::catalogue::{Doing, Table};
use crate::cells::{Rows, schema};
use crate::engine::{Ask, Chunk, Engine, Feed, From, column_index};
use crate::settings::{Lookback, Relation};
use crate::ties::{holds_null, unfit};

pub(super) async fn read(server: &Postgres, ask: Ask, feed: Feed) -> Result<(), ConnectorError> {
    let session = server.session().await?;
    let doing = Doing::of(&ask.relation);
    let relation = relation(server, &session, &ask.relation).await?;
    let prepared = session
        .client
        .prepare(&format!("SELECT * FROM {relation}"))
        .await;
    let prepared = prepared.map_err(|error| server.error(&doing, &error))?;
    let mut asked = columns(prepared.columns()).map_err(|error| error.at(server.place()))?;
    let tail = match &ask.from {
        None => String::new(),
        Some(from) => {
            let index = column_index(&from.column, asked.iter().map(|it| it.name.as_str()))?;
            let column = &mut asked[index];
            if !column.is_ordered() {
                return Err(unfit(&column.name, &column.type_name).at(server.place()));
            }
            column.be_told_apart();
            no_nulls(server, &session, &relation, column, &doing).await?;
            tail(from, column)
        }
    };
    copy(server, &session, (&asked, &relation, &tail), &doing, feed).await
}

async fn relation(
    server: &Postgres,
    session: &Session,
    relation: &Relation,
) -> Result<String, ConnectorError> {
    match relation {
        // A comment at its end must not swallow what follows.
        Relation::Query(sql) => Ok(format!("(\n{sql}\n) AS q")),
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

fn columns(columns: &[Column]) -> Result<Vec<Asked>, ConnectorError> {
    let asked: Vec<Asked> = columns.iter().map(Asked::of).collect();
    if asked.is_empty() {
        return Err(ConnectorError::new(
            ErrorKind::Invalid,
            "there are no columns to read",
        ));
    }
    let mut seen = std::collections::HashSet::new();
    match asked
        .iter()
        .find(|column| !seen.insert(column.name.as_str()))
    {
        Some(twice) => Err(ConnectorError::new(
            ErrorKind::Invalid,
            format!("the query has two columns named {:?}", twice.name),
        )
        .with_help("give one of them another name: SELECT a.id, b.id AS b_id")
        .of_setting(&[])),
        None => Ok(asked),
    }
}

/// Rows without a value would be missed, so there must be none.
async fn no_nulls(
    server: &Postgres,
    session: &Session,
    relation: &str,
    column: &Asked,
    doing: &Doing,
) -> Result<(), ConnectorError> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {relation} WHERE {} IS NULL)",
        identifier(&column.name)
    );
    let row = session.client.query_one(&sql, &[]).await;
    let found = row
        .and_then(|row| row.try_get(0))
        .map_err(|error| server.error(doing, &error))?;
    match found {
        true => Err(holds_null(&column.name).at(server.place())),
        false => Ok(()),
    }
}

/// `WHERE` and `ORDER BY` of a read that goes on: by the column itself, not by the text that may be asked for in its place under
/// the same name.
fn tail(from: &From, column: &Asked) -> String {
    let name = format!("q.{}", identifier(&column.name));
    let lower = from.value.as_ref().map(|value| {
        let value = format!("{}::{}", literal(value), column.type_name);
        match from.lookback {
            None => value,
            Some(Lookback::Units(units)) => format!("{value} - {units}"),
            Some(Lookback::Seconds(seconds)) => format!("{value} - interval '{seconds} seconds'"),
        }
    });
    let lower = lower
        .map(|lower| format!(" WHERE {name} >= {lower}"))
        .unwrap_or_default();
    format!("{lower} ORDER BY {name}")
}

async fn copy(
    server: &Postgres,
    session: &Session,
    (asked, relation, tail): (&[Asked], &str, &str),
    doing: &Doing,
    feed: Feed,
) -> Result<(), ConnectorError> {
    let expressions: Vec<&str> = asked
        .iter()
        .map(|column| column.expression.as_str())
        .collect();
    let sql = format!(
        "COPY (SELECT {} FROM {relation}{tail}) TO STDOUT (FORMAT binary)",
        expressions.join(", ")
    );
    let lost = |error| server.error(doing, &error);
    let schema = schema(
        asked
            .iter()
            .map(|column| (column.name.clone(), column.data_type.clone())),
    );
    let stream = session.client.copy_out(&sql).await.map_err(lost)?;
    pin_mut!(stream);
    feed.put(Chunk::Schema(Arc::clone(&schema))).await?;
    let mut rows = Rows::new(schema);
    let mut decoder = Decoder::new(asked.iter().map(|column| column.wire).collect());
    while let Some(piece) = stream.next().await {
        decoder.feed(&piece.map_err(lost)?, &mut rows)?;
        if rows.is_full()
            && let Some((batch, replaced)) = rows.take()?
        {
            feed.put(Chunk::Rows(batch, replaced)).await?;
        }
    }
    decoder.end()?;
    if let Some((batch, replaced)) = rows.take()? {
        feed.put(Chunk::Rows(batch, replaced)).await?;
    }
    Ok(())
}
