//! `->`, `->>` and their like bound as PostgreSQL binds them.
//!
//! The parser's general dialect lets comparisons and `||` bind closer, so that `tags ->> 'kind' = 'bus'` would ask for the key `'kind' = 'bus'`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Statement, Value, ValueWithSpan, VisitMut, VisitorMut,
};

/// Binds JSON operators closer than comparisons, `IS`, `LIKE`, `IN` and `BETWEEN`, and as close as `||`, from left to right, wherever no
/// parentheses say otherwise.
pub(crate) fn bind_json_operators(statement: &mut Statement) {
    let ControlFlow::Continue(()) = statement.visit(&mut Binder);
}

struct Binder;

impl VisitorMut for Binder {
    type Break = std::convert::Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        let Expr::BinaryOp { left, op, right } = expr else {
            return ControlFlow::Continue(());
        };
        if !is_json(op) {
            return ControlFlow::Continue(());
        }
        let left_compares = last_compared(left).is_some();
        let right_compares = first_compared(right).is_some();
        let mut json = expr;
        if right_compares {
            bind_key(json, first_compared);
            // Now it is the first operand of what its key was compared with.
            let Some(operand) = first_compared(json) else {
                return ControlFlow::Continue(());
            };
            json = operand;
        }
        if left_compares {
            bind_document(json);
            let Some(operand) = last_compared(json) else {
                return ControlFlow::Continue(());
            };
            json = operand;
        }
        bind_key(json, first_concatenated);
        ControlFlow::Continue(())
    }
}

/// From `a ->> (b = c)` to `(a ->> b) = c`, where the parentheses are the parser's own; `first` finds `b`, if there is one.
fn bind_key(expr: &mut Expr, first: fn(&mut Expr) -> Option<&mut Expr>) {
    let Expr::BinaryOp { left, op, right } = expr else {
        return;
    };
    let Some(key) = first(right) else { return };
    let bound = Expr::BinaryOp {
        left: std::mem::replace(left, Box::new(nothing())),
        op: op.clone(),
        right: Box::new(std::mem::replace(key, nothing())),
    };
    *key = bound;
    *expr = std::mem::replace(right.as_mut(), nothing());
}

/// From `(a = b) ->> c` to `a = (b ->> c)`.
fn bind_document(expr: &mut Expr) {
    let Expr::BinaryOp { left, op, right } = expr else {
        return;
    };
    let Some(document) = last_compared(left) else {
        return;
    };
    let bound = Expr::BinaryOp {
        left: Box::new(std::mem::replace(document, nothing())),
        op: op.clone(),
        right: std::mem::replace(right, Box::new(nothing())),
    };
    *document = bound;
    *expr = std::mem::replace(left.as_mut(), nothing());
}

fn nothing() -> Expr {
    Expr::Value(ValueWithSpan::from(Value::Null))
}

/// The right operand of a comparison.
fn last_compared(expr: &mut Expr) -> Option<&mut Expr> {
    match expr {
        Expr::BinaryOp { right, op, .. } if compares(op) => Some(right),
        _ => None,
    }
}

fn is_json(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Arrow, HashArrow, HashLongArrow, LongArrow};
    matches!(op, Arrow | LongArrow | HashArrow | HashLongArrow)
}

/// The leftmost operand below `||`; none where `expr` concatenates nothing.
fn first_concatenated(expr: &mut Expr) -> Option<&mut Expr> {
    match expr {
        Expr::BinaryOp { left, op, .. } if *op == BinaryOperator::StringConcat => {
            if is_concatenated(left) {
                first_concatenated(left)
            } else {
                Some(left)
            }
        }
        _ => None,
    }
}

fn is_concatenated(expr: &Expr) -> bool {
    matches!(expr, Expr::BinaryOp { op, .. } if *op == BinaryOperator::StringConcat)
}

