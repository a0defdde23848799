//! A version of a table as a plain Parquet scan over its file list.
//!
//! Files are pruned by partition values and by their statistics before any is opened; what remains goes to the engine's own Parquet source
//! with projection and filters pushed into it, so that a plan holds nothing but engine nodes and may be sent elsewhere.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, BooleanArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, DFSchema, ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::listing::helpers::expr_applicable_for_cols;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::path::Path;
use sectorlake_functions::wkb_field_metadata;

/// One data file, as a table's log tells of it.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Where it lies, from the lake's root.
    pub(crate) path: Path,
    /// Bytes.
    pub(crate) size: u64,
    /// Values of the table's partition columns, in their order.
    pub(crate) partition_values: Vec<ScalarValue>,
    /// Row count and bounds of the columns that the file holds, in their order. Bounds need not be tight, but they must be bounds.
    pub(crate) statistics: Statistics,
}

/// A list of Parquet files as a table.
pub(crate) struct ParquetTable {
    /// The columns as they are shown.
    schema: SchemaRef,
    /// The columns as they are read: those in the files, then those in the files' names.
    read: TableSchema,
    /// Where each shown column stands among the read ones.
    places: Vec<usize>,
    files: Vec<PartitionedFile>,
    store: ObjectStoreUrl,
}

impl ParquetTable {
    /// A table of `files`; `schema` is as shown and stored, with the partition columns in it.
    ///
    /// # Errors
    /// A partition value or a statistic that does not fit its column.
    pub(crate) fn try_new(
        store: ObjectStoreUrl,
        schema: &Schema,
        partition_columns: &[String],
        files: Vec<File>,
    ) -> Result<Self> {
        let schema = viewed(schema);
        let is_partition = |field: &&FieldRef| partition_columns.contains(field.name());
        let in_files: Vec<FieldRef> = schema
            .fields()
            .iter()
            .filter(|field| !is_partition(field))
            .cloned()
            .collect();
        let in_names = partition_columns.iter().map(|name| {
            schema
                .field_with_name(name)
                .map(|field| Arc::new(field.clone()))
        });
        let in_names: Vec<FieldRef> = in_names.collect::<Result<_, _>>()?;
        let read = TableSchema::builder(Arc::new(Schema::new(in_files)))
            .with_table_partition_cols(in_names)
            .build();
        let places = schema
            .fields()
            .iter()
            .map(|field| read.table_schema().index_of(field.name()))
            .collect::<Result<_, _>>()?;
        let files = files
            .into_iter()
            .map(|file| partitioned(file, &read))
            .collect::<Result<_>>()?;
        Ok(Self {
            schema,
            read,
            places,
            files,
            store,
        })
    }

    /// The files that may hold rows for which every filter is true.
    fn pruned(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<PartitionedFile>> {
        if filters.is_empty() || self.files.is_empty() {
            return Ok(self.files.clone());
        }
        let (by_name, by_content): (Vec<Expr>, Vec<Expr>) = filters
            .iter()
            .cloned()
            .partition(|filter| self.is_about_names(filter));
        let mut kept = self.files.clone();
        if let Some(predicate) = self.predicate(state, by_name)? {
            kept = matching_names(kept, &predicate, self.read.table_schema())?;
        }
        if let Some(predicate) = self.predicate(state, by_content)? {
            kept = matching_bounds(kept, &predicate, self.read.table_schema());
        }
        Ok(kept)
    }

    fn predicate(
        &self,
        state: &dyn Session,
        filters: Vec<Expr>,
    ) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let schema = DFSchema::try_from(self.read.table_schema().as_ref().clone())?;
        conjunction(filters)
            .map(|filter| state.create_physical_expr(filter, &schema))
            .transpose()
    }

    /// Whether a filter is decided by partition values alone.
    fn is_about_names(&self, filter: &Expr) -> bool {
        let names: Vec<&str> = self
            .read
            .table_partition_cols()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        !names.is_empty() && expr_applicable_for_cols(&names, filter)
    }
}

