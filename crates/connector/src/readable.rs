//! Addresses, as people read them.

use std::fmt::Write as _;

use crate::drawable::drawable;

/// An address in which nothing is percent-encoded that need not be: `%24expand` reads `$expand`, `%C6%B0` reads `ư`. It still
/// means the same where it is typed in. What parts an address (`/`, `?`, `&`, `=`, `+`, `#`, `%`), blanks, and what steers a
/// terminal stay encoded.
#[must_use]
pub fn readable(address: &str) -> String {
    let (path, query) = match address.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (address, None),
    };
    let mut text = decoded(path, "/?#%");
    for (number, pair) in query.iter().flat_map(|query| query.split('&')).enumerate() {
        text.push(if number == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            // The first one parts name and value, others are of the value.
            Some((name, value)) => {
                let (name, value) = (decoded(name, "&=+#%"), decoded(value, "&+#%"));
                let _ = write!(text, "{name}={value}");
            }
            None => text.push_str(&decoded(pair, "&=+#%")),
        }
    }
    text
}

/// `text` with its escapes decoded, but for those of `kept` characters.
fn decoded(text: &str, kept: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let (bytes, length) = escapes(&rest[at..]);
        let escapes = &rest[at..at + length];
        match String::from_utf8(bytes) {
            Ok(said) if length > 0 => said
                .chars()
                .for_each(|letter| put(letter, kept, &mut decoded)),
            _ if length > 0 => decoded.push_str(escapes),
            _ => decoded.push('%'),
        }
        rest = &rest[at + length.max(1)..];
    }
    decoded.push_str(rest);
    decoded
}

/// The bytes of the escapes that `text` begins with, and how long those are.
fn escapes(text: &str) -> (Vec<u8>, usize) {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(digits) = text[length..]
        .strip_prefix('%')
        .and_then(|after| after.get(..2))
        && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        && let Ok(byte) = u8::from_str_radix(digits, 16)
    {
        bytes.push(byte);
        length += 3;
    }
    (bytes, length)
}

fn put(letter: char, kept: &str, decoded: &mut String) {
    let mut room = [0; 4];
    let shown: &str = letter.encode_utf8(&mut room);
    // In a pipeline's file `${…}` would be a reference to a secret.
    let is_kept = kept.contains(letter) || matches!(letter, '{' | '}');
    let is_plain = !is_kept && !letter.is_whitespace() && drawable(shown) == shown;
    if is_plain {
        decoded.push(letter);
        return;
    }
    for byte in shown.bytes() {
        let _ = write!(decoded, "%{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_need_not_be_encoded_is_not() {
        for (address, read) in [
            (
                "http://a/v1.1/Things?%24expand=Datastreams%28%24top%3D1%29&%24top=100",
                "http://a/v1.1/Things?$expand=Datastreams($top=1)&$top=100",
            ),
            (
                "http://a/query?where=1%3D1&f=json",
                "http://a/query?where=1=1&f=json",
            ),
            ("http://a/Tr%C6%B0%E1%BB%9Dng.csv", "http://a/Trường.csv"),
            (
                "http://a/a%2Fb%3Fc%25d%20e?x=a%26b%2Bc+d%23&y%3Dz=1",
                "http://a/a%2Fb%3Fc%25d%20e?x=a%26b%2Bc+d%23&y%3Dz=1",
            ),
            (
                "http://a/%1b%5B2J%0A%E2%80%AE",
                "http://a/%1B[2J%0A%E2%80%AE",
            ),
            ("http://a?x=%24%7Benv:KEY%7D", "http://a?x=$%7Benv:KEY%7D"),
            ("http://a/%FF%zz%", "http://a/%FF%zz%"),
            ("data/a%20b.csv", "data/a%20b.csv"),
            ("http://a?b&c=", "http://a?b&c="),
        ] {
            assert_eq!(readable(address), read);
        }
    }

    proptest! {
        #[test]
        fn it_means_the_same(path in "[a-zà-ỹ0-9 /?%&=+#$()]{0,12}", name in "[a-z%&=+#$ ]{1,6}", value in "\\PC{0,12}") {
            let mut url: url::Url = "http://host/".parse().expect("an address");
            url.set_path(&path);
            url.query_pairs_mut().append_pair(&name, &value).append_pair("b", "c");
            let read: url::Url = readable(url.as_str()).parse().expect("an address");
            let pairs = |url: &url::Url| url.query_pairs().into_owned().collect::<Vec<_>>();
            prop_assert_eq!(pairs(&read), pairs(&url));
            let segments = |url: &url::Url| decoded(url.path(), "");
            prop_assert_eq!(segments(&read), segments(&url));
        }

        #[test]
        fn no_text_panics(text in "[%a-f0-9?&=ư]{0,40}") {
            let _ = readable(&text);
        }
    }
}
