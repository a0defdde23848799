//! Statements made fit for the engine before it plans them.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, GroupByExpr, Ident, Query, Select, SelectFlavor, SelectItem,
    SetExpr, Statement, Value, VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::operators::bind_json_operators;

/// Writes what the engine cannot plan, or would misread, in a way that it can. Mappings and questions go through here alike.
pub fn make_plannable(statement: &mut Statement) {
    bind_json_operators(statement);
    select_all(statement);
    count_microseconds(statement);
    count_for_exists(statement);
    name_quantified(statement);
    name_select_items(statement);
}

/// Reads `FROM t` as `SELECT * FROM t`; the engine takes it for a select of no columns.
fn select_all(statement: &mut Statement) {
    let ControlFlow::Continue(()) = statement.visit(&mut FromFirst);
}

struct FromFirst;

impl VisitorMut for FromFirst {
    type Break = std::convert::Infallible;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        if select.flavor == SelectFlavor::FromFirstNoSelect {
            select.flavor = SelectFlavor::Standard;
            select.projection = vec![SelectItem::Wildcard(Default::default())];
        }
        ControlFlow::Continue(())
    }
}

/// Reads `TIMESTAMP` as `TIMESTAMP(6)`, as the SQL standard does.
///
/// The engine takes nanoseconds, which end in the year 2262: `timestamp '9999-12-31'`, the usual "valid for ever", would not be one, and the
/// columns of all contracts count microseconds.
fn count_microseconds(statement: &mut Statement) {
    let ControlFlow::Continue(()) = statement.visit(&mut Microseconds);
}

struct Microseconds;

impl VisitorMut for Microseconds {
    type Break = std::convert::Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        let kind = match expr {
            Expr::Cast { data_type, .. } => data_type,
            Expr::TypedString(typed) => &mut typed.data_type,
            _ => return ControlFlow::Continue(()),
        };
        if let DataType::Timestamp(precision @ None, _) = kind {
            *precision = Some(MICROSECONDS);
        }
        ControlFlow::Continue(())
    }
}

/// Digits of a second.
const MICROSECONDS: u64 = 6;

/// Gives a name to each select item that the engine would name like another one.
///
/// DataFusion names a column after its expression, a scalar subquery after the expression inside, and refuses two of one name:
/// `SELECT count(*), (SELECT count(*) FROM t)` and `SELECT 1, 1` fail. Here the later ones get `_2`, `_3`; what has a name keeps it.
fn name_select_items(statement: &mut Statement) {
    let ControlFlow::Continue(()) = statement.visit(&mut Namer);
}

struct Namer;

impl VisitorMut for Namer {
    type Break = std::convert::Infallible;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        name_in_body(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn name_in_body(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => name_in_select(select),
        SetExpr::SetOperation { left, right, .. } => {
            name_in_body(left);
            name_in_body(right);
        }
        _ => {}
    }
}

fn name_in_select(select: &mut Select) {
    let mut taken: HashSet<String> = select.projection.iter().filter_map(explicit_name).collect();
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expr) = item else {
            continue;
        };
        let name = engine_name(expr);
        if taken.insert(name.clone()) {
            continue;
        }
        let Some(fresh) = (2..)
            .map(|n| format!("{}_{n}", own_name(expr).unwrap_or(&name)))
            .find(|fresh| !taken.contains(fresh))
        else {
            continue;
        };
        taken.insert(fresh.clone());
        *item = SelectItem::ExprWithAlias {
            expr: expr.clone(),
            alias: Ident::with_quote('"', fresh),
        };
    }
}

/// A column's name without its table.
fn own_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.as_str()),
        _ => None,
    }
}

fn explicit_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    }
}

/// What the engine would call the column, as nearly as names need to be told apart.
fn engine_name(expr: &Expr) -> String {
    match expr {
        Expr::Nested(inner) => engine_name(inner),
        Expr::Subquery(query) => match query.body.as_ref() {
            SetExpr::Select(select) => match select.projection.first() {
                Some(SelectItem::UnnamedExpr(inner)) => engine_name(inner),
                Some(SelectItem::ExprWithAlias { alias, .. }) => alias.value.clone(),
                _ => expr.to_string(),
            },
            _ => expr.to_string(),
        },
        other => {
            let mut bare = other.clone();
            let ControlFlow::Continue(()) = bare.visit(&mut WithoutCasts);
            bare.to_string().to_lowercase()
        }
    }
}

/// The engine leaves casts and parentheses out of names.
struct WithoutCasts;

impl VisitorMut for WithoutCasts {
    type Break = std::convert::Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Expr::Cast { expr: inner, .. } | Expr::Nested(inner) = expr {
            *expr = inner.as_ref().clone();
        }
        ControlFlow::Continue(())
    }
}

/// Names the one column of each subquery of `ANY` and `ALL`.
///
/// The engine compares it, inside the subquery, with the outer operand: where both are the same column of the same table, it compares the
/// column with itself and every row qualifies.
fn name_quantified(statement: &mut Statement) {
    let ControlFlow::Continue(()) = statement.visit(&mut Quantified);
}

struct Quantified;

