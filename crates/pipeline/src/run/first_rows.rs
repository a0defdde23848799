//! The first records of a piece as text: to show them, and to look at what new columns hold.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::StreamExt;
use sectorlake_formats::{Decoded, Part};
use sectorlake_normalise::Shape;

use crate::plan::{Feed, WrittenIn};
use crate::trial::{TrialColumn, TrialSource};
use crate::values::Profile;

/// Characters of a cell that is shown.
const CELL_CHARS_MAX: usize = 200;

/// Records as text, by number.
pub(super) type Rows = Vec<(i64, Vec<Option<String>>)>;

/// The first records of some columns of a piece, in order; fewer where it cannot be read.
pub(super) async fn first_rows(part: &Part, columns: &[usize], rows_max: usize) -> Rows {
    if rows_max == 0 || columns.is_empty() {
        return Vec::new();
    }
    let mut rows = Rows::new();
    let mut streams = futures::stream::select_all(part.read(columns));
    while rows.len() < rows_max
        && let Some(Ok(decoded)) = streams.next().await
    {
        rows.extend(texts(&decoded, rows_max));
    }
    rows.sort_by_key(|(number, _)| *number);
    rows.truncate(rows_max);
    rows
}

fn texts(decoded: &Decoded, rows_max: usize) -> Rows {
    let options = FormatOptions::new();
    let columns: Vec<_> = decoded
        .batch
        .columns()
        .iter()
        .map(|column| {
            (
                column,
                ArrayFormatter::try_new(column.as_ref(), &options).ok(),
            )
        })
        .collect();
    let cell = |row: usize, (column, formatter): &(&ArrayRef, Option<ArrayFormatter<'_>>)| {
        let formatter = formatter.as_ref().filter(|_| column.is_valid(row))?;
        formatter.value(row).try_to_string().ok()
    };
    let row = |row: usize| {
        let cells = columns.iter().map(|column| cell(row, column)).collect();
        (decoded.rows.value(row), cells)
    };
    (0..decoded.batch.num_rows().min(rows_max))
        .map(row)
        .collect()
}

/// A stream on its way into a table, as a trial shows it.
pub(super) fn source(feed: &Feed, part: &Part, rows: &Rows, shown: usize) -> TrialSource {
    let schema = part.schema();
    let columns = schema.fields().iter().enumerate().map(|(index, field)| {
        let mut profile = Profile::of_type(field.data_type());
        for (_, row) in rows {
            profile.add(row.get(index).and_then(Option::as_deref));
        }
        TrialColumn {
            name: field.name().clone(),
            shape: profile.shape().words(),
            mixture: profile.mixture().map(|kinds| mixture(&kinds)),
            used: false,
            feeds: Vec::new(),
        }
    });
    TrialSource {
        stream: feed.stream.name.clone(),
        file: part.name().to_owned(),
        format: serde_json::to_value(part.format()).unwrap_or_default(),
        choices: part.choices().to_vec(),
        columns: columns.collect(),
        mapping: feed.sql.clone(),
        by_connector: feed.written_in == WrittenIn::Connector,
        before: batch(part, &rows[..rows.len().min(shown)]),
    }
}

/// Kinds of values in words: `98 whole numbers ("12"), 2 text ("12A")`.
pub(crate) fn mixture(kinds: &[(Shape, u64, String)]) -> String {
    let kinds = kinds
        .iter()
        .map(|(shape, count, example)| format!("{count} × {shape} ({example:?})"));
    kinds.collect::<Vec<_>>().join(", ")
}

/// Records as a batch of text, with their numbers.
fn batch(part: &Part, rows: &[(i64, Vec<Option<String>>)]) -> Option<RecordBatch> {
    let schema = part.schema();
    let mut fields = vec![Field::new("_row", DataType::Int64, false)];
    let numbers: Int64Array = rows.iter().map(|(number, _)| Some(*number)).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(numbers)];
    for (index, field) in schema.fields().iter().enumerate() {
        if field.name() == "_record" {
            continue;
        }
        let cut = |text: &String| text.chars().take(CELL_CHARS_MAX).collect::<String>();
        let cells = rows
            .iter()
            .map(|(_, row)| row.get(index).and_then(Option::as_ref).map(cut));
        columns.push(Arc::new(cells.collect::<StringArray>()));
        fields.push(Field::new(field.name(), DataType::Utf8, true));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).ok()
}
