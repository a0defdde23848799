//! The folder of what holds personal fields: the lake's owner alone may enter it.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::path::Path as FsPath;

use object_store::path::Path;

use super::LocalFault;
use crate::layout;

/// Makes that folder if `location` lies in it. One that is there keeps the rights it has: its owner may have let a group in.
pub(super) fn make_folder(root: &FsPath, location: &Path) -> Result<(), LocalFault> {
    let Some(folder) = layout::restricted_folder(location) else {
        return Ok(());
    };
    let path = root.join(folder);
    match of_owner().create(&path) {
        Err(source) if source.kind() != ErrorKind::AlreadyExists => Err(LocalFault {
            action: "create folder",
            path,
            source,
        }),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn of_owner() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;

    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn of_owner() -> DirBuilder {
    DirBuilder::new()
}
