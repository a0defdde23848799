//! Moving staged entries onto the versions that others published meanwhile.
//!
//! Conflict is per (table, `_source`): what another pipeline did to a table leaves this one's files alone, so the entry
//! is put under a later number as it is. Of two that create a table the second leaves out what makes it; where keys hold
//! over the whole table the new rows of both are compared.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema};
use deltalake::kernel::StructType;
use deltalake::kernel::engine::arrow_conversion::TryFromKernel;
use object_store::path::Path;
use sectorlake_contract::{KeyScope, TableName};

use super::roll::{hash, staged_bytes};
use crate::error::LakeError;
use crate::keys::{KeyHashes, for_each_hash};
use crate::layout;
use crate::snapshot::{Snapshot, StagedEntry, TableVersion};
use crate::stage::contents::{Contents, contents, without_form};
use crate::stage::form::have_same_columns;
use crate::stage::read::{FileRef, Reader};
use crate::store::files;
use crate::table::LakeTable;
use crate::work::{StagedTable, Work};

/// The staged entries as they follow on `newest`.
pub(super) async fn onto(
    work: &Work,
    staged: &BTreeMap<TableName, StagedTable>,
    newest: Option<&Snapshot>,
) -> Result<Vec<StagedEntry>, LakeError> {
    let mut entries = Vec::new();
    for table in staged.values() {
        let Some(entry) = &table.entry else { continue };
        let current = newest.and_then(|newest| newest.tables.get(&entry.table));
        let base = work.base_version(&entry.table);
        // A run that moves a table brings the rows of all sources: of two that do, the second has them from before.
        let moves = base.is_some_and(|base| base.access != entry.access);
        let moved = match current {
            // Nobody touched it meanwhile.
            _ if current == base => entry.clone(),
            Some(current) if current.access == entry.access && !moves => {
                moved(work, table, entry, current).await?
            }
            Some(_) if moves => {
                return Err(conflict(
                    entry,
                    "it was to move behind another door as it was",
                ));
            }
            Some(_) => return Err(conflict(entry, "it now lies behind another door")),
            None => return Err(conflict(entry, "it is no longer in the newest snapshot")),
        };
        entries.push(moved);
    }
    Ok(entries)
}

fn conflict(entry: &StagedEntry, detail: impl Into<String>) -> LakeError {
    LakeError::Conflict {
        table: entry.table.clone(),
        detail: detail.into(),
    }
}

/// One entry under another number.
async fn moved(
    work: &Work,
    table: &StagedTable,
    entry: &StagedEntry,
    current: &TableVersion,
) -> Result<StagedEntry, LakeError> {
    let store = work.store();
    let version = current.version + 1;
    let bytes = staged_bytes(store.as_ref(), entry).await?;
    let place = (&entry.table, entry.access);
    let own = contents(place, &Path::from(entry.path.as_str()), &bytes)?;
    let (table_name, access) = place;
    let now = LakeTable::open(Arc::clone(&store), table_name, access, current.version).await?;
    let there: HashSet<&Path> = now.files.iter().map(|file| &file.path).collect();
    if let Some(gone) = own.removed.iter().find(|path| !there.contains(path)) {
        let detail = format!("{gone}, which this run replaces, is gone");
        return Err(conflict(entry, detail));
    }
    let form_is_there = form_is_there(&own, &now);
    if !form_is_there {
        form_fits(work, entry, &own, &now).await?;
    }
    if table.contract.key_scope == KeyScope::Lake {
        compare_keys(work, table, entry, &own, &now).await?;
    }
    if !form_is_there {
        // The bytes stay what and where they are; only the number under which the log takes them is another.
        return Ok(StagedEntry {
            version,
            ..entry.clone()
        });
    }
    let bytes = without_form(&bytes);
    let path = layout::run_log(work.id(), &entry.table, entry.access)
        .join("moved")
        .join(layout::numbered(version));
    let (size, hash) = (bytes.len() as u64, hash(&bytes));
    files::put_if_absent(store.as_ref(), &path, bytes).await?;
    Ok(StagedEntry {
        table: entry.table.clone(),
        version,
        path: path.to_string(),
        size,
        hash,
        access: entry.access,
    })
}

