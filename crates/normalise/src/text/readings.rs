//! Dates that are not ISO 8601: which ways a person could read them, so that the refusal can say what to declare.

use chrono::NaiveDate;

/// What to add to the refusal of a date in day, month, year or month, day, year; `None` for any other text.
pub(crate) fn readings(value: &str) -> Option<String> {
    let text = value.trim_ascii();
    let date = text.split([' ', 'T']).next()?;
    let separator = date.chars().find(|it| matches!(it, '/' | '-' | '.'))?;
    let numbers: Vec<&str> = date.split(separator).collect();
    let [first, second, year] = numbers.as_slice() else {
        return None;
    };
    let number = |text: &str| -> Option<u32> {
        let short = (1..=2).contains(&text.len());
        (short && text.bytes().all(|digit| digit.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    };
    let (first, second) = (number(first)?, number(second)?);
    let (year, year_mark) = match year.len() {
        4 => (year.parse().ok()?, "%Y"),
        2 => (2000 + year.parse::<i32>().ok()?, "%y"),
        _ => return None,
    };
    let day_first = NaiveDate::from_ymd_opt(year, second, first);
    let month_first = NaiveDate::from_ymd_opt(year, first, second);
    let format = |first: &str, second: &str| {
        format!("\"%{first}{separator}%{second}{separator}{year_mark}\"")
    };
    let (days, months) = (format("d", "m"), format("m", "d"));
    let shown = |date: NaiveDate| date.format("%-d %B").to_string();
    match (day_first, month_first) {
        (Some(one), Some(other)) if one != other => Some(format!(
            "; it can be read as {} ({days}) and as {} ({months}): declare the field's format, or read it in the mapping",
            shown(one),
            shown(other)
        )),
        (Some(_), _) => Some(format!("; the format {days} reads it")),
        (None, Some(_)) => Some(format!("; the format {months} reads it")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_readings_are_told() {
        insta::assert_snapshot!(readings("03/04/2024").unwrap_or_default(), @r#"; it can be read as 3 April ("%d/%m/%Y") and as 4 March ("%m/%d/%Y"): declare the field's format, or read it in the mapping"#);
        insta::assert_snapshot!(readings("25.12.24 08:00").unwrap_or_default(), @r#"; the format "%d.%m.%y" reads it"#);
        insta::assert_snapshot!(readings("12-25-2024").unwrap_or_default(), @r#"; the format "%m-%d-%Y" reads it"#);
        insta::assert_snapshot!(readings("4/4/2024").unwrap_or_default(), @r#"; the format "%d/%m/%Y" reads it"#);
        for other in [
            "2024-04-03",
            "n/a",
            "31/31/2024",
            "",
            "1/2/3/4",
            "1/2/20245",
        ] {
            assert_eq!(readings(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,16}|[0-9/.-]{0,12}") {
            readings(&text);
        }
    }
}
