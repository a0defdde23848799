//! `--snapshot N|DATE`: which state of the lake to read.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sectorlake_lake::At;

use crate::exit::{Exit, Failure};

/// Reads the flag: nothing is the latest snapshot, a number that snapshot, a date the end of that day in UTC, an instant itself.
///
/// # Errors
/// Text that is none of these.
pub(crate) fn parse(text: Option<&str>) -> Result<At, Failure> {
    let Some(text) = text.map(str::trim) else {
        return Ok(At::Latest);
    };
    if let Ok(number) = text.parse::<u64>() {
        return Ok(At::Number(number));
    }
    let instant = match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(day) => day
            .succ_opt()
            .map(|next| next.and_time(NaiveTime::MIN).and_utc()),
        Err(_) => DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|it| it.with_timezone(&Utc)),
    };
    instant.map(At::AsOf).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("--snapshot {text}: neither a number nor a date"))
            .help("give a snapshot's number, a date such as 2026-03-31 or an instant such as 2026-03-31T08:00:00Z; `sectorlake snapshots` lists them")
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn numbers_dates_and_instants() {
        assert!(matches!(parse(None), Ok(At::Latest)));
        assert!(matches!(parse(Some("17")), Ok(At::Number(17))));
        let check = |text, expected: &str| match parse(Some(text)).unwrap() {
            At::AsOf(instant) => assert_eq!(instant.to_rfc3339(), expected, "{text}"),
            _ => unreachable!("{text}"),
        };
        check("2026-03-31", "2026-04-01T00:00:00+00:00");
        check("2026-03-31T08:00:00+07:00", "2026-03-31T01:00:00+00:00");
        for wrong in ["", "yesterday", "-1", "2026-02-30", "31/03/2026"] {
            assert_eq!(parse(Some(wrong)).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }
}
