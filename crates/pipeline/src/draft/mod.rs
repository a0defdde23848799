//! A pipeline drafted from a look at its source: format, table and mapping, and what is not certain in comments.
//!
//! What is written passes validation and, where a column is found for every required field, runs. Nothing is overwritten.

mod aliases;
mod choose;
mod columns;
mod contract;
mod digits;
mod error;
mod field_names;
mod fill;
mod header;
mod hints;
mod indicators;
mod look;
mod mapping;
mod measured;
mod paged;
mod personal;
mod private;
mod records;
mod refine;
mod score;
mod secrets;
mod text;
mod totals;
mod wide;
mod write;

use std::path::{Path, PathBuf};

use sectorlake_connector::catalogue::refusal;
use sectorlake_connector::{Environment, Io, Registry, Sight};

pub use error::DraftError;
pub(crate) use personal::{gives_away, is_personal};

use crate::file::PipelineFile;
use crate::names::folded;
use crate::pipeline::Pipeline;
use crate::project::Project;
use crate::yaml;
use look::look;

/// What a draft is asked for.
pub struct DraftRequest<'a> {
    /// The project that it is for.
    pub project: &'a Project,
    /// The connectors.
    pub registry: &'a Registry,
    /// The polite client, and when this is.
    pub io: Io,
    /// Environment variables, for secrets.
    pub environment: Environment,
    /// The folder that relative paths start from.
    pub here: &'a Path,
    /// A URL, a file, a folder or a glob.
    pub location: &'a str,
    /// The pipeline's name; left out: after the file.
    pub name: Option<&'a str>,
    /// The table; left out: the one that fits best.
    pub table: Option<&'a str>,
    /// The format, as `format:` of a pipeline's file has it; left out: guessed.
    pub format: Option<&'a str>,
    /// The folder under `pipelines/`; left out: the table's schema.
    pub sector: Option<&'a str>,
    /// What a catalogue says of it.
    pub told: Told<'a>,
}

/// What a catalogue says of a source, for the pipeline's file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told<'a> {
    /// Its title; left out: after the file.
    pub title: Option<&'a str>,
    /// Its licence: a name, or an address.
    pub licence: Option<&'a str>,
    /// The host of the catalogue, which somebody has typed, while the source's address is the catalogue's word: no other host of a
    /// private network is reached. Left out: the source's address was typed itself.
    pub host: Option<&'a str>,
}

/// A drafted pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The pipeline's name.
    pub name: String,
    /// The files to write, relative to the project, with their text.
    pub files: Vec<(PathBuf, String)>,
    /// What was decided, and why, a sentence each.
    pub decisions: Vec<String>,
    /// What its author has to look at.
    pub questions: Vec<String>,
}

/// Looks at a source and drafts its pipeline. Writes nothing.
///
/// # Errors
/// [`DraftError`] when the source cannot be read, or the names are taken.
pub async fn draft(request: &DraftRequest<'_>) -> Result<Draft, DraftError> {
    if request.told.host.is_some()
        && let Some(reason) = refusal(request.location)
    {
        let location = request.location.to_owned();
        return Err(DraftError::Untrusted { location, reason });
    }
    let location = location(request);
    let name = match request.name {
        Some(name) => name.to_owned(),
        None => name_of(&location),
    };
    check_name("the pipeline's name", &name)?;
    if let Some(sector) = request.sector {
        check_name("the sector", sector)?;
    }
    if request.project.names().contains(&name) {
        return Err(DraftError::Taken { name });
    }
    let looked = look(request, &location, &name).await?;
    let drafted = write::draft(request, &name, &looked)?;
    for (path, _) in &drafted.files {
        if request.project.root().join(path).exists() {
            return Err(DraftError::Exists { path: path.clone() });
        }
    }
    Ok(drafted)
}

