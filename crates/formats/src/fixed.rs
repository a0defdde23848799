//! Text whose fields stand at fixed places of each line, counted in characters.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;

use crate::blocks::streams;
use crate::choice::Choice;
use crate::columns::unique_names;
use crate::content::Content;
use crate::csv::{
    self, Batch, Cutter, Dialect, Footed, Footer, Piece, Place, ReadPieces, is_line_end,
    line_start, next_record,
};
use crate::decoded::BrokenRecord;
use crate::encoding::{TextEncoding, skip};
use crate::error::FormatError;
use crate::part::{Source, Streams};
use crate::spec::{FixedFormat, FormatSpec};

/// Bytes that are looked at first.
const HEAD_BYTES: usize = 64 << 10;
/// Bytes that titles may take.
const HEAD_BYTES_MAX: usize = 4 << 20;

/// A part of fixed-width text.
#[derive(Debug)]
pub(crate) struct Fixed {
    content: Content,
    format: FixedFormat,
    encoding: TextEncoding,
    dialect: Dialect,
    footer: Footer,
    /// Bytes of the text before the first line of data.
    data_start: usize,
    choices: Vec<Choice>,
    schema: SchemaRef,
}

pub(crate) async fn open(content: Content, format: &FixedFormat) -> Result<Fixed, FormatError> {
    let name = &content.name;
    let footer = Footer::new(name, format.footer.as_deref(), format.skip_footer)?;
    let dialect = Dialect::lines(Dialect::comment(name, format.comment)?);
    let schema = schema(name, format)?;
    let skipped = format.skip_rows.unwrap_or_default();
    let mut bytes = HEAD_BYTES;
    loop {
        let head = content.head(bytes).await?;
        let is_whole = head.len() < bytes;
        let label = format.encoding.as_deref();
        let (encoding, choice) = csv::encoding(&content, label, &head, is_whole).await?;
        if let Some(data_start) = line_start(&encoding.head(&head), skipped + 1) {
            return Ok(Fixed {
                format: format.clone(),
                encoding,
                dialect,
                footer,
                data_start,
                choices: choice.into_iter().collect(),
                schema,
                content,
            });
        }
        if is_whole || bytes >= HEAD_BYTES_MAX {
            return Err(FormatError::NoHeader {
                name: content.name,
                reason: format!("it ends within the first {skipped} lines"),
            });
        }
        bytes *= 4;
    }
}

fn schema(name: &str, format: &FixedFormat) -> Result<SchemaRef, FormatError> {
    let error = |reason: String| FormatError::Option {
        name: name.to_owned(),
        option: "columns",
        reason,
    };
    if format.columns.is_empty() {
        let reason = "name them: `columns: [{ name: station, start: 1, width: 5 }]`";
        return Err(error(reason.to_owned()));
    }
    for (number, column) in (1..).zip(&format.columns) {
        let label = &column.name;
        if column.start == 0 || column.width == 0 {
            let reason =
                format!("column `{label}`: characters count from 1, and there is one at least");
            return Err(error(reason));
        }
        if format.columns[..number - 1]
            .iter()
            .any(|other| other.name == *label)
        {
            return Err(error(format!("column `{label}` is named twice")));
        }
    }
    let names = format.columns.iter().map(|column| column.name.clone());
    let fields: Vec<_> = unique_names(name, names)?
        .iter()
        .map(|name| Field::new(name, DataType::Utf8View, false))
        .collect();
    Ok(Arc::new(Schema::new(fields)))
}

