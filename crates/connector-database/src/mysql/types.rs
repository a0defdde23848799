//! MySQL's and MariaDB's types: what a column becomes, and its values.
//!
//! Reference: <https://dev.mysql.com/doc/refman/8.4/en/data-types.html>. `TINYINT(1)` stays a number: MySQL lets it hold 2.

use arrow::datatypes::DataType;
use chrono::NaiveDate;
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Column, Value};

use crate::cells::{Cells, Rows, decimal, instant, local_time};

/// The character set of what is no text.
const BINARY: u16 = 63;

/// What a column becomes.
pub(super) fn data_type(column: &Column) -> DataType {
    let is_unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    let whole = |signed, unsigned| if is_unsigned { unsigned } else { signed };
    match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY => whole(DataType::Int8, DataType::UInt8),
        ColumnType::MYSQL_TYPE_SHORT => whole(DataType::Int16, DataType::UInt16),
        ColumnType::MYSQL_TYPE_YEAR => DataType::Int16,
        ColumnType::MYSQL_TYPE_LONG | ColumnType::MYSQL_TYPE_INT24 => {
            whole(DataType::Int32, DataType::UInt32)
        }
        ColumnType::MYSQL_TYPE_LONGLONG => whole(DataType::Int64, DataType::UInt64),
        ColumnType::MYSQL_TYPE_FLOAT => DataType::Float32,
        ColumnType::MYSQL_TYPE_DOUBLE => DataType::Float64,
        ColumnType::MYSQL_TYPE_NEWDECIMAL | ColumnType::MYSQL_TYPE_DECIMAL => {
            // The length counts the sign and the point.
            let scale = i64::from(column.decimals());
            let digits =
                i64::from(column.column_length()) - i64::from(scale > 0) - i64::from(!is_unsigned);
            decimal(digits, scale)
        }
        ColumnType::MYSQL_TYPE_BIT if column.column_length() == 1 => DataType::Boolean,
        ColumnType::MYSQL_TYPE_BIT => DataType::UInt64,
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => DataType::Date32,
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 => local_time(),
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => instant(),
        ColumnType::MYSQL_TYPE_GEOMETRY => DataType::Binary,
        ColumnType::MYSQL_TYPE_JSON | ColumnType::MYSQL_TYPE_ENUM | ColumnType::MYSQL_TYPE_SET => {
            DataType::Utf8
        }
        ColumnType::MYSQL_TYPE_TINY_BLOB
        | ColumnType::MYSQL_TYPE_MEDIUM_BLOB
        | ColumnType::MYSQL_TYPE_LONG_BLOB
        | ColumnType::MYSQL_TYPE_BLOB
        | ColumnType::MYSQL_TYPE_STRING
        | ColumnType::MYSQL_TYPE_VAR_STRING
        | ColumnType::MYSQL_TYPE_VARCHAR
            if column.character_set() == BINARY =>
        {
            DataType::Binary
        }
        _ => DataType::Utf8,
    }
}

/// Whether the bytes of a column are a geometry, with the four bytes of its coordinate system before its WKB.
pub(super) fn is_geometry(column: &Column) -> bool {
    column.column_type() == ColumnType::MYSQL_TYPE_GEOMETRY
}

