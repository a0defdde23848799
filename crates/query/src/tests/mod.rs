//! The session over a small fixed lake: what it answers, what it refuses, what it opens.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod fixture;
mod lake;
mod recording;
mod runs;
mod session;
mod slt;
mod versions;

use arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt as _;

use crate::session::Session;

async fn answer(session: &Session, sql: &str) -> String {
    let stream = match session.sql(sql).await {
        Ok(stream) => stream,
        Err(error) => return format!("error: {}", error.strip_backtrace()),
    };
    match stream.try_collect::<Vec<_>>().await {
        Ok(batches) => pretty_format_batches(&batches).unwrap().to_string(),
        Err(error) => format!("error: {}", error.strip_backtrace()),
    }
}

async fn plan(session: &Session, sql: &str) -> String {
    let plan = answer(session, &format!("EXPLAIN FORMAT INDENT {sql}")).await;
    let physical = plan.split("physical_plan").nth(1).unwrap_or(&plan);
    let lines = physical.lines().map(|line| {
        line.trim_start_matches("|               |")
            .trim_matches(['|', ' ', '-', '+'])
    });
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}
