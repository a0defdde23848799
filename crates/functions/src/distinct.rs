//! Several `DISTINCT` arguments in one aggregation.
//!
//! The engine turns a single one into two groupings, which count their memory and spill. For two and more it keeps a set of values for each
//! group and argument instead: slow, hardly counted against the session's bound, and never spilled. Here such an aggregation becomes one for
//! each argument, joined on the group keys:
//!
//! ```sql
//! SELECT k, count(DISTINCT a), count(DISTINCT b), sum(c) FROM t GROUP BY k
//! -- becomes
//! SELECT x.k, x.a, y.b, z.c
//! FROM (SELECT k, count(DISTINCT a) AS a FROM t GROUP BY k) x
//! JOIN (SELECT k, count(DISTINCT b) AS b FROM t GROUP BY k) y ON x.k IS NOT DISTINCT FROM y.k
//! JOIN (SELECT k, sum(c) AS c FROM t GROUP BY k) z ON x.k IS NOT DISTINCT FROM z.k
//! ```
//!
//! The input is read once for each of them, so it has to be one that says the same each time.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, NullEquality, TableReference, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::builder::project;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprSchemable, JoinType, LogicalPlan, LogicalPlanBuilder, TableType,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The engine's rule for a single argument: it does the rest, so ours has to stand before it.
const SINGLE: &str = "single_distinct_aggregation_to_group_by";

/// What the engine can compute by grouping twice.
const SPLIT: [&str; 5] = ["avg", "count", "max", "min", "sum"];

type Rules = Vec<Arc<dyn OptimizerRule + Send + Sync>>;

/// The engine's rules with [`ManyDistincts`] at its place.
pub(crate) fn with_many_distincts(mut rules: Rules) -> Rules {
    let place = rules.iter().position(|rule| rule.name() == SINGLE);
    rules.insert(place.unwrap_or(rules.len()), Arc::new(ManyDistincts));
    rules
}

/// The rule.
#[derive(Debug)]
struct ManyDistincts;

impl OptimizerRule for ManyDistincts {
    fn name(&self) -> &'static str {
        "many_distincts"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let Some(sides) = Sides::of(aggregate) else {
            return Ok(Transformed::no(plan));
        };
        if !can_be_joined(aggregate)? || !says_the_same(&plan)? {
            return Ok(Transformed::no(plan));
        }
        Ok(Transformed::yes(sides.joined(aggregate, config)?))
    }
}

/// The aggregates of one plan, by what they are distinct over.
#[derive(Default)]
struct Sides {
    sides: Vec<Side>,
    /// Of each aggregate: its side, and its place there.
    places: Vec<(usize, usize)>,
}

struct Side {
    /// `None` is the side of all that is not distinct.
    argument: Option<Expr>,
    aggregates: Vec<Expr>,
}

impl Sides {
    /// `None` when there are no two arguments, or one that the engine cannot take alone.
    fn of(aggregate: &Aggregate) -> Option<Self> {
        let mut split = Self::default();
        for expr in &aggregate.aggr_expr {
            // A name is the projection's; the engine takes no named aggregate apart.
            let expr = expr.clone().unalias_nested().data;
            let Expr::AggregateFunction(function) = &expr else {
                return None;
            };
            let argument = match function.params.distinct {
                true => Some(single_argument(function)?.clone()),
                false => None,
            };
            split.add(argument, expr);
        }
        let arguments = split.sides.iter().filter(|side| side.argument.is_some());
        (arguments.count() > 1).then_some(split)
    }

    fn add(&mut self, argument: Option<Expr>, aggregate: Expr) {
        let found = self.sides.iter().position(|side| side.argument == argument);
        let side = found.unwrap_or(self.sides.len());
        if found.is_none() {
            self.sides.push(Side {
                argument,
                aggregates: Vec::new(),
            });
        }
        let aggregates = &mut self.sides[side].aggregates;
        let found = aggregates.iter().position(|other| *other == aggregate);
        self.places.push((side, found.unwrap_or(aggregates.len())));
        if found.is_none() {
            aggregates.push(aggregate);
        }
    }

    /// The sides in one plan, with the columns of the aggregation it replaces.
    fn joined(self, aggregate: &Aggregate, config: &dyn OptimizerConfig) -> Result<LogicalPlan> {
        let keys = aggregate.group_expr.len();
        let mut names: Vec<String> = Vec::with_capacity(self.sides.len());
        let mut joined: Option<LogicalPlanBuilder> = None;
        for side in self.sides {
            let name = config.alias_generator().next("__distinct");
            let plan = side.plan(aggregate, &name)?;
            joined = Some(match (joined, names.first()) {
                (Some(left), Some(first)) if keys > 0 => {
                    let of = |side: &str| (0..keys).map(|key| column(side, key)).collect();
                    let on: (Vec<_>, Vec<_>) = (of(first), of(&name));
                    let nulls = NullEquality::NullEqualsNull;
                    left.join_detailed(plan, JoinType::Inner, on, None, nulls)?
                }
                // Without keys, each side is one row.
                (Some(left), _) => left.cross_join(plan)?,
                (None, _) => LogicalPlanBuilder::from(plan),
            });
            names.push(name);
        }
        let joined = joined.ok_or_else(|| internal_datafusion_err!("no aggregate is distinct"))?;
        let places = self
            .places
            .iter()
            .map(|(side, place)| (*side, keys + place));
        let columns = (0..keys).map(|key| (0, key)).chain(places);
        let columns =
            columns
                .zip(aggregate.schema.iter())
                .map(|((side, place), (qualifier, field))| {
                    Expr::Column(column(&names[side], place))
                        .alias_qualified(qualifier.cloned(), field.name())
                });
        project(joined.build()?, columns.collect::<Vec<_>>())
    }
}

