//! The cases, and what each expects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::hostile;
use super::reader::{Read, Reader};
use super::server::{Exchange, Fault, Server};
use crate::error::ErrorKind;
use crate::http::Limits;
use crate::io::Validators;
use crate::settings::SettingsError;
use crate::source::{Connector, Reads};

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
    note("says from where it reads", tells(subject).await);
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
    note("partitions", partitions(subject).await);
    // Without what is right there is nothing to compare with, and the failure is told already.
    if let Ok(right) = whole(subject).await {
        failures.extend(hostile::check(subject, &right).await);
    }
    failures
}

struct Bench {
    server: Server,
    reader: Reader,
}

impl Bench {
    async fn start(subject: &Subject<'_>, limits: Limits) -> Result<Self, String> {
        let server = Server::start(subject.recording.clone())
            .await
            .map_err(|e| e.to_string())?;
        let reader = Reader::new(subject, server.url(), limits)?;
        Ok(Self { server, reader })
    }

    async fn read(&self) -> Result<Vec<Read>, String> {
        let read = self.reader.read(&self.reader.io).await;
        read.map_err(|error| error.to_string())
    }
}

async fn whole(subject: &Subject<'_>) -> Result<Vec<Read>, String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    let reads = bench.read().await?;
    hides(subject, &format!("{reads:?}"))?;
    Ok(bench.reader.plain(reads))
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
    let all = bench.read().await?;
    for (index, read) in all.iter().enumerate() {
        let Some(cursor) = read.next.clone() else {
            continue;
        };
        let reader = &bench.reader;
        let rest = reader
            .read_from(read.slice(), Some(cursor.clone()), &reader.io)
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
    let first = bench.read().await?;
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
        .reader
        .io
        .clone()
        .with_validators(move |key| known.get(key).cloned());
    let second = bench.reader.read(&io).await;
    let second = second.map_err(|error| error.to_string())?;
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
    let first = bench.read().await?;
    let Some(last) = first.iter().rev().find(|read| read.next.is_some()) else {
        return Err("the last fetch gave no cursor".to_owned());
    };
    let reader = &bench.reader;
    let rest = reader
        .read_from(last.slice(), last.next.clone(), &reader.io)
        .await;
    match rest.map_err(|error| error.to_string())?.as_slice() {
        [] => Ok(()),
        _ => Err("the same run reads again what it has read".to_owned()),
    }
}

/// A stream that is read whole ends without a cursor, and one that goes on with one.
async fn tells(subject: &Subject<'_>) -> Result<(), String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    let all = bench.read().await?;
    let Reader { connector, io, .. } = &bench.reader;
    let streams = connector.streams(io).await.map_err(|e| e.to_string())?;
    for stream in streams {
        let Some(last) = all.iter().rev().find(|read| read.unit == stream.unit) else {
            continue;
        };
        let is_whole = stream.reads == Reads::Whole;
        if is_whole != last.next.is_none() {
            return Err(format!(
                "{} says {:?}, and its last fetch gives {:?}",
                stream.name, stream.reads, last.next
            ));
        }
    }
    Ok(())
}

/// Partitions have names of their own, the same each time.
async fn partitions(subject: &Subject<'_>) -> Result<(), String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    let Reader { connector, io, .. } = &bench.reader;
    let units = bench.reader.units().await.map_err(|e| e.to_string())?;
    for unit in units {
        let first = connector.partitions(&unit, io).await;
        let first = first.map_err(|error| error.to_string())?;
        let second = connector.partitions(&unit, io).await;
        if second.as_ref() != Ok(&first) {
            return Err(format!("unit {unit:?} has {first:?}, then {second:?}"));
        }
        let mut names = first.clone();
        names.sort();
        names.dedup();
        if names.len() < first.len() || names.iter().any(String::is_empty) {
            return Err(format!("unit {unit:?} names {first:?}"));
        }
    }
    Ok(())
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
    let error = match bench.reader.read(&bench.reader.io).await {
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
    let reads = bench.read().await?;
    if bench.reader.plain(reads) != expected {
        return Err("it reads something else than without the fault".to_owned());
    }
    let longest = bench
        .reader
        .pace
        .slept()
        .into_iter()
        .max()
        .unwrap_or_default();
    if longest < Duration::from_secs(wait_s) || longest.is_zero() {
        return Err(format!("waited {longest:?} at most"));
    }
    Ok(())
}

async fn empty(subject: &Subject<'_>) -> Result<(), String> {
    let bench = Bench::start(subject, Limits::default()).await?;
    bench.server.fail(Fault::Empty, u32::MAX);
    match bench.reader.read(&bench.reader.io).await {
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
    match bench.reader.read(&bench.reader.io).await {
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
