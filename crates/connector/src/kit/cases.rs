//! The cases, and what each expects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use super::pace::TestPace;
use super::server::{Exchange, Fault, Server};
use crate::error::{ConnectorError, ErrorKind};
use crate::http::{Http, Limits};
use crate::io::{Io, Validators};
use crate::pace::Pace;
use crate::settings::SettingsError;
use crate::source::{Connector, Cursor, Slice};

/// Fetches after which a unit is said to have no end.
const FETCHES_MAX: usize = 200;

/// What a connector can do beyond reading to the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Abilities {
    /// It asks for changes only, and the recording has ETags.
    pub conditional: bool,
    /// It looks into what it fetches, so an empty answer is an error.
    pub looks_inside: bool,
    /// It goes on where it stopped: its last fetch gives a cursor too, after which nothing is left.
    pub incremental: bool,
}

/// A connector under test.
pub struct Subject<'a> {
    /// Makes it against a server at this URL, such as `http://127.0.0.1:3456`.
    pub make: &'a (dyn Fn(&str) -> Result<Arc<dyn Connector>, SettingsError> + Sync),
    /// What the server plays back.
    pub recording: Vec<Exchange>,
    /// What it can do.
    pub abilities: Abilities,
    /// Secrets in its settings, which must appear nowhere.
    pub secrets: &'a [&'a str],
}

/// Runs every case that the subject's abilities call for; a sentence per failure.
pub async fn check(subject: &Subject<'_>) -> Vec<String> {
    let mut failures = Vec::new();
    let mut note = |case: &str, outcome: Result<(), String>| {
        if let Err(failure) = outcome {
            failures.push(format!("{case}: {failure}"));
        }
    };
    note("reads to the end, twice the same", twice(subject).await);
    note("goes on from each cursor", resume(subject).await);
    if subject.abilities.conditional {
        note("unchanged", unchanged(subject).await);
    }
    if subject.abilities.incremental {
        note("nothing is left after the last cursor", ends(subject).await);
    }
    for (status, kind) in [
        (404, ErrorKind::NotFound),
        (403, ErrorKind::Forbidden),
        (400, ErrorKind::Refused),
    ] {
        let refused = Fault::Status(status, vec![]);
        note(&status.to_string(), fails(subject, refused, kind, 1).await);
    }
    let wait = vec![("Retry-After".to_owned(), "7".to_owned())];
    note(
        "429 with Retry-After",
        recovers(subject, Fault::Status(429, wait), 1, 7).await,
    );
    let busy = || Fault::Status(503, vec![]);
    note("503, then fine", recovers(subject, busy(), 2, 0).await);
    let attempts = Limits::default().attempts_max;
    note(
        "503 for good",
        fails(subject, busy(), ErrorKind::Server, attempts).await,
    );
    note(
        "cut off, then fine",
        recovers(subject, Fault::Truncated, 1, 0).await,
    );
    note(
        "cut off for good",
        fails(subject, Fault::Truncated, ErrorKind::Truncated, attempts).await,
    );
    note(
        "a web page under 200",
        fails(subject, Fault::Page, ErrorKind::NotData, 1).await,
    );
    note("an empty answer", empty(subject).await);
    note("a body without end", too_large(subject).await);
    failures
}

/// What one fetch brought, read to its end.
#[derive(Debug, Clone, PartialEq)]
struct Read {
    unit: String,
    partition: Option<String>,
    key: Option<String>,
    known: Option<String>,
    bytes: Bytes,
    etag: Option<String>,
    next: Option<Cursor>,
}

impl Read {
    fn slice(&self) -> Slice<'_> {
        Slice {
            unit: &self.unit,
            partition: self.partition.as_deref(),
        }
    }
}

struct Bench {
    server: Server,
    pace: Arc<TestPace>,
    connector: Arc<dyn Connector>,
    io: Io,
}

impl Bench {
    async fn start(subject: &Subject<'_>, limits: Limits) -> Result<Self, String> {
        let server = Server::start(subject.recording.clone())
            .await
            .map_err(|e| e.to_string())?;
        let pace = Arc::new(TestPace::default());
        let limits = Limits {
            allow_private: true,
            ..limits
        };
        let http =
            Http::new(limits, Arc::clone(&pace) as Arc<dyn Pace>).map_err(|e| e.to_string())?;
        let connector = (subject.make)(server.url()).map_err(|e| e.to_string())?;
        let io = Io::new(http, DateTime::<Utc>::UNIX_EPOCH);
        Ok(Self {
            server,
            pace,
            connector,
            io,
        })
    }

