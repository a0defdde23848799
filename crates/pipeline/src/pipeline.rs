//! One pipeline file, checked against contracts and connectors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sectorlake_connector::{Connector, Environment, MakeContext, Registry, SettingsError};
use sectorlake_contract::{Contract, Contracts, TableName};
use sectorlake_formats::FormatSpec;
use sectorlake_normalise::MappingError;
use serde_json::{Map, Value};

use crate::file::{Load, PipelineFile, ScheduleFile, TableFile, interval};
use crate::places::{Place, Places};
use crate::problem::{Problem, did_you_mean};
use crate::unquoted::unquoted;
use crate::yaml;

/// The key beside which a connector's settings stand.
const CONNECTOR: &str = "connector";

/// A pipeline file, read.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    /// The file's stem.
    pub(crate) name: String,
    /// The file, relative to the project.
    pub(crate) path: PathBuf,
    pub(crate) file: PipelineFile,
    pub(crate) places: Arc<Places>,
    text: Arc<str>,
}

/// Schemas that a session fills by itself: a table of such a name could never be asked.
const RESERVED_SCHEMAS: [&str; 2] = ["meta", "information_schema"];

impl Pipeline {
    pub(crate) fn read(root: &Path, name: &str, path: &Path) -> Result<Self, Vec<Problem>> {
        let text = std::fs::read_to_string(root.join(path)).map_err(|error| {
            vec![Problem::new(
                path,
                (0, 0),
                format!("cannot be read: {error}"),
            )]
        })?;
        let (file, places) = yaml::read(path, &text).map_err(|problem| vec![problem])?;
        Ok(Self {
            name: name.to_owned(),
            path: path.to_owned(),
            file,
            places: Arc::new(places),
            text: text.into(),
        })
    }

    /// Everything that can be said without asking the source.
    pub(crate) fn check(&self, contracts: &Contracts, registry: &Registry) -> Vec<Problem> {
        let mut problems = Vec::new();
        // A variable may be set where the pipeline runs and not where it is checked.
        let lenient: Environment = Arc::new(|_| Some("unset".to_owned()));
        problems.extend(self.connector(Path::new("."), registry, &lenient).err());
        problems.extend(self.format_problem());
        for (name, table) in self.file.tables.iter().flatten() {
            problems.extend(
                self.table(name, contracts)
                    .and_then(|contract| self.check_table(name, table.as_ref(), &contract))
                    .err(),
            );
        }
        problems.extend(self.check_limits());
        problems.extend(self.check_rules(contracts));
        problems
    }

    /// The connector, made from the settings.
    pub(crate) fn connector(
        &self,
        root: &Path,
        registry: &Registry,
        environment: &Environment,
    ) -> Result<Arc<dyn Connector>, Problem> {
        let (name, settings) = self.source()?;
        let Some(registration) = registry.get(name) else {
            let names: Vec<&str> = registry
                .iter()
                .map(|registration| registration.name())
                .collect();
            let help = registry
                .suggest(name)
                .map(|near| format!("did you mean `{near}`?"));
            let help = help.unwrap_or_else(|| format!("connectors are: {}", names.join(", ")));
            return Err(self
                .problem_at_value(
                    &["source", CONNECTOR],
                    format!("there is no connector `{name}`"),
                )
                .help(help));
        };
        let environment = Arc::clone(environment);
        let context = MakeContext::new(root, &self.name, move |name| environment(name));
        registration
            .make(settings, &context)
            .map_err(|error| self.setting(&error))
    }

    /// Secrets that stand in the file as they are, each a warning.
    pub(crate) fn plain_secrets(&self, registry: &Registry) -> Vec<Problem> {
        let Ok((name, settings)) = self.source() else {
            return Vec::new();
        };
        let registration = registry.get(name);
        let found = registration.map(|it| it.plain_secrets(&settings));
        let warning = |path: Vec<String>| {
            let steps = path.iter().map(String::as_str);
            let at: Vec<&str> = std::iter::once("source").chain(steps).collect();
            let message = format!("{}: a secret in plain text", path.join("."));
            self.problem_at_value(&at, message)
                .help("write ${env:NAME} or ${file:PATH}: many may read a pipeline's file, and its history")
                .secret()
        };
        found.into_iter().flatten().map(warning).collect()
    }

    fn source(&self) -> Result<(&str, Map<String, Value>), Problem> {
        let mut settings = self.file.source.clone();
        settings.remove(CONNECTOR);
        match self.file.source.get(CONNECTOR) {
            Some(Value::String(name)) => Ok((name, settings)),
            Some(_) => Err(self.problem_at_value(&["source", CONNECTOR], "`connector:` is a name")),
            None => Err(self.no_connector()),
        }
    }

