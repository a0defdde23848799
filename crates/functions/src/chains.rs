//! How long a chain of operators may be.
//!
//! `1 + 1 + 1 + …`, `a = 1 OR a = 2 OR …` and `SELECT … UNION ALL SELECT …` become trees as deep as they are long, without a parenthesis that
//! the parser's own limit would count. Everything walks such trees by recursion, down to dropping them: the stack would overflow and take
//! the process with it. So they are counted in the text, before there is a tree.

use datafusion::common::{DataFusionError, Diagnostic, Location, Span};
use datafusion::error::Result;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// Operators that may follow each other without a comma or a parenthesis between them.
const CHAIN_MAX: usize = 1000;

/// Refuses a statement with a longer chain of operators than can be walked. Text that cannot be cut into tokens is left to the parser.
///
/// # Errors
/// [`DataFusionError::Plan`] with the place of the operator that is one too many.
pub fn check_chains(sql: &str) -> Result<()> {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location() else {
        return Ok(());
    };
    // A count for each parenthesis that is open.
    let mut counts = vec![0];
    for token in &tokens {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => counts.push(0),
            Token::RParen | Token::RBracket | Token::RBrace if counts.len() > 1 => {
                counts.pop();
            }
            Token::Comma | Token::SemiColon => {
                if let Some(count) = counts.last_mut() {
                    *count = 0;
                }
            }
            other if links(other) => {
                let Some(count) = counts.last_mut() else {
                    continue;
                };
                *count += 1;
                if *count > CHAIN_MAX {
                    return Err(too_long(token));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a token makes the tree deeper.
fn links(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::UNION
                | Keyword::INTERSECT
                | Keyword::EXCEPT
                | Keyword::JOIN
                | Keyword::IS
                | Keyword::LIKE
                | Keyword::ILIKE
        ),
        Token::Plus | Token::Minus | Token::Mul | Token::Div | Token::Mod => true,
        Token::Eq | Token::Neq | Token::Lt | Token::Gt | Token::LtEq | Token::GtEq => true,
        Token::StringConcat | Token::DoubleColon => true,
        Token::Arrow | Token::LongArrow | Token::HashArrow | Token::HashLongArrow => true,
        Token::Ampersand | Token::Pipe | Token::Caret | Token::ShiftLeft | Token::ShiftRight => {
            true
        }
        _ => false,
    }
}

fn too_long(token: &TokenWithSpan) -> DataFusionError {
    let message = format!(
        "more than {CHAIN_MAX} operators in one expression: use IN (…) or a VALUES list, or put parentheses around parts of it"
    );
    let start = token.span.start;
    let location = Location {
        line: start.line,
        column: start.column,
    };
    let place = Diagnostic::new_error(&message, Some(Span::new(location, location)));
    DataFusionError::Plan(message).with_diagnostic(place)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn chains_that_nothing_could_walk_are_refused() {
        for long in [
            format!("SELECT {}1", "1+".repeat(2000)),
            format!("SELECT 1 WHERE {}1=1", "1=0 OR ".repeat(20_000)),
            format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(5000)),
            format!("SELECT f(2, {}1)", "NOT ".repeat(5000)),
            format!("SELECT (a){}", "::text".repeat(5000)),
        ] {
            let error = check_chains(&long).unwrap_err();
            assert!(error.diagnostic().unwrap().span.is_some(), "{error}");
        }
        for short in [
            format!("SELECT {}1", "1+".repeat(900)),
            format!("SELECT 1 IN ({}1)", "-1,".repeat(20_000)),
            format!("VALUES {}(1, 1)", "(-1, 'a' || 'b'),".repeat(20_000)),
            "SELECT ')))' || '((('".to_owned(),
            "SELECT )))) 'x".to_owned(),
        ] {
            check_chains(&short).unwrap();
        }
    }
}
