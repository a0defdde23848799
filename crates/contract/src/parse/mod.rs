//! Table Schema descriptors → contracts, with every fault and its place.

mod field;
mod limits;
mod node;
mod place;
mod references;
mod severity;
mod table;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::contract::Contract;
use crate::error::{ContractError, Fault};
use crate::name::TableName;

pub(crate) use limits::position;
pub(crate) use node::nearest;
pub(crate) use references::check as check_references;

use node::{Faults, Node, Path};

impl Contract {
    /// Reads the contract of `name` from its descriptor.
    ///
    /// # Errors
    /// The first fault, by its place in the text; [`Contract::parse_all`] gives all of them.
    pub fn parse(name: TableName, text: &str) -> Result<Self, ContractError> {
        Self::parse_all(&name, text).map_err(|mut errors| errors.swap_remove(0))
    }

    /// Reads the contract of `name` from its descriptor.
    ///
    /// # Errors
    /// Every fault (at least one), by its place in the text.
    pub fn parse_all(name: &TableName, text: &str) -> Result<Self, Vec<ContractError>> {
        parse(name, text)
    }
}

pub(crate) fn parse(name: &TableName, text: &str) -> Result<Contract, Vec<ContractError>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        let place = Some((error.line(), error.column().max(1)));
        vec![ContractError::new(
            name,
            String::new(),
            place,
            Fault::Json { message },
        )]
    })?;
    let faults = Faults::default();
    let contract = table::read(name, &Node::root(&value, &faults));
    let mut found = faults.into_inner();
    if let Some(contract) = &contract {
        found.extend(references::check_own(contract));
    }
    match contract {
        Some(contract) if found.is_empty() => Ok(contract),
        _ => Err(place(name, text, found)),
    }
}

/// Gives each fault its line and column, and sorts them by it.
pub(crate) fn place(
    name: &TableName,
    text: &str,
    faults: Vec<(Path, Fault)>,
) -> Vec<ContractError> {
    let mut errors: Vec<ContractError> = faults
        .into_iter()
        .map(|(path, fault)| {
            ContractError::new(name, path.to_string(), place::find(text, &path), fault)
        })
        .collect();
    errors.sort_by_key(|error| (error.line(), error.column()));
    errors
}
