//! Parts without a single record, such as the last page of an API, or its answer when nothing is new: they name no column, so that a
//! mapping cannot be judged by them. Whatever it asks for reads as NULL.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::SchemaRef;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::align::has_wildcard;
use crate::mapping::MappingSpec;
use crate::normaliser::TableSpec;

/// What a JSON part has beside the columns of its records.
const RECORD: &str = "_record";

/// Whether a part names no column of its own.
pub(crate) fn is_bare(source: &SchemaRef) -> bool {
    source.fields().iter().all(|field| field.name() == RECORD)
}

/// The mapping, whose columns may all be absent.
pub(crate) fn mapping(spec: &TableSpec) -> MappingSpec {
    let mut mapping = spec.mapping.clone().unwrap_or_else(|| MappingSpec {
        sql: "SELECT * FROM source".to_owned(),
        parameters: BTreeMap::new(),
        columns: Vec::new(),
    });
    let said: BTreeSet<String> = words(&mapping.sql).into_iter().collect();
    // With `SELECT *` a field is a column of its name, unless an expression gives it: both would be one too many.
    let given = match has_wildcard(&mapping.sql) {
        true => aliases(&mapping.sql),
        false => BTreeSet::new(),
    };
    let fields = spec.contract.fields.iter().map(|field| &field.name);
    let fields = fields.filter(|name| !spec.constants.contains_key(*name));
    let known: BTreeSet<String> = mapping.columns.drain(..).collect();
    let all = known.iter().chain(&said).chain(fields);
    let mut columns: BTreeSet<String> =
        all.filter(|name| !given.contains(*name)).cloned().collect();
    columns.remove(RECORD);
    mapping.columns = columns.into_iter().collect();
    mapping
}

/// The words behind `AS`.
fn aliases(sql: &str) -> BTreeSet<String> {
    let all = words_in_order(sql);
    let pairs = all
        .windows(2)
        .filter(|pair| pair[0].0.eq_ignore_ascii_case("as"));
    pairs.map(|pair| pair[1].0.clone()).collect()
}

/// Every word of a statement: what is no column among them does no harm as one.
fn words(sql: &str) -> Vec<String> {
    let words = words_in_order(sql).into_iter();
    words
        .flat_map(|(word, is_quoted)| match is_quoted {
            true => vec![word],
            false => vec![word.to_lowercase(), word],
        })
        .collect()
}

/// Each word, and whether it is quoted.
fn words_in_order(sql: &str) -> Vec<(String, bool)> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql)
        .tokenize()
        .unwrap_or_default();
    tokens
        .into_iter()
        .filter_map(|token| match token {
            Token::Word(word) => Some((word.value, word.quote_style.is_some())),
            _ => None,
        })
        .collect()
}
