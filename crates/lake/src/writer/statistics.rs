//! The statistics of a data file, from Parquet's footer into Delta's log and from the log to the engine.
//!
//! Source: Delta Transaction Log Protocol, "Per-file Statistics". Bounds may be wider than the values, never narrower:
//! texts are cut by Parquet (the maximum rounded up), instants are written in milliseconds as the protocol asks, the
//! minimum rounded down and the maximum up.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics as ChunkStatistics;
use serde_json::Value;

const MICROS_A_MILLI: i64 = 1000;

/// A bound of a column, comparable with others of the same column.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Bound {
    Whole(i128),
    Float(f64),
    Text(String),
}

/// What is known of one column of one file.
#[derive(Debug, Default)]
struct Known {
    nulls: u64,
    nulls_unknown: bool,
    bounds: Option<(Bound, Bound)>,
    bounds_unknown: bool,
}

/// The statistics of a written file as Delta's JSON text.
pub(super) fn to_delta(
    schema: &Schema,
    metadata: &ParquetMetaData,
) -> Result<String, ParquetError> {
    let rows = metadata.file_metadata().num_rows();
    let columns: Vec<(&Field, Known)> = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (field.as_ref(), known(field, index, metadata)))
        .collect();
    let mut text = format!("{{\"numRecords\":{rows}");
    let bounds = |upper: bool| {
        columns.iter().filter_map(move |(field, known)| {
            let (least, greatest) = known.bounds.as_ref()?;
            let bound = if upper { greatest } else { least };
            Some((
                field.name().as_str(),
                json_bound(field.data_type(), bound, upper)?,
            ))
        })
    };
    let nulls = columns.iter().filter(|(_, known)| !known.nulls_unknown);
    object(&mut text, "minValues", bounds(false))?;
    object(&mut text, "maxValues", bounds(true))?;
    object(
        &mut text,
        "nullCount",
        nulls.map(|(field, known)| (field.name().as_str(), known.nulls.to_string())),
    )?;
    text.push('}');
    Ok(text)
}

fn object<'a>(
    text: &mut String,
    name: &str,
    members: impl Iterator<Item = (&'a str, String)>,
) -> Result<(), ParquetError> {
    let quoted = |name: &str| {
        serde_json::to_string(name).map_err(|error| ParquetError::External(Box::new(error)))
    };
    let mut separator = "";
    let _ = write!(text, ",\"{name}\":{{");
    for (column, value) in members {
        let _ = write!(text, "{separator}{}:{value}", quoted(column)?);
        separator = ",";
    }
    text.push('}');
    Ok(())
}

/// Joins what the row groups say of a column.
fn known(field: &Field, index: usize, metadata: &ParquetMetaData) -> Known {
    let mut known = Known::default();
    for group in metadata.row_groups() {
        let rows = u64::try_from(group.num_rows()).unwrap_or_default();
        let chunk = group.column(index).statistics();
        let nulls = match chunk.and_then(ChunkStatistics::null_count_opt) {
            Some(nulls) => nulls,
            None if !field.is_nullable() => 0,
            None => {
                known.nulls_unknown = true;
                0
            }
        };
        known.nulls += nulls;
        if nulls == rows && !known.nulls_unknown {
            continue;
        }
        match chunk.and_then(|chunk| chunk_bounds(field.data_type(), chunk)) {
            Some(bounds) => known.widen(bounds),
            None => known.bounds_unknown = true,
        }
    }
    if known.bounds_unknown {
        known.bounds = None;
    }
    known
}

impl Known {
    fn widen(&mut self, (least, greatest): (Bound, Bound)) {
        self.bounds = Some(match self.bounds.take() {
            None => (least, greatest),
            Some((low, high)) => (
                if least < low { least } else { low },
                if greatest > high { greatest } else { high },
            ),
        });
    }
}

