//! A raw part, opened: its columns, and streams of its records.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::ObjectStore;
use object_store::path::Path;

use crate::choice::Choice;
use crate::content::Content;
use crate::decoded::Decoded;
use crate::error::FormatError;
use crate::guess::{guess, is_zip};
use crate::options::ReadOptions;
use crate::spec::FormatSpec;
use crate::table::PartTable;
use crate::{
    archive, avro, composed, csv, fixed, gtfs_realtime, html, json, netex, parquet, sdmx_json,
    siri, workbook, xml,
};

/// Bytes that a format is guessed from.
const GUESS_BYTES: usize = 64 << 10;

/// Where a raw part's bytes lie.
#[derive(Debug, Clone)]
pub struct PartBytes {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// The place in it.
    pub path: Path,
    /// How many there are.
    pub size: u64,
    /// How messages name it: a file name or URL.
    pub name: String,
}

/// Streams of one part; each record comes out of exactly one.
pub(crate) type Streams = Vec<BoxStream<'static, Result<Decoded, FormatError>>>;

/// One format's way to read one part.
pub(crate) trait Source: fmt::Debug + Send + Sync {
    fn schema(&self) -> SchemaRef;
    /// What was chosen where it is not declared, and why.
    fn choices(&self) -> &[Choice] {
        &[]
    }
    /// `declared`, with what was found out written into it, so that the same part reads the same by it.
    fn detected(&self, declared: &FormatSpec) -> FormatSpec {
        declared.clone()
    }
    /// Whether numbers of records are places in the part, with gaps where no record stands.
    fn numbers_have_gaps(&self) -> bool {
        false
    }
    /// Whether what is read is composed already (NFC).
    fn composes(&self) -> bool {
        false
    }
    fn partitions(&self) -> usize;
    /// `projection` holds valid indices only. As many streams as there are partitions.
    fn read(&self, projection: &[usize]) -> Streams;
}

/// A part, opened: its header is read, its records are not.
#[derive(Debug, Clone)]
pub struct Part {
    name: String,
    format: FormatSpec,
    source: Arc<dyn Source>,
    /// The choice of the format itself comes first.
    choices: Vec<Choice>,
}

/// Opens a part, or one member of it. Without a `format` it is guessed.
///
/// # Errors
/// [`FormatError`] when there is no such member, the format is not known or the part's beginning does not fit it.
pub async fn open(
    part: &PartBytes,
    member: Option<&str>,
    format: Option<&FormatSpec>,
    options: &ReadOptions,
) -> Result<Part, FormatError> {
    let content = Content::find(part, member, options).await?;
    let mut choices = Vec::new();
    if let Some(packing) = content.packing {
        choices.push(Choice::new(
            Choice::COMPRESSION,
            packing.name(),
            "by its first bytes",
        ));
    }
    let format = match format {
        Some(format) => format.clone(),
        None => {
            let guessed = guessed(&content).await?;
            choices.push(Choice::new(
                Choice::FORMAT,
                guessed.name(),
                "by content and name",
            ));
            guessed
        }
    };
    let name = content.name.clone();
    let source = source(content, &format).await?;
    choices.extend_from_slice(source.choices());
    Ok(Part {
        name,
        format,
        source,
        choices,
    })
}

/// The format by content and name.
pub(crate) async fn guessed(content: &Content) -> Result<FormatSpec, FormatError> {
    let head = content.head(GUESS_BYTES).await?;
    // A workbook is an archive: its directory tells, and its beginning only where that cannot be read.
    if is_zip(&head)
        && content.is_plain()
        && let Ok(members) = archive::members(&content.part, &content.options).await
    {
        return workbook::of_members(&members).ok_or_else(|| unknown(content.name.clone(), &head));
    }
    guess(&content.name, &head).ok_or_else(|| unknown(content.name.clone(), &head))
}

