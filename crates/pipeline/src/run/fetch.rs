//! Everything that the source has, into the raw zone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::TryStreamExt;
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, PartBody, Slice, Validators,
};
use sectorlake_lake::{Manifest, PartMeta, PutError, RawZone, Run, Step, Unfinished};

use super::failure::{internal, of_put, of_source};
use super::slices::{Read, Slices};
use crate::event::{Event, Progress};
use crate::pipeline::Pipeline;
use crate::result::{Failure, FailureKind, FetchResult};

/// Bytes of one part, at most.
const PART_BYTES_MAX: u64 = 64 << 30;
/// How often a part is read that changes, or comes damaged, while it is read.
const READINGS_MAX: u32 = 3;
/// Parts of one unit or partition that one run fetches, at most: a source that pages without end is broken.
const PARTS_MAX: usize = 1_000_000;

/// What becomes of rounds that an earlier run ended and nobody published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    /// They are this run's: those that it had not ended go on.
    Up,
    /// Others follow them.
    Anew,
}

/// What a run has to work on.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// By unit, in the order in which they are loaded.
    pub(super) by_unit: BTreeMap<String, Vec<Manifest>>,
    /// Where the next run goes on, by unit.
    pub(super) cursor: BTreeMap<String, serde_json::Value>,
    /// Where it goes on in the partitions of units.
    pub(super) partitions: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// Units that were read from their beginning to their end: what they do not have, the source has no more. None where nothing
    /// was fetched.
    pub(super) whole: Option<BTreeSet<String>>,
    pub(super) fetched: FetchResult,
    /// Parts that runs before this one fetched and never published.
    pub(super) taken_up: usize,
    /// Those of them that the source can be asked for again, by path.
    pub(super) at_hand: HashSet<String>,
    /// Parts that the source gave this time, new or not, by path.
    pub(super) given: HashSet<String>,
    /// What the author should know.
    pub(super) notes: Vec<String>,
}

impl Parts {
    /// The hashes of all parts, unit by unit: of one that is read whole in the order of the fetch; of one that goes on in the order
    /// in which they came, whatever partition they are of, so that new ones are at its end.
    pub(super) fn hashes(&self) -> Vec<String> {
        let mut hashes = Vec::new();
        for (unit, parts) in &self.by_unit {
            let mut parts: Vec<&Manifest> = parts.iter().collect();
            if self.cursor.contains_key(unit) || self.partitions.contains_key(unit) {
                parts.sort_by_key(|part| part.sequence);
            }
            hashes.extend(parts.into_iter().map(|part| part.hash.clone()));
        }
        hashes
    }
}

/// Fetches units, one after the other, and the partitions of one side by side: how politely, the client knows.
pub(super) struct Fetcher<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) connector: &'a dyn Connector,
    /// The parts at hand from which on the source is asked again, by path.
    pub(super) again: Option<&'a HashSet<String>>,
    /// Units that give again, from a cursor, what they gave before.
    pub(super) repeatable: HashSet<String>,
    pub(super) io: Io,
    pub(super) known: Arc<Known>,
    pub(super) raw: RawZone,
    pub(super) run: &'a Run,
    pub(super) progress: &'a dyn Progress,
    pub(super) bytes: AtomicU64,
    pub(super) total: AtomicU64,
}