/// Whether the staged files and those that came meanwhile are rows of one table.
///
/// What this run staged has a form of its own: that of the base version, or one that its contract gives it. The table may
/// have been given another meanwhile, and files in it. Both ways each file must fit the form that stands in the end.
async fn form_fits(
    work: &Work,
    entry: &StagedEntry,
    own: &Contents,
    now: &LakeTable,
) -> Result<(), LakeError> {
    let staged = work.staged_table(&entry.table).await?;
    let (written, last) = match own.metadata {
        // The entry's own form will be the last: what is there now must fit it. Of two that create it one has.
        Some(_) if own.creates => return Err(conflict(entry, "it was made with another form")),
        Some(_) => (now, staged.as_ref()),
        None => (staged.as_ref(), now),
    };
    match misfit(written, last) {
        Some(detail) => Err(conflict(entry, detail)),
        None => Ok(()),
    }
}

/// What keeps files that were written as one form of a table from being read as another.
fn misfit(written: &LakeTable, last: &LakeTable) -> Option<String> {
    if written.partition_columns != last.partition_columns {
        return Some("it was partitioned otherwise".to_owned());
    }
    let lost = |field: &&FieldRef| last.schema.field_with_name(field.name()).is_err();
    if let Some(field) = written.schema.fields().iter().find(lost) {
        return Some(format!("it lost the field {}", field.name()));
    }
    last.schema.fields().iter().find_map(|field| {
        let name = field.name();
        match written.schema.field_with_name(name) {
            Ok(written) if written.data_type() != field.data_type() => Some(format!(
                "its field {name} was given another type: {}, not {}",
                field.data_type(),
                written.data_type()
            )),
            Ok(written) if written.is_nullable() && !field.is_nullable() => {
                Some(format!("its field {name} was made required"))
            }
            Err(_) if !field.is_nullable() => {
                Some(format!("it was given the required field {name}"))
            }
            _ => None,
        }
    })
}

/// Whether the table has by now the very form that this run would give it.
fn form_is_there(own: &Contents, now: &LakeTable) -> bool {
    let Some(metadata) = &own.metadata else {
        return false;
    };
    let partitions = metadata
        .get("partitionColumns")
        .and_then(serde_json::Value::as_array);
    let partitions = partitions
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str);
    let contract = metadata.pointer("/configuration/sectorlake.contract");
    let columns = metadata
        .get("schemaString")
        .and_then(serde_json::Value::as_str)
        .and_then(|text| serde_json::from_str::<StructType>(text).ok())
        .and_then(|schema| Schema::try_from_kernel(&schema).ok());
    partitions.eq(now.partition_columns.iter().map(String::as_str))
        && columns.is_some_and(|columns| have_same_columns(&columns, &now.schema))
        && contract.and_then(serde_json::Value::as_str)
            == now.metadata.get("sectorlake.contract").map(String::as_str)
}

/// Where keys hold over the whole table: whether a row that came meanwhile has the key of a row of this run.
async fn compare_keys(
    work: &Work,
    table: &StagedTable,
    entry: &StagedEntry,
    own: &Contents,
    now: &LakeTable,
) -> Result<(), LakeError> {
    let overlay = work.staged_table(&entry.table).await?;
    let known: HashSet<&Path> = overlay.files.iter().map(|file| &file.path).collect();
    let added: HashSet<&Path> = own.added.iter().collect();
    let ours: Vec<FileRef> = overlay
        .files
        .iter()
        .filter(|file| added.contains(&file.path))
        .map(FileRef::from)
        .collect();
    let theirs: Vec<FileRef> = now
        .files
        .iter()
        .filter(|file| !known.contains(&file.path) && !file.is_of(work.pipeline()))
        .map(FileRef::from)
        .collect();
    let reader = Reader {
        store: work.store(),
        table: entry.table.clone(),
        schema: table.contract.table_schema(),
    };
    let unique = table
        .contract
        .fields
        .iter()
        .filter(|field| field.constraints.unique);
    let keys = std::iter::once(table.contract.primary_key.clone())
        .chain(unique.map(|field| vec![field.name.clone()]))
        .filter(|key| !key.is_empty());
    for key in keys {
        let mut hashes = KeyHashes::default();
        for_each_hash(&reader, &theirs, &key, |hash| {
            hashes.insert(hash);
        })
        .await?;
        let mut meets = false;
        for_each_hash(&reader, &ours, &key, |hash| meets |= hashes.contains(&hash)).await?;
        if meets {
            let detail = format!(
                "a row with the same {} came from another pipeline",
                key.join(", ")
            );
            return Err(LakeError::Conflict {
                table: entry.table.clone(),
                detail,
            });
        }
    }
    Ok(())
}