impl Draft {
    /// The pipeline of `project`, in the same folder, that reads the very same source, whatever is said of its format.
    #[must_use]
    pub fn twin(&self, project: &Project) -> Option<PathBuf> {
        let (path, text) = self.files.first()?;
        let (file, _) = yaml::read::<PipelineFile>(path, text).ok()?;
        let place = |file: &PipelineFile| {
            let mut source = file.source.clone();
            source.retain(|key, _| !matches!(key.as_str(), "format" | "records"));
            source
        };
        let wanted = place(&file);
        let is_twin =
            |it: &&Pipeline| it.path.parent() == path.parent() && place(&it.file) == wanted;
        project
            .pipelines()
            .find(is_twin)
            .map(|twin| twin.path.clone())
    }

    /// Writes the files into a project; none of them may be there.
    ///
    /// # Errors
    /// Where one is there, or cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), DraftError> {
        for (path, text) in &self.files {
            let whole = root.join(path);
            let failed = |source: std::io::Error| match source.kind() {
                std::io::ErrorKind::AlreadyExists => DraftError::Exists { path: path.clone() },
                _ => DraftError::File {
                    action: "write",
                    path: path.clone(),
                    source,
                },
            };
            if let Some(folder) = whole.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            let mut file = std::fs::File::create_new(&whole).map_err(failed)?;
            std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
        }
        Ok(())
    }
}

/// The location as the pipeline's file names it: a path in the project is relative to it.
fn location(request: &DraftRequest<'_>) -> String {
    if request.location.contains("://") {
        return request.location.to_owned();
    }
    let path = request.here.join(request.location);
    let plain = |path: &Path| -> PathBuf {
        // A glob cannot be looked up; its folder, and `.` and `..` in it, can be written plainly.
        let mut plain = PathBuf::new();
        for step in path.components() {
            match step {
                std::path::Component::ParentDir => {
                    plain.pop();
                }
                std::path::Component::CurDir => {}
                other => plain.push(other),
            }
        }
        plain
    };
    let root = request.project.root();
    let root = plain(&root.canonicalize().unwrap_or_else(|_| root.to_owned()));
    let path = plain(&path.canonicalize().unwrap_or(path));
    let path = path.strip_prefix(&root).map(Path::to_owned).unwrap_or(path);
    path.to_string_lossy().into_owned()
}

/// What the address alone tells.
fn alone(location: &str) -> Sight<'_> {
    Sight {
        location,
        members: &[],
        head: &[],
    }
}

/// A pipeline's name from what it reads.
fn name_of(location: &str) -> String {
    let bare = location.split(['?', '#']).next().unwrap_or(location);
    let bare = bare.trim_end_matches('/');
    let file = bare.rsplit(['/', '\\']).next().unwrap_or(bare);
    let stem = file.split('.').next().unwrap_or(file);
    pipeline_name(stem).unwrap_or_else(|| "source".to_owned())
}

/// A pipeline's name out of a title: small letters, digits and hyphens, at most 60; `None` where nothing is left of it.
#[must_use]
pub fn pipeline_name(title: &str) -> Option<String> {
    const LETTERS_MAX: usize = 60;
    let mut name = String::new();
    for word in folded(title)
        .split(' ')
        .filter(|word| !word.is_empty() && word.is_ascii())
    {
        let hyphen = usize::from(!name.is_empty());
        if !name.is_empty() && name.len() + hyphen + word.len() > LETTERS_MAX {
            break;
        }
        if hyphen > 0 {
            name.push('-');
        }
        name.push_str(word);
    }
    name.truncate(LETTERS_MAX);
    (!name.is_empty()).then_some(name)
}

fn check_name(what: &'static str, name: &str) -> Result<(), DraftError> {
    let fits = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '_')
    };
    let reason = if name.is_empty() {
        "it is empty"
    } else if !name.chars().all(fits) {
        "it holds other letters"
    } else {
        return Ok(());
    };
    Err(DraftError::Name {
        what,
        name: name.to_owned(),
        reason: reason.to_owned(),
    })
}