impl Fetcher<'_> {
    pub(super) async fn fetch(&self, units: &[String]) -> Result<Parts, Failure> {
        let mut parts = Parts {
            whole: Some(BTreeSet::new()),
            ..Parts::default()
        };
        let mut read = Vec::with_capacity(units.len());
        for unit in units {
            read.push((unit, self.unit(unit, &mut parts).await?));
        }
        // What goes on where it stopped is told by the manifests of all runs, which are looked through once.
        let goes_on = |(_, reads): &(_, Vec<Read>)| reads.iter().any(|it| it.cursor.is_some());
        let all = match read.iter().any(goes_on) {
            true => self.raw.manifests().await?,
            false => Vec::new(),
        };
        for (unit, reads) in read {
            parts
                .by_unit
                .insert(unit.clone(), manifests(unit, reads, &all));
        }
        parts.fetched.bytes = self.bytes.load(Ordering::Relaxed);
        Ok(parts)
    }

    /// What there is of one unit.
    async fn unit(&self, unit: &str, parts: &mut Parts) -> Result<Vec<Read>, Failure> {
        let (slices, reads) = self.read(unit, Take::Up).await?;
        for read in &reads {
            parts.fetched.parts += read.fetched;
            parts.fetched.unchanged += read.unchanged;
            parts.taken_up += read.taken_up;
            let (at_hand, given) = read.parts.split_at(read.taken_up);
            let path = |part: &Manifest| part.path.clone();
            parts.given.extend(given.iter().map(path));
            if self.repeatable.contains(unit) {
                parts.at_hand.extend(at_hand.iter().map(path));
            }
            let Some(Cursor(cursor)) = &read.cursor else {
                continue;
            };
            match &read.partition {
                None => drop(parts.cursor.insert(unit.to_owned(), cursor.clone())),
                Some(partition) => {
                    let of_unit = parts.partitions.entry(unit.to_owned()).or_default();
                    of_unit.insert(partition.clone(), cursor.clone());
                }
            }
        }
        if reads.iter().all(|read| read.cursor.is_none()) {
            parts.whole.get_or_insert_default().insert(unit.to_owned());
        }
        slices.keep_gone(self.run.state(), unit, parts);
        Ok(reads)
    }

    /// Only fetches; a run that loads takes it up.
    pub(super) async fn poll(&self, units: &[String]) -> Result<FetchResult, Failure> {
        let mut fetched = FetchResult::default();
        for unit in units {
            for read in self.read(unit, Take::Anew).await?.1 {
                fetched.parts += read.fetched;
                fetched.unchanged += read.unchanged;
            }
        }
        fetched.bytes = self.bytes.load(Ordering::Relaxed);
        Ok(fetched)
    }

    /// What the source has of one unit, after what runs before this one fetched and never published.
    async fn read(&self, unit: &str, take: Take) -> Result<(Slices, Vec<Read>), Failure> {
        let mut unfinished = self.run.unpublished(unit).await?;
        let slices = Slices::of(self, unit).await?;
        // What made a run fail whose fetch was whole may be mended by now: the source is asked anew.
        let is_over = |slice: &Option<String>| unfinished.get(slice).is_some_and(|it| it.is_whole);
        if slices.all().iter().all(is_over) {
            unfinished.clear();
        }
        // A partition that goes on from run to run does not say that its fetch is over: whether anything is left to fetch of the
        // run that broke off, the connector knows. If nothing is, its fetch was whole.
        if take == Take::Up && slices.all().len() > 1 && !unfinished.is_empty() {
            let reads = slices.read(self, unit, unfinished.clone(), take).await?;
            if reads.iter().any(|read| read.fetched + read.unchanged > 0) {
                return Ok((slices, reads));
            }
        }
        let reads = slices.read(self, unit, unfinished, Take::Anew).await?;
        Ok((slices, reads))
    }

    /// What there is of one slice: first what a run before fetched until it broke off, then what the source has after that.
    pub(super) async fn slice(
        &self,
        slice: Slice<'_>,
        unfinished: Option<Unfinished>,
        take: Take,
    ) -> Result<Read, Failure> {
        let unfinished = unfinished.unwrap_or(Unfinished {
            parts: Vec::new(),
            is_whole: false,
        });
        let mut at_hand = unfinished.parts;
        let is_again = |part: &Manifest| self.again.is_some_and(|it| it.contains(&part.path));
        if let Some(first) = at_hand.iter().position(is_again) {
            at_hand.truncate(first);
        }
        let mut read = Read {
            partition: slice.partition.map(str::to_owned),
            taken_up: at_hand.len(),
            parts: at_hand,
            ..Read::default()
        };
        if unfinished.is_whole {
            return Ok(read);
        }
        let published = || {
            self.run
                .state()?
                .cursor_of(slice.unit, slice.partition)
                .cloned()
        };
        let last = read.parts.last().map(|last| last.step.as_ref());
        read.cursor = match last {
            Some(step) => step.and_then(|step| step.next.clone()),
            None => published(),
        }
        .map(Cursor);
        let mut io = self.known.within(self.io.clone(), slice.partition);
        if let (Take::Up, Some(began)) = (take, last.flatten().and_then(|step| step.began)) {
            io = io.going_on(began);
        }
        let raw = self.raw.within(slice.partition);
        while let Some((manifest, next)) =
            self.part(slice, read.cursor.as_ref(), (&raw, &io)).await?
        {
            match manifest.run == self.run.id() {
                true => read.fetched += 1,
                false => read.unchanged += 1,
            }
            read.parts.push(manifest);
            if next.is_none() {
                read.cursor = None;
                break;
            }
            if next == read.cursor || read.parts.len() > PARTS_MAX {
                let message = format!(
                    "the source does not come to an end: after part {} of {} it leads back to where it was",
                    read.parts.len(),
                    slice.unit
                );
                return Err(Failure::new(FailureKind::Source, message)
                    .help("ask the publisher; the pages may be numbered wrongly"));
            }
            read.cursor = next;
        }
        Ok(read)
    }

    /// The part after `cursor`, kept, and where to go on. What changes while it is read is read anew, from its beginning.
    async fn part(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        (raw, io): (&RawZone, &Io),
    ) -> Result<Option<(Manifest, Option<Cursor>)>, Failure> {
        let mut readings = 0;
        loop {
            let Some(fetched) = self.ask(slice, cursor, io).await? else {
                return Ok(None);
            };
            let next = fetched.next.clone();
            let step = Step {
                from: cursor.cloned().map(|cursor| cursor.0),
                next: next.clone().map(|cursor| cursor.0),
                began: Some(io.started_at()),
            };
            readings += 1;
            let raw = raw.at(step);
            let Some(body) = fetched.part else {
                let manifest = self.unchanged(slice.unit, fetched.known, &raw).await?;
                return Ok(Some((manifest, next)));
            };
            let name = body.name.clone();
            match self.put(slice.unit, body, &raw).await {
                Ok(manifest) => return Ok(Some((manifest, next))),
                Err(PutError::Body(error)) if is_other(&error) && readings < READINGS_MAX => {
                    tracing::warn!(%error, "it is read anew");
                }
                Err(error) => return Err(of_put(self.pipeline, &name, error)),
            }
        }
    }

    async fn ask(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, Failure> {
        self.connector
            .fetch(slice, cursor, io)
            .await
            .map_err(|error| of_source(self.pipeline, &error))
    }

    /// What the source says is unchanged.
    async fn unchanged(
        &self,
        unit: &str,
        key: Option<String>,
        raw: &RawZone,
    ) -> Result<Manifest, Failure> {
        let key = key.ok_or_else(|| {
            internal("the connector gave neither a part nor the key of a known one")
        })?;
        let known = raw.checked(unit, &key, self.io.started_at()).await?;
        known.ok_or_else(|| {
            internal(format!(
                "the source says {key} is unchanged, but it was never fetched"
            ))
        })
    }

    async fn put(
        &self,
        unit: &str,
        part: PartBody,
        raw: &RawZone,
    ) -> Result<Manifest, PutError<ConnectorError>> {
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
            name,
            status,
            headers,
            etag,
            last_modified,
        };
        raw.put(self.run.id(), unit, meta, body, PART_BYTES_MAX)
            .await
    }
}

