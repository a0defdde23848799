//! The rejected records that wait to be corrected: of what is published, or of a run that failed since.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use sectorlake_lake::{Kind, Lake, Load, Snapshot};

use super::Corrections;
use super::sheet::ROWS_MAX;
use crate::plan::TablePlan;
use crate::result::{Failure, FailureKind};

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) table: String,
    pub(crate) field: Option<String>,
    pub(crate) rule: String,
    pub(crate) value: Option<String>,
    pub(crate) message: String,
}

/// How much is wanted of each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// That it is there.
    Places,
    /// Why, too.
    Reasons,
}

/// Why, by row.
pub(crate) type Rows = BTreeMap<i64, Vec<Reason>>;

/// Rejected records: by stream, part and row.
#[derive(Debug, Default)]
pub(crate) struct Open {
    pub(crate) streams: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Rows>>,
    rows: usize,
}

impl Open {
    pub(crate) fn holds(&self, stream: &str, part: &str, row: i64) -> bool {
        let parts = self.streams.get(stream);
        parts
            .and_then(|parts| parts.get(part))
            .is_some_and(|rows| rows.contains_key(&row))
    }

    /// How many records.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }
}

/// Finds them: of what is replaced, those of the latest run; of what grows, those of every published run, and of the `failed` one that
/// came after them. What a correction stands for is not among them, unless the correction was rejected in its turn: then that is.
///
/// # Errors
/// The journal cannot be read, or there are more than a spreadsheet holds.
pub(crate) async fn open_rejections(
    lake: &Lake,
    (pipeline, failed): (&str, Option<&str>),
    plans: &[TablePlan],
    corrections: &Corrections,
    wanted: Wanted,
) -> Result<Open, Failure> {
    let snapshots = lake.snapshots().await?;
    let mut runs = published(&snapshots, pipeline);
    runs.extend(failed.map(str::to_owned));
    let grows = plans.iter().any(|plan| plan.load != Load::Replace);
    let last = runs.last().cloned();
    if !grows {
        runs.drain(..runs.len().saturating_sub(1));
    }
    let mut open = Open::default();
    for run in runs {
        let is_last = Some(&run) == last.as_ref();
        let tables: Vec<String> = plans
            .iter()
            .filter(|plan| is_last || plan.load != Load::Replace)
            .map(|plan| plan.table.to_string())
            .collect();
        let finder = Finder {
            streams: streams(lake, &run).await?,
            tables,
            corrections,
            wanted,
        };
        finder.run(lake, &run, &mut open).await?;
    }
    Ok(open)
}

/// The runs of a pipeline that snapshots name, in order.
pub(super) fn published(snapshots: &[Snapshot], pipeline: &str) -> Vec<String> {
    let mut own: Vec<&Snapshot> = snapshots
        .iter()
        .filter(|snapshot| snapshot.pipeline == pipeline)
        .collect();
    own.sort_by_key(|snapshot| snapshot.number);
    own.into_iter()
        .map(|snapshot| snapshot.run.clone())
        .collect()
}

/// Table, part and file → stream.
type Streams = HashMap<(String, String, String), Arc<str>>;

async fn streams(lake: &Lake, run: &str) -> Result<Streams, Failure> {
    let mut known = Streams::new();
    let mut batches = lake.journal().of_run(Kind::RunParts, run).await?;
    while let Some(batch) = batches.try_next().await? {
        let [schemas, names, parts, files, streams] = texts(
            &batch,
            ["table_schema", "table_name", "part", "name", "stream"],
        )?;
        for row in 0..batch.num_rows() {
            let table = format!("{}.{}", schemas.value(row), names.value(row));
            let key = (
                table,
                parts.value(row).to_owned(),
                files.value(row).to_owned(),
            );
            known.insert(key, streams.value(row).into());
        }
    }
    Ok(known)
}

struct Finder<'a> {
    streams: Streams,
    tables: Vec<String>,
    corrections: &'a Corrections,
    wanted: Wanted,
}

