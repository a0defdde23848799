//! What a portal offers, as a list: before there is a pipeline, someone must know what there is.
//!
//! Each kind of catalogue says at which addresses of a portal it would be found and reads what is there; [`discover`] tries them.

mod links;

use std::collections::BTreeSet;

pub use links::refusal;

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;

use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};
use crate::http::{Answer, Pages, Request};
use crate::io::Io;

/// Bytes of one answer of a catalogue, at most: a whole portal's DCAT in one document is large.
const ANSWER_BYTES_MAX: usize = 128 << 20;

/// A dataset of a portal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dataset {
    /// What the portal calls it by, unique in its catalogue.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it is, in the publisher's words.
    pub description: Option<String>,
    /// Who publishes it.
    pub publisher: Option<String>,
    /// Its licence: a name, or an address.
    pub licence: Option<String>,
    /// When it was last changed, as the portal writes it.
    pub modified: Option<String>,
    /// Its page.
    pub page: Option<String>,
    /// Words that it is found by.
    pub keywords: Vec<String>,
    /// What it can be had as.
    pub distributions: Vec<Distribution>,
    /// The address that a pipeline is best drafted from; `None`: the best of its distributions.
    pub source: Option<String>,
    /// Addresses that the catalogue names and that are not used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unusable: Vec<Unusable>,
}

/// An address that a catalogue names and that is not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unusable {
    /// What the catalogue names.
    pub url: String,
    /// Why it is not used.
    pub reason: String,
}

/// One thing that a dataset can be had as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// Its title.
    pub title: Option<String>,
    /// Its format, in small letters: `csv`.
    pub format: Option<String>,
    /// Where it is.
    pub url: String,
}

/// What of a catalogue is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Words that must stand in title, description, keywords or publisher.
    pub search: Option<String>,
    /// Datasets, at most.
    pub datasets_max: usize,
}

/// What a catalogue has of what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The kind of catalogue.
    pub catalogue: &'static str,
    /// Where it was found.
    pub url: String,
    /// The datasets, in the portal's order.
    pub datasets: Vec<Dataset>,
    /// Whether there is more than was wanted.
    pub is_cut: bool,
}

/// The first answer of what may be a catalogue.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Where it came from.
    pub url: &'a SourceUrl,
    /// The answer.
    pub bytes: &'a Bytes,
}

/// One kind of catalogue.
#[async_trait]
pub trait Catalogue: Send + Sync {
    /// Its name: `dcat`.
    fn name(&self) -> &'static str;

    /// Where a portal at `url` would have it.
    fn addresses(&self, url: &SourceUrl, wanted: &Wanted) -> Vec<SourceUrl>;

    /// The datasets, from the first answer on; `None`: it is no catalogue of this kind. A few more than are wanted tell that there
    /// are more.
    ///
    /// # Errors
    /// What a later page answers with.
    async fn read(
        &self,
        seen: Seen<'_>,
        wanted: &Wanted,
        io: &Io,
    ) -> Result<Option<Vec<Dataset>>, ConnectorError>;
}

/// What the portal at `url` offers: `url` is a catalogue itself, or the portal has one at an address that its kind is known by.
///
/// # Errors
/// The portal cannot be reached, or has no catalogue where one is looked for.
pub async fn discover(
    catalogues: &[Box<dyn Catalogue>],
    url: &SourceUrl,
    wanted: &Wanted,
    io: &Io,
) -> Result<Listing, ConnectorError> {
    let search = Search {
        catalogues,
        wanted,
        io,
    };
    if let Some(bytes) = answer(url, io).await?
        && let Some(listing) = search.read(url, &bytes).await?
    {
        return Ok(listing);
    }
    let mut tried = BTreeSet::from([url.to_string()]);
    for catalogue in catalogues {
        for address in catalogue.addresses(url, wanted) {
            if !tried.insert(address.to_string()) {
                continue;
            }
            if let Some(bytes) = answer(&address, io).await?
                && let Some(listing) = search.read(&address, &bytes).await?
            {
                return Ok(listing);
            }
        }
    }
    let names: Vec<&str> = catalogues
        .iter()
        .map(|catalogue| catalogue.name())
        .collect();
    let message = format!(
        "no catalogue is found here: {} addresses were tried, for {}",
        tried.len(),
        names.join(", ")
    );
    Err(ConnectorError::new(ErrorKind::NotFound, message).at(url).with_help(
        "name the catalogue's own address, such as https://…/data.json, …/catalog.ttl or that of an SDMX service; a single dataset or file is for `sectorlake new source`",
    ))
}

struct Search<'a> {
    catalogues: &'a [Box<dyn Catalogue>],
    wanted: &'a Wanted,
    io: &'a Io,
}

