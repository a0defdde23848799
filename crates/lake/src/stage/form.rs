//! The form of a table in Delta's words: its protocol, its metadata, and whether the stored one takes a contract.

use std::collections::BTreeMap;

use arrow::datatypes::{Field, Schema};
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::{Action, Metadata, Protocol, StructType};
use sectorlake_contract::{Contract, TableName};
use serde_json::json;

use super::{Load, StageOptions};
use crate::error::LakeError;
use crate::table::LakeTable;

/// The lowest protocol that every reader knows: no deletion vectors, no column mapping, no features.
const READER_VERSION: i32 = 1;
const WRITER_VERSION: i32 = 2;

/// The form a stage gives to its table.
#[derive(Debug)]
pub(super) struct Form {
    /// All columns.
    pub(super) schema: Schema,
    pub(super) change: Change,
}

/// What has to be said of it in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing: it is as it was.
    Same,
    /// Other metadata: titles, or a field more.
    Metadata,
    /// Everything: the table is new.
    Create,
}

impl Form {
    /// The form of the table under the contract, given what it is stored as.
    ///
    /// # Errors
    /// [`LakeError::SchemaChanged`] where stored rows that stay do not fit.
    pub(super) fn of(
        base: Option<&LakeTable>,
        contract: &Contract,
        load: Load,
        options: &StageOptions,
        pipeline: &str,
    ) -> Result<Self, LakeError> {
        let Some(base) = base else {
            let schema = contract.table_schema().as_ref().clone();
            return Ok(Self {
                schema,
                change: Change::Create,
            });
        };
        let all_goes = load == Load::Replace
            && options.slice.is_none()
            && base.files.iter().all(|file| file.is_of(pipeline));
        if all_goes {
            let schema = contract.table_schema().as_ref().clone();
            let same = misfit(base, contract).is_none() && is_same_contract(base, contract);
            let change = if same { Change::Same } else { Change::Metadata };
            return Ok(Self { schema, change });
        }
        if let Some(detail) = misfit(base, contract) {
            return Err(LakeError::SchemaChanged {
                table: contract.name.clone(),
                detail,
            });
        }
        let same = is_same_contract(base, contract);
        let change = if same { Change::Same } else { Change::Metadata };
        Ok(Self {
            schema: schema_over(base, contract),
            change,
        })
    }

    /// The actions that give the table this form.
    pub(super) fn actions(
        &self,
        contract: &Contract,
        identity: &Identity,
    ) -> Result<Vec<Action>, LakeError> {
        let metadata = || metadata(contract, &self.schema, identity);
        Ok(match self.change {
            Change::Same => Vec::new(),
            Change::Metadata => vec![metadata()?],
            Change::Create => vec![protocol(&contract.name)?, metadata()?],
        })
    }
}

fn is_same_contract(base: &LakeTable, contract: &Contract) -> bool {
    base.metadata.get("sectorlake.contract") == Some(&contract.hash())
}

/// What keeps the stored rows from being rows under the contract; none where nothing does.
fn misfit(base: &LakeTable, contract: &Contract) -> Option<String> {
    let wanted = contract.table_schema();
    if base.partition_columns != contract.partition_columns() {
        let (stored, asked) = (
            base.partition_columns.join(", "),
            contract.partition_columns().join(", "),
        );
        return Some(format!(
            "it is partitioned by {stored}, the contract asks for {asked}"
        ));
    }
    base.schema
        .fields()
        .iter()
        .find_map(|stored| match wanted.field_with_name(stored.name()) {
            Err(_) => Some(format!("the contract has no field {}", stored.name())),
            Ok(field) if field.data_type() != stored.data_type() => Some(format!(
                "field {} is stored as {}, the contract says {}",
                stored.name(),
                stored.data_type(),
                field.data_type()
            )),
            Ok(_) => None,
        })
}

/// The schema under the contract, given stored rows that stay: a field they may lack cannot be required.
fn schema_over(base: &LakeTable, contract: &Contract) -> Schema {
    let wanted = contract.table_schema();
    let fields = wanted.fields().iter().map(|field| {
        let stored_nullable = base
            .schema
            .field_with_name(field.name())
            .map_or(true, Field::is_nullable);
        field
            .as_ref()
            .clone()
            .with_nullable(field.is_nullable() || stored_nullable)
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// A table's identity in Delta.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) created_ms: Option<i64>,
}

/// The protocol of a new table.
fn protocol(table: &TableName) -> Result<Action, LakeError> {
    let value = json!({ "minReaderVersion": READER_VERSION, "minWriterVersion": WRITER_VERSION });
    serde_json::from_value::<Protocol>(value)
        .map(Action::Protocol)
        .map_err(|error| refused(table, error))
}

/// The metadata of a table under the contract.
fn metadata(
    contract: &Contract,
    schema: &Schema,
    identity: &Identity,
) -> Result<Action, LakeError> {
    let table = &contract.name;
    let commented = with_comments(contract, schema);
    let schema: StructType = (&commented)
        .try_into_kernel()
        .map_err(|error| refused(table, error))?;
    let schema = serde_json::to_string(&schema).map_err(|error| refused(table, error))?;
    let value = json!({
        "id": identity.id,
        "name": table.to_string(),
        "description": contract.description.as_deref().or_else(|| contract.title.en()),
        "format": { "provider": "parquet", "options": {} },
        "schemaString": schema,
        "partitionColumns": contract.partition_columns(),
        "configuration": configuration(contract),
        "createdTime": identity.created_ms,
    });
    serde_json::from_value::<Metadata>(value)
        .map(Action::Metadata)
        .map_err(|error| refused(table, error))
}

fn configuration(contract: &Contract) -> BTreeMap<String, String> {
    let mut configuration = contract.table_metadata();
    // Only `maintain` deletes log entries: a kept snapshot may need any of them.
    configuration.insert(
        "delta.enableExpiredLogCleanup".to_owned(),
        "false".to_owned(),
    );
    if !contract.primary_key.is_empty() {
        configuration.insert(
            "sectorlake.primary_key".to_owned(),
            contract.primary_key.join(", "),
        );
    }
    if let Some(description) = &contract.description {
        configuration.insert("sectorlake.description".to_owned(), description.clone());
    }
    configuration
}

/// The schema with each field's description where Spark and others look for it.
fn with_comments(contract: &Contract, schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| {
        let mut metadata = field.metadata().clone();
        let described = contract.field(field.name());
        let comment =
            described.and_then(|field| field.description.as_deref().or_else(|| field.title.en()));
        if let Some(comment) = comment {
            metadata.insert("comment".to_owned(), comment.to_owned());
        }
        field.as_ref().clone().with_metadata(metadata)
    });
    Schema::new(fields.collect::<Vec<_>>())
}

pub(super) fn refused(table: &TableName, error: impl ToString) -> LakeError {
    LakeError::SchemaChanged {
        table: table.clone(),
        detail: error.to_string(),
    }
}