    async fn units(&self) -> Result<Vec<String>, ConnectorError> {
        let mut units = Vec::new();
        for stream in self.connector.streams(&self.io).await? {
            if !units.contains(&stream.unit) {
                units.push(stream.unit);
            }
        }
        Ok(units)
    }

    /// A unit that has partitions is read partition by partition, as a run would.
    async fn read(&self, io: &Io) -> Result<Vec<Read>, ConnectorError> {
        let mut all = Vec::new();
        for unit in self.units().await? {
            let partitions = self.connector.partitions(&unit, io).await?;
            for partition in &partitions {
                let slice = Slice {
                    unit: &unit,
                    partition: Some(partition),
                };
                all.extend(self.read_from(slice, None, io).await?);
            }
            if partitions.is_empty() {
                all.extend(self.read_from(Slice::whole(&unit), None, io).await?);
            }
        }
        Ok(all)
    }

    async fn read_from(
        &self,
        slice: Slice<'_>,
        cursor: Option<Cursor>,
        io: &Io,
    ) -> Result<Vec<Read>, ConnectorError> {
        let mut reads: Vec<Read> = Vec::new();
        let mut cursor = cursor;
        while let Some(fetched) = self.connector.fetch(slice, cursor.as_ref(), io).await? {
            let mut read = Read {
                unit: slice.unit.to_owned(),
                partition: slice.partition.map(str::to_owned),
                key: None,
                known: fetched.known,
                bytes: Bytes::new(),
                etag: None,
                next: fetched.next.clone(),
            };
            if let Some(part) = fetched.part {
                (read.key, read.etag) = (Some(part.key), part.etag);
                read.bytes = part.body.try_collect::<Vec<Bytes>>().await?.concat().into();
            }
            reads.push(read);
            cursor = fetched.next;
            if cursor.is_none() {
                break;
            }
            if reads.len() > FETCHES_MAX {
                let message = format!("unit {:?} has no end", slice.unit);
                return Err(ConnectorError::new(ErrorKind::Invalid, message));
            }
        }
        Ok(reads)
    }

    /// The server's own address is no secret, but other at each start.
    fn plain(&self, reads: Vec<Read>) -> Vec<Read> {
        let plain = |text: Option<String>| text.map(|text| text.replace(self.server.url(), ""));
        reads
            .into_iter()
            .map(|read| Read {
                key: plain(read.key),
                known: plain(read.known),
                ..read
            })
            .collect()
    }
}

async fn whole(subject: &Subject<'_>) -> Result<Vec<Read>, String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    let reads = bench
        .read(&bench.io)
        .await
        .map_err(|error| error.to_string())?;
    hides(subject, &format!("{reads:?}"))?;
    Ok(bench.plain(reads))
}

async fn twice(subject: &Subject<'_>) -> Result<(), String> {
    let (first, second) = (whole(subject).await?, whole(subject).await?);
    if first != second {
        return Err("the second reading differs from the first".to_owned());
    }
    let recorded: Vec<&Bytes> = subject
        .recording
        .iter()
        .map(|exchange| &exchange.body)
        .collect();
    if first.is_empty() {
        return Err("nothing was read".to_owned());
    }
    match first.iter().find(|read| !recorded.contains(&&read.bytes)) {
        Some(read) => Err(format!("{:?} is not as the source sent it", read.key)),
        None => Ok(()),
    }
}

async fn resume(subject: &Subject<'_>) -> Result<(), String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    let all = bench
        .read(&bench.io)
        .await
        .map_err(|error| error.to_string())?;
    for (index, read) in all.iter().enumerate() {
        let Some(cursor) = read.next.clone() else {
            continue;
        };
        let rest = bench
            .read_from(read.slice(), Some(cursor.clone()), &bench.io)
            .await;
        let rest = rest.map_err(|error| error.to_string())?;
        let expected: Vec<&Read> = all[index + 1..]
            .iter()
            .filter(|later| later.slice() == read.slice())
            .collect();
        if rest.iter().collect::<Vec<_>>() != expected {
            return Err(format!(
                "from {} it reads something else than before",
                cursor.0
            ));
        }
    }
    Ok(())
}

