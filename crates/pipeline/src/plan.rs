//! What a pipeline feeds: tables, streams and mappings, settled before anything is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sectorlake_connector::{DefaultMapping, Reads, Stream};
use sectorlake_contract::{Contract, Contracts, ForeignKey, PartitionBy, Severity, TableName};
use sectorlake_formats::FormatSpec;
use sectorlake_lake::{Load, slice_of};
use sectorlake_normalise::{MappingError, MappingSpec, Rules, SoftRule, TableSpec, Unpivot};

use crate::file::{Deletions, OnShrink, TableFile};
use crate::on_reject::OnReject;
use crate::pipeline::Pipeline;
use crate::problem::Problem;

/// The parameter, and the field, that says which feed a row is from.
const FEED_ID: &str = "feed_id";

/// One table of a pipeline.
#[derive(Debug, Clone)]
pub(crate) struct TablePlan {
    /// The table, by the contract's own name: that of the project's files.
    pub(crate) table: TableName,
    /// The contract; in a run, under the name that its rows are stored under.
    pub(crate) contract: Arc<Contract>,
    pub(crate) load: Load,
    pub(crate) slice: Option<PartitionBy>,
    pub(crate) on_shrink: OnShrink,
    /// Whether rows go that the source has no more.
    pub(crate) follows_deletions: bool,
    /// Rules that only mark a row, beside those of the contract.
    pub(crate) soft: BTreeSet<SoftRule>,
    /// What feeds it: one stream, or several with default mappings.
    pub(crate) feeds: Vec<Feed>,
}

impl TablePlan {
    /// How hard a foreign key is: the contract's word, or the pipeline's `on_reject.rules`.
    pub(crate) fn severity_of_key(&self, key: &ForeignKey) -> Severity {
        let last = key.fields.last();
        let softened = self.soft.iter().any(|soft| {
            soft.rule == "foreignKey" && (soft.field.is_none() || soft.field.as_ref() == last)
        });
        if softened {
            Severity::Warn
        } else {
            self.contract.severity_of("foreignKey")
        }
    }
}

/// One stream on its way into one table.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    pub(crate) stream: Stream,
    pub(crate) format: Option<FormatSpec>,
    pub(crate) unpivot: Option<Unpivot>,
    /// The mapping's SQL; none: columns are taken by name.
    pub(crate) sql: Option<String>,
    pub(crate) written_in: WrittenIn,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) columns: Vec<String>,
    /// Fields that drift added, and the columns that they take.
    pub(crate) added: BTreeMap<String, String>,
}

/// Who wrote the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrittenIn {
    File,
    Connector,
    /// There is none.
    Nowhere,
}

/// Settles all tables of a pipeline.
pub(crate) fn plan(
    pipeline: &Pipeline,
    contracts: &Contracts,
    streams: &[Stream],
) -> Result<Vec<TablePlan>, Vec<Problem>> {
    let planner = Planner {
        pipeline,
        contracts,
        streams,
    };
    let planned: Vec<Result<TablePlan, Problem>> = match &pipeline.file.tables {
        Some(tables) => tables
            .iter()
            .map(|(name, table)| planner.named(name, table.clone().unwrap_or_default()))
            .collect(),
        None => planner.defaults(),
    };
    let (plans, problems): (Vec<_>, Vec<_>) = planned.into_iter().partition(Result::is_ok);
    let problems: Vec<Problem> = problems.into_iter().filter_map(Result::err).collect();
    if problems.is_empty() {
        Ok(plans.into_iter().flatten().collect())
    } else {
        Err(problems)
    }
}

struct Planner<'a> {
    pipeline: &'a Pipeline,
    contracts: &'a Contracts,
    streams: &'a [Stream],
}

