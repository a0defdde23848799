//! The highest value of an incremental column, and the rows that have it.
//!
//! The next run asks for rows from that value on, so that a row that came later with the same value is not lost; the rows
//! that were read before are known by their digests and left out, so that none is doubled.

mod ahead;

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use sectorlake_connector::{ConnectorError, ErrorKind};

use self::ahead::Ahead;
use crate::cursor::{Mark, TIES_MAX, Ties};
use crate::engine::COLUMN;

/// How far after the run's start a value without zone may lie, as time zones differ.
const ZONES: Duration = Duration::days(1);

/// A value of an incremental column, in its order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i128),
    Text(String),
}

/// Follows the incremental column through a read.
#[derive(Debug)]
pub(crate) struct Tracker {
    column: String,
    index: usize,
    data_type: DataType,
    /// Later values lie in the future, and a read that went on from one would never see another row: they do not move the mark.
    ceiling: Option<i128>,
    ahead: Ahead,
    /// Whether rows come twice anyway, so that there is nothing to leave out.
    looks_back: bool,
    known: Option<Known>,
    last: Option<(Key, Ties)>,
    /// The mark that the read went on from: it holds until a row comes.
    before: Option<Mark>,
}

/// Rows that the reads before have brought.
#[derive(Debug)]
enum Known {
    /// By digest, how many are still to come.
    Listed(HashMap<u64, u64>),
    /// Too many to list: as a whole they are the same, or it is told.
    Summed {
        value: String,
        expected: Ties,
        found: Ties,
    },
}

