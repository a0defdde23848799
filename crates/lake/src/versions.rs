//! Major versions of one table, side by side.
//!
//! A contract whose major version was raised breaks with what is stored, so its rows go beside: version N of
//! `transport.stops` is stored as `transport.stops_vN`. The first major version that a lake sees keeps the contract's own
//! name, whatever its number; one that is older still is refused. The old table is left as it was: a pipeline that moves on leaves its old rows there, and a
//! pipeline that still has the old contract goes on to feed it.
//!
//! Whoever asks for the rows of a table, whatever their version (keys into it, the view `transport.stops_all`), is given
//! each source's rows from the newest version that holds any of it: a pipeline that moved on is not seen twice.
//!
//! A snapshot says which table is a version of which ([`Beside`]), so no name alone makes one: a table of a contract that
//! is called `stops_v2` stays what it is, and then version 2 of `stops` is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use sectorlake_contract::{Contract, PartitionBy, TableName, system};
use serde::{Deserialize, Serialize};

use crate::error::LakeError;
use crate::run::Run;
use crate::snapshot::Snapshot;
use crate::stage::Load;
use crate::stage::form::{self, Evolution};
use crate::stage::read::FileRef;
use crate::table::{DataFile, LakeTable};
use crate::work::Work;

/// That a table is a later major version of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// The table whose contract it is: that of the first major version.
    pub table: TableName,
    /// The major version.
    pub major: u64,
    /// The pipelines whose rows here go beside those they have in older versions, by key, and do not stand for all of them: they append,
    /// merge, or replace a slice.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub adding: BTreeSet<String>,
}

/// A table with all its major versions.
#[derive(Debug, Clone)]
pub(crate) struct Family {
    /// The table of the first version.
    pub(crate) table: TableName,
    /// The newest version that is stored beside it.
    pub(crate) newest: Option<u64>,
}

impl Family {
    /// The major version that comes after all that are stored, `stored` among them, and where it would be.
    pub(crate) fn next(&self, stored: u64) -> (u64, String) {
        let next = self.newest.unwrap_or_default().max(stored) + 1;
        (next, name_of(&self.table, next).to_string())
    }
}

/// The text of the name of a major version beside the first.
pub(crate) struct Versioned<'a> {
    table: &'a TableName,
    major: u64,
}

/// The name of a major version beside the first; it may be too long to be one.
pub(crate) fn name_of(table: &TableName, major: u64) -> Versioned<'_> {
    Versioned { table, major }
}

impl std::fmt::Display for Versioned<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_v{}", self.table, self.major)
    }
}

impl Snapshot {
    /// The tables that hold versions of `table`, whichever of them it is: the oldest major version first.
    #[must_use]
    pub fn versions_of(&self, table: &TableName) -> Vec<&TableName> {
        let beside = |name: &TableName| self.tables.get(name)?.beside.as_ref();
        let first = beside(table).map_or(table, |beside| &beside.table);
        let mut later: Vec<(u64, &TableName)> = self
            .tables
            .iter()
            .filter_map(|(name, version)| Some((version.beside.as_ref()?, name)))
            .filter(|(beside, _)| beside.table == *first)
            .map(|(beside, name)| (beside.major, name))
            .collect();
        later.sort_unstable();
        let first = self.tables.get_key_value(first).map(|(name, _)| name);
        first
            .into_iter()
            .chain(later.into_iter().map(|(_, name)| name))
            .collect()
    }
}

impl Run {
    /// The contract under the name that its rows are stored under: its own, or that of its major version beside another.
    ///
    /// # Errors
    /// [`LakeError::NameTaken`] where a table that is no version of this one has that name; where the table's log cannot
    /// be read.
    pub async fn place(&self, contract: &Arc<Contract>) -> Result<Arc<Contract>, LakeError> {
        self.work.place(contract).await
    }

    /// What this contract alone makes of a stored table: other metadata, a field more, wider types. It is told before any
    /// row is read; none where the table stays as it is, or is not there yet.
    ///
    /// # Errors
    /// As [`Run::place`], and [`LakeError::Breaking`] as a stage would tell.
    pub async fn evolution(
        &self,
        contract: &Arc<Contract>,
        load: Load,
        slice: Option<&PartitionBy>,
    ) -> Result<Option<Evolution>, LakeError> {
        let work = &self.work;
        let contract = work.place(contract).await?;
        let Some(version) = work.base_version(&contract.name) else {
            return Ok(None);
        };
        let base = work.open(&contract.name, version, false).await?;
        let all_goes = form::all_goes(&base, work.pipeline(), load, slice);
        form::evolution(&base, (&contract, &work.family(&contract.name)), all_goes)
    }
}

