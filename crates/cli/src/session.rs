//! The lake as a command asks it: one snapshot, errors as failures.

use arrow::array::RecordBatch;
use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt as _;
use sectorlake_lake::{At, Lake, LakeError};
use sectorlake_query::SessionOptions;
use serde_json::{Map, Value};

use crate::context::Context;
use crate::environment;
use crate::exit::{Exit, Failure};
use crate::fault;
use crate::prompt::Names;

/// A read-only session over one snapshot.
pub(crate) struct Session {
    inner: sectorlake_query::Session,
}

impl Session {
    /// Opens the lake that the flags name.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it never was in the state asked for.
    pub(crate) async fn open(context: &Context, at: At) -> Result<Self, Failure> {
        let location = context.lake_location()?;
        let lake = Lake::open(&location, environment::of_this_process())
            .await
            .map_err(|error| fault::of_lake(&error))?;
        Self::over(context, Some(&lake), at).await
    }

    /// The same, but where there is no lake yet, a session without tables: `select 1` needs none, and whoever names a table is told.
    ///
    /// # Errors
    /// As [`Session::open`], save for the missing lake; and where an earlier state is asked for, that too.
    pub(crate) async fn open_or_empty(context: &Context, at: At) -> Result<Self, Failure> {
        let location = context.lake_location()?;
        match Lake::open(&location, environment::of_this_process()).await {
            Ok(lake) => Self::over(context, Some(&lake), at).await,
            Err(LakeError::Missing { .. }) if matches!(at, At::Latest) => {
                Self::over(context, None, at).await
            }
            Err(error) => Err(fault::of_lake(&error)),
        }
    }

    async fn over(context: &Context, lake: Option<&Lake>, at: At) -> Result<Self, Failure> {
        let options = SessionOptions {
            memory_bytes_max: context.session_bytes_max()?,
            ..SessionOptions::default()
        };
        match sectorlake_query::Session::open(lake, at, options).await {
            Ok(inner) => Ok(Self { inner }),
            Err(error) => Err(fault::of_session(&error)),
        }
    }

    /// Plans a statement; its answer streams.
    ///
    /// # Errors
    /// The statement is wrong or no question.
    pub(crate) async fn sql(&self, statement: &str) -> Result<SendableRecordBatchStream, Failure> {
        self.inner
            .sql(statement)
            .await
            .map_err(|error| fault::of_engine(&error, statement))
    }

    /// A short answer at once: each row as an object. For what is known to be small, such as one table's columns.
    ///
    /// # Errors
    /// As [`Session::sql`], and what reading meets.
    pub(crate) async fn rows(&self, statement: &str) -> Result<Vec<Map<String, Value>>, Failure> {
        let stream = self.sql(statement).await?;
        let batches: Vec<RecordBatch> = stream
            .try_collect()
            .await
            .map_err(|error| fault::of_engine(&error, statement))?;
        let mut writer = WriterBuilder::new()
            .with_explicit_nulls(true)
            .build::<_, JsonArray>(Vec::new());
        batches
            .iter()
            .try_for_each(|batch| writer.write(batch))
            .and_then(|()| writer.finish())
            .map_err(|error| Failure::from_error(Exit::Internal, &error))?;
        let text = writer.into_inner();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_slice(&text).map_err(|error| Failure::from_error(Exit::Internal, &error))
    }

    /// The snapshot that is read; `None` in an empty lake.
    pub(crate) fn snapshot_number(&self) -> Option<u64> {
        self.inner.snapshot_number()
    }

    /// What the prompt completes.
    pub(crate) async fn names(&self) -> Names {
        let names = self.inner.names().await;
        Names {
            tables: names.tables,
            functions: names.functions,
        }
    }
}