    fn no_connector(&self) -> Problem {
        let message = "`connector:` is missing";
        let mut keys = self.file.source.keys().map(String::as_str);
        let misspelt = keys.find(|key| did_you_mean(key, [CONNECTOR]).is_some());
        match misspelt {
            Some(key) => self
                .problem_at_key(&["source", key], message)
                .help(format!("`{key}` should read `connector`")),
            None => self
                .problem_at_key(&["source"], message)
                .help("write, for instance, connector: file"),
        }
    }

    fn setting(&self, error: &SettingsError) -> Problem {
        let path: Vec<&str> = std::iter::once("source")
            .chain(error.path.iter().map(String::as_str))
            .collect();
        let key = error.key();
        let message = if key.is_empty() {
            error.message.clone()
        } else {
            format!("{key}: {}", error.message)
        };
        self.problem_at_key(&path, message)
            .maybe_help(error.help.clone())
    }

    /// The format of the source, where the file gives one.
    fn format_problem(&self) -> Option<Problem> {
        let format = self.file.source.get("format")?;
        let error = serde_json::from_value::<FormatSpec>(format.clone())
            .err()?
            .to_string();
        // serde tells "unknown field `a`, expected one of `b`, `c`": the names stand between the marks.
        let names: Vec<&str> = error.split('`').skip(1).step_by(2).collect();
        match names.as_slice() {
            [wrong, known @ ..] if error.starts_with("unknown field") => {
                let help = did_you_mean(wrong, known.iter().copied());
                let help = help.unwrap_or_else(|| format!("known here: {}", known.join(", ")));
                Some(
                    self.problem_at_key(
                        &["source", "format", wrong],
                        format!("unknown key `{wrong}`"),
                    )
                    .help(help),
                )
            }
            _ => Some(self.of_format(format, &error)),
        }
    }

    /// What is wrong with a format, at the value that is no text where there is one.
    pub(crate) fn of_format(&self, format: &Value, error: &str) -> Problem {
        let Some((path, written)) = unquoted(format, error) else {
            return self.problem_at_value(&["source", "format"], format!("format: {error}"));
        };
        let path: Vec<&str> = ["source", "format"]
            .into_iter()
            .chain(path.iter().map(String::as_str))
            .collect();
        let message = format!("format: a text is asked for here, and {written} is none");
        self.problem_at_value(&path, message)
            .help(format!("quote it: \"{written}\""))
    }

    /// The contract of a table that the file names.
    pub(crate) fn table(
        &self,
        name: &str,
        contracts: &Contracts,
    ) -> Result<Arc<Contract>, Problem> {
        let at = ["tables", name];
        let parsed: TableName = name
            .parse()
            .map_err(|error| self.problem_at_key(&at, format!("{error}")))?;
        if RESERVED_SCHEMAS.contains(&parsed.schema()) {
            let message = format!("the schema `{}` is sectorlake's own", parsed.schema());
            return Err(self
                .problem_at_key(&at, message)
                .help("give the table another schema"));
        }
        contracts.get(&parsed).cloned().ok_or_else(|| {
            let help = contracts
                .suggest(name)
                .map(|near| format!("did you mean `{near}`?"));
            let help = help.unwrap_or_else(|| {
                format!(
                    "put its contract at schemas/{}/{}.json",
                    parsed.schema(),
                    parsed.table()
                )
            });
            self.problem_at_key(&at, format!("there is no contract for table `{name}`"))
                .help(help)
        })
    }

    fn check_table(
        &self,
        name: &str,
        table: Option<&TableFile>,
        contract: &Contract,
    ) -> Result<(), Problem> {
        let Some(table) = table else { return Ok(()) };
        if table.load == Some(Load::Merge) && contract.primary_key.is_empty() {
            return Err(self
                .problem_at_value(
                    &["tables", name, "load"],
                    format!("load: merge needs a key, and {name} has none"),
                )
                .help("give its contract a primaryKey, or load: replace"));
        }
        let Some(slice) = &table.slice else {
            return Ok(());
        };
        if table.load.is_some_and(|load| load != Load::Replace) {
            return Err(self.problem_at_key(
                &["tables", name, "slice"],
                "a slice goes with load: replace",
            ));
        }
        if sectorlake_lake::slice_of(contract, slice).is_none() {
            return Err(self
                .problem_at_value(&["tables", name, "slice"], format!("{name} cannot be sliced by `{slice}`"))
                .help("name a field, or `month` or `year` of the date that the table is partitioned by"));
        }
        Ok(())
    }

    fn check_limits(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(share) = self
            .file
            .on_reject
            .as_ref()
            .and_then(|limits| limits.max_share)
            .filter(|share| !(0.0..=1.0).contains(share))
        {
            problems.push(
                self.problem_at_value(
                    &["on_reject", "max_share"],
                    format!("max_share {share} is no share"),
                )
                .help("write a number from 0 to 1"),
            );
        }
        problems.extend(
            self.file
                .schedule
                .as_ref()
                .and_then(|schedule| self.check_schedule(schedule)),
        );
        problems.extend(self.check_stale_after());
        problems.extend(self.feeds_nothing());
        problems.extend(self.waits_for_itself());
        problems
    }