impl Work {
    pub(crate) async fn place(&self, contract: &Arc<Contract>) -> Result<Arc<Contract>, LakeError> {
        let (table, major) = (&contract.name, contract.major());
        if self.lock_beside().contains_key(table) {
            return Ok(Arc::clone(contract));
        }
        let Some(version) = self.base_version(table) else {
            return Ok(Arc::clone(contract));
        };
        let taken = |name: &TableName, of: &TableName, major| LakeError::NameTaken {
            table: name.clone(),
            of: of.clone(),
            major,
        };
        if version.beside.is_some() {
            return Err(taken(table, table, major));
        }
        let stored = self.open(table, version, false).await?.major();
        let Some(stored) = stored.filter(|stored| *stored != major) else {
            return Ok(Arc::clone(contract));
        };
        if major < stored {
            return Err(LakeError::MajorGone {
                table: table.clone(),
                stored,
                given: major,
            });
        }
        let too_long = LakeError::NameTooLong {
            of: table.clone(),
            major,
        };
        let name = name_of(table, major).to_string();
        let name: TableName = name.parse().map_err(|_| too_long)?;
        let beside = Beside {
            table: table.clone(),
            major,
            adding: BTreeSet::new(),
        };
        let is_other = |version: &crate::TableVersion| {
            let known = version.beside.as_ref();
            known.is_none_or(|known| (&known.table, known.major) != (table, major))
        };
        if self.base_version(&name).is_some_and(is_other) {
            return Err(taken(&name, table, major));
        }
        self.lock_beside().insert(name.clone(), beside);
        Ok(Arc::new(contract.renamed(name)))
    }

    /// Of which table this one is a later major version.
    pub(crate) fn beside(&self, table: &TableName) -> Option<Beside> {
        let placed = self.lock_beside().get(table).cloned();
        placed.or_else(|| self.base_version(table)?.beside.clone())
    }

    /// The pipelines that add to their rows of older versions, with what this run has staged.
    pub(crate) fn adding(&self, table: &TableName) -> BTreeSet<String> {
        let version = self.base_version(table);
        let beside = version.and_then(|version| version.beside.as_ref());
        let mut adding = beside
            .map(|beside| beside.adding.clone())
            .unwrap_or_default();
        if let Some(staged) = self.lock_staged().get(table) {
            staged.take_into(&self.pipeline, &mut adding);
        }
        adding
    }

    /// The table of the first major version, and the newest version of it that is stored beside.
    pub(crate) fn family(&self, table: &TableName) -> Family {
        let beside = self.beside(table);
        let table = beside.map_or_else(|| table.clone(), |beside| beside.table);
        let tables = self
            .base()
            .into_iter()
            .flat_map(|base| base.tables.values());
        let newest = tables
            .filter_map(|version| version.beside.as_ref())
            .filter(|beside| beside.table == table)
            .map(|beside| beside.major)
            .max();
        Family { table, newest }
    }

    /// The files that hold the rows of a table, whatever their major version: of each source those of the newest version
    /// that holds any, and of the older ones to which it adds. Each with the table it is a file of, the newest first.
    pub(crate) async fn files_of_versions(
        &self,
        table: &TableName,
    ) -> Result<Vec<(Arc<LakeTable>, Vec<FileRef>)>, LakeError> {
        let mut names: Vec<TableName> = match self.base() {
            Some(base) => base.versions_of(table).into_iter().cloned().collect(),
            None => Vec::new(),
        };
        let first = self.family(table).table;
        let mut placed: Vec<(u64, TableName)> = self
            .lock_beside()
            .iter()
            .filter(|(name, beside)| beside.table == first && !names.contains(name))
            .map(|(name, beside)| (beside.major, name.clone()))
            .collect();
        if !names.contains(&first) {
            names.insert(0, first);
        }
        placed.sort_unstable();
        names.extend(placed.into_iter().map(|(_, name)| name));
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut found = Vec::new();
        for name in names.iter().rev() {
            let Some(opened) = self.table(name).await? else {
                continue;
            };
            let is_new = |file: &&DataFile| source(file).is_none_or(|it| !seen.contains(it));
            let files: Vec<FileRef> = opened
                .files
                .iter()
                .filter(is_new)
                .map(FileRef::from)
                .collect();
            let adding = self.adding(name);
            let sources = opened.files.iter().filter_map(source);
            let whole = sources.filter(|source| !adding.contains(*source));
            seen.extend(whole.map(str::to_owned));
            found.push((opened, files));
        }
        Ok(found)
    }
}

fn source(file: &DataFile) -> Option<&str> {
    let value = file.partition_values.get(system::SOURCE)?;
    value.as_deref()
}
