//! The command line as clap knows it: every command, flag and help text.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::output::Format;

/// What `--help` says of exit codes; the numbers live in [`crate::exit::Exit`].
const EXIT_CODES: &str = "\
Exit codes:
  0  all went well (also when a reader such as `head` closed the pipe)
  1  internal error: storage, network or a fault of sectorlake itself
  2  usage or configuration: a flag, a pipeline file, a contract, a statement
  3  some of the pipelines failed, the others are published
  4  all of the pipelines failed: their data or their sources (1, 2 or 5 where that is the reason of all)
  5  locked: another run of the same pipeline is under way
  6  breaking: `schema diff` found a contract that the next run would refuse
  130  interrupted by Ctrl-C";

/// What `schema diff --help` says of levels and codes.
const SCHEMA_DIFF_HELP: &str = "\
Levels:
  compatible  stored rows and files stay as they are
  widening    the next run migrates the table (a new optional field, a wider type); older snapshots still read
  breaking    the next run refuses the contract, unless the first number of its version is raised:
              then the new table is kept beside the old one

Exit codes:
  0  compatible, widening, or breaking under a new major version
  2  one of the two is no contract
  6  breaking: the next run would refuse it";

/// Turns the scattered datasets of a city's sectors into one lake that anyone can query.
#[derive(Debug, Parser)]
#[command(
    name = "sectorlake",
    version,
    after_help = EXIT_CODES,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The project: a folder with pipelines/ and schemas/ [default: here or the nearest parent that is one]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    /// Where the lake is: a folder or an object store's URL [default: lake/ in the project]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SECTORLAKE_LAKE",
        hide_env_values = true
    )]
    pub(crate) lake: Option<String>,
    /// How to log to stderr [default: progress bars on a terminal, text lines elsewhere]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorWhen,
    /// Print the answer as JSON, for a machine to read
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line of text per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always, also into a pipe.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run pipelines: fetch, check against the contract, load, publish one snapshot each
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Poll continuous sources (`schedule: { every: 30s }`) in the foreground and publish them in small batches, until Ctrl-C or SIGTERM
    #[command(after_help = EXIT_CODES)]
    Watch(WatchArgs),
    /// Show what a run would do, writing nothing: rows before and after, what would be rejected, migration, drift
    #[command(after_help = EXIT_CODES)]
    Plan(PlanArgs),
    /// Draft a pipeline from a look at its source
    #[command(subcommand)]
    New(NewCommand),
    /// List what a portal offers, by its catalogue (CKAN, Opendatasoft, Socrata, data.json, DCAT), and draft pipelines for what is chosen
    Discover(DiscoverArgs),
    /// List the connectors, or tell all of one: its settings and an example
    Connectors(ConnectorsArgs),
    /// Try pipelines' sources: connection, credentials, and what would come; nothing is loaded or written
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Ask the lake in SQL; without a statement, open a prompt
    Sql(SqlArgs),
    /// List the lake's tables: rows, sources, when updated, title
    Tables(ListArgs),
    /// Show a table: columns, types, units, classification, titles, keys, rows, sources, licence
    Describe(DescribeArgs),
    /// Show what stands in a table's columns: nulls, distinct values, bounds, mean, frequent values, mixed types
    Profile(ProfileArgs),
    /// Show which rows were rejected and why: reasons, counts, samples with file and row
    Rejected(RejectedArgs),
    /// List the lake's snapshots
    Snapshots(SnapshotsArgs),
    /// List the SQL functions for mappings and questions, or tell all of one
    Functions(FunctionsArgs),
    /// Check every pipeline, mapping and contract without running anything
    Validate,
    /// About contracts: what changes between two of them
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// About pipeline files
    #[command(subcommand)]
    Pipeline(PipelineCommand),
    /// Make a small working project: a contract, a pipeline, a sample file
    Init(InitArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
}

