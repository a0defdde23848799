//! Whether the same parts would give the same rows again.

use serde_json::json;

use crate::plan::TablePlan;

/// Raised whenever rows change though nothing else does: a cast, a check, a default.
const RULES: u32 = 2;

/// A hash over everything but the parts that decides what is loaded; `looked_up` tells the state of the tables that mappings look into.
pub(super) fn fingerprint(plans: &[TablePlan], looked_up: &[Option<u64>]) -> String {
    let tables: Vec<serde_json::Value> = plans
        .iter()
        .map(|plan| {
            let feeds: Vec<serde_json::Value> = plan
                .feeds
                .iter()
                .map(|feed| {
                    json!({
                        "stream": feed.stream.name, "unit": feed.stream.unit, "member": feed.stream.member.as_ref().map(ToString::to_string),
                        "format": feed.format, "unpivot": feed.unpivot, "sql": feed.sql, "parameters": feed.parameters, "columns": feed.columns,
                        "added": feed.added,
                    })
                })
                .collect();
            let mut table = json!({
                "table": plan.contract.name, "contract": plan.contract.hash(), "load": plan.load.word(),
                "soft": plan.soft.iter().map(|soft| (&soft.field, &soft.rule)).collect::<Vec<_>>(), "slice": plan.slice.as_ref().map(ToString::to_string), "feeds": feeds,
            });
            // Only where it is so: what was published before there was the word stays as it is.
            if plan.follows_deletions {
                table["deletions"] = "follow".into();
            }
            table
        })
        .collect();
    let text = json!({ "rules": RULES, "tables": tables, "looked_up": looked_up }).to_string();
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
