//! Values as messages and the journal show them: never longer than anyone reads.

use std::borrow::Cow;

/// Bytes of a value in a message.
const IN_MESSAGE_BYTES_MAX: usize = 200;
/// Bytes of a value that the journal keeps.
const KEPT_BYTES_MAX: usize = 2048;

/// A value between quotes for a message, cut where it is long.
pub(crate) fn quoted(value: &str) -> String {
    format!("{:?}", cut(value, IN_MESSAGE_BYTES_MAX))
}

/// A value for the journal, cut where it is long.
pub(crate) fn kept(value: String) -> String {
    match cut(&value, KEPT_BYTES_MAX) {
        Cow::Owned(short) => short,
        Cow::Borrowed(_) => value,
    }
}

fn cut(value: &str, bytes_max: usize) -> Cow<'_, str> {
    if value.len() <= bytes_max {
        return Cow::Borrowed(value);
    }
    let end = value.floor_char_boundary(bytes_max);
    Cow::Owned(format!("{}…", &value[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(quoted("a\"b"), r#""a\"b""#);
        let long = quoted(&"ế".repeat(100));
        assert_eq!(long.chars().filter(|it| *it == 'ế').count(), 66);
        assert!(long.ends_with("…\""), "{long}");
        assert_eq!(kept("x".repeat(2048)).len(), 2048);
        assert_eq!(kept("x".repeat(5000)).chars().count(), 2049);
    }
}
