//! Whether a source can be reached, and what a run would bring: it is asked for as little as tells that, and nothing is kept.

use std::collections::BTreeMap;

use sectorlake_connector::{Connector, Cursor, Environment, Http, Io, Registry, Slice};
use sectorlake_lake::{At, Env, Lake, PipelineState};

use crate::pipeline::Pipeline;
use crate::plan::plan;
use crate::project::Project;
use crate::result::Failure;
use crate::run::{of_problems, of_source};

/// What a look at sources needs.
#[derive(Debug)]
pub struct ReachContext<'a> {
    /// The project.
    pub project: &'a Project,
    /// The connectors.
    pub registry: &'a Registry,
    /// The lake, where there is one: sources are asked from where the last published run ended.
    pub lake: Option<&'a Lake>,
    /// The clock and this host.
    pub env: &'a Env,
    /// The polite client.
    pub http: &'a Http,
}

/// A source that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The pipeline.
    pub pipeline: String,
    /// Streams that feed tables, in the order of their names.
    pub streams: Vec<ReachedStream>,
    /// What else the source has to offer.
    pub unused: Vec<String>,
    /// What the client has to tell, such as an address that has moved.
    pub notes: Vec<String>,
}

/// A stream, and what would come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedStream {
    /// What `from:` names.
    pub name: String,
    /// The tables it feeds.
    pub tables: Vec<String>,
    /// Its partitions; 0 where it has none.
    pub partitions: usize,
    /// The first part that a run would fetch; none where nothing is new.
    pub first: Option<ReachedPart>,
}

/// A part that was asked for, but not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedPart {
    /// Its address, without secrets.
    pub key: String,
    /// The partition it belongs to.
    pub partition: Option<String>,
    /// HTTP status.
    pub status: Option<u16>,
    /// Bytes, where the source tells.
    pub bytes: Option<u64>,
    /// When it was last changed, as the source tells.
    pub last_modified: Option<String>,
    /// Whether others follow it.
    pub more: bool,
}

/// Asks the source of one pipeline for the first part of each stream that feeds a table.
///
/// # Errors
/// What a run would fail with: a setting, a secret that is missing, a source that does not answer or lets nobody in.
pub async fn reach(
    context: &ReachContext<'_>,
    environment: &Environment,
    name: &str,
) -> Result<Reached, Failure> {
    let pipeline = context.project.pipeline(name)?;
    let connector = pipeline.connector(context.project.root(), context.registry, environment)?;
    let io = Io::new(context.http.clone(), context.env.clock.now());
    let streams = connector.streams(&io).await;
    let streams = streams.map_err(|error| of_source(pipeline, &error))?;
    let plans = plan(pipeline, context.project.contracts(), &streams).map_err(of_problems)?;
    let mut used: BTreeMap<String, ReachedStream> = BTreeMap::new();
    let mut units: BTreeMap<String, String> = BTreeMap::new();
    for (plan, feed) in plans
        .iter()
        .flat_map(|plan| plan.feeds.iter().map(move |feed| (plan, feed)))
    {
        units.insert(feed.stream.name.clone(), feed.stream.unit.clone());
        let stream = used
            .entry(feed.stream.name.clone())
            .or_insert_with(|| ReachedStream {
                name: feed.stream.name.clone(),
                tables: Vec::new(),
                partitions: 0,
                first: None,
            });
        stream.tables.push(plan.table.to_string());
    }
    let looker = Looker {
        pipeline,
        connector: connector.as_ref(),
        io: &io,
        state: state(context, name).await?,
    };
    let mut seen: BTreeMap<&str, (usize, Option<ReachedPart>)> = BTreeMap::new();
    for (stream, unit) in &units {
        if !seen.contains_key(unit.as_str()) {
            seen.insert(unit, looker.unit(unit).await?);
        }
        if let (Some(stream), Some((partitions, first))) =
            (used.get_mut(stream), seen.get(unit.as_str()))
        {
            (stream.partitions, stream.first) = (*partitions, first.clone());
        }
    }
    let unused = streams.into_iter().map(|stream| stream.name);
    Ok(Reached {
        pipeline: name.to_owned(),
        unused: unused.filter(|name| !used.contains_key(name)).collect(),
        streams: used.into_values().collect(),
        notes: io.take_notes(),
    })
}

/// Where the pipeline stands; at its beginning, where no lake tells.
async fn state(context: &ReachContext<'_>, name: &str) -> Result<PipelineState, Failure> {
    let Some(lake) = context.lake else {
        return Ok(PipelineState::default());
    };
    let Some(snapshot) = lake.snapshot(At::Latest).await? else {
        return Ok(PipelineState::default());
    };
    Ok(lake.state(&snapshot, name).await?.unwrap_or_default())
}

struct Looker<'a> {
    pipeline: &'a Pipeline,
    connector: &'a dyn Connector,
    io: &'a Io,
    state: PipelineState,
}

impl Looker<'_> {
    /// How many partitions a unit has, and its first part.
    async fn unit(&self, unit: &str) -> Result<(usize, Option<ReachedPart>), Failure> {
        let partitions = self.connector.partitions(unit, self.io).await;
        let partitions = partitions.map_err(|error| of_source(self.pipeline, &error))?;
        let partition = partitions.first().map(String::as_str);
        let cursor = self.state.cursor_of(unit, partition).cloned().map(Cursor);
        let slice = Slice { unit, partition };
        let fetched = self.connector.fetch(slice, cursor.as_ref(), self.io).await;
        let fetched = fetched.map_err(|error| of_source(self.pipeline, &error))?;
        let first = fetched.and_then(|fetched| {
            let more = fetched.next.is_some();
            fetched.part.map(|part| ReachedPart {
                key: part.key,
                partition: partition.map(str::to_owned),
                status: part.status,
                bytes: part.length,
                last_modified: part.last_modified,
                more,
            })
        });
        Ok((partitions.len(), first))
    }
}
