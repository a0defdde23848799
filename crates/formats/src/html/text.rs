//! The letters of a page: its declared encoding, and chunks that end inside a letter.

use std::borrow::Cow;

/// Bytes in which a page may declare its encoding. The standard says 1024; pages that came out of spreadsheets need more.
const PRESCAN_BYTES: usize = 8192;

/// The encoding that a page's `meta` declares (HTML, 13.2.3.2, in short): what follows the first `charset=`.
pub(crate) fn declared_encoding(head: &[u8]) -> Option<String> {
    let head = head[..head.len().min(PRESCAN_BYTES)].to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&head[from..], b"charset") {
        from += at + b"charset".len();
        let in_meta = head[..from]
            .iter()
            .rposition(|byte| *byte == b'<')
            .is_some_and(|open| head[open..].starts_with(b"<meta"));
        let rest = head[from..].trim_ascii_start();
        let Some(value) = rest.strip_prefix(b"=").filter(|_| in_meta) else {
            continue;
        };
        let value = value.trim_ascii_start();
        let value = value
            .strip_prefix(b"\"")
            .or_else(|| value.strip_prefix(b"'"))
            .unwrap_or(value);
        let end = value
            .iter()
            .position(|byte| b"\"'; >\t\r\n/".contains(byte))
            .unwrap_or(value.len());
        let label = std::str::from_utf8(&value[..end]).ok()?;
        // What says UTF-16 in letters of one byte is not, and unknown names count as if there were none (same section).
        return match encoding_rs::Encoding::for_label(label.as_bytes()) {
            None => None,
            Some(encoding) if encoding.name().starts_with("UTF-16") => Some("utf-8".to_owned()),
            Some(_) => Some(label.to_owned()),
        };
    }
    None
}

/// Joins letters that two chunks share.
#[derive(Debug, Default)]
pub(crate) struct Letters(Vec<u8>);

impl Letters {
    /// The whole letters of the next chunk; what is no UTF-8 is replaced, as browsers do.
    pub(crate) fn take(&mut self, chunk: Option<&[u8]>, is_last: bool) -> String {
        let mut bytes = std::mem::take(&mut self.0);
        bytes.extend_from_slice(chunk.unwrap_or_default());
        if !is_last {
            let whole = whole_letters(&bytes);
            self.0 = bytes.split_off(whole);
        }
        match String::from_utf8_lossy(&bytes) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        }
    }
}

/// Bytes up to a letter that has begun and not ended.
fn whole_letters(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(3);
    for at in (last..bytes.len()).rev() {
        let length = match bytes[at] {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x80..=0xBF => continue,
            _ => 1,
        };
        return if at + length > bytes.len() {
            at
        } else {
            bytes.len()
        };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_that_pages_declare() {
        for (head, expected) in [
            (
                "<html><head><meta charset=\"windows-1258\">",
                Some("windows-1258"),
            ),
            (
                "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\" />",
                Some("utf-8"),
            ),
            ("<META CHARSET=UTF-16>", Some("utf-8")),
            ("<meta charset='klingon'>", None),
            (
                "<p>charset=latin1</p><meta name=x charset = big5 >",
                Some("big5"),
            ),
            ("<table>", None),
            ("<meta charset", None),
        ] {
            assert_eq!(
                declared_encoding(head.as_bytes()).as_deref(),
                expected,
                "{head}"
            );
        }
    }

    #[test]
    fn letters_are_whole() {
        let text = "Trường học 𐍈 é";
        for bytes in 1..9 {
            let mut letters = Letters::default();
            let mut all: String = text
                .as_bytes()
                .chunks(bytes)
                .map(|chunk| letters.take(Some(chunk), false))
                .collect();
            all += &letters.take(None, true);
            assert_eq!(all, text);
        }
        assert_eq!(
            Letters::default().take(Some(b"a\xFFb\xC3"), true),
            "a\u{fffd}b\u{fffd}"
        );
    }
}
