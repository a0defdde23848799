//! A corrected file is checked against what waits to be corrected, then kept as a raw part.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::error::ArrowError;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::local::LocalFileSystem;
use sectorlake_formats::{Part, PartBytes, ReadOptions};
use sectorlake_lake::{FixState, Manifest, PartMeta, RawZone};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::convert::{Target, converted};
use super::rejections::Open;
use super::sheet::{Entry, Sheet, read_sheets, refused};
use super::{Corrections, FixFile, FixRequest, META, Moves, UNIT, Versions, open_root};
use crate::members;
use crate::plan::{Feed, TablePlan};
use crate::result::{Failure, FailureKind};

/// Bytes of a corrected file, at most.
const BYTES_MAX: u64 = 1 << 30;
/// Problems that are told before the rest is only counted.
const TOLD_MAX: usize = 5;

/// What a file is checked against.
pub(crate) struct Ground<'a> {
    pub(crate) plans: &'a [TablePlan],
    pub(crate) raw: &'a RawZone,
    pub(crate) manifests: &'a [Manifest],
    pub(crate) read: &'a ReadOptions,
    pub(crate) open: &'a Open,
    /// As they hold in the parts whose rejected records wait.
    pub(crate) corrections: &'a Corrections,
    /// Those parts.
    pub(crate) parts: &'a [Manifest],
}

/// Checks a corrected file and stores it.
///
/// # Errors
/// It cannot be read; a row of it stands for no rejected record, or for one that another row stands for; a value does not fit its column.
pub(crate) async fn take_in(
    ground: &Ground<'_>,
    request: &FixRequest,
    run: &str,
    now: DateTime<Utc>,
) -> Result<FixFile, Failure> {
    let bytes = local(&request.path)?;
    let streams = stream_names(ground.plans);
    let mut sheets = read_sheets(&bytes, "", &streams, ground.read).await?;
    let moves = ground.moves(&sheets).await?;
    for sheet in &mut sheets {
        check_places(ground, sheet, &moves)?;
        let entries = sheet.entries.iter_mut();
        entries.for_each(|entry| moves.apply(entry));
        check_values(ground, sheet).await?;
    }
    if sheets.iter().all(|sheet| sheet.entries.is_empty()) {
        let message = format!("{} holds no row to take in", bytes.name);
        return Err(Failure::new(FailureKind::Data, message));
    }
    let manifest = store(ground.raw, &bytes, run).await?;
    let state = FixState {
        part: manifest.hash.clone(),
        by: request.by.clone(),
        at: now,
        lapsed: Vec::new(),
        gone: BTreeMap::new(),
    };
    open_fix(ground.raw, &manifest, state, &streams, ground.read).await
}

/// Whether a corrected file with these bytes is in force already: who took it in, and when.
///
/// # Errors
/// The file cannot be read.
pub(crate) async fn already_taken<'a>(
    request: &FixRequest,
    fixes: &'a [FixState],
) -> Result<Option<&'a FixState>, Failure> {
    if fixes.is_empty() {
        return Ok(None);
    }
    let bytes = local(&request.path)?;
    let body = bytes.store.get(&bytes.path).await;
    let mut body = body.map_err(|error| unread(&bytes, &error))?.into_stream();
    let mut hasher = blake3::Hasher::new();
    while let Some(chunk) = body
        .try_next()
        .await
        .map_err(|error| unread(&bytes, &error))?
    {
        hasher.update(&chunk);
    }
    let hash = hasher.finalize().to_hex().to_string();
    Ok(fixes.iter().find(|fix| fix.part == hash))
}

fn unread(bytes: &PartBytes, error: &object_store::Error) -> Failure {
    let message = format!("{} cannot be read: {error}", bytes.name);
    Failure::new(FailureKind::Usage, message)
}

/// Opens a file of corrections that is a raw part.
///
/// # Errors
/// It cannot be read any more.
pub(crate) async fn open_fix(
    raw: &RawZone,
    manifest: &Manifest,
    state: FixState,
    streams: &[String],
    read: &ReadOptions,
) -> Result<FixFile, Failure> {
    let bytes = members::bytes_of(raw, manifest);
    Ok(FixFile {
        sheets: read_sheets(&bytes, &manifest.hash, streams, read).await?,
        manifest: manifest.clone(),
        state,
    })
}

