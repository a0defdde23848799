//! Threads the record number through a mapping's plan, and refuses what is not row-wise.
//!
//! Every output row must lead back to the record it came from, so `_row` is added to each projection on the way up. A plan
//! node that mixes rows (aggregate, DISTINCT, window, sort, limit) has no such answer and belongs in a model.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Projection};

/// The name of the record-number column, see `sectorlake_contract::system::ROW`.
pub(crate) const ROW: &str = "_row";

/// The one table of a mapping.
pub(crate) const SOURCE: &str = "source";

/// What the plan can do to the number of rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shape {
    /// A record can give several rows, or come out of order: UNION ALL, unnest or a join is in the plan.
    pub(crate) multiplies: bool,
    /// A join keeps state between executions, which must be reset.
    pub(crate) joins: bool,
}

/// Adds the carried columns and `_row` to the plan's output, `_row` as its last column.
///
/// # Errors
/// [`DataFusionError::Plan`] with a sentence for the pipeline's author when the plan is not row-wise.
pub(crate) fn track(plan: LogicalPlan, carry: &Carry) -> Result<(LogicalPlan, Shape)> {
    let mut walker = Walker {
        shape: Shape::default(),
        carry,
    };
    let tracked = walk(plan, &mut walker)?;
    if !reads_source(&tracked) {
        return refuse("the mapping does not read FROM source");
    }
    Ok((row_last(tracked, carry)?, walker.shape))
}

/// Columns of the source that go with their record whatever the mapping selects: the name they come out under, and their own.
pub(crate) type Carry = BTreeMap<String, String>;

struct Walker<'a> {
    shape: Shape,
    carry: &'a Carry,
}

fn walk(plan: LogicalPlan, walker: &mut Walker<'_>) -> Result<LogicalPlan> {
    no_subqueries(&plan)?;
    match plan {
        LogicalPlan::TableScan(ref scan) if scan.table_name.table() != SOURCE => refuse(&format!(
            "a mapping reads `source` and no other table, not `{}`",
            scan.table_name
        )),
        LogicalPlan::TableScan(_) | LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => {
            Ok(plan)
        }
        LogicalPlan::Projection(projection) => {
            let input = walk(Arc::unwrap_or_clone(projection.input), walker)?;
            project(projection.expr, input, walker.carry)
        }
        LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => rebuild(plan, walker),
        LogicalPlan::Unnest(_) => {
            walker.shape.multiplies = true;
            rebuild(plan, walker)
        }
        LogicalPlan::Union(union) => {
            walker.shape.multiplies = true;
            union_of(union.inputs, walker)
        }
        LogicalPlan::Join(ref join) => {
            walker.shape.multiplies = true;
            walker.shape.joins = true;
            if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
                return refuse("a look-up is a JOIN or a LEFT JOIN; other joins belong in a model");
            }
            if reads_source(&join.left) == reads_source(&join.right) {
                return refuse("a mapping may join `source` with a look-up, not with itself");
            }
            rebuild(plan, walker)
        }
        LogicalPlan::Aggregate(_) => {
            refuse("a mapping is row-wise; GROUP BY and aggregates belong in a model")
        }
        LogicalPlan::Distinct(_) => {
            refuse("a mapping is row-wise; DISTINCT and UNION (without ALL) belong in a model")
        }
        LogicalPlan::Window(_) => {
            refuse("a mapping is row-wise; window functions belong in a model")
        }
        LogicalPlan::Sort(_) => {
            refuse("a mapping is row-wise; ORDER BY has no effect on a table, leave it out")
        }
        LogicalPlan::Limit(_) => {
            refuse("a mapping is row-wise; LIMIT and OFFSET belong in a model")
        }
        other => refuse(&format!(
            "a mapping is row-wise; {} is not",
            other.display()
        )),
    }
}

