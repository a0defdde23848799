//! Names brought to a form in which two spellings of one name are equal.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The five tone marks of Vietnamese, which older and newer orthography set on different vowels: `Thuỷ` and `Thủy`, `Hoà` and `Hòa`.
const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];

/// Marks that are written, left out or spaced at will within a word: `Ea H'Leo`, `Ea H’leo`.
const APOSTROPHES: [char; 6] = ['\'', '’', '‘', 'ʼ', '`', '´'];

/// Without any diacritic; đ is d. Case stays.
pub(crate) fn push_unaccented(text: &str, out: &mut String) {
    let letters = text.nfd().filter(|c| !is_combining_mark(*c));
    out.extend(letters.map(|c| match c {
        'đ' => 'd',
        'Đ' => 'D',
        other => other,
    }));
}

/// Words in lower case without diacritics, between single spaces; whatever is no letter or digit parts words, an apostrophe joins them, and a
/// number has no leading zeros.
pub(crate) fn plain(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    push_unaccented(text, &mut letters);
    words(&letters)
}

/// As [`plain`], with the diacritics, each syllable's tone mark at its end so that it does not matter which vowel bears it.
pub(crate) fn accented(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for word in words(&text.nfd().collect::<String>()).split(' ') {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|c| !TONES.contains(c)));
        out.extend(word.chars().filter(|c| TONES.contains(c)));
    }
    out
}

/// A looser form of a [`plain`] one: y and i alike (`Quy Nhơn`, `Qui Nhơn`), and words run together (`Đắk Lắk`, `Daklak`).
pub(crate) fn folded(plain: &str) -> String {
    let letters = plain.chars().filter(|c| *c != ' ');
    letters.map(|c| if c == 'y' { 'i' } else { c }).collect()
}

/// The first letters of a name's words, if it has two or more: `hcm`.
pub(crate) fn initials(plain: &str) -> Option<String> {
    let letters: String = plain
        .split(' ')
        .filter_map(|word| word.chars().next())
        .collect();
    (letters.chars().count() > 1).then_some(letters)
}

fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    // As case folding has it (CaseFolding.txt): a sigma is the same at the end of a word.
    let folded = |c| if c == 'ς' { 'σ' } else { c };
    for c in text.chars().flat_map(char::to_lowercase).map(folded) {
        // The dot that a capital İ leaves behind when it is made small is part of no name we compare.
        if c.is_alphanumeric() || (is_combining_mark(c) && !gap && !out.is_empty()) {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(c);
        } else if !APOSTROPHES.contains(&c) {
            gap = true;
        }
    }
    without_leading_zeros(out)
}

fn without_leading_zeros(text: String) -> String {
    if !text.contains('0') {
        return text;
    }
    let trimmed = text.split(' ').map(|word| {
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        match word.trim_start_matches('0') {
            "" => "0",
            rest if is_number => rest,
            _ => word,
        }
    });
    trimmed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        assert_eq!(plain("  Bà Rịa - Vũng\u{a0}Tàu "), "ba ria vung tau");
        assert_eq!(plain("Ea H’Leo"), plain("Ea H'leo"));
        assert_eq!(plain("Phường 01"), "phuong 1");
        assert_eq!(plain("P.00"), "p 0");
        assert_eq!(accented("Thuỷ Nguyên"), accented("Thủy Nguyên"));
        assert_eq!(accented("HOÀ BÌNH"), accented("Hòa Bình"));
        assert_ne!(accented("Tân Hòa"), accented("Tân Hóa"));
        assert_eq!(folded(&plain("Qui Nhơn")), folded(&plain("Quy Nhơn")));
        assert_eq!(initials("ho chi minh").as_deref(), Some("hcm"));
        assert_eq!(initials("hue"), None);
        assert_eq!(plain("ΠΕΙΡΑΙΑΣ"), plain("πειραιάς"));
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key_and_decomposition_changes_nothing(text in ".{0,40}") {
            let key = plain(&text);
            prop_assert_eq!(plain(&key), key.clone());
            prop_assert_eq!(accented(&text.nfd().collect::<String>()), accented(&text.nfc().collect::<String>()));
            let _ = (folded(&key), initials(&key));
        }

        #[test]
        fn case_changes_nothing(text in "[A-Za-zÀ-ỹ0-9 .-]{0,30}") {
            prop_assert_eq!(plain(&text.to_lowercase()), plain(&text));
        }
    }
}
