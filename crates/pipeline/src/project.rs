//! A project: a folder with `pipelines/` and `schemas/`, read and checked as far as files alone allow.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sectorlake_connector::{Contact, Http, Registry};
use sectorlake_contract::{ContractError, Contracts, TableName};

use crate::file::PipelineFile;
use crate::memory::{SETTINGS, contact, memory_bytes_max};
use crate::pipeline::Pipeline;
use crate::problem::{Problem, did_you_mean};
use crate::run::place_lookup;

/// Folders below another that are searched, at most: a link that leads back must not be followed for ever.
const DEPTH_MAX: usize = 16;
/// The pipelines' folder.
const PIPELINES: &str = "pipelines";
/// The contracts' folder.
const SCHEMAS: &str = "schemas";
/// Marts lie beside the pipelines, and are none.
const MODELS: &str = "models";

/// A project that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectError {
    /// The folder that was named is none.
    #[error("{} is not a project: it has no folder pipelines/", .0.display())]
    NotAProject(PathBuf),
    /// Neither this folder nor one above it is a project.
    #[error("there is no project in {} or above it", .0.display())]
    NotFound(PathBuf),
    /// The folder cannot be read.
    #[error("{}: {reason}", dir.display())]
    Unreadable {
        /// The folder.
        dir: PathBuf,
        /// Why.
        reason: String,
    },
}

impl ProjectError {
    /// The mend.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotAProject(_) => Some("name a folder with pipelines/ and schemas/, or make one with `sectorlake init DIR`".to_owned()),
            Self::NotFound(_) => {
                Some("go into a project's folder, name it with --project DIR, or make one with `sectorlake init DIR`".to_owned())
            }
            Self::Unreadable { .. } => None,
        }
    }
}

/// A project's files, read.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
    contracts: Contracts,
    pipelines: BTreeMap<String, Pipeline>,
    broken: BTreeMap<String, Broken>,
    memory_bytes_max: u64,
    contact: Option<Contact>,
}

/// A pipeline that cannot run.
#[derive(Debug, Clone)]
struct Broken {
    /// The first reason.
    problem: Problem,
    /// Whether its source is polled, as far as one knows.
    may_be_polled: bool,
}

impl Project {
    /// The project's folder: `dir` if it is given, else the working folder or the nearest parent that is a project.
    ///
    /// # Errors
    /// [`ProjectError`] when there is none.
    pub fn find(dir: Option<&Path>) -> Result<PathBuf, ProjectError> {
        if let Some(dir) = dir {
            return if dir.join(PIPELINES).is_dir() {
                Ok(dir.to_owned())
            } else {
                Err(ProjectError::NotAProject(dir.to_owned()))
            };
        }
        let here = std::env::current_dir().map_err(|error| ProjectError::Unreadable {
            dir: PathBuf::from("."),
            reason: error.to_string(),
        })?;
        let found = here
            .ancestors()
            .find(|dir| dir.join(PIPELINES).is_dir() && dir.join(SCHEMAS).is_dir());
        // Contracts may all be built in, so a folder of pipelines alone will do, once no whole project is found.
        found
            .or_else(|| here.ancestors().find(|dir| dir.join(PIPELINES).is_dir()))
            .map(Path::to_owned)
            .ok_or(ProjectError::NotFound(here.clone()))
    }

