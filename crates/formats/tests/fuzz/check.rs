//! One case: open, read all, and hold what comes out against what must be.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook, take_hook};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once, PoisonError};

use futures::StreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sectorlake_formats::{FormatSpec, PartBytes, ReadOptions, members, open};
use tokio::runtime::Runtime;

use crate::random::Random;
use crate::{MEMORY, Target};

/// Records that no input of this size can hold.
const RECORDS_MAX: usize = 6_000_000;
/// Bytes that one case may take, whatever the input: readers' own buffers, and a batch.
const MEMORY_MAX: usize = 192 << 20;

/// Panics in our own code, wherever they ran.
static OURS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static HOOK: Once = Once::new();

pub(crate) struct Checker<'a> {
    target: &'a Target,
    formats: Vec<Option<FormatSpec>>,
    runtime: RefCell<Runtime>,
    keeps_running: bool,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(target: &'a Target) -> Self {
        HOOK.call_once(|| {
            let usual = take_hook();
            set_hook(Box::new(move |panic| {
                let place = panic.location().map_or("", Location::file);
                if place.contains("tests/fuzz") {
                    usual(panic);
                } else if place.contains("formats/src") || place.starts_with("src/") {
                    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
                    ours.push(panic.to_string());
                }
                // Readers of other makers may panic on a thread of their own, which ends in an error.
            }));
        });
        let format = |text: &&str| (!text.is_empty()).then(|| serde_json::from_str(text).unwrap());
        Self {
            target,
            formats: target.formats.iter().map(format).collect(),
            runtime: RefCell::new(runtime()),
            keeps_running: std::env::var_os("FUZZ_SECONDS").is_some(),
        }
    }

    /// Panics with what is wrong and where the input was kept.
    pub(crate) fn check(&self, bytes: &[u8], random: &mut Random, name: &str) {
        let format = &self.formats[random.below(self.formats.len())];
        let options = ReadOptions {
            batch_rows: 1 + random.below(64),
            partitions: 1 + random.below(3),
            memory_bytes_max: 1 << (14 + random.below(9)),
            unpacked_bytes_max: 4 << 20,
            unpacked_ratio_max: 100,
            record_bytes_max: 1 << (6 + random.below(11)),
            ..ReadOptions::default()
        };
        if self.keeps_running {
            // A case that never ends is found here.
            keep(self.target.name, "running", bytes);
        }
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let run = || {
            let runtime = self.runtime.borrow();
            runtime.block_on(read(bytes, format.as_ref(), &options))
        };
        let outcome = catch_unwind(AssertUnwindSafe(run));
        let peak = MEMORY.peak_usage().saturating_sub(before);
        let ours = std::mem::take(&mut *OURS.lock().unwrap_or_else(PoisonError::into_inner));
        let wrong = match outcome {
            Ok(Ok(())) if ours.is_empty() && peak <= MEMORY_MAX => return,
            Ok(Ok(())) if ours.is_empty() => format!("{peak} bytes were taken"),
            Ok(Ok(())) => format!("a panic: {}", ours.join("; ")),
            Ok(Err(wrong)) => wrong,
            Err(_) => format!("a panic on the caller's thread: {}", ours.join("; ")),
        };
        let hash = format!("{:08x}", crc32fast::hash(bytes));
        let kept = keep(self.target.name, &hash, bytes);
        panic!(
            "{} {name}: {wrong}\n  format: {format:?}\n  options: {options:?}\n  the input is kept as {}",
            self.target.name,
            kept.display()
        );
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

fn keep(target: &str, name: &str, bytes: &[u8]) -> PathBuf {
    let folder = std::env::temp_dir().join("sectorlake-fuzz").join(target);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Reads a part, and every member of an archive. An error of a format is as good as data; anything else says what is wrong.
async fn read(
    bytes: &[u8],
    format: Option<&FormatSpec>,
    options: &ReadOptions,
) -> Result<(), String> {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let path = Path::from("part");
    store.put(&path, bytes.to_vec().into()).await.unwrap();
    let part = PartBytes {
        store,
        path,
        size: bytes.len() as u64,
        name: "part".to_owned(),
    };
    read_one(&part, None, format, options).await?;
    if format.is_none() {
        for member in members(&part, options)
            .await
            .unwrap_or_default()
            .iter()
            .take(20)
        {
            read_one(&part, Some(&member.name), None, options).await?;
        }
    }
    Ok(())
}

async fn read_one(
    part: &PartBytes,
    member: Option<&str>,
    format: Option<&FormatSpec>,
    options: &ReadOptions,
) -> Result<(), String> {
    let opened = match open(part, member, format, options).await {
        Ok(opened) => opened,
        Err(error) => return said(&error),
    };
    let columns: Vec<usize> = (0..opened.schema().fields().len()).collect();
    let streams = opened.read(&columns);
    if streams.len() != opened.partitions() {
        return Err("there are not as many streams as it says".to_owned());
    }
    let mut numbers = BTreeSet::new();
    let mut count = 0;
    let mut streams = futures::stream::iter(streams).flatten_unordered(None);
    while let Some(decoded) = streams.next().await {
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err(error) => return said(&error),
        };
        if decoded.batch.num_rows() != decoded.rows.len() {
            return Err("a batch has not as many rows as numbers".to_owned());
        }
        let broken = decoded.broken.iter().map(|record| record.row);
        let found = decoded.rows.values().iter().copied();
        let found = found.chain(broken).chain(decoded.dropped.iter().copied());
        let before = count;
        for number in found {
            count += 1;
            if count > RECORDS_MAX {
                return Err(format!("more than {RECORDS_MAX} records came out"));
            }
            // Many records tell by their count alone: a set of all would be what takes the memory.
            if count < 100_000 && !numbers.insert(number) {
                return Err(format!("record {number} came out twice"));
            }
        }
        if count == before {
            return Err("a batch is empty".to_owned());
        }
    }
    let last = numbers.last().copied().unwrap_or_default();
    if count < 100_000 && !opened.numbers_have_gaps() && last != count as i64 {
        let missing = (1..last).find(|number| !numbers.contains(number));
        return Err(format!(
            "{count} records came out, the last is {last}, and {missing:?} is missing"
        ));
    }
    Ok(())
}

/// Errors speak of the part, not of us.
fn said(error: &sectorlake_formats::FormatError) -> Result<(), String> {
    match error.to_string() {
        text if text.contains("internal") => Err(text),
        _ => Ok(()),
    }
}
