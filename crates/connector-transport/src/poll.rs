//! Addresses that hold one moment, and are asked again and again.
//!
//! What an answer says of itself is kept in the cursor: a run asks once, later runs ask for changes only, and not at all before the
//! source says that there is something new.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use sectorlake_connector::{
    Answer, ConnectorError, Cursor, ErrorKind, Fetched, Io, Request, SourceUrl, Validators,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Answers of one run that say there is more, at most.
const ANSWERS_MAX: u32 = 1000;
/// A time to live beyond this is a mistake of the publisher's.
const TTL_MAX: TimeDelta = TimeDelta::days(1);

/// What an answer says of itself.
#[derive(Debug, Default)]
pub(crate) struct Moment {
    /// What tells this moment from others, for streams of which every moment is kept: the answer's own time. None: only the newest
    /// answer counts.
    pub(crate) stamp: Option<String>,
    /// When it was made.
    pub(crate) made_at: Option<DateTime<Utc>>,
    /// How many seconds it holds from then on.
    pub(crate) ttl_s: Option<i64>,
    /// Whether there is more, to be asked for at once.
    pub(crate) has_more: bool,
}

impl Moment {
    /// Of an answer that tells no time of its own, of which every one is kept: that of the run that asked.
    pub(crate) fn or_asked_at(mut self, started_at: DateTime<Utc>) -> Self {
        self.stamp = self
            .stamp
            .or_else(|| Some(format!("asked_at={}", started_at.to_rfc3339())));
        self
    }
}

/// Where one address stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Progress {
    /// When the run began that asked last: it asks no second time.
    run: DateTime<Utc>,
    /// What told the last answer from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
    /// Before then there is nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<DateTime<Utc>>,
    /// Answers of this run so far, where the last one said that there is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    more: Option<u32>,
}

impl Progress {
    fn of(cursor: Option<&Cursor>) -> Option<Self> {
        serde_json::from_value(cursor?.0.clone()).ok()
    }

    fn cursor(self) -> Cursor {
        Cursor(json!(self))
    }
}

/// Whether there is anything to ask for: the run that began at `started_at` has not asked yet, and what was said last no longer holds;
/// or the last answer said that there is more.
pub(crate) fn is_due(cursor: Option<&Cursor>, started_at: DateTime<Utc>) -> bool {
    Progress::of(cursor).is_none_or(|progress| {
        let holds = progress.until.is_some_and(|until| started_at < until);
        progress.more.is_some() || (progress.run != started_at && !holds)
    })
}

/// Asks, unless it is not due; `look` reads what an answer of at most `bytes_max` says of itself.
pub(crate) async fn poll(
    request: Request,
    url: &SourceUrl,
    bytes_max: usize,
    (cursor, io): (Option<&Cursor>, &Io),
    look: impl FnOnce(&Bytes) -> Result<Moment, ConnectorError>,
) -> Result<Option<Fetched>, ConnectorError> {
    let started_at = io.started_at();
    if !is_due(cursor, started_at) {
        return Ok(None);
    }
    let place = url.to_string();
    let before = Progress::of(cursor);
    let known = known(before.as_ref(), &place, io);
    let answer = match io.http().get(&request.if_changed_since(known)).await? {
        Answer::Fresh(answer) => answer,
        Answer::Unchanged => return Ok(Some(unchanged(before, &place, started_at))),
    };
    let (answer, bytes) = answer.read(bytes_max).await?;
    let moment = look(&bytes).map_err(|error| error.at(url))?;
    let asked = before.as_ref().and_then(|before| before.more).unwrap_or(0) + 1;
    if moment.has_more && asked >= ANSWERS_MAX {
        let message = format!("{asked} answers one after the other say that there is more");
        return Err(ConnectorError::new(ErrorKind::Invalid, message)
            .at(url)
            .with_help("ask the publisher: there seems to be no end"));
    }
    // Answers that belong together may well be of one time.
    let stamp = moment.stamp.clone().map(|stamp| match asked {
        1 => stamp,
        _ => format!("{stamp}&answer={asked}"),
    });
    let key = key(&place, stamp.as_deref());
    let is_known = stamp.is_some() && before.is_some_and(|before| before.stamp == stamp);
    let next = Progress {
        run: started_at,
        etag: answer.etag.clone(),
        last_modified: answer.last_modified.clone(),
        until: until(&moment, started_at),
        stamp,
        more: moment.has_more.then_some(asked),
    };
    Ok(Some(match is_known {
        true => Fetched::unchanged(key, Some(next.cursor())),
        false => Fetched::part(answer.into_part(key, &url.file_name()), Some(next.cursor())),
    }))
}

/// What the last answer said of its version.
fn known(before: Option<&Progress>, place: &str, io: &Io) -> Option<Validators> {
    let known = match before {
        // The next of several answers is another thing than the last.
        Some(progress) if progress.more.is_some() => None,
        Some(progress) => Some(Validators {
            etag: progress.etag.clone(),
            last_modified: progress.last_modified.clone(),
        }),
        None => io.validators(place),
    };
    known.filter(|known| known.etag.is_some() || known.last_modified.is_some())
}

/// The part that an answer is.
fn key(place: &str, stamp: Option<&str>) -> String {
    match stamp {
        Some(stamp) => format!("{place}#{stamp}"),
        None => place.to_owned(),
    }
}

/// What did not change is asked for again by the next run.
fn unchanged(before: Option<Progress>, place: &str, started_at: DateTime<Utc>) -> Fetched {
    let before = before.unwrap_or(Progress {
        run: started_at,
        stamp: None,
        etag: None,
        last_modified: None,
        until: None,
        more: None,
    });
    let next = Progress {
        run: started_at,
        until: None,
        more: None,
        ..before
    };
    Fetched::unchanged(key(place, next.stamp.as_deref()), Some(next.cursor()))
}

/// Until when an answer holds: so long after it was made as it says, but never longer than that from now, whatever its clock says.
pub(crate) fn until(moment: &Moment, started_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let ttl = TimeDelta::try_seconds(moment.ttl_s?)?.min(TTL_MAX);
    let made_at = moment.made_at?.min(started_at);
    (ttl > TimeDelta::zero()).then(|| made_at + ttl)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_moment_holds_as_long_as_it_says_and_no_clock_stretches_that() {
        let now: DateTime<Utc> = "2025-09-23T10:00:00Z".parse().unwrap();
        let holds = |made: &str, ttl_s: i64| {
            let moment = Moment {
                stamp: None,
                made_at: Some(made.parse().unwrap()),
                ttl_s: Some(ttl_s),
                has_more: false,
            };
            until(&moment, now).map(|until| (until - now).num_seconds())
        };
        assert_eq!(holds("2025-09-23T09:59:30Z", 60), Some(30));
        assert_eq!(holds("2025-09-23T10:00:00Z", 0), None);
        assert_eq!(holds("2099-01-01T00:00:00Z", 60), Some(60));
        assert_eq!(holds("2025-09-23T10:00:00Z", i64::MAX), None);
        assert_eq!(holds("2025-09-23T10:00:00Z", 999_999_999), Some(86_400));
        assert_eq!(
            holds("2020-01-01T00:00:00Z", 60).map(|left| left < 0),
            Some(true)
        );
    }
}
