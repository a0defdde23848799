//! The drawn table at the end of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use sectorlake_pipeline::{Outcome, RunResult, TableResult};

use super::{failed, filtered, fixed, records, rejected};
use crate::numbers::grouped;
use crate::output::right_aligned;

/// Lines of a table that lists every table; beyond it, a line tells a whole pipeline.
const LINES_MAX: usize = 16;

/// The table at the end of a run, and the sentence that says where more is.
pub(crate) struct Drawn {
    /// Ready to draw.
    pub(crate) batch: RecordBatch,
    /// Empty where the table tells all.
    pub(crate) hint: &'static str,
}

/// The table, ready to draw within `width` characters: a line for every table where they are few and fit, else one for every pipeline.
pub(crate) fn table(results: &[RunResult], width: Option<u16>) -> Result<Drawn, ArrowError> {
    let fits = |columns: &[Column]| {
        let taken: usize = columns.iter().map(Column::width).sum();
        width.is_none_or(|width| taken < usize::from(width))
    };
    let by_table = lines(results, Detail::Table);
    if by_table.len() <= LINES_MAX {
        let mut full = narrowed(columns(&by_table, Detail::Table), fits);
        // Who runs one pipeline knows its name.
        if results.len() == 1 && !fits(&full) {
            full.retain(|column| column.name() != "pipeline");
        }
        if fits(&full) {
            return Ok(Drawn {
                batch: batch(full)?,
                hint: "",
            });
        }
    }
    let by_pipeline = lines(results, Detail::Pipeline);
    let summed = by_pipeline.iter().any(|line| !line.tables.is_empty());
    let short = columns(&by_pipeline, Detail::Pipeline);
    Ok(Drawn {
        batch: batch(narrowed(short, fits))?,
        hint: if summed { EACH_TABLE } else { "" },
    })
}

/// Where the tables are that a line sums up.
const EACH_TABLE: &str =
    "Each table: `sectorlake sql \"SELECT * FROM meta.run_tables\"`, or --json.\n";

/// How much a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    /// A pipeline and a table it fed.
    Table,
    /// A pipeline and all it fed.
    Pipeline,
}

/// One line of the table; without tables where the pipeline fed none.
struct Line<'a> {
    result: &'a RunResult,
    tables: Vec<&'a TableResult>,
}

impl Line<'_> {
    fn sum(&self, count: impl Fn(&TableResult) -> u64) -> Option<u64> {
        (!self.tables.is_empty()).then(|| self.tables.iter().map(|it| count(it)).sum())
    }

    /// The same, unless the run failed: then nothing of it is in the lake.
    fn kept(&self, count: impl Fn(&TableResult) -> u64) -> Option<u64> {
        self.sum(count).filter(|_| !failed(self.result))
    }

    /// Source records; a part that feeds several tables is fetched once.
    fn fetched(&self) -> Option<u64> {
        let parts = self.result.parts.iter();
        let of_these = parts
            .filter(|part| !part.is_fix && self.tables.iter().any(|it| it.table == part.table));
        let mut once = BTreeMap::new();
        for part in of_these {
            let records: &mut u64 = once
                .entry((&part.stream, &part.part, &part.name))
                .or_default();
            *records = part.records.max(*records);
        }
        (!self.tables.is_empty()).then(|| once.values().sum())
    }
}

/// A column of numbers: its header and where the number comes from.
type Count = (&'static str, fn(&Line<'_>) -> Option<u64>);

const COUNTS: [Count; 10] = [
    ("fetched", |line| line.fetched()),
    ("filtered", |line| {
        line.sum(|table| filtered(line.result, table))
    }),
    ("loaded", |line| line.kept(|table| table.loaded)),
    ("revised", |line| line.kept(|table| table.revised)),
    ("deleted", |line| line.kept(|table| table.deleted)),
    ("unchanged", |line| line.kept(|table| table.unchanged)),
    ("superseded", |line| line.kept(|table| table.superseded)),
    ("rejected", |line| line.sum(rejected)),
    ("marked", |line| line.kept(|table| table.marked)),
    ("fixed", |line| line.sum(|table| fixed(line.result, table))),
];
/// Columns left out where every line says nothing or zero, or there is no room.
const SELDOM: [&str; 6] = [
    "filtered",
    "revised",
    "deleted",
    "superseded",
    "marked",
    "fixed",
];
/// The next to go where there is no room, if every line says nothing or zero.
const NEXT: &str = "unchanged";

