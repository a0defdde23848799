//! Web pages that come where data is expected: sign-in, maintenance, "not found" under 200.

/// How much of a body is looked at.
pub(crate) const SNIFF_BYTES: usize = 4096;

/// What a web page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// It asks who we are.
    SignIn,
    /// It says that nothing is there.
    NotFound,
    /// Something else.
    Other,
}

/// A web page that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its title, or an empty text.
    pub(crate) title: String,
    pub(crate) topic: Topic,
}

/// Elements that pages, and what broken scripts print, begin with.
const OPENINGS: [&str; 13] = [
    "<!doctype html",
    "<html",
    "<head",
    "<body",
    "<title",
    "<meta",
    "<script",
    "<style",
    "<div",
    "<center",
    "<h1",
    "<br",
    "<b>",
];

/// The page, if the body begins as one.
pub(crate) fn page(head: &[u8]) -> Option<Page> {
    let text = String::from_utf8_lossy(&head[..head.len().min(SNIFF_BYTES)]);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut lower = text.to_ascii_lowercase();
    // XHTML begins as XML does; comments and processing instructions come before both.
    loop {
        let end = match (lower.starts_with("<!--"), lower.starts_with("<?")) {
            (true, _) => "-->",
            (_, true) => "?>",
            _ => break,
        };
        let (_, after) = lower.split_once(end)?;
        lower = after.trim_start().to_owned();
    }
    if !OPENINGS.iter().any(|opening| lower.starts_with(opening)) {
        return None;
    }
    // ASCII case does not move bytes, so places in `lower` are places in the end of `text`.
    let text = &text[text.len() - lower.len()..];
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower[at..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        let words = text[start..end].split_whitespace();
        Some(words.collect::<Vec<_>>().join(" "))
    });
    let title = title.unwrap_or_default();
    let topic = topic(&title, &lower);
    Some(Page { title, topic })
}

fn topic(title: &str, lower: &str) -> Topic {
    const SIGN_IN: [&str; 9] = [
        "sign in",
        "signin",
        "log in",
        "login",
        "single sign",
        "đăng nhập",
        "anmeld",
        "connexion",
        "iniciar sesi",
    ];
    const NOT_FOUND: [&str; 7] = [
        "404",
        "not found",
        "không tìm thấy",
        "không tồn tại",
        "nicht gefunden",
        "introuvable",
        "no encontrad",
    ];
    let title = title.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| title.contains(word));
    if has(&SIGN_IN) || lower.contains("type=\"password\"") || lower.contains("type='password'") {
        return Topic::SignIn;
    }
    match has(&NOT_FOUND) {
        true => Topic::NotFound,
        false => Topic::Other,
    }
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
        use Topic::{NotFound, Other, SignIn};
        for (head, expected) in [
            (
                "<!DOCTYPE html><html><head><title>Sign\n in</title>",
                Some(("Sign in", SignIn)),
            ),
            (
                "\u{feff}  <html lang=vi><TITLE lang=vi>Bảo trì</TITLE>",
                Some(("Bảo trì", Other)),
            ),
            (
                "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\"><html><title>Không tìm thấy trang</title>",
                Some(("Không tìm thấy trang", NotFound)),
            ),
            (
                "<html><title>Portal</title><form><input type='password'>",
                Some(("Portal", SignIn)),
            ),
            ("<br />\n<b>Warning</b>: mysql_connect()", Some(("", Other))),
            ("<!-- x --><html>", Some(("", Other))),
            ("<!-- x --><!-- y --><body>", Some(("", Other))),
            ("<!-- <html>", None),
            ("<?xml version=\"1.0\"?><data/>", None),
            ("<bus id=\"1\"/>", None),
            ("id,name\n1,<html>\n", None),
            ("{\"html\": 1}", None),
            ("", None),
        ] {
            let expected = expected.map(|(title, topic)| Page {
                title: title.to_owned(),
                topic,
            });
            assert_eq!(page(head.as_bytes()), expected, "{head}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(head in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut whole = b"<html><title".to_vec();
            whole.extend(&head);
            page(&whole);
            page(&head);
        }
    }
}
