//! Random loads and changes of the contract, beside plain maps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use sectorlake_contract::Contract;

use super::*;

/// A load, or a change of the contract.
#[derive(Debug, Clone)]
enum Event {
    Load {
        pipeline: u8,
        load: Load,
        rows: Vec<(u8, i64, i64)>,
    },
    Widen(u8),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let rows = prop::collection::vec((0..6_u8, 0..2000_i64, 0..30_i64), 1..6);
    let load = prop_oneof![Just(Load::Replace), Just(Load::Append), Just(Load::Merge)];
    let loads = (0..2_u8, load, rows).prop_map(|(pipeline, load, rows)| Event::Load {
        pipeline,
        load,
        rows,
    });
    prop::collection::vec(
        prop_oneof![3 => loads, 1 => (0..3_u8).prop_map(Event::Widen)],
        2..9,
    )
}

/// What the contract is after so many changes of each kind: of the type, of the fields, of the partitions.
fn widened(by: [usize; 3]) -> Arc<Contract> {
    const TYPES: [&str; 4] = [
        "year",
        "integer",
        r#"number "precision": 22, "scale": 2"#,
        r#"number "precision": 30, "scale": 4"#,
    ];
    // Only whole numbers make partitions.
    let by_value = if by[0] < 2 { "value" } else { "id" };
    let partitions = match by[2] % 3 {
        0 => String::new(),
        1 => r#", "partition_by": "year(at)""#.to_owned(),
        _ => format!(r#", "partition_by": ["month(at)", "{by_value}"]"#),
    };
    let fields: String = (0..by[1])
        .map(|at| format!(r#", {{ "name": "note_{at}", "type": "string" }}"#))
        .collect();
    let minor = by.iter().sum::<usize>();
    changed(
        &format!("1.{minor}.0"),
        TYPES[by[0].min(3)],
        &fields,
        &partitions,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever loads and changes come in whatever order, the rows are those of plain maps.
    #[test]
    fn loads_and_changes_of_the_contract_keep_every_row(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lake = lake().await;
            let mut by = [0; 3];
            let mut expected = [BTreeMap::new(), BTreeMap::new()];
            let mut then = Vec::new();
            for (number, event) in events.into_iter().enumerate() {
                let (pipeline, load, rows) = match event {
                    Event::Widen(what) => {
                        by[usize::from(what)] += 1;
                        continue;
                    }
                    Event::Load { pipeline, load, rows } => (usize::from(pipeline), load, rows),
                };
                let mut seen = BTreeSet::new();
                let rows: Vec<Row> = rows
                    .into_iter()
                    .filter(|(id, ..)| seen.insert(*id))
                    .zip(1..)
                    .map(|((id, value, month), at)| Row { month, ..row(&format!("k{id}"), value, &format!("p{number}"), at) })
                    .collect();
                let known: &mut BTreeMap<String, i64> = &mut expected[pipeline];
                if load == Load::Replace {
                    known.clear();
                }
                for row in &rows {
                    match load {
                        Load::Append => drop(known.entry(row.id.clone()).or_insert(row.value)),
                        _ => drop(known.insert(row.id.clone(), row.value)),
                    }
                }
                let mut loading = under(&widened(by), load);
                loading.options.workers = 1 + number % 3;
                loading.run(&lake, &format!("p{pipeline}"), &[rows]).await.unwrap();
                let table = table(&lake, At::Latest, &items()).await;
                then.push((latest(&lake).await.unwrap().number, rows_of(&lake, &table).await));
            }
            for (number, known) in expected.iter().enumerate() {
                prop_assert_eq!(&values(&lake, &format!("p{number}")).await, known);
            }
            // Every old snapshot still reads, in its own form.
            for (number, rows) in then {
                let table = table(&lake, At::Number(number), &items()).await;
                prop_assert_eq!(rows_of(&lake, &table).await, rows);
            }
            Ok(())
        })?;
    }
}
