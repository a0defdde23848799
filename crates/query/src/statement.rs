//! One question a call: what may be asked, and the plain words for what may not.

use std::ops::ControlFlow;

use datafusion::common::diagnostic::Diagnostic;
use datafusion::common::{Span, plan_datafusion_err, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    Query, Select, SetExpr, SetOperator, SetQuantifier, Spanned as _, Statement as Sql, Visit as _,
    Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::ParserError;
use sectorlake_functions::{check_chains, make_plannable};

/// What is said after every refusal.
const MAY_BE_ASKED: &str = "a session only reads: ask one SELECT, EXPLAIN, SHOW or DESCRIBE";

/// Reads the one question in `sql`.
///
/// # Errors
/// A syntax error with its place; no statement or several; a statement that is no question.
pub(crate) fn parse(sql: &str, options: &ConfigOptions) -> Result<Statement> {
    check_chains(sql)?;
    let limit = options.sql_parser.recursion_limit.get();
    let dialect = GenericDialect {};
    let mut parser = DFParserBuilder::new(sql)
        .with_dialect(&dialect)
        .with_recursion_limit(limit)
        .build()?;
    let mut statements = parser
        .parse_statements()
        .map_err(|error| in_words(error, limit))?;
    let Some(mut statement) = statements.pop_front() else {
        return plan_err!("there is no statement: {MAY_BE_ASKED}");
    };
    if !statements.is_empty() {
        return plan_err!(
            "{} statements at once: {MAY_BE_ASKED}",
            statements.len() + 1
        );
    }
    check(&statement)?;
    rewrite(&mut statement);
    Ok(statement)
}

/// The parser's limit, with the mend.
fn in_words(error: DataFusionError, limit: usize) -> DataFusionError {
    match error.find_root() {
        DataFusionError::SQL(reason, _)
            if matches!(**reason, ParserError::RecursionLimitExceeded) =>
        {
            plan_datafusion_err!(
                "more than {limit} levels of parentheses and subqueries: name the inner parts by WITH"
            )
        }
        _ => error,
    }
}

fn check(statement: &Statement) -> Result<()> {
    match statement {
        Statement::Statement(sql) => match sql.visit(&mut OnlyQuestions) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(*error),
        },
        Statement::Explain(explain) => check(&explain.statement),
        Statement::CreateExternalTable(_) => Err(refused("CREATE EXTERNAL TABLE")),
        Statement::CopyTo(_) => Err(refused("COPY")),
        Statement::Reset(_) => Err(refused("RESET")),
    }
}

fn rewrite(statement: &mut Statement) {
    match statement {
        Statement::Statement(sql) => make_plannable(sql),
        Statement::Explain(explain) => rewrite(&mut explain.statement),
        _ => {}
    }
}

fn refused(what: &str) -> DataFusionError {
    plan_datafusion_err!("{what} is refused: {MAY_BE_ASKED}")
}

/// Walks into `WITH`, subqueries and `EXPLAIN`, where SQL hides statements that write.
struct OnlyQuestions;

impl Visitor for OnlyQuestions {
    type Break = Box<DataFusionError>;

    fn pre_visit_statement(&mut self, statement: &Sql) -> ControlFlow<Self::Break> {
        match statement {
            Sql::Query(_)
            | Sql::Explain { .. }
            | Sql::ExplainTable { .. }
            | Sql::ShowTables { .. }
            | Sql::ShowColumns { .. }
            | Sql::ShowVariable { .. }
            | Sql::ShowFunctions { .. } => ControlFlow::Continue(()),
            other => ControlFlow::Break(Box::new(refused(&first_words(other)))),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        if counts_rows(&query.body) {
            // The engine would answer, but wrongly: it asks whether a row is on the other side, not how often.
            let message = "INTERSECT ALL and EXCEPT ALL are not supported: number the rows of each side with \
                row_number() OVER (PARTITION BY …) and take INTERSECT or EXCEPT";
            return ControlFlow::Break(Box::new(DataFusionError::Plan(message.to_owned())));
        }
        match writes(&query.body) {
            Some(select) => {
                let message = format!("SELECT INTO is refused: {MAY_BE_ASKED}");
                let place =
                    Diagnostic::new_error(&message, Span::try_from_sqlparser_span(select.span()));
                ControlFlow::Break(Box::new(
                    DataFusionError::Plan(message).with_diagnostic(place),
                ))
            }
            None => ControlFlow::Continue(()),
        }
    }
}

/// Whether the body holds a set operation that counts equal rows.
fn counts_rows(body: &SetExpr) -> bool {
    let SetExpr::SetOperation {
        op,
        set_quantifier,
        left,
        right,
    } = body
    else {
        return false;
    };
    let all = matches!(
        set_quantifier,
        SetQuantifier::All | SetQuantifier::AllByName
    );
    (all && *op != SetOperator::Union) || counts_rows(left) || counts_rows(right)
}

/// The select that would make a table, if there is one.
fn writes(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => select.into.is_some().then_some(select),
        SetExpr::SetOperation { left, right, .. } => writes(left).or_else(|| writes(right)),
        _ => None,
    }
}

/// `CREATE VIEW`, `DROP TABLE`, `INSERT`, …: the verb, and the kind of thing after verbs that need one.
fn first_words(statement: &Sql) -> String {
    let text = statement.to_string();
    let mut words = text
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty());
    let verb = words.next().unwrap_or("this statement").to_uppercase();
    match verb.as_str() {
        "CREATE" | "DROP" | "ALTER" => {
            let kind =
                words.find(|word| !matches!(*word, "OR" | "REPLACE" | "TEMPORARY" | "UNBOUNDED"));
            format!("{verb} {}", kind.unwrap_or_default())
        }
        _ => verb,
    }
}