/// The one place that knows which module reads which format.
async fn source(content: Content, format: &FormatSpec) -> Result<Arc<dyn Source>, FormatError> {
    Ok(match format {
        FormatSpec::Csv(format) => Arc::new(csv::open(content, format).await?),
        FormatSpec::Fixed(format) => Arc::new(fixed::open(content, format).await?),
        FormatSpec::Json(format) => {
            Arc::new(json::open(content, json::Shape::document(format)).await?)
        }
        FormatSpec::Ndjson(format) => {
            Arc::new(json::open(content, json::Shape::lines(format)).await?)
        }
        FormatSpec::Geojson(_) => Arc::new(json::open(content, json::Shape::Features).await?),
        FormatSpec::EsriJson(format) => {
            Arc::new(json::open(content, json::Shape::Esri(format.clone())).await?)
        }
        FormatSpec::SdmxJson(_) => Arc::new(sdmx_json::open(content).await?),
        FormatSpec::NgsiLd(_) => Arc::new(json::open(content, json::Shape::Entities).await?),
        FormatSpec::Xlsx(format) | FormatSpec::Xls(format) | FormatSpec::Ods(format) => {
            Arc::new(workbook::open(content, format).await?)
        }
        FormatSpec::Gml(format) => Arc::new(xml::open_gml(content, format).await?),
        FormatSpec::Xml(format) => Arc::new(xml::open(content, format).await?),
        FormatSpec::GtfsRealtime(format) => Arc::new(gtfs_realtime::open(content, format).await?),
        FormatSpec::Html(format) => Arc::new(html::open(content, format).await?),
        FormatSpec::Siri(format) => Arc::new(siri::open(content, format).await?),
        FormatSpec::Netex(format) => Arc::new(netex::open(content, format).await?),
        FormatSpec::Avro(_) => Arc::new(avro::open(content).await?),
        FormatSpec::Parquet(_) => Arc::new(parquet::open(content).await?),
    })
}

/// A stream whose texts are composed.
fn composing(
    name: &str,
    stream: BoxStream<'static, Result<Decoded, FormatError>>,
) -> BoxStream<'static, Result<Decoded, FormatError>> {
    let name = name.to_owned();
    let compose = move |decoded: Result<Decoded, FormatError>| {
        let Decoded {
            batch,
            rows,
            broken,
            dropped,
        } = decoded?;
        let batch = composed::batch(batch).map_err(|source| FormatError::Arrow {
            name: name.clone(),
            source,
        })?;
        Ok(Decoded {
            batch,
            rows,
            broken,
            dropped,
        })
    };
    stream.map(compose).boxed()
}

/// What the bytes are instead.
fn unknown(name: String, head: &[u8]) -> FormatError {
    let text = head
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(head)
        .trim_ascii_start();
    if is_zip(head) {
        FormatError::IsArchive { name }
    } else if text.starts_with(b"<") {
        FormatError::Markup { name }
    } else {
        FormatError::UnknownFormat { name }
    }
}

impl Part {
    /// How messages name it: with `!member` inside an archive.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns, without `_row`. Text formats have `Utf8View` text; JSON, GeoJSON and Parquet columns may be null.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.source.schema()
    }

    /// What was chosen where it is not declared (format, encoding, delimiter, sheet …), and why.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// The format, with what was found out written into it, so that the same part reads the same by it.
    #[must_use]
    pub fn format(&self) -> FormatSpec {
        self.source.detected(&self.format)
    }

    /// Whether records are numbered by their place (the row of a sheet or table), so that numbers have gaps; else they count from 1.
    #[must_use]
    pub fn numbers_have_gaps(&self) -> bool {
        self.source.numbers_have_gaps()
    }

    /// How many streams [`Part::read`] gives.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.source.partitions()
    }

    /// Reads the columns of `projection` (indices of [`Part::schema`]): [`Part::partitions`] streams that share one scan. Each record
    /// comes out of exactly one of them. Poll them from separate tasks, inside a Tokio runtime. An error ends all of them and comes
    /// out of one.
    #[must_use]
    pub fn read(&self, projection: &[usize]) -> Streams {
        let columns = self.schema().fields().len();
        if let Some(&index) = projection.iter().find(|&&index| index >= columns) {
            let error = FormatError::Projection {
                name: self.name.clone(),
                index,
                columns,
            };
            let mut streams: Streams = vec![stream::iter([Err(error)]).boxed()];
            streams.resize_with(self.partitions(), || stream::empty().boxed());
            return streams;
        }
        let streams = self.source.read(projection);
        if self.source.composes() {
            return streams;
        }
        let streams = streams.into_iter();
        streams
            .map(|stream| composing(&self.name, stream))
            .collect()
    }

    /// The part as a table that streams: its columns, then `_row` (Int64). A broken record fails the query.
    #[must_use]
    pub fn table(&self) -> Arc<dyn TableProvider> {
        Arc::new(PartTable::new(self.clone()))
    }
}
