//! One line per field, for rows wider than the screen (the prompt's `\x`).

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::cell::{Cells, drawable, is_bytes, options, readable, shortened};
use super::table::chars_max;
use super::{BatchWriter, Look, OutputError};

/// Columns of the line above a record where the terminal's width is unknown.
const LINE_WIDTH: usize = 60;

/// See the module.
pub(super) struct Records<W> {
    sink: W,
    look: Look,
    columns: Vec<(String, usize)>,
    name_width: usize,
    rows: u64,
}

impl<W: Write> Records<W> {
    pub(super) fn new(sink: W, schema: &SchemaRef, look: Look) -> Self {
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| {
                let name = drawable(field.name(), false).into_owned();
                (name, chars_max(is_bytes(field)))
            })
            .collect();
        let name_width = columns
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or_default();
        Self {
            sink,
            look,
            columns,
            name_width,
            rows: 0,
        }
    }
}

impl<W: Write> BatchWriter for Records<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let batch = readable(batch)?;
        let options = options();
        let cells = Cells::new(&batch, &options)?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            self.rows += 1;
            let title = format!("─[ {} ]", self.rows);
            let width = self.look.width.map_or(LINE_WIDTH, usize::from);
            let rest = width.saturating_sub(title.chars().count());
            writeln!(self.sink, "{title}{}", "─".repeat(rest))?;
            for (index, (name, chars_max)) in self.columns.iter().enumerate() {
                let value = if cells.read(row, index, &mut text)? {
                    let indent = format!("\n{:width$} │ ", "", width = self.name_width);
                    drawable(&shortened(&text, *chars_max), true).replace('\n', &indent)
                } else {
                    "NULL".to_owned()
                };
                writeln!(
                    self.sink,
                    "{name:width$} │ {value}",
                    width = self.name_width
                )?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        if self.look.count {
            let word = if self.rows == 1 { "row" } else { "rows" };
            writeln!(self.sink, "({} {word})", self.rows)?;
        }
        Ok(self.sink.flush()?)
    }
}
