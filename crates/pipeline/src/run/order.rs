//! Tables in key order: a table after those that its foreign keys point to.

use sectorlake_contract::Contract;

use crate::plan::TablePlan;

/// The tables of other contracts that `contract` points to.
fn targets(contract: &Contract) -> impl Iterator<Item = &sectorlake_contract::TableName> {
    let all = contract
        .foreign_keys
        .iter()
        .flat_map(|key| &key.targets)
        .map(|target| &target.table);
    all.filter(|table| **table != contract.name)
}

/// Sorts tables so that each comes after its targets; tables that point to each other keep their order.
pub(super) fn in_key_order(mut plans: Vec<TablePlan>) -> Vec<TablePlan> {
    let mut ordered: Vec<TablePlan> = Vec::with_capacity(plans.len());
    while !plans.is_empty() {
        let waits = |plan: &TablePlan| {
            targets(&plan.contract)
                .any(|target| plans.iter().any(|other| other.contract.name == *target))
        };
        let next = plans
            .iter()
            .position(|plan| !waits(plan))
            .unwrap_or_default();
        ordered.push(plans.remove(next));
    }
    ordered
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use sectorlake_contract::{Contract, Contracts};
    use sectorlake_lake::Load;

    use super::*;
    use crate::file::OnShrink;

    fn plan(contract: Arc<Contract>) -> TablePlan {
        TablePlan {
            table: contract.name.clone(),
            contract,
            load: Load::Replace,
            slice: None,
            follows_deletions: false,
            on_shrink: OnShrink::Refuse,
            soft: std::collections::BTreeSet::new(),
            feeds: Vec::new(),
        }
    }

    fn names(plans: Vec<TablePlan>) -> Vec<String> {
        plans
            .iter()
            .map(|plan| plan.contract.name.to_string())
            .collect()
    }

    #[test]
    fn transit_tables_come_after_what_they_point_to() {
        let all = Contracts::builtin();
        let transit = all
            .iter()
            .filter(|contract| contract.name.schema() == "transport")
            .cloned()
            .map(plan);
        let ordered = names(in_key_order(transit.collect()));
        let at = |name: &str| ordered.iter().position(|known| known == name).unwrap();
        for (first, later) in [
            ("agency", "routes"),
            ("routes", "trips"),
            ("calendar", "trips"),
            ("trips", "stop_times"),
            ("stops", "stop_times"),
        ] {
            assert!(
                at(&format!("transport.{first}")) < at(&format!("transport.{later}")),
                "{first} before {later}"
            );
        }
    }

    #[test]
    fn tables_in_a_circle_all_come() {
        let contract = |name: &str, target: &str| {
            let text = format!(
                r#"{{"fields": [{{"name": "id", "type": "string"}}], "primaryKey": "id", "foreignKeys":
                    [{{"fields": "id", "reference": {{"resource": "{target}", "fields": "id"}}}}]}}"#
            );
            plan(Arc::new(
                Contract::parse(name.parse().unwrap(), &text).unwrap(),
            ))
        };
        let circle = vec![
            contract("a.x", "a.y"),
            contract("a.y", "a.x"),
            contract("a.z", "a.y"),
        ];
        assert_eq!(names(in_key_order(circle)), ["a.x", "a.y", "a.z"]);
    }
}
