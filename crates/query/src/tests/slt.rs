//! Runs `tests/slt/*.slt`. With `SECTORLAKE_SLT=write` it writes the answers instead; then let `tests/openness/slt_check.py` prove them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, AsArray as _};
use arrow::datatypes::{DataType, Float64Type, Schema};
use arrow::util::display::array_value_to_string;
use async_trait::async_trait;
use datafusion::error::DataFusionError;
use futures::TryStreamExt as _;
use sqllogictest::{
    AsyncDB, ColumnType, DBOutput, Runner, default_normalizer, default_validator,
    strict_column_validator,
};

use super::fixture;
use crate::session::Session;

/// Between columns in the files: values hold spaces.
const SEPARATOR: &str = "\t";

#[derive(Clone)]
struct Asked(Arc<Session>);

/// What a column holds, by one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Letter(char);

impl ColumnType for Letter {
    fn from_char(value: char) -> Option<Self> {
        Some(Self(value))
    }

    fn to_char(&self) -> char {
        self.0
    }
}

/// The engine's error, in one line.
#[derive(Debug)]
struct Told(DataFusionError);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.strip_backtrace().replace('\n', " "))
    }
}

impl std::error::Error for Told {}

#[async_trait]
impl AsyncDB for Asked {
    type Error = Told;
    type ColumnType = Letter;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<Letter>, Told> {
        let stream = self.0.sql(sql).await.map_err(Told)?;
        let types = letters(&stream.schema());
        let batches: Vec<_> = stream.try_collect().await.map_err(Told)?;
        let rows = batches.iter().flat_map(|batch| {
            (0..batch.num_rows()).map(move |row| {
                batch
                    .columns()
                    .iter()
                    .map(|column| cell(column, row))
                    .collect()
            })
        });
        Ok(DBOutput::Rows {
            types,
            rows: rows.collect(),
        })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &'static str {
        "sectorlake"
    }
}

fn letters(schema: &Schema) -> Vec<Letter> {
    let letter = |data_type: &DataType| match data_type {
        DataType::Boolean => 'B',
        DataType::Date32 => 'D',
        DataType::Timestamp(..) => 'P',
        float if float.is_floating() || matches!(float, DataType::Decimal128(..)) => 'R',
        integer if integer.is_integer() => 'I',
        text if text.is_string() => 'T',
        _ => '?',
    };
    schema
        .fields()
        .iter()
        .map(|field| Letter(letter(field.data_type())))
        .collect()
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    let text = match column.data_type() {
        // Twelve digits: a sum's last ones depend on the order of adding.
        DataType::Float64 => format!("{:.11e}", column.as_primitive::<Float64Type>().value(row))
            .parse::<f64>()
            .unwrap()
            .to_string(),
        _ => array_value_to_string(column, row).unwrap(),
    };
    if text.is_empty() {
        "(empty)".to_owned()
    } else {
        text
    }
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture::folder()).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "slt"))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn analysts_statements_have_the_answers_of_the_files() {
    let asked = Asked(Arc::new(fixture::open().await.session));
    let write = std::env::var("SECTORLAKE_SLT").is_ok_and(|it| it == "write");
    let mut wrong = Vec::new();
    for file in files() {
        let connection = asked.clone();
        let mut runner = Runner::new(move || {
            let connection = connection.clone();
            async move { Ok(connection) }
        });
        if write {
            runner
                .update_test_file(
                    &file,
                    SEPARATOR,
                    default_validator,
                    default_normalizer,
                    strict_column_validator,
                )
                .await
                .unwrap();
            continue;
        }
        runner.with_column_validator(strict_column_validator);
        if let Err(error) = runner.run_file_async(&file).await {
            wrong.push(error.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn there_are_statements_enough_and_each_topic_is_there() {
    let texts: Vec<String> = files()
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let statements: usize = texts
        .iter()
        .map(|text| {
            text.lines()
                .filter(|line| line.starts_with("query "))
                .count()
        })
        .sum();
    assert!(statements >= 300, "{statements} statements");
}
