//! A contract on its way from one version to the next: the name it is stored under, fields that drift added, what a stored
//! table says of the contract it was written by.
//!
//! A field that a source brought and no contract knows is *added*: nullable, without rules, marked in the stored column's
//! metadata. It is no part of what the contract says, so it stands neither in [`Contract::to_json`] nor in its hash.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field as ArrowField, Schema};

use crate::contract::{Contract, KeyScope, PartitionBy};
use crate::field::{Classification, Constraints, Field, FieldType};
use crate::name::TableName;
use crate::system;
use crate::titles::Titles;

/// The mark of a column that drift added.
pub(crate) const ADDED: &str = "sectorlake.added";
const PREFIX: &str = "sectorlake.";

impl Contract {
    /// The contract with fields that drift added after its own. A name that stands already is left as it is.
    #[must_use]
    pub fn with_added(&self, fields: impl IntoIterator<Item = Field>) -> Self {
        let mut all = self.clone();
        for field in fields {
            if all.field(&field.name).is_none() {
                all.fields.push(Field {
                    added: true,
                    constraints: Constraints::default(),
                    ..field
                });
            }
        }
        all
    }

    /// The contract of a table of another name; keys into itself follow.
    #[must_use]
    pub fn renamed(&self, name: TableName) -> Self {
        let mut renamed = self.clone();
        let targets = renamed
            .foreign_keys
            .iter_mut()
            .flat_map(|key| &mut key.targets);
        for target in targets.filter(|target| target.table == self.name) {
            target.table = name.clone();
        }
        renamed.name = name;
        renamed
    }

    /// This contract with the rules that rows are checked by taken from `other`: what differs then is what readers rely on.
    ///
    /// Where every stored row goes with a run, a tighter rule breaks nothing; a type, a unit or a field that is gone does.
    #[must_use]
    pub fn with_rules_of(&self, other: &Self) -> Self {
        let mut ruled = self.clone();
        for field in &mut ruled.fields {
            let known = other.field(&field.name);
            field.constraints =
                known.map_or_else(Constraints::default, |known| known.constraints.clone());
            field.time_zone = known.and_then(|known| known.time_zone);
            field.severity = known.map_or_else(BTreeMap::new, |known| known.severity.clone());
        }
        ruled.foreign_keys.clone_from(&other.foreign_keys);
        ruled.severity.clone_from(&other.severity);
        ruled.key_scope = other.key_scope;
        ruled
    }

    /// Whether this contract's version comes before that of `other`, number by number.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        numbers(&self.version).cmp(numbers(&other.version)) == Ordering::Less
    }

    /// What a stored table tells of its contract where the contract itself is not stored: types, units and titles of the
    /// fields, what is required, the key, the partitions, the version. Limits and keys into other tables are not known.
    #[must_use]
    pub fn of_table(
        name: &TableName,
        schema: &Schema,
        partition_columns: &[String],
        metadata: &BTreeMap<String, String>,
    ) -> Self {
        let word = |key: &str| metadata.get(&format!("{PREFIX}{key}")).cloned();
        let fields = schema
            .fields()
            .iter()
            .filter(|field| !system::is_reserved(field.name()));
        let fields: Vec<Field> = fields.map(|field| Field::of_column(field)).collect();
        let key = word("primary_key").unwrap_or_default();
        let key = key.split(", ").filter(|field| !field.is_empty());
        let partitions = partition_columns.iter();
        Self {
            name: name.clone(),
            title: titles(metadata.iter()),
            description: word("description"),
            primary_key: key.map(str::to_owned).collect(),
            foreign_keys: Vec::new(),
            missing_values: vec![String::new()],
            version: word("version").unwrap_or_else(|| "1".to_owned()),
            standard: word("standard"),
            owner: word("owner"),
            licence: word("licence"),
            partition_by: partitions
                .filter_map(|column| partition_of(column, &fields))
                .collect(),
            cluster_by: Vec::new(),
            key_scope: KeyScope::default(),
            severity: BTreeMap::new(),
            fields,
        }
    }
}

impl Field {
    /// What a stored column tells of its field.
    #[must_use]
    pub fn of_column(column: &ArrowField) -> Self {
        let metadata = column.metadata();
        let word = |key: &str| metadata.get(&format!("{PREFIX}{key}")).cloned();
        let class = word("classification").unwrap_or_default();
        let classes = Classification::ALL.into_iter();
        Self {
            name: column.name().clone(),
            kind: kind_of(
                word("type").unwrap_or_default().as_str(),
                column.data_type(),
            ),
            format: word("format"),
            title: titles(metadata.iter()),
            description: metadata.get("comment").cloned(),
            constraints: Constraints {
                required: !column.is_nullable(),
                ..Constraints::default()
            },
            unit: word("unit"),
            classification: classes
                .rev()
                .find(|known| known.word() == class)
                .unwrap_or_default(),
            added: is_added(column),
            ..Self::default()
        }
    }
}

/// Whether drift added a stored column.
#[must_use]
pub fn is_added(column: &ArrowField) -> bool {
    column.metadata().contains_key(ADDED)
}

fn titles<'a>(metadata: impl Iterator<Item = (&'a String, &'a String)>) -> Titles {
    Titles::new(metadata.filter_map(|(key, title)| {
        let language = key.strip_prefix(PREFIX)?.strip_prefix("title.")?;
        Some((language.to_owned(), title.clone()))
    }))
}