impl Source for Fixed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn choices(&self) -> &[Choice] {
        &self.choices
    }

    fn detected(&self, _declared: &FormatSpec) -> FormatSpec {
        let encoding = self.encoding.name().to_lowercase();
        FormatSpec::Fixed(FixedFormat {
            encoding: self.format.encoding.clone().or(Some(encoding)),
            ..self.format.clone()
        })
    }

    fn composes(&self) -> bool {
        true
    }

    fn partitions(&self) -> usize {
        self.content.options.partitions()
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let chunks = self.content.chunks(self.content.block_bytes());
        let data = skip(
            self.encoding.text(chunks, self.partitions()),
            self.data_start,
        );
        let options = &self.content.options;
        let place = Place::new(self.encoding, self.data_start);
        let cutter = Cutter::new(self.dialect, options.record_bytes_max, place);
        let cutter = Footed::new(cutter, self.dialect, self.footer.clone());
        let wanted = projection
            .iter()
            .filter_map(|&index| self.format.columns.get(index));
        let decoder = Decoder {
            name: self.content.name.clone(),
            comment: self.dialect.comment,
            columns: wanted
                .map(|column| {
                    (
                        column.start - 1,
                        (column.start - 1).saturating_add(column.width),
                    )
                })
                .collect(),
            schema: Arc::new(
                self.schema
                    .project(projection)
                    .unwrap_or_else(|_| Schema::empty()),
            ),
            batch_rows: options.batch_rows(),
            record_bytes_max: options.record_bytes_max,
            place,
        };
        streams(data, cutter, decoder, self.partitions())
    }
}

/// What all blocks of one reading have in common.
#[derive(Debug)]
struct Decoder {
    name: String,
    comment: Option<u8>,
    /// Of the wanted columns: the first character, from 0, and one past the last.
    columns: Vec<(usize, usize)>,
    schema: SchemaRef,
    batch_rows: usize,
    record_bytes_max: usize,
    place: Place,
}

impl ReadPieces for Decoder {
    type Reading = Reading;

    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn batch_rows(&self) -> usize {
        self.batch_rows
    }

    fn begin(&self, piece: Piece) -> Reading {
        let row = piece.row;
        Reading { piece, at: 0, row }
    }

    fn read(&self, reading: &mut Reading, batch: &mut Batch) -> bool {
        !reading.read(self, batch)
    }

    fn bytes(reading: &Reading) -> &Bytes {
        &reading.piece.bytes
    }
}

/// A piece, where its next line starts, and that line's number.
struct Reading {
    piece: Piece,
    at: usize,
    row: i64,
}

impl Reading {
    /// Reads one line; false where there is no more.
    fn read(&mut self, decoder: &Decoder, batch: &mut Batch) -> bool {
        let bytes = &self.piece.bytes;
        let Some(before) = next_record(&bytes[self.at..], decoder.comment) else {
            return false;
        };
        let start = self.at + before;
        let end = bytes[start..]
            .iter()
            .position(|byte| is_line_end(*byte))
            .map_or(bytes.len(), |length| start + length);
        match text(&bytes[start..end], decoder) {
            Ok(line) => {
                let buffer = batch.buffers.len() as u32;
                let mut places = Places::of(line);
                for (column, &(first, last)) in batch.columns.iter_mut().zip(&decoder.columns) {
                    let from = places.byte(first);
                    let value = &line[from..places.byte(last)];
                    let from = start + from + value.len() - value.trim_start().len();
                    column.push(bytes, from, from + value.trim().len(), buffer);
                }
                batch.rows.push(self.row);
            }
            Err(reason) => batch.broken.push(BrokenRecord::new(
                self.row,
                decoder.place.byte(self.piece.byte + start as u64),
                reason,
                &bytes[start..end],
            )),
        }
        self.row += 1;
        self.at = end;
        true
    }
}

/// The line, or what is wrong with it.
fn text<'a>(line: &'a [u8], decoder: &Decoder) -> Result<&'a str, String> {
    if line.len() > decoder.record_bytes_max {
        return Err(format!(
            "the record is longer than {} bytes",
            decoder.record_bytes_max
        ));
    }
    if memchr::memchr(0, line).is_some() {
        return Err("it holds a NUL byte".to_owned());
    }
    simdutf8::compat::from_utf8(line).map_err(|error| decoder.place.invalid(error.valid_up_to()))
}

/// Where the characters of a line start. Columns mostly follow each other, so the search goes on where it ended.
struct Places<'a> {
    line: &'a str,
    is_ascii: bool,
    /// A character, and its byte.
    known: (usize, usize),
}

impl<'a> Places<'a> {
    fn of(line: &'a str) -> Self {
        Self {
            line,
            is_ascii: line.is_ascii(),
            known: (0, 0),
        }
    }

