//! Records of a raw part, read again.

use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;
use futures::StreamExt;
use sectorlake_formats::Part;

use super::writer::{Row, SheetWriter};
use crate::fixes::{META, Reason};
use crate::result::Failure;

/// The whole record of a JSON source; it comes last, for it is long.
const RECORD: &str = "_record";

/// The columns of one sheet: those of all its parts, in the order in which they are met.
#[derive(Debug, Default)]
pub(super) struct Columns {
    names: Vec<String>,
    record: bool,
}

impl Columns {
    pub(super) fn add(&mut self, source: &Source) {
        for name in source.names() {
            if name == RECORD {
                self.record = true;
            } else if !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names = self.names.clone();
        names.extend(self.record.then(|| RECORD.to_owned()));
        names
    }
}

/// A part, or a sheet of corrections.
#[derive(Debug)]
pub(super) struct Source {
    part: Part,
}

impl Source {
    pub(super) fn new(part: Part) -> Self {
        Self { part }
    }

    fn names(&self) -> Vec<String> {
        let schema = self.part.schema();
        let names = schema.fields().iter().map(|field| field.name().clone());
        names
            .filter(|name| !META.contains(&name.as_str()))
            .collect()
    }

    /// Hands on the records of `rows`, in the order in which they stand there.
    pub(super) async fn rows(
        &self,
        (stream, part): (&str, &str),
        rows: &BTreeMap<i64, Vec<Reason>>,
        columns: &Columns,
        told: impl Fn(&Reason) -> String,
        file: &mut dyn SheetWriter,
    ) -> Result<(), Failure> {
        let all: Vec<usize> = (0..self.part.schema().fields().len()).collect();
        let names = columns.names();
        let row = |number: i64, reasons: &[Reason], cells: Vec<Option<String>>, raw| Row {
            reasons: reasons.iter().map(&told).collect(),
            raw,
            cells,
            stream: stream.to_owned(),
            part: part.to_owned(),
            row: number,
        };
        for mut records in self.part.read(&all) {
            while let Some(decoded) = records.next().await {
                let decoded = decoded?;
                for (index, number) in decoded.rows.values().iter().enumerate() {
                    if let Some(reasons) = rows.get(number) {
                        let cells = cells(&decoded.batch, index, &names);
                        file.row(row(*number, reasons, cells, None))?;
                    }
                }
                for broken in &decoded.broken {
                    if let Some(reasons) = rows.get(&broken.row) {
                        let raw = Some(broken.raw.clone());
                        file.row(row(broken.row, reasons, vec![None; names.len()], raw))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn cells(batch: &RecordBatch, index: usize, names: &[String]) -> Vec<Option<String>> {
    let cell = |name: &String| {
        let column = batch.column_by_name(name)?;
        let there = column.is_valid(index);
        there.then(|| array_value_to_string(column, index).unwrap_or_default())
    };
    names.iter().map(cell).collect()
}
