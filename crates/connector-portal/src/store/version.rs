//! Which version of a file was read, so that it is not read again.
//!
//! Where a store gives no ETag, size and time must do. Clocks of files have ticks: what is written twice within one, at the same
//! length, looks the same. So the version that was read counts only if the tick was over before the reading began. That is known
//! by the file's age where the store's clock can be relied on, or else by our own clock alone: we saw that very time earlier, and
//! a tick has passed since. Until then the version is provisional, and the file is read once more.

use chrono::{DateTime, TimeDelta, Utc};

use super::place::Service;
use super::shelf::Entry;

/// How long a time that was seen must have passed: FTP's LIST counts minutes, FAT steps of two seconds.
const TICK_SECONDS: i64 = 120;

/// FTP's LIST gives the time of the server's own zone and names none: that may be twelve hours behind UTC. An hour is for clocks.
const FTP_SECONDS: i64 = 13 * 3600;

/// A version by size and time, as it is kept in place of an ETag: `W/"SIZE-TIME"`, or, provisional, `W/"SIZE-TIME-SEEN"`. Times
/// in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) size: u64,
    modified: i64,
    /// Provisional: when the time of the file had been seen for the first time.
    seen: Option<i64>,
}

impl Version {
    /// One that was kept; none for an ETag of a store.
    pub(super) fn of_kept(kept: &str) -> Option<Self> {
        let inner = kept.strip_prefix("W/\"")?.strip_suffix('"')?;
        // The time may be one before 1970, and then begins with a dash.
        let (size, rest) = inner.split_once('-')?;
        let (modified, seen) = match rest.get(1..)?.find('-') {
            Some(at) => (&rest[..=at], Some(rest.get(at + 2..)?)),
            None => (rest, None),
        };
        Some(Self {
            size: size.parse().ok()?,
            modified: modified.parse().ok()?,
            seen: seen.map(str::parse).transpose().ok()?,
        })
    }

    fn kept(self) -> String {
        let (size, modified) = (self.size, self.modified);
        match self.seen {
            None => format!("W/\"{size}-{modified}\""),
            Some(seen) => format!("W/\"{size}-{modified}-{seen}\""),
        }
    }
}

/// When a file was looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// When the run began that reads it: not after the look.
    pub(super) run: DateTime<Utc>,
    /// When it had been looked at: not before the look.
    pub(super) done: DateTime<Utc>,
}

impl Entry {
    /// Whether it is the version that was kept, for good.
    pub(super) fn is_known(&self, kept: &str) -> bool {
        match &self.etag {
            Some(etag) => etag == kept,
            None => self.by_time().is_some_and(|it| it.kept() == kept),
        }
    }

    /// What is kept of the version that is about to be read; `kept` is what was kept of the one that was read last. None where
    /// the store tells nothing.
    pub(super) fn version(
        &self,
        service: Service,
        look: Look,
        kept: Option<&str>,
    ) -> Option<String> {
        if let Some(etag) = &self.etag {
            return Some(etag.clone());
        }
        let now = self.by_time()?;
        let is_old = look.run.signed_duration_since(self.modified?) >= settled_after(service);
        let before = kept.and_then(Version::of_kept).filter(|before| {
            let Version { seen, .. } = *before;
            seen.is_some() && *before == Version { seen, ..now }
        });
        let seen = before.and_then(|before| before.seen);
        let ticks = look.run.timestamp_millis() - TICK_SECONDS * 1000;
        let seen = match seen {
            _ if is_old => None,
            Some(seen) if seen <= ticks => None,
            Some(seen) => Some(seen),
            None => Some(look.done.timestamp_millis()),
        };
        Some(Version { seen, ..now }.kept())
    }

    fn by_time(&self) -> Option<Version> {
        Some(Version {
            size: self.size?,
            modified: self.modified?.timestamp_millis(),
            seen: None,
        })
    }
}

/// The age at which a file changes no more within the tick of its time.
fn settled_after(service: Service) -> TimeDelta {
    TimeDelta::seconds(match service {
        Service::Ftp { .. } => FTP_SECONDS,
        _ => TICK_SECONDS,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    const FTP: Service = Service::Ftp {
        is_encrypted: false,
    };

    fn entry(modified: DateTime<Utc>) -> Entry {
        Entry {
            path: "a/b.csv".to_owned(),
            is_folder: false,
            size: Some(7),
            etag: None,
            modified: Some(modified),
        }
    }

    #[test]
    fn a_file_is_known_once_the_tick_of_its_time_is_over() {
        let modified: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let later = |seconds| modified + TimeDelta::seconds(seconds);
        let look = |seconds| Look {
            run: later(seconds),
            done: later(seconds + 5),
        };
        let mut entry = entry(modified);
        let settled = "W/\"7-1767225600000\"";
        let seen_at_30 = "W/\"7-1767225600000-1767225635000\"";
        let hours = 3600;
        for (service, at, kept, expected) in [
            (Service::Sftp, 120, None, settled),
            (Service::Sftp, 30, None, seen_at_30),
            // The server's clock is ahead.
            (
                Service::Sftp,
                -30,
                None,
                "W/\"7-1767225600000-1767225575000\"",
            ),
            (FTP, 30, None, seen_at_30),
            (FTP, 13 * hours, None, settled),
            // Too early by our own clock: it goes on to count from the first time.
            (FTP, 154, Some(seen_at_30), seen_at_30),
            (FTP, 155, Some(seen_at_30), settled),
            // Of another version nothing is taken over.
            (
                FTP,
                155,
                Some("W/\"8-1767225600000-1767225635000\""),
                "W/\"7-1767225600000-1767225760000\"",
            ),
            (
                FTP,
                155,
                Some("\"x\""),
                "W/\"7-1767225600000-1767225760000\"",
            ),
        ] {
            let said = entry.version(service, look(at), kept).unwrap();
            assert_eq!(said, expected, "{service:?} {at} {kept:?}");
            assert_eq!(entry.is_known(&said), expected == settled, "{said}");
        }
        entry.etag = Some("\"x\"".to_owned());
        assert_eq!(entry.version(FTP, look(0), None).as_deref(), Some("\"x\""));
        assert!(entry.is_known("\"x\"") && !entry.is_known(settled));
        entry.etag = None;
        entry.modified = None;
        assert_eq!(entry.version(FTP, look(0), None), None);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_understood(size: u64, modified: i64, seen: Option<i64>) {
            let version = Version { size, modified, seen };
            prop_assert_eq!(Version::of_kept(&version.kept()), Some(version));
        }

        #[test]
        fn no_etag_is_too_odd(text in "W/\"[0-9-]{0,20}\"|.{0,20}") {
            if let Some(version) = Version::of_kept(&text) {
                prop_assert_eq!(Version::of_kept(&version.kept()), Some(version));
            }
        }
    }
}
