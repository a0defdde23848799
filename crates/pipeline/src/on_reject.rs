//! `on_reject:`: how much may be rejected, in all and by rule, and which rules only mark a row.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use sectorlake_contract::{Contract, SOFT_RULES};
use sectorlake_normalise::SoftRule;
use serde::Deserialize;

use crate::problem::did_you_mean;

/// How much may be rejected.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnReject {
    /// Share of a table's rows, 0 to 1.
    #[serde(default)]
    pub max_share: Option<f64>,
    /// Number of a table's rows.
    #[serde(default)]
    pub max_rows: Option<u64>,
    /// Limits of single rules, by `rule` or `field.rule`, such as `pattern` or `score.maximum`.
    #[serde(default)]
    pub rules: BTreeMap<String, RuleLimit>,
}

/// How often one rule may be broken, and how hard it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleLimit {
    /// Share of a table's rows, 0 to 1.
    #[serde(default)]
    pub max_share: Option<f64>,
    /// Number of a table's rows.
    #[serde(default)]
    pub max_rows: Option<u64>,
    /// `warn`: a row that breaks the rule is marked and loaded all the same.
    #[serde(default)]
    pub severity: Option<Severity>,
}

/// How hard a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The row is marked and loaded all the same.
    Warn,
    /// The row is rejected.
    Reject,
}

/// The share that may be rejected when the file says nothing.
pub(crate) const MAX_SHARE_DEFAULT: f64 = 0.1;

/// The rules that always reject.
const HARD_RULES: [&str; 6] = [
    "required",
    "type",
    "primaryKey",
    "unique",
    "record",
    "mapping",
];

/// How often each rule was broken in one table, counted in rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RuleCounts {
    /// By rule.
    rules: BTreeMap<String, u64>,
    /// By field and rule.
    fields: BTreeMap<(String, String), u64>,
}

impl RuleCounts {
    /// Takes in one broken rule; `again` where the row broke the same rule in another field.
    pub(crate) fn add(&mut self, field: Option<&str>, rule: &str, again: bool) {
        if !again {
            *self.rules.entry(rule.to_owned()).or_default() += 1;
        }
        if let Some(field) = field {
            let key = (field.to_owned(), rule.to_owned());
            *self.fields.entry(key).or_default() += 1;
        }
    }

    /// How often `field.rule` or a rule was broken.
    pub(crate) fn of(&self, key: &str) -> u64 {
        match key.rsplit_once('.') {
            Some((field, rule)) => {
                let key = (field.to_owned(), rule.to_owned());
                self.fields.get(&key).copied().unwrap_or_default()
            }
            None => self.rules.get(key).copied().unwrap_or_default(),
        }
    }
}

