//! Local files of a project: found by name, glob or folder, read in large pieces.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::poll_fn;
use glob::{MatchOptions, Pattern, glob_with};
use tokio::sync::mpsc;

use crate::error::{ConnectorError, ErrorKind};
use crate::source::{Body, PartBody};
use crate::suggest::nearest;

/// Size of one piece of a file.
const CHUNK_BYTES: usize = 4 << 20;

/// Pieces that are read ahead.
const CHUNKS_AHEAD: usize = 2;

/// What a path of a pipeline file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One file.
    File(PathBuf),
    /// The files of a folder, or those that a glob matches, sorted; never none.
    Many(Vec<PathBuf>),
}

impl Found {
    /// The files, sorted.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        match self {
            Self::File(path) => std::slice::from_ref(path),
            Self::Many(paths) => paths,
        }
    }
}

/// What `text` means: a file, a folder (its files, not those of folders in it), or a glob. Relative to `project_dir`.
///
/// # Errors
/// [`ErrorKind::NotFound`] with the nearest name, for an empty folder and for a glob without a match too.
pub async fn find(project_dir: &Path, text: &str) -> Result<Found, ConnectorError> {
    let (project_dir, text) = (project_dir.to_owned(), text.to_owned());
    blocking(move || find_now(&project_dir, &text)).await
}

/// The file as a part: its key is its path, relative to the project where it lies in it.
///
/// # Errors
/// [`ConnectorError`] when it cannot be opened; the body fails when it cannot be read on.
pub async fn open(project_dir: &Path, path: &Path) -> Result<PartBody, ConnectorError> {
    let place = shown(project_dir, path);
    let (path, at) = (path.to_owned(), place.clone());
    let (file, length) = blocking(move || {
        // Looked at before it is opened: opening a pipe waits for a writer.
        let metadata = std::fs::metadata(&path).map_err(|error| of_io(&error, &at))?;
        if metadata.is_dir() {
            return Err(is_a_folder(&at));
        }
        if !metadata.is_file() {
            // A pipe or a device may have no end.
            return Err(
                ConnectorError::new(ErrorKind::Local, "is a device or a pipe, not a file").at(&at),
            );
        }
        let file = File::open(&path).map_err(|error| of_io(&error, &at))?;
        Ok((file, Some(metadata.len())))
    })
    .await?;
    let name = place.rsplit('/').next().unwrap_or(&place).to_owned();
    Ok(PartBody {
        key: place.clone(),
        name,
        status: None,
        headers: BTreeMap::new(),
        etag: None,
        last_modified: None,
        length,
        body: read(file, place),
    })
}

/// The path as people write it: relative to the project where it lies in it, with forward slashes.
#[must_use]
pub fn shown(project_dir: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(project_dir).unwrap_or(path);
    inner.to_string_lossy().replace('\\', "/")
}

/// A file read on a thread of its own, a few pieces ahead, so that reading and hashing overlap.
fn read(mut file: File, place: String) -> Body {
    let (sender, mut receiver) = mpsc::channel(CHUNKS_AHEAD);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            let read = (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk);
            let piece = match read {
                Ok(0) => break,
                Ok(_) => Ok(Bytes::from(chunk)),
                Err(error) => Err(of_io(&error, &place)),
            };
            let failed = piece.is_err();
            // A reader that went away wants no more.
            if sender.blocking_send(piece).is_err() || failed {
                break;
            }
        }
    });
    poll_fn(move |context| receiver.poll_recv(context)).boxed()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(ConnectorError::new(
                ErrorKind::Local,
                format!("reading a folder was cut short: {error}"),
            ))
        })
}

fn find_now(project_dir: &Path, text: &str) -> Result<Found, ConnectorError> {
    let path = project_dir.join(text);
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => in_folder(project_dir, &path).map(Found::Many),
        Ok(_) => Ok(Found::File(path)),
        Err(_) if text.contains(['*', '?', '[']) => matching(project_dir, text).map(Found::Many),
        Err(error) if error.kind() == IoErrorKind::NotFound => Err(missing(project_dir, &path)),
        Err(error) => Err(of_io(&error, &shown(project_dir, &path))),
    }
}

fn in_folder(project_dir: &Path, folder: &Path) -> Result<Vec<PathBuf>, ConnectorError> {
    let place = shown(project_dir, folder);
    let entries = std::fs::read_dir(folder).map_err(|error| of_io(&error, &place))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| of_io(&error, &place))?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && path.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(
            ConnectorError::new(ErrorKind::NotFound, "the folder holds no file")
                .at(place)
                .with_help("a glob such as `folder/**/*.csv` looks into the folders in it too"),
        );
    }
    paths.sort();
    Ok(paths)
}

fn matching(project_dir: &Path, text: &str) -> Result<Vec<PathBuf>, ConnectorError> {
    let full = if Path::new(text).is_absolute() {
        text.to_owned()
    } else {
        format!("{}/{text}", Pattern::escape(&project_dir.to_string_lossy()))
    };
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let found = glob_with(&full, options).map_err(|error| {
        ConnectorError::new(ErrorKind::Invalid, format!("is no glob: {}", error.msg))
            .at(text)
            .with_help("write `*` for any text, `?` for one character, `[[]` for a bracket")
    })?;
    let mut paths = Vec::new();
    for path in found {
        let path = path.map_err(|error| of_io(error.error(), &shown(project_dir, error.path())))?;
        if path.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let mut error = ConnectorError::new(ErrorKind::NotFound, "no file matches")
            .at(text)
            .with_help("`*` stays within a folder, `**/` looks into the folders in it too");
        // The part before the first wildcard may be what is wrong.
        let fixed: PathBuf = Path::new(text)
            .iter()
            .take_while(|step| !step.to_string_lossy().contains(['*', '?', '[']))
            .collect();
        if !project_dir.join(&fixed).exists() {
            error.help = missing(project_dir, &project_dir.join(&fixed)).help;
        }
        return Err(error);
    }
    paths.sort();
    Ok(paths)
}

