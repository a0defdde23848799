//! Text encodings: by byte order mark, else as declared, else as the bytes tell. What is not UTF-8 is transcoded as it streams.
//!
//! UTF-16 and encodings of one byte per letter are divided between letters and transcoded side by side; the others (Big5, Shift_JIS
//! …) run in order. Text of windows-1258, TCVN3 and VNI is composed (NFC), because their letters come in pieces; other text stays as
//! it was published.

mod detect;
mod parallel;
mod syllables;
mod table;
mod utf16;
mod vietnamese;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use futures::StreamExt;
use futures::stream;

use crate::choice::Choice;
use crate::content::Chunks;
use crate::error::FormatError;
pub(crate) use detect::looks_like_utf16;
use table::{Letters, Table, composed_pairs};

/// Stands for bytes that the encoding does not have: it is no UTF-8 either, so the decoders see a broken record.
const MALFORMED: u8 = 0xFF;

/// How a part's bytes become UTF-8.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextEncoding {
    kind: Kind,
    /// Bytes of the byte order mark.
    mark_bytes: usize,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Utf8,
    Utf16 {
        big_endian: bool,
    },
    /// A byte per letter, or two that make one.
    Table {
        name: &'static str,
        table: &'static Table,
        /// For stretches that are in a font of capitals.
        capitals: Option<&'static Table>,
    },
    /// What only runs in order.
    Other(&'static Encoding),
}

/// The encodings that have a table, by name, made at the first use of one.
static TABLES: LazyLock<BTreeMap<&'static str, Table>> = LazyLock::new(|| {
    let latin = single(WINDOWS_1252);
    let own = [
        (TCVN3, vietnamese::tcvn3(&latin)),
        (TCVN3_CAPITALS, vietnamese::tcvn3_capitals(&latin)),
        (TCVN_5712, vietnamese::tcvn_5712()),
        (VNI, vietnamese::vni(&latin)),
    ];
    let standard = STANDARD.iter().map(|label| {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1252);
        let single = single(encoding);
        let pairs = match encoding.name() {
            "windows-1258" => composed_pairs(&single),
            _ => Vec::new(),
        };
        (encoding.name(), Letters { single, pairs })
    });
    own.into_iter()
        .chain(standard)
        .map(|(name, letters)| (name, Table::new(&letters)))
        .collect()
});

const TCVN3: &str = "TCVN3";
const TCVN3_CAPITALS: &str = "TCVN3-H";
const TCVN_5712: &str = "TCVN-5712";
const VNI: &str = "VNI";

/// What people call the encodings that no standard has: in small letters, without `_`, `-`, `.` and blanks.
pub(crate) const OWN_LABELS: &[(&str, &str)] = &[
    ("tcvn3", TCVN3),
    ("tcvn3abc", TCVN3),
    ("abc", TCVN3),
    ("vn3", TCVN3),
    ("tcvn57123", TCVN3),
    ("vntime", TCVN3),
    ("tcvn3h", TCVN3_CAPITALS),
    ("abch", TCVN3_CAPITALS),
    ("vntimeh", TCVN3_CAPITALS),
    ("tcvn", TCVN_5712),
    ("tcvn5712", TCVN_5712),
    ("tcvn57121", TCVN_5712),
    ("tcvn57121993", TCVN_5712),
    ("vn1", TCVN_5712),
    ("vni", VNI),
    ("vniwin", VNI),
    ("vniwindows", VNI),
    ("vnitimes", VNI),
];

/// The single-byte encodings of the WHATWG Encoding Standard.
pub(crate) const STANDARD: &[&str] = &[
    "ibm866",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-8-i",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "macintosh",
    "windows-874",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "x-mac-cyrillic",
];

/// The letter of each byte.
fn single(encoding: &'static Encoding) -> [Option<char>; 256] {
    std::array::from_fn(|byte| {
        let byte = [u8::try_from(byte).unwrap_or_default()];
        let text = encoding.decode_without_bom_handling_and_without_replacement(&byte)?;
        text.chars().next()
    })
}

impl Kind {
    /// None: there is no encoding of that name.
    fn for_label(label: &str) -> Option<Self> {
        let plain: String = label
            .chars()
            .filter(|letter| !matches!(letter, '_' | '-' | '.' | ' ' | ':'))
            .flat_map(char::to_lowercase)
            .collect();
        let own = OWN_LABELS.iter().find(|(known, _)| *known == plain);
        if let Some((_, name)) = own {
            return Self::with_table(name);
        }
        Encoding::for_label(label.as_bytes()).map(Self::standard)
    }

    fn standard(encoding: &'static Encoding) -> Self {
        if encoding == UTF_8 {
            Self::Utf8
        } else if encoding == UTF_16LE || encoding == UTF_16BE {
            Self::Utf16 {
                big_endian: encoding == UTF_16BE,
            }
        } else {
            Self::with_table(encoding.name()).unwrap_or(Self::Other(encoding))
        }
    }

    fn with_table(name: &str) -> Option<Self> {
        let (name, table) = TABLES.get_key_value(name)?;
        let capitals = match *name {
            TCVN3 => TABLES.get(TCVN3_CAPITALS),
            _ => None,
        };
        Some(Self::Table {
            name,
            table,
            capitals,
        })
    }
}

