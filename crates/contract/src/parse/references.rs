//! Whether the keys of a contract fit the tables that they point to.

use crate::contract::{Contract, ForeignKey, KeyTarget};
use crate::contracts::Contracts;
use crate::error::Fault;
use crate::field::Field;
use crate::parse::node::{Path, nearest};

type Found = Vec<(Path, Fault)>;

/// Faults that the contract alone shows: unknown fields of its own, lengths, self-references.
pub(crate) fn check_own(contract: &Contract) -> Found {
    let mut found = Found::new();
    for (key, path) in keys(contract) {
        for (index, name) in key.fields.iter().enumerate() {
            known(contract, name, &path.key("fields").index(index), &mut found);
        }
        for (target, path) in targets(key, &path) {
            if target.fields.len() != key.fields.len() {
                let fault = Fault::KeyLength {
                    own: key.fields.len(),
                    theirs: target.fields.len(),
                    target: target.table.clone(),
                };
                found.push((path.key("fields"), fault));
            }
            if target.table == contract.name {
                check_target(contract, key, target, contract, &path, &mut found);
            }
        }
    }
    found
}

/// Faults that show only beside the other contracts: unknown tables, fields and types on the other side.
pub(crate) fn check(contract: &Contract, contracts: &Contracts) -> Found {
    let mut found = Found::new();
    for (key, path) in keys(contract) {
        for (target, path) in targets(key, &path) {
            match contracts.get(&target.table) {
                Some(other) if other.name == contract.name => {}
                Some(other) => check_target(contract, key, target, other, &path, &mut found),
                None => {
                    let table = target.table.to_string();
                    let suggestion = contracts.suggest(&table);
                    found.push((
                        path.key("resource"),
                        Fault::UnknownTable { table, suggestion },
                    ));
                }
            }
        }
    }
    found
}

fn check_target(
    contract: &Contract,
    key: &ForeignKey,
    target: &KeyTarget,
    other: &Contract,
    path: &Path,
    found: &mut Found,
) {
    for (index, (own, theirs)) in key.fields.iter().zip(&target.fields).enumerate() {
        let path = path.key("fields").index(index);
        let Some(theirs) = known(other, theirs, &path, found) else {
            continue;
        };
        if let Some(own) = contract
            .field(own)
            .filter(|own| own.arrow_type() != theirs.arrow_type())
        {
            let fault = Fault::KeyType {
                field: own.name.clone(),
                own: own.kind.word(),
                target: other.name.clone(),
                target_field: theirs.name.clone(),
                theirs: theirs.kind.word(),
            };
            found.push((path, fault));
        }
    }
}

fn known<'c>(
    contract: &'c Contract,
    name: &str,
    path: &Path,
    found: &mut Found,
) -> Option<&'c Field> {
    let field = contract.field(name);
    if field.is_none() {
        let suggestion = nearest(
            name,
            contract.fields.iter().map(|field| field.name.as_str()),
        )
        .map(str::to_owned);
        found.push((
            path.clone(),
            Fault::UnknownField {
                name: name.to_owned(),
                table: contract.name.clone(),
                suggestion,
            },
        ));
    }
    field
}

/// The keys with their places: `foreignKeys` first, then `sectorlake.foreign_keys_any`, as they are read.
fn keys(contract: &Contract) -> impl Iterator<Item = (&ForeignKey, Path)> {
    let single = contract
        .foreign_keys
        .iter()
        .filter(|key| key.targets.len() == 1)
        .enumerate();
    let any = contract
        .foreign_keys
        .iter()
        .filter(|key| key.targets.len() != 1)
        .enumerate();
    let single = single.map(|(index, key)| (key, Path::default().key("foreignKeys").index(index)));
    single.chain(any.map(|(index, key)| {
        (
            key,
            Path::default()
                .key("sectorlake")
                .key("foreign_keys_any")
                .index(index),
        )
    }))
}

fn targets<'k>(key: &'k ForeignKey, path: &Path) -> Vec<(&'k KeyTarget, Path)> {
    match key.targets.as_slice() {
        [target] => vec![(target, path.key("reference"))],
        targets => targets
            .iter()
            .enumerate()
            .map(|(index, target)| (target, path.key("references").index(index)))
            .collect(),
    }
}
