//! `rest`: any source that answers over HTTP in JSON, CSV or XML; the pipeline's file alone says how it is asked.
//!
//! Reference: HTTP semantics, <https://www.rfc-editor.org/rfc/rfc9110>; links between pages,
//! <https://www.rfc-editor.org/rfc/rfc8288>. What pages look like, and how newer records are asked for, is the SDK's `paging:` and
//! `incremental:`.

mod call;
mod partitions;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Registration,
    SettingsError, Slice, SourceUrl, Stream,
};
use serde_json::{Value, json};

use call::Call;
use partitions::Partitions;
use settings::{Settings, StreamSettings};

/// What stands in an address, a query or a body for the partition that is fetched.
const PARTITION: &str = "partition";
/// Where the records are that nobody says the place of: in the only list of an answer.
const ONLY_LIST: &str = "*";
/// The stream of a source that names none.
const ONLY: &str = "records";

pub(crate) fn registration() -> Registration {
    Registration::of(
        "rest",
        "Any source over HTTP in JSON, CSV or XML, described by the pipeline's file: pages, marks, partitions.",
        make,
    )
    .over_http()
    .with_example(include_str!("rest/example.yaml"))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let base = settings.url.resolve(&["url"], context)?;
    let common = settings.common;
    let streams = match settings.streams.is_empty() {
        true => vec![RestStream::new(ONLY, common, &base, &[], context)?],
        false => settings
            .streams
            .into_iter()
            .map(|(name, own)| {
                let own = own.over(&common);
                RestStream::new(&name, own, &base, &["streams", &name], context)
            })
            .collect::<Result<_, _>>()?,
    };
    Ok(Arc::new(Rest { streams }))
}

struct Rest {
    streams: Vec<RestStream>,
}

struct RestStream {
    name: String,
    format: Value,
    call: Call,
    partitions: Option<Partitions>,
}

impl RestStream {
    /// `at` leads to the stream's settings, for the errors.
    fn new(
        name: &str,
        settings: StreamSettings,
        base: &SourceUrl,
        at: &[&str],
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let format = format(settings.format.as_ref(), settings.records.as_deref());
        let partitions = settings.partitions.as_ref();
        let partitions = partitions
            .map(|it| Partitions::new(it, base, context))
            .transpose();
        let below = |error| under(at, error);
        let partitions = partitions.map_err(below)?;
        let kind = format
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let call = Call::new(settings, base, &kind, context).map_err(below)?;
        if partitions.is_some() != call.has_place() {
            return Err(below(match partitions {
                Some(_) => SettingsError::of_key("partitions", "are asked for nowhere").with_help(
                    "write `{partition}` in `url`, `query` or `body`, where the value of each goes",
                ),
                None => SettingsError::of_key(
                    "partitions",
                    "is missing, and `{partition}` is asked for",
                )
                .with_help("say which there are: `partitions: [a, b]`"),
            }));
        }
        Ok(Self {
            name: name.to_owned(),
            format,
            call,
            partitions,
        })
    }
}

/// The format with the place of the records in it, as a pipeline's file would write it.
fn format(declared: Option<&Value>, records: Option<&str>) -> Value {
    let mut format = match declared {
        None => json!({ "name": "json" }),
        Some(Value::String(name)) => json!({ "name": name }),
        Some(other) => other.clone(),
    };
    let records = match (format["name"].as_str(), records) {
        (Some("json"), None) => Some(ONLY_LIST),
        (Some("json" | "xml"), records) => records,
        _ => None,
    };
    if let (Some(records), Some(format)) = (records, format.as_object_mut()) {
        format
            .entry("record_path")
            .or_insert_with(|| records.into());
    }
    format
}

/// An error of a stream's own settings.
fn under(at: &[&str], error: SettingsError) -> SettingsError {
    let mut path: Vec<String> = at.iter().map(|&step| step.to_owned()).collect();
    path.extend(error.path.clone());
    SettingsError { path, ..error }
}

impl Rest {
    fn stream(&self, unit: &str) -> Result<&RestStream, ConnectorError> {
        let found = self.streams.iter().find(|stream| stream.name == unit);
        found.ok_or_else(|| {
            ConnectorError::new(
                ErrorKind::NotFound,
                format!("the source has no stream {unit:?}"),
            )
        })
    }
}

#[async_trait]
impl Connector for Rest {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let stream = |of: &RestStream| {
            let mut stream = Stream::new(of.name.as_str(), of.name.as_str());
            stream.format = Some(of.format.clone());
            stream.reads = of.call.reads();
            stream
        };
        Ok(self.streams.iter().map(stream).collect())
    }

    async fn partitions(&self, unit: &str, io: &Io) -> Result<Vec<String>, ConnectorError> {
        match &self.stream(unit)?.partitions {
            Some(partitions) => partitions.list(io).await,
            None => Ok(Vec::new()),
        }
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let stream = self.stream(slice.unit)?;
        stream.call.fetch(slice.partition, cursor, io).await
    }
}

#[cfg(test)]
mod tests;
