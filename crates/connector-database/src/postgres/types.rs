//! PostgreSQL's types: what is asked for, and what it becomes.
//!
//! Reference: <https://www.postgresql.org/docs/current/datatype.html>. What has no binary form of its own here is cast to text
//! (or JSON text) by the server.

use arrow::datatypes::DataType;
use tokio_postgres::Column;
use tokio_postgres::types::{Kind, Type};

use crate::cells::{decimal, instant, local_time};

/// How the bytes of a value are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Bool,
    I16,
    I32,
    I64,
    F32,
    F64,
    /// `numeric(p, s)` with this scale.
    Numeric(u8),
    Text,
    /// A version byte before the text.
    Jsonb,
    Bytes,
    Uuid,
    /// Days since 2000.
    Date,
    /// Microseconds of the day.
    Time,
    /// Microseconds since 2000.
    Timestamp,
}

/// A column of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) name: String,
    /// What the server is asked for in its place.
    pub(crate) expression: String,
    pub(crate) wire: Wire,
    pub(crate) data_type: DataType,
    /// The type as PostgreSQL names it, for comparing with a literal.
    pub(crate) type_name: String,
}

impl Asked {
    pub(crate) fn of(column: &Column) -> Self {
        let quoted = identifier(column.name());
        let (cast, wire, data_type) = read_as(column.type_(), column.type_modifier());
        Self {
            name: column.name().to_owned(),
            expression: cast.replace('$', &quoted),
            wire,
            data_type,
            type_name: type_name(column.type_()),
        }
    }
}

impl Asked {
    /// Whether the text of its values says which are equal, and the server's order is one. Texts are left out: by some
    /// collations two are equal that are not the same bytes.
    pub(crate) fn is_ordered(&self) -> bool {
        self.data_type != DataType::Utf8 || matches!(self.type_name.as_str(), "numeric" | "uuid")
    }

    /// Equal values become equal texts: 1.0 and 1.00 are one number.
    pub(crate) fn be_told_apart(&mut self) {
        if self.data_type == DataType::Utf8 && self.type_name == "numeric" {
            self.expression = format!("trim_scale({})::text", identifier(&self.name));
        }
    }
}

fn type_name(of: &Type) -> String {
    match of.schema() {
        "pg_catalog" => of.name().to_owned(),
        schema => format!("{}.{}", identifier(schema), identifier(of.name())),
    }
}

/// What to ask for (`$` is the column), how it comes, and what it becomes.
fn read_as(of: &Type, modifier: i32) -> (String, Wire, DataType) {
    let as_is = |wire, data_type| ("$".to_owned(), wire, data_type);
    let cast = |sql: &str| (sql.to_owned(), Wire::Text, DataType::Utf8);
    // PostGIS: as WKB, in the coordinates it has.
    if matches!(of.name(), "geometry" | "geography") && of.schema() != "pg_catalog" {
        let sql = format!("{}.ST_AsBinary($)", identifier(of.schema()));
        return (sql, Wire::Bytes, DataType::Binary);
    }
    match of.kind() {
        Kind::Domain(base) => return read_as(base, modifier),
        Kind::Array(_) | Kind::Composite(_) => return cast("to_json($)::text"),
        Kind::Simple => {}
        _ => return cast("$::text"),
    }
    match *of {
        Type::BOOL => as_is(Wire::Bool, DataType::Boolean),
        Type::INT2 => as_is(Wire::I16, DataType::Int16),
        Type::INT4 => as_is(Wire::I32, DataType::Int32),
        Type::INT8 => as_is(Wire::I64, DataType::Int64),
        Type::OID => ("$::int8".to_owned(), Wire::I64, DataType::Int64),
        Type::FLOAT4 => as_is(Wire::F32, DataType::Float32),
        Type::FLOAT8 => as_is(Wire::F64, DataType::Float64),
        Type::NUMERIC => match numeric(modifier) {
            Some((scale, data_type)) => as_is(Wire::Numeric(scale), data_type),
            None => cast("$::text"),
        },
        // Its text depends on the server's language; the number does not.
        Type::MONEY => cast("$::numeric::text"),
        // The blanks that fill a char(n) up mean nothing, and a cast takes them off.
        Type::BPCHAR => cast("$::text"),
        Type::TEXT | Type::VARCHAR | Type::NAME | Type::JSON => as_is(Wire::Text, DataType::Utf8),
        Type::JSONB => as_is(Wire::Jsonb, DataType::Utf8),
        Type::BYTEA => as_is(Wire::Bytes, DataType::Binary),
        Type::UUID => as_is(Wire::Uuid, DataType::Utf8),
        Type::DATE => as_is(Wire::Date, DataType::Date32),
        Type::TIME => as_is(Wire::Time, DataType::Utf8),
        Type::TIMESTAMP => as_is(Wire::Timestamp, local_time()),
        Type::TIMESTAMPTZ => as_is(Wire::Timestamp, instant()),
        _ => cast("$::text"),
    }
}

/// Scale and type of `numeric(precision, scale)`; `None` for one without, which may have any digits, or too many.
fn numeric(modifier: i32) -> Option<(u8, DataType)> {
    // The header of a variable-length type is counted in.
    let packed = modifier.checked_sub(4).filter(|&packed| packed >= 0)?;
    let precision = i64::from((packed >> 16) & 0xffff);
    // Eleven bits, signed.
    let scale = i64::from(((packed & 0x7ff) ^ 1024) - 1024);
    match decimal(precision, scale) {
        data_type @ DataType::Decimal128(..) => Some((u8::try_from(scale).ok()?, data_type)),
        _ => None,
    }
}

/// A name as SQL writes it.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it, with `standard_conforming_strings` on.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerics_that_arrow_holds_are_decimals() {
        let modifier = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
        assert_eq!(
            numeric(modifier(10, 2)),
            Some((2, DataType::Decimal128(10, 2)))
        );
        assert_eq!(
            numeric(modifier(38, 38)),
            Some((38, DataType::Decimal128(38, 38)))
        );
        assert_eq!(numeric(modifier(39, 2)), None);
        assert_eq!(numeric(modifier(5, -2)), None);
        assert_eq!(numeric(modifier(3, 5)), None);
        assert_eq!(numeric(-1), None);
    }

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(identifier("a \"b\" ư"), "\"a \"\"b\"\" ư\"");
        assert_eq!(literal("a'b\\"), "'a''b\\'");
    }
}
