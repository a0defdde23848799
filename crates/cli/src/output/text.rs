//! CSV, Markdown, JSON and NDJSON.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::WriterBuilder;
use arrow::json::writer::{JsonArray, JsonFormat, LineDelimited, Writer};

use super::cell::{Cells, drawable, options, readable};
use super::{BatchWriter, OutputError};

/// RFC 4180, but with `\n` line ends, as Unix tools expect. NULL is an empty field and an empty text is `""`,
/// so the two can be told apart; no kept CSV writer draws that line.
pub(super) struct Csv<W> {
    sink: W,
}

impl<W: Write> Csv<W> {
    pub(super) fn new(mut sink: W, schema: &SchemaRef) -> Result<Self, OutputError> {
        for (index, field) in schema.fields().iter().enumerate() {
            separate(&mut sink, index)?;
            csv_field(&mut sink, field.name())?;
        }
        sink.write_all(b"\n")?;
        Ok(Self { sink })
    }
}

fn separate(sink: &mut impl Write, index: usize) -> std::io::Result<()> {
    if index > 0 {
        sink.write_all(b",")?;
    }
    Ok(())
}

fn csv_field(sink: &mut impl Write, text: &str) -> std::io::Result<()> {
    let quoted = text.is_empty()
        || text.starts_with(' ')
        || text.ends_with(' ')
        || text
            .bytes()
            .any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    if !quoted {
        return sink.write_all(text.as_bytes());
    }
    sink.write_all(b"\"")?;
    for (index, piece) in text.split('"').enumerate() {
        if index > 0 {
            sink.write_all(b"\"\"")?;
        }
        sink.write_all(piece.as_bytes())?;
    }
    sink.write_all(b"\"")
}

impl<W: Write> BatchWriter for Csv<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let batch = readable(batch)?;
        let options = options();
        let cells = Cells::new(&batch, &options)?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for column in 0..batch.num_columns() {
                separate(&mut self.sink, column)?;
                if cells.read(row, column, &mut text)? {
                    csv_field(&mut self.sink, &text)?;
                }
            }
            self.sink.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        Ok(self.sink.flush()?)
    }
}

/// A table as GitHub and most wikis read it.
pub(super) struct Markdown<W> {
    sink: W,
}

impl<W: Write> Markdown<W> {
    pub(super) fn new(mut sink: W, schema: &SchemaRef) -> Result<Self, OutputError> {
        for field in schema.fields() {
            write!(sink, "| {} ", markdown_cell(field.name()))?;
        }
        sink.write_all(b"|\n")?;
        for field in schema.fields() {
            let right = super::cell::is_number(field.data_type());
            sink.write_all(if right { b"|---:" } else { b"|---" })?;
        }
        sink.write_all(b"|\n")?;
        Ok(Self { sink })
    }
}

fn markdown_cell(text: &str) -> String {
    drawable(text, true)
        .replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('\n', "<br>")
}

impl<W: Write> BatchWriter for Markdown<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let batch = readable(batch)?;
        let options = options();
        let cells = Cells::new(&batch, &options)?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for column in 0..batch.num_columns() {
                if cells.read(row, column, &mut text)? {
                    write!(self.sink, "| {} ", markdown_cell(&text))?;
                } else {
                    self.sink.write_all(b"| NULL ")?;
                }
            }
            self.sink.write_all(b"|\n")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        Ok(self.sink.flush()?)
    }
}

/// JSON or NDJSON; NULL is written as `null`, so every object has every column.
pub(super) struct Json<W: Write, F: JsonFormat> {
    writer: Writer<W, F>,
    ending: &'static [u8],
}

/// One array of objects.
pub(super) fn json_array<W: Write>(sink: W) -> Json<W, JsonArray> {
    Json {
        writer: WriterBuilder::new().with_explicit_nulls(true).build(sink),
        ending: b"\n",
    }
}

/// One object per line.
pub(super) fn json_lines<W: Write>(sink: W) -> Json<W, LineDelimited> {
    Json {
        writer: WriterBuilder::new().with_explicit_nulls(true).build(sink),
        ending: b"",
    }
}

impl<W: Write, F: JsonFormat> BatchWriter for Json<W, F> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        Ok(self.writer.write(&readable(batch)?)?)
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        self.writer.finish()?;
        let sink = self.writer.get_mut();
        sink.write_all(self.ending)?;
        Ok(sink.flush()?)
    }
}
