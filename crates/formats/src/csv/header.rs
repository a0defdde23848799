//! The header: names, dialect, encoding, and where the data start.

use bytes::Bytes;

use crate::columns::unique_names;
use crate::content::Content;
use crate::csv::dialect::Dialect;
use crate::csv::strict::Records;
use crate::csv::window::is_line_end;
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::spec::CsvFormat;

/// Bytes that are looked at first.
const HEAD_BYTES: usize = 64 << 10;
/// Bytes that titles and header may take.
const HEAD_BYTES_MAX: usize = 4 << 20;

/// What a part's beginning tells.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) names: Vec<String>,
    pub(crate) dialect: Dialect,
    pub(crate) encoding: TextEncoding,
    /// Bytes of the text before the first data record.
    pub(crate) data_start: usize,
}

/// Reads as much of the part as it takes.
pub(crate) async fn read(content: &Content, format: &CsvFormat) -> Result<Header, FormatError> {
    let name = &content.name;
    check_rows(name, format)?;
    let mut bytes = HEAD_BYTES;
    loop {
        let head = content.head(bytes).await?;
        let is_whole = head.len() < bytes;
        let encoding = TextEncoding::find(name, format.encoding.as_deref(), &head)?;
        let text = encoding.head(&head);
        if is_whole && text.is_empty() {
            return Err(FormatError::Empty { name: name.clone() });
        }
        if let Some(header) = find(name, format, encoding, &text, is_whole)? {
            return Ok(header);
        }
        if bytes >= HEAD_BYTES_MAX {
            let reason =
                format!("it does not end within {HEAD_BYTES_MAX} bytes; is a quote never closed?");
            return Err(FormatError::NoHeader {
                name: name.clone(),
                reason,
            });
        }
        bytes *= 4;
    }
}

fn check_rows(name: &str, format: &CsvFormat) -> Result<(), FormatError> {
    let rows = format.header_rows.as_deref().unwrap_or_default();
    if rows.first() == Some(&0) || !rows.is_sorted_by(|left, right| left < right) {
        let reason = "lines count from 1, and each is named once, in order".to_owned();
        return Err(FormatError::Option {
            name: name.to_owned(),
            option: "header_rows",
            reason,
        });
    }
    Ok(())
}

/// None: more text is needed.
fn find(
    name: &str,
    format: &CsvFormat,
    encoding: TextEncoding,
    text: &Bytes,
    is_whole: bool,
) -> Result<Option<Header>, FormatError> {
    let no_header = |reason: String| FormatError::NoHeader {
        name: name.to_owned(),
        reason,
    };
    let lines = match format.header_rows.as_deref() {
        None | Some([]) => match text.iter().position(|byte| !is_line_end(*byte)) {
            Some(start) => vec![start],
            None if is_whole => return Err(no_header("all its lines are empty".to_owned())),
            None => return Ok(None),
        },
        Some(rows) => {
            let mut starts = Vec::with_capacity(rows.len());
            for &row in rows {
                match line_start(text, row) {
                    Some(start) if text.get(start).is_some_and(|byte| !is_line_end(*byte)) => {
                        starts.push(start)
                    }
                    Some(start) if start < text.len() => {
                        return Err(no_header(format!("line {row} is empty")));
                    }
                    _ if is_whole => return Err(no_header(format!("it ends before line {row}"))),
                    _ => return Ok(None),
                }
            }
            starts
        }
    };
    let dialect = Dialect::find(
        name,
        format,
        &text[lines.last().copied().unwrap_or_default()..],
    )?;
    let mut rows = Vec::with_capacity(lines.len());
    let mut data_start = 0;
    for start in lines {
        let mut records = Records::new(dialect);
        let Some(range) = records.next(&text[start..]) else {
            return Ok(None);
        };
        data_start = start + range.end;
        if data_start == text.len() && !is_whole {
            return Ok(None);
        }
        rows.push(cells(name, encoding, &records, start)?);
    }
    let names = if format.header_rows.as_deref() == Some(&[]) {
        data_start = 0;
        rows[0].iter().map(|_| String::new()).collect()
    } else {
        join_rows(&rows)
    };
    Ok(Some(Header {
        names: unique_names(name, names)?,
        dialect,
        encoding,
        data_start,
    }))
}

/// Where a line starts, lines counted from 1 whatever they hold.
fn line_start(text: &[u8], line: usize) -> Option<usize> {
    let mut start = 0;
    for _ in 1..line {
        let end = start + memchr::memchr2(b'\n', b'\r', &text[start..])?;
        start = end
            + if text[end..].starts_with(b"\r\n") {
                2
            } else {
                1
            };
    }
    Some(start)
}

fn cells(
    name: &str,
    encoding: TextEncoding,
    records: &Records,
    start: usize,
) -> Result<Vec<String>, FormatError> {
    let mut before = 0;
    let mut cells = Vec::with_capacity(records.len());
    for field in records.fields() {
        if field.contains(&0) {
            let reason =
                "its line holds a NUL byte; if the file is UTF-16, declare `encoding: utf-16le`"
                    .to_owned();
            return Err(FormatError::NoHeader {
                name: name.to_owned(),
                reason,
            });
        }
        let cell = std::str::from_utf8(field).map_err(|error| FormatError::HeaderEncoding {
            name: name.to_owned(),
            encoding: encoding.name().to_owned(),
            byte: (start + before + error.valid_up_to()) as u64,
        })?;
        before += field.len() + 1;
        cells.push(cell.to_owned());
    }
    Ok(cells)
}

/// Several header rows, one above the other: what stands in a column, joined with spaces.
pub(crate) fn join_rows(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    (0..columns)
        .map(|column| {
            let cells: Vec<&str> = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(String::as_str)
                .filter(|cell| !cell.is_empty())
                .collect();
            cells.join(" ")
        })
        .collect()
}
