//! `sectorlake schema diff`.

mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sectorlake_contract::{Contract, ContractError, Contracts, TableName, compare};
use sectorlake_pipeline::Project;

use self::report::{Report, TableReport};
use crate::answer::say;
use crate::args::SchemaDiffArgs;
use crate::context::Context;
use crate::exit::{Exit, Failure, Snippet};
use crate::registry;
use crate::suggest::nearest;

/// What stands before the name of a table to mean the contract that comes with the program.
const BUILTIN: &str = "builtin:";
/// The folder of a project's contracts.
const SCHEMAS: &str = "schemas";

/// Tells the changes between two contracts, or between all contracts of two folders.
///
/// # Errors
/// One of the two is not there or is no contract, or stdout cannot be written.
pub(crate) fn run(context: &Context, args: &SchemaDiffArgs) -> Result<Exit, Failure> {
    let is_folder = |text: &str| Path::new(text).is_dir();
    let report = match (is_folder(&args.old), is_folder(&args.new)) {
        (true, true) => folders(Path::new(&args.old), Path::new(&args.new))?,
        (false, false) => single(context, &args.old, &args.new)?,
        (old_is, _) => {
            let (folder, other) = match old_is {
                true => (&args.old, &args.new),
                false => (&args.new, &args.old),
            };
            let message = format!("{folder} is a folder, {other} is not");
            return Err(Failure::new(Exit::Usage, message)
                .help("compare two folders, or two contracts: files or schema.table"));
        }
    };
    let text = match context.global.json {
        true => format!("{:#}\n", report.to_json()),
        false => report.to_text(),
    };
    say(&text)?;
    Ok(match report.is_refused() {
        true => Exit::Breaking,
        false => Exit::Ok,
    })
}

/// Two contracts, each a file or a table's name.
fn single(context: &Context, old: &str, new: &str) -> Result<Report, Failure> {
    // Both get one name, so that keys into the own table stay what they are wherever the files lie.
    let name = named(new)
        .or_else(|| named(old))
        .or_else(|| table_of(Path::new(new)))
        .or_else(|| table_of(Path::new(old)));
    let name = name
        .map(Ok)
        .unwrap_or_else(|| TableName::new("old", "new"))
        .map_err(|error| Failure::from_error(Exit::Internal, &error))?;
    let old = contract(context, old, &name)?;
    let new = contract(context, new, &name)?;
    let table = TableReport::of(&name, compare(&old, &new), &old, &new);
    Ok(Report::new(vec![table], 1))
}

/// The table that an argument names, if it is no file.
fn named(argument: &str) -> Option<TableName> {
    let name = argument.strip_prefix(BUILTIN).unwrap_or(argument);
    (!is_file(argument)).then(|| name.parse().ok()).flatten()
}

/// The table of a file `<schema>/<table>.json`.
fn table_of(path: &Path) -> Option<TableName> {
    let schema = path.parent()?.file_name()?.to_str()?;
    TableName::new(schema, path.file_stem()?.to_str()?).ok()
}

fn is_file(argument: &str) -> bool {
    let path = Path::new(argument);
    path.is_file() || path.extension().is_some_and(|ending| ending == "json")
}

fn contract(context: &Context, argument: &str, name: &TableName) -> Result<Arc<Contract>, Failure> {
    if is_file(argument) {
        let path = Path::new(argument);
        return read(path, name).map(Arc::new);
    }
    let (contracts, table) = match argument.strip_prefix(BUILTIN) {
        Some(table) => (Contracts::builtin(), table),
        None => match Project::find(context.global.project.as_deref()) {
            // Faults of other files are for `validate` to tell.
            Ok(root) => {
                let (project, _) = Project::load(&root, &registry::all());
                (project.contracts().clone(), argument)
            }
            Err(_) => (Contracts::builtin(), argument),
        },
    };
    let found = table.parse().ok().and_then(|name| contracts.get(&name));
    found
        .map(|contract| Arc::new(Contract::clone(contract)))
        .ok_or_else(|| {
            let names: Vec<String> = contracts.iter().map(|it| it.name.to_string()).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let message = format!("there is neither a file nor a contract {argument}");
            let help = match nearest(table, &names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a file, a folder, schema.table, or builtin:schema.table".to_owned(),
            };
            Failure::new(Exit::Usage, message).help(help)
        })
}

/// All contracts of two folders, by table.
fn folders(old: &Path, new: &Path) -> Result<Report, Failure> {
    let (before, after) = (tables(old)?, tables(new)?);
    let names: BTreeSet<&TableName> = before.keys().chain(after.keys()).collect();
    let count = names.len();
    let reports = names
        .into_iter()
        .filter_map(|name| match (before.get(name), after.get(name)) {
            (Some(old), Some(new)) => {
                let comparison = compare(old, new);
                (!comparison.changes.is_empty())
                    .then(|| TableReport::of(name, comparison, old, new))
            }
            (Some(old), None) => Some(TableReport::gone(name, old)),
            (None, new) => new.map(|new| TableReport::added(name, new)),
        });
    Ok(Report::new(reports.collect(), count))
}

/// The contracts under a folder, which may be a project or its schemas/.
fn tables(folder: &Path) -> Result<BTreeMap<TableName, Contract>, Failure> {
    let inner = folder.join(SCHEMAS);
    let root = if inner.is_dir() {
        inner.as_path()
    } else {
        folder
    };
    let mut found = BTreeMap::new();
    for schema in entries(root)?.iter().filter(|path| path.is_dir()) {
        for path in entries(schema)? {
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let Some(name) = table_of(&path) else {
                let message = format!("{} names no table", path.display());
                return Err(Failure::new(Exit::Usage, message)
                    .help("a contract is a file <schema>/<table>.json, in letters, digits and _"));
            };
            let contract = read(&path, &name)?;
            found.insert(name, contract);
        }
    }
    if found.is_empty() {
        let message = format!("there are no contracts under {}", folder.display());
        return Err(Failure::new(Exit::Usage, message)
            .help("name a project, or a folder of <schema>/<table>.json"));
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("cannot read {}: {error}", folder.display());
        Failure::new(Exit::Usage, message)
    };
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path, name: &TableName) -> Result<Contract, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read {}: {error}", path.display());
        Failure::new(Exit::Usage, message)
    })?;
    Contract::parse(name.clone(), &text).map_err(|error| fault(&error, path, &text))
}

fn fault(error: &ContractError, path: &Path, text: &str) -> Failure {
    let file = path.display().to_string();
    let place = error.line().zip(error.column());
    let snippet = place.and_then(|(line, column)| Snippet::at(&file, text, line, column));
    let message = match error.path() {
        "" => error.fault().to_string(),
        property => format!("{property}: {}", error.fault()),
    };
    Failure::new(Exit::Usage, message)
        .maybe_help(error.help())
        .snippet(snippet)
}

#[cfg(test)]
mod tests;