/// `sectorlake run`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["pipelines", "all"]))]
pub(crate) struct RunArgs {
    /// The pipelines to run: names of files in pipelines/ without .yaml
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    /// Run every pipeline of the project
    #[arg(long)]
    pub(crate) all: bool,
    /// Take in a corrected export of rejected rows (.xlsx or .csv): into what is published, or, where the latest run failed, with what the source has now
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    pub(crate) fix: Option<PathBuf>,
    /// With --fix: who corrected it [default: the user of this machine, with its name]
    #[arg(long, value_name = "NAME", requires = "fix")]
    pub(crate) by: Option<String>,
    /// Record every exchange with sources over HTTP in a new folder, without secrets; an empty lake records all that there is
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    pub(crate) record: Option<PathBuf>,
    /// Take the answers of sources from a recording; the network is not touched, and connectors see the time of the recording
    #[arg(long, value_name = "DIR")]
    pub(crate) replay: Option<PathBuf>,
}

/// `sectorlake watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The pipelines to watch [default: all whose schedule says `every`]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
}

/// `sectorlake plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The pipelines to try out [default: all]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    /// Rows to show of each table, before and after, and samples of each broken rule
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) rows: u16,
    /// Take the answers of sources from a recording that `run --record` made
    #[arg(long, value_name = "DIR")]
    pub(crate) replay: Option<PathBuf>,
}

/// `sectorlake new`.
#[derive(Debug, Subcommand)]
pub(crate) enum NewCommand {
    /// Look at a file, folder, archive or address: guess format, columns and table, and write pipelines/SECTOR/NAME.yaml
    Source(NewSourceArgs),
}

/// `sectorlake discover`.
#[derive(Debug, Args)]
pub(crate) struct DiscoverArgs {
    /// A portal, or a catalogue itself: `https://data.example.org`, `https://example.org/catalog.ttl`
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Only datasets in whose title, description, keywords or publisher these words stand
    #[arg(long, value_name = "WORDS")]
    pub(crate) search: Option<String>,
    /// Datasets, at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Draft a pipeline for the dataset of this id into pipelines/drafts/; may be given several times
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(crate) write: Vec<String>,
    /// A header that the portal wants, such as 'Authorization: ${env:PORTAL_KEY}'; may be given several times
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `sectorlake new source`.
#[derive(Debug, Args)]
pub(crate) struct NewSourceArgs {
    /// An http(s) address, a database (postgres://…, mysql://…), a file, a folder or a glob
    #[arg(value_name = "URL-or-FILE")]
    pub(crate) location: String,
    /// The pipeline's name [default: after the file]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The table to feed [default: the shared table that fits best, else a new one]
    #[arg(long, value_name = "SCHEMA.TABLE")]
    pub(crate) table: Option<String>,
    /// How the source is read, as `format:` in a pipeline file: csv, or '{ name: csv, delimiter: ";" }'
    /// [default: guessed from content and name]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// The folder under pipelines/ [default: the table's schema]
    #[arg(long, value_name = "SECTOR")]
    pub(crate) sector: Option<String>,
}

/// How an answer is written.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OutputArgs {
    /// How to print the answer [default: table, or what the name after -o ends in]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Write the answer to a file: it appears under its name only once it is whole
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Which state of the lake to read.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AtArgs {
    /// Read the lake as it was: a snapshot's number, a date (the end of that day in UTC) or an instant (RFC 3339)
    #[arg(long, value_name = "N|DATE")]
    pub(crate) snapshot: Option<String>,
}

/// `sectorlake sql`.
#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// The statement; several are separated by `;`
    #[arg(value_name = "SQL", conflicts_with = "file")]
    pub(crate) sql: Option<String>,
    /// Read the statements from a file (`-`: from standard input)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// `sectorlake tables`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// `sectorlake connectors`.
#[derive(Debug, Args)]
pub(crate) struct ConnectorsArgs {
    /// The connector
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// `sectorlake check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The pipelines whose sources are tried
    #[arg(value_name = "PIPELINE", required = true)]
    pub(crate) pipelines: Vec<String>,
}

/// `sectorlake functions`.
#[derive(Debug, Args)]
pub(crate) struct FunctionsArgs {
    /// The function
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// `sectorlake describe`.
#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    /// The table, as schema.table
    #[arg(value_name = "TABLE")]
    pub(crate) table: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// `sectorlake profile`.
#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// The table, as schema.table
    #[arg(value_name = "TABLE")]
    pub(crate) table: String,
    /// The profile of this run [default: the latest published run of each pipeline that feeds it]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `sectorlake rejected`.
#[derive(Debug, Args)]
pub(crate) struct RejectedArgs {
    /// Only rows of these pipelines
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    /// Rows of this run [default: the latest run of each pipeline that judged rows, published or failed]
    #[arg(long, value_name = "RUN", conflicts_with = "all_runs")]
    pub(crate) run: Option<String>,
    /// Rows of every run
    #[arg(long)]
    pub(crate) all_runs: bool,
    /// One line per rejected field instead of the summary (as in an export with -o)
    #[arg(long)]
    pub(crate) rows: bool,
    /// Write the latest run's rows as a spreadsheet in the source's own columns, to be corrected and taken in with run --fix: .xlsx or .csv. It holds personal values, which are masked everywhere else: hand it to the data's owner alone
    #[arg(
        long,
        value_name = "FILE",
        requires = "pipelines",
        conflicts_with_all = ["run", "all_runs", "rows", "format", "output"]
    )]
    pub(crate) export: Option<PathBuf>,
    /// With --export: the language of the reasons [default: that of the locale]
    #[arg(long, value_name = "LANGUAGE", requires = "export")]
    pub(crate) language: Option<ReasonLanguage>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// A language that reasons are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReasonLanguage {
    /// Vietnamese
    Vi,
    /// English
    En,
}

