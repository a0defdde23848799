//! A contract as Arrow schemas.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};

use crate::contract::{Contract, PartitionBy};
use crate::field::{Field, Interval};
use crate::system;

/// What every metadata key begins with.
const PREFIX: &str = "sectorlake.";

impl Contract {
    /// The contract's own fields as an Arrow schema.
    ///
    /// Every field is nullable but the required ones and those of the primary key. Each field's metadata says
    /// `sectorlake.type`, `.format`, `.unit`, `.classification`, `.time_zone`, `.interval`, `.title.vi`, `.title.en` where they are known.
    #[must_use]
    pub fn arrow_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.arrow_fields()))
    }

    /// The schema as stored: the contract's fields, the [`system`] columns, the derived partition columns.
    #[must_use]
    pub fn table_schema(&self) -> SchemaRef {
        let mut fields = self.arrow_fields();
        fields.extend(system::fields());
        for partition in &self.partition_by {
            if !matches!(partition, PartitionBy::Field(_)) {
                let nullable = self
                    .field(partition.field())
                    .is_none_or(|field| !self.is_required(field));
                fields.push(ArrowField::new(
                    partition.column(),
                    DataType::Utf8,
                    nullable,
                ));
            }
        }
        Arc::new(Schema::new(fields))
    }

    /// The physical partition columns of the table: `_source`, then those of `partition_by`.
    #[must_use]
    pub fn partition_columns(&self) -> Vec<String> {
        std::iter::once(system::SOURCE.to_owned())
            .chain(self.partition_by.iter().map(PartitionBy::column))
            .collect()
    }

    /// What is worth writing beside the table, for tools that never heard of the contract: `sectorlake.title.vi`,
    /// `.title.en`, `.version`, `.standard`, `.owner`, `.licence`, `.contract` (the hash).
    #[must_use]
    pub fn table_metadata(&self) -> BTreeMap<String, String> {
        let mut metadata: BTreeMap<String, String> = self
            .title
            .iter()
            .map(|(language, title)| (format!("{PREFIX}title.{language}"), title.to_owned()))
            .collect();
        let mut put = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                metadata.insert(format!("{PREFIX}{key}"), value.to_owned());
            }
        };
        put("version", Some(&self.version));
        put("standard", self.standard.as_deref());
        put("owner", self.owner.as_deref());
        put("licence", self.licence.as_deref());
        put("contract", Some(&self.hash()));
        metadata
    }

    fn arrow_fields(&self) -> Vec<ArrowField> {
        self.fields
            .iter()
            .map(|field| {
                ArrowField::new(&field.name, field.arrow_type(), !self.is_required(field))
                    .with_metadata(metadata(field))
            })
            .collect()
    }
}

fn metadata(field: &Field) -> HashMap<String, String> {
    let mut metadata: HashMap<String, String> = field
        .title
        .iter()
        .map(|(language, title)| (format!("{PREFIX}title.{language}"), title.to_owned()))
        .collect();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            metadata.insert(format!("{PREFIX}{key}"), value.to_owned());
        }
    };
    put("type", Some(field.kind.word()));
    put("format", field.format.as_deref());
    put("unit", field.unit.as_deref());
    put("classification", Some(field.classification.word()));
    put("time_zone", field.time_zone.map(chrono_tz::Tz::name));
    put("interval", field.interval.map(Interval::word));
    put("added", field.added.then_some("true"));
    metadata
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use crate::Contracts;

    #[test]
    fn observations_as_stored() {
        let contract = Contracts::builtin()
            .get(&"environment.observations".parse().unwrap())
            .unwrap()
            .clone();
        let schema = contract.table_schema();
        let columns = schema.fields().iter().map(|field| {
            format!(
                "{}: {}{}",
                field.name(),
                field.data_type(),
                if field.is_nullable() { "" } else { " not null" }
            )
        });
        insta::assert_snapshot!(columns.collect::<Vec<_>>().join("\n"), @r#"
        station_id: Utf8 not null
        observed_property: Utf8 not null
        phenomenon_time: Timestamp(µs, "UTC") not null
        phenomenon_time_end: Timestamp(µs, "UTC")
        result: Float64
        unit: Utf8 not null
        sensor_id: Utf8
        result_quality: Utf8
        _source: Utf8 not null
        _run: Utf8 not null
        _part: Utf8 not null
        _row: Int64 not null
        _phenomenon_time_month: Utf8 not null
        "#);
        assert_eq!(
            contract.partition_columns(),
            ["_source", "_phenomenon_time_month"]
        );
        let metadata = schema.field(0).metadata();
        assert_eq!(
            metadata.get("sectorlake.title.vi").map(String::as_str),
            Some("Mã trạm")
        );
        assert_eq!(
            metadata
                .get("sectorlake.classification")
                .map(String::as_str),
            Some("public")
        );
    }
}