    /// The byte of a character; the line's end where it is shorter.
    fn byte(&mut self, character: usize) -> usize {
        if self.is_ascii {
            return character.min(self.line.len());
        }
        if character < self.known.0 {
            self.known = (0, 0);
        }
        let (from, start) = self.known;
        let mut rest = self.line[start..].char_indices();
        let byte = rest
            .nth(character - from)
            .map_or(self.line.len(), |(byte, _)| start + byte);
        if byte < self.line.len() {
            self.known = (character, byte);
        }
        byte
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use crate::ReadOptions;
    use crate::testing::{options, read_bytes};

    const COLUMNS: &str = r#""columns": [{"name": "code", "start": 1, "width": 3}, {"name": "tên", "start": 5, "width": 6}, {"name": "first", "start": 1, "width": 1}]"#;

    fn format(more: &str) -> String {
        format!(r#"{{"name": "fixed", {COLUMNS}{more}}}"#)
    }

    #[test]
    fn fields_by_character() {
        let text = "# made up\nTITLE\n\n001 Cầu Rào 9\n02  Đò\n# no record\n3\n004 \u{1F600}bcdefg\n\nTotal 4\n";
        let format = format(r##", "skip_rows": 2, "comment": "#", "footer": "^Total""##);
        for block in [1, 5, 9, 1000] {
            let all = read_bytes(text.as_bytes(), &format, &options(block, 2, 2)).unwrap();
            assert_eq!(all.columns, ["code", "tên", "first"]);
            let expected = [
                ["001", "Cầu Rà", "0"],
                ["02", "Đò", "0"],
                ["3", "", "3"],
                ["004", "\u{1F600}bcdef", "0"],
            ];
            assert_eq!(all.texts(), expected);
            assert_eq!(all.broken, []);
        }
    }

    #[test]
    fn broken_lines_lose_only_themselves() {
        let text = b"001 \xE9t\xE9\n002 b\n003\0\n";
        let format = format(r#", "encoding": "utf-8", "skip_footer": 0"#);
        let all = read_bytes(text, &format, &ReadOptions::default()).unwrap();
        assert_eq!(all.rows.keys().collect::<Vec<_>>(), [&2]);
        assert_eq!(all.broken[0].byte, Some(0));
        assert_eq!(all.reasons()[1], (3, "it holds a NUL byte"));
        let legacy = format.replace("utf-8", "tcvn3");
        let all = read_bytes(b"001 C\xB6u\r002", &legacy, &ReadOptions::default()).unwrap();
        assert_eq!(all.column("tên"), ["Cảu", ""]);
    }

    #[test]
    fn columns_that_cannot_be() {
        let bounds = ReadOptions::default();
        for format in [
            r#""fixed""#,
            r#"{"name": "fixed", "columns": [{"name": "a", "start": 0, "width": 1}]}"#,
            r#"{"name": "fixed", "columns": [{"name": "a", "start": 1, "width": 1}, {"name": "a", "start": 2, "width": 1}]}"#,
            r#"{"name": "fixed", "skip_rows": 2, "columns": [{"name": "a", "start": 1, "width": 1}]}"#,
        ] {
            read_bytes(b"abc\n", format, &bounds).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn fields_come_back(rows in prop::collection::vec(("[a-zé語]{0,3}", "[a-z Đ]{0,6}"), 1..30), block in 1_u64..60) {
            let lines = rows.iter().map(|(code, name)| format!("{code}{}|{name}{}|\n", " ".repeat(3 - code.chars().count()), " ".repeat(6 - name.chars().count())));
            let text: String = lines.collect();
            let all = read_bytes(text.as_bytes(), &format(""), &options(block, 2, 4)).unwrap();
            prop_assert_eq!(all.rows.len(), rows.len());
            for (found, (code, name)) in all.texts().iter().zip(&rows) {
                prop_assert_eq!(found[0], code.trim());
                prop_assert_eq!(found[1], name.trim());
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 1..300), block in 1_u64..60) {
            drop(read_bytes(&bytes, &format(""), &options(block, 2, 4)));
            drop(read_bytes(&bytes, &format(r#", "encoding": "vni", "skip_footer": 2, "footer": "a", "comment": "b""#), &options(block, 2, 4)));
        }
    }
}