/// `sectorlake snapshots`.
#[derive(Debug, Args)]
pub(crate) struct SnapshotsArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `sectorlake schema`.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Tell what changes between two contracts: compatible, widening or breaking, field by field
    #[command(after_help = SCHEMA_DIFF_HELP)]
    Diff(SchemaDiffArgs),
}

/// `sectorlake schema diff`.
#[derive(Debug, Args)]
pub(crate) struct SchemaDiffArgs {
    /// The contract as it was: a file, a folder of contracts, schema.table, or builtin:schema.table
    #[arg(value_name = "OLD")]
    pub(crate) old: String,
    /// The contract as it is to be, or a folder if OLD is one
    #[arg(value_name = "NEW")]
    pub(crate) new: String,
}

/// `sectorlake pipeline`.
#[derive(Debug, Subcommand)]
pub(crate) enum PipelineCommand {
    /// Print the JSON Schema of pipeline files, for editors to complete and check them
    Schema,
}

/// `sectorlake init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder to make; it may exist but must be empty
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// `sectorlake completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_command() {
        for line in [
            "sectorlake --lake s3://b/x tables --json",
            "sectorlake tables --lake s3://b/x --json",
        ] {
            let cli = parse(line).unwrap();
            assert_eq!(cli.global.lake.as_deref(), Some("s3://b/x"), "{line}");
            assert!(cli.global.json, "{line}");
        }
    }

    #[test]
    fn run_wants_names_or_all_but_not_both() {
        assert!(parse("sectorlake run").is_err());
        assert!(parse("sectorlake run a --all").is_err());
        assert!(parse("sectorlake run --all").is_ok());
        assert!(matches!(
            parse("sectorlake run a b").unwrap().command,
            Command::Run(RunArgs { pipelines, all: false, .. }) if pipelines == ["a", "b"]
        ));
    }

    #[test]
    fn help() {
        let mut command = Cli::command().term_width(100);
        command.build();
        insta::assert_snapshot!(command.render_help().to_string());
        for name in ["run", "sql", "rejected"] {
            let help = command.find_subcommand_mut(name).unwrap().render_help();
            insta::assert_snapshot!(format!("{name}_help"), help.to_string());
        }
    }
}
