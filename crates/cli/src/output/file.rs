//! A file that appears whole or not at all: written beside its place under a temporary name, then renamed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::OutputError;

/// A file not yet under its name. Dropped unpublished, it is deleted.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    published: bool,
}

impl NewFile {
    /// Makes the temporary file in the same folder, so that the rename stays on one file system.
    pub(super) fn create(path: &Path) -> Result<Self, OutputError> {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or(path.as_os_str()));
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(name);
        if path.is_dir() {
            return Err(failed(path)(std::io::ErrorKind::IsADirectory.into()));
        }
        let file = File::create(&temporary).map_err(failed(path))?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
            file,
            published: false,
        })
    }

    /// A handle to write through.
    pub(super) fn writer(&self) -> Result<File, OutputError> {
        self.file.try_clone().map_err(failed(&self.path))
    }

    /// Gives the file its name.
    pub(super) fn publish(mut self) -> Result<(), OutputError> {
        self.file.sync_all().map_err(failed(&self.path))?;
        fs::rename(&self.temporary, &self.path).map_err(failed(&self.path))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> OutputError {
    let path = path.to_owned();
    move |source| OutputError::File { path, source }
}