/// The arms one after the other, `_row` in the last column of each.
fn union_of(arms: Vec<Arc<LogicalPlan>>, walker: &mut Walker<'_>) -> Result<LogicalPlan> {
    let carry = walker.carry;
    let mut arms = arms
        .into_iter()
        .map(|arm| row_last(walk(Arc::unwrap_or_clone(arm), walker)?, carry));
    let Some(first) = arms.next() else {
        return refuse("an empty UNION");
    };
    let mut builder = LogicalPlanBuilder::from(first?);
    for arm in arms {
        builder = builder.union(arm?)?;
    }
    builder.build()
}

/// The same node over tracked inputs.
fn rebuild(plan: LogicalPlan, walker: &mut Walker<'_>) -> Result<LogicalPlan> {
    let expressions = plan.expressions();
    let inputs = plan
        .inputs()
        .into_iter()
        .map(|input| walk(input.clone(), walker))
        .collect::<Result<Vec<_>>>()?;
    plan.with_new_exprs(expressions, inputs)
}

fn project(mut expressions: Vec<Expr>, input: LogicalPlan, carry: &Carry) -> Result<LogicalPlan> {
    expressions.retain(|expression| {
        expression
            .name_for_alias()
            .map_or(true, |name| name != ROW && !is_row(expression))
    });
    carried(&mut expressions, input.schema(), carry);
    if let Some(row) = row_column(input.schema()) {
        // Without an alias: the optimiser pulls expressions below an unnest, and there would see `_row` and its alias as two.
        expressions.push(Expr::Column(row));
    }
    Ok(LogicalPlan::Projection(Projection::try_new(
        expressions,
        Arc::new(input),
    )?))
}

/// Adds the carried columns that `input` has; where the mapping gives a column of that name, its own stays.
fn carried(expressions: &mut Vec<Expr>, input: &DFSchema, carry: &Carry) {
    let columns = input.columns();
    for (name, column) in carry {
        let is_given = |expression: &Expr| {
            let given = expression.name_for_alias();
            given.is_ok_and(|given| given == *name)
                || matches!(expression, Expr::Column(known) if known.name == *name)
        };
        if expressions.iter().any(is_given) {
            continue;
        }
        let of = |wanted: &str| columns.iter().find(|column| column.name == wanted).cloned();
        // From a projection below it comes by its new name already.
        if let Some(known) = of(name) {
            expressions.push(Expr::Column(known));
        } else if let Some(known) = of(column) {
            expressions.push(Expr::Column(known).alias(name));
        }
    }
}

fn is_row(expression: &Expr) -> bool {
    matches!(expression, Expr::Column(column) if column.name == ROW)
}

/// Puts `_row` last, so that the arms of a UNION agree.
fn row_last(plan: LogicalPlan, carry: &Carry) -> Result<LogicalPlan> {
    let fields = plan.schema().fields();
    if fields.last().is_some_and(|field| field.name() == ROW) {
        return Ok(plan);
    }
    let columns = plan
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    project(columns, plan, carry)
}

fn row_column(schema: &DFSchema) -> Option<Column> {
    schema
        .columns()
        .into_iter()
        .find(|column| column.name == ROW)
}

/// Whether the plan reads the table `source`.
pub(crate) fn reads_source(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::TableScan(_)) || plan.inputs().into_iter().any(reads_source)
}

fn no_subqueries(plan: &LogicalPlan) -> Result<()> {
    for expression in plan.expressions() {
        let mut found = false;
        expression.apply(|node| {
            found |= matches!(
                node,
                Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_)
            );
            Ok(if found {
                TreeNodeRecursion::Stop
            } else {
                TreeNodeRecursion::Continue
            })
        })?;
        if found {
            return refuse(
                "a mapping is row-wise; sub-queries inside expressions belong in a model",
            );
        }
    }
    Ok(())
}

fn refuse<T>(reason: &str) -> Result<T> {
    Err(DataFusionError::Plan(reason.to_owned()))
}
