//! Which files a path means: one, those of a folder, or those that a glob matches, in the order of their names.

use std::collections::HashMap;
use std::sync::Arc;

use futures::TryStreamExt;
use sectorlake_connector::{ConnectorError, ErrorKind, MemberPattern, nearest};

use super::place::{Place, is_pattern};
use super::shelf::{Entry, Shelf};

/// Files and folders that one look may list.
const ENTRIES_MAX: usize = 1_000_000;

/// Folders in folders that `**` goes down.
const DEPTH_MAX: usize = 64;

/// Names that an error tells.
const TOLD_MAX: usize = 3;

/// The files, never none.
///
/// # Errors
/// [`ErrorKind::NotFound`] with the nearest name, [`ErrorKind::TooLarge`] for too many.
pub(crate) async fn find(shelf: &dyn Shelf, place: &Place) -> Result<Vec<Entry>, ConnectorError> {
    let mut walk = Walk {
        shelf,
        place,
        seen: HashMap::new(),
        count: 0,
    };
    let steps: Vec<&str> = place.path.split('/').collect();
    let mut files = if steps.iter().any(|step| is_pattern(step)) {
        walk.matching(&steps).await?
    } else {
        walk.plain().await?
    };
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files.dedup_by(|left, right| left.path == right.path);
    Ok(files)
}

struct Walk<'a> {
    shelf: &'a dyn Shelf,
    place: &'a Place,
    /// Folders that were listed.
    seen: HashMap<String, Arc<Vec<Entry>>>,
    count: usize,
}

impl Walk<'_> {
    /// A file, or the files of a folder.
    async fn plain(&mut self) -> Result<Vec<Entry>, ConnectorError> {
        let path = &self.place.path;
        let folder = path.trim_end_matches('/');
        if folder.len() == path.len() && !path.is_empty() {
            match self.shelf.look(path).await {
                Ok(Some(entry)) if !entry.is_folder => return Ok(vec![entry]),
                Ok(_) => {}
                Err(error) if error.kind == ErrorKind::Forbidden => {
                    // To a look some services say no and not why.
                    let listed = self.list(parent(path)).await;
                    return Err(listed.err().unwrap_or(error));
                }
                Err(error) => return Err(error),
            }
        }
        let entries = self.list(folder).await?;
        let files: Vec<Entry> = entries.iter().filter(|it| is_shown(it)).cloned().collect();
        if !files.is_empty() {
            return Ok(files);
        }
        if entries.is_empty() {
            return Err(self.missing(folder, "there is no such file").await);
        }
        let error = ConnectorError::new(ErrorKind::NotFound, "the folder holds no file");
        Err(error
            .at(self.place.address(path))
            .with_help("a glob such as `folder/**/*.csv` looks into the folders in it too"))
    }

    async fn matching(&mut self, steps: &[&str]) -> Result<Vec<Entry>, ConnectorError> {
        let fixed = steps.iter().take_while(|step| !is_pattern(step)).count();
        let top = steps[..fixed].join("/");
        let steps = &steps[fixed..];
        let mut found = Vec::new();
        let mut open = vec![(top.clone(), 0, 0)];
        while let Some((folder, at, depth)) = open.pop() {
            let (step, is_last) = (steps[at], at + 1 == steps.len());
            if !is_pattern(step) && !is_last {
                open.push((join(&folder, step), at + 1, depth));
                continue;
            }
            let is_deep = step == "**";
            if is_deep && !is_last {
                open.push((folder.clone(), at + 1, depth));
            }
            // `folder/**` means every file below it; so does a slash at the end.
            let step = if is_deep || step.is_empty() {
                "*"
            } else {
                step
            };
            let pattern = MemberPattern::new(step)?;
            for entry in self.list(&folder).await?.iter() {
                let matches = pattern.matches(entry.name());
                if entry.is_folder && matches && is_deep && depth < DEPTH_MAX {
                    open.push((entry.path.clone(), at, depth + 1));
                } else if entry.is_folder && matches && !is_last && !is_deep {
                    open.push((entry.path.clone(), at + 1, depth));
                } else if !entry.is_folder && matches && is_last {
                    found.push(entry.clone());
                }
            }
        }
        if found.is_empty() {
            return Err(self.no_match(&top, steps).await);
        }
        Ok(found)
    }

    async fn list(&mut self, folder: &str) -> Result<Arc<Vec<Entry>>, ConnectorError> {
        let folder = folder.trim_end_matches('/');
        if let Some(known) = self.seen.get(folder) {
            return Ok(Arc::clone(known));
        }
        let mut listing = self.shelf.list(folder).await?;
        let mut entries = Vec::new();
        while let Some(entry) = listing.try_next().await? {
            self.count += 1;
            if self.count > ENTRIES_MAX {
                let message = format!("more than {ENTRIES_MAX} files and folders to look through");
                return Err(ConnectorError::new(ErrorKind::TooLarge, message)
                    .at(self.place.address(folder))
                    .with_help(
                        "name a folder nearer to the files, such as …/2026/*.csv instead of …/**/*.csv",
                    ));
            }
            entries.push(entry);
        }
        let entries = Arc::new(entries);
        self.seen.insert(folder.to_owned(), Arc::clone(&entries));
        Ok(entries)
    }

    async fn no_match(&mut self, top: &str, steps: &[&str]) -> ConnectorError {
        let entries = self.list(top).await.unwrap_or_default();
        if entries.is_empty() && !top.is_empty() {
            return self.missing(top, "no file matches").await;
        }
        let error = ConnectorError::new(ErrorKind::NotFound, "no file matches")
            .at(self.place.address(&self.place.path));
        let wanted = steps.last().copied().unwrap_or_default();
        let names: Vec<&str> = entries.iter().map(Entry::name).collect();
        if let Some(near) = nearest(wanted, names.iter().copied()) {
            return error.with_help(format!("the nearest there is {near}"));
        }
        let told = names.iter().take(TOLD_MAX).copied();
        let told: Vec<&str> = told.collect();
        match (told.is_empty(), names.len() > TOLD_MAX) {
            (true, _) => error.with_help("there is no file at all"),
            (false, true) => error.with_help(format!("there are {} and others", told.join(", "))),
            (false, false) => error.with_help(format!(
                "there is only {}; `**/` looks into the folders too",
                told.join(", ")
            )),
        }
    }

    /// The first step of the path that is not there, and the nearest name beside it.
    async fn missing(&mut self, path: &str, message: &str) -> ConnectorError {
        let error = ConnectorError::new(ErrorKind::NotFound, message)
            .at(self.place.address(&self.place.path));
        let mut step = path;
        loop {
            let folder = parent(step);
            let entries = match self.list(folder).await {
                Ok(entries) => entries,
                // A bucket that is not there, a key that is wrong: this is what there is to mend.
                Err(told) if told.kind != ErrorKind::NotFound || folder.is_empty() => return told,
                Err(_) => Arc::default(),
            };
            if entries.is_empty() && !folder.is_empty() {
                step = folder;
                continue;
            }
            let name = step.rsplit('/').next().unwrap_or(step);
            let near = nearest(name, entries.iter().map(Entry::name));
            return match near {
                Some(near) => {
                    let near = self.place.address(&join(folder, near));
                    error.with_help(format!("did you mean {near}?"))
                }
                None => error.with_help(format!(
                    "there is no {name:?} in {}",
                    self.place.address(folder)
                )),
            };
        }
    }
}

fn is_shown(entry: &Entry) -> bool {
    !entry.is_folder && !entry.name().starts_with('.')
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}