/// The streams of a pipeline, each once, in the order of its tables.
pub(crate) fn stream_names(plans: &[TablePlan]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for feed in plans.iter().flat_map(|plan| &plan.feeds) {
        if !names.contains(&feed.stream.name) {
            names.push(feed.stream.name.clone());
        }
    }
    names
}

fn local(path: &Path) -> Result<PartBytes, Failure> {
    let unreadable = |error: String| {
        Failure::new(
            FailureKind::Usage,
            format!("{} cannot be read: {error}", path.display()),
        )
    };
    let whole = path
        .canonicalize()
        .map_err(|error| unreadable(error.to_string()))?;
    let meta = whole
        .metadata()
        .map_err(|error| unreadable(error.to_string()))?;
    let location = object_store::path::Path::from_absolute_path(&whole)
        .map_err(|error| unreadable(error.to_string()))?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(PartBytes {
        store: Arc::new(LocalFileSystem::new()),
        path: location,
        size: meta.len(),
        name: name.to_string_lossy().into_owned(),
    })
}

/// Each row stands for a record that was rejected and waits, and no two rows for the same.
fn check_places(ground: &Ground<'_>, sheet: &Sheet, moves: &Moves) -> Result<(), Failure> {
    let mut seen: HashMap<(Arc<str>, Arc<str>, i64), i64> = HashMap::new();
    let (mut problems, mut more) = (Vec::new(), 0);
    let line = |at| super::sheet::line(sheet.part.numbers_have_gaps(), at);
    for entry in &sheet.entries {
        let mut now = entry.clone();
        moves.apply(&mut now);
        let corrections = ground.corrections;
        let (part, row) = corrections.head(&entry.stream, &now.part, now.row);
        let problem = if moves.is_gone(entry) {
            Some(format!(
                "row {} of {} has changed or is gone: the file was exported before the source changed",
                entry.row, entry.stream
            ))
        } else if !ground.open.holds(&entry.stream, &part, row) {
            Some(format!(
                "row {} of {} is not among the rejected rows of the latest run",
                entry.row, entry.stream
            ))
        } else {
            let key = (Arc::clone(&entry.stream), part, row);
            let before = seen.insert(key, entry.at);
            before.map(|at| {
                format!(
                    "it stands for the same row {} as line {}",
                    entry.row,
                    line(at)
                )
            })
        };
        match problem {
            Some(problem) if problems.len() < TOLD_MAX => {
                problems.push(format!("line {}: {problem}", line(entry.at)));
            }
            Some(_) => more += 1,
            None => {}
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(refused(sheet.part.name(), &problems, more))
    }
}

/// Each row has the columns of the part it corrects, in types that fit.
async fn check_values(ground: &Ground<'_>, sheet: &Sheet) -> Result<(), Failure> {
    let mut by_root: BTreeMap<(Arc<str>, Arc<str>), HashSet<i64>> = BTreeMap::new();
    for entry in &sheet.entries {
        let root = ground.root_of(entry);
        let rows = by_root
            .entry((Arc::clone(&entry.stream), root))
            .or_default();
        rows.insert(entry.at);
    }
    for ((stream, root), rows) in by_root {
        let Some(feed) = feed_of(ground.plans, &stream) else {
            continue;
        };
        let root = open_root(ground.raw, ground.manifests, feed, ground.read, &root).await?;
        let schema = root.schema();
        let target = Target {
            projection: (0..schema.fields().len()).collect(),
            schema,
            rows: Arc::new(rows),
            dates: Arc::default(),
        };
        columns_fit(&sheet.part, &target)?;
        let all: Vec<usize> = (0..sheet.part.schema().fields().len()).collect();
        for mut stream in sheet.part.read(&all) {
            while let Some(decoded) = stream.try_next().await? {
                converted(&decoded, &target).map_err(|error| {
                    // The engine's own words for the kind of error say nothing to an owner.
                    let error = match error {
                        ArrowError::CastError(what) | ArrowError::SchemaError(what) => what,
                        other => other.to_string(),
                    };
                    let message = format!("{}: {error}", sheet.part.name());
                    Failure::new(FailureKind::Data, message)
                        .help("nothing was taken in: keep the columns that the export wrote, and their kinds of values")
                })?;
            }
        }
    }
    Ok(())
}

/// How alike two names are that are one misspelt, at least.
const ALIKE: f64 = 0.75;

/// A name without marks and capitals.
fn folded(name: &str) -> String {
    let letters = name.nfd().filter(|letter| !is_combining_mark(*letter));
    letters
        .flat_map(char::to_lowercase)
        .map(|letter| if letter == 'đ' { 'd' } else { letter })
        .collect()
}

/// Each column of the source is there; one that is not stands under another name, most likely.
fn columns_fit(part: &Part, target: &Target) -> Result<(), Failure> {
    let schema = part.schema();
    let there = |name: &str| schema.column_with_name(name).is_some();
    let wanted = target
        .schema
        .fields()
        .iter()
        .map(|field| field.name().as_str());
    let Some(missing) = wanted.clone().find(|name| !there(name)) else {
        return Ok(());
    };
    let others = schema.fields().iter().map(|field| field.name().as_str());
    let others =
        others.filter(|name| !META.contains(name) && !wanted.clone().any(|it| it == *name));
    let near = others
        .map(|name| (name, strsim::jaro_winkler(&folded(name), &folded(missing))))
        .filter(|(_, alike)| *alike > ALIKE)
        .max_by(|one, other| one.1.total_cmp(&other.1));
    let name = part.name();
    let message = match near {
        Some((near, _)) => format!("{name}: `{near}` stands where the column `{missing}` was"),
        None => format!("{name}: the column `{missing}` is missing"),
    };
    let is_csv = name.to_ascii_lowercase().ends_with(".csv");
    let help = match is_csv && !missing.is_ascii() {
        true => {
            "nothing was taken in: keep the columns that the export wrote; where letters are broken, save the file as .xlsx or as CSV UTF-8"
        }
        false => "nothing was taken in: keep the columns that the export wrote",
    };
    Err(Failure::new(FailureKind::Data, message).help(help))
}

impl Ground<'_> {
    /// The file may have been exported before the source changed.
    async fn moves(&self, sheets: &[Sheet]) -> Result<Moves, Failure> {
        let versions = Versions {
            plans: self.plans,
            raw: self.raw,
            manifests: self.manifests,
            read: self.read,
            parts: self.parts,
        };
        // Corrections in force are no parts of the source.
        let known = self.corrections.files.iter().flat_map(|file| &file.sheets);
        versions
            .moves_of(&known.chain(sheets).collect::<Vec<_>>())
            .await
    }

    fn root_of(&self, entry: &Entry) -> Arc<str> {
        self.corrections.root(entry)
    }
}

/// A feed of this stream; all that read one stream read the same records.
pub(crate) fn feed_of<'a>(plans: &'a [TablePlan], stream: &str) -> Option<&'a Feed> {
    let mut feeds = plans.iter().flat_map(|plan| &plan.feeds);
    feeds.find(|feed| feed.stream.name == stream)
}

async fn store(raw: &RawZone, bytes: &PartBytes, run: &str) -> Result<Manifest, Failure> {
    let read = |error: object_store::Error| unread(bytes, &error);
    let body = bytes.store.get(&bytes.path).await.map_err(read)?;
    let meta = PartMeta {
        key: bytes.name.clone(),
        name: bytes.name.clone(),
        ..PartMeta::default()
    };
    let body = body
        .into_stream()
        .map(|chunk: object_store::Result<Bytes>| chunk.map_err(read));
    let put = raw.put(run, UNIT, meta, body, BYTES_MAX).await;
    put.map_err(|error| match error {
        sectorlake_lake::PutError::Lake(error) => error.into(),
        sectorlake_lake::PutError::Body(failure) => failure,
        error @ sectorlake_lake::PutError::TooLarge { .. } => {
            Failure::new(FailureKind::Usage, format!("{}: {error}", bytes.name))
        }
    })
}