/// The type of this word that is stored so; where there is no word, or it does not fit, the plainest type stored so.
fn kind_of(word: &str, stored: &DataType) -> FieldType {
    use FieldType::{
        Boolean, Date, Datetime, Decimal, GeoJson, GeoPoint, Integer, List, Number, Object, String,
        Time, Year, YearMonth,
    };
    match (word, stored) {
        (_, DataType::Decimal128(precision, scale)) => Decimal {
            precision: *precision,
            scale: *scale,
        },
        (_, DataType::Int64) => Integer,
        (_, DataType::Int32) => Year,
        (_, DataType::Float64) => Number,
        (_, DataType::Boolean) => Boolean {
            true_values: Vec::new(),
            false_values: Vec::new(),
        },
        (_, DataType::Date32) => Date,
        (_, DataType::Timestamp(..)) => Datetime,
        ("geopoint", _) => GeoPoint,
        (_, DataType::Binary | DataType::LargeBinary | DataType::BinaryView) => GeoJson,
        ("time", _) => Time,
        ("yearmonth", _) => YearMonth,
        ("list" | "array", _) => List,
        ("object", _) => Object,
        _ => String,
    }
}

fn partition_of(column: &str, fields: &[Field]) -> Option<PartitionBy> {
    let known = |name: &str| fields.iter().any(|field| field.name == name);
    let Some(derived) = column.strip_prefix('_') else {
        return Some(PartitionBy::Field(column.to_owned()));
    };
    let month = derived.strip_suffix("_month").filter(|name| known(name));
    let year = derived.strip_suffix("_year").filter(|name| known(name));
    let field = str::to_owned;
    month
        .map(|name| PartitionBy::Month { field: field(name) })
        .or_else(|| year.map(|name| PartitionBy::Year { field: field(name) }))
}

/// The numbers of a version, a part that is none as 0.
fn numbers(version: &str) -> impl Iterator<Item = u64> {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    let parts = plain.split('.');
    let mut numbers: Vec<u64> = parts.map(|part| part.parse().unwrap_or_default()).collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers.into_iter()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use crate::Contracts;
    use crate::compare::{Level, compare};

    use super::*;

    fn contract(text: &str) -> Contract {
        Contract::parse("x.trees".parse().unwrap(), text).unwrap()
    }

    fn versioned(version: &str) -> Contract {
        contract(&format!(
            r#"{{ "fields": [{{ "name": "id", "type": "string" }}], "sectorlake": {{ "version": "{version}" }} }}"#
        ))
    }

    #[test]
    fn added_fields_are_stored_and_no_part_of_what_the_contract_says() {
        let plain = versioned("1.0.0");
        let fresh = Field {
            name: "height".to_owned(),
            kind: FieldType::Number,
            constraints: Constraints {
                required: true,
                ..Constraints::default()
            },
            ..Field::default()
        };
        let wider = plain.with_added([
            fresh.clone(),
            Field {
                name: "id".to_owned(),
                ..fresh
            },
        ]);
        assert_eq!(wider.fields.len(), 2);
        assert_eq!(
            (wider.hash(), wider.to_json()),
            (plain.hash(), plain.to_json())
        );
        let schema = wider.table_schema();
        let column = schema.field_with_name("height").unwrap();
        assert!(is_added(column) && column.is_nullable() && !is_added(schema.field(0)));
        assert_eq!(Field::of_column(column), *wider.field("height").unwrap());
    }

    #[test]
    fn keys_into_itself_follow_a_new_name() {
        let tree = contract(
            r#"{ "fields": [{ "name": "id", "type": "string" }, { "name": "parent", "type": "string" }], "primaryKey": "id",
                "foreignKeys": [{ "fields": "parent", "reference": { "resource": "", "fields": "id" } }] }"#,
        );
        let moved = tree.renamed("x.trees_v2".parse().unwrap());
        assert_eq!(moved.foreign_keys[0].targets[0].table, moved.name);
        assert_eq!(moved.hash(), tree.hash());
    }

    #[test]
    fn versions_are_told_apart_number_by_number() {
        for (left, right, older) in [
            ("1.9.0", "1.10.0", true),
            ("1", "1.0.0", false),
            ("1.0", "1.0.1", true),
            ("2.0.0-draft", "2.0.0", false),
            ("2", "1.9", false),
        ] {
            assert_eq!(
                versioned(left).is_older_than(&versioned(right)),
                older,
                "{left} {right}"
            );
        }
    }

    /// A lake from before contracts were stored still tells types, units, keys and partitions.
    #[test]
    fn every_shared_contract_is_known_again_from_its_table() {
        for contract in Contracts::builtin().iter() {
            let mut metadata = contract.table_metadata();
            metadata.insert(
                "sectorlake.primary_key".to_owned(),
                contract.primary_key.join(", "),
            );
            let columns = contract.partition_columns();
            let known = Contract::of_table(
                &contract.name,
                &contract.table_schema(),
                &columns,
                &metadata,
            );
            let ruled = contract.with_rules_of(&known);
            let comparison = compare(&known, &ruled);
            assert!(
                comparison.level() < Level::Widening,
                "{}: {:?}",
                contract.name,
                comparison
            );
            assert_eq!(known.partition_by, contract.partition_by);
            assert_eq!(known.title, contract.title);
        }
    }
}
