//! SQL Server's types: what is asked for, and what it becomes.
//!
//! Reference: <https://learn.microsoft.com/sql/t-sql/data-types/data-types-transact-sql>. Texts are asked for as nvarchar, so the
//! server itself reads its code pages, Vietnamese 1258 among them; instants are asked for in UTC.

use arrow::datatypes::DataType;
use tiberius::ColumnData;

use crate::cells::{Cells, Rows, decimal, instant, local_time};

/// Days from 0001-01-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_162;

/// A column of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: String,
    /// What the server is asked for in its place.
    pub(super) expression: String,
    pub(super) data_type: DataType,
    /// The type as the server names it: `decimal(10,2)`.
    pub(super) type_name: String,
}

impl Asked {
    /// Of a column of that name and type.
    pub(super) fn of(name: &str, type_name: &str) -> Self {
        let (expression, data_type) = read_as(type_name);
        Self {
            name: name.to_owned(),
            expression: expression.replace('$', &identifier(name)),
            data_type,
            type_name: type_name.to_owned(),
        }
    }

    /// The name of the type without its length.
    pub(super) fn family(&self) -> &str {
        family(&self.type_name)
    }
}

fn family(type_name: &str) -> &str {
    type_name.split('(').next().unwrap_or_default().trim()
}

/// What to ask for (`$` is the column), and what it becomes.
fn read_as(type_name: &str) -> (&'static str, DataType) {
    match family(type_name) {
        "bit" => ("$", DataType::Boolean),
        "tinyint" => ("$", DataType::UInt8),
        "smallint" => ("$", DataType::Int16),
        "int" => ("$", DataType::Int32),
        "bigint" => ("$", DataType::Int64),
        "real" => ("$", DataType::Float32),
        "float" => ("$", DataType::Float64),
        "decimal" | "numeric" => ("$", digits(type_name)),
        "money" => ("CAST($ AS decimal(19, 4))", DataType::Decimal128(19, 4)),
        "smallmoney" => ("CAST($ AS decimal(10, 4))", DataType::Decimal128(10, 4)),
        "date" => ("$", DataType::Date32),
        "datetime" | "datetime2" | "smalldatetime" => ("CAST($ AS datetime2(7))", local_time()),
        "datetimeoffset" => ("CAST(SWITCHOFFSET($, '+00:00') AS datetime2(7))", instant()),
        "time" => ("CONVERT(nvarchar(16), $)", DataType::Utf8),
        "char" | "nchar" => ("CAST(RTRIM($) AS nvarchar(4000))", DataType::Utf8),
        "nvarchar" | "sysname" => ("$", DataType::Utf8),
        "uniqueidentifier" => ("LOWER(CONVERT(nvarchar(36), $))", DataType::Utf8),
        "binary" | "varbinary" => ("$", DataType::Binary),
        "image" => ("CAST($ AS varbinary(max))", DataType::Binary),
        // Grows with every change of a row, which is what `incremental` asks for.
        "timestamp" | "rowversion" => ("CAST($ AS bigint)", DataType::Int64),
        "geometry" | "geography" => ("$.STAsBinary()", DataType::Binary),
        "hierarchyid" => ("$.ToString()", DataType::Utf8),
        "sql_variant" => ("CAST($ AS nvarchar(4000))", DataType::Utf8),
        _ => ("CAST($ AS nvarchar(max))", DataType::Utf8),
    }
}

/// `decimal(10,2)`.
fn digits(type_name: &str) -> DataType {
    let inner = type_name
        .split_once('(')
        .and_then(|(_, rest)| rest.trim_end_matches(')').split_once(','));
    let digits = inner.and_then(|(precision, scale)| {
        Some((precision.trim().parse().ok()?, scale.trim().parse().ok()?))
    });
    let (precision, scale) = digits.unwrap_or((18, 0));
    decimal(precision, scale)
}