impl fmt::Debug for ParquetTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetTable")
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| {
            if self.is_about_names(filter) {
                return TableProviderFilterPushDown::Exact;
            }
            // The physical optimiser moves it into the Parquet source; until then it stands above the scan.
            TableProviderFilterPushDown::Inexact
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let shown: Vec<usize> = projection
            .cloned()
            .unwrap_or_else(|| (0..self.places.len()).collect());
        let files = self.pruned(state, filters)?;
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(Arc::new(
                self.schema.project(&shown)?,
            ))));
        }
        let read = shown.iter().map(|column| self.places[*column]).collect();
        scan_files(state, &self.store, &self.read, files, read, limit)
    }
}

/// The engine's Parquet scan of `files`; `projection` counts in the read schema.
pub(crate) fn scan_files(
    state: &dyn Session,
    store: &ObjectStoreUrl,
    schema: &TableSchema,
    files: Vec<PartitionedFile>,
    projection: Vec<usize>,
    limit: Option<usize>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let runtime = state.runtime_env();
    let readers = CachedParquetFileReaderFactory::new(
        runtime.object_store(store)?,
        runtime.cache_manager.get_file_metadata_cache(),
    );
    let options = TableParquetOptions {
        global: state.config_options().execution.parquet.clone(),
        ..Default::default()
    };
    let hint = options.global.metadata_size_hint;
    let mut source = ParquetSource::new(schema.clone())
        .with_table_parquet_options(options)
        .with_parquet_file_reader_factory(Arc::new(readers));
    if let Some(hint) = hint {
        source = source.with_metadata_size_hint(hint);
    }
    let statistics = files.iter().filter_map(|file| file.statistics.as_deref());
    let statistics = Statistics::try_merge_iter(statistics, schema.table_schema())?;
    let groups = FileGroup::new(files).split_files(state.config().target_partitions());
    let config = FileScanConfigBuilder::new(store.clone(), Arc::new(source))
        .with_file_groups(groups)
        .with_statistics(statistics)
        .with_projection_indices(Some(projection))?
        .with_limit(limit)
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// Texts and bytes as views: the form in which Parquet is decoded without a copy and compared by prefix. Geometries are marked as such, so
/// that whoever takes the answer on knows them.
pub(crate) fn viewed(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let kind = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
            other => other.clone(),
        };
        let mut metadata = field.metadata().clone();
        if matches!(
            metadata.get("sectorlake.type").map(String::as_str),
            Some("geopoint" | "geojson")
        ) {
            metadata.extend(wkb_field_metadata());
        }
        Arc::new(
            field
                .as_ref()
                .clone()
                .with_data_type(kind)
                .with_metadata(metadata),
        )
    });
    let fields: Vec<FieldRef> = fields.collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn partitioned(file: File, read: &TableSchema) -> Result<PartitionedFile> {
    let mut statistics = file.statistics;
    let columns = read.file_schema().fields().len();
    statistics
        .column_statistics
        .resize(columns, ColumnStatistics::new_unknown());
    for (column, field) in statistics
        .column_statistics
        .iter_mut()
        .zip(read.file_schema().fields())
    {
        column.min_value = column.min_value.cast_to(field.data_type())?;
        column.max_value = column.max_value.cast_to(field.data_type())?;
    }
    let mut values = Vec::with_capacity(file.partition_values.len());
    for (value, field) in file
        .partition_values
        .iter()
        .zip(read.table_partition_cols())
    {
        let value = value.cast_to(field.data_type())?;
        statistics
            .column_statistics
            .push(constant(&value, statistics.num_rows));
        values.push(value);
    }
    let mut entry =
        PartitionedFile::new(file.path.to_string(), file.size).with_partition_values(values);
    // `new` would encode a path a second time.
    entry.object_meta.location = file.path;
    entry.statistics = Some(Arc::new(statistics));
    Ok(entry)
}

