//! A corrected file, read: which row stands for which record.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;
use futures::StreamExt;
use sectorlake_formats::{FormatError, FormatSpec, Part, PartBytes, ReadOptions, open};
use serde_json::json;

use crate::result::{Failure, FailureKind};

/// The column of an export that says why a row was rejected, by language: Vietnamese, English.
pub(crate) const REASONS: [&str; 2] = ["_lý_do", "_reasons"];
/// The text of a record that could not be read.
pub(crate) const RAW: &str = "_raw";
/// The stream of a row.
pub(crate) const STREAM: &str = "_stream";
/// The raw part of a row.
pub(crate) const PART: &str = "_part";
/// The record's number in it.
pub(crate) const ROW: &str = "_row";
/// The same as it is read: every source has a column `_row` already, the record's own number.
const ROW_READ: &str = "_row_2";
/// Columns that an export adds to those of the source, as they are read.
pub(crate) const META: [&str; 6] = [REASONS[0], REASONS[1], RAW, STREAM, PART, ROW_READ];

/// Rows of one corrected file, at most: a sheet of a workbook holds no more.
pub(crate) const ROWS_MAX: usize = 1_048_575;
/// Problems that are told before the rest is only counted.
const TOLD_MAX: usize = 5;
/// Characters of a sheet's name.
const SHEET_NAME_CHARS: usize = 31;

/// One sheet of a workbook, or a whole CSV file.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    pub(crate) part: Part,
    /// What `_part` of its rows says.
    pub(crate) id: String,
    /// In the order of their rows.
    pub(crate) entries: Vec<Entry>,
}

/// One corrected record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) stream: Arc<str>,
    /// The record it stands for.
    pub(crate) part: Arc<str>,
    pub(crate) row: i64,
    /// The part of the source that the record came from, where the one above was a correction itself.
    pub(crate) root: Arc<str>,
    /// Its own number in the sheet.
    pub(crate) at: i64,
    /// Where the record stood in the version of the source that it was exported from, where that is another.
    pub(crate) before: Option<(Arc<str>, i64)>,
}

impl Sheet {
    /// The correction with this number.
    pub(crate) fn entry(&self, at: i64) -> Option<&Entry> {
        let index = self
            .entries
            .binary_search_by_key(&at, |entry| entry.at)
            .ok()?;
        self.entries.get(index)
    }
}

/// The name of a stream's sheet: what a workbook allows of the stream's own.
pub(crate) fn sheet_name(stream: &str, position: usize) -> String {
    let allowed = |letter: char| match letter {
        '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\'' => '_',
        other => other,
    };
    let name: String = stream.chars().map(allowed).collect();
    if name.chars().count() <= SHEET_NAME_CHARS && !name.is_empty() {
        return name;
    }
    let tail = format!(" {}", position + 1);
    let kept = SHEET_NAME_CHARS - tail.len();
    let start: String = name.chars().take(kept).collect();
    format!("{start}{tail}")
}

/// Reads which records a corrected file holds. `hash` names the file in `_part`.
///
/// # Errors
/// It is no export, or a row of it says nowhere where it belongs.
pub(crate) async fn read_sheets(
    bytes: &PartBytes,
    hash: &str,
    streams: &[String],
    read: &ReadOptions,
) -> Result<Vec<Sheet>, Failure> {
    let read = ReadOptions {
        partitions: 1,
        ..read.clone()
    };
    let mut sheets = Vec::new();
    for (part, id) in pieces(bytes, hash, streams, &read).await? {
        let entries = entries(&part).await?;
        sheets.push(Sheet { part, id, entries });
    }
    let rows: usize = sheets.iter().map(|sheet| sheet.entries.len()).sum();
    if rows > ROWS_MAX {
        let message = format!("{} has {rows} rows, more than {ROWS_MAX}", bytes.name);
        return Err(Failure::new(FailureKind::Data, message).help("take it in by pieces"));
    }
    Ok(sheets)
}

