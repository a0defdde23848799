//! Words from outside, as a terminal may draw them.

use std::borrow::Cow;

/// `text` whose characters that steer a terminal, or turn the direction of writing, are written out: `\u{1b}`. Line breaks stay.
#[must_use]
pub fn drawable(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match steers(letter) {
            true => safe.extend(letter.escape_default()),
            false => safe.push(letter),
        }
    }
    Cow::Owned(safe)
}

fn steers(letter: char) -> bool {
    (letter.is_control() && letter != '\n')
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_written_out() {
        for (text, drawn) in [
            ("Bảo trì\nđến 5h", "Bảo trì\nđến 5h"),
            ("\u{1b}]0;pwned\u{7}", "\\u{1b}]0;pwned\\u{7}"),
            ("a\u{9b}2Jb\r", "a\\u{9b}2Jb\\r"),
            ("\u{202e}vsc.a\u{2066}", "\\u{202e}vsc.a\\u{2066}"),
        ] {
            assert_eq!(drawable(text), drawn);
        }
    }
}
