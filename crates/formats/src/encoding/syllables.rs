//! Whether text reads like Vietnamese: its words are syllables, and syllables have a form.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// Onset, nucleus and coda, tones taken away (Đoàn Thiện Thuật, "Ngữ âm tiếng Việt", chapters 3 to 5).
static SYLLABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let onset = "(?:ngh|ch|gh|gi|kh|ng|nh|ph|qu|th|tr|[bcdđghklmnprstvx])?";
    let nucleus = "(?:uyê|uyu|iêu|yêu|oai|oay|uây|uôi|ươi|ươu|uya|oeo|[aăâeêioôơuưy]{1,2})";
    Regex::new(&format!("^{onset}{nucleus}(?:ch|ng|nh|[cmnpt])?$")).ok()
});

const TONES: &str = "\u{300}\u{301}\u{303}\u{309}\u{323}";

/// Words with a letter beyond ASCII, and how many of them are syllables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syllables {
    pub(super) words: usize,
    pub(super) vietnamese: usize,
}

impl Syllables {
    pub(super) fn of(text: &str) -> Self {
        let words = text.split(|letter: char| !letter.is_alphanumeric() && !TONES.contains(letter));
        let mut found = Self {
            words: 0,
            vietnamese: 0,
        };
        for word in words.filter(|word| !word.is_ascii()) {
            found.words += 1;
            found.vietnamese += usize::from(is_syllable(word));
        }
        found
    }

    /// Whether nearly all words are syllables.
    pub(super) fn is_vietnamese(&self) -> bool {
        self.vietnamese * 10 >= self.words * 9
    }
}

fn is_syllable(word: &str) -> bool {
    let is_tone = |mark: &char| TONES.contains(*mark);
    let apart: Vec<char> = word.to_lowercase().nfd().collect();
    let bare: String = apart
        .iter()
        .copied()
        .filter(|mark| !is_tone(mark))
        .nfc()
        .collect();
    let tones = apart.iter().filter(|mark| is_tone(mark)).count();
    let syllable = SYLLABLE.as_ref();
    tones <= 1 && syllable.is_some_and(|syllable| syllable.is_match(&bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, words: usize, vietnamese: usize) {
        assert_eq!(
            Syllables::of(text),
            Syllables { words, vietnamese },
            "{text}"
        );
    }

    #[test]
    fn words_that_are_syllables() {
        check(
            "Thành phố Hồ Chí Minh, Quận Hoàn Kiếm; Nguyễn Thị Hương Giang",
            10,
            10,
        );
        check(
            "khuỷu ngoèo nghiêng Yên Quỳnh tuyết đường ĐƯỜNG Uông Bí",
            10,
            10,
        );
        check(
            "Orléans, Béziers, département de la Saône-et-Loire, Málaga",
            5,
            0,
        );
        check("Überwiegend Förderung für Träger", 4, 0);
        check("plain words", 0, 0);
    }
}