fn lines(results: &[RunResult], detail: Detail) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for result in results {
        // Tables of a standard that this source has nothing for are no news; the document holds them.
        let fed = |table: &&TableResult| {
            records(result, table) > 0 || table.mapped > 0 || table.removed > 0
        };
        let tables: Vec<&TableResult> = result.tables.iter().filter(fed).collect();
        if detail == Detail::Pipeline || tables.is_empty() {
            lines.push(Line { result, tables });
        } else {
            lines.extend(tables.into_iter().map(|table| Line {
                result,
                tables: vec![table],
            }));
        }
    }
    lines
}

/// A drawn column: its header and its cells.
struct Column {
    field: Field,
    cells: Vec<String>,
}

impl Column {
    fn text(name: &str, cells: impl Iterator<Item = String>) -> Self {
        Self {
            field: Field::new(name, DataType::Utf8, false),
            cells: cells.collect(),
        }
    }

    fn right(self) -> Self {
        Self {
            field: right_aligned(self.field),
            ..self
        }
    }

    fn name(&self) -> &str {
        self.field.name()
    }

    /// Whether every line says nothing or zero.
    fn is_idle(&self) -> bool {
        self.cells.iter().all(|it| it.is_empty() || it == "0")
    }

    /// Characters it takes, with its padding and one line.
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|it| it.chars().count());
        3 + cells.max().unwrap_or_default().max(self.field.name().len())
    }
}

/// Where there is little room, columns that are seldom asked for give way.
fn narrowed(mut columns: Vec<Column>, fits: impl Fn(&[Column]) -> bool) -> Vec<Column> {
    if !fits(&columns) {
        columns.retain(|column| !SELDOM.contains(&column.name()));
    }
    if !fits(&columns) {
        columns.retain(|column| column.name() != NEXT || !column.is_idle());
    }
    columns
}

fn columns(lines: &[Line<'_>], detail: Detail) -> Vec<Column> {
    let pipelines = lines.iter().map(|line| line.result.pipeline.clone());
    let mut columns = vec![Column::text("pipeline", pipelines)];
    columns.push(match detail {
        Detail::Table => {
            let tables =
                |line: &Line<'_>| line.tables.iter().map(|it| it.table.to_string()).collect();
            Column::text("table", lines.iter().map(tables))
        }
        Detail::Pipeline => {
            let count = |line: &Line<'_>| match line.tables.len() {
                0 => String::new(),
                count => count.to_string(),
            };
            Column::text("tables", lines.iter().map(count)).right()
        }
    });
    for (name, count) in COUNTS {
        let counts: Vec<Option<u64>> = lines.iter().map(count).collect();
        if SELDOM.contains(&name) && counts.iter().all(|it| it.unwrap_or_default() == 0) {
            continue;
        }
        let cells = counts
            .into_iter()
            .map(|it| it.map_or_else(String::new, grouped));
        columns.push(Column::text(name, cells).right());
    }
    columns.push(Column::text("snapshot", lines.iter().map(|line| state(line.result))).right());
    columns
}

fn batch(columns: Vec<Column>) -> Result<RecordBatch, ArrowError> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
        .into_iter()
        .map(|column| {
            (
                column.field,
                Arc::new(StringArray::from(column.cells)) as ArrayRef,
            )
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

fn state(result: &RunResult) -> String {
    match &result.outcome {
        Outcome::Published { snapshot } => snapshot.to_string(),
        Outcome::Unchanged => "unchanged".to_owned(),
        Outcome::Failed(_) => "failed".to_owned(),
    }
}