fn chunk_bounds(data_type: &DataType, chunk: &ChunkStatistics) -> Option<(Bound, Bound)> {
    let whole = |least: i128, greatest: i128| Some((Bound::Whole(least), Bound::Whole(greatest)));
    match (data_type, chunk) {
        (DataType::Boolean | DataType::Binary, _) => None,
        (DataType::Float64, ChunkStatistics::Double(values)) => {
            let (least, greatest) = (*values.min_opt()?, *values.max_opt()?);
            (least.is_finite() && greatest.is_finite())
                .then_some((Bound::Float(least), Bound::Float(greatest)))
        }
        (_, ChunkStatistics::Int32(values)) => whole(
            i128::from(*values.min_opt()?),
            i128::from(*values.max_opt()?),
        ),
        (_, ChunkStatistics::Int64(values)) => whole(
            i128::from(*values.min_opt()?),
            i128::from(*values.max_opt()?),
        ),
        (DataType::Decimal128(_, _), ChunkStatistics::FixedLenByteArray(values)) => whole(
            big_endian(values.min_opt()?.data())?,
            big_endian(values.max_opt()?.data())?,
        ),
        (DataType::Utf8, ChunkStatistics::ByteArray(values)) => {
            let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
            let (least, greatest) = (
                text(values.min_opt()?.data())?,
                text(values.max_opt()?.data())?,
            );
            Some((Bound::Text(least), Bound::Text(greatest)))
        }
        _ => None,
    }
}

/// A signed big-endian number of up to 16 bytes.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let sign = if bytes.first()? & 0x80 == 0 { 0 } else { 0xff };
    let mut wide = [sign; 16];
    let start = wide.len().checked_sub(bytes.len())?;
    wide[start..].copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

fn json_bound(data_type: &DataType, bound: &Bound, upper: bool) -> Option<String> {
    match (data_type, bound) {
        (DataType::Date32, Bound::Whole(days)) => {
            let date = NaiveDate::from_num_days_from_ce_opt(i32::try_from(*days + 719_163).ok()?)?;
            (1..=9999)
                .contains(&date.year())
                .then(|| format!("\"{}\"", date.format("%Y-%m-%d")))
        }
        (DataType::Timestamp(TimeUnit::Microsecond, _), Bound::Whole(micros)) => {
            let micros = i64::try_from(*micros).ok()?;
            let millis = if upper {
                micros
                    .checked_add(MICROS_A_MILLI - 1)?
                    .div_euclid(MICROS_A_MILLI)
            } else {
                micros.div_euclid(MICROS_A_MILLI)
            };
            let time = DateTime::from_timestamp_millis(millis)?;
            (1..=9999)
                .contains(&time.year())
                .then(|| format!("\"{}\"", time.format("%Y-%m-%dT%H:%M:%S%.3fZ")))
        }
        (DataType::Decimal128(_, scale), Bound::Whole(value)) => decimal(*value, *scale),
        (_, Bound::Whole(value)) => Some(value.to_string()),
        (_, Bound::Float(value)) => serde_json::to_string(value).ok(),
        (_, Bound::Text(text)) => serde_json::to_string(text).ok(),
    }
}

/// A decimal as a JSON number, digit by digit: a float would round it.
fn decimal(value: i128, scale: i8) -> Option<String> {
    let scale = usize::try_from(scale).ok()?;
    if scale == 0 {
        return Some(value.to_string());
    }
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    Some(format!("{sign}{whole}.{fraction}"))
}

/// What the log says of a file, for the engine: the number of rows, and of each column of `schema` bounds and nulls.
/// Bounds are exact only where they are known to be values of the file.
pub(crate) fn from_delta(
    schema: &Schema,
    partition_values: &BTreeMap<String, Option<String>>,
    text: Option<&str>,
    size: u64,
) -> (u64, Statistics) {
    let parsed: Value = text
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let rows = parsed.get("numRecords").and_then(Value::as_u64);
    let count = |rows: Option<u64>| match rows.and_then(|rows| usize::try_from(rows).ok()) {
        Some(rows) => Precision::Exact(rows),
        None => Precision::Absent,
    };
    let column_statistics = schema
        .fields()
        .iter()
        .map(|field| match partition_values.get(field.name()) {
            Some(value) => partition_statistics(field, value.as_deref(), count(rows)),
            None => column_statistics(field, &parsed),
        })
        .collect();
    let total_byte_size = usize::try_from(size).map_or(Precision::Absent, Precision::Inexact);
    let statistics = Statistics {
        num_rows: count(rows),
        total_byte_size,
        column_statistics,
    };
    (rows.unwrap_or_default(), statistics)
}

