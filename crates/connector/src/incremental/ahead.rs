//! Times in the future, which do not move a mark: one typing error must not end all fetching.

use chrono::{DateTime, Duration, Utc};

use super::Mark;

/// Up to here a time without zone may well be the present of another zone: it does not move the mark, and is not worth a word.
const ZONES: Duration = Duration::days(1);

/// What a run should hear of times in the future.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead {
    records: u64,
    latest: Option<DateTime<Utc>>,
}

impl Ahead {
    /// Counts `mark` if it lies in the future of a run that began at `now`.
    pub fn add(&mut self, mark: &Mark, now: DateTime<Utc>) {
        let Mark::Time(time) = mark else {
            return;
        };
        if time.signed_duration_since(now) <= ZONES {
            return;
        }
        self.records += 1;
        self.latest = self.latest.max(Some(*time));
    }

    /// The note; `None` where there was none.
    #[must_use]
    pub fn note(&self, field: impl std::fmt::Display) -> Option<String> {
        let latest = Mark::Time(self.latest?).text(None);
        let told = match self.records {
            1 => format!("a record has a time in the future at `{field}`, {latest}: it does"),
            records => format!(
                "{records} records have times in the future at `{field}`, up to {latest}: they do"
            ),
        };
        Some(format!("{told} not count for where the next run goes on"))
    }
}