/// The statistics of a column with one value in every row.
fn constant(value: &ScalarValue, rows: Precision<usize>) -> ColumnStatistics {
    if value.is_null() {
        return ColumnStatistics::new_unknown().with_null_count(rows);
    }
    ColumnStatistics::new_unknown()
        .with_null_count(Precision::Exact(0))
        .with_min_value(Precision::Exact(value.clone()))
        .with_max_value(Precision::Exact(value.clone()))
        .with_distinct_count(Precision::Exact(1))
}

fn matching_names(
    files: Vec<PartitionedFile>,
    predicate: &Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
) -> Result<Vec<PartitionedFile>> {
    if files.is_empty() {
        return Ok(files);
    }
    // The predicate counts columns in the whole schema; those that stand in the files are not looked at.
    let in_files = schema.fields().len() - files[0].partition_values.len();
    let columns =
        schema
            .fields()
            .iter()
            .enumerate()
            .map(|(at, field)| match at.checked_sub(in_files) {
                Some(at) => ScalarValue::iter_to_array(
                    files.iter().map(|file| file.partition_values[at].clone()),
                ),
                None => Ok(arrow::array::new_null_array(field.data_type(), files.len())),
            });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
    let all_nullable: Vec<FieldRef> = schema
        .fields()
        .iter()
        .map(|field| Arc::new(field.as_ref().clone().with_nullable(true)))
        .collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(all_nullable)), columns)?;
    let matches = predicate.evaluate(&batch)?.into_array(files.len())?;
    let matches = matches.as_boolean();
    Ok(files
        .into_iter()
        .zip(matches)
        .filter_map(|(file, keep)| (keep == Some(true)).then_some(file))
        .collect())
}

/// Pruning is a help and no duty: where the predicate says nothing of bounds, every file stays.
fn matching_bounds(
    files: Vec<PartitionedFile>,
    predicate: &Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
) -> Vec<PartitionedFile> {
    let predicate = PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(schema))
        .try_build(Arc::clone(predicate));
    let Ok(predicate) = predicate else {
        return files;
    };
    let Ok(keep) = predicate.prune(&Bounds {
        files: &files,
        schema,
    }) else {
        return files;
    };
    files
        .into_iter()
        .zip(keep)
        .filter_map(|(file, keep)| keep.then_some(file))
        .collect()
}

/// The files' statistics as the pruning predicate asks for them. Unlike the engine's own, it takes bounds that are not tight: the log cuts
/// long texts, and a cut bound is a bound still.
struct Bounds<'a> {
    files: &'a [PartitionedFile],
    schema: &'a Schema,
}

impl Bounds<'_> {
    fn values(
        &self,
        column: &Column,
        of: impl Fn(&ColumnStatistics) -> &Precision<ScalarValue>,
    ) -> Option<ArrayRef> {
        let (index, field) = self.schema.column_with_name(column.name())?;
        let none = ScalarValue::try_from(field.data_type()).ok()?;
        let values = self.files.iter().map(|file| {
            let statistics = file
                .statistics
                .as_ref()
                .and_then(|statistics| statistics.column_statistics.get(index));
            statistics
                .and_then(|statistics| of(statistics).get_value().cloned())
                .unwrap_or_else(|| none.clone())
        });
        ScalarValue::iter_to_array(values).ok()
    }

    fn counts(&self, of: impl Fn(&Statistics) -> Option<Precision<usize>>) -> ArrayRef {
        let exact = |file: &PartitionedFile| match of(file.statistics.as_ref()?)? {
            Precision::Exact(count) => u64::try_from(count).ok(),
            _ => None,
        };
        Arc::new(self.files.iter().map(exact).collect::<UInt64Array>())
    }
}

impl PruningStatistics for Bounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |statistics| &statistics.min_value)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |statistics| &statistics.max_value)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let (index, _) = self.schema.column_with_name(column.name())?;
        Some(self.counts(|statistics| {
            statistics
                .column_statistics
                .get(index)
                .map(|column| column.null_count)
        }))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(self.counts(|statistics| Some(statistics.num_rows)))
    }

    fn contained(
        &self,
        _: &Column,
        _: &std::collections::HashSet<ScalarValue>,
    ) -> Option<BooleanArray> {
        None
    }
}
