//! Windows ordered by what the engine cannot range over: bytes, times of day, structs, maps.
//!
//! A window without a frame has the frame `RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW`, and the engine refuses a `RANGE` over keys that
//! it cannot add to, though nothing is added here. `GROUPS` with the same bounds means the same rows, all peers of the current one included,
//! and asks nothing of the keys but that they can be sorted.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, Window, WindowFrame, WindowFrameBound, WindowFrameUnits,
};
use datafusion::optimizer::AnalyzerRule;

/// The rule; it has to stand before the engine's type coercion.
#[derive(Debug)]
pub(crate) struct PeerFrames;

impl AnalyzerRule for PeerFrames {
    fn name(&self) -> &'static str {
        "peer_frames"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(with_peer_frames).data()
    }
}

fn with_peer_frames(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Window(window) = plan else {
        return Ok(Transformed::no(plan));
    };
    let names = NamePreserver::new_for_projection();
    let schema = window.input.schema();
    let mut changed = false;
    let mut rewritten = Vec::with_capacity(window.window_expr.len());
    for expr in &window.window_expr {
        // A column of the window is known above by its name, and the name tells the frame.
        let name = names.save(expr);
        let new = expr
            .clone()
            .transform_up(|expr| with_peer_frame(expr, schema))?;
        changed |= new.transformed;
        rewritten.push(name.restore(new.data));
    }
    if !changed {
        return Ok(Transformed::no(LogicalPlan::Window(window)));
    }
    let window = Window::try_new(rewritten, window.input)?;
    Ok(Transformed::yes(LogicalPlan::Window(window)))
}

fn with_peer_frame(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::WindowFunction(mut function) = expr else {
        return Ok(Transformed::no(expr));
    };
    let keys = &function.params.order_by;
    let types = keys
        .iter()
        .map(|key| key.expr.get_type(schema))
        .collect::<Result<Vec<_>>>()?;
    let frame = &function.params.window_frame;
    let ranged = frame.units == WindowFrameUnits::Range;
    if !ranged
        || types.iter().all(can_be_ranged)
        || !(is_bare(&frame.start_bound) && is_bare(&frame.end_bound))
    {
        return Ok(Transformed::no(Expr::WindowFunction(function)));
    }
    let (start, end) = (frame.start_bound.clone(), frame.end_bound.clone());
    function.params.window_frame = WindowFrame::new_bounds(WindowFrameUnits::Groups, start, end);
    Ok(Transformed::yes(Expr::WindowFunction(function)))
}

/// Whether the bound is an end of the partition or the current row: nothing is added to a key.
fn is_bare(bound: &WindowFrameBound) -> bool {
    match bound {
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
            distance.is_null()
        }
        WindowFrameBound::CurrentRow => true,
    }
}

/// What the engine's type coercion lets a `RANGE` have for a key.
fn can_be_ranged(key: &DataType) -> bool {
    match key {
        DataType::Dictionary(_, value) => can_be_ranged(value),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::Boolean
        | DataType::Null => true,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => true,
        other => other.is_numeric() || other.is_string(),
    }
}
