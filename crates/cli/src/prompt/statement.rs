//! Where a statement ends: the `;` outside quotes and comments.

/// A text cut into statements.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statements<'a> {
    /// The finished ones, without their `;`, never blank.
    pub(crate) finished: Vec<&'a str>,
    /// What follows the last `;`; empty when blank.
    pub(crate) rest: &'a str,
}

impl<'a> Statements<'a> {
    /// All statements, the last also without its `;`.
    pub(crate) fn all(self) -> Vec<&'a str> {
        let mut all = self.finished;
        if !self.rest.is_empty() {
            all.push(self.rest);
        }
        all
    }
}

/// Cuts `text` at each `;` that is not within `'…'`, `"…"`, `$tag$…$tag$`, `-- …` or `/* … */` (which nests).
pub(crate) fn split(text: &str) -> Statements<'_> {
    let mut finished = Vec::new();
    let mut start = 0;
    let mut at = 0;
    // Whether anything but blanks and comments has been seen since `start`.
    let mut blank = true;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if let Some(length) = comment(rest) {
            at += length;
            continue;
        }
        if c == ';' {
            if !blank {
                finished.push(text[start..at].trim());
            }
            at += 1;
            start = at;
            blank = true;
            continue;
        }
        blank &= c.is_whitespace();
        at += quoted(rest).unwrap_or(c.len_utf8());
    }
    let rest = if blank { "" } else { text[start..].trim() };
    Statements { finished, rest }
}

/// Whether Enter sends the text instead of starting a new line.
pub(crate) fn is_finished(text: &str) -> bool {
    text.trim_start().starts_with('\\') || split(text).rest.is_empty()
}

/// The length of the comment `text` starts with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("--") {
        return Some(text.find('\n').map_or(text.len(), |end| end + 1));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    Some(bytes.len())
}

/// The length of the quoted text `text` starts with. A doubled quote is two quoted texts in a row, which ends alike.
fn quoted(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let close = match first {
        '\'' | '"' => first.to_string(),
        '$' => {
            let end = text[1..].find('$')? + 2;
            let tag = &text[..end];
            let inner = &tag[1..end - 1];
            let named = inner.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !inner.starts_with(|c: char| c.is_ascii_digit());
            if !named {
                return None;
            }
            tag.to_owned()
        }
        _ => return None,
    };
    let body = &text[close.len()..];
    Some(
        body.find(&close)
            .map_or(text.len(), |end| end + 2 * close.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, finished: &[&str], rest: &str) {
        let split = split(text);
        assert_eq!((split.finished.as_slice(), split.rest), (finished, rest));
    }

    #[test]
    fn statements_end_at_semicolons_outside_quotes_and_comments() {
        check("select 1; select 2", &["select 1"], "select 2");
        check(";;  ; ", &[], "");
        check("select ';' , \"a;b\";", &["select ';' , \"a;b\""], "");
        check("select 'it''s; ok';", &["select 'it''s; ok'"], "");
        check("select 'open; ", &[], "select 'open;");
        check("-- a; b\nselect 1;\n-- c", &["-- a; b\nselect 1"], "");
        check(
            "select /* x; /* y; */ z; */ 1;",
            &["select /* x; /* y; */ z; */ 1"],
            "",
        );
        check(
            "select $$a;b$$, $t$;$$;$t$;",
            &["select $$a;b$$, $t$;$$;$t$"],
            "",
        );
        check(
            "select $1; select 'đường; phố'; x",
            &["select $1", "select 'đường; phố'"],
            "x",
        );
        check("select 1 - -1; /* open", &["select 1 - -1"], "");
    }

    #[test]
    fn enter_sends_finished_statements_and_commands() {
        for (text, finished) in [
            ("", true),
            ("\\dt", true),
            ("select 1", false),
            ("select 1;", true),
            ("select 1; select", false),
            ("select ';", false),
            ("select 1; -- done", true),
        ] {
            assert_eq!(is_finished(text), finished, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_keeps_every_word(text in "[a;'\"$/*\\- \nđ1]{0,40}") {
            let parts = split(&text);
            let kept: usize = parts.finished.iter().map(|it| it.len()).sum();
            proptest::prop_assert!(kept + parts.rest.len() <= text.len());
            proptest::prop_assert!(parts.finished.iter().all(|it| !it.trim().is_empty()));
        }
    }
}
