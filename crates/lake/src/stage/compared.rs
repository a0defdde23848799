//! What a replace changes: rows of before and rows of now that have one key and say otherwise.
//!
//! A replace asks nothing of the rows that go, so a value that the source has revised would be overwritten with nobody seeing it. Tables
//! of up to [`ROWS_MAX`] rows, as registers and the stops of timetables are, are compared; for larger ones that would cost as much as the load,
//! and the snapshot of before holds what they said.

use std::sync::Arc;

use super::form::Fit;
use super::plan::Plan;
use super::read::{FileRef, Reader};
use super::suspects::Search;
use super::{Load, TableStage};
use crate::error::LakeError;
use crate::settle::{Parts, Place, Positions, Question, Rule, Side, Verdicts};
use crate::stage::duplicates::Duplicates;

/// Rows of before and now together, up to which they are compared.
const ROWS_MAX: u64 = 250_000;

/// The places of the old and the new row of each that changed; none where nothing is compared.
pub(super) async fn changed(
    stage: &TableStage,
    reader: &Reader,
    plan: &Plan,
    parts: &Arc<Parts>,
    duplicates: &mut Duplicates<'_>,
) -> Result<Vec<(Place, Place)>, LakeError> {
    if !is_compared(stage, plan) {
        return Ok(Vec::new());
    }
    let (old, new) = (of(plan, Side::Own), of(plan, Side::New));
    let files = |numbers: &[usize]| -> Vec<FileRef> {
        let files = numbers
            .iter()
            .map(|number| plan.entries[*number].file.clone());
        files.collect()
    };
    let question = question(
        stage,
        reader,
        plan,
        &[old.clone(), new.clone()].concat(),
        parts,
    );
    let (new, published) = (files(&new), files(&old));
    let search = Search {
        reader,
        fields: &stage.contract.primary_key,
        new: &new,
        published: &published,
    };
    let mut verdicts = Verdicts::default();
    for pass in 0..search.passes() {
        let suspects = search.pass(pass).await?;
        if !suspects.is_empty() {
            question.judge(suspects, &mut verdicts, duplicates).await?;
        }
    }
    Ok(verdicts.changed)
}

/// Under a contract that has other fields or types every row says something else, and it is not the source that revised it.
fn is_compared(stage: &TableStage, plan: &Plan) -> bool {
    stage.load == Load::Replace
        && !stage.contract.primary_key.is_empty()
        && plan.rows_of(Side::Own) + plan.rows_of(Side::New) <= ROWS_MAX
        && stage.form.fit == Fit::Exact
}

/// The numbers of the files of one side, those that are gone among them.
fn of(plan: &Plan, side: Side) -> Vec<usize> {
    let entries = plan.entries.iter().enumerate();
    let of_side = entries.filter(|(_, entry)| entry.side == side);
    of_side.map(|(number, _)| number).collect()
}

/// As a merge asks it, of the rows that go and those that come.
fn question(
    stage: &TableStage,
    reader: &Reader,
    plan: &Plan,
    numbers: &[usize],
    parts: &Arc<Parts>,
) -> Question {
    let mut candidates = plan.candidates(numbers);
    for candidate in candidates
        .iter_mut()
        .filter(|candidate| candidate.side == Side::Own)
    {
        // Of a slice, those that go are compared, and not those that stay.
        let entry = &plan.entries[candidate.number];
        candidate.dropped =
            (!entry.is_gone).then(|| Arc::new(stays(&entry.dropped, entry.file.rows)));
    }
    let fields = stage.contract.fields.iter();
    Question {
        reader: reader.clone(),
        candidates,
        key: stage.contract.primary_key.clone().into(),
        word: "primaryKey",
        content: fields.map(|field| field.name.clone()).collect(),
        rule: Rule::LastReplaces,
        parts: Arc::clone(parts),
        bytes_max: stage.options.settle_bytes_max,
    }
}

/// The other positions of a file.
fn stays(dropped: &Positions, rows: u64) -> Positions {
    let mut stays = Positions::default();
    for position in (0..rows).filter(|position| !dropped.contains(*position)) {
        stays.insert(position);
    }
    stays
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use sectorlake_contract::PartitionBy;

    use crate::stage::Load;
    use crate::stage::fixture::{Loading, lake, row, values};

    #[tokio::test]
    async fn a_replace_tells_what_it_changes() {
        let lake = lake().await;
        let replace = Loading::of(Load::Replace);
        let first = vec![
            row("a", 1, "p1", 1),
            row("b", 2, "p1", 2),
            row("c", 3, "p1", 3),
        ];
        replace.run(&lake, "bus", &[first]).await.unwrap();
        replace
            .run(&lake, "tram", &[vec![row("a", 7, "p1", 1)]])
            .await
            .unwrap();
        // a stands, b is revised, c goes, d is new.
        let rows = vec![
            row("a", 1, "p2", 1),
            row("b", 5, "p2", 2),
            row("d", 4, "p2", 3),
        ];
        let (staged, _) = replace.run(&lake, "bus", &[rows]).await.unwrap();
        assert_eq!(
            (staged.loaded, staged.removed_rows, staged.revised),
            (3, 3, 1)
        );
        assert_eq!(values(&lake, "bus").await["b"], 5);
        assert_eq!(values(&lake, "tram").await["a"], 7);
    }

    #[tokio::test]
    async fn of_a_slice_only_what_it_replaces_is_compared() {
        let lake = lake().await;
        let mut replace = Loading::of(Load::Replace);
        let of = |id: &str, value: i64, month: i64, part: &str, number: i64| {
            let mut row = row(id, value, part, number);
            row.month = month;
            row
        };
        let first = vec![of("a", 1, 0, "p1", 1), of("b", 2, 3, "p1", 2)];
        replace.run(&lake, "bus", &[first]).await.unwrap();
        replace.options.slice = Some(PartitionBy::Month {
            field: "at".to_owned(),
        });
        let (staged, _) = replace
            .run(&lake, "bus", &[vec![of("b", 9, 3, "p2", 1)]])
            .await
            .unwrap();
        assert_eq!((staged.removed_rows, staged.revised), (1, 1));
        assert_eq!(values(&lake, "bus").await.len(), 2);
    }
}