    fn check_rules(&self, contracts: &Contracts) -> Vec<Problem> {
        let Some(limits) = &self.file.on_reject else {
            return Vec::new();
        };
        let named = self.file.tables.as_ref().map(|tables| {
            let names = tables.keys().filter_map(|name| name.parse().ok());
            names
                .filter_map(|name: TableName| contracts.get(&name))
                .map(Arc::as_ref)
                .collect::<Vec<&Contract>>()
        });
        let wrong = limits.problems(named.as_deref()).into_iter();
        wrong
            .map(|wrong| {
                self.problem_at_key(&["on_reject", "rules", &wrong.key], wrong.message)
                    .help(wrong.help)
            })
            .collect()
    }

    fn feeds_nothing(&self) -> Option<Problem> {
        let tables = self.file.tables.as_ref()?;
        tables.is_empty().then(|| {
            self.problem_at_key(&["tables"], "the pipeline feeds no table")
                .help("name a table, or leave `tables` out: then each stream with a default mapping feeds its own")
        })
    }

    fn waits_for_itself(&self) -> Option<Problem> {
        let index = self.file.after.iter().position(|name| *name == self.name)?;
        let path = ["after", &index.to_string()];
        Some(
            self.problem_at_value(&path, format!("`{}` waits for itself", self.name))
                .help("name other pipelines"),
        )
    }

    fn check_schedule(&self, schedule: &ScheduleFile) -> Option<Problem> {
        let problem = match (&schedule.cron, &schedule.every) {
            (Some(cron), None) if cron.split_whitespace().count() != 5 => self
                .problem_at_value(
                    &["schedule", "cron"],
                    format!("{cron:?} is no cron expression"),
                )
                .help("five fields: minute hour day month weekday, such as \"0 3 * * *\""),
            (None, Some(every)) if interval(every).is_none() => self
                .problem_at_value(&["schedule", "every"], format!("{every:?} is no interval"))
                .help("write a number and s, m, h or d, such as 15m"),
            (Some(_), None) | (None, Some(_)) => return self.check_time_zone(schedule),
            (Some(_), Some(_)) => {
                self.problem_at_key(&["schedule"], "a schedule is either `cron` or `every`")
            }
            (None, None) => {
                self.problem_at_key(&["schedule"], "a schedule needs `cron` or `every`")
            }
        };
        Some(problem)
    }

    fn check_stale_after(&self) -> Option<Problem> {
        let after = self.file.stale_after.as_deref()?;
        interval(after).is_none().then(|| {
            self.problem_at_value(&["stale_after"], format!("{after:?} is no interval"))
                .help("write a number and s, m, h or d, such as 2h")
        })
    }

    fn check_time_zone(&self, schedule: &ScheduleFile) -> Option<Problem> {
        let zone = schedule.time_zone.as_deref()?;
        zone.parse::<chrono_tz::Tz>().err()?;
        let message = format!("there is no time zone {zone:?}");
        Some(
            self.problem_at_value(&["schedule", "time_zone"], message)
                .help("write an IANA name, such as Asia/Ho_Chi_Minh"),
        )
    }

    /// Where line and column of the mapping of `table` stand in the file.
    pub(crate) fn place_in_map(&self, table: &str, within: Place) -> Place {
        let path = ["tables", table, "map"];
        crate::places::shifted(
            &self.text,
            self.places.key(&path),
            self.places.value(&path),
            within,
        )
    }

    /// What is wrong with the mapping of `table` that the file writes.
    pub(crate) fn problem_in_map(&self, table: &str, error: &MappingError) -> Problem {
        let place = error.place();
        let at = self.place_in_map(table, (place.line as usize, place.column as usize));
        Problem::new(&self.path, at, error.to_string()).maybe_help(error.help().map(str::to_owned))
    }

    pub(crate) fn problem_at_key(&self, path: &[&str], message: impl Into<String>) -> Problem {
        Problem::new(&self.path, self.places.key(path), message)
    }

    pub(crate) fn problem_at_value(&self, path: &[&str], message: impl Into<String>) -> Problem {
        Problem::new(&self.path, self.places.value(path), message)
    }

    /// Where the file says where the data come from.
    pub(crate) fn problem_at_address(&self, message: impl Into<String>) -> Problem {
        let key = ["path", "url"]
            .into_iter()
            .find(|key| self.file.source.contains_key(*key));
        match key {
            Some(key) => self.problem_at_value(&["source", key], message),
            None => self.problem_at_key(&["source"], message),
        }
    }

    /// Whether the source lies on this machine. A `path` beside a `url` goes on from that.
    pub(crate) fn is_local(&self) -> bool {
        let source = &self.file.source;
        source.contains_key("path") && !source.contains_key("url")
    }
}