/// The first step of the path that is not there, and the nearest name beside it.
fn missing(project_dir: &Path, path: &Path) -> ConnectorError {
    let error = ConnectorError::new(ErrorKind::NotFound, "there is no such file")
        .at(shown(project_dir, path));
    let (mut folder, mut step) = (path.parent(), path);
    while let Some(parent) = folder
        && !parent.is_dir()
    {
        (folder, step) = (parent.parent(), parent);
    }
    let (Some(folder), Some(name)) = (folder, step.file_name()) else {
        return error;
    };
    let neighbours: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    let name = name.to_string_lossy();
    match nearest(&name, neighbours.iter().map(String::as_str)) {
        Some(near) => {
            let near = shown(project_dir, &folder.join(near));
            error.with_help(format!("did you mean {near}?"))
        }
        None if step == path => error.with_help("paths are relative to the project's folder"),
        None => {
            let step = shown(project_dir, step);
            error.with_help(format!(
                "there is no folder {step}; paths are relative to the project's folder"
            ))
        }
    }
}

fn is_a_folder(place: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Local, "is a folder, not a file")
        .at(place)
        .with_help("name a file in it")
}

fn of_io(error: &std::io::Error, place: &str) -> ConnectorError {
    match error.kind() {
        IoErrorKind::NotFound => ConnectorError::new(ErrorKind::NotFound, "there is no such file"),
        IoErrorKind::PermissionDenied => {
            ConnectorError::new(ErrorKind::Forbidden, "sectorlake may not read it")
                .with_help("give its user the right to read the file and to enter its folders")
        }
        IoErrorKind::IsADirectory => return is_a_folder(place),
        _ => ConnectorError::new(ErrorKind::Local, format!("cannot be read: {error}")),
    }
    .at(place)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use futures::TryStreamExt;

    use super::*;

    fn project() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "data/b.csv",
            "data/a.csv",
            "data/.hidden",
            "data/x[1].csv",
            "data/deep/c.csv",
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        std::fs::create_dir(dir.path().join("empty")).unwrap();
        dir
    }

    async fn say(dir: &Path, text: &str) -> String {
        match find(dir, text).await {
            Ok(found) => found
                .paths()
                .iter()
                .map(|path| shown(dir, path))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => format!("{error} / {}", error.help.as_deref().unwrap_or("-")),
        }
    }

    #[tokio::test]
    async fn files_folders_and_globs() {
        let dir = project();
        let mut said = Vec::new();
        for text in [
            "data/a.csv",
            "data/x[1].csv",
            "data",
            "data/*.csv",
            "data/**/*.csv",
            "data/c*.csv",
            "data/a.cvs",
            "dta/a.csv",
            "nowhere/a.csv",
            "empty",
            "dta/*.csv",
            "data/[",
            "qqq",
        ] {
            said.push(format!("{text}: {}", say(dir.path(), text).await));
        }
        insta::assert_snapshot!(said.join("\n"), @r#"
        data/a.csv: data/a.csv
        data/x[1].csv: data/x[1].csv
        data: data/a.csv data/b.csv data/x[1].csv
        data/*.csv: data/a.csv data/b.csv data/x[1].csv
        data/**/*.csv: data/a.csv data/b.csv data/deep/c.csv data/x[1].csv
        data/c*.csv: data/c*.csv: no file matches / `*` stays within a folder, `**/` looks into the folders in it too
        data/a.cvs: data/a.cvs: there is no such file / did you mean data/a.csv?
        dta/a.csv: dta/a.csv: there is no such file / did you mean data?
        nowhere/a.csv: nowhere/a.csv: there is no such file / there is no folder nowhere; paths are relative to the project's folder
        empty: empty: the folder holds no file / a glob such as `folder/**/*.csv` looks into the folders in it too
        dta/*.csv: dta/*.csv: no file matches / did you mean data?
        data/[: data/[: is no glob: invalid range pattern / write `*` for any text, `?` for one character, `[[]` for a bracket
        qqq: qqq: there is no such file / paths are relative to the project's folder
        "#);
    }

    #[tokio::test]
    async fn a_file_comes_in_pieces() {
        let dir = project();
        let path = dir.path().join("big.bin");
        let bytes: Vec<u8> = (0..CHUNK_BYTES * 2 + 7).map(|index| index as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let part = open(dir.path(), &path).await.unwrap();
        assert_eq!(
            (part.key.as_str(), part.name.as_str()),
            ("big.bin", "big.bin")
        );
        assert_eq!(part.length, Some(bytes.len() as u64));
        let chunks: Vec<Bytes> = part.body.try_collect().await.unwrap();
        assert_eq!(
            chunks.iter().map(Bytes::len).collect::<Vec<_>>(),
            [CHUNK_BYTES, CHUNK_BYTES, 7]
        );
        assert_eq!(chunks.concat(), bytes);
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_told() {
        let dir = project();
        let error = open(dir.path(), &dir.path().join("data"))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "data: is a folder, not a file");
        let error = open(dir.path(), Path::new("/dev/zero")).await.unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("is a device or a pipe, not a file"),
            "{error}"
        );
        let error = open(dir.path(), &dir.path().join("data/none"))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        let denied = std::io::Error::from(IoErrorKind::PermissionDenied);
        assert_eq!(
            of_io(&denied, "a.csv").to_string(),
            "a.csv: sectorlake may not read it"
        );
    }
}
