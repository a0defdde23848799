//! Where everything lies in a lake: the one place that names its folders.

use object_store::path::Path;
use sectorlake_contract::{Classification, Contract, TableName};
use serde::{Deserialize, Serialize};

use crate::error::LakeError;
use crate::journal::Kind;

/// The file that makes a folder a lake.
pub(crate) const FORMAT: &str = "sectorlake.json";
const TABLES: &str = "tables";
const DELTA_LOG: &str = "_delta_log";
const RAW: &str = "raw";
const RAW_PARTS: &str = "parts";
const RAW_MANIFESTS: &str = "manifests";
const PACK: &str = "pack-";
const LISTS: &str = "lists";
const SNAPSHOTS: &str = "snapshots";
const RUNS: &str = "runs";
const LEASES: &str = "leases";
const OPEN: &str = "open";
const JOURNAL: &str = "journal";
const RESTRICTED: &str = "restricted";

/// Which door of the storage a file lies behind.
///
/// What holds personal fields lies under `restricted/`, so that one bucket policy can close it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// No personal field.
    #[default]
    Open,
    /// Holds personal fields.
    Restricted,
}

impl Access {
    /// Both, for those who read whatever there is.
    pub(crate) const ALL: [Self; 2] = [Self::Open, Self::Restricted];

    /// Where the rows of a contract belong.
    #[must_use]
    pub fn of(contract: &Contract) -> Self {
        let personal = |class| class == Classification::Personal;
        if contract
            .fields
            .iter()
            .any(|field| personal(field.classification))
        {
            Self::Restricted
        } else {
            Self::Open
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        *self == Self::Open
    }

    fn root(self, folder: &str) -> Path {
        match self {
            Self::Open => Path::from(folder),
            Self::Restricted => Path::from(RESTRICTED).join(folder),
        }
    }
}

/// When a file has to be on the disk for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Before its put is said done: others rely on what it says at once.
    Now,
    /// Before the next flush: nothing names it until then, and its sync may overlap with work.
    AtFlush,
    /// Never: it only saves work.
    Never,
}

/// How durable the file at `path` has to be.
pub(crate) fn durability(path: &Path) -> Durability {
    let parts: Vec<_> = path.parts().collect();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    let parts = match parts.as_slice() {
        [first, rest @ ..] if *first == RESTRICTED => rest,
        all => all,
    };
    match parts {
        [folder, ..] if *folder == TABLES && !parts.contains(&DELTA_LOG) => Durability::AtFlush,
        [folder, _, kind, ..] if *folder == RAW && *kind == RAW_PARTS => Durability::AtFlush,
        [folder, kind, ..] if *folder == RUNS && *kind == LEASES => Durability::Never,
        [folder, file] if *folder == SNAPSHOTS && *file == NEWEST => Durability::Never,
        [folder, ..] if *folder == RUNS => Durability::AtFlush,
        _ => Durability::Now,
    }
}

/// The folder of what holds personal fields, if the path lies in it.
pub(crate) fn restricted_folder(path: &Path) -> Option<&'static str> {
    let first = path.parts().next()?;
    (first.as_ref() == RESTRICTED).then_some(RESTRICTED)
}

/// The path that one of the lake's own files names.
pub(crate) fn stored(path: &str) -> Result<Path, LakeError> {
    // `Path::from` would encode a second time what is encoded already.
    Path::parse(path).map_err(|error| LakeError::Corrupt {
        path: path.to_owned(),
        detail: error.to_string(),
    })
}

/// The format file.
pub(crate) fn format() -> Path {
    Path::from(FORMAT)
}

/// A table's folder.
pub(crate) fn table(name: &TableName, access: Access) -> Path {
    access.root(TABLES).join(name.schema()).join(name.table())
}

/// A table's Delta log.
pub(crate) fn log(name: &TableName, access: Access) -> Path {
    table(name, access).join(DELTA_LOG)
}

/// One entry of a table's Delta log.
pub(crate) fn log_entry(name: &TableName, access: Access, version: u64) -> Path {
    log(name, access).join(numbered(version))
}

/// A pipeline's runs that are neither published nor given up, a file each.
pub(crate) fn open_runs(pipeline: &str) -> Path {
    Path::from(RUNS).join(OPEN).join(pipeline)
}

/// A run's own folder behind the given door.
pub(crate) fn run(run: &str, access: Access) -> Path {
    access.root(RUNS).join(run)
}

/// Where a run keeps the Delta log entries of a table until it publishes them: they tell the least and the greatest
/// value of each column, so those of a restricted table are restricted too.
pub(crate) fn run_log(run_id: &str, name: &TableName, access: Access) -> Path {
    run(run_id, access)
        .join("log")
        .join(name.schema())
        .join(name.table())
}

/// Where a run writes the pipeline's state.
pub(crate) fn run_state(run_id: &str) -> Path {
    run(run_id, Access::Open).join("state.json")
}

/// The folder of a pipeline's leases.
pub(crate) fn leases(pipeline: &str) -> Path {
    all_leases().join(pipeline)
}

/// The folder of the leases of all pipelines.
pub(crate) fn all_leases() -> Path {
    Path::from(RUNS).join(LEASES)
}

