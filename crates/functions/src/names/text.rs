//! Text: Vietnamese without its marks.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::function::{Function, Kind};

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let unaccent = Function::new(
        "vn_unaccent",
        &[Kind::Text],
        DataType::Utf8,
        vn_unaccent,
        "Text without diacritics: canonical decomposition, marks dropped, đ as d. Upper and lower case stay.",
        "vn_unaccent('Đường Hải Phòng') = 'Duong Hai Phong'",
    );
    vec![unaccent.alias("unaccent").into()]
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
        plain.extend(
            text.nfd()
                .filter(|c| !is_combining_mark(*c))
                .map(|c| match c {
                    'đ' => 'd',
                    'Đ' => 'D',
                    other => other,
                }),
        );
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

    proptest! {
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
