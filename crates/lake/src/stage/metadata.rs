//! A table's metadata in Delta's words: protocol, schema, and all that its contract says.

use std::collections::BTreeMap;

use arrow::datatypes::Schema;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::{Action, Metadata, Protocol, StructType};
use sectorlake_contract::{Contract, TableName};
use serde_json::json;

use crate::error::LakeError;
use crate::table::CONTRACT;

/// The lowest protocol that every reader knows: no deletion vectors, no column mapping, no features.
const READER_VERSION: i32 = 1;
const WRITER_VERSION: i32 = 2;

/// A table's identity in Delta.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) created_ms: Option<i64>,
}

/// The protocol of a new table.
pub(super) fn protocol(table: &TableName) -> Result<Action, LakeError> {
    let value = json!({ "minReaderVersion": READER_VERSION, "minWriterVersion": WRITER_VERSION });
    serde_json::from_value::<Protocol>(value)
        .map(Action::Protocol)
        .map_err(|error| refused(table, error))
}

/// The metadata of a table under the contract.
pub(super) fn metadata(
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
    // Whole: the next contract is compared with it, rule by rule.
    configuration.insert(CONTRACT.to_owned(), contract.to_json().to_string());
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
