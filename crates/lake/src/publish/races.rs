//! Several pipelines that feed one table at once: only a clash of keys or of forms keeps one from landing.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use sectorlake_contract::{Contract, Field};

use crate::error::LakeError;
use crate::lake::Lake;
use crate::run::Published;
use crate::snapshot::PipelineState;
use crate::stage::Load;
use crate::stage::fixture::{Loading, contract, contract_with, lake, latest, row, values};

/// `bus` stages before `tram` publishes, and publishes after it.
async fn overtaken(lake: &Lake, bus: &Loading, tram: &Loading) -> Result<Published, LakeError> {
    let slow = lake.begin("bus").await.unwrap();
    bus.stage(&slow, &[vec![row("b", 2, "p2", 1)]])
        .await
        .unwrap();
    tram.run(lake, "tram", &[vec![row("t", 3, "p3", 1)]])
        .await
        .unwrap();
    slow.publish(PipelineState::default()).await
}

/// The fixture's contract with another type of `value`, or with one more field.
fn with_fields(fields: &str) -> Arc<Contract> {
    let text = format!(
        r#"{{ "fields": [{fields}, {{ "name": "at", "type": "datetime" }}], "primaryKey": ["id"] }}"#
    );
    Arc::new(Contract::parse("test.items".parse().unwrap(), &text).unwrap())
}

fn under(contract: Arc<Contract>, load: Load) -> Loading {
    Loading {
        contract,
        ..Loading::of(load)
    }
}

#[tokio::test]
async fn other_titles_on_either_side_are_no_conflict() {
    let plain = Loading::of(Load::Append);
    let retitled = under(contract_with(r#", "owner": "someone""#), Load::Append);
    for (bus, tram) in [
        (&retitled, &plain),
        (&plain, &retitled),
        (&retitled, &retitled),
    ] {
        let lake = lake().await;
        for pipeline in ["bus", "tram"] {
            let first = vec![row("a", 1, "p1", 1)];
            plain.run(&lake, pipeline, &[first]).await.unwrap();
        }
        overtaken(&lake, bus, tram).await.unwrap();
        for (pipeline, key, value) in [("bus", "b", 2), ("tram", "t", 3)] {
            let expected = BTreeMap::from([("a".to_owned(), 1), (key.to_owned(), value)]);
            assert_eq!(values(&lake, pipeline).await, expected);
        }
    }
}

#[tokio::test]
async fn rows_of_another_form_do_not_land() {
    let required = r#"{ "name": "id", "type": "string" },
        { "name": "value", "type": "integer", "sectorlake": { "unit": "m" }, "constraints": { "required": true } }"#;
    let plain = Loading::of(Load::Replace);
    let stricter = under(with_fields(required), Load::Replace);
    for (bus, tram) in [(&stricter, &plain), (&plain, &stricter)] {
        let lake = lake().await;
        let owner = if std::ptr::eq(bus, &raw const stricter) {
            "bus"
        } else {
            "tram"
        };
        // All rows are the one's that gives the table another form, so that it may.
        let first = vec![row("a", 1, "p1", 1)];
        plain.run(&lake, owner, &[first]).await.unwrap();
        let error = overtaken(&lake, bus, tram).await.unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("its field value was made required"),
            "{error}"
        );
        let landed = BTreeMap::from([("t".to_owned(), 3)]);
        assert_eq!(
            values(&lake, "tram").await,
            landed,
            "and the first is as it was"
        );
    }
}

/// The fixture's contract with a wider type of `value`.
fn wider() -> Arc<Contract> {
    with_fields(
        r#"{ "name": "id", "type": "string" },
        { "name": "value", "type": "number", "sectorlake": { "unit": "m" } }"#,
    )
}

#[tokio::test]
async fn of_two_on_a_table_that_becomes_wider_the_second_loses_and_lands_when_made_again() {
    let (plain, wide) = (Loading::of(Load::Append), under(wider(), Load::Append));
    for (bus, tram) in [(&wide, &plain), (&plain, &wide), (&wide, &wide)] {
        let lake = lake().await;
        for pipeline in ["bus", "tram"] {
            let first = vec![row("a", 1, "p1", 1)];
            plain.run(&lake, pipeline, &[first]).await.unwrap();
        }
        let lost = overtaken(&lake, bus, tram).await.unwrap_err();
        assert!(matches!(lost, LakeError::Conflict { .. }), "{lost}");
        // The table never becomes narrower again: who made it wider, and who then comes after, both have the wider contract.
        wide.run(&lake, "bus", &[vec![row("b", 2, "p2", 1)]])
            .await
            .unwrap();
        for (pipeline, key, value) in [("bus", "b", 2), ("tram", "t", 3)] {
            let expected = BTreeMap::from([("a".to_owned(), 1), (key.to_owned(), value)]);
            assert_eq!(values(&lake, pipeline).await, expected);
        }
    }
}

#[tokio::test]
async fn fields_that_drift_adds_on_both_sides_all_stay() {
    let added = |name: &str| {
        let field = Field {
            name: name.to_owned(),
            ..Field::default()
        };
        under(Arc::new(contract().with_added([field])), Load::Append)
    };
    let lake = lake().await;
    let first = vec![row("a", 1, "p1", 1)];
    let plain = Loading::of(Load::Append);
    plain.run(&lake, "bus", &[first]).await.unwrap();
    let lost = overtaken(&lake, &added("left"), &added("right")).await;
    assert!(lost.is_err(), "the field of the other must not be lost");
    let again = vec![row("b", 2, "p2", 1)];
    added("left").run(&lake, "bus", &[again]).await.unwrap();
    let snapshot = latest(&lake).await.unwrap();
    let table = lake.table(&snapshot, &"test.items".parse().unwrap()).await;
    let fields = table.unwrap().added_fields();
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["left", "right"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Keys that hold within a source never clash, whatever the loads and the order of publishing.
    #[test]
    fn pipelines_that_feed_one_table_all_land(
        loads in prop::collection::vec(
            prop_oneof![Just(Load::Replace), Just(Load::Append), Just(Load::Merge)], 2..5),
        order in prop::collection::vec(any::<prop::sample::Index>(), 8),
        rounds in 1..3_i64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lake = lake().await;
            let mut expected: Vec<BTreeMap<String, i64>> = vec![BTreeMap::new(); loads.len()];
            for round in 0..rounds {
                let mut staged = Vec::new();
                for (number, load) in loads.iter().enumerate() {
                    let run = lake.begin(&format!("p{number}")).await.unwrap();
                    let (own, part) = (format!("k{round}"), format!("part{round}"));
                    let rows = vec![row("same", round, &part, 1), row(&own, round, &part, 2)];
                    Loading::of(*load).stage(&run, &[rows]).await.unwrap();
                    if *load == Load::Replace {
                        expected[number].clear();
                    }
                    if *load != Load::Append || round == 0 {
                        expected[number].insert("same".to_owned(), round);
                    }
                    expected[number].insert(own, round);
                    staged.push(run);
                }
                for pick in &order {
                    if !staged.is_empty() {
                        let run = staged.remove(pick.index(staged.len()));
                        run.publish(PipelineState::default()).await.unwrap();
                    }
                }
            }
            for (number, expected) in expected.iter().enumerate() {
                prop_assert_eq!(&values(&lake, &format!("p{number}")).await, expected);
            }
            Ok(())
        })?;
    }
}