fn partition_statistics(
    field: &Field,
    value: Option<&str>,
    rows: Precision<usize>,
) -> ColumnStatistics {
    let mut statistics = ColumnStatistics::new_unknown();
    match value {
        None => statistics.null_count = rows,
        Some(value) => {
            statistics.null_count = Precision::Exact(0);
            if let Some(value) = partition_scalar(field.data_type(), value) {
                statistics.min_value = Precision::Exact(value.clone());
                statistics.max_value = Precision::Exact(value);
            }
        }
    }
    statistics
}

/// A partition value of Delta's log as a value of the column's type.
pub(crate) fn partition_scalar(data_type: &DataType, value: &str) -> Option<ScalarValue> {
    ScalarValue::Utf8(Some(value.to_owned()))
        .cast_to(data_type)
        .ok()
}

fn column_statistics(field: &Field, parsed: &Value) -> ColumnStatistics {
    let mut statistics = ColumnStatistics::new_unknown();
    let of = |kind: &str| parsed.get(kind).and_then(|values| values.get(field.name()));
    if let Some(nulls) = of("nullCount")
        .and_then(Value::as_u64)
        .and_then(|n| usize::try_from(n).ok())
    {
        statistics.null_count = Precision::Exact(nulls);
    }
    if let Some(least) = of("minValues") {
        statistics.min_value = bound(field.data_type(), least, false);
    }
    if let Some(greatest) = of("maxValues") {
        statistics.max_value = bound(field.data_type(), greatest, true);
    }
    statistics
}

fn bound(data_type: &DataType, value: &Value, upper: bool) -> Precision<ScalarValue> {
    let scalar = match (data_type, value) {
        (DataType::Int64, value) => value.as_i64().map(|value| ScalarValue::Int64(Some(value))),
        (DataType::Int32, value) => value
            .as_i64()
            .and_then(|value| i32::try_from(value).ok())
            .map(|value| ScalarValue::Int32(Some(value))),
        (DataType::Date32, Value::String(text)) => ScalarValue::Utf8(Some(text.clone()))
            .cast_to(data_type)
            .ok(),
        (DataType::Float64, value) => {
            return value.as_f64().map_or(Precision::Absent, |value| {
                Precision::Inexact(ScalarValue::Float64(Some(value)))
            });
        }
        (DataType::Utf8, Value::String(text)) => {
            return Precision::Inexact(ScalarValue::Utf8(Some(text.clone())));
        }
        (DataType::Timestamp(TimeUnit::Microsecond, zone), Value::String(text)) => {
            // Other writers cut the maximum to the millisecond below.
            let slack = if upper { MICROS_A_MILLI - 1 } else { 0 };
            return DateTime::parse_from_rfc3339(text).map_or(Precision::Absent, |time| {
                let micros = time.timestamp_micros() + slack;
                Precision::Inexact(ScalarValue::TimestampMicrosecond(
                    Some(micros),
                    zone.clone(),
                ))
            });
        }
        _ => None,
    };
    scalar.map_or(Precision::Absent, Precision::Exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        for (value, scale, text) in [
            (12_345, 2, "123.45"),
            (-5, 3, "-0.005"),
            (7, 0, "7"),
            (
                i128::MIN + 1,
                38,
                "-1.70141183460469231731687303715884105727",
            ),
        ] {
            assert_eq!(decimal(value, scale).as_deref(), Some(text));
        }
        assert_eq!(big_endian(&[0xff, 0xfe]), Some(-2));
        assert_eq!(big_endian(&[0x01, 0x00]), Some(256));
    }

    #[test]
    fn instants_are_rounded_outwards() {
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let micros = Bound::Whole(1_700_000_000_123_456);
        let text = |upper| json_bound(&instant, &micros, upper);
        assert_eq!(text(false).as_deref(), Some("\"2023-11-14T22:13:20.123Z\""));
        assert_eq!(text(true).as_deref(), Some("\"2023-11-14T22:13:20.124Z\""));
        assert_eq!(
            json_bound(&DataType::Date32, &Bound::Whole(-1), true).as_deref(),
            Some("\"1969-12-31\"")
        );
    }
}