impl VisitorMut for Quantified {
    type Break = std::convert::Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } = expr
            && let Expr::Subquery(query) = right.as_mut()
            && let SetExpr::Select(select) = query.body.as_mut()
            && let [item] = select.projection.as_mut_slice()
            && let SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. } =
                item
        {
            *item = SelectItem::ExprWithAlias {
                expr: value.clone(),
                alias: Ident::new("quantified"),
            };
        }
        ControlFlow::Continue(())
    }
}

/// Writes `EXISTS (SELECT … FROM …)` among select items as `(SELECT count(*) FROM …) > 0`: the engine plans the first in conditions only.
fn count_for_exists(statement: &mut Statement) {
    let ControlFlow::Continue(()) = statement.visit(&mut InSelectItems);
}

struct InSelectItems;

impl VisitorMut for InSelectItems {
    type Break = std::convert::Infallible;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                let _ = expr.visit(&mut Counter);
            }
        }
        ControlFlow::Continue(())
    }
}

struct Counter;

impl VisitorMut for Counter {
    type Break = std::convert::Infallible;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Expr::Exists { subquery, negated } = expr
            && let Some(count) = counting(subquery)
        {
            let op = if *negated {
                BinaryOperator::Eq
            } else {
                BinaryOperator::Gt
            };
            let zero = Expr::Value(Value::Number("0".to_owned(), false).into());
            let count = Box::new(Expr::Subquery(Box::new(count)));
            *expr = Expr::Nested(Box::new(Expr::BinaryOp {
                left: count,
                op,
                right: Box::new(zero),
            }));
        }
        ControlFlow::Continue(())
    }
}

/// The query that counts the rows of a plain one; grouped and limited ones are left to the engine.
fn counting(query: &Query) -> Option<Query> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, with) if by.is_empty() && with.is_empty());
    if grouped
        || select.having.is_some()
        || select.distinct.is_some()
        || query.limit_clause.is_some()
        || query.with.is_some()
    {
        return None;
    }
    let count = Parser::new(&GenericDialect {})
        .try_with_sql("count(*)")
        .ok()?
        .parse_expr()
        .ok()?;
    let mut select = select.clone();
    select.projection = vec![SelectItem::UnnamedExpr(count)];
    let mut counting = query.clone();
    counting.order_by = None;
    counting.body = Box::new(SetExpr::Select(select));
    Some(counting)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn named(sql: &str) -> String {
        let mut statement = Parser::parse_sql(&GenericDialect {}, sql)
            .unwrap()
            .remove(0);
        name_select_items(&mut statement);
        statement.to_string()
    }

    #[test]
    fn only_what_would_clash_is_named() {
        insta::assert_snapshot!(named("SELECT count(*), (SELECT count(*) FROM t) FROM u"), @r#"SELECT count(*), (SELECT count(*) FROM t) AS "count(*)_2" FROM u"#);
        insta::assert_snapshot!(named("SELECT 1, 1, 1 UNION SELECT 2, 2, 3"), @r#"SELECT 1, 1 AS "1_2", 1 AS "1_3" UNION SELECT 2, 2 AS "2_2", 3"#);
        insta::assert_snapshot!(named("SELECT a.id, b.id, a.id FROM a, b"), @r#"SELECT a.id, b.id, a.id AS "id_2" FROM a, b"#);
        insta::assert_snapshot!(named("SELECT x AS y, max(x), MAX(x) FROM t"), @r#"SELECT x AS y, max(x), MAX(x) AS "max(x)_2" FROM t"#);
        insta::assert_snapshot!(named("SELECT * FROM (SELECT 1, 1) q"), @r#"SELECT * FROM (SELECT 1, 1 AS "1_2") q"#);
    }

    #[test]
    fn from_alone_selects_all() {
        let mut statement = Parser::parse_sql(&GenericDialect {}, "FROM t")
            .unwrap()
            .remove(0);
        select_all(&mut statement);
        insta::assert_snapshot!(statement.to_string(), @"SELECT * FROM t");
    }

    #[test]
    fn instants_count_microseconds() {
        let sql = "SELECT timestamp '9999-12-31', a::timestamp, CAST(a AS TIMESTAMP(3)), CAST(a AS TIMESTAMP WITH TIME ZONE) FROM t";
        let mut statement = Parser::parse_sql(&GenericDialect {}, sql)
            .unwrap()
            .remove(0);
        count_microseconds(&mut statement);
        insta::assert_snapshot!(statement.to_string(), @"SELECT TIMESTAMP(6) '9999-12-31', a::TIMESTAMP(6), CAST(a AS TIMESTAMP(3)), CAST(a AS TIMESTAMP(6) WITH TIME ZONE) FROM t");
    }

    #[test]
    fn exists_among_select_items_counts() {
        let mut statement = Parser::parse_sql(&GenericDialect {}, "SELECT CASE WHEN NOT EXISTS (SELECT a FROM t WHERE b = u.b) THEN 1 END FROM u WHERE EXISTS (SELECT 1 FROM v)").unwrap().remove(0);
        count_for_exists(&mut statement);
        insta::assert_snapshot!(statement.to_string(), @"SELECT CASE WHEN ((SELECT count(*) FROM t WHERE b = u.b) = 0) THEN 1 END FROM u WHERE EXISTS (SELECT 1 FROM v)");
        insta::assert_snapshot!(named("SELECT CAST(x AS DOUBLE) * 2, x * 2 FROM t"), @r#"SELECT CAST(x AS DOUBLE) * 2, x * 2 AS "x * 2_2" FROM t"#);
    }
}
