//! All contracts that a project knows.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::contract::Contract;
use crate::error::{ContractError, Fault};
use crate::name::TableName;
use crate::parse;

/// The repository's `schemas/`, embedded by `build.rs`: sector, table, text.
const EMBEDDED: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

static BUILTIN: LazyLock<(Contracts, Vec<ContractError>)> = LazyLock::new(|| {
    let texts = EMBEDDED.iter().filter_map(|(sector, table, text)| {
        Some((
            TableName::new(*sector, *table).ok()?,
            format!("schemas/{sector}/{table}.json"),
            (*text).to_owned(),
        ))
    });
    Contracts::load_texts(texts)
});

/// Contracts by table name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contracts {
    by_name: BTreeMap<TableName, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    contract: Arc<Contract>,
    file: String,
    text: Arc<str>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.contract == other.contract
    }
}

impl Contracts {
    /// The shared contracts that the binary brings along.
    #[must_use]
    pub fn builtin() -> Self {
        BUILTIN.0.clone()
    }

    /// Reads contracts from (table, path of the file, text), and gives all faults beside those that are sound.
    ///
    /// Keys into tables that are not among them are not looked at: [`Contracts::check_references`] does that, once all
    /// contracts are together.
    #[must_use]
    pub fn load_texts(
        texts: impl IntoIterator<Item = (TableName, String, String)>,
    ) -> (Self, Vec<ContractError>) {
        let mut contracts = Self::default();
        let mut errors = Vec::new();
        for (name, file, text) in texts {
            if let Some(other) = contracts.by_name.get(&name) {
                let fault = Fault::DuplicateTable {
                    table: name.clone(),
                    other: other.file.clone(),
                };
                errors.push(ContractError::new(&name, String::new(), None, fault).in_file(&file));
                continue;
            }
            match parse::parse(&name, &text) {
                Ok(contract) => {
                    contracts.by_name.insert(
                        name,
                        Entry {
                            contract: Arc::new(contract),
                            file,
                            text: text.into(),
                        },
                    );
                }
                Err(found) => errors.extend(found.into_iter().map(|error| error.in_file(&file))),
            }
        }
        (contracts, errors)
    }

    /// These contracts, with `own` in place of those of the same name.
    #[must_use]
    pub fn with_overrides(mut self, own: Self) -> Self {
        self.by_name.extend(own.by_name);
        self
    }

    /// Every foreign key that points to a table, a field or a type that is not there.
    #[must_use]
    pub fn check_references(&self) -> Vec<ContractError> {
        let mut errors = Vec::new();
        for entry in self.by_name.values() {
            let faults = parse::check_references(&entry.contract, self);
            errors.extend(
                parse::place(&entry.contract.name, &entry.text, faults)
                    .into_iter()
                    .map(|error| error.in_file(&entry.file)),
            );
        }
        errors
    }

    /// The contract of a table.
    #[must_use]
    pub fn get(&self, name: &TableName) -> Option<&Arc<Contract>> {
        self.by_name.get(name).map(|entry| &entry.contract)
    }

    /// The file that a contract came from, relative to its project.
    #[must_use]
    pub fn file(&self, name: &TableName) -> Option<&str> {
        self.by_name.get(name).map(|entry| entry.file.as_str())
    }

    /// The descriptor that a contract was read from, as written.
    #[must_use]
    pub fn text(&self, name: &TableName) -> Option<&str> {
        self.by_name.get(name).map(|entry| entry.text.as_ref())
    }

    /// The table that is probably meant by a name that is none ("did you mean").
    #[must_use]
    pub fn suggest(&self, name: &str) -> Option<String> {
        let names: Vec<String> = self.by_name.keys().map(ToString::to_string).collect();
        parse::nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
    }

    /// All contracts, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Contract>> {
        self.by_name.values().map(|entry| &entry.contract)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{BUILTIN, Contracts, EMBEDDED};
    use crate::Contract;

    #[test]
    fn builtin_contracts_are_sound_and_point_to_each_other() {
        assert_eq!(BUILTIN.1, []);
        let builtin = Contracts::builtin();
        assert_eq!(builtin.len(), EMBEDDED.len());
        assert_eq!(builtin.check_references(), []);
    }

    #[test]
    fn builtin_contracts_name_everything_in_two_languages() {
        for contract in Contracts::builtin().iter() {
            let titles = std::iter::once(&contract.title)
                .chain(contract.fields.iter().map(|field| &field.title));
            for title in titles {
                assert!(
                    title.vi().is_some() && title.en().is_some(),
                    "{}: {title:?}",
                    contract.name
                );
            }
            assert!(
                contract.standard.is_some() && !contract.primary_key.is_empty(),
                "{}",
                contract.name
            );
            let again =
                Contract::parse(contract.name.clone(), &contract.to_json().to_string()).unwrap();
            assert_eq!(again, **contract);
        }
    }

    #[test]
    fn builtin_tables_are_those_that_were_promised() {
        let names: Vec<String> = Contracts::builtin()
            .iter()
            .map(|contract| contract.name.to_string())
            .collect();
        insta::assert_snapshot!(names.join("\n"));
    }

    #[test]
    fn a_project_replaces_a_builtin_contract_by_name() {
        let text = r#"{ "fields": [{ "name": "only", "type": "string" }] }"#;
        let name: crate::TableName = "transport.stops".parse().unwrap();
        let (own, errors) = Contracts::load_texts([(
            name.clone(),
            "schemas/transport/stops.json".into(),
            text.into(),
        )]);
        assert_eq!(errors, []);
        let all = Contracts::builtin().with_overrides(own);
        assert_eq!(all.get(&name).unwrap().fields.len(), 1);
        assert_eq!(all.len(), Contracts::builtin().len());
        assert_eq!(
            all.suggest("transport.stop").as_deref(),
            Some("transport.stops")
        );
        assert_eq!(all.suggest("weather.gauges"), None);
    }

    #[test]
    fn the_readme_shows_a_sound_contract() {
        let readme = include_str!("../../../schemas/README.md");
        let text = readme
            .split("```json")
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .unwrap();
        let contract = Contract::parse("x.gauges".parse().unwrap(), text).unwrap();
        assert_eq!(
            contract.partition_columns(),
            ["_source", "_observed_at_month"]
        );
    }
}
