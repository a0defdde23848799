//! How the columns of a data file are encoded.

use arrow::datatypes::{DataType, Schema};
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sectorlake_contract::system;

use super::is_without_statistics;

/// The codec of every data file: what each reader knows and no writer waits for.
const CODEC: Compression = Compression::SNAPPY;
/// Rows of a row group: enough for long runs, few enough that two readers share a file.
pub(super) const ROW_GROUP_ROWS: usize = 1 << 20;
/// Encoded bytes of a row group: wide rows make smaller groups.
pub(super) const ROW_GROUP_BYTES_MAX: usize = 48 << 20;
/// A column whose distinct values take more than this goes on without a dictionary: a larger one misses the cache.
const DICTIONARY_BYTES_MAX: usize = 256 << 10;
/// Longest minimum or maximum of a text: longer ones are cut at a character, the maximum rounded up.
const STATISTICS_BYTES_MAX: usize = 64;

/// The properties of files with these columns.
pub(super) fn of(schema: &Schema) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_compression(CODEC)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES_MAX))
        .set_column_index_truncate_length(Some(STATISTICS_BYTES_MAX))
        .set_created_by(concat!("sectorlake ", env!("CARGO_PKG_VERSION")).to_owned());
    for field in schema.fields() {
        let column = ColumnPath::from(field.name().as_str());
        if is_without_statistics(field.name()) {
            builder = builder.set_column_statistics_enabled(column, EnabledStatistics::None);
        } else if field.name() == system::ROW {
            builder = builder
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        } else if matches!(field.data_type(), DataType::Binary) {
            // Geometries differ row by row, and their order as bytes means nothing.
            builder = builder
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_statistics_enabled(column, EnabledStatistics::None);
        }
    }
    builder.build()
}
