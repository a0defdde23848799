//! What a table's rows are checked against beyond themselves: their own keys, and the keys of other tables.

use std::collections::HashMap;
use std::sync::Arc;

use sectorlake_contract::{Contract, Contracts, ForeignKey, KeyScope, KeyTarget, TableName};
use sectorlake_lake::{KeyHashes, KeyRows, Load, Run};
use sectorlake_normalise::{
    ForeignCheck, KeyChecks, KeyLog, KnownKeys, NormaliseError, SelfCheck, Waiting,
};

use crate::plan::TablePlan;
use crate::result::Failure;

/// What surrounds a table in a run.
pub(super) struct Around<'a> {
    pub(super) run: &'a Run,
    pub(super) contracts: &'a Contracts,
    /// Tables that this run fills after this one.
    pub(super) yet_to_come: Vec<TableName>,
}

/// The keys of tables, read once a run.
#[derive(Debug, Default)]
pub(super) struct KnownTables {
    known: HashMap<(TableName, Vec<String>), Target>,
    /// Foreign keys that are not enforced, told once.
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Clone)]
struct Target {
    keys: Arc<KeyHashes>,
    /// Whether there is anything to check against.
    has_rows: bool,
}

impl KnownTables {
    /// The checks of one table.
    pub(super) async fn checks(
        &mut self,
        around: &Around<'_>,
        plan: &TablePlan,
    ) -> Result<KeyChecks, Failure> {
        let contract = plan.contract.as_ref();
        let mut checks = KeyChecks {
            unique: unique(contract),
            ..KeyChecks::default()
        };
        let mut own = Vec::new();
        for key in &contract.foreign_keys {
            match key.targets.as_slice() {
                [only] if only.table == contract.name => {
                    own.push(self_check(around.run, plan, key, only).await?)
                }
                _ => checks
                    .foreign
                    .extend(self.foreign(around, contract, key).await?),
            }
        }
        if !own.is_empty() {
            checks.waiting = Some(Waiting::new(contract, &own).map_err(NormaliseError::from)?);
        }
        Ok(checks)
    }

    async fn foreign(
        &mut self,
        around: &Around<'_>,
        contract: &Contract,
        key: &ForeignKey,
    ) -> Result<Option<ForeignCheck>, Failure> {
        let label = key
            .targets
            .iter()
            .map(label)
            .collect::<Vec<_>>()
            .join(" or ");
        // Only in a circle: what is there now is about to be replaced.
        if let Some(later) = key
            .targets
            .iter()
            .find(|target| around.yet_to_come.contains(&target.table))
        {
            self.note(
                contract,
                key,
                &format!("{} and {} point to each other", contract.name, later.table),
            );
            return Ok(None);
        }
        let mut targets: Vec<Arc<dyn KnownKeys>> = Vec::new();
        let mut has_rows = false;
        for target in &key.targets {
            let found = self.target(around, target).await?;
            has_rows |= found.has_rows;
            targets.push(found.keys);
        }
        if !has_rows {
            self.note(
                contract,
                key,
                &format!("{label} holds no rows of this source"),
            );
            return Ok(None);
        }
        Ok(Some(ForeignCheck {
            fields: key.fields.clone(),
            targets,
            label,
        }))
    }

    async fn target(&mut self, around: &Around<'_>, target: &KeyTarget) -> Result<Target, Failure> {
        let at = (target.table.clone(), target.fields.clone());
        if let Some(known) = self.known.get(&at) {
            return Ok(known.clone());
        }
        let referenced = around.contracts.get(&target.table);
        let lake_wide = referenced.is_some_and(|contract| contract.key_scope == KeyScope::Lake);
        let scope = if lake_wide {
            KeyRows::AllSources
        } else {
            KeyRows::OwnSource
        };
        let (keys, has_own) = around
            .run
            .keys_of_versions(
                &target.table,
                &target.fields,
                referenced.map(AsRef::as_ref),
                scope,
            )
            .await?;
        let has_rows = has_own || (lake_wide && !keys.is_empty());
        let found = Target {
            keys: Arc::new(keys),
            has_rows,
        };
        self.known.insert(at, found.clone());
        Ok(found)
    }

    fn note(&mut self, contract: &Contract, key: &ForeignKey, why: &str) {
        let note = format!(
            "{}: the foreign key ({}) is not enforced: {why}",
            contract.name,
            key.fields.join(", ")
        );
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// The primary key first, then fields that must not repeat.
fn unique(contract: &Contract) -> Vec<(Vec<String>, Arc<KeyLog>)> {
    let primary = Some(contract.primary_key.clone()).filter(|key| !key.is_empty());
    let fields = contract
        .fields
        .iter()
        .filter(|field| field.constraints.unique)
        .map(|field| vec![field.name.clone()]);
    let fields = fields.filter(|key| *key != contract.primary_key);
    primary
        .into_iter()
        .chain(fields)
        .map(|key| (key, KeyLog::new()))
        .collect()
}

async fn self_check(
    run: &Run,
    plan: &TablePlan,
    key: &ForeignKey,
    target: &KeyTarget,
) -> Result<SelfCheck, Failure> {
    let contract = plan.contract.as_ref();
    let lake_wide = contract.key_scope == KeyScope::Lake;
    // A whole replace takes all own rows away, so nothing may lean on them.
    let none_stay = plan.load == Load::Replace && plan.slice.is_none() && !lake_wide;
    let scope = if lake_wide {
        KeyRows::AllSources
    } else {
        KeyRows::OwnSource
    };
    let known = if none_stay {
        KeyHashes::default()
    } else {
        run.keys(&contract.name, &target.fields, Some(contract), scope)
            .await?
            .0
    };
    Ok(SelfCheck {
        fields: key.fields.clone(),
        referenced: target.fields.clone(),
        label: label(target),
        severity: plan.severity_of_key(key),
        known: Arc::new(known),
    })
}

fn label(target: &KeyTarget) -> String {
    format!("{} ({})", target.table, target.fields.join(", "))
}
