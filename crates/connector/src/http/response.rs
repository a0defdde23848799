//! What the head of an answer tells about the thing.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;

use super::Http;
use super::body::text;
use super::request::Request;

/// Headers that say something about the data, and are kept with it. None of them can hold a secret.
const KEPT_HEADERS: [&str; 11] = [
    "content-type",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "date",
    "age",
    "expires",
    "link",
    // What SODA says of an answer's columns: <https://dev.socrata.com/docs/response-codes.html>.
    "x-soda2-fields",
    "x-soda2-types",
];

impl Http {
    pub(super) fn kept(&self, headers: &HeaderMap, request: &Request) -> BTreeMap<String, String> {
        let all = |name: &str| {
            let values = headers.get_all(name).iter();
            let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
            (!values.is_empty()).then(|| values.join(", "))
        };
        KEPT_HEADERS
            .iter()
            .filter_map(|&name| Some((name.to_owned(), self.mask(&all(name)?, request))))
            .collect()
    }
}

/// The length that the answer announces.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    text(headers, "content-length")?.parse().ok()
}

/// The file name of a Content-Disposition (RFC 6266), without folders.
pub(super) fn file_name(disposition: &str) -> Option<String> {
    let value = |key: &str| {
        disposition.split(';').find_map(|piece| {
            let (name, value) = piece.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case(key)
                .then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let encoded = value("filename*").and_then(|value| {
        let text = value.splitn(3, '\'').nth(2)?.replace('+', "%2B");
        let pair = format!("n={text}");
        url::form_urlencoded::parse(pair.as_bytes())
            .next()
            .map(|(_, name)| name.into_owned())
    });
    let name = encoded.or_else(|| value("filename"))?;
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    (!name.is_empty() && name != "..").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_come_without_folders() {
        for (disposition, name) in [
            ("attachment; filename=\"a b.csv\"", Some("a b.csv")),
            ("attachment; filename=a.csv", Some("a.csv")),
            (
                "attachment; filename=x.csv; filename*=UTF-8''tr%C6%B0%E1%BB%9Dng.csv",
                Some("trường.csv"),
            ),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("inline", None),
            ("attachment; filename=\"\"", None),
        ] {
            assert_eq!(file_name(disposition).as_deref(), name, "{disposition}");
        }
    }
}
