//! Numbers as people write them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Builder, StringViewArray};
use arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Function, Kind};

const KINDS: &[Kind] = &[Kind::Text, Kind::Text, Kind::Text];

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let about = "A number from text with the given decimal and thousands marks; thousands are groups of three digits, a space stands for every kind of space and ' for ’. A trailing minus or parentheses, as accountants write them, are negative; % and ‰ are hundredths and thousandths. Blank text is NULL. Without a thousands mark none may stand in the text: '1.234' is 1.234 with the decimal mark '.', and an error with ','.";
    let strict = Function::new(
        "parse_number",
        KINDS,
        DataType::Float64,
        parse_strictly,
        about,
        "parse_number('1.234,5', ',', '.') = 1234.5",
    );
    let about = "As parse_number, but text that is no number is NULL.";
    let lenient = Function::new(
        "try_parse_number",
        KINDS,
        DataType::Float64,
        parse_or_null,
        about,
        "try_parse_number('n/a', ',', '.') IS NULL",
    );
    vec![strict.required(2).into(), lenient.required(2).into()]
}

fn parse_strictly(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    parse_all(args, rows, |text, decimal, thousands| {
        exec_err!(
            "{text:?} is not a number with decimal mark {decimal:?} and thousands mark {thousands:?}"
        )
    })
}

fn parse_or_null(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    parse_all(args, rows, |_, _, _| Ok(()))
}

fn parse_all(
    args: &[ArrayRef],
    rows: usize,
    bad: impl Fn(&str, &str, &str) -> Result<()>,
) -> Result<ArrayRef> {
    let (texts, decimals) = (args[0].as_string_view(), args[1].as_string_view());
    let thousands = args.get(2).map(|array| array.as_string_view());
    let mut out = Float64Builder::with_capacity(rows);
    let mut checked = None;
    for row in 0..rows {
        let (Some(text), Some(decimal)) = (value(texts, row), value(decimals, row)) else {
            out.append_null();
            continue;
        };
        let text = text.trim();
        let thousands = thousands
            .and_then(|array| value(array, row))
            .unwrap_or_default();
        if checked != Some((decimal, thousands)) {
            check_marks(decimal, thousands)?;
            checked = Some((decimal, thousands));
        }
        let number = parse_number(text, decimal, thousands);
        if number.is_none() && !text.is_empty() {
            bad(text, decimal, thousands)?;
        }
        out.append_option(number);
    }
    Ok(Arc::new(out.finish()))
}

/// Marks that could be read two ways, or as part of a number, are a fault of the mapping rather than of a value.
fn check_marks(decimal: &str, thousands: &str) -> Result<()> {
    let unfit = |mark: &str| {
        mark.chars().count() > 1
            || mark
                .contains(|c: char| c.is_alphanumeric() || matches!(c, '-' | '+' | '%' | '(' | ')'))
    };
    for (mark, what) in [(decimal, "decimal"), (thousands, "thousands")] {
        if unfit(mark) {
            return exec_err!("{mark:?} is no {what} mark: write one character, as in ',' or '.'");
        }
    }
    if decimal == thousands && !decimal.is_empty() {
        return exec_err!(
            "{decimal:?} cannot be both the decimal and the thousands mark: leave the thousands mark out, or name the one the source has"
        );
    }
    Ok(())
}

fn value(array: &StringViewArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

/// `text` with the marks taken away, if what is left is one number.
fn parse_number(text: &str, decimal: &str, thousands: &str) -> Option<f64> {
    let (text, scale) = unscaled(text);
    let (sign, digits) = unsigned(text)?;
    let (number, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (&digits[..at], &digits[at..]),
        None => (digits, ""),
    };
    let (whole, fraction) = match decimal {
        "" => (number, ""),
        mark => number.split_once(mark).unwrap_or((number, "")),
    };
    let mut plain = String::with_capacity(text.len());
    push_groups(whole, thousands, &mut plain)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit())
        || (plain.is_empty() && fraction.is_empty())
    {
        return None;
    }
    plain.push('.');
    plain.push_str(fraction);
    if fraction.is_empty() {
        plain.push('0');
    }
    plain.push_str(exponent);
    plain
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
        .map(|value| sign * value / scale)
}

/// The text without its percent or per mille sign, and what it is divided by.
fn unscaled(text: &str) -> (&str, f64) {
    for (sign, scale) in [('%', 100.0), ('\u{2030}', 1000.0)] {
        if let Some(rest) = text.strip_suffix(sign) {
            return (rest.trim_end(), scale);
        }
    }
    (text, 1.0)
}