impl Planner<'_> {
    /// A table that the file names.
    fn named(&self, name: &str, table: TableFile) -> Result<TablePlan, Problem> {
        let contract = self.pipeline.table(name, self.contracts)?;
        let feeds = self.feeds(name, &table)?;
        let by_default = feeds
            .iter()
            .find_map(|(stream, _)| default_of(stream, name))
            .map(|mapping| load_of(mapping.load));
        let load = table
            .load
            .map(Load::from)
            .or(by_default)
            .unwrap_or_default();
        self.appends_once(name, &table, (load, &feeds))?;
        Ok(TablePlan {
            follows_deletions: self.follows(name, &table, (load, &feeds))?,
            load,
            slice: table
                .slice
                .as_deref()
                .and_then(|word| slice_of(&contract, word)),
            on_shrink: table.on_shrink.unwrap_or(self.pipeline.file.on_shrink),
            soft: self
                .pipeline
                .file
                .on_reject
                .as_ref()
                .map(OnReject::soft)
                .unwrap_or_default(),
            feeds: feeds.into_iter().map(|(_, feed)| feed).collect(),
            table: contract.name.clone(),
            contract,
        })
    }

    /// Whether a table lets go of what the source has no more.
    fn follows(
        &self,
        name: &str,
        table: &TableFile,
        (load, feeds): (Load, &[(Stream, Feed)]),
    ) -> Result<bool, Problem> {
        let wrong = |message: String, help: &str| {
            let at = ["tables", name, "deletions"];
            Err(self.pipeline.problem_at_value(&at, message).help(help))
        };
        let going_on = feeds
            .iter()
            .find(|(stream, _)| stream.reads != Reads::Whole);
        match (table.deletions, load, going_on) {
            (Some(Deletions::Follow), Load::Append, _) => wrong(
                "`load: append` only adds, so it cannot follow deletions".to_owned(),
                "write `load: merge`, or leave `deletions` out",
            ),
            (Some(Deletions::Ignore), Load::Replace, _) => wrong(
                "`load: replace` leaves nothing that the source has no more".to_owned(),
                "write `load: merge`, or leave `deletions` out",
            ),
            (Some(Deletions::Follow), Load::Merge, Some((stream, _))) => {
                wrong(needs_all(name, &stream.name), READ_WHOLE)
            }
            (deletions, load, _) => Ok(deletions == Some(Deletions::Follow) && load == Load::Merge),
        }
    }

    /// What comes again must not be added again.
    fn appends_once(
        &self,
        name: &str,
        table: &TableFile,
        (load, feeds): (Load, &[(Stream, Feed)]),
    ) -> Result<(), Problem> {
        let is_again = |(stream, _): &&(Stream, Feed)| stream.reads == Reads::Overlapping;
        let Some((stream, _)) = feeds.iter().find(is_again).filter(|_| load == Load::Append) else {
            return Ok(());
        };
        let message = format!(
            "`load: append` adds rows twice that come again, and with `lookback` those of {} do in every run",
            stream.name
        );
        let at = ["tables", name, "load"];
        let problem = match table.load {
            Some(_) => self.pipeline.problem_at_value(&at, message),
            None => self.pipeline.problem_at_key(&at[..2], message),
        };
        Err(problem.help("write `load: merge`, or leave `lookback` out"))
    }

    /// The streams that feed a named table: the one in `from:`; else those that are made for it; else the only one.
    fn feeds(&self, name: &str, table: &TableFile) -> Result<Vec<(Stream, Feed)>, Problem> {
        let made_for_it = self
            .streams
            .iter()
            .filter(|stream| default_of(stream, name).is_some())
            .cloned();
        let mut streams: Vec<Stream> = if table.from.is_none() {
            made_for_it.collect()
        } else {
            Vec::new()
        };
        if streams.is_empty() {
            let picked = Stream::pick(self.streams, table.from.as_deref()).map_err(|error| {
                let at = ["tables", name, "from"];
                let help = error.help();
                self.pipeline
                    .problem_at_value(&at, error.to_string())
                    .help(help)
            })?;
            streams.push(picked);
        }
        streams
            .into_iter()
            .map(|stream| Ok((stream.clone(), self.feed(stream, name, table)?)))
            .collect()
    }

    fn feed(&self, stream: Stream, table_name: &str, table: &TableFile) -> Result<Feed, Problem> {
        let default = default_of(&stream, table_name).cloned();
        let format = match &stream.format {
            Some(format) => Some(
                serde_json::from_value(format.clone())
                    .map_err(|error| self.pipeline.of_format(format, &error.to_string()))?,
            ),
            None => None,
        };
        let (sql, written_in) = match (&table.map, &default) {
            (Some(sql), _) => (Some(sql.clone()), WrittenIn::File),
            (None, Some(mapping)) => (Some(mapping.sql.clone()), WrittenIn::Connector),
            (None, None) => (None, WrittenIn::Nowhere),
        };
        let unpivot = match (&table.unpivot, &table.map, &default) {
            (Some(unpivot), ..) => Some(unpivot.clone()),
            // The connector's own mapping stands on the connector's own unpivot.
            (
                None,
                None,
                Some(DefaultMapping {
                    unpivot: Some(unpivot),
                    ..
                }),
            ) => serde_json::from_value(unpivot.clone()).ok(),
            _ => None,
        };
        let known = default.as_ref().or(stream.mappings.first());
        let mut parameters = known
            .map(|mapping| mapping.parameters.clone())
            .unwrap_or_default();
        parameters.insert("pipeline".to_owned(), self.pipeline.name.clone());
        parameters
            .entry(FEED_ID.to_owned())
            .or_insert_with(|| self.pipeline.name.clone());
        let mut columns = stream.columns.clone();
        columns.extend(
            known
                .into_iter()
                .flat_map(|mapping| mapping.columns.clone()),
        );
        Ok(Feed {
            stream,
            format,
            unpivot,
            sql,
            written_in,
            parameters,
            columns,
            added: BTreeMap::new(),
        })
    }

    /// Every stream that has a default mapping.
    fn defaults(&self) -> Vec<Result<TablePlan, Problem>> {
        let mut tables: Vec<&str> = Vec::new();
        for mapping in self.streams.iter().flat_map(|stream| &stream.mappings) {
            if !tables.contains(&mapping.table.as_str()) {
                tables.push(&mapping.table);
            }
        }
        if tables.is_empty() {
            let problem = self.pipeline.problem_at_key(
                &["source"],
                "`tables:` is missing, and this source has no default mapping",
            );
            return vec![Err(problem.help(
                "say which table is fed: tables: { sector.table: { map: SELECT … FROM source } }",
            ))];
        }
        tables
            .into_iter()
            .map(|table| self.named(table, TableFile::default()))
            .collect()
    }
}