/// The folder of all snapshots.
pub(crate) fn snapshots() -> Path {
    Path::from(SNAPSHOTS)
}

/// One snapshot's file.
pub(crate) fn snapshot(number: u64) -> Path {
    snapshots().join(numbered(number))
}

const NEWEST: &str = "_newest";

/// A hint at the newest snapshot's number, so that finding it does not mean listing them all.
pub(crate) fn newest_snapshot() -> Path {
    snapshots().join(NEWEST)
}

/// A pipeline's raw parts.
pub(crate) fn raw_parts(pipeline: &str, access: Access) -> Path {
    access.root(RAW).join(pipeline).join(RAW_PARTS)
}

/// A pipeline's manifests.
pub(crate) fn manifests(pipeline: &str, access: Access) -> Path {
    access.root(RAW).join(pipeline).join(RAW_MANIFESTS)
}

/// One manifest.
pub(crate) fn manifest(pipeline: &str, access: Access, sequence: u64) -> Path {
    manifests(pipeline, access).join(numbered(sequence))
}

/// A file that holds many manifests. Its name sorts behind those of single ones: a listing in order meets it after those
/// that it stands for, and cannot miss both.
pub(crate) fn manifest_pack(
    pipeline: &str,
    access: Access,
    (first, last): (u64, u64),
    digest: &str,
) -> Path {
    let file = format!("{PACK}{first:020}-{last:020}-{digest}.parquet");
    manifests(pipeline, access).join(file)
}

/// The digest that the name of a pack of manifests ends with; none for any other file.
pub(crate) fn pack_digest(path: &Path) -> Option<&str> {
    let name = path.filename()?.strip_prefix(PACK)?;
    name.strip_suffix(".parquet")?.rsplit('-').next()
}

/// A piece of a long list that states of a pipeline share.
pub(crate) fn list_piece(pipeline: &str, digest: &str) -> Path {
    let folder = Access::Open.root(RAW).join(pipeline).join(LISTS);
    folder.join(format!("{digest}.txt"))
}

/// The files of one kind of journal.
pub(crate) fn journal(kind: Kind, access: Access) -> Path {
    access.root(JOURNAL).join(kind.name())
}

/// The name of the file with this number: digits enough that names sort as numbers do.
pub(crate) fn numbered(number: u64) -> String {
    format!("{number:020}.json")
}

/// The number in such a name; none for any other file.
pub(crate) fn number_of(path: &Path) -> Option<u64> {
    let digits = path.filename()?.strip_suffix(".json")?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_others_rely_on_is_durable_at_once() {
        let stops: TableName = "transport.stops".parse().unwrap();
        for (path, expected) in [
            (format(), Durability::Now),
            (snapshot(7), Durability::Now),
            (newest_snapshot(), Durability::Never),
            (log_entry(&stops, Access::Open, 3), Durability::Now),
            (log_entry(&stops, Access::Restricted, 3), Durability::Now),
            (
                table(&stops, Access::Open)
                    .join("_source=bus")
                    .join("a.parquet"),
                Durability::AtFlush,
            ),
            (
                table(&stops, Access::Restricted)
                    .join("_source=bus")
                    .join("a.parquet"),
                Durability::AtFlush,
            ),
            (
                raw_parts("bus", Access::Open).join("a.zip"),
                Durability::AtFlush,
            ),
            (
                raw_parts("bus", Access::Restricted).join("a.zip"),
                Durability::AtFlush,
            ),
            (manifest("bus", Access::Open, 1), Durability::Now),
            (manifest("bus", Access::Restricted, 1), Durability::Now),
            (manifest("parts", Access::Open, 1), Durability::Now),
            (
                manifest_pack("bus", Access::Restricted, (1, 2), "d"),
                Durability::Now,
            ),
            (list_piece("bus", "d"), Durability::Now),
            (
                run_log("r1", &stops, Access::Open).join("x.json"),
                Durability::AtFlush,
            ),
            (
                run_log("r1", &stops, Access::Restricted).join("x.json"),
                Durability::AtFlush,
            ),
            (leases("bus").join(numbered(1)), Durability::Never),
            (
                journal(Kind::Runs, Access::Open).join("r1-0.parquet"),
                Durability::Now,
            ),
        ] {
            assert_eq!(durability(&path), expected, "{path}");
        }
    }

    #[test]
    fn packs_are_told_from_single_manifests() {
        let pack = manifest_pack("xe buýt", Access::Restricted, (7, 300), "abc");
        assert_eq!(pack_digest(&pack), Some("abc"));
        assert_eq!(number_of(&pack), None);
        let single = manifest("xe buýt", Access::Restricted, u64::MAX);
        assert_eq!(pack_digest(&single), None);
        assert!(single < pack);
    }

    #[test]
    fn numbers_survive_their_names() {
        for number in [0, 1, 42, u64::MAX] {
            assert_eq!(number_of(&snapshot(number)), Some(number));
        }
        for other in [
            "snapshots/_newest",
            "snapshots/1.json",
            "snapshots/0000000000000000000x.json",
        ] {
            assert_eq!(number_of(&Path::from(other)), None, "{other}");
        }
    }
}
