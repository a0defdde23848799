//! Statements made fit for the engine before it plans them.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, SetExpr, Statement, VisitMut, VisitorMut,
};

/// Gives a name to each select item that the engine would name like another one.
///
/// DataFusion names a column after its expression, a scalar subquery after the expression inside, and refuses two of one name:
/// `SELECT count(*), (SELECT count(*) FROM t)` and `SELECT 1, 1` fail. Here the later ones get `_2`, `_3`; what has a name keeps it.
pub fn name_select_items(statement: &mut Statement) {
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
        other => other.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

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
}
