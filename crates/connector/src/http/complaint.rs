//! Errors that are told under 200, in JSON or XML, where data is expected.

use serde_json::{Map, Value};

/// What an answer complains of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// In the source's own words.
    pub(crate) said: String,
    /// The status that it should have had.
    pub(crate) status: Option<u16>,
}

/// Keys that an answer with an error has and nothing else.
const KEYS: [&str; 23] = [
    "@context",
    "@type",
    "code",
    "detail",
    "details",
    "error",
    "error_code",
    "error_description",
    "errors",
    "exception",
    "help",
    "message",
    "msg",
    "ok",
    "path",
    "reason",
    "request_id",
    "requestid",
    "status",
    "statuscode",
    "success",
    "timestamp",
    "title",
];

/// Keys under which an error is told in words.
const TEXTS: [&str; 4] = ["message", "msg", "detail", "error_description"];

/// The complaint, if a whole answer is nothing but one. `is_file`: a file that is no JSON is expected, so that any object of
/// JSON is a message.
pub(crate) fn of_json(whole: &[u8], is_file: bool) -> Option<Complaint> {
    if !whole.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_slice(whole).ok()?;
    let is_known = |key: &String| KEYS.contains(&key.to_ascii_lowercase().as_str());
    let is_only_that = object.keys().all(is_known);
    let is_complaint = is_file || (is_only_that && says_failed(&object));
    is_complaint.then(|| Complaint {
        said: said(&object),
        status: status(&object),
    })
}

fn says_failed(object: &Map<String, Value>) -> bool {
    let is_told = |key: &str| match object.get(key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(all)) => !all.is_empty(),
        Some(Value::Object(all)) => !all.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    let is_bad = |key: &str| {
        let word = object.get(key).and_then(Value::as_str).unwrap_or_default();
        matches!(
            word.to_ascii_lowercase().as_str(),
            "error" | "fail" | "failed" | "failure"
        )
    };
    is_told("error")
        || is_told("errors")
        || is_told("exception")
        || object.get("success") == Some(&Value::Bool(false))
        || object.get("ok") == Some(&Value::Bool(false))
        || is_bad("status")
        || (status(object).is_some() && TEXTS.iter().any(|key| object.contains_key(*key)))
}

/// A number that is a status of HTTP, wherever it stands.
fn status(object: &Map<String, Value>) -> Option<u16> {
    let inner = object.get("error").and_then(Value::as_object);
    let number = |value: &Value| {
        value
            .as_u64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
            .filter(|number| (400..600).contains(number))
            .and_then(|number| u16::try_from(number).ok())
    };
    [Some(object), inner]
        .into_iter()
        .flatten()
        .find_map(|object| {
            ["code", "status", "statusCode", "error_code"]
                .into_iter()
                .find_map(|key| object.get(key).and_then(number))
        })
}

/// The first text that tells something, else the whole.
fn said(object: &Map<String, Value>) -> String {
    let keys = [
        "message",
        "error_description",
        "detail",
        "error",
        "errors",
        "msg",
        "reason",
        "title",
        "exception",
    ];
    let found = keys.into_iter().find_map(|key| match object.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Object(inner) => Some(said(inner)),
        Value::Array(all) => match all.first()? {
            Value::String(text) => Some(text.clone()),
            Value::Object(inner) => Some(said(inner)),
            _ => None,
        },
        _ => None,
    });
    found.unwrap_or_else(|| Value::Object(object.clone()).to_string())
}

/// The complaint of an OGC service (OWS Common, section 8; WMS 1.1): `ExceptionReport`.
pub(crate) fn of_xml(head: &[u8]) -> Option<Complaint> {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut rest = text;
    while rest.starts_with("<?") || rest.starts_with("<!") {
        rest = rest.split_once('>')?.1.trim_start();
    }
    let root = rest.strip_prefix('<')?;
    let name = root.split([' ', '>', '\n', '\r', '\t']).next()?;
    let local = name.rsplit(':').next()?;
    if !matches!(local, "ExceptionReport" | "ServiceExceptionReport") {
        return None;
    }
    let inner = ["ExceptionText>", "<ServiceException"]
        .into_iter()
        .find_map(|mark| {
            let after = root.split_once(mark)?.1;
            let after = if mark.ends_with('>') {
                after
            } else {
                after.split_once('>')?.1
            };
            Some(after.split('<').next()?.trim().to_owned())
        });
    let said = inner.filter(|said| !said.is_empty());
    Some(Complaint {
        said: said.unwrap_or_else(|| local.to_owned()),
        status: None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str, is_file: bool) -> Option<(String, Option<u16>)> {
        of_json(text.as_bytes(), is_file).map(|found| (found.said, found.status))
    }

    #[test]
    fn errors_in_json_are_told_from_data() {
        for (text, said, status) in [
            (
                r#"{"error":{"code":498,"message":"Invalid token.","details":[]}}"#,
                "Invalid token.",
                Some(498),
            ),
            (
                r#"{"success":false,"error":{"__type":"Not Found Error","message":"Not found"},"help":"x"}"#,
                "Not found",
                None,
            ),
            (r#"{"status":"error","message":"Bảo trì"}"#, "Bảo trì", None),
            (
                r#"{"errors":[{"detail":"no such series"}]}"#,
                "no such series",
                None,
            ),
            (r#"{"code":"503","message":"busy"}"#, "busy", Some(503)),
            (r#"{"error":"x"}"#, "x", None),
        ] {
            assert_eq!(json(text, false), Some((said.to_owned(), status)), "{text}");
        }
        for data in [
            r#"{"results":[],"error":null}"#,
            r#"{"error":null,"message":"ok"}"#,
            r#"{"errors":[],"status":"ok"}"#,
            r#"{"id":1,"error":0.5}"#,
            r#"{"success":true,"result":[]}"#,
            r#"{"code":7,"message":"line"}"#,
            r#"[{"error":"x"}]"#,
            r#"{"code":450,"title":"Trường Lê Lợi","status":"open"}"#,
            "{",
            "",
        ] {
            assert_eq!(json(data, false), None, "{data}");
        }
    }

    #[test]
    fn any_object_is_a_message_where_a_file_is_expected() {
        let said = json(
            r#"{"detail":"Authentication credentials were not provided."}"#,
            true,
        );
        assert_eq!(
            said,
            Some((
                "Authentication credentials were not provided.".to_owned(),
                None
            ))
        );
        assert_eq!(
            json(r#"{"a":1}"#, true),
            Some((r#"{"a":1}"#.to_owned(), None))
        );
        assert_eq!(json("a,b\n", true), None);
    }

    #[test]
    fn services_of_the_ogc_report_in_xml() {
        let report = r#"<?xml version="1.0"?><ows:ExceptionReport xmlns:ows="x"><ows:Exception exceptionCode="InvalidParameterValue"><ows:ExceptionText>Unknown type name</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"#;
        let old = "<!DOCTYPE x><ServiceExceptionReport version='1.1'><ServiceException code='a'>no layer</ServiceException></ServiceExceptionReport>";
        for (text, said) in [
            (report, Some("Unknown type name")),
            (old, Some("no layer")),
            ("<wfs:FeatureCollection/>", None),
            ("a", None),
        ] {
            assert_eq!(
                of_xml(text.as_bytes()).map(|found| found.said).as_deref(),
                said,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(text in "[<>{}\":a-z!?]{0,80}") {
            of_xml(text.as_bytes());
            of_json(text.as_bytes(), true);
        }
    }
}
