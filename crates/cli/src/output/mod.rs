//! Answers on their way out: record batches are written as they come, in any of seven formats, to stdout or a file.
//!
//! Bounds: no writer keeps more than its sample (`table`), its row group (`parquet`) or one batch (the others).

mod cell;
mod columnar;
mod file;
mod records;
mod table;
mod text;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, SchemaRef};
use arrow::error::ArrowError;
use clap::ValueEnum;
use parquet::errors::ParquetError;

pub(crate) use self::cell::drawable;
use self::file::NewFile;
use crate::terminal::{Stdout, Terminal};

/// Bytes gathered before a write to stdout or a file.
const BUFFER_BYTES: usize = 128 * 1024;

/// The formats an answer can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A drawn table, for people.
    Table,
    /// RFC 4180 with a header; NULL is empty, an empty text is "".
    Csv,
    /// One array of objects.
    Json,
    /// One object per line.
    #[value(alias = "jsonl")]
    Ndjson,
    /// Arrow IPC stream.
    Arrow,
    /// Parquet, zstd.
    Parquet,
    /// A Markdown table.
    #[value(alias = "md")]
    Markdown,
}

impl Format {
    /// The format a file's name asks for.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "csv" => Self::Csv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::Ndjson,
            "arrow" | "arrows" | "ipc" => Self::Arrow,
            "parquet" | "pq" => Self::Parquet,
            "md" | "markdown" => Self::Markdown,
            "txt" => Self::Table,
            _ => return None,
        })
    }

    /// Bytes that would garble a terminal.
    fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet)
    }
}

/// How a table is drawn.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    /// Columns to fit into; `None`: as wide as it is.
    pub(crate) width: Option<u16>,
    /// Dim NULLs and embolden the header.
    pub(crate) color: bool,
    /// One line per field instead of one per row (the prompt's `\x`).
    pub(crate) expanded: bool,
    /// End with the number of rows.
    pub(crate) count: bool,
    /// What stands in place of a table without rows.
    pub(crate) empty: Option<&'static str>,
}

impl Look {
    /// The look fit for what stands behind stdout.
    pub(crate) fn of(terminal: &Terminal) -> Self {
        Self {
            width: terminal.width,
            color: terminal.color_out,
            ..Self::default()
        }
    }
}

/// Where and how answers are written.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The format.
    pub(crate) format: Format,
    /// The file, or `None` for stdout.
    pub(crate) file: Option<PathBuf>,
    /// How tables look.
    pub(crate) look: Look,
}

/// An answer that could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// Bytes of a binary format would go to a terminal.
    #[error("{0:?} is a binary format and standard output is a terminal")]
    BinaryToTerminal(Format),
    /// A file could not be made, written or renamed.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Stdout could not be written.
    #[error("cannot write the answer: {0}")]
    Write(#[from] io::Error),
    /// A batch could not be turned into text or Arrow IPC.
    #[error("cannot write the answer: {0}")]
    Arrow(#[from] ArrowError),
    /// A batch could not be turned into Parquet.
    #[error("cannot write the answer: {0}")]
    Parquet(#[from] ParquetError),
}

/// One format's writer.
trait BatchWriter {
    /// Writes a batch.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError>;
    /// Writes what ends the format, and flushes.
    fn finish(&mut self) -> Result<(), OutputError>;
}

/// An answer being written.
pub(crate) struct Output {
    writer: Box<dyn BatchWriter>,
    file: Option<NewFile>,
    rows: u64,
}

impl Destination {
    /// Starts an answer of this schema.
    ///
    /// # Errors
    /// A file that cannot be made; a binary format to a terminal.
    pub(crate) fn open(
        &self,
        schema: &SchemaRef,
        terminal: &Terminal,
    ) -> Result<Output, OutputError> {
        let (sink, file): (Box<dyn Write + Send>, _) = match &self.file {
            Some(path) => {
                let file = NewFile::create(path)?;
                (Box::new(file.writer()?), Some(file))
            }
            None if self.format.is_binary() && terminal.stdout => {
                return Err(OutputError::BinaryToTerminal(self.format));
            }
            None => (Box::new(Stdout), None),
        };
        let sink = BufWriter::with_capacity(BUFFER_BYTES, sink);
        let look = if file.is_some() {
            Look {
                width: None,
                color: false,
                ..self.look
            }
        } else {
            self.look
        };
        Ok(Output {
            writer: writer(self.format, look, sink, schema)?,
            file,
            rows: 0,
        })
    }
}

fn writer(
    format: Format,
    look: Look,
    sink: impl Write + Send + 'static,
    schema: &SchemaRef,
) -> Result<Box<dyn BatchWriter>, OutputError> {
    Ok(match format {
        Format::Table if look.expanded => Box::new(records::Records::new(sink, schema, look)),
        Format::Table => Box::new(table::Table::new(sink, schema, look)),
        Format::Csv => Box::new(text::Csv::new(sink, schema)?),
        Format::Markdown => Box::new(text::Markdown::new(sink, schema)?),
        Format::Json => Box::new(text::json_array(sink)),
        Format::Ndjson => Box::new(text::json_lines(sink)),
        Format::Arrow => Box::new(columnar::ArrowStream::new(sink, schema)?),
        Format::Parquet => Box::new(columnar::Parquet::new(sink, schema)?),
    })
}

impl Output {
    /// Writes a batch.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.rows += batch.num_rows() as u64;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.writer.write(batch)
    }

    /// Ends the answer: a file appears under its name only now. Returns the rows written.
    pub(crate) fn finish(mut self) -> Result<u64, OutputError> {
        self.writer.finish()?;
        drop(self.writer);
        if let Some(file) = self.file.take() {
            file.publish()?;
        }
        Ok(self.rows)
    }
}

/// The key in a field's metadata that asks a drawn table to align its texts to the right, as numbers are.
const RIGHT: &str = "sectorlake.right";

/// A column of texts that are numbers to the reader.
pub(crate) fn right_aligned(field: Field) -> Field {
    field.with_metadata([(RIGHT.to_owned(), String::new())].into())
}

/// Writes a file that appears whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let file = NewFile::create(path)?;
    let failed = |source| OutputError::File {
        path: path.to_owned(),
        source,
    };
    file.writer()?.write_all(bytes).map_err(failed)?;
    file.publish()
}

/// Writes one batch that is already at hand.
pub(crate) fn print_batch(
    destination: &Destination,
    terminal: &Terminal,
    batch: &RecordBatch,
) -> Result<u64, OutputError> {
    let mut output = destination.open(&batch.schema(), terminal)?;
    output.write(batch)?;
    output.finish()
}

/// Bytes that a writer leaves behind.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The rows of a batch as JSON objects.
pub(crate) fn json_rows(batch: &RecordBatch) -> Result<Vec<serde_json::Value>, OutputError> {
    let kept = Kept::default();
    let mut writer = text::json_lines(kept.clone());
    writer.write(batch)?;
    writer.finish()?;
    let bytes = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = serde_json::Deserializer::from_slice(&bytes).into_iter();
    let lines = lines.collect::<Result<Vec<_>, _>>();
    lines.map_err(|error| OutputError::Write(io::Error::from(error)))
}

#[cfg(test)]
mod tests;
