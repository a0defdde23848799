//! Columns under construction: one builder a column, filled value by value.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int8Builder, Int16Builder, Int32Builder, Int64Builder, RecordBatch,
    RecordBatchOptions, StringBuilder, TimestampMicrosecondBuilder, UInt8Builder, UInt16Builder,
    UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use sectorlake_connector::{ConnectorError, ErrorKind};

use crate::engine::Replaced;

/// Rows of a batch, at most.
const BATCH_ROWS: usize = 16 * 1024;
/// Bytes of texts and binaries in a batch beyond which it takes no more rows.
const BATCH_BYTES: usize = 8 << 20;

/// The builder of one column.
#[derive(Debug)]
pub(crate) enum Cells {
    Bool(BooleanBuilder),
    I8(Int8Builder),
    I16(Int16Builder),
    I32(Int32Builder),
    I64(Int64Builder),
    U8(UInt8Builder),
    U16(UInt16Builder),
    U32(UInt32Builder),
    U64(UInt64Builder),
    F32(Float32Builder),
    F64(Float64Builder),
    Decimal(Decimal128Builder),
    Text(StringBuilder),
    Binary(BinaryBuilder),
    Date(Date32Builder),
    /// Microseconds of an instant, or of a time on nobody's clock.
    Timestamp(TimestampMicrosecondBuilder),
}

/// Applies a method to whatever builder it is.
macro_rules! each {
    ($cells:expr, $builder:ident => $done:expr) => {
        match $cells {
            Cells::Bool($builder) => $done,
            Cells::I8($builder) => $done,
            Cells::I16($builder) => $done,
            Cells::I32($builder) => $done,
            Cells::I64($builder) => $done,
            Cells::U8($builder) => $done,
            Cells::U16($builder) => $done,
            Cells::U32($builder) => $done,
            Cells::U64($builder) => $done,
            Cells::F32($builder) => $done,
            Cells::F64($builder) => $done,
            Cells::Decimal($builder) => $done,
            Cells::Text($builder) => $done,
            Cells::Binary($builder) => $done,
            Cells::Date($builder) => $done,
            Cells::Timestamp($builder) => $done,
        }
    };
}

impl Cells {
    /// For values of `data_type`; what it does not know is text.
    pub(crate) fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Int8 => Self::I8(Int8Builder::new()),
            DataType::Int16 => Self::I16(Int16Builder::new()),
            DataType::Int32 => Self::I32(Int32Builder::new()),
            DataType::Int64 => Self::I64(Int64Builder::new()),
            DataType::UInt8 => Self::U8(UInt8Builder::new()),
            DataType::UInt16 => Self::U16(UInt16Builder::new()),
            DataType::UInt32 => Self::U32(UInt32Builder::new()),
            DataType::UInt64 => Self::U64(UInt64Builder::new()),
            DataType::Float32 => Self::F32(Float32Builder::new()),
            DataType::Float64 => Self::F64(Float64Builder::new()),
            DataType::Decimal128(..) => {
                Self::Decimal(Decimal128Builder::new().with_data_type(data_type.clone()))
            }
            DataType::Binary => Self::Binary(BinaryBuilder::new()),
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Timestamp(..) => Self::Timestamp(
                TimestampMicrosecondBuilder::new().with_data_type(data_type.clone()),
            ),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    /// No value.
    pub(crate) fn null(&mut self) {
        each!(self, builder => builder.append_null());
    }

    fn finish(&mut self) -> ArrayRef {
        each!(self, builder => Arc::new(builder.finish()))
    }
}

/// The type of an instant.
pub(crate) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The type of a date and time without a zone.
pub(crate) fn local_time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// The type of a decimal of that many digits, `scale` of them behind the point; text where Arrow cannot hold it.
pub(crate) fn decimal(precision: i64, scale: i64) -> DataType {
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(digits @ 1..=38), Ok(behind @ 0..)) if scale <= precision => {
            DataType::Decimal128(digits, behind)
        }
        _ => DataType::Utf8,
    }
}

/// A batch under construction.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<Cells>,
    schema: SchemaRef,
    rows: usize,
    bytes: usize,
    replaced: Replaced,
}

impl Rows {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        let columns = schema
            .fields()
            .iter()
            .map(|field| Cells::new(field.data_type()))
            .collect();
        Self {
            columns,
            schema,
            rows: 0,
            bytes: 0,
            replaced: Replaced::new(),
        }
    }

    /// One row more, of that many bytes on the wire.
    pub(crate) fn row(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes += bytes;
    }

    /// The value of `column` is one that Arrow cannot hold: NULL instead, and counted.
    pub(crate) fn replace(&mut self, column: usize, what: &str) {
        self.columns[column].null();
        *self
            .replaced
            .entry(format!("{}: {what}", self.schema.field(column).name()))
            .or_default() += 1;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// The rows so far; `None` if there are none.
    ///
    /// # Errors
    /// When the columns do not fit one another, which would be a fault of ours.
    pub(crate) fn take(&mut self) -> Result<Option<(RecordBatch, Replaced)>, ConnectorError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let columns = self.columns.iter_mut().map(Cells::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        (self.rows, self.bytes) = (0, 0);
        let batch =
            batch.map_err(|error| ConnectorError::new(ErrorKind::Invalid, error.to_string()))?;
        Ok(Some((batch, std::mem::take(&mut self.replaced))))
    }
}

/// A schema of nullable columns.
pub(crate) fn schema(columns: impl IntoIterator<Item = (String, DataType)>) -> SchemaRef {
    let fields = columns
        .into_iter()
        .map(|(name, data_type)| Field::new(name, data_type, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
