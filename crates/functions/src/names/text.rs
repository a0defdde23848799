//! Text cleaned: without its marks, composed, without stray spaces.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::spelling::push_unaccented;
use crate::function::{Function, Kind};
use crate::row;

/// Characters without width that spreadsheets and web pages leave in text.
const INVISIBLE: [char; 6] = [
    '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}',
];

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let unaccent = Function::new(
        "vn_unaccent",
        &[Kind::Text],
        DataType::Utf8,
        vn_unaccent,
        "Text without diacritics: canonical decomposition, marks dropped, đ as d. Upper and lower case stay.",
        "vn_unaccent('Đường Hải Phòng') = 'Duong Hai Phong'",
    );
    let nfc = Function::new(
        "nfc",
        &[Kind::Text],
        DataType::Utf8,
        nfc,
        "Text in Unicode normalisation form C: letters and their marks composed where there is one character for them.",
        "nfc('Ha\u{309}i Pho\u{300}ng') = 'Hải Phòng'",
    );
    let clean = Function::new(
        "clean_text",
        &[Kind::Text],
        DataType::Utf8,
        clean_text,
        "Text composed (NFC), without invisible characters, with one plain space for each run of spaces, no-break spaces and line breaks, and none at its ends. Blank text is NULL.",
        "clean_text('  Lê\u{a0} Chân ') = 'Lê Chân'",
    );
    vec![unaccent.alias("unaccent").into(), nfc.into(), clean.into()]
}

fn nfc(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    row::texts(args, rows, |row| {
        let text = row.text(0);
        Ok(Some(if is_nfc(text) {
            text.to_owned()
        } else {
            text.nfc().collect()
        }))
    })
}

fn clean_text(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    row::texts(args, rows, |row| Ok(cleaned(row.text(0))))
}

/// `None` for blank text.
fn cleaned(text: &str) -> Option<String> {
    let visible: String = text.nfc().filter(|c| !INVISIBLE.contains(c)).collect();
    let words: Vec<&str> = visible
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn vn_unaccent(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let texts = args[0].as_string_view();
    let mut out = StringBuilder::with_capacity(rows, rows * 16);
    let mut plain = String::new();
    for text in texts {
        let Some(text) = text else {
            out.append_null();
            continue;
        };
        if text.is_ascii() {
            out.append_value(text);
            continue;
        }
        plain.clear();
        push_unaccented(text, &mut plain);
        out.append_value(&plain);
    }
    Ok(Arc::new(out.finish()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use arrow::array::{Array, StringViewArray};
    use proptest::prelude::*;

    fn unaccent(text: &str) -> String {
        let array: ArrayRef = Arc::new(StringViewArray::from(vec![Some(text), None]));
        let out = vn_unaccent(&[array], 2).unwrap();
        assert!(out.is_null(1));
        out.as_string::<i32>().value(0).to_owned()
    }

    #[test]
    fn composed_and_decomposed_text_unaccent_alike() {
        let city = "Thành phố Hải Phòng, Đường Nguyễn Đức Cảnh";
        assert_eq!(unaccent(city), "Thanh pho Hai Phong, Duong Nguyen Duc Canh");
        assert_eq!(unaccent(&city.nfd().collect::<String>()), unaccent(city));
        assert_eq!(unaccent("ẰẮẴ ượ ỹ"), "AAA uo y");
    }

    #[test]
    fn cleaned_text_has_single_spaces() {
        assert_eq!(
            cleaned("\u{feff} Lê\u{a0}\u{200b}\n Chân\t").as_deref(),
            Some("Lê Chân")
        );
        assert_eq!(cleaned(" \u{a0}\u{200b} "), None);
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text in ".{0,40}") {
            if let Some(once) = cleaned(&text) {
                prop_assert!(is_nfc(&once));
                prop_assert_eq!(cleaned(&once), Some(once));
            }
        }

        #[test]
        fn unaccent_is_idempotent_and_leaves_ascii(text in ".{0,40}") {
            let once = unaccent(&text);
            prop_assert_eq!(unaccent(&once), once.clone());
            if text.is_ascii() {
                prop_assert_eq!(once, text);
            }
        }
    }
}
