//! Mapping SQL: compiled once per part, run batch by batch.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{ParamValues, plan_err};
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableScanBuilder};
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::prelude::{SQLOptions, SessionContext};
use datafusion::scalar::ScalarValue;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use futures::TryStreamExt;
use sectorlake_functions::{check_chains, make_plannable};

use crate::direct::{Direct, DirectRunner};
use crate::error::{MappingError, Place};
use crate::origin::{Taken, origins};
use crate::rowwise::{Carry, ROW, SOURCE, Shape, track};
use crate::slot::Slot;

/// What a mapping is compiled from.
#[derive(Debug, Clone)]
pub struct MappingSpec {
    /// `SELECT … FROM source`, in DataFusion's SQL.
    pub sql: String,
    /// Values for `$name` in the SQL: `$pipeline`, `$feed_id` and what the connector supplies.
    pub parameters: BTreeMap<String, String>,
    /// Columns the published standard knows; one that this source leaves out reads as NULL.
    pub columns: Vec<String>,
}

/// A mapping planned against one source schema.
pub struct Mapping {
    source: SchemaRef,
    read: Vec<usize>,
    absent: Vec<String>,
    plan: LogicalPlan,
    output: SchemaRef,
    shape: Shape,
    direct: Option<Direct>,
    origins: HashMap<String, Taken>,
    context: SessionContext,
}

impl Mapping {
    /// Plans `spec` over a source of schema `source` (without `_row`).
    ///
    /// # Errors
    /// [`MappingError`] with line and column in the SQL where the engine knows them, and the nearest column name.
    pub async fn compile(
        spec: &MappingSpec,
        source: &SchemaRef,
        session: &SessionContext,
    ) -> Result<Self, MappingError> {
        let nothing = Carry::new();
        Self::compile_only(spec, (source, &nothing), session, |_| true).await
    }

    /// As [`Mapping::compile`], without the mapped columns that are not kept: what only they need is not read; and with the
    /// columns of the source that are carried along.
    pub(crate) async fn compile_only(
        spec: &MappingSpec,
        (source, carry): (&SchemaRef, &Carry),
        session: &SessionContext,
        keeps: impl Fn(&str) -> bool + Send,
    ) -> Result<Self, MappingError> {
        let absent: Vec<String> = spec
            .columns
            .iter()
            .filter(|column| source.column_with_name(column).is_none())
            .cloned()
            .collect();
        let full = planning_schema(source, &absent);
        let plan = plan(spec, &full, session)
            .await
            .and_then(|plan| narrowed(plan, keeps))
            .map_err(|error| MappingError::from_engine(error, source))?;
        let (tracked, shape) =
            track(plan, carry).map_err(|error| MappingError::from_engine(error, source))?;
        let optimised = session
            .state()
            .optimize(&tracked)
            .map_err(|error| MappingError::from_engine(error, source))?;
        let used = used_columns(&optimised, &full)?;
        let output = Arc::new(tracked.schema().as_arrow().clone());
        let direct = Direct::of(&tracked, &output);
        let origins = origins(&tracked);
        Ok(Self {
            read: used
                .iter()
                .filter_map(|name| source.index_of(name).ok())
                .collect(),
            absent: absent
                .into_iter()
                .filter(|name| used.contains(name))
                .collect(),
            source: Arc::clone(source),
            plan: optimised,
            output,
            shape,
            direct,
            origins,
            context: session.clone(),
        })
    }

    /// The source columns the mapping reads, as indices of the source schema, for projection.
    #[must_use]
    pub fn projection(&self) -> &[usize] {
        &self.read
    }

