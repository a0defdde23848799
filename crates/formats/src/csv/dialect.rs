//! What stands between and around fields.

use crate::csv::strict::Records;
use crate::error::FormatError;
use crate::spec::CsvFormat;

/// Delimiters that are tried where none is declared; earlier ones win.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records that a delimiter is guessed from.
const SAMPLE_RECORDS: usize = 32;

/// The two characters that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
}

impl Dialect {
    /// As declared, else guessed from a `sample` that starts with the header.
    pub(crate) fn find(name: &str, format: &CsvFormat, sample: &[u8]) -> Result<Self, FormatError> {
        let quote = match format.quote {
            Some(quote) => single_byte(name, "quote", quote)?,
            None => b'"',
        };
        let delimiter = match format.delimiter {
            Some(delimiter) => single_byte(name, "delimiter", delimiter)?,
            None => guess(sample, quote),
        };
        if delimiter == quote {
            return Err(option(
                name,
                "delimiter",
                "delimiter and quote are the same character",
            ));
        }
        Ok(Self { delimiter, quote })
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
fn guess(sample: &[u8], quote: u8) -> u8 {
    let mut best = (0, 0, b',');
    for delimiter in CANDIDATES {
        let mut records = Records::new(Dialect { delimiter, quote });
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
        let alike =
            lengths.iter().filter(|length| **length == header).count() * 100 / lengths.len();
        if (alike, header) > (best.0, best.1) {
            best = (alike, header, delimiter);
        }
    }
    best.2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sample: &str, expected: char) {
        assert_eq!(guess(sample.as_bytes(), b'"') as char, expected, "{sample}");
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
