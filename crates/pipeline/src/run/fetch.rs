//! Everything that the source has, into the raw zone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use futures::TryStreamExt;
use sectorlake_connector::{Connector, Cursor, Fetched, Io, PartBody, Slice, Validators};
use sectorlake_lake::{Manifest, PartMeta, RawZone, Run, Step};

use super::failure::{internal, of_put, of_source};
use crate::event::{Event, Progress};
use crate::pipeline::Pipeline;
use crate::result::{Failure, FailureKind, FetchResult};

/// Bytes of one part, at most.
const PART_BYTES_MAX: u64 = 64 << 30;
/// Parts of one unit that one run fetches, at most: a source that pages without end is broken.
const PARTS_MAX: usize = 1_000_000;

/// What a run has to work on.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// By unit, in the order in which they are loaded.
    pub(super) by_unit: BTreeMap<String, Vec<Manifest>>,
    /// Where the next run goes on.
    pub(super) cursor: BTreeMap<String, serde_json::Value>,
    pub(super) fetched: FetchResult,
    /// Parts that runs before this one fetched and never published.
    pub(super) taken_up: usize,
}

impl Parts {
    /// The hashes of all parts, in order.
    pub(super) fn hashes(&self) -> Vec<String> {
        self.by_unit
            .values()
            .flatten()
            .map(|part| part.hash.clone())
            .collect()
    }
}

/// Fetches units, one after the other: a source is asked in order and politely.
pub(super) struct Fetcher<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) connector: &'a dyn Connector,
    pub(super) io: Io,
    pub(super) raw: RawZone,
    pub(super) run: &'a Run,
    pub(super) progress: &'a dyn Progress,
    pub(super) bytes: AtomicU64,
    pub(super) total: AtomicU64,
}

impl Fetcher<'_> {
    pub(super) async fn fetch(&self, units: &[String]) -> Result<Parts, Failure> {
        let mut parts = Parts::default();
        for unit in units {
            let (manifests, cursor) = self.unit(unit, &mut parts).await?;
            if let Some(cursor) = cursor {
                parts.cursor.insert(unit.clone(), cursor.0);
            }
            parts.by_unit.insert(unit.clone(), manifests);
        }
        parts.fetched.bytes = self.bytes.load(Ordering::Relaxed);
        Ok(parts)
    }

    /// What there is of one unit: first what a run before fetched until it broke off, then what the source has after that.
    async fn unit(
        &self,
        unit: &str,
        parts: &mut Parts,
    ) -> Result<(Vec<Manifest>, Option<Cursor>), Failure> {
        let mut got = self.run.unpublished(unit).await?;
        parts.taken_up += got.len();
        let published = || self.run.state()?.cursor.get(unit).cloned();
        let mut cursor = match got.last() {
            Some(last) => last.step.as_ref().and_then(|step| step.next.clone()),
            None => published(),
        }
        .map(Cursor);
        while let Some(fetched) = self.ask(unit, cursor.as_ref()).await? {
            let next = fetched.next.clone();
            let step = Step {
                from: cursor.clone().map(|cursor| cursor.0),
                next: next.clone().map(|cursor| cursor.0),
            };
            let manifest = self.keep(unit, fetched, &self.raw.at(step)).await?;
            match manifest.run == self.run.id() {
                true => parts.fetched.parts += 1,
                false => parts.fetched.unchanged += 1,
            }
            got.push(manifest);
            if next.is_none() {
                cursor = None;
                break;
            }
            if next == cursor || got.len() > PARTS_MAX {
                let message = format!(
                    "the source does not come to an end: after part {} of {unit} it leads back to where it was",
                    got.len()
                );
                return Err(Failure::new(FailureKind::Source, message)
                    .help("ask the publisher; the pages may be numbered wrongly"));
            }
            cursor = next;
        }
        // A unit that goes on where it stopped is what all runs have fetched of it, those that failed among them.
        if cursor.is_some() {
            let all = self.raw.manifests().await?;
            got = all
                .into_iter()
                .filter(|manifest| manifest.unit == unit)
                .collect();
        }
        Ok((newest(got), cursor))
    }

    async fn ask(&self, unit: &str, cursor: Option<&Cursor>) -> Result<Option<Fetched>, Failure> {
        self.connector
            .fetch(Slice::whole(unit), cursor, &self.io)
            .await
            .map_err(|error| of_source(self.pipeline, &error))
    }

    async fn keep(&self, unit: &str, fetched: Fetched, raw: &RawZone) -> Result<Manifest, Failure> {
        if let Some(body) = fetched.part {
            return self.put(unit, body, raw).await;
        }
        let key = fetched.known.ok_or_else(|| {
            internal("the connector gave neither a part nor the key of a known one")
        })?;
        let known = raw.checked(unit, &key, self.io.started_at()).await?;
        known.ok_or_else(|| {
            internal(format!(
                "the source says {key} is unchanged, but it was never fetched"
            ))
        })
    }

    async fn put(&self, unit: &str, part: PartBody, raw: &RawZone) -> Result<Manifest, Failure> {
        let PartBody {
            key,
            name,
            status,
            headers,
            etag,
            last_modified,
            length,
            body,
        } = part;
        self.total
            .fetch_add(length.unwrap_or_default(), Ordering::Relaxed);
        let body = body.inspect_ok(|chunk| {
            let bytes =
                self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed) + chunk.len() as u64;
            let total = length.map(|_| self.total.load(Ordering::Relaxed));
            self.progress
                .event(&self.pipeline.name, &Event::Fetching { bytes, total });
        });
        let meta = PartMeta {
            key,
            name: name.clone(),
            status,
            headers,
            etag,
            last_modified,
        };
        let put = raw
            .put(self.run.id(), unit, meta, body, PART_BYTES_MAX)
            .await;
        put.map_err(|error| of_put(self.pipeline, &name, error))
    }
}

/// What the newest fetch of each key said of its version.
pub(super) fn validators(manifests: &[Manifest]) -> HashMap<String, Validators> {
    let said = manifests.iter().map(|manifest| {
        let validators = Validators {
            etag: manifest.etag.clone(),
            last_modified: manifest.last_modified.clone(),
        };
        (manifest.key.clone(), validators)
    });
    said.collect()
}

/// Of each key the newest version. Two keys may well hold the same bytes: each is a part, and its rows count.
fn newest(parts: Vec<Manifest>) -> Vec<Manifest> {
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (index, part) in parts.iter().enumerate() {
        last.insert(&part.key, index);
    }
    let kept: HashSet<usize> = last.into_values().collect();
    let versions = parts.into_iter().enumerate();
    versions
        .filter(|(index, _)| kept.contains(index))
        .map(|(_, part)| part)
        .collect()
}