    /// The mapped columns, without `_row`.
    #[must_use]
    pub fn output(&self) -> SchemaRef {
        let fields: Vec<_> = self
            .output
            .fields()
            .iter()
            .filter(|field| field.name() != ROW)
            .cloned()
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// The one source column that a mapped column comes from.
    pub(crate) fn taken(&self, column: &str) -> Option<&Taken> {
        self.origins.get(column)
    }

    /// Whether one record can give several rows.
    #[must_use]
    pub fn multiplies(&self) -> bool {
        self.shape.multiplies
    }

    /// A runner for one worker; each worker has its own.
    ///
    /// # Errors
    /// [`MappingError`] when the engine cannot make a physical plan.
    pub async fn runner(&self) -> Result<MappingRunner, MappingError> {
        let fail = |error| MappingError::from_engine(error, &self.source);
        let mut fields: Vec<Field> = self
            .read
            .iter()
            .map(|&index| self.source.field(index).clone())
            .collect();
        fields.extend(
            self.absent
                .iter()
                .map(|name| Field::new(name, DataType::Utf8View, true)),
        );
        fields.push(Field::new(ROW, DataType::Int64, false));
        let schema = Arc::new(Schema::new(fields));
        if let Some(direct) = &self.direct {
            let how = How::Direct(direct.runner(&schema).map_err(fail)?);
            return Ok(MappingRunner { schema, how });
        }
        let slot = Slot::new(Arc::clone(&schema));
        let table: Arc<dyn TableProvider> = Arc::new(slot.table().map_err(fail)?);
        let narrowed = rebind(self.plan.clone(), &table).map_err(fail)?;
        let plan = self
            .context
            .state()
            .create_physical_plan(&narrowed)
            .await
            .map_err(fail)?;
        let planned = Planned {
            slot,
            plan,
            task: self.context.task_ctx(),
            joins: self.shape.joins,
        };
        Ok(MappingRunner {
            schema,
            how: How::Planned(planned),
        })
    }
}

impl std::fmt::Debug for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mapping")
            .field("read", &self.read)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

/// Whether `sql` is one statement that can be read at all, for when the source's columns are not known.
///
/// # Errors
/// [`MappingError::Engine`] with the place.
pub fn check_syntax(sql: &str) -> Result<(), MappingError> {
    one_select(sql)
        .map(|_| ())
        .map_err(|error| MappingError::from_engine(error, &Arc::new(Schema::empty())))
}

/// The one question of a mapping, read as an analyst's is.
fn one_select(sql: &str) -> Result<Statement> {
    check_chains(sql)?;
    let mut statements = DFParser::parse_sql(sql)?;
    match (statements.pop_front(), statements.is_empty()) {
        (Some(Statement::Statement(mut only)), true)
            if matches!(only.as_ref(), SqlStatement::Query(_)) =>
        {
            make_plannable(&mut only);
            Ok(Statement::Statement(only))
        }
        _ => plan_err!("a mapping is one SELECT … FROM source"),
    }
}

fn planning_schema(source: &SchemaRef, absent: &[String]) -> SchemaRef {
    let mut fields: Vec<Field> = source
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    fields.extend(
        absent
            .iter()
            .map(|name| Field::new(name, DataType::Utf8View, true)),
    );
    fields.push(Field::new(ROW, DataType::Int64, false));
    Arc::new(Schema::new(fields))
}

async fn plan(
    spec: &MappingSpec,
    schema: &SchemaRef,
    session: &SessionContext,
) -> Result<LogicalPlan> {
    let statement = one_select(&spec.sql)?;
    let table = Slot::new(Arc::clone(schema)).table()?;
    session.register_table(SOURCE, Arc::new(table))?;
    let planned = session.state().statement_to_plan(statement).await;
    session.deregister_table(SOURCE)?;
    let plan = planned?;
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)?;
    let values = spec
        .parameters
        .iter()
        .map(|(name, value)| (name.clone(), ScalarValue::from(value.as_str()).into()))
        .collect();
    plan.with_param_values(ParamValues::Map(values))
}

/// The plan with the columns that are kept alone.
fn narrowed(plan: LogicalPlan, keeps: impl Fn(&str) -> bool) -> Result<LogicalPlan> {
    let all = plan.schema().columns();
    let kept: Vec<Expr> = all
        .iter()
        .filter(|column| keeps(&column.name))
        .cloned()
        .map(Expr::Column)
        .collect();
    if kept.len() == all.len() {
        return Ok(plan);
    }
    LogicalPlanBuilder::from(plan).project(kept)?.build()
}