/// One value into its column; gives its bytes.
///
/// # Errors
/// What is wrong with it.
pub(super) fn value(
    value: ColumnData<'_>,
    column: usize,
    rows: &mut Rows,
) -> Result<usize, String> {
    let mut bytes = 8;
    match (value, &mut rows.columns[column]) {
        (
            ColumnData::U8(None)
            | ColumnData::I16(None)
            | ColumnData::I32(None)
            | ColumnData::I64(None)
            | ColumnData::F32(None)
            | ColumnData::F64(None)
            | ColumnData::Bit(None)
            | ColumnData::String(None)
            | ColumnData::Binary(None)
            | ColumnData::Numeric(None)
            | ColumnData::Date(None)
            | ColumnData::DateTime2(None),
            cells,
        ) => cells.null(),
        (ColumnData::Bit(Some(flag)), Cells::Bool(cells)) => cells.append_value(flag),
        (ColumnData::U8(Some(number)), Cells::U8(cells)) => cells.append_value(number),
        (ColumnData::I16(Some(number)), Cells::I16(cells)) => cells.append_value(number),
        (ColumnData::I32(Some(number)), Cells::I32(cells)) => cells.append_value(number),
        (ColumnData::I64(Some(number)), Cells::I64(cells)) => cells.append_value(number),
        (ColumnData::F32(Some(number)), Cells::F32(cells)) => cells.append_value(number),
        (ColumnData::F64(Some(number)), Cells::F64(cells)) => cells.append_value(number),
        (ColumnData::Numeric(Some(number)), Cells::Decimal(cells)) => {
            cells.append_value(number.value())
        }
        (ColumnData::String(Some(text)), Cells::Text(cells)) => {
            bytes = text.len();
            cells.append_value(text);
        }
        (ColumnData::Binary(Some(found)), Cells::Binary(cells)) => {
            bytes = found.len();
            cells.append_value(found);
        }
        (ColumnData::Date(Some(date)), Cells::Date(cells)) => {
            let days = i64::from(date.days()) - EPOCH_DAYS;
            cells.append_value(i32::try_from(days).map_err(|_| "is a date out of range")?);
        }
        (ColumnData::DateTime2(Some(moment)), Cells::Timestamp(cells)) => {
            cells.append_value(micros(moment).ok_or("is a time out of range")?);
        }
        (found, _) => return Err(format!("is {found:?}, which does not fit its column")),
    }
    Ok(bytes)
}

/// Microseconds since 1970; a seventh digit behind the second is cut off.
fn micros(moment: tiberius::time::DateTime2) -> Option<i64> {
    let days = i64::from(moment.date().days()) - EPOCH_DAYS;
    let scale = u32::from(moment.time().scale());
    let increments = i64::try_from(moment.time().increments()).ok()?;
    let of_day = match scale.checked_sub(6) {
        Some(more) => increments / 10_i64.checked_pow(more)?,
        None => increments.checked_mul(10_i64.pow(6 - scale))?,
    };
    days.checked_mul(86_400_000_000)?.checked_add(of_day)
}

/// A name as T-SQL writes it.
pub(super) fn identifier(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// A text as T-SQL writes it.
pub(super) fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_asked_for_as_what_they_become() {
        for (type_name, expression, data_type) in [
            ("decimal(10,2)", "[a]", DataType::Decimal128(10, 2)),
            ("numeric(38, 38)", "[a]", DataType::Decimal128(38, 38)),
            (
                "money",
                "CAST([a] AS decimal(19, 4))",
                DataType::Decimal128(19, 4),
            ),
            ("nvarchar(max)", "[a]", DataType::Utf8),
            ("varchar(20)", "CAST([a] AS nvarchar(max))", DataType::Utf8),
            (
                "char(4)",
                "CAST(RTRIM([a]) AS nvarchar(4000))",
                DataType::Utf8,
            ),
            ("xml", "CAST([a] AS nvarchar(max))", DataType::Utf8),
            (
                "datetimeoffset(7)",
                "CAST(SWITCHOFFSET([a], '+00:00') AS datetime2(7))",
                instant(),
            ),
            ("timestamp", "CAST([a] AS bigint)", DataType::Int64),
            ("geography", "[a].STAsBinary()", DataType::Binary),
        ] {
            let asked = Asked::of("a", type_name);
            assert_eq!(
                (asked.expression.as_str(), asked.data_type),
                (expression, data_type),
                "{type_name}"
            );
        }
        assert_eq!(identifier("bảng [1]"), "[bảng [1]]]");
        assert_eq!(literal("ô'b"), "N'ô''b'");
    }
}
