//! Web pages that come where data is expected: sign-in, maintenance, "not found" under 200.

/// How much of a body is looked at.
pub(crate) const SNIFF_BYTES: usize = 4096;

/// If the body begins as a web page, its title, or an empty text.
pub(crate) fn page_title(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&head[..head.len().min(SNIFF_BYTES)]);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut lower = text.to_ascii_lowercase();
    while let Some(rest) = lower.strip_prefix("<!--") {
        let (_, after) = rest.split_once("-->")?;
        lower = after.trim_start().to_owned();
    }
    let is_page = ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|opening| lower.starts_with(opening));
    if !is_page {
        return None;
    }
    // ASCII case does not move bytes, so places in `lower` are places in the end of `text`.
    let text = &text[text.len() - lower.len()..];
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower[at..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(
            text[start..end]
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        )
    });
    Some(title.unwrap_or_default())
}

/// Whether a table begins in what has come of a page.
pub(crate) fn has_table(first: &[u8]) -> bool {
    let is_open = |at: &[u8]| at.eq_ignore_ascii_case(b"<table");
    first.windows(b"<table".len()).any(is_open)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_are_known_by_their_beginning() {
        for (head, title) in [
            (
                "<!DOCTYPE html><html><head><title>Sign\n in</title>",
                Some("Sign in"),
            ),
            (
                "\u{feff}  <html lang=vi><TITLE lang=vi>Bảo trì</TITLE>",
                Some("Bảo trì"),
            ),
            ("<!-- x --><html>", Some("")),
            ("<!-- x --><!-- y --><body>", Some("")),
            ("<!-- <html>", None),
            ("<?xml version=\"1.0\"?><data/>", None),
            ("id,name\n1,<html>\n", None),
            ("{\"html\": 1}", None),
            ("", None),
        ] {
            assert_eq!(page_title(head.as_bytes()).as_deref(), title, "{head}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(head in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut page = b"<html><title".to_vec();
            page.extend(&head);
            page_title(&page);
            page_title(&head);
        }
    }
}
