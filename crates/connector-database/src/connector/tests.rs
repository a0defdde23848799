//! Any database, in memory: whatever is written between runs, however parts are cut and wherever a run dies, each row comes once.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex as StdMutex;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::DataType;
use proptest::prelude::*;

use super::*;
use crate::cells::schema;
use crate::settings::Lookback;
use crate::testing::{Part, column, fetch, run_at};

/// Rows of (id, mark).
#[derive(Default)]
struct Memory {
    rows: StdMutex<Vec<(i64, i64)>>,
    batch_rows: usize,
    /// Whether a read ends without saying so.
    breaks: bool,
}

#[async_trait]
impl Engine for Memory {
    fn place(&self) -> &str {
        "memory"
    }

    async fn tables(&self) -> Result<Vec<String>, ConnectorError> {
        Ok(vec!["t".to_owned()])
    }

    async fn read(&self, ask: Ask, feed: Feed) -> Result<(), ConnectorError> {
        let mut rows = self.rows.lock().unwrap().clone();
        if let Some(from) = &ask.from {
            let back = match from.lookback {
                Some(Lookback::Units(units)) => units as i64,
                _ => 0,
            };
            let from = from
                .value
                .as_ref()
                .map_or(i64::MIN, |value| value.parse::<i64>().unwrap() - back);
            rows.retain(|(_, mark)| *mark >= from);
            rows.sort_by_key(|(_, mark)| *mark);
        }
        let schema = schema([
            ("id".to_owned(), DataType::Int64),
            ("mark".to_owned(), DataType::Int64),
        ]);
        feed.put(Chunk::Schema(Arc::clone(&schema))).await?;
        for rows in rows.chunks(self.batch_rows.max(1)) {
            let (ids, marks): (Vec<i64>, Vec<i64>) = rows.iter().copied().unzip();
            let columns: Vec<ArrayRef> = vec![
                Arc::new(Int64Array::from(ids)),
                Arc::new(Int64Array::from(marks)),
            ];
            feed.put(Chunk::Rows(
                RecordBatch::try_new(Arc::clone(&schema), columns).unwrap(),
                Replaced::new(),
            ))
            .await?;
        }
        if self.breaks {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

fn database(memory: &Arc<Memory>, incremental: bool, rows_max: usize) -> Database {
    let incremental = incremental.then(|| Incremental {
        column: "mark".to_owned(),
        start: None,
        lookback: None,
    });
    let source = Source {
        relation: Relation::Table("t".to_owned()),
        incremental,
        at: Vec::new(),
    };
    let wanted = Wanted {
        all_tables: false,
        sources: BTreeMap::from([("t".to_owned(), source)]),
    };
    let engine: Arc<dyn Engine> = Arc::<Memory>::clone(memory);
    Database::new(engine, wanted).with_bounds(Bounds {
        rows_max,
        ..Bounds::default()
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Each run: the marks of rows that came before it (never below the highest), and after how many parts it dies.
    #[test]
    fn each_row_comes_once(
        runs in proptest::collection::vec((proptest::collection::vec(0_i64..3, 0..12), proptest::option::of(0_usize..4)), 1..6),
        rows_max in 1_usize..6, batch_rows in 1_usize..6,
    ) {
        runtime().block_on(async {
            let memory = Arc::new(Memory { batch_rows, ..Memory::default() });
            let (mut cursor, mut came, mut highest, mut next_id) = (None, Vec::new(), 0, 0);
            for (minute, (steps, dies)) in runs.into_iter().enumerate() {
                for step in steps {
                    highest += step;
                    memory.rows.lock().unwrap().push((next_id, highest));
                    next_id += 1;
                }
                let database = database(&memory, true, rows_max);
                let io = run_at(minute as u32);
                let mut parts = 0;
                while dies != Some(parts)
                    && let Some(fetched) = database.fetch(Slice::whole("t by mark"), cursor.as_ref(), &io).await.unwrap()
                {
                    let part = Part::of(fetched).await;
                    cursor = part.next.clone();
                    came.push(part);
                    parts += 1;
                }
            }
            let (rest, _) = fetch(&database(&memory, true, rows_max), "t", cursor, &run_at(50)).await.unwrap();
            came.extend(rest);
            let mut ids: Vec<i64> = column(&came, "id").iter().map(|id| id.parse().unwrap()).collect();
            ids.sort_unstable();
            assert_eq!(ids, (0..next_id).collect::<Vec<_>>());
            let mut keys: Vec<&str> = came.iter().map(|part| part.key.as_str()).collect();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), came.len(), "no part takes another's place");
        });
    }

    #[test]
    fn a_read_of_the_whole_takes_the_place_of_one_that_broke_off(
        first in 0_usize..20, second in 0_usize..20, dies in 0_usize..4, rows_max in 1_usize..6,
    ) {
        runtime().block_on(async {
            let memory = Arc::new(Memory { batch_rows: 3, ..Memory::default() });
            *memory.rows.lock().unwrap() = (0..first as i64).map(|id| (id, 0)).collect();
            let (mut cursor, mut kept) = (None, BTreeMap::new());
            let before = database(&memory, false, rows_max);
            for _ in 0..dies {
                let Some(fetched) = before.fetch(Slice::whole("t"), cursor.as_ref(), &run_at(0)).await.unwrap() else { break };
                let part = Part::of(fetched).await;
                cursor = part.next.clone();
                kept.insert(part.key.clone(), part);
                if cursor.is_none() {
                    // What was read whole is asked for anew, and stands for nothing.
                    kept.clear();
                    break;
                }
            }
            *memory.rows.lock().unwrap() = (100..100 + second as i64).map(|id| (id, 0)).collect();
            let (parts, end) = fetch(&database(&memory, false, rows_max), "t", cursor, &run_at(1)).await.unwrap();
            assert_eq!(end, None);
            // The newest part of each key counts, as in a run.
            kept.extend(parts.into_iter().map(|part| (part.key.clone(), part)));
            let kept: Vec<Part> = kept.into_values().filter(|part| part.rows.num_rows() > 0).collect();
            let mut ids: Vec<i64> = column(&kept, "id").iter().map(|id| id.parse().unwrap()).collect();
            ids.sort_unstable();
            assert_eq!(ids, (100..100 + second as i64).collect::<Vec<_>>());
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_given_up_lets_go() {
    let memory = Arc::new(Memory {
        batch_rows: 1,
        breaks: true,
        ..Memory::default()
    });
    *memory.rows.lock().unwrap() = (0..50).map(|id| (id, 0)).collect();
    let database = database(&memory, false, 1);
    let part = database
        .fetch(Slice::whole("t"), None, &run_at(0))
        .await
        .unwrap();
    assert!(part.is_some());
    drop(database);
    // The read holds the engine as long as it runs.
    while Arc::strong_count(&memory) > 1 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn what_is_read_by_a_column_is_a_unit_of_its_own() {
    let memory = Arc::new(Memory::default());
    let units = |incremental| {
        let database = database(&memory, incremental, 1);
        let streams = futures::executor::block_on(database.streams(&run_at(0))).unwrap();
        (streams[0].name.clone(), streams[0].unit.clone())
    };
    assert_eq!(units(false), ("t".to_owned(), "t".to_owned()));
    assert_eq!(units(true), ("t".to_owned(), "t by mark".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_column_begins_anew() {
    let memory = Arc::new(Memory {
        batch_rows: 2,
        ..Memory::default()
    });
    *memory.rows.lock().unwrap() = vec![(1, 5), (2, 6)];
    let (_, cursor) = fetch(&database(&memory, true, 10), "t", None, &run_at(0))
        .await
        .unwrap();
    let mut by_id = database(&memory, true, 10);
    by_id
        .wanted
        .sources
        .get_mut("t")
        .unwrap()
        .incremental
        .as_mut()
        .unwrap()
        .column = "id".to_owned();
    let (parts, _) = fetch(&by_id, "t", cursor, &run_at(1)).await.unwrap();
    assert_eq!(column(&parts, "id"), ["1", "2"]);
}

/// Rows of (id, days after the first run), as one table.
fn days(rows: &[(i64, i64)], zone: Option<&str>) -> RecordBatch {
    let began = run_at(0).started_at().timestamp_micros();
    let (ids, times): (Vec<i64>, Vec<i64>) = rows
        .iter()
        .map(|(id, days)| (*id, began + days * 86_400_000_000))
        .unzip();
    let times = arrow::array::TimestampMicrosecondArray::from(times);
    let schema = schema([
        ("id".to_owned(), DataType::Int64),
        (
            "at".to_owned(),
            DataType::Timestamp(
                arrow::datatypes::TimeUnit::Microsecond,
                zone.map(Into::into),
            ),
        ),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(ids)),
        Arc::new(times.with_timezone_opt(zone.map(str::to_owned))),
    ];
    RecordBatch::try_new(schema, columns).unwrap()
}

/// The ids that a run so many days after the first brings, its mark and its note.
fn a_run(day: i64, rows: &[(i64, i64)], mark: Option<Mark>) -> (Vec<i64>, Mark, Option<String>) {
    use arrow::array::AsArray as _;
    let batch = days(rows, Some("UTC"));
    let data_type = batch.schema().field(1).data_type().clone();
    let began = run_at(0).started_at() + chrono::Duration::days(day);
    let mut tracker = Tracker::new("at", (1, &data_type), began, mark, false).unwrap();
    let taken = tracker.take(batch).unwrap();
    tracker.end().unwrap();
    let ids = taken
        .column(0)
        .as_primitive::<arrow::datatypes::Int64Type>();
    (ids.values().to_vec(), tracker.mark(), tracker.take_note())
}

#[test]
fn a_row_in_the_future_comes_once_and_hides_none() {
    let (ids, mark, note) = a_run(0, &[(1, -9), (2, 5), (3, 9999)], None);
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(mark.value.as_deref(), Some("2025-05-23 00:00:00.000000"));
    assert_eq!(
        note.as_deref(),
        Some(
            "2 rows have a \"at\" in the future, up to 2052-10-16 00:00:00.000000: they are read, but do not count for where the next run goes on"
        )
    );
    // A later real row comes, and the one that the present has caught up with comes no second time.
    let mark = Position {
        run: DateTime::UNIX_EPOCH,
        parts: 1,
        replaces: 0,
        mark: Some(mark),
    };
    let mark = Position::of(&mark.into_cursor().unwrap()).unwrap().mark;
    let (ids, mark, note) = a_run(6, &[(1, -9), (4, 1), (2, 5), (3, 9999)], mark);
    assert_eq!((ids, note), (vec![4], None));
    assert_eq!(mark.value.as_deref(), Some("2025-06-06 00:00:00.000000"));
    let (ids, mark, _) = a_run(6, &[(2, 5), (3, 9999)], Some(mark));
    assert_eq!(ids, [0; 0]);
    let (ids, ..) = a_run(7, &[(2, 5), (5, 6), (3, 9999)], Some(mark));
    assert_eq!(ids, [5]);
    // Where all lie in the future there is no mark.
    let (_, mark, _) = a_run(0, &[(3, 9999)], None);
    assert_eq!(mark.value, None);
    let (ids, ..) = a_run(0, &[(1, -9), (3, 9999)], Some(mark));
    assert_eq!(ids, [1]);
}
