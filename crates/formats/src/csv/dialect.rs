//! What stands between and around fields.

use crate::csv::delimiter::{Guess, guess};
use crate::error::FormatError;
use crate::spec::{CsvFormat, Quote};

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

    /// As declared, else guessed from a `sample` that starts with the header; and how sure the delimiter is.
    pub(super) fn find(
        name: &str,
        format: &CsvFormat,
        sample: &[u8],
    ) -> Result<(Self, Guess), FormatError> {
        let quote = match format.quote {
            Some(Quote::Char(quote)) => Some(single_byte(name, "quote", quote)?),
            Some(Quote::None) => None,
            None => Some(b'"'),
        };
        let comment = Self::comment(name, format.comment)?;
        let guessed = match format.delimiter {
            Some(delimiter) => Guess {
                delimiter: single_byte(name, "delimiter", delimiter)?,
                why: "it is declared".to_owned(),
                is_even: false,
            },
            None => guess(sample, quote, comment),
        };
        let delimiter = guessed.delimiter;
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
        Ok((dialect, guessed))
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
