//! What can go wrong before and while rows are checked.

use arrow::datatypes::SchemaRef;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use sectorlake_contract::TableName;

/// Line and column in the mapping's SQL, both from 1; 0 where unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

/// A mapping that cannot be planned or does not fit its contract.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The engine refuses the SQL.
    #[error("{message}")]
    Engine {
        /// What it says.
        message: String,
        /// Where in the SQL.
        place: Place,
        /// The mend.
        help: Option<String>,
    },
    /// The source lacks a column: the mapping misspells it, or the publisher took it away.
    #[error("{message}")]
    NoColumn {
        /// Which one, and who asks for it.
        message: String,
        /// Where in the SQL.
        place: Place,
        /// The mend.
        help: Option<String>,
    },
    /// A field that must not be empty is not among the mapped columns.
    #[error("the mapping gives no column `{field}`, which {table} requires")]
    MissingField {
        /// The contract.
        table: TableName,
        /// The field.
        field: String,
        /// The mend.
        help: Option<String>,
    },
    /// A mapped column is not a field of the contract.
    #[error("the mapping gives a column `{column}`, which {table} does not have")]
    UnknownColumn {
        /// The contract.
        table: TableName,
        /// The column.
        column: String,
        /// Where in the SQL it gets its name.
        place: Place,
        /// The mend.
        help: Option<String>,
    },
    /// The contract itself cannot be enforced.
    #[error("{table}: field `{field}`: {message}")]
    Contract {
        /// The contract.
        table: TableName,
        /// The field.
        field: String,
        /// What is wrong.
        message: String,
    },
}

impl MappingError {
    /// Where in the SQL the error stands, if the engine knows.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Engine { place, .. }
            | Self::NoColumn { place, .. }
            | Self::UnknownColumn { place, .. } => *place,
            _ => Place::default(),
        }
    }

    /// The mend, if there is one to name.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Engine { help, .. }
            | Self::NoColumn { help, .. }
            | Self::MissingField { help, .. }
            | Self::UnknownColumn { help, .. } => help.as_deref(),
            Self::Contract { .. } => None,
        }
    }

    pub(crate) fn from_engine(error: DataFusionError, source: &SchemaRef) -> Self {
        let place = error
            .diagnostic()
            .and_then(|diagnostic| diagnostic.span)
            .map_or_else(Place::default, |span| Place {
                line: span.start.line,
                column: span.start.column,
            });
        let root = error.find_root();
        if let DataFusionError::SchemaError(schema_error, _) = root
            && let SchemaError::FieldNotFound { field, .. } = schema_error.as_ref()
        {
            let message = format!("the source has no column `{}`", field.name);
            return Self::NoColumn {
                message,
                place,
                help: Some(column_help(&field.name, source)),
            };
        }
        let text = match root {
            DataFusionError::SchemaError(inner, _) => inner.to_string(),
            DataFusionError::SQL(inner, _) => inner.to_string(),
            DataFusionError::Plan(text)
            | DataFusionError::Execution(text)
            | DataFusionError::NotImplemented(text) => text.clone(),
            other => other.strip_backtrace(),
        };
        let place = place_in(&text).unwrap_or(place);
        let (message, help) = sentence(&text);
        Self::Engine {
            message,
            place,
            help,
        }
    }
}

/// Where a name stands in the SQL for the last time: a column gets its name at its end.
pub(crate) fn place_of_word(sql: &str, word: &str) -> Place {
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize_with_location()
        .unwrap_or_default();
    let named =
        |token: &&TokenWithSpan| matches!(&token.token, Token::Word(found) if found.value == word);
    tokens
        .iter()
        .rev()
        .find(named)
        .map_or_else(Place::default, |token| Place {
            line: token.span.start.line,
            column: token.span.start.column,
        })
}

/// The engine's words without its class of error, its place (told apart) and its guess (told as help).
fn sentence(text: &str) -> (String, Option<String>) {
    let text = text.trim_start_matches("sql parser error: ");
    let guess = text
        .split_once("Did you mean '")
        .and_then(|(_, rest)| rest.split_once('\''));
    let end = [" at Line: ", " Did you mean '", "\nDid you mean '", "\n"]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min();
    let message = text[..end.unwrap_or(text.len())]
        .trim_end_matches('.')
        .replace("datafusion.public.", "");
    if message.ends_with("not found") && message.starts_with("table ") {
        return (
            message,
            Some("a mapping reads FROM source and no other table".to_owned()),
        );
    }
    if message.starts_with("Cannot coerce arithmetic expression") && message.contains("Utf8") {
        let help = "columns of the source are text, of which nothing is reckoned before it is read as a number: parse_number(\"column\") * 2";
        return (message, Some(help.to_owned()));
    }
    (
        message,
        guess.map(|(name, _)| format!("did you mean `{name}`?")),
    )
}

/// "… at Line: 1, Column: 8" as the parser writes it.
fn place_in(text: &str) -> Option<Place> {
    let rest = text.split("Line: ").nth(1)?;
    let (line, rest) = rest.split_once(", Column: ")?;
    let column: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(Place {
        line: line.parse().ok()?,
        column: column.parse().ok()?,
    })
}

/// Keys under which answers usually have their records.
const WRAPPERS: [&str; 9] = [
    "items", "value", "results", "records", "data", "rows", "entries", "hits", "content",
];

fn column_help(name: &str, source: &SchemaRef) -> String {
    let names: Vec<&str> = source
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    match nearest(name, &names) {
        Some(near) => {
            format!("did you mean \"{near}\"? Names keep the header's case: quote them with \"…\"")
        }
        None => {
            let known = format!("the source's columns are: {}", names.join(", "));
            // An answer that wraps its records reads as one record.
            match WRAPPERS.iter().find(|wrapper| names.contains(*wrapper)) {
                Some(wrapper) => format!(
                    "{known}; if the records stand in {wrapper}, say so: `records: {wrapper}` with `connector: rest`, else `format: {{ name: json, record_path: {wrapper} }}`"
                ),
                None => known,
            }
        }
    }
}

/// The candidate that reads most alike, if any is near enough.
pub(crate) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&lower, &candidate.to_lowercase()),
                *candidate,
            )
        })
        .filter(|(score, _)| *score > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}

/// A failure while rows stream: nothing a row could be blamed for.
#[derive(Debug, thiserror::Error)]
pub enum NormaliseError {
    /// The mapping cannot run.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The part cannot be decoded.
    #[error(transparent)]
    Format(#[from] sectorlake_formats::FormatError),
    /// Arrow refuses a batch that was built here.
    #[error("internal: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The spill file for keys cannot be written or read.
    #[error("{path}: {source}")]
    Spill {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}
