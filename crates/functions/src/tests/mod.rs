//! The session as users meet it: every function in SQL.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bounds;
mod distincts;
mod docs;
mod functions;
mod mappings;
mod sorting;

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;

use crate::{SessionOptions, new_session};

pub(crate) fn session() -> SessionContext {
    new_session(&SessionOptions {
        target_partitions: 2,
        ..SessionOptions::default()
    })
    .unwrap()
}

async fn ask(session: &SessionContext, sql: &str) -> datafusion::error::Result<Vec<RecordBatch>> {
    session.sql(sql).await?.collect().await
}

/// The answer as a table, or the error's first line.
pub(crate) async fn told(session: &SessionContext, sql: &str) -> String {
    match ask(session, sql).await {
        Ok(batches) => pretty_format_batches(&batches).unwrap().to_string(),
        Err(error) => format!(
            "error: {}",
            error.strip_backtrace().lines().next().unwrap_or_default()
        ),
    }
}
