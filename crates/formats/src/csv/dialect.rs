//! What stands between and around fields.

use crate::csv::strict::Records;
use crate::error::FormatError;
use crate::spec::{CsvFormat, Quote};

/// Delimiters that are tried where none is declared; earlier ones win.
pub(super) const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records that a delimiter is guessed from.
const SAMPLE_RECORDS: usize = 32;

/// The characters that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// None: quotes are text.
    pub(crate) quote: Option<u8>,
    /// A line that begins with it is no record.
    pub(crate) comment: Option<u8>,
}

impl Dialect {
    /// Of lines that are not divided.
    pub(crate) fn lines(comment: Option<u8>) -> Self {
        Self {
            delimiter: 0,
            quote: None,
            comment,
        }
    }

    /// As declared, else guessed from a `sample` that starts with the header; and why the delimiter is what it is.
    pub(crate) fn find(
        name: &str,
        format: &CsvFormat,
        sample: &[u8],
    ) -> Result<(Self, String), FormatError> {
        let quote = match format.quote {
            Some(Quote::Char(quote)) => Some(single_byte(name, "quote", quote)?),
            Some(Quote::None) => None,
            None => Some(b'"'),
        };
        let comment = Self::comment(name, format.comment)?;
        let (delimiter, why) = match format.delimiter {
            Some(delimiter) => (
                single_byte(name, "delimiter", delimiter)?,
                "it is declared".to_owned(),
            ),
            None => guess(sample, quote, comment),
        };
        if Some(delimiter) == quote {
            return Err(option(
                name,
                "delimiter",
                "delimiter and quote are the same character",
            ));
        }
        let dialect = Self {
            delimiter,
            quote,
            comment,
        };
        Ok((dialect, why))
    }

    /// The character that lines begin with that are no records.
    pub(crate) fn comment(name: &str, comment: Option<char>) -> Result<Option<u8>, FormatError> {
        comment
            .map(|comment| single_byte(name, "comment", comment))
            .transpose()
    }

    /// Whether a quote stands anywhere in the text.
    pub(crate) fn is_quoted(&self, text: &[u8]) -> bool {
        self.quote
            .is_some_and(|quote| memchr::memchr(quote, text).is_some())
    }
}

fn single_byte(name: &str, key: &'static str, character: char) -> Result<u8, FormatError> {
    match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(byte),
        _ => Err(option(
            name,
            key,
            "only a single ASCII character, no line end, can be used",
        )),
    }
}

fn option(name: &str, option: &'static str, reason: &str) -> FormatError {
    FormatError::Option {
        name: name.to_owned(),
        option,
        reason: reason.to_owned(),
    }
}

/// The delimiter that divides most of the first records as it divides the header; a comma where none divides anything.
fn guess(sample: &[u8], quote: Option<u8>, comment: Option<u8>) -> (u8, String) {
    let mut best = (0, 0, b',');
    let mut why = "no other of the usual ones divides the header".to_owned();
    for delimiter in CANDIDATES {
        let mut records = Records::new(Dialect {
            delimiter,
            quote,
            comment,
        });
        let mut lengths = Vec::new();
        let mut rest = sample;
        while lengths.len() < SAMPLE_RECORDS
            && let Some(record) = records.next(rest)
        {
            // The last record of a sample may be cut off.
            if record.end < rest.len() || lengths.len() < 2 {
                lengths.push(records.len());
            }
            rest = &rest[record.end..];
        }
        let Some(&header) = lengths.first().filter(|header| **header > 1) else {
            continue;
        };
        let alike = lengths.iter().filter(|length| **length == header).count();
        let share = alike * 100 / lengths.len();
        if (share, header) > (best.0, best.1) {
            best = (share, header, delimiter);
            why = format!(
                "it divides {alike} of the first {} records into {header} fields",
                lengths.len()
            );
        }
    }
    (best.2, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sample: &str, expected: char) {
        assert_eq!(
            char::from(guess(sample.as_bytes(), Some(b'"'), None).0),
            expected,
            "{sample}"
        );
    }

    #[test]
    fn delimiters_are_told_by_content() {
        check("a,b\n1,2\n", ',');
        check("a;b;c\n1,5;2;3\n1,5;2,2;3\n", ';');
        check("name, full\tcode\nx\t1\ny\t2\n", '\t');
        check("a|b\n1|2\n", '|');
        check("\"a;b\",c\n\"1;2;3\",4\n", ',');
        check("only\n1\n2\n", ',');
        check("", ',');
        check("a;b", ';');
    }
}
