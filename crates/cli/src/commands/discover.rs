//! `sectorlake discover`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use sectorlake_connector::catalogue::{Dataset, Listing, Unusable, Wanted, discover};
use sectorlake_connector::{
    ErrorKind, Io, MakeContext, Registry, SettingsError, Sight, SourceUrl, UrlSetting, nearest,
};
use sectorlake_pipeline::{Draft, DraftRequest, Project, Told, draft, pipeline_name};
use serde_json::{Map, Value, json};

use super::new_source;
use crate::answer::{output_failure, say};
use crate::args::DiscoverArgs;
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::output::{Format, print_batch};
use crate::{environment, registry, report};

/// The folder of drafts.
const DRAFTS: &str = "drafts";
/// Letters of a text that a drawn table shows.
const SHOWN: usize = 60;

/// Lists what a portal offers, or drafts pipelines for what is chosen of it.
///
/// # Errors
/// The portal has no catalogue, or a draft cannot be made.
pub(crate) fn run(context: &Context, args: &DiscoverArgs) -> Result<Exit, Failure> {
    let env = environment::of_this_process();
    let variables = environment::variables();
    let asking = MakeContext::new(".", "discover", move |name| variables(name));
    let url = UrlSetting::new(&args.url)
        .resolve(&[], &asking)
        .map_err(|error| usage(&error))?;
    let wanted = Wanted {
        search: args.search.clone(),
        datasets_max: args.limit as usize,
    };
    block_on(async {
        let io = Io::new(environment::http()?, env.clock.now());
        let asked = Asked {
            url: &url,
            headers: headers(&args.header)?,
            context: &asking,
        };
        let listing = asked.listing(&wanted, &io).await?;
        for note in io.take_notes() {
            // What cannot be told on stderr is no reason to fail.
            let _ = writeln!(std::io::stderr().lock(), "note: {note}");
        }
        match args.write.is_empty() {
            true => show(context, args, &listing),
            false => write(context, args, (&listing, &url), &io).await,
        }
    })
}

fn usage(error: &SettingsError) -> Failure {
    Failure::from_error(Exit::Usage, error).maybe_help(error.help.clone())
}

/// Headers as they are typed: `name: value`.
fn headers(lines: &[String]) -> Result<Map<String, Value>, Failure> {
    let header = |line: &String| {
        let (name, value) = line.split_once(':').ok_or_else(|| {
            // What was meant as its value may be a secret.
            Failure::new(Exit::Usage, "--header has no `:`")
                .help("write --header 'Name: ${env:VARIABLE}'")
        })?;
        Ok((name.trim().to_owned(), value.trim().into()))
    };
    lines.iter().map(header).collect()
}

/// A portal, and how it is asked.
struct Asked<'a> {
    url: &'a SourceUrl,
    headers: Map<String, Value>,
    context: &'a MakeContext,
}

impl Asked<'_> {
    /// What the portal offers. Whoever typed the address means it, also where it lies in a private network.
    async fn listing(&self, wanted: &Wanted, io: &Io) -> Result<Listing, Failure> {
        let catalogues = registry::catalogues();
        let asking = self.io(io, false)?;
        let listing = match discover(&catalogues, self.url, wanted, &asking).await {
            Err(error) if error.kind == ErrorKind::PrivateNetwork => {
                discover(&catalogues, self.url, wanted, &self.io(io, true)?).await
            }
            other => other,
        };
        listing.map_err(|error| {
            let help = error.help.clone();
            Failure::from_error(Exit::AllFailed, &error).maybe_help(help)
        })
    }

    fn io(&self, io: &Io, reaches_own_host: bool) -> Result<Io, Failure> {
        let mut settings = Map::new();
        settings.insert("headers".to_owned(), self.headers.clone().into());
        if reaches_own_host {
            let host = self.url.expose().host_str().unwrap_or_default();
            settings.insert("allow_private".to_owned(), json!([host]));
        }
        io.with_settings(settings, self.context)
            .map_err(|error| usage(&error))
    }
}

fn show(context: &Context, args: &DiscoverArgs, listing: &Listing) -> Result<Exit, Failure> {
    let destination = context.destination(&args.output);
    if destination.format == Format::Json {
        crate::answer::write_text(&format!("{:#}\n", document(listing)), &destination)?;
        return Ok(Exit::Ok);
    }
    let is_drawn = destination.format == Format::Table;
    let batch = table(listing, is_drawn)?;
    print_batch(&destination, &context.terminal, &batch).map_err(output_failure)?;
    if is_drawn && destination.file.is_none() {
        say(&told(listing))?;
    }
    Ok(Exit::Ok)
}

