//! What a staged log entry says, for those who put it under another number.

use object_store::path::Path;
use sectorlake_contract::TableName;

use crate::error::LakeError;
use crate::layout::{self, Access};

/// What a renumbered entry is judged by.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) creates: bool,
    pub(crate) metadata: Option<serde_json::Value>,
    /// Paths from the lake's root.
    pub(crate) removed: Vec<Path>,
    /// Those with rows that were not there before, or not in all of it.
    pub(crate) added: Vec<Path>,
}

/// Reads an entry that a run staged.
pub(crate) fn contents(
    (table, access): (&TableName, Access),
    path: &Path,
    bytes: &[u8],
) -> Result<Contents, LakeError> {
    let mut contents = Contents::default();
    let folder = layout::table(table, access);
    let rooted = |relative: &str| {
        Path::from(relative)
            .parts()
            .fold(folder.clone(), |path, part| path.join(part))
    };
    for line in lines(bytes) {
        let action: serde_json::Value =
            serde_json::from_slice(line).map_err(|error| LakeError::corrupt(path, error))?;
        let file = |kind: &str| {
            action
                .get(kind)
                .and_then(|file| file.get("path"))
                .and_then(serde_json::Value::as_str)
        };
        contents.removed.extend(file("remove").map(rooted));
        let is_rearranged =
            action.pointer("/add/dataChange") == Some(&serde_json::Value::Bool(false));
        let added = file("add").filter(|_| !is_rearranged);
        contents.added.extend(added.map(rooted));
        contents.creates |= action.get("protocol").is_some();
        if let Some(metadata) = action.get("metaData") {
            contents.metadata = Some(metadata.clone());
        }
    }
    Ok(contents)
}

/// The entry without its protocol and metadata: the table has them by now.
pub(crate) fn without_form(bytes: &[u8]) -> Vec<u8> {
    let is_form =
        |line: &&[u8]| line.starts_with(b"{\"protocol\"") || line.starts_with(b"{\"metaData\"");
    let mut kept: Vec<u8> = lines(bytes)
        .filter(|line| !is_form(line))
        .collect::<Vec<_>>()
        .join(&b'\n');
    kept.push(b'\n');
    kept
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
}
