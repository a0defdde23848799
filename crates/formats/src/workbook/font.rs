//! Cells typed in fonts that show Latin letters as Vietnamese ones (`.VnTime`, `VNI-Times`): the workbook holds the Latin letters.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use bytes::Bytes;
use encoding_rs::WINDOWS_1252;

use crate::composed;
use crate::encoding::TextEncoding;
use crate::error::FormatError;

/// The encoding that such a font stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Font(TextEncoding);

impl Font {
    pub(crate) fn declared(name: &str, label: Option<&str>) -> Result<Option<Self>, FormatError> {
        let Some(label) = label else { return Ok(None) };
        let encoding = TextEncoding::find(name, Some(label), &[])?;
        match encoding.is_of_fonts() {
            true => Ok(Some(Self(encoding))),
            false => Err(FormatError::Option {
                name: name.to_owned(),
                option: "encoding",
                reason: format!(
                    "cells are Unicode already: only those typed in fonts of `tcvn3`, `tcvn-5712` or `vni` need it, not `{label}`"
                ),
            }),
        }
    }

    /// What the font shows. A text with letters that no such font has, Vietnamese ones in Unicode for instance, stays.
    pub(crate) fn shown<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let (bytes, _, has_others) = WINDOWS_1252.encode(text);
        if has_others {
            return Cow::Borrowed(text);
        }
        let shown = self.0.head(&Bytes::from(bytes.into_owned()));
        match std::str::from_utf8(&shown) {
            Ok(shown) => Cow::Owned(shown.to_owned()),
            Err(_) => Cow::Borrowed(text),
        }
    }

    /// The batch as the font shows it.
    pub(crate) fn batch(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        composed::changed(batch, |bytes| !bytes.is_ascii(), |text| self.shown(text))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn letters_as_the_font_shows_them() {
        let shown = |label: &str, text: &str| {
            let font = Font::declared("a.xls", Some(label)).unwrap().unwrap();
            font.shown(text).into_owned()
        };
        assert_eq!(shown("tcvn3", "Tr\u{AD}êng TiÓu häc"), "Trường Tiểu học");
        assert_eq!(shown("vni", "Tröôøng Tieåu hoïc"), "Trường Tiểu học");
        assert_eq!(shown("tcvn3", "Trường 12"), "Trường 12");
        let error = Font::declared("a.xls", Some("windows-1252")).unwrap_err();
        assert!(error.to_string().contains("Unicode already"), "{error}");
        assert!(Font::declared("a.xls", None).unwrap().is_none());
    }
}
