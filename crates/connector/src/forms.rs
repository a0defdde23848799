//! Every form in which a request sends a secret, so that an answer that echoes the request is shown without it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use url::Url;

use crate::secret::MASK;

/// Shorter texts stand in an answer by chance, as far as nobody called them a secret.
pub(crate) const GUESSED_BYTES_MIN: usize = 6;
/// The same of what base64 makes of a secret within a longer text, in characters.
const BASE64_CHARS_MIN: usize = 6;

/// How a secret may stand in a URL: as it is or without what a URL's parser drops, and encoded as form, path or query; the
/// longest first. Marks in cursors count by this order.
pub(crate) fn in_address(secret: &str) -> Vec<String> {
    let one_line = secret.replace(['\t', '\n', '\r'], "");
    let forms = [secret, one_line.as_str(), one_line.trim()]
        .into_iter()
        .flat_map(encoded)
        .collect();
    longest_first(forms)
}

/// `text` without these secrets, whatever their form.
pub(crate) fn masked(text: &str, secrets: &[String]) -> String {
    all(secrets)
        .iter()
        .fold(text.to_owned(), |text, form| text.replace(form, MASK))
}

/// Every form of these secrets, the longest first.
pub(crate) fn all(secrets: &[String]) -> Vec<String> {
    longest_first(secrets.iter().flat_map(|secret| of(secret)).collect())
}

/// What HTTP Basic makes of a user and a password (RFC 7617).
pub(crate) fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

fn of(secret: &str) -> Vec<String> {
    let mut forms = in_address(secret);
    forms.push(every_byte_percent(secret));
    // A text within a text of JSON, once and twice.
    let mut quoted = secret.to_owned();
    for _ in 0..2 {
        quoted = serde_json::Value::String(quoted).to_string();
        quoted = quoted[1..quoted.len() - 1].to_owned();
        forms.push(quoted.clone());
    }
    forms.push(
        secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;"),
    );
    let small: Vec<String> = forms.iter().filter_map(|form| small_hex(form)).collect();
    forms.extend(small);
    forms.extend(in_base64(secret));
    forms
}

/// Everything but letters and digits encoded.
fn every_byte_percent(secret: &str) -> String {
    let byte = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    secret.bytes().map(byte).collect()
}

/// The same with small letters in its `%2F`, if it has any.
fn small_hex(form: &str) -> Option<String> {
    let mut pieces = form.split('%');
    let mut small = pieces.next()?.to_owned();
    for piece in pieces {
        let (hex, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        small.push('%');
        small.push_str(&hex.to_ascii_lowercase());
        small.push_str(rest);
    }
    (small != form).then_some(small)
}

/// What stands for the secret alone where a longer text is in base64: three bytes are four characters, so there are three ways
/// to fall.
fn in_base64(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let text = [&[0; 3][..before], secret.as_bytes()].concat();
        let to = text.len() / 3 * 4 + text.len() % 3;
        // Before are the characters that hold bits of what comes before it, behind those that hold some of what follows.
        let from = [0, 2, 3][before];
        for coded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let alone = coded.get(from..to).unwrap_or_default();
            if alone.len() >= BASE64_CHARS_MIN {
                forms.push(alone.to_owned());
            }
        }
    }
    forms
}

fn encoded(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_owned(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
    ];
    if let Ok(mut url) = Url::parse("http://host/") {
        url.set_query(Some(secret));
        forms.extend(url.query().map(str::to_owned));
        url.set_path(secret);
        forms.push(url.path().trim_start_matches('/').to_owned());
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().push(secret);
        }
        forms.push(url.path().trim_start_matches('/').to_owned());
    }
    forms
}

fn longest_first(mut forms: Vec<String>) -> Vec<String> {
    forms.retain(|form| !form.is_empty());
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str, secret: &str) -> String {
        super::masked(text, &[secret.to_owned()])
    }

    #[test]
    fn a_secret_is_found_however_it_was_sent() {
        let secret = "p@ss:w/r d\"#1é";
        for text in [
            secret,
            "p%40ss%3Aw%2Fr+d%22%231%C3%A9",
            "p%40ss%3aw%2fr%20d%22%231%c3%a9",
            "p@ss:w/r%20d%22%231%C3%A9",
            r##"p@ss:w/r d\"#1é"##,
            r##"p@ss:w/r d\\\"#1é"##,
            "p@ss:w/r d&quot;#1é",
        ] {
            assert_eq!(masked(&format!("a {text} b"), secret), "a *** b", "{text}");
        }
        assert_eq!(masked("nothing here", ""), "nothing here");
    }

    proptest! {
        #[test]
        fn base64_tells_nothing_of_it(before in ".{0,5}", secret in "[ -~]{9,30}", after in ".{0,5}") {
            let coded = STANDARD.encode(format!("{before}{secret}{after}"));
            let shown = masked(&format!("authorization: Basic {coded}"), &secret);
            prop_assert!(shown.contains(MASK), "{}", shown);
            // What is left of it are the bits that it shares with its neighbours.
            let left = shown.len() - "authorization: Basic ".len() - MASK.len();
            let around = 4 * (before.len() + after.len()).div_ceil(3);
            prop_assert!(left <= around + 8, "{} of {}", left, around);
        }
    }
}