async fn unchanged(subject: &Subject<'_>) -> Result<(), String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    let first = bench
        .read(&bench.io)
        .await
        .map_err(|error| error.to_string())?;
    let known: BTreeMap<String, Validators> = first
        .iter()
        .filter_map(|read| {
            let validators = Validators {
                etag: read.etag.clone(),
                last_modified: None,
            };
            Some((read.key.clone()?, validators))
        })
        .collect();
    let io = bench
        .io
        .clone()
        .with_validators(move |key| known.get(key).cloned());
    let second = bench.read(&io).await.map_err(|error| error.to_string())?;
    let told: Vec<&Option<String>> = second.iter().map(|read| &read.known).collect();
    let expected: Vec<&Option<String>> = first.iter().map(|read| &read.key).collect();
    if told != expected {
        return Err(format!(
            "expected {expected:?} to be unchanged, found {told:?}"
        ));
    }
    Ok(())
}

async fn ends(subject: &Subject<'_>) -> Result<(), String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    let first = bench
        .read(&bench.io)
        .await
        .map_err(|error| error.to_string())?;
    let Some(last) = first.iter().rev().find(|read| read.next.is_some()) else {
        return Err("the last fetch gave no cursor".to_owned());
    };
    let rest = bench
        .read_from(last.slice(), last.next.clone(), &bench.io)
        .await;
    match rest.map_err(|error| error.to_string())?.as_slice() {
        [] => Ok(()),
        _ => Err("the same run reads again what it has read".to_owned()),
    }
}

/// The reading fails with `kind`, after `attempts` requests for one thing.
async fn fails(
    subject: &Subject<'_>,
    fault: Fault,
    kind: ErrorKind,
    attempts: u32,
) -> Result<(), String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    bench.server.fail(fault, u32::MAX);
    let error = match bench.read(&bench.io).await {
        Ok(_) => return Err("nothing failed".to_owned()),
        Err(error) => error,
    };
    hides(subject, &format!("{error} {error:?}"))?;
    if error.kind != kind {
        return Err(format!(
            "expected {kind:?}, found {:?}: {error}",
            error.kind
        ));
    }
    if !error.to_string().starts_with(bench.server.url()) {
        return Err(format!("the error does not say where: {error}"));
    }
    let asked = bench.server.asked().len();
    if asked != attempts as usize {
        return Err(format!("asked {asked} times, expected {attempts}"));
    }
    Ok(())
}

/// After `times` faults and at least `wait_s` seconds of waiting it reads what it always reads.
async fn recovers(
    subject: &Subject<'_>,
    fault: Fault,
    times: u32,
    wait_s: u64,
) -> Result<(), String> {
    let expected = whole(subject).await?;
    let bench = Bench::start(subject, Limits::default()).await?;
    bench.server.fail(fault, times);
    let reads = bench
        .read(&bench.io)
        .await
        .map_err(|error| error.to_string())?;
    if bench.plain(reads) != expected {
        return Err("it reads something else than without the fault".to_owned());
    }
    let longest = bench.pace.slept().into_iter().max().unwrap_or_default();
    if longest < Duration::from_secs(wait_s) || longest.is_zero() {
        return Err(format!("waited {longest:?} at most"));
    }
    Ok(())
}

async fn empty(subject: &Subject<'_>) -> Result<(), String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    bench.server.fail(Fault::Empty, u32::MAX);
    match bench.read(&bench.io).await {
        Ok(_) if subject.abilities.looks_inside => Err("nothing failed".to_owned()),
        Ok(_) => Ok(()),
        Err(error) if subject.abilities.looks_inside && error.kind == ErrorKind::Invalid => {
            hides(subject, &format!("{error} {error:?}"))
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn too_large(subject: &Subject<'_>) -> Result<(), String> {
    let smallest = subject
        .recording
        .iter()
        .map(|exchange| exchange.body.len())
        .min();
    let body_bytes_max = smallest.unwrap_or_default().saturating_sub(1) as u64;
    let bench = Bench::start(
        subject,
        Limits {
            body_bytes_max,
            ..Limits::default()
        },
    )
    .await?;
    match bench.read(&bench.io).await {
        Err(error) if error.kind == ErrorKind::TooLarge => Ok(()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err("nothing failed".to_owned()),
    }
}

fn hides(subject: &Subject<'_>, text: &str) -> Result<(), String> {
    match subject
        .secrets
        .iter()
        .find(|secret| text.contains(**secret))
    {
        Some(_) => Err("a secret is in what it says".to_owned()),
        None => Ok(()),
    }
}
