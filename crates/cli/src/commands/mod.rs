//! One file a command.

mod check;
mod completions;
mod connectors;
mod describe;
mod discover;
mod export;
mod functions;
mod init;
mod list;
mod new_source;
mod pipeline_schema;
mod plan;
mod profile;
mod rejected;
mod run;
mod schema_diff;
mod sql;
mod validate;
mod watch;

pub(crate) use self::describe::describe;
use crate::args::{Command, NewCommand, PipelineCommand, SchemaCommand};
use crate::context::Context;
use crate::exit::{Exit, Failure};

/// Does what the command line asks.
///
/// # Errors
/// What the command could not do.
pub(crate) fn dispatch(context: &Context, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => run::run(context, args),
        Command::Watch(args) => watch::run(context, args),
        Command::Plan(args) => plan::run(context, args),
        Command::New(NewCommand::Source(args)) => new_source::run(context, args),
        Command::Discover(args) => discover::run(context, args),
        Command::Sql(args) => sql::run(context, args),
        Command::Tables(args) => list::tables(context, args),
        Command::Describe(args) => describe::run(context, args),
        Command::Profile(args) => profile::run(context, args),
        Command::Rejected(args) => rejected::run(context, args),
        Command::Snapshots(args) => list::snapshots(context, args),
        Command::Connectors(args) => connectors::run(context, args),
        Command::Check(args) => check::run(context, args),
        Command::Functions(args) => functions::run(context, args),
        Command::Validate => validate::run(context),
        Command::Schema(SchemaCommand::Diff(args)) => schema_diff::run(context, args),
        Command::Pipeline(PipelineCommand::Schema) => pipeline_schema::run(),
        Command::Init(args) => init::run(args),
        Command::Completions(args) => completions::run(args),
    }
}