/// What is said where deletions are followed in what goes on.
pub(crate) fn needs_all(table: &str, stream: &str) -> String {
    format!(
        "{table}: `deletions: follow` needs all that the source has, but {stream} goes on where the last run stopped"
    )
}

/// What helps then.
pub(crate) const READ_WHOLE: &str = "leave `deletions` out; or have the source read whole in each run, without what makes it go on (`incremental`, say)";

fn default_of<'a>(stream: &'a Stream, table: &str) -> Option<&'a DefaultMapping> {
    stream
        .mappings
        .iter()
        .find(|mapping| mapping.table == table)
}

fn load_of(word: &str) -> Load {
    match word {
        "append" => Load::Append,
        "merge" => Load::Merge,
        _ => Load::Replace,
    }
}

impl Feed {
    /// What `normalise` is asked for, for one part.
    pub(crate) fn spec(
        &self,
        contract: &Arc<Contract>,
        part_key: &str,
        part_name: &str,
    ) -> TableSpec {
        let mut parameters = self.parameters.clone();
        parameters.insert("part_key".to_owned(), part_key.to_owned());
        parameters.insert("part_name".to_owned(), part_name.to_owned());
        let feed_id = contract
            .field(FEED_ID)
            .and_then(|_| self.parameters.get(FEED_ID));
        TableSpec {
            contract: Arc::clone(contract),
            mapping: self.sql.clone().map(|sql| MappingSpec {
                sql,
                parameters,
                columns: self.columns.clone(),
            }),
            unpivot: self.unpivot.clone(),
            constants: feed_id
                .map(|feed| (FEED_ID.to_owned(), feed.clone()))
                .into_iter()
                .collect(),
            added: self.added.clone(),
            rules: Rules::default(),
        }
    }

    /// Whether each part has a mapping of its own.
    pub(crate) fn depends_on_part(&self) -> bool {
        self.sql
            .as_deref()
            .is_some_and(|sql| sql.contains("$part_"))
    }

    /// Whether `from:` picks files, or members of files, of which there must be one.
    pub(crate) fn must_be_found(&self) -> bool {
        let stream = &self.stream;
        stream.from_names_member && stream.member.is_some() && !stream.optional
    }

    /// A mapping's error, placed in the file where the mapping stands there.
    pub(crate) fn problem(
        &self,
        pipeline: &Pipeline,
        table: &str,
        error: &MappingError,
    ) -> Problem {
        let problem = match self.written_in {
            WrittenIn::File => return pipeline.problem_in_map(table, error),
            WrittenIn::Connector => {
                let message = format!(
                    "default mapping of {} onto {table}: {error}",
                    self.stream.name
                );
                let problem = if pipeline.file.tables.is_some() {
                    pipeline.problem_at_key(&["tables", table], message)
                } else {
                    pipeline.problem_at_key(&["source"], message)
                };
                return problem.maybe_help(error.help().map(str::to_owned)).help_if_none(
                    "the file may not be what the connector expects; a `map:` of your own replaces its mapping",
                );
            }
            WrittenIn::Nowhere => pipeline.problem_at_key(&["tables", table], error.to_string()),
        };
        problem.maybe_help(error.help().map(str::to_owned))
    }
}