impl Finder<'_> {
    async fn run(&self, lake: &Lake, run: &str, open: &mut Open) -> Result<(), Failure> {
        let mut batches = lake.journal().of_run(Kind::RejectedRows, run).await?;
        // The reasons of a row stand together, and of a row that was only marked the first is soft.
        let mut marked = false;
        while let Some(batch) = batches.try_next().await? {
            self.batch(&batch, &mut marked, open)?;
            if open.rows > ROWS_MAX {
                let message = format!(
                    "there are more than {ROWS_MAX} rejected rows: no spreadsheet holds them"
                );
                return Err(Failure::new(FailureKind::Usage, message)
                    .help("correct them at the source, or in the mapping"));
            }
        }
        Ok(())
    }

    fn batch(
        &self,
        batch: &RecordBatch,
        marked: &mut bool,
        open: &mut Open,
    ) -> Result<(), Failure> {
        let [schemas, names, parts, files, severities] = texts(
            batch,
            ["table_schema", "table_name", "part", "file", "severity"],
        )?;
        let [rows, reasons] = numbers(batch, ["row", "reason"])?;
        for at in 0..batch.num_rows() {
            let soft = severities.is_valid(at) && severities.value(at) == "warn";
            *marked = if reasons.value(at) == 1 {
                soft
            } else {
                *marked
            };
            let table = format!("{}.{}", schemas.value(at), names.value(at));
            if *marked || !self.tables.iter().any(|name| is_version(name, &table)) {
                continue;
            }
            let key = (
                table,
                parts.value(at).to_owned(),
                files.value(at).to_owned(),
            );
            let Some(stream) = self.streams.get(&key) else {
                continue;
            };
            let part: Arc<str> = parts.value(at).into();
            let row = rows.value(at);
            if self.corrections.head(stream, &part, row) != (Arc::clone(&part), row) {
                continue;
            }
            let of_part = open.streams.entry(Arc::clone(stream)).or_default();
            let known = of_part.entry(part).or_default();
            let known = known.entry(row).or_insert_with(|| {
                open.rows += 1;
                Vec::new()
            });
            if self.wanted == Wanted::Reasons {
                known.push(reason(batch, key.0, at)?);
            }
        }
        Ok(())
    }
}

fn reason(batch: &RecordBatch, table: String, at: usize) -> Result<Reason, Failure> {
    let [fields, rules, values, messages] = texts(batch, ["field", "rule", "value", "message"])?;
    let text = |column: &StringArray| column.is_valid(at).then(|| column.value(at).to_owned());
    Ok(Reason {
        table,
        field: text(fields),
        rule: rules.value(at).to_owned(),
        value: text(values),
        message: messages.value(at).to_owned(),
    })
}

pub(super) fn texts<'a, const N: usize>(
    batch: &'a RecordBatch,
    names: [&str; N],
) -> Result<[&'a StringArray; N], Failure> {
    let found: Vec<&StringArray> = names
        .iter()
        .filter_map(|name| batch.column_by_name(name)?.as_string_opt::<i32>())
        .collect();
    found.try_into().map_err(|_| unlike())
}

fn numbers<'a, const N: usize>(
    batch: &'a RecordBatch,
    names: [&str; N],
) -> Result<[&'a arrow::array::Int64Array; N], Failure> {
    let found: Vec<_> = names
        .iter()
        .filter_map(|name| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>())
        .collect();
    found.try_into().map_err(|_| unlike())
}

fn unlike() -> Failure {
    crate::run::internal("the journal has other columns than its schema")
}

/// Whether `table` is the table `name`, or a later major version of it, which stands beside: `name_v2`.
pub(crate) fn is_version(name: &str, table: &str) -> bool {
    let Some(rest) = table.strip_prefix(name) else {
        return false;
    };
    let version = rest.strip_prefix("_v");
    rest.is_empty() || version.is_some_and(|it| it.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_table() {
        assert!(is_version("a.stops", "a.stops"));
        assert!(is_version("a.stops", "a.stops_v2"));
        assert!(!is_version("a.stops", "a.stops_view"));
        assert!(!is_version("a.stops", "a.stop"));
    }
}
