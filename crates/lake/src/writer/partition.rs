//! Which partition each row belongs to, found from whole numbers, not from texts.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, Datelike, Months, NaiveDate};
use sectorlake_contract::{Contract, PartitionBy, system};

/// Runs at least this long on average are cut; shorter ones are gathered: a write of few rows costs more than a copy.
const RUN_ROWS_MIN: usize = 256;
const MICROS_A_DAY: i64 = 86_400_000_000;
/// The code of "no value".
const NONE: i32 = i32::MIN;

/// The partition of a row, a code for each column of `partition_by`: a month or year counted through, or the number of
/// a text in the partitioner's own list.
pub(super) type PartitionKey = Arc<[i32]>;

/// Tells the partitions of rows apart.
#[derive(Debug)]
pub(crate) struct Partitioner {
    source: String,
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    by: PartitionBy,
    texts: Vec<String>,
    numbers: HashMap<String, i32>,
    /// The span that the last value fell into, and its code: neighbours mostly fall into the same.
    last: Option<(i64, i64, i32)>,
}

impl Partitioner {
    pub(super) fn new(contract: &Contract, source: &str) -> Self {
        let columns = contract
            .partition_by
            .iter()
            .cloned()
            .map(Column::new)
            .collect();
        Self {
            source: source.to_owned(),
            columns,
        }
    }

    /// One that is asked for the codes of rows only.
    pub(crate) fn of(by: PartitionBy) -> Self {
        Self {
            source: String::new(),
            columns: vec![Column::new(by)],
        }
    }

    /// The code of each row in the first column: equal where the rows fall into one partition.
    pub(crate) fn codes(&mut self, batch: &RecordBatch) -> Result<Vec<i32>, ArrowError> {
        self.columns
            .first_mut()
            .map_or_else(|| Ok(Vec::new()), |column| column.codes(batch))
    }

    /// The batch by partition, each partition's rows in the batch's order.
    pub(super) fn split(
        &mut self,
        batch: &RecordBatch,
    ) -> Result<Vec<(PartitionKey, RecordBatch)>, ArrowError> {
        let codes = self
            .columns
            .iter_mut()
            .map(|column| column.codes(batch))
            .collect::<Result<Vec<_>, _>>()?;
        let key = |row: usize| {
            codes
                .iter()
                .map(|codes| codes[row])
                .collect::<PartitionKey>()
        };
        let runs = runs(&codes, batch.num_rows());
        if runs.len() <= 1 + batch.num_rows() / RUN_ROWS_MIN {
            let cut = runs
                .into_iter()
                .map(|(start, end)| (key(start), batch.slice(start, end - start)));
            return Ok(cut.collect());
        }
        let mut rows_by_key: BTreeMap<PartitionKey, Vec<u32>> = BTreeMap::new();
        for (start, end) in runs {
            let rows = rows_by_key.entry(key(start)).or_default();
            rows.extend((start..end).filter_map(|row| u32::try_from(row).ok()));
        }
        rows_by_key
            .into_iter()
            .map(|(key, rows)| Ok((key, take_record_batch(batch, &UInt32Array::from(rows))?)))
            .collect()
    }

    /// The texts of a partition as Delta's log writes them.
    pub(super) fn values(&self, key: &PartitionKey) -> BTreeMap<String, Option<String>> {
        let derived = self.columns.iter().zip(key.iter());
        std::iter::once((system::SOURCE.to_owned(), Some(self.source.clone())))
            .chain(derived.map(|(column, code)| (column.by.column(), column.text(*code))))
            .collect()
    }
}

impl Column {
    fn new(by: PartitionBy) -> Self {
        Self {
            by,
            texts: Vec::new(),
            numbers: HashMap::new(),
            last: None,
        }
    }

    fn codes(&mut self, batch: &RecordBatch) -> Result<Vec<i32>, ArrowError> {
        let column = batch.column(batch.schema().index_of(self.by.field())?);
        match (&self.by, column.data_type()) {
            (PartitionBy::Field(_), _) => self.text_codes(column),
            (_, DataType::Timestamp(TimeUnit::Microsecond, _)) => {
                let values = column.as_primitive::<TimestampMicrosecondType>();
                Ok(self.span_codes(column, |row| values.value(row)))
            }
            (_, DataType::Date32) => {
                let values = column.as_primitive::<Date32Type>();
                Ok(self.span_codes(column, |row| i64::from(values.value(row)) * MICROS_A_DAY))
            }
            (by, other) => Err(ArrowError::SchemaError(format!(
                "{by} asks for a date, but its type is {other}"
            ))),
        }
    }

    fn span_codes(&mut self, column: &ArrayRef, micros: impl Fn(usize) -> i64) -> Vec<i32> {
        let mut codes = Vec::with_capacity(column.len());
        let nullable = column.null_count() > 0;
        for row in 0..column.len() {
            if nullable && column.is_null(row) {
                codes.push(NONE);
                continue;
            }
            let value = micros(row);
            let code = match self.last {
                Some((from, to, code)) if from <= value && value < to => code,
                _ => {
                    let span = span(&self.by, value);
                    self.last = Some(span);
                    span.2
                }
            };
            codes.push(code);
        }
        codes
    }

