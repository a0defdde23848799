//! How hard each rule is, and the instant that observations must not lie beyond.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sectorlake_contract::{Contract, SOFT_RULES, Severity};

use crate::cast::Failure;

/// What a run adds to the rules of a contract.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The run's start: an observation after it lies in the future.
    pub started_at: DateTime<Utc>,
    /// Rules that mark a row and load it all the same, beside those the contract calls soft.
    pub soft: BTreeSet<SoftRule>,
}

impl Default for Rules {
    /// No rule is softened, and nothing lies in the future.
    fn default() -> Self {
        Self {
            started_at: DateTime::<Utc>::MAX_UTC,
            soft: BTreeSet::new(),
        }
    }
}

/// A rule by its name, of one field or of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SoftRule {
    /// The field; none: every field.
    pub field: Option<String>,
    /// The rule, in Table Schema's words.
    pub rule: String,
}

/// Which rules of which fields are soft, settled for one contract.
#[derive(Debug)]
pub(crate) struct Severities {
    /// By field.
    soft: Vec<Vec<&'static str>>,
    any: bool,
}

impl Severities {
    pub(crate) fn of(contract: &Contract, rules: &Rules) -> Self {
        let soft: Vec<Vec<&'static str>> = contract
            .fields
            .iter()
            .map(|field| {
                let is_soft = |rule: &&str| {
                    let declared = match *rule {
                        "foreignKey" => contract.severity_of(rule),
                        _ => field.severity_of(rule),
                    };
                    let softened = rules.soft.iter().any(|soft| {
                        soft.rule == **rule
                            && soft.field.as_ref().is_none_or(|name| *name == field.name)
                    });
                    declared == Severity::Warn || softened
                };
                SOFT_RULES.into_iter().filter(is_soft).collect()
            })
            .collect();
        let any = soft.iter().any(|rules| !rules.is_empty());
        Self { soft, any }
    }

    pub(crate) fn of_rule(&self, field: usize, rule: &str) -> Severity {
        let soft = self.any
            && self
                .soft
                .get(field)
                .is_some_and(|rules| rules.contains(&rule));
        if soft {
            Severity::Warn
        } else {
            Severity::Reject
        }
    }

    pub(crate) fn of_failure(&self, failure: &Failure) -> Severity {
        self.of_rule(failure.field, failure.rule)
    }
}