impl Search<'_> {
    async fn read(
        &self,
        url: &SourceUrl,
        bytes: &Bytes,
    ) -> Result<Option<Listing>, ConnectorError> {
        for catalogue in self.catalogues {
            let seen = Seen { url, bytes };
            if let Some(datasets) = catalogue.read(seen, self.wanted, self.io).await? {
                return Ok(Some(self.listing(catalogue.name(), url, datasets)));
            }
        }
        Ok(None)
    }

    fn listing(&self, catalogue: &'static str, url: &SourceUrl, datasets: Vec<Dataset>) -> Listing {
        let words = self.wanted.search.as_deref().map(words).unwrap_or_default();
        let mut datasets: Vec<Dataset> = datasets
            .into_iter()
            .filter(|dataset| dataset.has(&words))
            .collect();
        let is_cut = datasets.len() > self.wanted.datasets_max;
        datasets.truncate(self.wanted.datasets_max);
        for dataset in &mut datasets {
            links::settle(dataset, url);
        }
        Listing {
            catalogue,
            url: url.to_string(),
            datasets,
            is_cut,
        }
    }
}

/// What is at an address; `None`: nothing that could be a catalogue.
async fn answer(url: &SourceUrl, io: &Io) -> Result<Option<Bytes>, ConnectorError> {
    // A portal's front page is no error: it only is no catalogue.
    let request = Request::get(url.clone()).with_pages(Pages::Taken).accept(
        "application/ld+json, text/turtle, application/rdf+xml, application/json;q=0.9, */*;q=0.5",
    );
    match io.http().get(&request).await {
        Ok(Answer::Fresh(answer)) => Ok(Some(answer.read(ANSWER_BYTES_MAX).await?.1)),
        Ok(Answer::Unchanged) => Ok(None),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a portal just does not have what was asked for.
fn is_absent(error: &ConnectorError) -> bool {
    matches!(
        error.kind,
        ErrorKind::NotFound
            | ErrorKind::Forbidden
            | ErrorKind::Refused
            | ErrorKind::NotData
            | ErrorKind::Redirect
            | ErrorKind::Server
    )
}

impl Dataset {
    /// The address that a pipeline is best drafted from.
    #[must_use]
    pub fn best_source(&self) -> Option<&str> {
        let best = || self.distributions.iter().min_by_key(|it| it.rank());
        self.source
            .as_deref()
            .or_else(|| best().map(|distribution| distribution.url.as_str()))
    }

    /// The formats that it can be had in, each once, the best first.
    #[must_use]
    pub fn formats(&self) -> Vec<&str> {
        let mut sorted: Vec<&Distribution> = self.distributions.iter().collect();
        sorted.sort_by_key(|it| it.rank());
        let mut formats: Vec<&str> = Vec::new();
        for format in sorted.into_iter().filter_map(|it| it.format.as_deref()) {
            if !formats.contains(&format) {
                formats.push(format);
            }
        }
        formats
    }

    /// Whether each of these words, in small letters, stands in what is told of it.
    fn has(&self, words: &[String]) -> bool {
        if words.is_empty() {
            return true;
        }
        let told = [
            Some(self.id.as_str()),
            Some(&self.title),
            self.description.as_deref(),
            self.publisher.as_deref(),
        ];
        let told = told
            .into_iter()
            .flatten()
            .chain(self.keywords.iter().map(String::as_str));
        let told = told.collect::<Vec<_>>().join("\n").to_lowercase();
        words.iter().all(|word| told.contains(word))
    }
}

impl Distribution {
    /// The better its reading, the smaller: what keeps types comes before text, text before sheets, and what is no data last.
    fn rank(&self) -> usize {
        const BEST: [&str; 13] = [
            "parquet", "csv", "tsv", "geojson", "ndjson", "json", "xlsx", "xls", "ods", "xml",
            "gtfs", "zip", "rdf",
        ];
        let format = self.format.as_deref().unwrap_or_default();
        let is_data = !matches!(
            format,
            "pdf" | "html" | "htm" | "doc" | "docx" | "png" | "jpg" | "jpeg"
        );
        BEST.iter()
            .position(|best| *best == format)
            .unwrap_or(BEST.len() + usize::from(!is_data))
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// A format in small letters, from what a portal says: a name, a media type, an address of a list of formats, or the file's own
/// ending.
#[must_use]
pub fn format_of(told: Option<&str>, url: &str) -> Option<String> {
    let told = told
        .map(|told| told.trim().to_lowercase())
        .filter(|told| !told.is_empty());
    let from_told = told.as_deref().and_then(|told| {
        let last = told
            .split(';')
            .next()?
            .trim()
            .rsplit(['/', '#', ':'])
            .next()?
            .trim_start_matches('.');
        let name = match last {
            "vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
            "vnd.ms-excel" => "xls",
            "vnd.oasis.opendocument.spreadsheet" => "ods",
            "geo+json" | "vnd.geo+json" => "geojson",
            "x-ndjson" | "jsonl" => "ndjson",
            "tab-separated-values" => "tsv",
            "x-zip-compressed" => "zip",
            "comma-separated-values" => "csv",
            // They say nothing of what it holds.
            "octet-stream" | "unknown" | "other" | "" => return None,
            other => other,
        };
        Some(name.to_owned())
    });
    from_told.or_else(|| {
        let path = url.split(['?', '#']).next()?;
        let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
        let is_ending =
            (2..=8).contains(&ending.len()) && ending.bytes().all(|it| it.is_ascii_alphanumeric());
        is_ending.then(|| ending.to_lowercase())
    })
}

#[cfg(test)]
mod tests;