impl TextEncoding {
    /// By mark, else as declared, else UTF-8. A mark wins: people copy declarations, programs write marks.
    pub(crate) fn find(name: &str, label: Option<&str>, head: &[u8]) -> Result<Self, FormatError> {
        let declared = match label {
            Some(label) => Kind::for_label(label).ok_or_else(|| FormatError::UnknownEncoding {
                name: name.to_owned(),
                label: label.to_owned(),
            })?,
            None => Kind::Utf8,
        };
        let (kind, mark_bytes) = match Encoding::for_bom(head) {
            Some((encoding, mark_bytes)) => (Kind::standard(encoding), mark_bytes),
            None => (declared, 0),
        };
        Ok(Self { kind, mark_bytes })
    }

    /// [`TextEncoding::find`], and where nothing is declared the bytes themselves are asked. `head` is the part's beginning, all of it
    /// where `is_whole`. The choice is none where it is declared.
    pub(crate) fn detect(
        name: &str,
        label: Option<&str>,
        head: &[u8],
        is_whole: bool,
    ) -> Result<(Self, Option<Choice>), FormatError> {
        let marked = Self::find(name, label, head)?;
        let choice = |encoding: &Self, why: String| {
            Some(Choice::new(
                Choice::ENCODING,
                encoding.name().to_lowercase(),
                why,
            ))
        };
        if marked.mark_bytes > 0 {
            let choice = choice(&marked, "by its byte order mark".to_owned());
            return Ok((marked, choice));
        }
        if label.is_some() {
            return Ok((marked, None));
        }
        let (kind, why) = detect::detect(head, is_whole);
        let found = Self {
            kind,
            mark_bytes: 0,
        };
        Ok((found, choice(&found, why)))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Utf8 => UTF_8.name(),
            Kind::Utf16 { big_endian: true } => UTF_16BE.name(),
            Kind::Utf16 { big_endian: false } => UTF_16LE.name(),
            Kind::Table { name, .. } => name,
            Kind::Other(encoding) => encoding.name(),
        }
    }

    /// Whether the text is the part's bytes as they are.
    pub(crate) fn is_utf8(&self) -> bool {
        matches!(self.kind, Kind::Utf8)
    }

    /// Whether it is one of those of fonts, which show Latin letters as Vietnamese ones: no standard of the web has them.
    pub(crate) fn is_of_fonts(&self) -> bool {
        matches!(self.kind, Kind::Table { name, .. } if Encoding::for_label(name.as_bytes()).is_none())
    }

    /// The text of a part's first bytes.
    pub(crate) fn head(&self, head: &Bytes) -> Bytes {
        let head = head.slice(self.mark_bytes.min(head.len())..);
        match self.kind {
            Kind::Utf8 => head,
            Kind::Other(encoding) => {
                let mut decoder = encoding.new_decoder_without_bom_handling();
                transcode(&mut decoder, &head, false)
            }
            Kind::Utf16 { big_endian } => {
                parallel::text(self.kind, &head[..utf16::whole(&head, big_endian)])
            }
            Kind::Table { .. } => parallel::text(self.kind, &head),
        }
    }

    /// Where a byte of the text lies in the part; none where it was transcoded.
    pub(crate) fn byte_in_part(&self, byte_of_text: u64) -> Option<u64> {
        self.is_utf8()
            .then(|| byte_of_text + self.mark_bytes as u64)
    }

    /// The text of a part, without the mark. UTF-8 passes as it is, checked later. `side_by_side`: chunks in work at once. To be polled
    /// inside a Tokio runtime.
    pub(crate) fn text(&self, chunks: Chunks, side_by_side: usize) -> Chunks {
        let chunks = skip(chunks, self.mark_bytes);
        match self.kind {
            Kind::Utf8 => chunks,
            Kind::Other(encoding) => in_order(encoding, chunks),
            Kind::Utf16 { .. } | Kind::Table { .. } => {
                parallel::texts(self.kind, chunks, side_by_side)
            }
        }
    }
}

/// Leaves out the first bytes.
pub(crate) fn skip(chunks: Chunks, bytes: usize) -> Chunks {
    if bytes == 0 {
        return chunks;
    }
    chunks
        .scan(bytes, |left, chunk| {
            let rest = chunk.map(|mut chunk| {
                let gone = (*left).min(chunk.len());
                *left -= gone;
                chunk.split_off(gone)
            });
            std::future::ready(Some(rest))
        })
        .boxed()
}

fn in_order(encoding: &'static Encoding, chunks: Chunks) -> Chunks {
    let decoder = encoding.new_decoder_without_bom_handling();
    let ended = chunks.map(Some).chain(stream::iter([None]));
    ended
        .scan(decoder, |decoder, chunk| {
            let text = match chunk {
                Some(Ok(chunk)) => Ok(transcode(decoder, &chunk, false)),
                Some(Err(error)) => Err(error),
                None => Ok(transcode(decoder, &[], true)),
            };
            std::future::ready(Some(text))
        })
        .boxed()
}

fn transcode(decoder: &mut Decoder, mut source: &[u8], last: bool) -> Bytes {
    let mut text = vec![
        0;
        decoder
            .max_utf8_buffer_length_without_replacement(source.len())
            .unwrap_or(source.len() * 3)
            + 16
    ];
    let mut filled = 0;
    loop {
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(source, &mut text[filled..], last);
        source = &source[read..];
        filled += written;
        match result {
            DecoderResult::InputEmpty => break,
            DecoderResult::OutputFull => text.resize(text.len() * 2, 0),
            DecoderResult::Malformed(..) => {
                if filled == text.len() {
                    text.resize(text.len() * 2, 0);
                }
                text[filled] = MALFORMED;
                filled += 1;
            }
        }
    }
    text.truncate(filled);
    Bytes::from(text)
}
