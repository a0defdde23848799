//! From which column of the source each column of a mapping comes.

use std::collections::HashMap;

use datafusion::logical_expr::{Expr, LogicalPlan};

/// The one source column behind a mapped column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its name.
    pub source: String,
    /// Whether it is taken as it stands; else an expression makes the value from it.
    pub as_it_stands: bool,
}

/// By mapped column, the one source column behind it; those made of none or several are left out, and so are mappings that are more
/// than a projection of the source's rows.
pub(crate) fn origins(plan: &LogicalPlan) -> HashMap<String, Taken> {
    let LogicalPlan::Projection(projection) = plan else {
        return HashMap::new();
    };
    let mut input = projection.input.as_ref();
    loop {
        input = match input {
            LogicalPlan::Filter(filter) => filter.input.as_ref(),
            LogicalPlan::SubqueryAlias(alias) => alias.input.as_ref(),
            LogicalPlan::TableScan(_) => break,
            _ => return HashMap::new(),
        };
    }
    let named = projection.expr.iter().zip(projection.schema.fields());
    named
        .filter_map(|(expression, field)| Some((field.name().clone(), taken(expression)?)))
        .collect()
}

fn taken(expression: &Expr) -> Option<Taken> {
    let bare = expression.clone().unalias();
    let columns = bare.column_refs();
    let mut names = columns.iter().map(|column| column.name.as_str());
    let (Some(name), None) = (names.next(), names.next()) else {
        return None;
    };
    Some(Taken {
        source: name.to_owned(),
        as_it_stands: matches!(bare, Expr::Column(_)),
    })
}