impl Side {
    /// The keys and this side's aggregates as the columns of `name`.
    fn plan(self, aggregate: &Aggregate, name: &str) -> Result<LogicalPlan> {
        let made = Aggregate::try_new(
            Arc::clone(&aggregate.input),
            aggregate.group_expr.clone(),
            self.aggregates,
        )?;
        let columns = made.schema.columns().into_iter().enumerate();
        let columns = columns
            .map(|(place, of)| Expr::Column(of).alias(column(name, place).name))
            .collect::<Vec<_>>();
        LogicalPlanBuilder::from(LogicalPlan::Aggregate(made))
            .project(columns)?
            .alias(name)?
            .build()
    }
}

fn column(side: &str, place: usize) -> Column {
    Column::new(Some(TableReference::bare(side)), format!("c{place}"))
}

/// What the aggregate is distinct over, when the engine's rule takes it.
fn single_argument(function: &AggregateFunction) -> Option<&Expr> {
    let params = &function.params;
    let plain = params.filter.is_none()
        && params.order_by.is_empty()
        && params.null_treatment.is_none()
        && SPLIT.contains(&function.func.name());
    match params.args.as_slice() {
        [argument] if plain => Some(argument),
        _ => None,
    }
}

/// Whether equal keys are the same to a grouping and to a join. Of floating-point zeros and of nested values that is not said.
fn can_be_joined(aggregate: &Aggregate) -> Result<bool> {
    for key in &aggregate.group_expr {
        if matches!(key, Expr::GroupingSet(_))
            || !is_exact(&key.get_type(aggregate.input.schema())?)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_exact(key: &DataType) -> bool {
    match key {
        DataType::Dictionary(_, value) => is_exact(value),
        DataType::Boolean
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..)
        | DataType::Duration(_) => true,
        other => other.is_integer() || other.is_decimal(),
    }
}

/// Whether the aggregation's input and expressions have the same answer however often they are computed. Whatever picks rows by the order
/// in which they happen to come has not, be it a `LIMIT` over a sorted input: rows of equal rank come in any order.
fn says_the_same(plan: &LogicalPlan) -> Result<bool> {
    let mut same = true;
    let mut is_top = true;
    plan.apply_with_subqueries(|node| {
        let top = std::mem::take(&mut is_top);
        same &= (top || is_settled(node)?) && expressions_are_settled(node)?;
        Ok(match same {
            true => TreeNodeRecursion::Continue,
            false => TreeNodeRecursion::Stop,
        })
    })?;
    Ok(same)
}

fn is_settled(node: &LogicalPlan) -> Result<bool> {
    Ok(match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::Distinct(Distinct::All(_)) => true,
        LogicalPlan::Sort(sort) => sort.fetch.is_none(),
        LogicalPlan::Aggregate(aggregate) => {
            let schema = aggregate.input.schema();
            for expr in &aggregate.aggr_expr {
                if !aggregate_is_settled(expr, &expr.get_type(schema)?) {
                    return Ok(false);
                }
            }
            true
        }
        // What is no stored table may grow between two readings, as a journal does, or be read but once, as the last step of a recursive
        // query.
        LogicalPlan::TableScan(scan) => {
            scan.fetch.is_none() && scan.source.table_type() == TableType::Base
        }
        _ => false,
    })
}

/// Whether the aggregate does not care for the order of its rows. Sums of floating-point numbers differ in their last digits.
fn aggregate_is_settled(expr: &Expr, answer: &DataType) -> bool {
    match expr.clone().unalias_nested().data {
        Expr::AggregateFunction(function) => match function.func.name() {
            "count" | "max" | "min" => true,
            "avg" | "sum" => !answer.is_floating(),
            _ => false,
        },
        _ => false,
    }
}

fn expressions_are_settled(node: &LogicalPlan) -> Result<bool> {
    let mut settled = true;
    node.apply_expressions(|expr| {
        // A correlated query is taken apart by the engine first, and comes here without its outer columns.
        settled &= !expr.is_volatile() && !expr.contains_outer();
        Ok(match settled {
            true => TreeNodeRecursion::Continue,
            false => TreeNodeRecursion::Stop,
        })
    })?;
    Ok(settled)
}
