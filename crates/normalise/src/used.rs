//! Counts the records that gave at least one row.

use arrow::array::Int64Array;

/// The records of one decoded batch. Where a mapping gives at most one row a record, rows are records.
pub(crate) struct UsedRows {
    marks: Option<Marks>,
    count: u64,
}

/// A mark per record number: those of one batch lie close together.
struct Marks {
    first: i64,
    seen: Vec<bool>,
}

impl UsedRows {
    pub(crate) fn new(multiplies: bool, records: &Int64Array) -> Self {
        let first = records.values().iter().min().copied().unwrap_or_default();
        let last = records.values().iter().max().copied().unwrap_or_default();
        let span = usize::try_from(last - first + 1).unwrap_or_default();
        Self {
            marks: multiplies.then(|| Marks {
                first,
                seen: vec![false; span],
            }),
            count: 0,
        }
    }

    pub(crate) fn record(&mut self, record: i64) {
        let Some(marks) = &mut self.marks else {
            self.count += 1;
            return;
        };
        if let Some(seen) = usize::try_from(record - marks.first)
            .ok()
            .and_then(|offset| marks.seen.get_mut(offset))
        {
            self.count += u64::from(!std::mem::replace(seen, true));
        }
    }

    pub(crate) fn batch(&mut self, records: &Int64Array) {
        match self.marks {
            None => self.count += records.len() as u64,
            Some(_) => records
                .values()
                .iter()
                .for_each(|record| self.record(*record)),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}