impl Tracker {
    /// Of `column` at `index` of a table's columns, for a run that began at `started_at` and goes on from `mark`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a column that has no order that all databases share.
    pub(crate) fn new(
        column: &str,
        (index, data_type): (usize, &DataType),
        started_at: DateTime<Utc>,
        mark: Option<Mark>,
        looks_back: bool,
    ) -> Result<Self, ConnectorError> {
        let latest = started_at + ZONES;
        let ceiling = match data_type {
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
                Some(i128::from(started_at.timestamp_micros()))
            }
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                Some(i128::from(latest.timestamp_micros()))
            }
            DataType::Date32 => Some(i128::from(latest.timestamp().div_euclid(86_400))),
            other if other.is_integer() => None,
            DataType::Decimal128(..) | DataType::Utf8 => None,
            other => return Err(unfit(column, &other.to_string())),
        };
        let known = mark.as_ref().filter(|_| !looks_back).and_then(Known::of);
        let ahead = Ahead::of(mark.as_ref());
        Ok(Self {
            column: column.to_owned(),
            index,
            data_type: data_type.clone(),
            ceiling,
            ahead,
            looks_back,
            known,
            last: None,
            before: mark,
        })
    }

    /// `batch` without the rows that are known; the mark moves on.
    ///
    /// # Errors
    /// When the column holds NULL, or rows came among too many with one value.
    pub(crate) fn take(&mut self, batch: RecordBatch) -> Result<RecordBatch, ConnectorError> {
        if batch.column(self.index).null_count() > 0 {
            return Err(self.holds_null());
        }
        let present = (0..batch.num_rows())
            .find(|&row| self.is_ahead(&batch, row))
            .unwrap_or(batch.num_rows());
        // The rows come in the column's order.
        let ahead = batch.slice(present, batch.num_rows() - present);
        let batch = self.leave_out(batch.slice(0, present))?;
        self.follow(&batch)?;
        let batch = self.ahead.caught_up(batch)?;
        if ahead.num_rows() == 0 {
            return Ok(batch);
        }
        let ahead = self.go_ahead(ahead)?;
        concat_batches(&batch.schema(), [&batch, &ahead]).map_err(|error| internal(&error))
    }

    /// What the run should say of rows in the future that came since it was last asked.
    pub(crate) fn take_note(&mut self) -> Option<String> {
        let (rows, latest) = (
            std::mem::take(&mut self.ahead.rows),
            self.ahead.latest.take()?,
        );
        let (column, latest) = (&self.column, self.text(&latest));
        let again = match self.ahead.found.len() > TIES_MAX {
            true => ", and come again with every run: they are too many to remember",
            false => "",
        };
        Some(format!(
            "{rows} rows have a {column:?} in the future, up to {latest}: they are read, but do not count for where the next run goes on{again}"
        ))
    }

    fn is_ahead(&self, batch: &RecordBatch, row: usize) -> bool {
        match (self.ceiling, self.key(batch, row)) {
            (Some(ceiling), Some(Key::Number(number))) => number > ceiling,
            _ => false,
        }
    }

    /// Rows in the future without those that an earlier read has brought.
    fn go_ahead(&mut self, batch: RecordBatch) -> Result<RecordBatch, ConnectorError> {
        let mut keep = vec![true; batch.num_rows()];
        if !self.looks_back {
            let rows = Digests::of(&batch)?;
            for (row, keep) in keep.iter_mut().enumerate() {
                *keep = self.ahead.is_new(rows.digest(row));
            }
        }
        if let Some(last) = keep.iter().rposition(|&keep| keep) {
            self.ahead.rows += keep.iter().filter(|&&keep| keep).count();
            self.ahead.latest = self.key(&batch, last);
        }
        filter_record_batch(&batch, &keep.into()).map_err(|error| internal(&error))
    }

    /// To be called when all rows were read.
    ///
    /// # Errors
    /// As [`Tracker::take`].
    pub(crate) fn end(&mut self) -> Result<(), ConnectorError> {
        match self.known.take() {
            Some(Known::Summed {
                value,
                expected,
                found,
            }) if expected != found => Err(changed(&self.column, &value, &expected)),
            _ => Ok(()),
        }
    }

    /// Where the next read goes on.
    pub(crate) fn mark(&self) -> Mark {
        let empty = || Mark {
            column: self.column.clone(),
            value: None,
            ties: Ties::default(),
            ahead: Vec::new(),
        };
        let mark = match &self.last {
            None => self.before.clone().unwrap_or_else(empty),
            Some((key, ties)) => Mark {
                value: Some(self.text(key)),
                ties: ties.clone(),
                ..empty()
            },
        };
        Mark {
            ahead: self.ahead.digests(),
            ..mark
        }
    }

    fn leave_out(&mut self, batch: RecordBatch) -> Result<RecordBatch, ConnectorError> {
        let Some(mut known) = self.known.take() else {
            return Ok(batch);
        };
        let (keep, is_over) = self.unknown(&batch, &mut known)?;
        if !is_over {
            self.known = Some(known);
        }
        match keep.iter().all(|&keep| keep) {
            true => Ok(batch),
            false => filter_record_batch(&batch, &keep.into()).map_err(|error| internal(&error)),
        }
    }

    /// Which rows of the batch are not known, and whether no later one can be.
    fn unknown(
        &self,
        batch: &RecordBatch,
        known: &mut Known,
    ) -> Result<(Vec<bool>, bool), ConnectorError> {
        let mut keep = vec![true; batch.num_rows()];
        let rows = Digests::of(batch)?;
        let mut is_over = false;
        for (row, keep) in keep.iter_mut().enumerate() {
            match known {
                Known::Listed(left) => {
                    is_over = left.is_empty();
                    if is_over {
                        break;
                    }
                    let digest = rows.digest(row);
                    if let Some(count) = left.get_mut(&digest) {
                        *keep = false;
                        *count -= 1;
                        if *count == 0 {
                            left.remove(&digest);
                        }
                    }
                }
                Known::Summed {
                    value,
                    expected,
                    found,
                } => {
                    let text = self.key(batch, row).map(|key| self.text(&key));
                    is_over = text.as_ref() != Some(value);
                    if is_over {
                        if expected != found {
                            return Err(changed(&self.column, value, expected));
                        }
                        break;
                    }
                    *keep = false;
                    found.add(rows.digest(row));
                }
            }
        }
        Ok((keep, is_over))
    }

    /// The rows at the end of the batch that share its last value are what the next read must know.
    fn follow(&mut self, batch: &RecordBatch) -> Result<(), ConnectorError> {
        let rows = batch.num_rows();
        let Some(last) = rows.checked_sub(1).and_then(|last| self.key(batch, last)) else {
            return Ok(());
        };
        if self.looks_back {
            self.last = Some((last, Ties::default()));
            return Ok(());
        }
        let same = (0..rows)
            .rev()
            .take_while(|&row| self.key(batch, row).as_ref() == Some(&last))
            .count();
        let mut ties = match self.last.take() {
            Some((key, ties)) if same == rows && key == last => ties,
            None if same == rows => self.ties_before(&last),
            _ => Ties::default(),
        };
        let digests = Digests::of(batch)?;
        for row in rows - same..rows {
            ties.add(digests.digest(row));
        }
        self.last = Some((last, ties));
        Ok(())
    }

    /// What was known of this value before the read: rows that were left out have it too.
    fn ties_before(&self, key: &Key) -> Ties {
        match &self.before {
            Some(mark) if mark.value.as_ref() == Some(&self.text(key)) => mark.ties.clone(),
            _ => Ties::default(),
        }
    }

    fn key(&self, batch: &RecordBatch, row: usize) -> Option<Key> {
        let array = batch.column(self.index);
        let number: i128 = match array.data_type() {
            DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
            DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
            DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
            DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
            DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
            DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
            DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
            DataType::Date32 => array.as_primitive::<Date32Type>().value(row).into(),
            DataType::Timestamp(..) => array
                .as_primitive::<TimestampMicrosecondType>()
                .value(row)
                .into(),
            DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value(row),
            DataType::Utf8 => {
                return Some(Key::Text(array.as_string::<i32>().value(row).to_owned()));
            }
            _ => return None,
        };
        Some(Key::Number(number))
    }

    /// As the database reads it.
    fn text(&self, key: &Key) -> String {
        let number = match key {
            Key::Text(text) => return text.clone(),
            Key::Number(number) => *number,
        };
        let written = match &self.data_type {
            DataType::Timestamp(..) => i64::try_from(number)
                .ok()
                .and_then(DateTime::from_timestamp_micros)
                .map(|at| at.naive_utc().format("%Y-%m-%d %H:%M:%S%.6f").to_string()),
            DataType::Date32 => i32::try_from(number)
                .ok()
                .and_then(NaiveDate::from_epoch_days)
                .map(|date| date.to_string()),
            DataType::Decimal128(precision, scale) => {
                let array = arrow::array::Decimal128Array::from(vec![number]);
                array
                    .with_precision_and_scale(*precision, *scale)
                    .ok()
                    .map(|array| array.value_as_string(0))
            }
            _ => None,
        };
        written.unwrap_or_else(|| number.to_string())
    }

    fn holds_null(&self) -> ConnectorError {
        holds_null(&self.column)
    }
}

