//! Several `DISTINCT` arguments: rewritten where that keeps the answer, and nowhere else.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionContext;
use proptest::prelude::*;

use super::{ask, session, told};
use crate::{SessionOptions, new_session};

type Row = (Option<i32>, Option<String>, Option<i32>, Option<i64>);

/// Rows in several batches and partitions.
fn table(rows: &[Row]) -> Arc<MemTable> {
    let batch = |rows: &[Row]| {
        let k = Int32Array::from_iter(rows.iter().map(|row| row.0));
        let s = StringArray::from_iter(rows.iter().map(|row| row.1.as_deref()));
        let a = Int32Array::from_iter(rows.iter().map(|row| row.2));
        let b = Int64Array::from_iter(rows.iter().map(|row| row.3));
        RecordBatch::try_from_iter_with_nullable([
            ("k", Arc::new(k) as ArrayRef, true),
            ("s", Arc::new(s) as ArrayRef, true),
            ("a", Arc::new(a) as ArrayRef, true),
            ("b", Arc::new(b) as ArrayRef, true),
        ])
        .unwrap()
    };
    let (left, right) = rows.split_at(rows.len() / 2);
    let left = left.chunks(3).map(batch).collect();
    let parts = vec![left, vec![batch(right)]];
    Arc::new(MemTable::try_new(batch(&[]).schema(), parts).unwrap())
}

/// The session without the rule; the catalogs are shared.
fn without_rule(session: &SessionContext) -> SessionContext {
    let state = session.state();
    let mut rules = state.optimizers().to_vec();
    rules.retain(|rule| rule.name() != "many_distincts");
    assert_eq!(rules.len() + 1, state.optimizers().len());
    let state = SessionStateBuilder::new_from_existing(state).with_optimizer_rules(rules);
    SessionContext::new_with_state(state.build())
}

/// A session over the rows, with and without the rule.
fn both(rows: &[Row]) -> (SessionContext, SessionContext) {
    let session = session();
    session.register_table("t", table(rows)).unwrap();
    let without = without_rule(&session);
    (session, without)
}

fn some_rows() -> Vec<Row> {
    let texts = ["x", "y", "z"];
    (0..40_i32)
        .map(|i| {
            let text = (i % 4 != 3).then(|| texts[(i % 3) as usize].to_owned());
            let key = (i % 7 != 0).then_some(i % 5);
            (
                key,
                text,
                (i % 6 != 0).then_some(i % 4),
                Some(i64::from(i) / 3),
            )
        })
        .collect()
}

async fn plan(session: &SessionContext, sql: &str) -> String {
    let plan = session
        .sql(sql)
        .await
        .unwrap()
        .into_optimized_plan()
        .unwrap();
    plan.display_indent().to_string()
}

/// Questions that the rule takes.
const TAKEN: [&str; 17] = [
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM t GROUP BY k ORDER BY k",
    "SELECT count(DISTINCT a), count(DISTINCT b) FROM t",
    "SELECT count(DISTINCT a) AS x, sum(DISTINCT b) AS y, avg(DISTINCT a + b) AS z, count(*) AS n FROM t",
    "SELECT k, s, count(DISTINCT a) AS x, sum(DISTINCT b) AS y, count(*) AS n, sum(a) AS m, count(a) FILTER (WHERE b > 3) AS f
        FROM t GROUP BY k, s ORDER BY k, s",
    "SELECT k % 2 AS odd, upper(s), count(DISTINCT a), count(DISTINCT s), min(DISTINCT b), max(DISTINCT b) FROM t GROUP BY k % 2, upper(s)
        ORDER BY 1, 2",
    "SELECT s, count(DISTINCT a) AS x, count(DISTINCT substr(s, 1, 1)) AS y FROM t GROUP BY s HAVING count(DISTINCT a) > 1 ORDER BY x DESC, s
        LIMIT 2",
    "SELECT count(DISTINCT a) FROM (SELECT k, count(DISTINCT a) AS a, count(DISTINCT b) AS b FROM t GROUP BY k)",
    "SELECT b, count(DISTINCT a), count(DISTINCT x) FROM
        (SELECT k AS b, count(DISTINCT a) AS a, count(DISTINCT b) AS x FROM t GROUP BY k) GROUP BY b ORDER BY b",
    "SELECT t.k, t.x, u.y FROM (SELECT k, count(DISTINCT a) AS x, count(DISTINCT b) FROM t GROUP BY k) t
        JOIN (SELECT k, count(DISTINCT s) AS y, count(DISTINCT b) FROM t GROUP BY k) u ON t.k = u.k ORDER BY 1",
    "SELECT t.k, count(DISTINCT t.a), count(DISTINCT u.a), count(DISTINCT u.b) FROM t JOIN t u ON t.k = u.k GROUP BY t.k ORDER BY 1",
    "SELECT k, count(DISTINCT a + 0), count(DISTINCT a), count(DISTINCT b) FROM t GROUP BY k ORDER BY k",
    "SELECT count(DISTINCT 1), count(DISTINCT NULL), count(DISTINCT a), count(DISTINCT b) FROM t",
    "SELECT 'c' AS c, count(DISTINCT a), count(DISTINCT b) FROM t GROUP BY 1",
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM t WHERE b > (SELECT max(a) - 1 FROM t) GROUP BY k ORDER BY k",
    "SELECT k, s, (SELECT count(DISTINCT a) + count(DISTINCT b) FROM t u WHERE u.k = t.k) AS n FROM t ORDER BY k, s, n",
    "SELECT k, count(DISTINCT a) + count(DISTINCT b) AS n, rank() OVER (ORDER BY count(DISTINCT a)) AS r FROM t GROUP BY k ORDER BY k",
    "SELECT DISTINCT x FROM (SELECT k, count(DISTINCT a) AS x, count(DISTINCT s) AS y FROM t GROUP BY k) WHERE k IS NULL OR k > 1 ORDER BY x",
];

