//! Which rows of equal keys stay.
//!
//! Rows whose key's hash is suspect are read as small records (key, whose, part, row, place), sorted by the engine under
//! a memory bound of its own (it spills), and judged key by key as they stream out. The answer is a bit a row for each
//! file that loses rows. Two different keys with one hash are told apart here: the record holds the key itself.

mod judge;
mod positions;
mod records;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use datafusion::prelude::SessionConfig;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::error::LakeError;
use crate::keys::KeyHashes;
use crate::stage::duplicates::Duplicates;
use crate::stage::read::Reader;
use records::{Recorder, SORTED_BY};

pub use judge::KeyHolder;
pub(crate) use judge::{Loser, Place, Rule, Verdicts};
pub(crate) use positions::Positions;
pub(crate) use records::{Candidate, Parts, Side};

/// What a sort needs to get anywhere: a few batches of records.
const SORT_BYTES_MIN: usize = 8 << 20;

/// One question: which rows of these files stay, as to this key.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) reader: Reader,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) key: Arc<[String]>,
    /// What the contract calls it.
    pub(crate) word: &'static str,
    /// With [`Rule::LastReplaces`], what tells whether two rows of one key say the same.
    pub(crate) content: Vec<String>,
    pub(crate) rule: Rule,
    pub(crate) parts: Arc<Parts>,
    /// Bytes the sort may hold before it spills.
    pub(crate) bytes_max: usize,
}

impl Question {
    /// Judges the rows whose key's hash is among the suspects, and adds the verdicts to `verdicts`; rows that are rejected
    /// are told as they are found.
    pub(crate) async fn judge(
        &self,
        suspects: KeyHashes,
        verdicts: &mut Verdicts,
        duplicates: &mut Duplicates<'_>,
    ) -> Result<(), LakeError> {
        let recorder = Recorder {
            reader: self.reader.clone(),
            key: self.key.to_vec(),
            content: self.content.clone(),
            suspects: Arc::new(suspects),
            parts: Arc::clone(&self.parts),
        };
        let source = Records {
            recorder,
            candidates: self.candidates.clone(),
            schema: records::schema(),
        };
        let sorted = self.sorted(source).map_err(|error| self.fault(error));
        let mut sorted = sorted?;
        let mut judge = judge::Judge::new(self.rule, &self.parts, &self.key_schema()?);
        while let Some(batch) = sorted.try_next().await.map_err(|error| self.fault(error))? {
            judge.take(&batch, verdicts);
            let losers = std::mem::take(&mut verdicts.losers);
            duplicates.take(&self.key, self.word, losers).await?;
        }
        judge.end(verdicts);
        Ok(())
    }

    fn key_schema(&self) -> Result<SchemaRef, LakeError> {
        self.reader.schema_of(&self.key)
    }

    fn sorted(&self, source: Records) -> Result<SendableRecordBatchStream, DataFusionError> {
        let schema = Arc::clone(&source.schema);
        let order = SORTED_BY
            .iter()
            .map(|name| Ok(PhysicalSortExpr::new_default(col(name, &schema)?)))
            .collect::<Result<Vec<_>, DataFusionError>>()?;
        let Some(order) = LexOrdering::new(order) else {
            return datafusion::common::internal_err!("records are sorted by something");
        };
        let input =
            StreamingTableExec::try_new(schema, vec![Arc::new(source)], None, None, false, None)?;
        let sort = SortExec::new(order, Arc::new(input));
        let bytes_max = self.bytes_max.max(SORT_BYTES_MIN);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(bytes_max)))
            .build_arc()?;
        let config = SessionConfig::new()
            .with_target_partitions(1)
            .with_sort_spill_reservation_bytes(bytes_max / 4);
        let context = TaskContext::default()
            .with_session_config(config)
            .with_runtime(runtime);
        sort.execute(0, Arc::new(context))
    }

    fn fault(&self, error: DataFusionError) -> LakeError {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<LakeError>() {
                Ok(ours) => *ours,
                Err(inner) => self.engine(DataFusionError::External(inner)),
            },
            other => self.engine(other),
        }
    }

    fn engine(&self, source: DataFusionError) -> LakeError {
        let table = &self.reader.table;
        LakeError::refused("settle", &table.to_string(), &source).unwrap_or_else(|| {
            LakeError::Engine {
                table: table.clone(),
                action: "settle the keys of",
                source: Box::new(source),
            }
        })
    }
}

/// The records of all candidates as one stream of the engine.
struct Records {
    recorder: Recorder,
    candidates: Vec<Candidate>,
    schema: SchemaRef,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "records of {} files", self.candidates.len())
    }
}

impl PartitionStream for Records {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let recorder = self.recorder.clone();
        let records = stream::iter(self.candidates.clone())
            .then(move |candidate| recorder.clone().records(candidate))
            .try_flatten()
            .boxed();
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            records,
        ))
    }
}

/// By the number of a candidate, the rows that lose.
pub(crate) type Dropped = HashMap<usize, Positions>;
