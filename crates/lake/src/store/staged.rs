//! Files written beside the place they are meant for, then put there in one step.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path as FsPath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use object_store::PutPayload;

use super::LocalFault;

/// Between the name a file will have and the number it has until then. object_store's local store hides such names from
/// every listing and refuses to open them.
const MARK: char = '#';

/// Counts the staged files of this process, so that two writers of one file do not try the same name.
static COUNT: AtomicU64 = AtomicU64::new(1);

/// A file on its way to its place; dropped before that, it is removed.
#[derive(Debug)]
pub(super) struct StagedFile {
    file: Option<File>,
    staged: PathBuf,
    destination: PathBuf,
}

impl StagedFile {
    /// Makes the file, and its folder where that is missing.
    pub(super) fn create(destination: &FsPath) -> Result<Self, LocalFault> {
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let staged = staged_name(destination, number);
            let opened = OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&staged);
            match opened {
                Ok(file) => {
                    let destination = destination.to_owned();
                    return Ok(Self {
                        file: Some(file),
                        staged,
                        destination,
                    });
                }
                // Left there by a process that was killed, or another's that counts as we do.
                Err(source) if source.kind() == ErrorKind::AlreadyExists => {}
                Err(source) if source.kind() == ErrorKind::NotFound => {
                    let folder = destination.parent().unwrap_or(destination);
                    std::fs::create_dir_all(folder).map_err(|source| LocalFault {
                        action: "create folder",
                        path: folder.to_owned(),
                        source,
                    })?;
                }
                Err(source) => {
                    return Err(LocalFault {
                        action: "create",
                        path: destination.to_owned(),
                        source,
                    });
                }
            }
        }
    }

    /// Writes a payload at an offset.
    pub(super) fn write_at(&mut self, offset: u64, payload: &PutPayload) -> Result<(), LocalFault> {
        let written = match &mut self.file {
            Some(file) => file
                .seek(SeekFrom::Start(offset))
                .and_then(|_| payload.iter().try_for_each(|bytes| file.write_all(bytes))),
            None => Err(io::Error::other("the upload has ended")),
        };
        written.map_err(|source| self.fault("write", source))
    }

    /// Waits until the bytes are on the disk for good.
    pub(super) fn sync(&self) -> Result<(), LocalFault> {
        match &self.file {
            Some(file) => file.sync_all().map_err(|source| self.fault("sync", source)),
            None => Ok(()),
        }
    }

    /// Puts the file in its place, over what may be there; gives it open, to be synced.
    pub(super) fn replace(mut self) -> Result<File, LocalFault> {
        let file = self.take()?;
        match std::fs::rename(&self.staged, &self.destination) {
            Ok(()) => Ok(file),
            Err(source) => {
                self.file = Some(file);
                Err(self.fault("write", source))
            }
        }
    }

    /// Puts the file in its place if nothing is there: a hard link is the one step that the system makes or refuses.
    pub(super) fn create_only(mut self) -> Result<File, LocalFault> {
        let linked = std::fs::hard_link(&self.staged, &self.destination);
        let fault = linked.map_err(|source| self.fault("write", source));
        let file = self.take()?;
        // A second name left behind is hidden and harmless: it is swept later.
        let _ = std::fs::remove_file(&self.staged);
        fault.map(|()| file)
    }

    fn take(&mut self) -> Result<File, LocalFault> {
        self.file
            .take()
            .ok_or_else(|| self.fault("write", io::Error::other("the upload has ended")))
    }

    fn fault(&self, action: &'static str, source: io::Error) -> LocalFault {
        LocalFault {
            action,
            path: self.destination.clone(),
            source,
        }
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = std::fs::remove_file(&self.staged);
        }
    }
}

fn staged_name(destination: &FsPath, number: u64) -> PathBuf {
    let mut name = OsString::from(destination);
    name.push(format!("{MARK}{number}"));
    name.into()
}

/// The name that a staged file would have come to; none for any other file.
pub(super) fn destination_of(name: &str) -> Option<&str> {
    let (destination, number) = name.rsplit_once(MARK)?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !destination.is_empty()).then_some(destination)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn staged_names_are_told_from_others() {
        for (name, expected) in [
            ("a.parquet#12", Some("a.parquet")),
            ("a#1#2", Some("a#1")),
            ("a.parquet", None),
            ("a#b", None),
            ("a#", None),
            ("#1", None),
        ] {
            assert_eq!(destination_of(name), expected, "{name}");
        }
    }

    #[test]
    fn a_dropped_file_leaves_nothing_and_a_taken_place_stays() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deep/a.json");
        let mut first = StagedFile::create(&place).unwrap();
        first
            .write_at(0, &PutPayload::from_static(b"first"))
            .unwrap();
        drop(StagedFile::create(&place).unwrap());
        drop(first.create_only().unwrap());

        let mut second = StagedFile::create(&place).unwrap();
        second
            .write_at(0, &PutPayload::from_static(b"second"))
            .unwrap();
        let fault = second.create_only().unwrap_err();
        assert_eq!(fault.source.kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&place).unwrap(), b"first");
        assert_eq!(
            std::fs::read_dir(place.parent().unwrap()).unwrap().count(),
            1
        );
    }
}