/// Whether what came is not one thing from beginning to end, so that another reading may well be.
fn is_other(error: &ConnectorError) -> bool {
    matches!(error.kind, ErrorKind::Changed | ErrorKind::Corrupt)
}

/// What the newest fetch of each key said of its version, by partition.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<Option<String>, HashMap<String, Validators>>);

impl Known {
    pub(super) fn of(manifests: &[Manifest]) -> Arc<Self> {
        let mut known = Self::default();
        for manifest in manifests {
            let of_slice = known.0.entry(manifest.partition.clone()).or_default();
            let validators = Validators {
                etag: manifest.etag.clone(),
                last_modified: manifest.last_modified.clone(),
            };
            of_slice.insert(manifest.key.clone(), validators);
        }
        Arc::new(known)
    }

    /// `io` that knows of one partition, or of what has none.
    pub(super) fn within(self: &Arc<Self>, io: Io, partition: Option<&str>) -> Io {
        let (known, partition) = (Arc::clone(self), partition.map(str::to_owned));
        io.with_validators(move |key| known.0.get(&partition)?.get(key).cloned())
    }
}

/// The parts that a unit consists of. What goes on where it stopped is what all runs have fetched of it, those that failed and
/// partitions that the source lists no more among them.
fn manifests(unit: &str, reads: Vec<Read>, all: &[Manifest]) -> Vec<Manifest> {
    let goes_on = reads.iter().any(|read| read.cursor.is_some());
    let listed: HashSet<&Option<String>> = reads.iter().map(|read| &read.partition).collect();
    let mut known: HashMap<&Option<String>, Vec<Manifest>> = HashMap::new();
    let mut gone = Vec::new();
    for manifest in all.iter().filter(|it| goes_on && it.unit == unit) {
        match listed.contains(&manifest.partition) {
            true => known
                .entry(&manifest.partition)
                .or_default()
                .push(manifest.clone()),
            false => gone.push(manifest.clone()),
        }
    }
    drop(listed);
    let mut manifests = newest(gone);
    for read in reads {
        if read.cursor.is_none() {
            manifests.extend(newest(read.parts));
            continue;
        }
        let mut of_slice = known.remove(&read.partition).unwrap_or_default();
        // In the order in which the source gave them: of what it was asked for again the numbers may be older.
        let taken: HashSet<&str> = read.parts.iter().map(|part| part.path.as_str()).collect();
        of_slice.retain(|part| !taken.contains(part.path.as_str()));
        of_slice.extend(read.parts);
        manifests.extend(newest(of_slice));
    }
    manifests
}

/// Of each key of a partition the newest version. Two keys may well hold the same bytes: each is a part, and its rows count.
fn newest(parts: Vec<Manifest>) -> Vec<Manifest> {
    let mut last: HashMap<(Option<&str>, &str), usize> = HashMap::new();
    for (index, part) in parts.iter().enumerate() {
        last.insert((part.partition.as_deref(), &part.key), index);
    }
    let kept: HashSet<usize> = last.into_values().collect();
    let versions = parts.into_iter().enumerate();
    versions
        .filter(|(index, _)| kept.contains(index))
        .map(|(_, part)| part)
        .collect()
}
