//! The header: names, dialect, encoding, and where the data start.

use bytes::Bytes;

use crate::choice::Choice;
use crate::columns::unique_names;
use crate::composed::composed;
use crate::content::Content;
use crate::csv::dialect::Dialect;
use crate::csv::numbers;
use crate::csv::strict::{Records, next_record};
use crate::csv::titles::{self, Titles};
use crate::csv::window::is_line_end;
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::spec::CsvFormat;

/// Bytes that are looked at first.
const HEAD_BYTES: usize = 64 << 10;
/// Bytes that tell the encoding, where the first of them are ASCII.
const ENCODING_BYTES: usize = 1 << 20;
/// Bytes that titles and header may take.
const HEAD_BYTES_MAX: usize = 4 << 20;

/// What a part's beginning tells.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) names: Vec<String>,
    /// The header's rows as they are written; none where there is no header.
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) dialect: Dialect,
    pub(crate) encoding: TextEncoding,
    /// Bytes of the text before the first data record.
    pub(crate) data_start: usize,
    /// Lines before the header that were found to be titles.
    pub(crate) title_lines: Option<usize>,
    pub(crate) choices: Vec<Choice>,
}

/// Reads as much of the part as it takes.
pub(crate) async fn read(content: &Content, format: &CsvFormat) -> Result<Header, FormatError> {
    let name = &content.name;
    check_rows(name, format)?;
    let mut bytes = HEAD_BYTES;
    loop {
        let head = content.head(bytes).await?;
        let is_whole = head.len() < bytes;
        let (encoding, choice) =
            encoding(content, format.encoding.as_deref(), &head, is_whole).await?;
        let text = encoding.head(&head);
        if is_whole && text.is_empty() {
            return Err(FormatError::Empty { name: name.clone() });
        }
        let beginning = Beginning {
            name,
            format,
            encoding,
            text: &text,
            is_whole,
        };
        if let Some(mut header) = beginning.header()? {
            header.choices.splice(0..0, choice);
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

/// The encoding. Where the beginning is ASCII, which most encodings have alike, more of the part is looked at.
pub(crate) async fn encoding(
    content: &Content,
    label: Option<&str>,
    head: &Bytes,
    is_whole: bool,
) -> Result<(TextEncoding, Option<Choice>), FormatError> {
    if label.is_none() && !is_whole && head.is_ascii() {
        let more = content.head(ENCODING_BYTES).await?;
        let is_whole = more.len() < ENCODING_BYTES;
        return TextEncoding::detect(&content.name, label, &more, is_whole);
    }
    TextEncoding::detect(&content.name, label, head, is_whole)
}

fn check_rows(name: &str, format: &CsvFormat) -> Result<(), FormatError> {
    let error = |reason: &str| FormatError::Option {
        name: name.to_owned(),
        option: "header_rows",
        reason: reason.to_owned(),
    };
    let rows = format.header_rows.as_deref().unwrap_or_default();
    if rows.first() == Some(&0) || !rows.is_sorted_by(|left, right| left < right) {
        return Err(error(
            "lines count from 1, and each is named once, in order",
        ));
    }
    let skipped = format.skip_rows.unwrap_or_default();
    if rows.first().is_some_and(|first| *first <= skipped) {
        return Err(error(
            "the header stands in a line that `skip_rows` leaves out",
        ));
    }
    Ok(())
}

/// A part's first bytes, as text.
struct Beginning<'a> {
    name: &'a str,
    format: &'a CsvFormat,
    encoding: TextEncoding,
    text: &'a Bytes,
    /// Whether that is all there is.
    is_whole: bool,
}

/// Where the header's lines start, and whether titles were found above it.
struct Lines {
    starts: Vec<usize>,
    titles: Option<Titles>,
}

impl Beginning<'_> {
    /// None: more text is needed.
    fn header(&self) -> Result<Option<Header>, FormatError> {
        let Some(lines) = self.lines()? else {
            return Ok(None);
        };
        let last = lines.starts.last().copied().unwrap_or_default();
        let (mut dialect, guess) = Dialect::find(self.name, self.format, &self.text[last..])?;
        let mut why = guess.why;
        if let Some(titles) = lines.titles
            && dialect.delimiter != titles.delimiter
        {
            dialect.delimiter = titles.delimiter;
            why = titles.divides();
        }
        let mut rows = Vec::with_capacity(lines.starts.len());
        let mut data_start = 0;
        for start in lines.starts {
            let mut records = Records::new(dialect);
            let Some(range) = records.next(&self.text[start..]) else {
                return Ok(None);
            };
            data_start = start + range.end;
            if data_start == self.text.len() && !self.is_whole {
                return Ok(None);
            }
            rows.push(self.cells(&records, start)?);
        }
        let mut choices = Vec::new();
        let title_lines = lines.titles.map(|titles| {
            let lines = count_lines(&self.text[..titles.start]);
            let why = titles.why(lines);
            choices.push(Choice::new(Choice::SKIP_ROWS, lines.to_string(), why));
            lines
        });
        if self.format.delimiter.is_none() {
            let delimiter = char::from(dialect.delimiter).to_string();
            choices.push(Choice::new(Choice::DELIMITER, delimiter, why));
        }
        choices.extend(numbers::marks(&self.text[data_start..], dialect));
        let names = if self.format.header_rows.as_deref() == Some(&[]) {
            data_start = last;
            std::mem::take(&mut rows)
                .first()
                .map(|row| vec![String::new(); row.len()])
                .unwrap_or_default()
        } else {
            join_rows(&filled(&rows))
        };
        Ok(Some(Header {
            names: unique_names(self.name, names)?,
            rows,
            dialect,
            encoding: self.encoding,
            data_start,
            title_lines,
            choices,
        }))
    }

    /// None: more text is needed.
    fn lines(&self) -> Result<Option<Lines>, FormatError> {
        match self.format.header_rows.as_deref() {
            None | Some([]) => self.first_line(),
            Some(rows) => self.declared_lines(rows),
        }
    }

    fn first_line(&self) -> Result<Option<Lines>, FormatError> {
        let comment = Dialect::comment(self.name, self.format.comment)?;
        let skipped = self.format.skip_rows.unwrap_or_default();
        let Some(after) = line_start(self.text, skipped + 1) else {
            return self.missing(format!("it ends within the first {skipped} lines"));
        };
        let Some(start) = next_record(&self.text[after..], comment) else {
            return self.missing("all its lines are empty".to_owned());
        };
        let start = after + start;
        let titles = self.titles(start)?;
        Ok(Some(Lines {
            starts: vec![titles.map_or(start, |titles| titles.start)],
            titles,
        }))
    }

    /// Titles above the header, where nothing says how many there are.
    fn titles(&self, start: usize) -> Result<Option<Titles>, FormatError> {
        if self.format.skip_rows.is_some() || self.format.header_rows.is_some() {
            return Ok(None);
        }
        let (dialect, guess) = Dialect::find(self.name, self.format, &self.text[start..])?;
        if guess.is_even {
            return Ok(None);
        }
        let is_declared = self.format.delimiter.is_some();
        let found = titles::find(&self.text[start..], self.is_whole, dialect, is_declared);
        Ok(found.map(|mut titles| {
            titles.start += start;
            titles
        }))
    }

    fn declared_lines(&self, rows: &[usize]) -> Result<Option<Lines>, FormatError> {
        let mut starts = Vec::with_capacity(rows.len());
        for &row in rows {
            match line_start(self.text, row) {
                Some(start) if self.text.get(start).is_some_and(|byte| !is_line_end(*byte)) => {
                    starts.push(start)
                }
                Some(start) if start < self.text.len() => {
                    return Err(self.no_header(format!("line {row} is empty")));
                }
                _ => return self.missing(format!("it ends before line {row}")),
            }
        }
        Ok(Some(Lines {
            starts,
            titles: None,
        }))
    }

    /// What is looked for is not in this text: it may come later.
    fn missing(&self, reason: String) -> Result<Option<Lines>, FormatError> {
        match self.is_whole {
            true => Err(self.no_header(reason)),
            false => Ok(None),
        }
    }

    fn no_header(&self, reason: String) -> FormatError {
        FormatError::NoHeader {
            name: self.name.to_owned(),
            reason,
        }
    }

    fn cells(&self, records: &Records, start: usize) -> Result<Vec<String>, FormatError> {
        let mut before = 0;
        let mut cells = Vec::with_capacity(records.len());
        for field in records.fields() {
            if field.contains(&0) {
                let reason =
                    "its line holds a NUL byte; if the file is UTF-16, declare `encoding: utf-16le`"
                        .to_owned();
                return Err(self.no_header(reason));
            }
            let cell = std::str::from_utf8(field).map_err(|error| FormatError::HeaderEncoding {
                name: self.name.to_owned(),
                encoding: self.encoding.name().to_owned(),
                byte: (start + before + error.valid_up_to()) as u64,
            })?;
            before += field.len() + 1;
            cells.push(cell.to_owned());
        }
        Ok(cells)
    }
}

/// Lines that end in the text; CR and LF together end one.
fn count_lines(text: &[u8]) -> usize {
    let ends = |(at, byte): &(usize, &u8)| match byte {
        b'\n' => *at == 0 || text[at - 1] != b'\r',
        byte => **byte == b'\r',
    };
    text.iter().enumerate().filter(ends).count()
}

/// The rows above the last, a banner over several columns standing in each of them.
fn filled(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut filled = rows.to_vec();
    let above = filled.len().saturating_sub(1);
    for row in &mut filled[..above] {
        let mut banner = String::new();
        for cell in row {
            match cell.trim().is_empty() {
                true => cell.clone_from(&banner),
                false => banner.clone_from(cell),
            }
        }
    }
    filled
}

/// Where a line starts, lines counted from 1 whatever they hold.
pub(crate) fn line_start(text: &[u8], line: usize) -> Option<usize> {
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

/// A blank, or a byte order mark that was left where files were joined.
fn is_unseen(letter: char) -> bool {
    letter.is_whitespace() || letter == '\u{feff}'
}

/// Several header rows, one above the other: what stands in a column, joined with spaces. Blanks at the ends and letters in pieces are
/// not seen by whoever writes a name into a mapping.
fn join_rows(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    (0..columns)
        .map(|column| {
            let cells: Vec<&str> = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.trim_matches(is_unseen))
                .filter(|cell| !cell.is_empty())
                .collect();
            composed(&cells.join(" ")).into_owned()
        })
        .collect()
}
