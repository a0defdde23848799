//! What a source that is polled makes of a lake: so many runs, each of so many rows merged by entity and time, a day a partition.
//!
//! `cargo run --release -p sectorlake-lake --example micro_batches -- [RUNS] [ROWS] [apart] [FOLDER]`; with `apart` small files are not
//! written together. Tells, tenth by tenth, how long a run takes and how many files are live; then what was written for what came.

#![expect(clippy::print_stdout, reason = "an example tells what it measured")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::record_batch::RecordBatch;
use chrono::TimeDelta;
use futures::TryStreamExt;
use sectorlake_contract::Contract;
use sectorlake_lake::{
    At, Env, Lake, Load, ManualClock, PipelineState, StageOptions, Staged, TableWriter,
};

const PIPELINE: &str = "vehicles";
const TABLE: &str = "transport.positions";
const CONTRACT: &str = r#"{ "fields": [
    { "name": "entity", "type": "string" },
    { "name": "timestamp", "type": "datetime" },
    { "name": "day", "type": "date" },
    { "name": "latitude", "type": "number" },
    { "name": "longitude", "type": "number" }
], "primaryKey": ["entity", "timestamp"], "sectorlake": { "partition_by": ["day"] } }"#;
const MINUTE_MICROS: i64 = 60_000_000;
const DAY_MICROS: i64 = 86_400_000_000;
/// 2026-01-01.
const START_MICROS: i64 = 20_454 * DAY_MICROS;

type Fault = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut words = std::env::args().skip(1);
    let mut number = |default| words.next().map_or(Ok(default), |word| word.parse());
    let (runs, rows): (i64, i64) = (number(500)?, number(1000)?);
    let apart = words.next().is_some_and(|word| word == "apart");
    let scratch = tempfile::tempdir()?;
    let folder = words
        .next()
        .unwrap_or_else(|| scratch.path().display().to_string());
    let clock = Arc::new(ManualClock::default());
    let lake = Lake::open_or_create(&folder, Env::of_this_process(Arc::clone(&clock) as _)).await?;
    let poll = Poll {
        contract: Arc::new(Contract::parse(TABLE.parse()?, CONTRACT)?),
        options: StageOptions {
            buffer_bytes_max: if apart { 1 } else { 128 << 20 },
            ..StageOptions::default()
        },
        rows,
    };
    let tenth = (runs / 10).max(1);
    let (mut took, mut compacted) = (Duration::ZERO, 0);
    // A lake that is there goes on.
    let there = lake.snapshot(At::Latest).await?;
    let from = there.map_or(Ok(0), |there| i64::try_from(there.number))?;
    clock.advance(TimeDelta::minutes(from));
    for run in from..from + runs {
        clock.advance(TimeDelta::minutes(1));
        let begun = Instant::now();
        compacted += poll.run(&lake, run).await?.compacted;
        took += begun.elapsed();
        if (run + 1 - from) % tenth == 0 {
            let each = took.as_secs_f64() * 1000.0 / tenth as f64;
            let (files, opened) = live(&lake).await?;
            println!(
                "run {:>5}: {each:6.1} ms a run, {:>4} live files, table opened in {opened:.1} ms, {compacted} files written together",
                run + 1,
                files.len()
            );
            took = Duration::ZERO;
        }
    }
    told(&lake).await
}

/// A pipeline that is run again and again.
struct Poll {
    contract: Arc<Contract>,
    options: StageOptions,
    rows: i64,
}

impl Poll {
    /// One poll: each entity's place at that minute.
    async fn run(&self, lake: &Lake, minute: i64) -> Result<Staged, Fault> {
        let run = lake.begin(PIPELINE).await?;
        let stage = run
            .stage(&self.contract, Load::Merge, self.options.clone())
            .await?;
        let mut writer: TableWriter = stage.writer();
        writer.write(self.batch(run.id(), minute)?).await?;
        let files = vec![writer.close().await?];
        let (sender, mut told) = tokio::sync::mpsc::channel(1);
        let part = format!("{minute:064x}");
        let parts = [part];
        let finishing = stage.finish_into(files, None, &parts, sender);
        let telling = async { while told.recv().await.is_some() {} };
        let (staged, ()) = tokio::join!(finishing, telling);
        run.publish(PipelineState::default()).await?;
        Ok(staged?)
    }

