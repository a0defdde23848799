//! One table or query of SQLite into batches.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::DataType;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use sectorlake_connector::{ConnectorError, ErrorKind};

use super::errors::of_sqlite;
use super::types::{Seen, data_type};
use crate::catalogue::{Holder, blamed, no_table};
use crate::cells::{Cells, Rows, schema};
use crate::engine::{Ask, Chunk, Feed, From, column_index};
use crate::settings::{Lookback, Relation};
use crate::ties::holds_null;

/// Columns whose values are looked at in one statement: a statement has 2,000 results at most.
const LOOKED_AT: usize = 200;

/// Whether views are listed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Views {
    Listed,
    LeftOut,
}

pub(super) fn tables(connection: &Connection, views: Views) -> Result<Vec<String>, ConnectorError> {
    let kinds = match views {
        Views::Listed => "('table', 'view')",
        Views::LeftOut => "('table')",
    };
    let sql = format!(
        "SELECT name FROM sqlite_schema WHERE type IN {kinds} AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    );
    let names = connection.prepare(&sql).and_then(|mut statement| {
        statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()
    });
    names.map_err(|error| of_sqlite("listing the tables", &error))
}

pub(super) fn read(connection: &Connection, ask: &Ask, feed: &Feed) -> Result<(), ConnectorError> {
    let doing = match &ask.relation {
        Relation::Table(name) => format!("reading the table {name:?}"),
        Relation::Query(_) => "running the query".to_owned(),
    };
    let failed = |error: rusqlite::Error| blamed(of_sqlite(&doing, &error));
    let relation = relation(connection, &ask.relation)?;
    let names = column_names(connection, &relation).map_err(failed)?;
    let index = match &ask.from {
        Some(from) => Some(column_index(
            &from.column,
            names.iter().map(String::as_str),
        )?),
        None => None,
    };
    let (tail, bound) = tail(ask.from.as_ref());
    let declared = declared(connection, &ask.relation).map_err(failed)?;
    let seen = seen(connection, (&names, &relation, &tail), &bound).map_err(failed)?;
    if let Some(index) = index
        && has_nulls(connection, &relation, &names[index]).map_err(failed)?
    {
        return Err(holds_null(&names[index]));
    }
    let columns: Vec<(String, DataType)> = names
        .iter()
        .zip(seen)
        .map(|(name, seen)| {
            let declared = declared.get(name).map(String::as_str).unwrap_or_default();
            (name.clone(), data_type(declared, seen))
        })
        .collect();
    let wanted: Vec<String> = columns.iter().map(expression).collect();
    let order = index
        .map(|index| format!(" ORDER BY {}", identifier(&names[index])))
        .unwrap_or_default();
    let sql = format!("SELECT {} FROM {relation}{tail}{order}", wanted.join(", "));
    rows(connection, &sql, &bound, columns, feed, &failed)
}

fn rows(
    connection: &Connection,
    sql: &str,
    bound: &[Value],
    columns: Vec<(String, DataType)>,
    feed: &Feed,
    failed: &impl Fn(rusqlite::Error) -> ConnectorError,
) -> Result<(), ConnectorError> {
    let width = columns.len();
    let schema = schema(columns);
    feed.put_blocking(Chunk::Schema(Arc::clone(&schema)))?;
    let mut batch = Rows::new(schema);
    let mut statement = connection.prepare(sql).map_err(failed)?;
    let mut found = statement.query(params_from_iter(bound)).map_err(failed)?;
    while let Some(row) = found.next().map_err(failed)? {
        let mut bytes = 0;
        for column in 0..width {
            bytes += value(row.get_ref(column).map_err(failed)?, column, &mut batch)?;
        }
        batch.row(bytes);
        if batch.is_full()
            && let Some((batch, replaced)) = batch.take()?
        {
            feed.put_blocking(Chunk::Rows(batch, replaced))?;
        }
    }
    match batch.take()? {
        Some((batch, replaced)) => feed.put_blocking(Chunk::Rows(batch, replaced)),
        None => Ok(()),
    }
}

/// One value into its column; gives its bytes.
fn value(value: ValueRef<'_>, column: usize, batch: &mut Rows) -> Result<usize, ConnectorError> {
    let mut bytes = 8;
    match (value, &mut batch.columns[column]) {
        (ValueRef::Null, cells) => cells.null(),
        (ValueRef::Integer(number), Cells::I64(cells)) => cells.append_value(number),
        #[expect(
            clippy::cast_precision_loss,
            reason = "the column also holds fractions"
        )]
        (ValueRef::Integer(number), Cells::F64(cells)) => cells.append_value(number as f64),
        (ValueRef::Real(number), Cells::F64(cells)) => cells.append_value(number),
        (ValueRef::Blob(blob), Cells::Binary(cells)) => {
            bytes = blob.len();
            cells.append_value(blob);
        }
        (ValueRef::Text(text), Cells::Text(cells)) => {
            bytes = text.len();
            match std::str::from_utf8(text) {
                Ok(text) => cells.append_value(text),
                Err(_) => batch.replace(column, "text that is no UTF-8"),
            }
        }
        _ => {
            return Err(ConnectorError::new(
                ErrorKind::Changed,
                "a value is of another kind than when they were looked at",
            ));
        }
    }
    Ok(bytes)
}