    /// Reads all files of the project. A file with a problem keeps its own pipeline from running, never another.
    #[must_use]
    pub fn load(root: &Path, registry: &Registry) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let (contracts, faulty) = load_contracts(root, &mut problems);
        let memory_bytes_max = memory_bytes_max(root).unwrap_or_else(|problem| {
            problems.push(problem);
            512 << 20
        });
        let contact = contact(root).unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        let mut project = Self {
            root: root.to_owned(),
            contracts,
            pipelines: BTreeMap::new(),
            broken: BTreeMap::new(),
            memory_bytes_max,
            contact,
        };
        let files = files_under(root, Path::new(PIPELINES), &["yaml", "yml"], &mut problems);
        let mut by_name: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for file in files.into_iter().filter(|file| !is_no_pipeline(file)) {
            let name = file
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            by_name.entry(name).or_default().push(file);
        }
        for (name, files) in by_name {
            if let [first, others @ ..] = files.as_slice()
                && let Err((found, may_be_polled)) =
                    project.load_pipeline(&name, (first, others), registry, &faulty)
            {
                let problem = found[0].clone();
                let broken = Broken {
                    problem,
                    may_be_polled,
                };
                project.broken.insert(name, broken);
                problems.extend(found);
            }
        }
        problems.extend(project.unknown_predecessors());
        (project, problems)
    }

    /// What is wrong with it, and whether its source may be polled: what cannot be read may say anything.
    fn load_pipeline(
        &mut self,
        name: &str,
        (file, others): (&Path, &[PathBuf]),
        registry: &Registry,
        faulty: &BTreeMap<TableName, Problem>,
    ) -> Result<(), (Vec<Problem>, bool)> {
        if let Some(other) = others.first() {
            let message = format!(
                "two pipelines are called `{name}`: {} and {}",
                file.display(),
                other.display()
            );
            let problem = Problem::new(other, (0, 0), message)
                .help("rename one of the files: the name is the file's, without .yaml");
            return Err((vec![problem], true));
        }
        let pipeline =
            Pipeline::read(&self.root, name, file).map_err(|problems| (problems, true))?;
        let problems = pipeline.check(&self.contracts, registry).into_iter();
        let mut problems: Vec<Problem> = problems.map(|it| behind(it, faulty)).collect();
        // The built-in contract of the same name takes no wrong one's place.
        let tables = pipeline.file.tables.iter().flat_map(BTreeMap::keys);
        let faults = tables.filter_map(|table| faulty.get(&table.parse().ok()?));
        for fault in faults {
            if !problems.contains(fault) {
                problems.push(fault.clone());
            }
        }
        if !problems.is_empty() {
            let schedule = pipeline.file.schedule.as_ref();
            let may_be_polled = schedule.is_some_and(|schedule| schedule.every.is_some());
            return Err((problems, may_be_polled));
        }
        self.pipelines.insert(name.to_owned(), pipeline);
        Ok(())
    }

    fn unknown_predecessors(&self) -> Vec<Problem> {
        let names = self.names();
        let mut problems = Vec::new();
        for pipeline in self.pipelines.values() {
            for (index, name) in pipeline
                .file
                .after
                .iter()
                .enumerate()
                .filter(|(_, name)| !names.contains(name))
            {
                let at = pipeline.places.value(&["after", &index.to_string()]);
                problems.push(
                    Problem::new(&pipeline.path, at, format!("there is no pipeline `{name}`"))
                        .maybe_help(did_you_mean(name, names.iter().map(String::as_str))),
                );
            }
        }
        problems
    }

    /// The project's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The contracts: those that come with the program, and the project's own in place of them.
    #[must_use]
    pub fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// The names of all pipelines, those with problems among them, in the order in which they run: after those that they
    /// name in `after` and those that feed the places their mappings look up, else by name.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut all: Vec<&String> = self.pipelines.keys().chain(self.broken.keys()).collect();
        all.sort();
        let mut ordered: Vec<String> = Vec::with_capacity(all.len());
        while ordered.len() < all.len() {
            let ready = all
                .iter()
                .find(|name| !ordered.contains(name) && self.predecessors_done(name, &ordered));
            // Pipelines that wait for each other run by name.
            let next = ready.or_else(|| all.iter().find(|name| !ordered.contains(name)));
            ordered.extend(next.map(|name| (*name).clone()));
        }
        ordered
    }

    fn predecessors_done(&self, name: &str, done: &[String]) -> bool {
        let known =
            |name: &String| self.pipelines.contains_key(name) || self.broken.contains_key(name);
        self.pipelines.get(name).is_none_or(|pipeline| {
            let mut before = pipeline.file.after.iter().chain(self.place_feeds(pipeline));
            before.all(|before| done.contains(before) || !known(before))
        })
    }

    /// The pipelines that feed the places that this one looks up. One that feeds places too waits only for those that look none up.
    fn place_feeds<'a>(&'a self, pipeline: &'a Pipeline) -> impl Iterator<Item = &'a String> {
        let looks_up = place_lookup::looks_up(pipeline);
        let feeds = place_lookup::feeds(pipeline);
        let others = self.pipelines.values().filter(move |other| {
            looks_up
                && other.name != pipeline.name
                && place_lookup::feeds(other)
                && !(feeds && place_lookup::looks_up(other))
        });
        others.map(|other| &other.name)
    }

    /// A pipeline's file, as it is written; none where it cannot be read or there is none of that name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&PipelineFile> {
        self.pipelines.get(name).map(|pipeline| &pipeline.file)
    }

    /// Pipelines whose sources are polled, and how often.
    #[must_use]
    pub fn continuous(&self) -> Vec<(String, Duration)> {
        let pipelines = self.pipelines.iter();
        pipelines
            .filter_map(|(name, pipeline)| {
                let schedule = pipeline.file.schedule.as_ref()?;
                Some((name.clone(), schedule.interval()?))
            })
            .collect()
    }

    /// Pipelines that cannot run though their sources would be polled, or may: nobody knows of a file that cannot be read.
    #[must_use]
    pub fn lost_continuous(&self) -> Vec<String> {
        let broken = self.broken.iter();
        broken
            .filter(|(_, broken)| broken.may_be_polled)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// What keeps the pipeline of that name from running, if anything does.
    #[must_use]
    pub fn fault(&self, name: &str) -> Option<&Problem> {
        self.broken.get(name).map(|broken| &broken.problem)
    }

    /// The bytes that one process may hold.
    #[must_use]
    pub fn memory_bytes_max(&self) -> u64 {
        self.memory_bytes_max
    }

    /// The client, which tells sources whom in this project to write to.
    #[must_use]
    pub fn introduced(&self, http: Http) -> Http {
        match &self.contact {
            Some(contact) => http.with_contact(contact),
            None => http,
        }
    }

    pub(crate) fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.pipelines.values()
    }

    /// The pipeline of that name.
    pub(crate) fn pipeline(&self, name: &str) -> Result<&Pipeline, Problem> {
        if let Some(problem) = self.fault(name) {
            return Err(problem.clone());
        }
        self.pipelines.get(name).ok_or_else(|| {
            let names = self.names();
            let help = did_you_mean(name, names.iter().map(String::as_str));
            let help = help.unwrap_or_else(|| match names.is_empty() {
                true => "the project has no pipelines yet".to_owned(),
                false => format!("pipelines are: {}", names.join(", ")),
            });
            Problem::new(PIPELINES, (0, 0), format!("there is no pipeline `{name}`")).help(help)
        })
    }
}