/// What is wrong with one entry of `rules`.
pub(crate) struct RuleProblem {
    pub(crate) key: String,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl OnReject {
    /// The bound that `rejected` of `all` rows break, in words; `None` if they keep it.
    pub(crate) fn broken(&self, rejected: u64, all: u64) -> Option<String> {
        let none = self.max_rows.is_none() && self.max_share.is_none();
        let share = self.max_share.or(none.then_some(MAX_SHARE_DEFAULT));
        broken(self.max_rows, share, rejected, all)
    }

    /// The first rule that was broken more often than it may: the rule, how often, and the bound in words.
    pub(crate) fn broken_rule(&self, counts: &RuleCounts, all: u64) -> Option<(&str, u64, String)> {
        self.rules.iter().find_map(|(key, limit)| {
            let found = counts.of(key);
            let bound = broken(limit.max_rows, limit.max_share, found, all)?;
            Some((key.as_str(), found, bound))
        })
    }

    /// The rules that only mark a row.
    pub(crate) fn soft(&self) -> BTreeSet<SoftRule> {
        let soft = self
            .rules
            .iter()
            .filter(|(_, limit)| limit.severity == Some(Severity::Warn));
        soft.map(|(key, _)| match key.rsplit_once('.') {
            Some((field, rule)) => SoftRule {
                field: Some(field.to_owned()),
                rule: rule.to_owned(),
            },
            None => SoftRule {
                field: None,
                rule: key.clone(),
            },
        })
        .collect()
    }

    /// What is wrong with the rules, given the contracts of the tables where they are known.
    pub(crate) fn problems(&self, contracts: Option<&[&Contract]>) -> Vec<RuleProblem> {
        self.rules
            .iter()
            .filter_map(|(key, limit)| {
                let (message, help) =
                    wrong_name(key, contracts).or_else(|| wrong_limit(key, limit))?;
                Some(RuleProblem {
                    key: key.clone(),
                    message,
                    help,
                })
            })
            .collect()
    }
}

fn broken(max_rows: Option<u64>, max_share: Option<f64>, found: u64, all: u64) -> Option<String> {
    if let Some(most) = max_rows.filter(|most| found > *most) {
        return Some(format!("max_rows: {most}"));
    }
    let share = max_share?;
    (found > 0 && found as f64 > share * all as f64).then(|| format!("max_share: {share}"))
}

fn wrong_name(key: &str, contracts: Option<&[&Contract]>) -> Option<(String, String)> {
    let (field, rule) = match key.rsplit_once('.') {
        Some((field, rule)) => (Some(field), rule),
        None => (None, key),
    };
    let rules = || SOFT_RULES.into_iter().chain(HARD_RULES);
    if !rules().any(|known| known == rule) {
        let help = did_you_mean(rule, rules())
            .unwrap_or_else(|| format!("rules are: {}", rules().collect::<Vec<_>>().join(", ")));
        return Some((format!("there is no rule `{rule}`"), help));
    }
    let (field, contracts) = (field?, contracts?);
    let fields = || {
        let all = contracts.iter().flat_map(|contract| &contract.fields);
        all.map(|field| field.name.as_str())
    };
    // A rule over several fields is told with all of them.
    if field
        .split(", ")
        .all(|name| fields().any(|known| known == name))
    {
        return None;
    }
    let help = did_you_mean(field, fields())
        .unwrap_or_else(|| "name a field of a table that the pipeline feeds".to_owned());
    Some((
        format!("no table of the pipeline has a field `{field}`"),
        help,
    ))
}

fn wrong_limit(key: &str, limit: &RuleLimit) -> Option<(String, String)> {
    let rule = key.rsplit_once('.').map_or(key, |(_, rule)| rule);
    if let Some(share) = limit.max_share.filter(|share| !(0.0..=1.0).contains(share)) {
        let message = format!("max_share {share} is no share");
        return Some((message, "write a number from 0 to 1".to_owned()));
    }
    if limit.severity == Some(Severity::Warn) && HARD_RULES.contains(&rule) {
        let message =
            format!("the rule `{rule}` cannot be soft: a row that breaks it has no place to stand");
        return Some((
            message,
            format!("soft rules are: {}", SOFT_RULES.join(", ")),
        ));
    }
    if *limit == RuleLimit::default() {
        let message = format!("`{key}` has neither a limit nor a severity");
        return Some((
            message,
            "write max_rows, max_share or severity: warn".to_owned(),
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        max_share: Option<f64>,
        max_rows: Option<u64>,
        rejected: u64,
        all: u64,
    ) -> Option<String> {
        let limits = OnReject {
            max_share,
            max_rows,
            ..OnReject::default()
        };
        limits.broken(rejected, all)
    }

    #[test]
    fn a_tenth_may_be_rejected_unless_the_file_says_otherwise() {
        let (tenth, none) = (Some("max_share: 0.1"), None);
        assert_eq!(check(None, None, 10, 100), None);
        assert_eq!(check(None, None, 11, 100).as_deref(), tenth);
        assert_eq!(check(None, None, 1, 1).as_deref(), tenth);
        assert_eq!(check(None, None, 0, 0), none);
        assert_eq!(check(Some(1.0), None, 100, 100), none);
        assert_eq!(
            check(Some(0.0), None, 1, 100).as_deref(),
            Some("max_share: 0")
        );
        assert_eq!(
            check(None, Some(10), 10, 10),
            none,
            "a count alone lifts the share"
        );
        assert_eq!(
            check(None, Some(10), 11, 1000).as_deref(),
            Some("max_rows: 10")
        );
        assert_eq!(check(Some(0.1), Some(10), 9, 20).as_deref(), tenth);
    }

    #[test]
    fn single_rules_have_limits_of_their_own() {
        let limit = RuleLimit {
            max_rows: Some(1),
            ..RuleLimit::default()
        };
        let limits = |key: &str| OnReject {
            rules: [(key.to_owned(), limit)].into(),
            ..OnReject::default()
        };
        let mut counts = RuleCounts::default();
        counts.add(Some("score"), "maximum", false);
        counts.add(Some("mark"), "maximum", true);
        assert_eq!(
            limits("maximum").broken_rule(&counts, 9),
            None,
            "one row broke it twice"
        );
        counts.add(Some("score"), "maximum", false);
        let bound = || "max_rows: 1".to_owned();
        assert_eq!(
            limits("maximum").broken_rule(&counts, 9),
            Some(("maximum", 2, bound()))
        );
        assert_eq!(
            limits("score.maximum").broken_rule(&counts, 9),
            Some(("score.maximum", 2, bound()))
        );
        assert_eq!(limits("mark.maximum").broken_rule(&counts, 9), None);
    }
}