fn document(listing: &Listing) -> serde_json::Value {
    let dataset = |dataset: &Dataset| {
        let mut value = json!(dataset);
        value["formats"] = json!(dataset.formats());
        value["source"] = json!(dataset.best_source());
        value
    };
    let datasets: Vec<_> = listing.datasets.iter().map(dataset).collect();
    json!({
        "catalogue": listing.catalogue, "url": listing.url, "is_cut": listing.is_cut, "datasets": datasets,
    })
}

fn told(listing: &Listing) -> String {
    let count = listing.datasets.len();
    let more = if listing.is_cut {
        ", and there are more: `--limit N` takes them"
    } else {
        ""
    };
    let unusable: String = listing.datasets.iter().flat_map(not_used).collect();
    format!(
        "{count} {} of {} ({}){more}.\n{unusable}Next: `sectorlake discover … --write ID` drafts a pipeline into pipelines/{DRAFTS}/.\n",
        if count == 1 { "dataset" } else { "datasets" },
        listing.url,
        listing.catalogue
    )
}

/// A line for each address of a dataset that is not used.
fn not_used(dataset: &Dataset) -> impl Iterator<Item = String> {
    dataset.unusable.iter().map(|unusable| {
        format!(
            "{}: {:?} is not used: {}\n",
            dataset.id, unusable.url, unusable.reason
        )
    })
}

/// A row for each dataset; whoever looks at a drawn one wants it to fit.
fn table(listing: &Listing, is_drawn: bool) -> Result<RecordBatch, Failure> {
    type Cell = fn(&Dataset) -> Option<String>;
    let columns: [(&str, Cell); 7] = [
        ("id", |it| Some(it.id.clone())),
        ("title", |it| Some(it.title.clone())),
        ("publisher", |it| it.publisher.clone()),
        ("licence", |it| it.licence.clone()),
        ("modified", |it| it.modified.clone()),
        ("formats", |it| Some(it.formats().join(" "))),
        ("url", |it| {
            it.page
                .clone()
                .or_else(|| it.best_source().map(str::to_owned))
        }),
    ];
    let fit = |name: &str, text: String| match is_drawn {
        // An id is typed, an address opened: both must stand whole.
        true if !matches!(name, "id" | "url") => cut(&text),
        _ => text,
    };
    let array = |(name, cell): &(&str, Cell)| -> ArrayRef {
        let cells = listing
            .datasets
            .iter()
            .map(|dataset| cell(dataset).map(|text| fit(name, text)));
        Arc::new(cells.collect::<StringArray>())
    };
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, _)| Field::new(*name, DataType::Utf8, true))
        .collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns.iter().map(array).collect(),
    )
    .map_err(|error| Failure::new(Exit::Internal, error.to_string()))
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}

/// Drafts a pipeline for each dataset that is chosen. One that cannot be drafted does not keep the others from it.
async fn write(
    context: &Context,
    args: &DiscoverArgs,
    (listing, url): (&Listing, &SourceUrl),
    io: &Io,
) -> Result<Exit, Failure> {
    let root = context.project_root()?;
    let registry = registry::all();
    let datasets = args.write.iter().map(|id| chosen(listing, id));
    let datasets = datasets.collect::<Result<Vec<_>, _>>()?;
    let (mut documents, mut failures) = (Vec::new(), Vec::new());
    for dataset in &datasets {
        // What the last one wrote is part of the project.
        let (project, _) = Project::load(&root, &registry);
        let drafting = Drafting {
            project: &project,
            registry: &registry,
            host: url.expose().host_str().unwrap_or_default(),
            io,
        };
        match drafting.written(dataset, &root).await {
            Ok(Written::Before(path)) if context.global.json => documents.push(json!({
                "dataset": dataset.id, "drafted_already": path.display().to_string(), "files": [],
            })),
            Ok(Written::Before(path)) => say(&format!(
                "{}: {}\nthis dataset is drafted already: {}\n",
                dataset.id,
                dataset.title,
                path.display()
            ))?,
            Ok(Written::Now(drafted)) if context.global.json => {
                documents.push(new_source::document(&drafted));
            }
            Ok(Written::Now(drafted)) => {
                say(&format!(
                    "{}: {}\n{}",
                    dataset.id,
                    dataset.title,
                    new_source::told(&drafted)
                ))?;
            }
            Err(failure) => failures.push(failure),
        }
    }
    if context.global.json {
        say(&format!("{:#}\n", Value::from(documents)))?;
    }
    let all_failed = failures.len() == datasets.len();
    let last = failures.pop();
    if all_failed && let Some(failure) = last {
        return Err(failure);
    }
    let exit = if last.is_none() {
        Exit::Ok
    } else {
        Exit::SomeFailed
    };
    let look = context.errors();
    let told: String = failures
        .iter()
        .chain(&last)
        .map(|failure| report::render(failure, look))
        .collect();
    // What cannot be told on stderr is in the exit code.
    let _ = std::io::stderr().lock().write_all(told.as_bytes());
    Ok(exit)
}