    fn text_codes(&mut self, column: &ArrayRef) -> Result<Vec<i32>, ArrowError> {
        let texts = cast(column, &DataType::Utf8View)?;
        let texts = texts.as_string_view();
        let mut codes: Vec<i32> = Vec::with_capacity(texts.len());
        for row in 0..texts.len() {
            // Delta reads an empty text of a partition as no value: it is one.
            if texts.is_null(row) || texts.value(row).is_empty() {
                codes.push(NONE);
            } else if row > 0 && texts.is_valid(row - 1) && texts.value(row) == texts.value(row - 1)
            {
                codes.push(codes[row - 1]);
            } else {
                codes.push(self.number(texts.value(row)));
            }
        }
        Ok(codes)
    }

    fn number(&mut self, text: &str) -> i32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = i32::try_from(self.texts.len()).unwrap_or(i32::MAX);
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    fn text(&self, code: i32) -> Option<String> {
        if code == NONE {
            return None;
        }
        match self.by {
            PartitionBy::Field(_) => usize::try_from(code)
                .ok()
                .and_then(|number| self.texts.get(number).cloned()),
            PartitionBy::Month { .. } => Some(format!(
                "{:04}-{:02}",
                code.div_euclid(12),
                code.rem_euclid(12) + 1
            )),
            PartitionBy::Year { .. } => Some(format!("{code:04}")),
        }
    }
}

/// The month or year around an instant: its first microsecond, the first after it, and its code.
fn span(by: &PartitionBy, micros: i64) -> (i64, i64, i32) {
    let Some(date) = DateTime::from_timestamp_micros(micros).map(|time| time.date_naive()) else {
        return (micros, micros, NONE);
    };
    let (first, months, code) = match by {
        PartitionBy::Year { .. } => (NaiveDate::from_yo_opt(date.year(), 1), 12, date.year()),
        PartitionBy::Month { .. } | PartitionBy::Field(_) => (
            date.with_day(1),
            1,
            date.year() * 12 + date.month0().cast_signed(),
        ),
    };
    let next = first.and_then(|first| first.checked_add_months(Months::new(months)));
    match (first.and_then(start_of), next.and_then(start_of)) {
        (Some(from), Some(to)) => (from, to, code),
        _ => (micros, micros, code),
    }
}

fn start_of(date: NaiveDate) -> Option<i64> {
    Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
}

/// The runs of rows with equal codes, as (first, one past the last).
fn runs(codes: &[Vec<i32>], rows: usize) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = 0;
    for row in 1..rows {
        if codes.iter().any(|codes| codes[row] != codes[row - 1]) {
            runs.push((start, row));
            start = row;
        }
    }
    runs.push((start, rows));
    runs
}

/// A folder for a partition: its name helps people, the log alone says what the value is. Only letters that no store
/// and no URL writes otherwise are kept.
pub(crate) fn folder_name(column: &str, value: Option<&str>) -> String {
    let mut name = format!("{column}=");
    match value {
        None => name.push_str("__HIVE_DEFAULT_PARTITION__"),
        Some(value) => {
            for letter in value.chars() {
                match letter {
                    'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => name.push(letter),
                    other => drop(write!(name, "_{:x}", u32::from(other))),
                }
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use arrow::array::{Int64Array, StringViewArray, TimestampMicrosecondArray};
    use proptest::prelude::*;

    use super::*;

    fn months() -> Partitioner {
        let by = PartitionBy::Month { field: "at".into() };
        Partitioner {
            source: "bus".into(),
            columns: vec![Column::new(by)],
        }
    }

    fn batch(times: Vec<Option<i64>>) -> RecordBatch {
        let rows = Int64Array::from_iter_values(0..times.len() as i64);
        let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
        RecordBatch::try_from_iter([
            ("at", Arc::new(times) as ArrayRef),
            ("row", Arc::new(rows) as ArrayRef),
        ])
        .unwrap()
    }

    proptest! {
        #[test]
        fn every_row_goes_to_its_month_and_keeps_its_order(
            times in proptest::collection::vec(
                proptest::option::weighted(0.9, -4_000_000_000_000_000i64..4_000_000_000_000_000), 1..400),
        ) {
            let mut partitioner = months();
            let pieces = partitioner.split(&batch(times.clone())).unwrap();
            let mut seen = 0;
            let mut last_of: HashMap<PartitionKey, i64> = HashMap::new();
            for (key, piece) in pieces {
                let value = partitioner.values(&key)["_at_month"].clone();
                for row in piece.column(1).as_primitive::<arrow::datatypes::Int64Type>().values() {
                    let time = times[*row as usize].and_then(DateTime::from_timestamp_micros);
                    prop_assert_eq!(&value, &time.map(|time| time.format("%Y-%m").to_string()));
                    prop_assert!(last_of.insert(key.clone(), *row).is_none_or(|last| last < *row));
                    seen += 1;
                }
            }
            prop_assert_eq!(seen, times.len());
        }
    }

    #[test]
    fn values_of_a_field_are_partitions_and_an_empty_one_is_none() {
        let by = PartitionBy::Field("place".into());
        let mut partitioner = Partitioner {
            source: "bus".into(),
            columns: vec![Column::new(by)],
        };
        let places = StringViewArray::from(vec![Some("Hà Nội"), Some(""), None, Some("Hà Nội")]);
        let batch = RecordBatch::try_from_iter([("place", Arc::new(places) as ArrayRef)]).unwrap();
        let pieces = partitioner.split(&batch).unwrap();
        let mut values: Vec<_> = pieces
            .iter()
            .map(|(key, piece)| (partitioner.values(key)["place"].clone(), piece.num_rows()))
            .collect();
        values.sort();
        assert_eq!(values, [(None, 2), (Some("Hà Nội".to_owned()), 2)]);
        assert_eq!(folder_name("place", Some("Hà Nội")), "place=H_e0_20N_1ed9i");
    }
}
