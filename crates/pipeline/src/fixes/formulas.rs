//! Cells that a spreadsheet would run: an agency's text is never to become a formula on the owner's machine.

/// Whether a spreadsheet takes a text of a CSV file for a formula. Numbers with a sign are numbers.
fn would_run(text: &str) -> bool {
    let rest = match text.as_bytes() {
        [b'=' | b'@' | b'\t' | b'\r', ..] => return true,
        [b'+' | b'-', rest @ ..] => rest,
        _ => return false,
    };
    !rest
        .iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b',' | b' '))
}

/// A text as it may stand in a CSV file: with an apostrophe before what would run, and before what looks as if it had one already.
pub(crate) fn guarded(text: String) -> String {
    match would_run(text.trim_start_matches('\'')) {
        true => format!("'{text}"),
        false => text,
    }
}

/// The same as it may stand in a workbook, whose cells are text: only what looks guarded is.
pub(crate) fn guarded_in_workbook(text: String) -> String {
    match text.starts_with('\'') {
        true => guarded(text),
        false => text,
    }
}

/// The text behind the guard.
pub(super) fn bare(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(behind) if would_run(text.trim_start_matches('\'')) => behind,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_run_is_guarded() {
        for formula in [
            "=1+1",
            "@SUM(1)",
            "+cmd|calc",
            "-1+cmd|'/C calc'!A0",
            "\t=1",
            "'=1",
        ] {
            assert_eq!(guarded(formula.to_owned()), format!("'{formula}"));
        }
        for plain in [
            "",
            "-5",
            "+84 912 345",
            "-1,5",
            "Cầu Rào",
            "'s-Hertogenbosch",
            "a=b",
        ] {
            assert_eq!(guarded(plain.to_owned()), plain);
        }
        assert_eq!(guarded_in_workbook("=1".to_owned()), "=1");
    }

    proptest! {
        #[test]
        fn there_and_back(text in "['=+@\\-\t0-9a]{0,6}|\\PC{0,12}") {
            let there = guarded(text.clone());
            prop_assert!(!would_run(&there));
            prop_assert_eq!(bare(&there), text.as_str());
            let there = guarded_in_workbook(text.clone());
            prop_assert_eq!(bare(&there), text.as_str());
        }
    }
}
