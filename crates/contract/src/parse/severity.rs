//! How hard rules are: `severity: { "<rule>": "warn" }` on a field or the table.

use std::collections::BTreeMap;

use crate::error::Fault;
use crate::field::{Constraints, SOFT_RULES, Severity};
use crate::parse::node::{Node, Unknown};

/// The rules of a field, and those of a table.
const BY_HOLDER: (&[&str], &[&str]) = SOFT_RULES.as_slice().split_at(9);

/// Reads the severities of a field's rules, each of which the field must have.
pub(crate) fn of_field(
    node: &Node<'_>,
    constraints: &Constraints,
    is_observation_time: bool,
) -> BTreeMap<String, Severity> {
    read(node, BY_HOLDER.0, |rule| match rule {
        "pattern" => constraints.pattern.is_some(),
        "minimum" => constraints.minimum.is_some(),
        "maximum" => constraints.maximum.is_some(),
        "exclusiveMinimum" => constraints.exclusive_minimum.is_some(),
        "exclusiveMaximum" => constraints.exclusive_maximum.is_some(),
        "minLength" => constraints.min_length.is_some(),
        "maxLength" => constraints.max_length.is_some(),
        "enum" => constraints.enumeration.is_some(),
        _ => is_observation_time,
    })
}

/// Reads the severities of a table's rules.
pub(crate) fn of_table(node: &Node<'_>, has_foreign_keys: bool) -> BTreeMap<String, Severity> {
    read(node, BY_HOLDER.1, |_| has_foreign_keys)
}

fn read(
    node: &Node<'_>,
    rules: &[&'static str],
    has_rule: impl Fn(&str) -> bool,
) -> BTreeMap<String, Severity> {
    node.map();
    node.known(rules, Unknown::Refuse);
    let words = Severity::ALL.map(Severity::word);
    let mut severities = BTreeMap::new();
    for rule in rules {
        let Some(at) = node.get(rule) else { continue };
        if !has_rule(rule) {
            at.report(Fault::NoSuchRule { rule });
        }
        // What rejects anyway need not be kept.
        if at.word("severity", &words) == Some(Severity::Warn.word()) {
            severities.insert((*rule).to_owned(), Severity::Warn);
        }
    }
    severities
}