fn relation(connection: &Connection, relation: &Relation) -> Result<String, ConnectorError> {
    match relation {
        Relation::Query(sql) => Ok(format!("(\n{sql}\n)")),
        Relation::Table(name) => {
            let tables = tables(connection, Views::Listed)?;
            match tables.contains(name) {
                true => Ok(identifier(name)),
                false => Err(no_table(name, &tables, Holder::File)),
            }
        }
    }
}

fn column_names(connection: &Connection, relation: &str) -> rusqlite::Result<Vec<String>> {
    let statement = connection.prepare(&format!("SELECT * FROM {relation}"))?;
    Ok(statement.column_names().map(str::to_owned).collect())
}

/// What the columns of a table are declared as; of a query nothing is known.
fn declared(
    connection: &Connection,
    relation: &Relation,
) -> rusqlite::Result<HashMap<String, String>> {
    let Relation::Table(name) = relation else {
        return Ok(HashMap::new());
    };
    let mut statement = connection.prepare("SELECT name, type FROM pragma_table_xinfo(?)")?;
    let rows = statement.query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Which kinds of values each column has, in one pass over the rows for every two hundred columns.
fn seen(
    connection: &Connection,
    (names, relation, tail): (&[String], &str, &str),
    bound: &[Value],
) -> rusqlite::Result<Vec<Seen>> {
    let mut all = Vec::with_capacity(names.len());
    for names in names.chunks(LOOKED_AT) {
        let kinds = names.iter().flat_map(|name| {
            let name = identifier(name);
            ["integer", "real", "text", "blob"]
                .map(|kind| format!("coalesce(max(typeof({name}) = '{kind}'), 0)"))
        });
        let sql = format!(
            "SELECT {} FROM {relation}{tail}",
            kinds.collect::<Vec<_>>().join(", ")
        );
        connection.query_row(&sql, params_from_iter(bound), |row| {
            for index in 0..names.len() {
                let kind = |offset: usize| row.get::<_, bool>(4 * index + offset);
                all.push(Seen {
                    integers: kind(0)?,
                    reals: kind(1)?,
                    texts: kind(2)?,
                    blobs: kind(3)?,
                });
            }
            Ok(())
        })?;
    }
    Ok(all)
}

fn has_nulls(connection: &Connection, relation: &str, column: &str) -> rusqlite::Result<bool> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {relation} WHERE {} IS NULL)",
        identifier(column)
    );
    connection.query_row(&sql, [], |row| row.get(0))
}

/// What is asked for: a column of text is written as text whatever its values are, and bytes among them as `x'00ff'`.
fn expression((name, data_type): &(String, DataType)) -> String {
    let name = identifier(name);
    match data_type {
        DataType::Utf8 => format!(
            "CASE typeof({name}) WHEN 'blob' THEN 'x''' || lower(hex({name})) || '''' ELSE CAST({name} AS TEXT) END"
        ),
        _ => name,
    }
}

/// `WHERE` of a read that goes on, and its value. A number is a number: against a column without affinity a text would be larger.
fn tail(from: Option<&From>) -> (String, Vec<Value>) {
    let Some((from, value)) = from.and_then(|from| Some((from, from.value.as_ref()?))) else {
        return (String::new(), Vec::new());
    };
    let name = identifier(&from.column);
    let bound = match value.parse() {
        Ok(number) => Value::Integer(number),
        Err(_) => Value::Text(value.clone()),
    };
    let lower = match (&bound, from.lookback) {
        (_, None) => "?".to_owned(),
        (_, Some(Lookback::Units(units))) => format!("? - {units}"),
        // Seconds since 1970, as many files have them.
        (Value::Integer(_), Some(Lookback::Seconds(seconds))) => format!("? - {seconds}"),
        // Dates are texts; one that is none is compared as it is.
        (_, Some(Lookback::Seconds(seconds))) => {
            format!("coalesce(datetime(?1, '-{seconds} seconds'), ?1)")
        }
    };
    (format!(" WHERE {name} >= {lower}"), vec![bound])
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
