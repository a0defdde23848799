//! How alike two names are, and which of several is meant.

use super::spelling::plain;
use super::types::{SCHOOL_FILLERS, SCHOOL_LEVELS, SCHOOL_WORDS};

/// How alike two plain names are, from 0 to 1: Jaro-Winkler of the names as written and of their words in alphabetical order, whichever is
/// more. Names whose numbers differ are different names (`Phường 1`, `Phường 11`): 0.
pub(crate) fn of_plain(left: &str, right: &str) -> f64 {
    if left == right {
        return 1.0;
    }
    if !numbers(left).eq(numbers(right)) {
        return 0.0;
    }
    let as_written = strsim::jaro_winkler(left, right);
    if !left.contains(' ') && !right.contains(' ') {
        return as_written;
    }
    as_written.max(strsim::jaro_winkler(&sorted(left), &sorted(right)))
}

/// The one most alike of `candidates`, if it is as alike as `threshold` and no other is equally so.
pub(crate) fn best<T>(
    candidates: impl IntoIterator<Item = (T, f64)>,
    threshold: f64,
) -> Option<(T, f64)> {
    let mut best: Option<(T, f64)> = None;
    let mut tied = false;
    for (candidate, alike) in candidates {
        match &best {
            Some((_, highest)) if alike < *highest => {}
            Some((_, highest)) if alike == *highest => tied = true,
            _ => {
                best = Some((candidate, alike));
                tied = false;
            }
        }
    }
    best.filter(|(_, alike)| *alike >= threshold && *alike > 0.0 && !tied)
}

/// A school's name in plain letters with its abbreviations written out, without what any school's name may have or lack.
pub(crate) fn school_key(name: &str) -> String {
    let mut key = plain(name);
    for (short, long) in SCHOOL_WORDS {
        key = with_words_replaced(&key, short, long);
    }
    let words = key.split(' ').filter(|word| !SCHOOL_FILLERS.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

/// How alike two schools' names are: by their keys without the level, and 0 if both say their levels and those differ.
pub(crate) fn of_schools(left: &str, right: &str) -> f64 {
    let (left_levels, left) = levels(school_key(left));
    let (right_levels, right) = levels(school_key(right));
    let both_told = !left_levels.is_empty() && !right_levels.is_empty();
    if both_told && left_levels != right_levels {
        return 0.0;
    }
    of_plain(&left, &right)
}

/// The levels that a key names, and the key without them.
fn levels(mut key: String) -> (Vec<&'static str>, String) {
    let mut found = Vec::new();
    for (words, level) in SCHOOL_LEVELS {
        let without = with_words_replaced(&key, words, "");
        if without != key {
            found.push(*level);
            key = without;
        }
    }
    found.sort_unstable();
    found.dedup();
    (found, key)
}

/// Whole words replaced; an empty replacement leaves no gap.
fn with_words_replaced(text: &str, from: &str, to: &str) -> String {
    let padded = format!(" {} ", text.replace(' ', "  "));
    let from = format!(" {} ", from.replace(' ', "  "));
    if !padded.contains(&from) {
        return text.to_owned();
    }
    let replaced = padded.replace(&from, &format!(" {to} "));
    replaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn numbers(plain: &str) -> impl Iterator<Item = &str> {
    plain
        .split(' ')
        .filter(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
}

fn sorted(plain: &str) -> String {
    let mut words: Vec<&str> = plain.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn likeness_of_names() {
        let alike = |left: &str, right: &str| of_plain(&plain(left), &plain(right));
        assert_eq!(alike("Hải Phòng", "HAI PHONG"), 1.0);
        assert_eq!(alike("Nguyễn Trãi", "Trãi Nguyễn"), 1.0);
        assert_eq!(alike("Phường 1", "Phường 11"), 0.0);
        assert!(alike("Hồng Bàng", "Hồng Bang A") > 0.9);
        assert!(alike("Lê Chân", "Kiến An") < 0.8);
    }

    #[test]
    fn schools_of_one_name_and_other_levels_differ() {
        assert_eq!(
            school_key("Trường THPT Trần Phú"),
            "trung hoc pho thong tran phu"
        );
        assert_eq!(
            school_key("TH&THCS Lý Tự Trọng"),
            "tieu hoc trung hoc co so ly tu trong"
        );
        assert_eq!(
            of_schools("THPT Trần Phú", "Trường Trung học phổ thông Trần Phú"),
            1.0
        );
        assert_eq!(of_schools("Trần Phú", "Trường THPT Trần Phú"), 1.0);
        assert_eq!(of_schools("THPT Trần Phú", "THCS Trần Phú"), 0.0);
        assert_eq!(of_schools("MN Hoa Mai", "Trường mầm non Hoa Mai"), 1.0);
        assert_eq!(of_schools("TH Số 1 Hòa Bình", "TH Số 2 Hòa Bình"), 0.0);
    }

    #[test]
    fn a_tie_is_no_match() {
        assert_eq!(best([("a", 0.9), ("b", 0.8)], 0.85), Some(("a", 0.9)));
        assert_eq!(best([("a", 0.9), ("b", 0.9)], 0.85), None);
        assert_eq!(best([("a", 0.8)], 0.85), None);
        assert_eq!(best([("a", 0.0)], 0.0), None);
    }

    proptest! {
        #[test]
        fn likeness_is_of_both_sides_and_within_bounds(left in "[a-z0-9 ]{0,20}", right in "[a-z0-9 ]{0,20}") {
            let (left, right) = (plain(&left), plain(&right));
            let alike = of_plain(&left, &right);
            prop_assert!((0.0..=1.0).contains(&alike));
            prop_assert!((alike - of_plain(&right, &left)).abs() < 1e-12);
            prop_assert_eq!(of_plain(&left, &left), 1.0);
        }

        #[test]
        fn any_text_is_a_school(left in ".{0,30}", right in ".{0,30}") {
            prop_assert!((0.0..=1.0).contains(&of_schools(&left, &right)));
        }
    }
}
