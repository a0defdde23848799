//! Hostile answers, each a file in `tests/hostile`, played to a connector in place of the right ones.
//!
//! Whatever comes, a connector neither panics nor asks without end; what it fails with says where and how to mend it, holds no
//! secret, and is of a kind that the case expects; and what it takes is either right or, to the byte, what the server sent.

mod answer;
mod case;
mod corpus;
mod server;

use std::time::Duration;

use self::case::{Case, Outcome};
use self::server::Villain;
use super::Subject;
use super::reader::{NO_END, Read, Reader};
use crate::error::ConnectorError;
use crate::http::Limits;

/// The size that is taken of a body at least, so that one without end ends soon.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Questions after which a connector is said to ask without end.
const ASKED_MAX: usize = 1000;
/// Nothing here waits for real; what takes so long hangs.
const HANGS_AFTER: Duration = Duration::from_secs(120);

/// Plays every hostile answer to the subject; `right` is what it reads when all is well. A sentence per failure.
pub(super) async fn check(subject: &Subject<'_>, right: &[Read]) -> Vec<String> {
    let mut failures = Vec::new();
    for (name, text) in corpus::FILES {
        let failure = match Case::parse(text) {
            Ok(case) => meets(subject, &case, right).await,
            Err(reason) => Err(reason),
        };
        if let Err(failure) = failure {
            failures.push(format!("tests/hostile/{name}.http: {failure}"));
        }
    }
    failures
}

async fn meets(subject: &Subject<'_>, case: &Case, right: &[Read]) -> Result<(), String> {
    let recording = subject.recording.clone();
    let server = Villain::start(case.clone(), recording)
        .await
        .map_err(|error| error.to_string())?;
    let largest = subject.recording.iter().map(|it| it.body.len()).max();
    let body_bytes_max = BODY_BYTES_MAX.max(2 * largest.unwrap_or_default()) as u64;
    let limits = Limits {
        body_bytes_max,
        ..Limits::default()
    };
    let reader = Reader::new(subject, server.url(), limits)?;
    server.keeps(&reader.pace);
    let read = tokio::time::timeout(HANGS_AFTER, reader.read(&reader.io)).await;
    let read = read.map_err(|_| "it hangs".to_owned())?;
    if server.asked() > ASKED_MAX {
        return Err(format!("it asked {} times", server.asked()));
    }
    let said = format!("{read:?}");
    if let Some(secret) = subject
        .secrets
        .iter()
        .find(|&&secret| said.contains(secret))
    {
        let length = secret.len();
        // What the server echoes of a question stands in the bytes alone, which are kept as they came.
        let elsewhere = match &read {
            Ok(reads) => reads.iter().any(|read| tells(read, secret)),
            Err(_) => true,
        };
        if elsewhere {
            return Err(format!("a secret of {length} bytes is in what it says"));
        }
    }
    match read {
        Err(error) => fails_well(case, &error, server.url()),
        Ok(reads) => {
            let reads = reader.plain(reads);
            takes_well(case, &reads, right, &server)
        }
    }
}

fn takes_well(case: &Case, reads: &[Read], right: &[Read], server: &Villain) -> Result<(), String> {
    let parts = || reads.iter().filter(|read| read.key.is_some());
    let expected = case.expected.iter().any(|outcome| match outcome {
        Outcome::Right => same(reads, right),
        Outcome::AsSent => parts().all(|read| server.sent(&read.bytes)),
        Outcome::AsBegun => parts().all(|read| server.began(&read.bytes)),
        Outcome::WithoutEnd | Outcome::Error(..) => false,
    });
    match expected {
        true => Ok(()),
        false => Err(format!("expected {}, it took {reads:?}", case.shown())),
    }
}

fn fails_well(case: &Case, error: &ConnectorError, place: &str) -> Result<(), String> {
    if error.message.ends_with(NO_END) && case.expected.contains(&Outcome::WithoutEnd) {
        return Ok(());
    }
    if !case.takes(error) {
        let found = format!("{:?}: {error}", error.kind);
        return Err(format!("expected {}, found {found}", case.shown()));
    }
    if !error
        .place
        .as_deref()
        .is_some_and(|at| at.starts_with(place))
    {
        return Err(format!("the error does not say where: {error}"));
    }
    if error.help.is_none() {
        return Err(format!("the error does not say how to mend it: {error}"));
    }
    Ok(())
}

fn tells(read: &Read, secret: &str) -> bool {
    let Read {
        key,
        known,
        etag,
        next,
        ..
    } = read;
    format!("{key:?} {known:?} {etag:?} {next:?}").contains(secret)
}

/// The same parts; validators and cursors may differ.
fn same(reads: &[Read], right: &[Read]) -> bool {
    let part = |read: &Read| (read.slice_names(), read.key.clone(), read.bytes.clone());
    reads.iter().map(part).eq(right.iter().map(part))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_file_is_a_case_and_every_case_a_file() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/hostile");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                name.strip_suffix(".http").map(str::to_owned)
            })
            .collect();
        found.sort();
        let listed: Vec<&str> = corpus::FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, found);
        assert!(found.len() >= 40, "{}", found.len());
        for (name, text) in corpus::FILES {
            let case = Case::parse(text).unwrap_or_else(|reason| unreachable!("{name}: {reason}"));
            assert!(case.about().len() >= 15, "{name}");
        }
    }
}