/// One value into its column; gives its bytes.
///
/// # Errors
/// What is wrong with it.
pub(super) fn value(
    value: Value,
    is_geometry: bool,
    column: usize,
    rows: &mut Rows,
) -> Result<usize, String> {
    let fits = |what: &str| format!("is {what}, which does not fit its column");
    let mut bytes = 8;
    match (value, &mut rows.columns[column]) {
        (Value::NULL, cells) => cells.null(),
        (Value::Bytes(found), cells) => {
            bytes = found.len();
            let found = if is_geometry {
                found.get(4..).unwrap_or_default()
            } else {
                &found
            };
            of_bytes(found, cells).or_else(|what| match what {
                NotRead::Unfit => Err(fits("text")),
                NotRead::NoText => {
                    rows.replace(column, "text that is no UTF-8");
                    Ok(())
                }
            })?;
        }
        (Value::Int(number), cells) => {
            whole(number.into(), cells).ok_or_else(|| fits("a number"))?
        }
        (Value::UInt(number), cells) => {
            whole(number.into(), cells).ok_or_else(|| fits("a number"))?
        }
        (Value::Float(number), Cells::F32(cells)) => cells.append_value(number),
        (Value::Double(number), Cells::F64(cells)) => cells.append_value(number),
        (Value::Date(year, month, day, hour, minute, second, micros), cells) => {
            let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into());
            let moment = date.and_then(|date| {
                date.and_hms_micro_opt(hour.into(), minute.into(), second.into(), micros)
            });
            match (moment, cells) {
                (Some(moment), Cells::Date(cells)) => {
                    cells.append_value(moment.date().to_epoch_days())
                }
                (Some(moment), Cells::Timestamp(cells)) => {
                    cells.append_value(moment.and_utc().timestamp_micros())
                }
                // 0000-00-00, 2024-00-00: what MySQL writes where it has no date.
                (None, Cells::Date(_) | Cells::Timestamp(_)) => rows.replace(column, "zero date"),
                _ => return Err(fits("a date")),
            }
        }
        (Value::Time(is_negative, days, hours, minutes, seconds, micros), Cells::Text(cells)) => {
            cells.append_value(time(is_negative, (days, hours, minutes, seconds, micros)));
        }
        _ => return Err(fits("of another kind")),
    }
    Ok(bytes)
}

enum NotRead {
    Unfit,
    NoText,
}

fn of_bytes(found: &[u8], cells: &mut Cells) -> Result<(), NotRead> {
    match cells {
        Cells::Binary(cells) => cells.append_value(found),
        Cells::Bool(cells) => cells.append_value(found.iter().any(|&byte| byte != 0)),
        Cells::U64(cells) if found.len() <= 8 => {
            cells.append_value(
                found
                    .iter()
                    .fold(0, |bits, &byte| bits << 8 | u64::from(byte)),
            );
        }
        Cells::Text(cells) => {
            cells.append_value(std::str::from_utf8(found).map_err(|_| NotRead::NoText)?)
        }
        Cells::Decimal(cells) => {
            let text = std::str::from_utf8(found).map_err(|_| NotRead::Unfit)?;
            // Its digits and no more: the server writes as many behind the point as the column has.
            let digits: String = text.chars().filter(|&it| it != '.').collect();
            cells.append_value(digits.parse().map_err(|_| NotRead::Unfit)?);
        }
        _ => return Err(NotRead::Unfit),
    }
    Ok(())
}

fn whole(number: i128, cells: &mut Cells) -> Option<()> {
    match cells {
        Cells::I8(cells) => cells.append_value(number.try_into().ok()?),
        Cells::I16(cells) => cells.append_value(number.try_into().ok()?),
        Cells::I32(cells) => cells.append_value(number.try_into().ok()?),
        Cells::I64(cells) => cells.append_value(number.try_into().ok()?),
        Cells::U8(cells) => cells.append_value(number.try_into().ok()?),
        Cells::U16(cells) => cells.append_value(number.try_into().ok()?),
        Cells::U32(cells) => cells.append_value(number.try_into().ok()?),
        Cells::U64(cells) => cells.append_value(number.try_into().ok()?),
        _ => return None,
    }
    Some(())
}

/// A time as MySQL writes it: up to 838 hours, and negative ones.
fn time(
    is_negative: bool,
    (days, hours, minutes, seconds, micros): (u32, u8, u8, u8, u32),
) -> String {
    let sign = if is_negative { "-" } else { "" };
    let hours = u64::from(days) * 24 + u64::from(hours);
    let whole = format!("{sign}{hours:02}:{minutes:02}:{seconds:02}");
    match micros {
        0 => whole,
        _ => format!("{whole}.{micros:06}")
            .trim_end_matches('0')
            .to_owned(),
    }
}
