//! Joins that give way.
//!
//! The engine makes the leaves of a plan yield to the runtime. A join that multiplies rows it holds already does not ask its leaves for
//! long stretches: the worker stays busy whatever happened to the query, and cancelling it changes nothing.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// What makes more rows than it is given.
const MULTIPLIERS: [&str; 8] = [
    "CrossJoinExec",
    "HashJoinExec",
    "NestedLoopJoinExec",
    "PiecewiseMergeJoinExec",
    "RecursiveQueryExec",
    "SortMergeJoinExec",
    "SymmetricHashJoinExec",
    "UnnestExec",
];

/// Wraps every operator that multiplies rows, so that it yields by the runtime's budget.
#[derive(Debug)]
pub(crate) struct YieldingJoins;

impl PhysicalOptimizerRule for YieldingJoins {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            if MULTIPLIERS.contains(&plan.name()) {
                return Ok(Transformed::yes(
                    Arc::new(CooperativeExec::new(plan)) as Arc<dyn ExecutionPlan>
                ));
            }
            Ok(Transformed::no(plan))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "yielding_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use crate::{SessionOptions, new_session};

    /// On one thread, so that a join which does not yield would let nothing else run and the test would not end.
    #[tokio::test(flavor = "current_thread")]
    async fn a_join_without_end_lets_others_run_and_can_be_dropped() {
        let session = new_session(&SessionOptions {
            target_partitions: 1,
            ..SessionOptions::default()
        })
        .unwrap();
        let sql = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a.value + b.value % 7 <> 3";
        let endless = session.sql(sql).await.unwrap();
        let others = async {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        };
        let query = tokio::spawn(endless.collect());
        others.await;
        query.abort();
        assert!(query.await.unwrap_err().is_cancelled());
    }
}
