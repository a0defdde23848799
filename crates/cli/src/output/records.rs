//! One line per field, for rows wider than the screen (the prompt's `\x`).

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::cell::{Cells, drawable, is_bytes, options, readable, shortened};
use super::table::chars_max;
use super::{BatchWriter, Look, OutputError};

/// Columns of the line above a record where the terminal's width is unknown.
const LINE_WIDTH: usize = 60;

/// A value to show; `None` is NULL.
pub(super) type Shown = Option<String>;

/// How records are drawn: the names of their columns, padded, and a line above each.
pub(super) struct Drawing {
    names: Vec<String>,
    name_width: usize,
    line_width: usize,
    rows: u64,
}

impl Drawing {
    /// For these columns, fit to be drawn.
    pub(super) fn new(names: Vec<String>, width: Option<u16>) -> Self {
        let name_width = names.iter().map(|name| name.chars().count()).max();
        Self {
            names,
            name_width: name_width.unwrap_or_default(),
            line_width: width.map_or(LINE_WIDTH, usize::from),
            rows: 0,
        }
    }

    /// Draws one.
    pub(super) fn draw(&mut self, sink: &mut impl Write, row: &[Shown]) -> std::io::Result<()> {
        self.rows += 1;
        let title = format!("─[ {} ]", self.rows);
        let rest = self.line_width.saturating_sub(title.chars().count());
        writeln!(sink, "{title}{}", "─".repeat(rest))?;
        let width = self.name_width;
        let indent = format!("\n{:width$} │ ", "");
        for (name, value) in self.names.iter().zip(row) {
            let value = value.as_deref().unwrap_or("NULL").replace('\n', &indent);
            writeln!(sink, "{name:width$} │ {value}")?;
        }
        Ok(())
    }
}

/// See the module.
pub(super) struct Records<W> {
    sink: W,
    look: Look,
    chars_max: Vec<usize>,
    drawing: Drawing,
}

impl<W: Write> Records<W> {
    pub(super) fn new(sink: W, schema: &SchemaRef, look: Look) -> Self {
        let fields = schema.fields();
        let names = fields
            .iter()
            .map(|field| drawable(field.name(), false).into_owned());
        Self {
            sink,
            look,
            chars_max: fields
                .iter()
                .map(|field| chars_max(is_bytes(field)))
                .collect(),
            drawing: Drawing::new(names.collect(), look.width),
        }
    }
}

impl<W: Write> BatchWriter for Records<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let batch = readable(batch)?;
        let options = options();
        let cells = Cells::new(&batch, &options)?;
        for row in 0..batch.num_rows() {
            let values = shown(&cells, row, &self.chars_max)?;
            self.drawing.draw(&mut self.sink, &values)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        if self.look.count {
            count(&mut self.sink, self.drawing.rows)?;
        }
        Ok(self.sink.flush()?)
    }
}

/// A row's values, cut and made safe to draw.
pub(super) fn shown(
    cells: &Cells<'_>,
    row: usize,
    chars_max: &[usize],
) -> Result<Vec<Shown>, OutputError> {
    let mut text = String::new();
    let mut values = Vec::with_capacity(chars_max.len());
    for (column, chars_max) in chars_max.iter().enumerate() {
        let value = cells
            .read(row, column, &mut text)?
            .then(|| drawable(&shortened(&text, *chars_max), true).into_owned());
        values.push(value);
    }
    Ok(values)
}

/// The line that ends an answer.
pub(super) fn count(sink: &mut impl Write, rows: u64) -> std::io::Result<()> {
    let word = if rows == 1 { "row" } else { "rows" };
    writeln!(sink, "({rows} {word})")
}