/// Questions that it leaves alone.
const LEFT: [&str; 16] = [
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM t WHERE b > (SELECT avg(a) FROM t) GROUP BY k",
    "SELECT k, count(DISTINCT a), sum(b) FROM t GROUP BY k",
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM t GROUP BY ROLLUP (k)",
    "SELECT count(DISTINCT a), count(DISTINCT b) FILTER (WHERE a > 1) FROM t",
    "SELECT count(DISTINCT a), array_agg(DISTINCT b ORDER BY b) FROM t",
    "SELECT count(DISTINCT a), count(DISTINCT b), median(DISTINCT a) FROM t",
    "SELECT a::double, count(DISTINCT b), count(DISTINCT s) FROM t GROUP BY a::double",
    "SELECT [k], count(DISTINCT a), count(DISTINCT b) FROM t GROUP BY [k]",
    "SELECT k, count(DISTINCT a + random()), count(DISTINCT b) FROM t GROUP BY k",
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM t WHERE random() < 0.5 GROUP BY k",
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM t WHERE k > (SELECT random()) GROUP BY k",
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM (SELECT * FROM t LIMIT 5) GROUP BY k",
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM (SELECT * FROM t ORDER BY k LIMIT 5) GROUP BY k",
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM (SELECT DISTINCT ON (k) * FROM t) GROUP BY k",
    "SELECT r, count(DISTINCT a), count(DISTINCT b) FROM (SELECT *, row_number() OVER () AS r FROM t) GROUP BY r",
    "SELECT k, count(DISTINCT a), count(DISTINCT b) FROM (SELECT k, a, last_value(b) AS b FROM t GROUP BY k, a) GROUP BY k",
];

#[tokio::test]
async fn plans() {
    let (session, _) = both(&some_rows());
    let mut pages = Vec::new();
    for sql in &TAKEN[..6] {
        pages.push(format!("{sql}\n{}", plan(&session, sql).await));
    }
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[tokio::test]
async fn only_what_may_be_read_twice_is_taken() {
    let (with, without) = both(&some_rows());
    for sql in TAKEN {
        assert_ne!(plan(&with, sql).await, plan(&without, sql).await, "{sql}");
    }
    for sql in LEFT {
        assert_eq!(plan(&with, sql).await, plan(&without, sql).await, "{sql}");
    }
    // A recursive query's step is over rows that can be taken once.
    let sql = "WITH RECURSIVE r AS (SELECT 1 AS n, 1 AS m UNION ALL
        SELECT count(DISTINCT n) + max(n), count(DISTINCT m) FROM r HAVING max(n) < 4) SELECT * FROM r";
    assert_eq!(plan(&with, sql).await, plan(&without, sql).await);
}

#[tokio::test]
async fn values_of_many_groups_spill() {
    let with = new_session(&SessionOptions {
        target_partitions: 2,
        memory_bytes_max: 32 << 20,
        ..SessionOptions::default()
    })
    .unwrap();
    let sql = "SELECT count(*) AS n, sum(x) AS x, sum(y) AS y FROM
        (SELECT value % 1000 AS k, count(DISTINCT value) AS x, count(DISTINCT value % 99991) AS y FROM generate_series(1, 300000) GROUP BY 1)";
    insta::assert_snapshot!(told(&with, sql).await, @r"
    +------+--------+--------+
    | n    | x      | y      |
    +------+--------+--------+
    | 1000 | 300000 | 300000 |
    +------+--------+--------+
    ");
    // The engine's own plan holds every value of every group.
    assert!(ask(&without_rule(&with), sql).await.is_err());
}

async fn check(rows: &[Row]) {
    let (with, without) = both(rows);
    for sql in TAKEN {
        let answer = ask(&with, sql).await.unwrap();
        let expected = ask(&without, sql).await.unwrap();
        if let (Some(answer), Some(expected)) = (answer.first(), expected.first()) {
            assert_eq!(answer.schema(), expected.schema(), "{sql}");
        }
        let shown = |batches: &[RecordBatch]| pretty_format_batches(batches).unwrap().to_string();
        assert_eq!(shown(&answer), shown(&expected), "{sql}");
    }
}

#[tokio::test]
async fn nothing_has_the_same_answers() {
    check(&[]).await;
    check(&[(None, None, None, None)]).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn answers_are_the_same(rows in prop::collection::vec(
        (
            prop::option::of(0..4),
            prop::option::of("[ab]{1,2}"),
            prop::option::of(-2..3),
            prop::option::of(0_i64..6),
        ),
        0..40,
    )) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check(&rows));
    }
}
