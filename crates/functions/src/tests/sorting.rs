//! Sorts by every built-in scalar function. The engine plans some of them wrongly (see `unordered`); a new one that does is found here.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionContext, col};

use super::{ask, session};

/// What a function may be called with; texts that other arguments need stand as constants.
const ARGUMENTS: [&str; 14] = [
    "f",
    "i",
    "t",
    "d",
    "ts",
    "b",
    "a",
    "g",
    "w",
    "'a'",
    "1",
    "'%d'",
    "INTERVAL '1 day'",
    "'Int32'",
];
/// Combinations of three and more that some function wants.
const LONGER: [&str; 21] = [
    "t, 'a', 'b'",
    "t, 1, 2",
    "t, i, 'x'",
    "t, ' ', 1",
    "f, f, f",
    "a, 1, 2",
    "a, i, 9",
    "'2024', '01', '02'",
    "2024, 1, 2",
    "1, 2, 3",
    "f, f, f, f",
    "INTERVAL '1 day', ts, ts",
    "t, '%Y', 'UTC'",
    "t, 'b', 1",
    "b, i, i",
    "'a', i, 'b', f",
    "g, g, f",
    "t, 't', 'x', 'g'",
    "named_struct('a', i), 'a'",
    "map(['k'], [i])",
    "map(['k'], [i]), 'k'",
];

fn table() -> MemTable {
    let point = |x: f64| {
        let mut bytes = vec![1, 1, 0, 0, 0];
        bytes.extend(x.to_le_bytes());
        bytes.extend(20.5_f64.to_le_bytes());
        bytes
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "f",
            Arc::new(Float64Array::from(vec![0.1, 0.25, 0.5, 0.75])),
        ),
        ("i", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        (
            "t",
            Arc::new(StringArray::from(vec!["2024-01-02", "a,b", "xyz", "é"])),
        ),
        (
            "w",
            Arc::new(StringArray::from(vec![
                "POINT(1 2)",
                "POINT(2 2)",
                "POINT(3 2)",
                "POINT(4 2)",
            ])),
        ),
        ("d", Arc::new(Date32Array::from(vec![1, 40, 400, 4000]))),
        (
            "ts",
            Arc::new(TimestampMicrosecondArray::from(vec![
                1,
                1_000_000,
                86_400_000_000,
                999_999_999_999,
            ])),
        ),
        (
            "b",
            Arc::new(BooleanArray::from(vec![false, false, true, true])),
        ),
        (
            "g",
            Arc::new(BinaryArray::from_iter_values(
                [1.0, 2.0, 3.0, 4.0].map(point),
            )),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let halves = vec![vec![batch.slice(0, 2)], vec![batch.slice(2, 2)]];
    // Sorted input is what leads the engine to think of a function's own order.
    let order = vec![
        vec![col("f").sort(true, false)],
        vec![col("i").sort(true, false)],
    ];
    MemTable::try_new(batch.schema(), halves)
        .unwrap()
        .with_sort_order(order)
}

/// The first call of the function that the engine answers.
async fn call(session: &SessionContext, name: &str) -> Option<String> {
    let pairs = ARGUMENTS
        .iter()
        .flat_map(|one| ARGUMENTS.iter().map(move |other| format!("{one}, {other}")));
    let arguments = ARGUMENTS
        .iter()
        .map(ToString::to_string)
        .chain([String::new()])
        .chain(pairs)
        .chain(LONGER.map(str::to_owned));
    for arguments in arguments {
        let call = format!("{name}({arguments})");
        // Planning is quick and says no to most; only what can be planned is run.
        let Ok(frame) = session.sql(&format!("SELECT {call} AS x FROM t")).await else {
            continue;
        };
        if frame.collect().await.is_ok() {
            return Some(call);
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_built_in_function_can_be_sorted_by() {
    let session = session();
    session.register_table("lists", Arc::new(table())).unwrap();
    let with_lists = "SELECT *, [i, 2, 2] AS a FROM lists";
    session
        .register_table("t", session.sql(with_lists).await.unwrap().into_view())
        .unwrap();
    let names: BTreeMap<String, ()> = session
        .state()
        .scalar_functions()
        .keys()
        .map(|name| (name.clone(), ()))
        .collect();
    let (mut uncalled, mut faults, mut sorted) = (Vec::new(), Vec::new(), 0);
    for name in names.keys() {
        let Some(call) = call(&session, name).await else {
            uncalled.push(name.as_str());
            continue;
        };
        for sql in [
            format!("SELECT i FROM t ORDER BY {call}, i"),
            format!("SELECT i FROM t WHERE f > 0.2 ORDER BY {call} DESC, i LIMIT 2"),
            format!(
                "SELECT i, row_number() OVER (ORDER BY {call}) AS n, rank() OVER (PARTITION BY b ORDER BY {call} DESC) AS r FROM t"
            ),
        ] {
            if let Err(error) = ask(&session, &sql).await {
                faults.push(format!(
                    "{sql}: {}",
                    error.strip_backtrace().lines().next().unwrap_or_default()
                ));
            }
        }
        sorted += 1;
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(
        sorted >= 250,
        "only {sorted} functions were called; not called: {uncalled:?}"
    );
}