fn chosen<'a>(listing: &'a Listing, id: &str) -> Result<&'a Dataset, Failure> {
    listing
        .datasets
        .iter()
        .find(|dataset| dataset.id == id)
        .ok_or_else(|| {
            let ids = listing.datasets.iter().map(|dataset| dataset.id.as_str());
            let help = match nearest(id, ids) {
                Some(near) => format!("did you mean {near:?}?"),
                None => "`sectorlake discover URL` lists the ids".to_owned(),
            };
            Failure::new(
                Exit::Usage,
                format!("the catalogue lists no dataset {id:?}"),
            )
            .help(help)
        })
}

struct Drafting<'a> {
    project: &'a Project,
    registry: &'a Registry,
    /// The portal's own.
    host: &'a str,
    io: &'a Io,
}

/// What became of a dataset that was chosen.
enum Written {
    /// It is drafted.
    Now(Draft),
    /// A draft of an earlier time reads the same source.
    Before(PathBuf),
}

impl Drafting<'_> {
    async fn written(&self, dataset: &Dataset, root: &Path) -> Result<Written, Failure> {
        let drafted = self.draft(dataset).await?;
        if let Some(path) = drafted.twin(self.project) {
            return Ok(Written::Before(path));
        }
        drafted
            .write(root)
            .map_err(|error| new_source::fault(&error))?;
        Ok(Written::Now(drafted))
    }

    async fn draft(&self, dataset: &Dataset) -> Result<Draft, Failure> {
        let Some(location) = source(self.registry, dataset) else {
            if let Some(unusable) = dataset.unusable.first() {
                return Err(refused(dataset, unusable));
            }
            let message = format!("{}: the catalogue names no address of its data", dataset.id);
            return Err(Failure::new(Exit::AllFailed, message)
                .help("open its page; what is there by hand is for `sectorlake new source`"));
        };
        let name = name(dataset, &self.project.names());
        let here = std::env::current_dir().unwrap_or_default();
        let request = DraftRequest {
            project: self.project,
            registry: self.registry,
            io: self.io.clone(),
            environment: environment::variables(),
            here: &here,
            location: &location,
            name: Some(&name),
            table: None,
            format: None,
            sector: Some(DRAFTS),
            told: Told {
                title: Some(&dataset.title),
                licence: dataset.licence.as_deref(),
                host: Some(self.host),
            },
        };
        draft(&request)
            .await
            .map_err(|error| new_source::fault(&error))
    }
}

/// Why nothing is drafted where a catalogue names nothing that is used.
fn refused(dataset: &Dataset, unusable: &Unusable) -> Failure {
    let message = format!(
        "{}: the catalogue names {:?}, which is not used: {}",
        dataset.id, unusable.url, unusable.reason
    );
    Failure::new(Exit::AllFailed, message)
        .help("if you trust it, draft from the address yourself: `sectorlake new source ADDRESS`")
}

/// The address that a pipeline is best drafted from: the portal's own, else a service that a connector is made for, else the best
/// file.
fn source(registry: &Registry, dataset: &Dataset) -> Option<String> {
    let is_service = |url: &&str| {
        let sight = Sight {
            location: url,
            members: &[],
            head: &[],
        };
        registry
            .claim(&sight)
            .is_some_and(|(_, claim)| claim.is_own)
    };
    let mut urls = dataset
        .distributions
        .iter()
        .map(|distribution| distribution.url.as_str());
    let service = || urls.find(is_service);
    let best = dataset
        .source
        .as_deref()
        .or_else(service)
        .or_else(|| dataset.best_source());
    best.map(str::to_owned)
}

/// A pipeline's name: the dataset's title, else its id, and a number where that is taken.
fn name(dataset: &Dataset, taken: &[String]) -> String {
    let plain = pipeline_name(&dataset.title).or_else(|| pipeline_name(&dataset.id));
    let plain = plain.unwrap_or_else(|| "dataset".to_owned());
    let mut name = plain.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{plain}-{number}");
        number += 1;
    }
    name
}