impl Known {
    fn of(mark: &Mark) -> Option<Self> {
        let value = mark.value.clone()?;
        if mark.ties.rows == 0 {
            return None;
        }
        if !mark.ties.is_listed() {
            return Some(Self::Summed {
                value,
                expected: mark.ties.clone(),
                found: Ties::default(),
            });
        }
        let mut left: HashMap<u64, u64> = HashMap::new();
        for &digest in &mark.ties.digests {
            *left.entry(digest).or_default() += 1;
        }
        Some(Self::Listed(left))
    }
}

/// Rows by their content.
struct Digests<'a>(Vec<(&'a dyn Array, ArrayFormatter<'a>)>);

impl<'a> Digests<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ConnectorError> {
        static OPTIONS: FormatOptions<'static> = FormatOptions::new().with_null("");
        let columns = batch.columns().iter().map(|column| {
            Ok((
                column.as_ref(),
                ArrayFormatter::try_new(column.as_ref(), &OPTIONS)?,
            ))
        });
        let columns: Result<Vec<_>, ArrowError> = columns.collect();
        columns.map(Self).map_err(|error| internal(&error))
    }

    fn digest(&self, row: usize) -> u64 {
        let mut hasher = blake3::Hasher::new();
        for (array, formatter) in &self.0 {
            let text = match array.is_null(row) {
                true => String::new(),
                false => formatter.value(row).to_string(),
            };
            hasher.update(&[u8::from(array.is_null(row))]);
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let mut digest = [0; 8];
        digest.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(digest)
    }
}

/// The error of an incremental column whose type has no order that all databases share.
pub(crate) fn unfit(column: &str, data_type: &str) -> ConnectorError {
    let message =
        format!("the column {column:?} is of type {data_type}, which cannot tell what is new");
    ConnectorError::new(ErrorKind::Invalid, message)
        .with_help("name a column that is a whole number, a date or an instant in `incremental`")
        .of_setting(COLUMN)
}

/// The error of an incremental column with a NULL in it.
pub(crate) fn holds_null(column: &str) -> ConnectorError {
    let message = format!(
        "the column {column:?} holds NULL or infinity: those rows would be missed when they change"
    );
    ConnectorError::new(ErrorKind::Invalid, message)
        .with_help(
            "read by a column that is never NULL, or by a query with coalesce(updated_at, created_at)",
        )
        .of_setting(COLUMN)
}

fn changed(column: &str, value: &str, ties: &Ties) -> ConnectorError {
    let message = format!(
        "rows came or went among the {} that have {value} in {column:?}: which of them are new cannot be told",
        ties.rows
    );
    ConnectorError::new(ErrorKind::Invalid, message)
        .with_help(
            "read by a finer column, or set `lookback` and load the table with `load: merge`",
        )
        .of_setting(COLUMN)
}

fn internal(error: &ArrowError) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Invalid,
        format!("the rows cannot be put together: {error}"),
    )
}
