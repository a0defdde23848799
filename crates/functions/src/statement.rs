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
        // `a.id, b.id` differ by their table for the engine; and a plain column keeps its name whatever happens.
        if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            taken.insert(expr.to_string());
            continue;
        }
        let name = engine_name(expr);
        if taken.insert(name.clone()) {
            continue;
        }
        let Some(fresh) = (2..)
            .map(|n| format!("{name}_{n}"))
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
