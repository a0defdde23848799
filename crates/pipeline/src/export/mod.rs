//! The rejected rows of a pipeline as a spreadsheet for the data's owner: the source's own columns, with the reasons.
//!
//! Each row is read again from the raw part, so that what the owner sees is what the source says. Corrected, the file comes back
//! through [`FixRequest`](crate::FixRequest).

mod reasons;
mod records;
mod writer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sectorlake_connector::{Environment, Http, Io, Registry};
use sectorlake_formats::ReadOptions;
use sectorlake_lake::{Access, At, Env, Lake, RawZone};

pub use self::reasons::Language;
use self::records::{Columns, Source};
use self::writer::SheetWriter;
use crate::fixes::{Open, Wanted, judged, open_rejections, sheet_name, stream_names};
use crate::plan::{TablePlan, plan};
use crate::project::Project;
use crate::result::{Failure, FailureKind};
use crate::run::{Gathered, Gathering};

/// What to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRequest {
    /// The pipeline.
    pub pipeline: String,
    /// The file: `.xlsx`, a sheet a stream, or `.csv`.
    pub path: PathBuf,
    /// The language of the reasons.
    pub language: Language,
}

/// What exports are handed from outside.
pub struct ExportContext<'a> {
    /// The project.
    pub project: &'a Project,
    /// The connectors.
    pub registry: &'a Registry,
    /// The lake.
    pub lake: &'a Lake,
    /// The clock.
    pub env: &'a Env,
    /// The polite client.
    pub http: &'a Http,
    /// Environment variables, for secrets.
    pub environment: &'a Environment,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Rejected records; no file is written where there are none.
    pub rows: usize,
    /// Sheets of them.
    pub sheets: usize,
    /// Whether they are those of a run that failed: nothing of it is published yet.
    pub is_failed: bool,
}

/// Writes the rejected records of a pipeline's latest run, published or failed.
///
/// # Errors
/// There is no such pipeline; the lake or its raw parts cannot be read; the file cannot be written, or not hold the rows.
pub async fn export(
    context: &ExportContext<'_>,
    request: &ExportRequest,
) -> Result<Exported, Failure> {
    let kind = writer::Kind::of(&request.path)?;
    let plans = plans(context, &request.pipeline).await?;
    let door = plans.iter().map(|plan| Access::of(&plan.contract)).max();
    let door = door.unwrap_or(Access::Open);
    let raw = context.lake.raw_behind(&request.pipeline, door);
    let read = ReadOptions {
        partitions: 1,
        ..ReadOptions::default()
    };
    let (gathered, failed) = gathered(context, request, &plans, &raw, read.clone()).await?;
    let open = open_rejections(
        context.lake,
        (&request.pipeline, failed.as_deref()),
        &plans,
        &gathered.corrections,
        Wanted::Reasons,
    );
    let open = open.await?;
    let exported = Exported {
        rows: open.len(),
        sheets: open.streams.len(),
        is_failed: failed.is_some(),
    };
    if exported.rows == 0 {
        return Ok(exported);
    }
    if exported.sheets > 1 && kind == writer::Kind::Csv {
        let message = format!(
            "{} streams have rejected rows, and a CSV file holds one",
            exported.sheets
        );
        return Err(Failure::new(FailureKind::Usage, message)
            .help("export to a .xlsx: it has a sheet for each"));
    }
    let export = Export {
        plans: &plans,
        raw: &raw,
        read: &read,
        gathered: &gathered,
        language: request.language,
    };
    let mut file = writer::begin(kind, &request.path, door, request.language)?;
    export.write(&open, file.as_mut()).await?;
    file.finish()?;
    Ok(exported)
}

async fn plans(context: &ExportContext<'_>, name: &str) -> Result<Vec<TablePlan>, Failure> {
    let pipeline = context.project.pipeline(name)?;
    let root = context.project.root();
    let connector = pipeline.connector(root, context.registry, context.environment)?;
    let io = Io::new(context.http.clone(), context.env.clock.now());
    let streams = connector
        .streams(&io)
        .await
        .map_err(|error| crate::run::of_source(pipeline, &error))?;
    let plans = plan(pipeline, context.project.contracts(), &streams);
    plans.map_err(crate::run::of_problems)
}

async fn gathered(
    context: &ExportContext<'_>,
    request: &ExportRequest,
    plans: &[TablePlan],
    raw: &RawZone,
    read: ReadOptions,
) -> Result<(Gathered, Option<String>), Failure> {
    let gathering = Gathering {
        lake: context.lake,
        pipeline: &request.pipeline,
        plans,
        raw,
        read,
    };
    let state = match context.lake.snapshot(At::Latest).await? {
        Some(snapshot) => context.lake.state(&snapshot, &request.pipeline).await?,
        None => None,
    };
    let state = state.unwrap_or_default();
    let mut gathered = gathering.in_force(&state).await?;
    let judged = judged(context.lake, &request.pipeline, &state, &gathered.manifests);
    let judged = judged.await?;
    (gathered.corrections, gathered.lapsed, gathered.held) =
        gathering.moved(&gathered, &judged.parts).await?;
    Ok((gathered, judged.failed))
}

struct Export<'a> {
    plans: &'a [TablePlan],
    raw: &'a RawZone,
    read: &'a ReadOptions,
    gathered: &'a Gathered,
    language: Language,
}

impl Export<'_> {
    async fn write(&self, open: &Open, file: &mut dyn SheetWriter) -> Result<(), Failure> {
        let names = stream_names(self.plans);
        for (stream, parts) in &open.streams {
            let mut sources: BTreeMap<&Arc<str>, Source> = BTreeMap::new();
            let mut columns = Columns::default();
            for part in parts.keys() {
                let source = self.source(stream, part).await?;
                columns.add(&source);
                sources.insert(part, source);
            }
            let position = names.iter().position(|name| **name == **stream);
            let sheet = sheet_name(stream, position.unwrap_or_default());
            file.sheet(&sheet, &columns.names())?;
            for (part, rows) in parts {
                if let Some(source) = sources.get(part) {
                    let place = (stream.as_ref(), part.as_ref());
                    source
                        .rows(place, rows, &columns, |reason| self.reason(reason), file)
                        .await?;
                }
            }
        }
        Ok(())
    }

    async fn source(&self, stream: &str, part: &str) -> Result<Source, Failure> {
        let mut sheets = self
            .gathered
            .corrections
            .files
            .iter()
            .flat_map(|file| &file.sheets);
        if let Some(sheet) = sheets.find(|sheet| sheet.id == part) {
            return Ok(Source::new(sheet.part.clone()));
        }
        let feed = crate::fixes::feed_of(self.plans, stream).ok_or_else(|| {
            Failure::new(
                FailureKind::Usage,
                format!("the pipeline reads {stream} no more"),
            )
            .help("run it, then export again")
        })?;
        let manifests = &self.gathered.manifests;
        let root = crate::fixes::open_root(self.raw, manifests, feed, self.read, part).await?;
        Ok(Source::new(root.part))
    }

    fn reason(&self, reason: &crate::fixes::Reason) -> String {
        let contract = self
            .plans
            .iter()
            .map(|plan| &plan.contract)
            .find(|contract| crate::fixes::is_version(&contract.name.to_string(), &reason.table));
        reasons::told(reason, contract.map(Arc::as_ref), self.language)
    }
}