/// The columns that any scan of `source` still needs after optimisation, in the order of `schema`.
fn used_columns(plan: &LogicalPlan, schema: &SchemaRef) -> Result<Vec<String>, MappingError> {
    let mut used = vec![false; schema.fields().len()];
    let walked = plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            match &scan.projection {
                Some(indices) => indices.iter().for_each(|&index| used[index] = true),
                None => used.fill(true),
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(|error| MappingError::Engine {
        message: error.strip_backtrace(),
        place: Place::default(),
        help: None,
    })?;
    Ok(schema
        .fields()
        .iter()
        .zip(used)
        .filter(|(field, used)| *used && field.name() != ROW)
        .map(|(field, _)| field.name().clone())
        .collect())
}

/// Replaces the planning table by the worker's own, which holds only the columns that are read. Each scan of an optimised plan says which
/// columns it takes.
fn rebind(plan: LogicalPlan, table: &Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let narrow = table.schema();
    let rebound = plan.transform_up(|node| match node {
        LogicalPlan::TableScan(scan) => {
            let taken = scan.projected_schema.fields().iter();
            let taken = taken
                .map(|field| narrow.index_of(field.name()))
                .collect::<Result<Vec<_>, _>>()?;
            let scan =
                TableScanBuilder::new(scan.table_name, provider_as_source(Arc::clone(table)))
                    .with_projection(Some(taken))
                    .build()?;
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(rebound.data)
}

/// Runs a mapping over one batch after the other.
#[derive(Debug)]
pub struct MappingRunner {
    schema: SchemaRef,
    how: How,
}

#[derive(Debug)]
enum How {
    Direct(DirectRunner),
    Planned(Planned),
}

#[derive(Debug)]
struct Planned {
    slot: Arc<Slot>,
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    joins: bool,
}

/// What one batch gave.
#[derive(Debug, Default)]
pub struct Mapped {
    /// Mapped rows, `_row` in the last column.
    pub batches: Vec<RecordBatch>,
    /// Records whose evaluation failed.
    pub failed: Vec<Failed>,
}

/// A record on which an expression failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Its place in the batch.
    pub index: usize,
    /// The engine's reason.
    pub message: String,
}

impl MappingRunner {
    /// Maps one batch of the projected source columns; `rows` are its record numbers.
    ///
    /// A failing expression fails its record, never the batch: the batch is halved until the failing records stand alone.
    ///
    /// # Errors
    /// [`MappingError`] only for what is no fault of a row, such as running out of memory.
    pub async fn map(
        &mut self,
        batch: &RecordBatch,
        rows: &Int64Array,
    ) -> Result<Mapped, MappingError> {
        let fail = |error| MappingError::from_engine(error, &self.schema);
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        let absent = self.schema.fields().len() - 1 - columns.len();
        columns.extend((0..absent).map(|_| new_null_array(&DataType::Utf8View, batch.num_rows())));
        columns.push(Arc::new(rows.clone()));
        let input = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|error| fail(error.into()))?;
        match &mut self.how {
            How::Direct(runner) => {
                let batches = vec![runner.map(&input).map_err(fail)?];
                Ok(Mapped {
                    batches,
                    failed: Vec::new(),
                })
            }
            How::Planned(planned) => planned.map(&input).await.map_err(fail),
        }
    }
}

impl Planned {
    async fn map(&mut self, input: &RecordBatch) -> Result<Mapped> {
        let mut mapped = Mapped::default();
        let mut pending = vec![(0, input.num_rows())];
        while let Some((from, count)) = pending.pop() {
            match self.execute(input.slice(from, count)).await {
                Ok(batches) => mapped
                    .batches
                    .extend(batches.into_iter().filter(|batch| batch.num_rows() > 0)),
                Err(error) if is_resource(&error) => return Err(error),
                Err(error) if count <= 1 => mapped.failed.push(Failed {
                    index: from,
                    message: reason(&error),
                }),
                Err(_) => {
                    let half = count / 2;
                    pending.push((from + half, count - half));
                    pending.push((from, half));
                }
            }
        }
        Ok(mapped)
    }

    async fn execute(&mut self, piece: RecordBatch) -> Result<Vec<RecordBatch>> {
        self.slot.put(piece);
        if self.joins {
            self.plan = reset_plan_states(Arc::clone(&self.plan))?;
        }
        // One partition after the other, so that rows come in the same order each time.
        let mut batches = Vec::new();
        for partition in 0..self.plan.output_partitioning().partition_count() {
            let stream = self.plan.execute(partition, Arc::clone(&self.task))?;
            batches.extend(stream.try_collect::<Vec<_>>().await?);
        }
        Ok(batches)
    }
}

fn is_resource(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

/// The engine's reason in one line, without the class of error in front.
fn reason(error: &DataFusionError) -> String {
    let text = match error.find_root() {
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::CastError(text)
            | ArrowError::ComputeError(text)
            | ArrowError::ParseError(text) => text.clone(),
            other => other.to_string(),
        },
        DataFusionError::Execution(text) => text.clone(),
        other => other.strip_backtrace(),
    };
    text.lines().next().unwrap_or_default().to_owned()
}
