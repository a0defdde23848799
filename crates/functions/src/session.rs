//! The one session builder: limits, Parquet reading, functions, the engine's faults mended.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::registry::FunctionRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::distinct::with_many_distincts;
use crate::peers::PeerFrames;
use crate::places::{self, Places};
use crate::sum::ExactSum;
use crate::yielding::YieldingJoins;
use crate::{air, cells, coordinates, dates, geometry, names, numbers, units, unordered};

/// The largest consumers of memory that an out-of-memory message names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);

/// The largest side of a join (estimated) that is built once for all threads.
const SHARED_BUILD_BYTES_MAX: usize = 64 << 20;
/// The same in rows.
const SHARED_BUILD_ROWS_MAX: usize = 1 << 21;

/// The share of a session's memory that one call of a function may make, as a divisor.
const VALUE_SHARE: usize = 2;

/// What bounds a session, and how it reads.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Threads that one plan keeps busy. Default: the cores at hand.
    pub target_partitions: usize,
    /// Rows of one batch between operators. Default: 8192.
    pub batch_rows: usize,
    /// Bytes that sorts, joins and aggregates may hold before they spill. Default: 256 MiB.
    pub memory_bytes_max: usize,
    /// Where they spill to; `None` is the operating system's folder for temporary files.
    pub spill_dir: Option<PathBuf>,
    /// Bytes that may be spilled at one time. Default: 100 GiB.
    pub spill_bytes_max: u64,
    /// Bytes of Parquet footers kept between queries. Default: 50 MiB.
    pub metadata_cache_bytes_max: usize,
    /// The zone of `now()`, `current_date` and text without an offset; `None` is UTC.
    pub time_zone: Option<String>,
    /// What the place functions look up; it may be filled later. Default: nothing, and they say so.
    pub places: Places,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            target_partitions: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            batch_rows: 8192,
            memory_bytes_max: 256 << 20,
            spill_dir: None,
            spill_bytes_max: 100 << 30,
            metadata_cache_bytes_max: 50 << 20,
            time_zone: None,
            places: Places::default(),
        }
    }
}

/// A session with every function registered and the engine's faults mended; the caller may add catalogs and rules before `build`.
///
/// # Errors
/// When the spill folder cannot be made, or an option is out of its range.
pub fn session_builder(options: &SessionOptions) -> Result<SessionStateBuilder> {
    let mut state = SessionStateBuilder::new_with_default_features()
        .with_config(session_config(options)?)
        .with_runtime_env(runtime(options)?)
        .build();
    register_functions(&mut state, options)?;
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![Arc::new(PeerFrames)];
    rules.extend(state.analyzer().rules.iter().cloned());
    let optimizer_rules = with_many_distincts(state.optimizers().to_vec());
    Ok(SessionStateBuilder::new_from_existing(state)
        .with_analyzer_rules(rules)
        .with_optimizer_rules(optimizer_rules)
        .with_physical_optimizer_rule(Arc::new(YieldingJoins)))
}

/// A ready session of [`session_builder`].
///
/// # Errors
/// As [`session_builder`].
pub fn new_session(options: &SessionOptions) -> Result<SessionContext> {
    Ok(SessionContext::new_with_state(
        session_builder(options)?.build(),
    ))
}

fn session_config(options: &SessionOptions) -> Result<SessionConfig> {
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .with_target_partitions(options.target_partitions.max(1))
        .with_batch_size(options.batch_rows.max(1));
    let settings = config.options_mut();
    settings.execution.time_zone.clone_from(&options.time_zone);
    // Late materialisation: cheap predicates first, other columns decoded for the rows that remain.
    settings.execution.parquet.pushdown_filters = true;
    settings.execution.parquet.reorder_filters = true;
    settings.execution.parquet.enable_page_index = true;
    // The lake writes no bloom filters; looking for them would cost a read a column chunk.
    settings.execution.parquet.bloom_filter_on_read = false;
    settings.execution.parquet.metadata_size_hint = Some(64 << 10);
    settings.execution.collect_statistics = true;
    // One hash table that all threads probe: on few cores that beats sending both sides through a shuffle.
    settings.optimizer.hash_join_single_partition_threshold = SHARED_BUILD_BYTES_MAX;
    settings.optimizer.hash_join_single_partition_threshold_rows = SHARED_BUILD_ROWS_MAX;
    Ok(config)
}

fn runtime(options: &SessionOptions) -> Result<Arc<RuntimeEnv>> {
    let mode = match &options.spill_dir {
        Some(dir) => DiskManagerMode::Directories(vec![dir.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    let disk = DiskManagerBuilder::default()
        .with_mode(mode)
        .with_max_temp_directory_size(options.spill_bytes_max);
    // Fair: a sort that came first cannot starve the join after it.
    let pool = TrackConsumersPool::new(
        FairSpillPool::new(options.memory_bytes_max),
        CONSUMERS_NAMED,
    );
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(disk)
        .with_metadata_cache_limit(options.metadata_cache_bytes_max)
        .build_arc()
}

fn register_functions(state: &mut SessionState, options: &SessionOptions) -> Result<()> {
    unordered::mend(state, (options.memory_bytes_max / VALUE_SHARE) as u64)?;
    state.register_udaf(Arc::new(AggregateUDF::from(ExactSum::default())))?;
    datafusion_functions_json::register_all(state)?;
    for (_, functions) in sections(options)? {
        for function in functions {
            state.register_udf(Arc::new(function))?;
        }
    }
    Ok(())
}

/// Our own functions, under the headings of their documentation.
pub(crate) fn sections(options: &SessionOptions) -> Result<Vec<(&'static str, Vec<ScalarUDF>)>> {
    Ok(vec![
        ("Text and names", names::functions()),
        ("Numbers", numbers::functions()),
        ("Dates, times and years", dates::functions()),
        ("Places", places::functions(&options.places)),
        ("Coordinates", coordinates::functions()),
        ("Units", units::functions()),
        ("Air quality", air::functions()),
        ("Cells", cells::functions()),
        ("Geometry", geometry::functions()?),
    ])
}
