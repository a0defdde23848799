//! Dates, instants and years in SQL.

mod calendar;
mod times;
mod years;

use datafusion::logical_expr::ScalarUDF;

pub(crate) fn functions() -> Vec<ScalarUDF> {
    times::functions()
        .into_iter()
        .chain(years::functions())
        .collect()
}