async fn pieces(
    bytes: &PartBytes,
    hash: &str,
    streams: &[String],
    read: &ReadOptions,
) -> Result<Vec<(Part, String)>, Failure> {
    let name = bytes.name.to_ascii_lowercase();
    if name.ends_with(".csv") {
        let part = open(bytes, None, Some(&csv()?), read).await?;
        return Ok(vec![(part, hash.to_owned())]);
    }
    if !name.ends_with(".xlsx") {
        let message = format!("{}: a corrected file is a .csv or .xlsx", bytes.name);
        return Err(Failure::new(FailureKind::Usage, message)
            .help("correct what `sectorlake rejected PIPELINE --export` wrote"));
    }
    let mut found = Vec::new();
    for (position, stream) in streams.iter().enumerate() {
        let sheet = sheet_name(stream, position);
        match open(bytes, None, Some(&workbook(&sheet)?), read).await {
            Ok(part) => found.push((part, format!("{hash}!{sheet}"))),
            Err(FormatError::UnknownSheet { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if found.is_empty() {
        let names: Vec<String> = streams
            .iter()
            .enumerate()
            .map(|(position, stream)| sheet_name(stream, position))
            .collect();
        let message = format!("{} has no sheet named {}", bytes.name, names.join(" or "));
        return Err(Failure::new(FailureKind::Data, message)
            .help("keep the sheets' names as `sectorlake rejected PIPELINE --export` wrote them"));
    }
    Ok(found)
}

fn csv() -> Result<FormatSpec, Failure> {
    spec(json!({ "name": "csv", "header_rows": [1] }))
}

fn workbook(sheet: &str) -> Result<FormatSpec, Failure> {
    spec(json!({ "name": "xlsx", "sheet": sheet, "header_rows": [1] }))
}

fn spec(value: serde_json::Value) -> Result<FormatSpec, Failure> {
    serde_json::from_value(value).map_err(|error| crate::run::internal(error.to_string()))
}

async fn entries(part: &Part) -> Result<Vec<Entry>, Failure> {
    let schema = part.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|it| it.name().as_str())
        .collect();
    let needed = [(STREAM, STREAM), (PART, PART), (ROW_READ, ROW)];
    let lacks = |(read, _): &&(&str, &str)| !names.contains(read);
    if let Some((_, lacking)) = needed.iter().find(lacks) {
        let message = format!("{} has no column {lacking}", part.name());
        return Err(Failure::new(FailureKind::Data, message).help(
            "it tells which row is which: keep the columns that `sectorlake rejected PIPELINE --export` wrote",
        ));
    }
    let all: Vec<usize> = (0..names.len()).collect();
    let mut found = Found {
        has_gaps: part.numbers_have_gaps(),
        ..Found::default()
    };
    for mut stream in part.read(&all) {
        while let Some(decoded) = stream.next().await {
            let decoded = decoded?;
            for broken in &decoded.broken {
                found.problem(broken.row, &broken.reason);
            }
            for index in 0..decoded.batch.num_rows() {
                found.row(&decoded.batch, index, decoded.rows.value(index));
            }
        }
    }
    found.finish(part.name())
}

/// What was found in a sheet so far.
#[derive(Default)]
struct Found {
    entries: Vec<Entry>,
    problems: Vec<String>,
    more: usize,
    has_gaps: bool,
    /// Texts that repeat on nearly every row.
    texts: Vec<Arc<str>>,
}

impl Found {
    fn row(&mut self, batch: &RecordBatch, index: usize, at: i64) {
        let (mut filled, mut place) = (false, [const { String::new() }; 3]);
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let cell = if column.is_null(index) {
                String::new()
            } else {
                array_value_to_string(column, index).unwrap_or_default()
            };
            match [STREAM, PART, ROW_READ]
                .iter()
                .position(|it| it == field.name())
            {
                Some(which) => place[which] = cell.trim().to_owned(),
                None if META.contains(&field.name().as_str()) => {}
                // The whole record of a JSON source comes back whether it was touched or not.
                None => filled |= field.name() != "_record" && !cell.is_empty(),
            }
        }
        // What could not be read and was not written anew stays rejected.
        if !filled {
            return;
        }
        let [stream, part, row] = place;
        let number = row.strip_suffix(".0").unwrap_or(&row).parse::<i64>();
        match number {
            Ok(row) if row > 0 && !stream.is_empty() && !part.is_empty() => {
                let (stream, part) = (self.text(&stream), self.text(&part));
                let root = Arc::clone(&part);
                self.entries.push(Entry {
                    stream,
                    part,
                    row,
                    root,
                    at,
                    before: None,
                });
            }
            _ => self.problem(at, "it does not say which row it stands for"),
        }
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.iter().find(|known| &***known == text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.texts.push(Arc::clone(&new));
        new
    }

    fn problem(&mut self, at: i64, what: &str) {
        if self.problems.len() < TOLD_MAX {
            let line = line(self.has_gaps, at);
            self.problems.push(format!("line {line}: {what}"));
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self, name: &str) -> Result<Vec<Entry>, Failure> {
        if self.problems.is_empty() {
            self.entries.sort_by_key(|entry| entry.at);
            return Ok(self.entries);
        }
        Err(refused(name, &self.problems, self.more))
    }
}

/// The line of a record: a sheet numbers its own rows, of a CSV file the header is the first line.
pub(super) fn line(has_gaps: bool, at: i64) -> i64 {
    if has_gaps { at } else { at + 1 }
}

/// A corrected file that is not taken in, with its lines.
pub(super) fn refused(name: &str, problems: &[String], more: usize) -> Failure {
    let more = if more > 0 {
        format!("; and {more} more lines")
    } else {
        String::new()
    };
    let message = format!("{name}, {}{more}", problems.join("; "));
    Failure::new(FailureKind::Data, message)
        .help("nothing was taken in: correct the rows that `sectorlake rejected PIPELINE --export` writes, and leave the grey columns as they are")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_have_names_that_workbooks_allow() {
        assert_eq!(sheet_name("stops.txt", 0), "stops.txt");
        assert_eq!(sheet_name("a/b[*].csv", 0), "a_b___.csv");
        let long = sheet_name(&"ế".repeat(40), 11);
        assert_eq!(long.chars().count(), SHEET_NAME_CHARS);
        assert!(long.ends_with(" 12"));
    }
}