/// The leftmost operand below comparisons; none where `expr` compares nothing.
fn first_compared(expr: &mut Expr) -> Option<&mut Expr> {
    let operand = match expr {
        Expr::BinaryOp { left, op, .. } if compares(op) => left,
        Expr::Like { expr, .. }
        | Expr::ILike { expr, .. }
        | Expr::SimilarTo { expr, .. }
        | Expr::InList { expr, .. }
        | Expr::InSubquery { expr, .. }
        | Expr::Between { expr, .. } => expr,
        Expr::IsNull(expr)
        | Expr::IsNotNull(expr)
        | Expr::IsTrue(expr)
        | Expr::IsNotTrue(expr)
        | Expr::IsFalse(expr)
        | Expr::IsNotFalse(expr)
        | Expr::IsDistinctFrom(expr, _)
        | Expr::IsNotDistinctFrom(expr, _) => expr,
        _ => return None,
    };
    if is_compared(operand) {
        first_compared(operand)
    } else {
        Some(operand)
    }
}

fn is_compared(expr: &mut Expr) -> bool {
    first_compared(expr).is_some()
}

fn compares(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    /// Whether two ways of writing a condition are one after binding; the second has its parentheses.
    #[track_caller]
    fn check(bare: &str, expected: &str) {
        let bound = |condition: &str| {
            let sql = format!("SELECT * FROM t WHERE {condition}");
            let mut statement = Parser::parse_sql(&GenericDialect {}, &sql)
                .unwrap()
                .remove(0);
            bind_json_operators(&mut statement);
            let mut strip = Strip;
            let ControlFlow::Continue(()) = statement.visit(&mut strip);
            format!("{statement:?}").replace(|c: char| c.is_ascii_digit(), "")
        };
        assert_eq!(bound(bare), bound(expected), "{bare}");
    }

    /// Takes parentheses away: the tree tells what binds.
    struct Strip;

    impl VisitorMut for Strip {
        type Break = std::convert::Infallible;

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
            if let Expr::Nested(inner) = expr {
                *expr = (**inner).clone();
            }
            ControlFlow::Continue(())
        }
    }

    #[test]
    fn json_operators_bind_closer_than_comparisons() {
        check("a ->> 'k' = 'v'", "(a ->> 'k') = 'v'");
        check(
            "a -> 'b' ->> 'k' <> 'v' AND x = y",
            "((a -> 'b') ->> 'k') <> 'v' AND x = y",
        );
        check("a ->> 'k' IS NOT NULL", "(a ->> 'k') IS NOT NULL");
        check("a ->> 'k' ILIKE 'v%'", "(a ->> 'k') ILIKE 'v%'");
        check("a ->> 'k' IN ('v', 'w')", "(a ->> 'k') IN ('v', 'w')");
        check(
            "a ->> 'k' BETWEEN 'v' AND 'w'",
            "(a ->> 'k') BETWEEN 'v' AND 'w'",
        );
        check("'v' = a ->> 'k'", "'v' = (a ->> 'k')");
        check("x.y = a ->> 'k' AND z", "x.y = (a ->> 'k') AND z");
        check("a ->> 'k' = b ->> 'k'", "(a ->> 'k') = (b ->> 'k')");
        check("a ->> ('k' = 'v')", "a ->> ('k' = 'v')");
    }

    #[test]
    fn json_operators_and_concatenation_go_from_left_to_right() {
        check("a ->> 'k' || 'v' = 'w'", "((a ->> 'k') || 'v') = 'w'");
        check(
            "x = a -> 'b' ->> 'k' || 'v' || 'w'",
            "x = ((((a -> 'b') ->> 'k') || 'v') || 'w')",
        );
        check("a || b ->> 'k' = 'v'", "((a || b) ->> 'k') = 'v'");
        check(
            "x = a ->> 'k' || 'v' IS NOT NULL",
            "(x = ((a ->> 'k') || 'v')) IS NOT NULL",
        );
        check("a ->> 'k' || b ->> 'j'", "((a ->> 'k') || b) ->> 'j'");
        check("a ->> ('k' || 'v') = 'w'", "(a ->> ('k' || 'v')) = 'w'");
    }
}
