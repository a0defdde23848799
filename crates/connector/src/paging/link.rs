//! The Link header (RFC 8288): `<https://a.example/?page=2>; rel="next", <…>; rel="last"`.

/// Where the link of this relation leads, as written.
pub(super) fn target<'a>(header: &'a str, relation: &str) -> Option<&'a str> {
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (is_it, left) = parameters(after, relation);
        if is_it {
            return Some(target);
        }
        rest = left;
    }
}

/// Whether the parameters of a link name the relation, and what follows them. Only the first `rel` of a link counts
/// (section 3.3).
fn parameters<'a>(text: &'a str, relation: &str) -> (bool, &'a str) {
    let mut rest = text.trim_start();
    let mut is_it = None;
    while let Some(parameter) = rest.strip_prefix(';') {
        let parameter = parameter.trim_start();
        let end = parameter.find(['=', ';', ',']).unwrap_or(parameter.len());
        let name = parameter[..end].trim_end();
        rest = &parameter[end..];
        let Some(value) = rest.strip_prefix('=') else {
            continue;
        };
        let (value, after) = value_of(value.trim_start());
        rest = after.trim_start();
        if name.eq_ignore_ascii_case("rel") && is_it.is_none() {
            let mut relations = value.split_ascii_whitespace();
            is_it = Some(relations.any(|found| found.eq_ignore_ascii_case(relation)));
        }
    }
    (is_it.unwrap_or(false), rest)
}

/// A token or a quoted text, and what follows it. A backslash in quotes hides the next character; no relation has one.
fn value_of(text: &str) -> (&str, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return (text[..end].trim_end(), &text[end..]);
    };
    let mut is_hidden = false;
    for (at, character) in quoted.char_indices() {
        match character {
            _ if is_hidden => is_hidden = false,
            '\\' => is_hidden = true,
            '"' => return (&quoted[..at], &quoted[at + 1..]),
            _ => {}
        }
    }
    (quoted, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        for (header, next) in [
            (
                r#"<https://a.example/?page=2>; rel="next""#,
                Some("https://a.example/?page=2"),
            ),
            ("<?page=2>;rel=next", Some("?page=2")),
            (
                r#"<p>; rel="prev", <n>; rel="next", <l>; rel="last""#,
                Some("n"),
            ),
            (
                r#"<a,b;c>; title="x, <y>; rel=\"next\""; rel="next""#,
                Some("a,b;c"),
            ),
            (r#"<a>; title="rel=next"; rel=last"#, None),
            (r#"<n>; rel="last next""#, Some("n")),
            (r#"<n>; REL=NEXT"#, Some("n")),
            (r#"<n>; rel="prev"; rel="next""#, None),
            (r#"<n> ; foo ; rel = "next""#, Some("n")),
            (r#",, <p>;rel=prev ,<n>;rel=next"#, Some("n")),
            (r#"<n>; rel="nextish""#, None),
            ("<n>", None),
            ("", None),
            ("no link at all; rel=next", None),
            (r#"<n>; rel="next"#, Some("n")),
            ("<n; rel=next", None),
        ] {
            assert_eq!(target(header, "next"), next, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(header in "[<>;,=\"\\\\ a-z]{0,40}") {
            target(&header, "next");
        }
    }
}