    fn batch(&self, run: &str, minute: i64) -> Result<RecordBatch, Fault> {
        let rows = 0..self.rows;
        let at = START_MICROS + minute * MINUTE_MICROS;
        let length = usize::try_from(self.rows)?;
        let part = format!("{minute:064x}");
        let all = |text: &str| Arc::new(StringArray::from(vec![text; length])) as ArrayRef;
        let near = |whole: f64, step: i64| {
            let place = |entity: i64| {
                whole + ((entity * 7919 + minute * step) % 100_000) as f64 / 1_000_000.0
            };
            Arc::new(Float64Array::from_iter_values(rows.clone().map(place))) as ArrayRef
        };
        let entities = rows.clone().map(|entity| format!("vehicle-{entity:05}"));
        let times = TimestampMicrosecondArray::from(vec![at; length]).with_timezone("UTC");
        let days = vec![i32::try_from(at.div_euclid(DAY_MICROS))?; length];
        Ok(RecordBatch::try_from_iter([
            (
                "entity",
                Arc::new(StringArray::from_iter_values(entities)) as ArrayRef,
            ),
            ("timestamp", Arc::new(times)),
            ("day", Arc::new(Date32Array::from(days))),
            ("latitude", near(20.8, 13)),
            ("longitude", near(106.6, 17)),
            ("_run", all(run)),
            ("_part", all(&part)),
            ("_row", Arc::new(Int64Array::from_iter_values(rows.clone()))),
        ])?)
    }
}

/// The sizes of the live files, and how long it took to open the table.
async fn live(lake: &Lake) -> Result<(Vec<u64>, f64), Fault> {
    let snapshot = lake
        .snapshot(At::Latest)
        .await?
        .ok_or("nothing is published")?;
    let begun = Instant::now();
    let table = lake.table(&snapshot, &TABLE.parse()?).await?;
    let opened = begun.elapsed().as_secs_f64() * 1000.0;
    Ok((table.files.iter().map(|file| file.size).collect(), opened))
}

/// What lies in the lake, folder by folder.
async fn told(lake: &Lake) -> Result<(), Fault> {
    let objects: Vec<_> = lake.store().list(None).try_collect().await?;
    let mut folders: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut ingested, mut written) = (0, 0);
    for object in &objects {
        let path = object.location.as_ref();
        let name = path.rsplit('/').next().unwrap_or_default();
        let first = path.split('/').next().unwrap_or_default();
        let place = match name {
            _ if first != "tables" => first.to_owned(),
            name if name.ends_with(".checkpoint.parquet") => "log: checkpoints".to_owned(),
            name if name.ends_with(".json") || name.starts_with('_') => "log: entries".to_owned(),
            _ => "data files".to_owned(),
        };
        if place == "data files" {
            // A run's own rows are its first file.
            let sum = if name.ends_with("-00000.parquet") {
                &mut ingested
            } else {
                &mut written
            };
            *sum += object.size;
        }
        let (count, bytes) = folders.entry(place).or_default();
        (*count, *bytes) = (*count + 1, *bytes + object.size);
    }
    for (place, (count, bytes)) in folders {
        println!(
            "{place:>18}: {count:>6} files, {:>8.2} MB",
            bytes as f64 / 1e6
        );
    }
    let (files, _) = live(lake).await?;
    let bytes: u64 = files.iter().sum();
    println!(
        "live: {} files, {:.2} MB; came: {:.2} MB; written again: {:.2} MB, {:.2} times what came",
        files.len(),
        bytes as f64 / 1e6,
        ingested as f64 / 1e6,
        written as f64 / 1e6,
        written as f64 / ingested as f64
    );
    Ok(())
}
