//! The constraints of one field, over a column that already has its type.
//!
//! Source of the rules: Table Schema v2, "Field constraints". A NULL breaks only `required`.

mod allowed;
mod bounds;
mod future;

use arrow::array::{Array, ArrayRef};
use hashbrown::HashSet;
use sectorlake_contract::{Contract, Field, FieldType, Matcher};

use self::allowed::Allowed;
use self::bounds::Bounds;
pub(crate) use self::bounds::{day, decimal, instant};
use self::future::Future;
use crate::cast::{Failure, Text, as_text};
use crate::error::MappingError;
use crate::severity::Rules;
use crate::shown::quoted;

/// The constraints of one field, compiled.
#[derive(Debug)]
pub(crate) struct FieldChecks {
    required: bool,
    pattern: Option<Pattern>,
    lengths: Lengths,
    bounds: Bounds,
    future: Option<Future>,
    allowed: Option<Allowed>,
}

#[derive(Debug)]
struct Pattern {
    matcher: Matcher,
    shown: String,
}

#[derive(Debug, Default)]
struct Lengths {
    shortest: Option<usize>,
    longest: Option<usize>,
    /// JSON lists and objects count their items, texts their characters.
    items: bool,
}

impl FieldChecks {
    /// Compiles the constraints of `field`; a field of the primary key is required.
    pub(crate) fn compile(
        contract: &Contract,
        field: &Field,
        rules: &Rules,
    ) -> Result<Self, MappingError> {
        let refuse = |message: String| MappingError::Contract {
            table: contract.name.clone(),
            field: field.name.clone(),
            message,
        };
        let constraints = &field.constraints;
        let matcher = constraints
            .matcher()
            .map_err(|error| refuse(format!("pattern: {error}")))?;
        let shown = constraints.pattern.clone().unwrap_or_default();
        Ok(Self {
            required: contract.is_required(field),
            pattern: matcher.map(|matcher| Pattern { matcher, shown }),
            lengths: Lengths {
                shortest: constraints.min_length,
                longest: constraints.max_length,
                items: matches!(field.kind, FieldType::List | FieldType::Object),
            },
            bounds: Bounds::compile(field).map_err(refuse)?,
            future: Future::of(field, rules.started_at),
            allowed: constraints
                .enumeration
                .as_deref()
                .map(|values| Allowed::compile(field, values)),
        })
    }

    /// Appends one failure per broken rule and row.
    pub(crate) fn check(&self, column: &ArrayRef, position: usize, failures: &mut Vec<Failure>) {
        if self.required && column.null_count() > 0 {
            missing(column, position, failures);
        }
        if let Some(values) = as_text(column) {
            self.check_pattern(&values, position, failures);
            self.lengths.check(&values, position, failures);
        }
        self.bounds.check(column, position, failures);
        if let Some(future) = &self.future {
            future.check(column, position, failures);
        }
        if let Some(allowed) = &self.allowed {
            allowed.check(column, position, failures);
        }
    }

    fn check_pattern(&self, values: &Text<'_>, position: usize, failures: &mut Vec<Failure>) {
        let Some(pattern) = &self.pattern else { return };
        for (index, value) in values.present() {
            if !pattern.matcher.is_match(value) {
                let message = format!("value {} does not match {}", quoted(value), pattern.shown);
                failures.push(Failure {
                    index,
                    field: position,
                    rule: "pattern",
                    message,
                });
            }
        }
    }
}

/// Tells each NULL, but not those that are NULL because their value failed its type: those are told already.
fn missing(column: &ArrayRef, position: usize, failures: &mut Vec<Failure>) {
    let told: HashSet<usize> = failures
        .iter()
        .filter(|failure| failure.field == position)
        .map(|failure| failure.index)
        .collect();
    for index in (0..column.len()).filter(|index| column.is_null(*index) && !told.contains(index)) {
        let message = "the value is missing".to_owned();
        failures.push(Failure {
            index,
            field: position,
            rule: "required",
            message,
        });
    }
}

impl Lengths {
    fn check(&self, values: &Text<'_>, position: usize, failures: &mut Vec<Failure>) {
        if self.shortest.is_none() && self.longest.is_none() {
            return;
        }
        let unit = if self.items { "items" } else { "characters" };
        for (index, value) in values.present() {
            let length = self.length(value);
            if let Some(shortest) = self.shortest.filter(|shortest| length < *shortest) {
                let message = format!(
                    "value {} has {length} {unit}, at least {shortest} are needed",
                    quoted(value)
                );
                failures.push(Failure {
                    index,
                    field: position,
                    rule: "minLength",
                    message,
                });
            }
            if let Some(longest) = self.longest.filter(|longest| length > *longest) {
                let message = format!(
                    "value {} has {length} {unit}, at most {longest} are allowed",
                    quoted(value)
                );
                failures.push(Failure {
                    index,
                    field: position,
                    rule: "maxLength",
                    message,
                });
            }
        }
    }

    fn length(&self, value: &str) -> usize {
        if !self.items {
            return value.chars().count();
        }
        match serde_json::from_str::<serde_json::Value>(value) {
            Ok(serde_json::Value::Array(items)) => items.len(),
            Ok(serde_json::Value::Object(members)) => members.len(),
            _ => 0,
        }
    }
}