/// The digits and their sign, which stands in front, behind or, in accounts, as parentheses; `None` for two signs.
fn unsigned(text: &str) -> Option<(f64, &str)> {
    const MINUS: [char; 2] = ['-', '\u{2212}'];
    if let Some(inner) = text.strip_prefix('(') {
        let inner = inner.strip_suffix(')')?.trim();
        return (!inner.starts_with(['-', '\u{2212}', '+'])).then_some((-1.0, inner));
    }
    if let Some(rest) = text.strip_prefix(MINUS) {
        return Some((-1.0, rest));
    }
    match text.strip_suffix(MINUS) {
        Some(rest) if rest.ends_with(|c: char| c.is_ascii_digit()) && !rest.starts_with('+') => {
            Some((-1.0, rest.trim_end()))
        }
        _ => Some((1.0, text.strip_prefix('+').unwrap_or(text))),
    }
}

/// The digits of the whole part; with a thousands mark each group after the first has three.
fn push_groups(whole: &str, thousands: &str, plain: &mut String) -> Option<()> {
    let spaced;
    let written: &[char] = match thousands {
        " " | "\u{a0}" => &['\u{a0}', '\u{202f}', '\u{2009}', ' '],
        "'" => &['\u{2019}', '\''],
        _ => &[],
    };
    let whole = if whole.contains(written) {
        spaced = whole.replace(written, thousands);
        spaced.as_str()
    } else {
        whole
    };
    let groups = if thousands.is_empty() {
        vec![whole]
    } else {
        whole.split(thousands).collect()
    };
    let grouped = groups.len() > 1;
    for (at, group) in groups.iter().enumerate() {
        let length_fits =
            !grouped || (at > 0 && group.len() == 3) || (at == 0 && (1..=3).contains(&group.len()));
        if !length_fits || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        plain.push_str(group);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn marks_of_several_lands() {
        let cases = [
            ("1.234,5", ",", ".", Some(1234.5)),
            ("1,234.5", ".", ",", Some(1234.5)),
            ("1\u{a0}234\u{a0}567,25", ",", " ", Some(1_234_567.25)),
            ("\u{2212}7", ".", ",", Some(-7.0)),
            (",5", ",", ".", Some(0.5)),
            ("12.5e3", ".", "", Some(12500.0)),
            ("1234.567", ".", ",", Some(1234.567)),
            // Groups of other than three digits betray the wrong marks.
            ("1.23", ",", ".", None),
            ("1.234.56", ",", ".", None),
            (".234", ",", ".", None),
            ("1,2,3", ",", ".", None),
            ("(1.234,5)", ",", ".", Some(-1234.5)),
            ("1.234,5-", ",", ".", Some(-1234.5)),
            ("12,5 %", ",", ".", Some(0.125)),
            ("(3%)", ".", ",", None),
            ("4\u{2030}", ".", "", Some(0.004)),
            ("1\u{2019}234.5", ".", "'", Some(1234.5)),
            ("1 234", ".", "\u{a0}", Some(1234.0)),
            ("1.234", ".", "", Some(1.234)),
            ("1.234", ",", ".", Some(1234.0)),
            ("1.234", ",", "", None),
            ("(-5)", ".", ",", None),
            ("-5-", ".", ",", None),
            ("+5-", ".", ",", None),
            ("(5", ".", ",", None),
            ("%", ".", ",", None),
            ("()", ".", ",", None),
            ("n/a", ".", ",", None),
            ("-", ".", ",", None),
            ("1e", ".", ",", None),
            ("1e999", ".", ",", None),
        ];
        for (text, decimal, thousands, expected) in cases {
            assert_eq!(parse_number(text, decimal, thousands), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_number_reads_back(whole in 0u64..1_000_000_000, cents in 0u32..100, negative: bool) {
            let digits = whole.to_string();
            let mut grouped = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at).is_multiple_of(3) {
                    grouped.push('.');
                }
                grouped.push(digit);
            }
            let sign = if negative { "-" } else { "" };
            let expected: f64 = format!("{sign}{digits}.{cents:02}").parse().unwrap_or(f64::NAN);
            prop_assert_eq!(parse_number(&format!("{sign}{grouped},{cents:02}"), ",", "."), Some(expected));
        }

        #[test]
        fn no_text_panics(text in ".{0,20}", decimal in ".{0,2}", thousands in ".{0,2}") {
            let _ = parse_number(&text, &decimal, &thousands);
        }
    }
}
