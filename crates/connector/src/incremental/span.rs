//! A span of time as people write it: `30s`, `6h`, `2d`.

use chrono::TimeDelta;

/// A span of seconds, minutes, hours, days or weeks; `None` for what is none.
#[must_use]
pub fn span(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    let unit = text.chars().next_back()?;
    let number: i64 = text[..text.len() - unit.len_utf8()]
        .trim_end()
        .parse()
        .ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let span = TimeDelta::try_seconds(number.checked_mul(seconds)?)?;
    (number >= 0).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_number_and_a_unit() {
        for (text, seconds) in [
            ("30s", Some(30)),
            (" 6 h ", Some(21_600)),
            ("2d", Some(172_800)),
            ("1w", Some(604_800)),
            ("0s", Some(0)),
            ("-1d", None),
            ("2", None),
            ("d", None),
            ("1.5h", None),
            ("2 ngày", None),
            ("9223372036854775807w", None),
            ("9223372036854775807s", None),
            ("", None),
        ] {
            let found = span(text).map(|span| span.num_seconds());
            assert_eq!(found, seconds, "{text}");
        }
    }
}
