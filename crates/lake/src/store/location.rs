//! From what a user calls a place to the store it means.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use object_store::memory::InMemory;
use url::Url;

use super::{DurableStore, LakeStore, LocalFault};
use crate::error::LakeError;

/// Kinds of URLs that object stores go by; none is compiled in.
const REMOTE_SCHEMES: [&str; 10] = [
    "s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "http", "https",
];

/// Where a lake lies.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Folder(PathBuf),
    Memory,
}

/// The store at `location` and its name for messages, for someone who expects a lake there.
///
/// # Errors
/// [`LakeError::Missing`] where there is no such folder.
pub(crate) fn open(location: &str) -> Result<(String, LakeStore), LakeError> {
    match place(location)? {
        Place::Memory => Ok(memory(location)),
        Place::Folder(folder) if !folder.exists() => Err(LakeError::Missing {
            location: folder.display().to_string(),
        }),
        Place::Folder(folder) => local(location, &folder),
    }
}

/// The same for someone who would make one: a folder that is not there is made, durably.
pub(crate) async fn create(location: &str) -> Result<(String, LakeStore), LakeError> {
    match place(location)? {
        Place::Memory => Ok(memory(location)),
        Place::Folder(folder) => {
            let made = folder.clone();
            let making = tokio::task::spawn_blocking(move || super::flush::create_folder(&made));
            match making.await {
                Ok(Ok(())) => local(location, &folder),
                Ok(Err(fault)) => Err(folder_fault("create folder", &folder, fault)),
                Err(_) => Err(LakeError::Cancelled {
                    action: "create folder",
                    path: folder.display().to_string(),
                }),
            }
        }
    }
}

fn place(location: &str) -> Result<Place, LakeError> {
    let wrong = |reason: &str| LakeError::Location {
        location: masked(location),
        reason: reason.to_owned(),
    };
    if location.is_empty() {
        return Err(wrong("it is empty"));
    }
    // Only what has `://` is a URL: `C:\lake` and `a:b` are folders.
    if !location.contains("://") {
        return std::path::absolute(location)
            .map(Place::Folder)
            .map_err(|error| wrong(&error.to_string()));
    }
    let url = Url::parse(location).map_err(|error| wrong(&error.to_string()))?;
    match url.scheme() {
        "file" => url
            .to_file_path()
            .map(Place::Folder)
            .map_err(|()| wrong("a file URL takes an absolute path, as in file:///data/lake")),
        "memory" => Ok(Place::Memory),
        scheme if REMOTE_SCHEMES.contains(&scheme) => Err(LakeError::NotCompiledIn {
            location: masked(location),
            scheme: scheme.to_owned(),
        }),
        scheme => Err(wrong(&format!("{scheme}:// is no kind of storage"))),
    }
}

/// A location without user, password and query, where it is a URL: those may hold secrets.
fn masked(location: &str) -> String {
    let Some((scheme, rest)) = location.split_once("://") else {
        return location.to_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    // The last `@` before the path ends what names the user.
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

fn memory(location: &str) -> (String, LakeStore) {
    (
        location.to_owned(),
        LakeStore::of(Arc::new(InMemory::new())),
    )
}

fn local(location: &str, folder: &FsPath) -> Result<(String, LakeStore), LakeError> {
    if !folder.is_dir() {
        return Err(LakeError::Location {
            location: location.to_owned(),
            reason: "it is a file, not a folder".to_owned(),
        });
    }
    let store = DurableStore::new(folder)
        .map_err(|error| LakeError::store("open", &object_store::path::Path::default(), error))?;
    Ok((folder.display().to_string(), LakeStore::local_folder(store)))
}

fn folder_fault(action: &'static str, folder: &FsPath, fault: LocalFault) -> LakeError {
    let path = folder.display().to_string();
    match LakeError::refused(action, &path, &fault) {
        Some(refused) => refused,
        None => LakeError::Location {
            location: path,
            reason: fault.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn places_by_their_names() {
        for (location, expected) in [
            ("/data/lake", Place::Folder("/data/lake".into())),
            (
                "file:///data/my%20lake",
                Place::Folder("/data/my lake".into()),
            ),
            ("memory://", Place::Memory),
        ] {
            assert_eq!(place(location).unwrap(), expected, "{location}");
        }
        assert!(matches!(place("lake").unwrap(), Place::Folder(path) if path.is_absolute()));
    }

    #[test]
    fn what_is_no_place_is_told() {
        let told: Vec<String> = [
            "",
            "s3://key:secret@bucket/lake?token=secret",
            "ftp://user:secret@host/lake",
            "file://host/lake",
            "http://user:secret@[/lake",
        ]
        .into_iter()
        .map(|location| {
            let error = place(location).unwrap_err();
            format!("{error}\n  help: {}", error.help().unwrap())
        })
        .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