/// Where a contract is missed that stands there but is wrong, what is wrong with it.
fn behind(problem: Problem, faulty: &BTreeMap<TableName, Problem>) -> Problem {
    let table = problem
        .message
        .strip_prefix("there is no contract for table `")
        .and_then(|rest| rest.strip_suffix('`'));
    let cause = table.and_then(|table| faulty.get(&table.parse().ok()?));
    cause.cloned().unwrap_or(problem)
}

fn is_no_pipeline(file: &Path) -> bool {
    file == Path::new(SETTINGS) || file.starts_with(Path::new(PIPELINES).join(MODELS))
}

/// The contracts, and of each own one that cannot be read the first reason.
fn load_contracts(
    root: &Path,
    problems: &mut Vec<Problem>,
) -> (Contracts, BTreeMap<TableName, Problem>) {
    let mut texts = Vec::new();
    for file in files_under(root, Path::new(SCHEMAS), &["json"], problems) {
        let Some(name) = table_of(&file) else {
            problems.push(
                Problem::new(
                    &file,
                    (0, 0),
                    "a contract's place names its table, and this one names none",
                )
                .help("put it at schemas/<sector>/<table>.json, both lower-case words"),
            );
            continue;
        };
        match std::fs::read_to_string(root.join(&file)) {
            Ok(text) => texts.push((name, file.to_string_lossy().into_owned(), text)),
            Err(error) => problems.push(Problem::new(
                &file,
                (0, 0),
                format!("cannot be read: {error}"),
            )),
        }
    }
    let (own, errors) = Contracts::load_texts(texts);
    let contracts = Contracts::builtin().with_overrides(own);
    let mut faulty = BTreeMap::new();
    for error in &errors {
        let first = faulty.entry(error.table().clone());
        first.or_insert_with(|| of_contract(error));
    }
    let errors = errors.into_iter().chain(contracts.check_references());
    problems.extend(errors.map(|error| of_contract(&error)));
    (contracts, faulty)
}

fn of_contract(error: &ContractError) -> Problem {
    let file = error
        .file()
        .map_or_else(|| format!("contract {}", error.table()), str::to_owned);
    let place = (
        error.line().unwrap_or_default(),
        error.column().unwrap_or_default(),
    );
    let path = error.path();
    let message = if path.is_empty() {
        error.fault().to_string()
    } else {
        format!("{path}: {}", error.fault())
    };
    Problem::new(file, place, message).maybe_help(error.help())
}

/// `schemas/<sector>/<table>.json`.
fn table_of(file: &Path) -> Option<TableName> {
    let mut steps = file
        .components()
        .map(|step| step.as_os_str().to_string_lossy());
    let (_, sector, last) = (steps.next()?, steps.next()?, steps.next()?);
    let table = last.strip_suffix(".json")?.to_owned();
    steps
        .next()
        .is_none()
        .then(|| TableName::new(sector, table).ok())
        .flatten()
}

/// Files with one of the endings, relative to `root`, sorted.
fn files_under(
    root: &Path,
    folder: &Path,
    endings: &[&str],
    problems: &mut Vec<Problem>,
) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match std::fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && depth == 0 => continue,
            Err(error) => {
                problems.push(Problem::new(
                    &folder,
                    (0, 0),
                    format!("cannot be read: {error}"),
                ));
                continue;
            }
        };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            let full = root.join(&path);
            if full.is_dir() {
                if !is_hidden && depth < DEPTH_MAX {
                    folders.push((path, depth + 1));
                }
            } else if !is_hidden
                && path
                    .extension()
                    .is_some_and(|ending| endings.iter().any(|known| ending == *known))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
