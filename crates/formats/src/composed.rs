//! Letters that come in pieces, put together: text with combining marks becomes NFC, so that it equals the same text typed on a keyboard.
//!
//! Some systems write `ê` and a mark above it where others write `ế` (Unicode Standard Annex 15). Only values with a mark of the block
//! "Combining Diacritical Marks" are looked at; the part's own bytes stay as they are.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray, StringViewArray,
};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use unicode_normalization::UnicodeNormalization;

/// Whether UTF-8 may hold a combining mark (U+0300 to U+036F): the first bytes of their encodings begin few other letters.
pub(crate) fn has_marks(utf8: &[u8]) -> bool {
    memchr::memchr2(0xCC, 0xCD, utf8).is_some()
}

/// The text in NFC where it holds combining marks.
pub(crate) fn composed(text: &str) -> Cow<'_, str> {
    match has_marks(text.as_bytes()) {
        true => Cow::Owned(text.nfc().collect()),
        false => Cow::Borrowed(text),
    }
}

/// The batch with its texts composed.
pub(crate) fn batch(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    changed(batch, has_marks, composed)
}

/// The batch with its texts changed, of those columns that hold a text which needs it.
pub(crate) fn changed(
    batch: RecordBatch,
    needs: impl Fn(&[u8]) -> bool,
    change: impl Fn(&str) -> Cow<'_, str>,
) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter();
    let changed: Vec<Option<ArrayRef>> = columns
        .map(|array| column(array, &needs, &change))
        .collect();
    if changed.iter().all(Option::is_none) {
        return Ok(batch);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = changed
        .into_iter()
        .zip(batch.columns())
        .map(|(changed, old)| changed.unwrap_or_else(|| Arc::clone(old)))
        .collect();
    RecordBatch::try_new_with_options(batch.schema(), columns, &options)
}

/// The column changed; none where nothing needs it.
fn column(
    array: &ArrayRef,
    needs: &impl Fn(&[u8]) -> bool,
    change: &impl Fn(&str) -> Cow<'_, str>,
) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::Utf8View => {
            let texts = array.as_string_view();
            let is_needed = texts.iter().flatten().any(|text| needs(text.as_bytes()));
            let all = || texts.iter().map(|text| text.map(change));
            is_needed.then(|| Arc::new(all().collect::<StringViewArray>()) as ArrayRef)
        }
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            let is_needed = needs(texts.value_data());
            let all = || texts.iter().map(|text| text.map(change));
            is_needed.then(|| Arc::new(all().collect::<StringArray>()) as ArrayRef)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::testing::{All, options, read_bytes};
    use crate::{BrokenRecord, ReadOptions};

    const LETTERS: &str = "Hải Phòng, Đặng Xá, ở đâu ẫy ựợ";

    fn apart(text: &str) -> String {
        text.nfd().collect()
    }

    fn read(text: &str, format: &str) -> All {
        let whole = read_bytes(apart(text).as_bytes(), format, &ReadOptions::default()).unwrap();
        let small = read_bytes(apart(text).as_bytes(), format, &options(64, 2, 2)).unwrap();
        assert_eq!(small, whole);
        assert_eq!(
            whole,
            read_bytes(text.as_bytes(), format, &ReadOptions::default()).unwrap()
        );
        whole
    }

    #[test]
    fn every_text_format_composes() {
        let rows = format!("\"{LETTERS}\",1\n").repeat(20);
        let all = read(&format!("Tên,Số\n{rows}"), r#""csv""#);
        assert_eq!(
            (all.columns[0].as_str(), all.texts()[19][0]),
            ("Tên", LETTERS)
        );
        let all = read(&format!("[{{\"ten\": \"{LETTERS}\"}}]"), r#""json""#);
        assert_eq!(all.column("ten"), [LETTERS]);
        let all = read(
            &format!("<a><b><ten>{LETTERS}</ten></b><b><ten>x</ten></b></a>"),
            r#""xml""#,
        );
        assert_eq!(all.column("ten"), [LETTERS, "x"]);
        let all = read(
            &format!(
                "<table><tr><th>Tên</th><th>Số</th></tr><tr><td>{LETTERS}</td><td>1</td></tr></table>"
            ),
            r#""html""#,
        );
        assert_eq!(
            (all.columns[0].as_str(), all.texts()[0][0]),
            ("Tên", LETTERS)
        );
    }

    #[test]
    fn what_has_no_composed_letter_and_what_is_broken_stay() {
        assert_eq!(composed("x\u{302}\u{300}"), "x\u{302}\u{300}");
        assert!(matches!(composed(LETTERS), Cow::Borrowed(_)));
        let text = format!("a,b\n1,2\n{}\n", apart("ế,1,2"));
        let all = read_bytes(text.as_bytes(), r#""csv""#, &ReadOptions::default()).unwrap();
        let raw = |record: &BrokenRecord| record.raw.clone();
        assert_eq!(
            all.broken.iter().map(raw).collect::<Vec<_>>(),
            [apart("ế,1,2")]
        );
    }
}
