//! DCAT and its profiles (DCAT-AP, and what countries add to it) in Turtle, N-Triples, RDF/XML and JSON-LD.
//!
//! Reference: DCAT 3, <https://www.w3.org/TR/vocab-dcat-3/>; DCAT-AP, <https://semiceu.github.io/DCAT-AP/releases/3.0.0/>; pages of
//! a catalogue by Hydra, <https://www.hydra-cg.com/spec/latest/core/>, as CKAN's and ArcGIS Hub's feeds have them.

mod graph;

use std::collections::BTreeSet;

use async_trait::async_trait;
use oxrdfio::{JsonLdProfileSet, RdfFormat};
use sectorlake_connector::catalogue::{Catalogue, Dataset, Distribution, Seen, Wanted, format_of};
use sectorlake_connector::{ConnectorError, Io, Request, SourceUrl};

use super::{head, root};
use crate::ask;
use graph::{Graph, Property};

/// Pages of a catalogue, at most.
const PAGES_MAX: usize = 10_000;
/// Bytes that tell what a document is.
const HEAD_BYTES: usize = 64 << 10;

pub(super) struct Dcat;

#[async_trait]
impl Catalogue for Dcat {
    fn name(&self) -> &'static str {
        "dcat"
    }

    fn addresses(&self, url: &SourceUrl, _: &Wanted) -> Vec<SourceUrl> {
        let root = root(url);
        let feed = root.join(&["api", "feed", "dcat-ap", "2.1.1.json"]);
        let names = [
            "catalog.ttl",
            "catalog.jsonld",
            "catalog.rdf",
            "catalog.xml",
            "dcat.json",
            "dcat",
        ];
        std::iter::once(feed)
            .chain(names.map(|name| root.join(&[name])))
            .collect()
    }

    async fn read(
        &self,
        seen: Seen<'_>,
        wanted: &Wanted,
        io: &Io,
    ) -> Result<Option<Vec<Dataset>>, ConnectorError> {
        let Some(format) = format(seen.bytes) else {
            return Ok(None);
        };
        let mut graph = Graph::read(seen.bytes, format, seen.url)?;
        let mut datasets = datasets(&graph);
        if datasets.is_empty() {
            return Ok(None);
        }
        let mut known: BTreeSet<String> = datasets.iter().map(|it| it.id.clone()).collect();
        let mut asked = BTreeSet::from([seen.url.to_string()]);
        while let Some(link) = graph.next_page()
            && datasets.len() <= wanted.datasets_max
            && asked.len() < PAGES_MAX
        {
            let url = seen.url.follow(link)?;
            if url.is_foreign() || !asked.insert(url.to_string()) {
                break;
            }
            let (_, bytes) = ask::read(&Request::get(url.clone()), io).await?;
            graph = Graph::read(&bytes, self::format(&bytes).unwrap_or(format), &url)?;
            let page = self::datasets(&graph);
            if page.is_empty() {
                break;
            }
            // A catalogue that grew meanwhile has some of them twice.
            datasets.extend(
                page.into_iter()
                    .filter(|dataset| known.insert(dataset.id.clone())),
            );
        }
        Ok(Some(datasets))
    }
}

/// How a document is written, if it speaks of DCAT at all.
fn format(bytes: &[u8]) -> Option<RdfFormat> {
    let head = head(bytes);
    let start = &head[..head.len().min(HEAD_BYTES)];
    let says = |text: &str| {
        start
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    match head.first()? {
        b'{' | b'[' => {
            let profile = JsonLdProfileSet::empty();
            (says("@context") || says("@type") || says("@graph"))
                .then_some(RdfFormat::JsonLd { profile })
        }
        b'<' if says("rdf:RDF") || says("22-rdf-syntax-ns#\"") => Some(RdfFormat::RdfXml),
        _ if says("http://www.w3.org/ns/dcat#") && !says("<html") => Some(RdfFormat::Turtle),
        _ => None,
    }
}

/// The datasets that a document describes, in its order.
fn datasets(graph: &Graph) -> Vec<Dataset> {
    graph.datasets().map(|node| dataset(graph, node)).collect()
}

fn dataset(graph: &Graph, node: &str) -> Dataset {
    let text = |property| graph.text(node, property);
    let named = |property| graph.named(node, property);
    let distributions = graph.nodes(node, Property::Distribution);
    let distributions: Vec<(Distribution, Option<String>)> = distributions
        .iter()
        .filter_map(|node| distribution(graph, node))
        .collect();
    let of_distribution = || {
        distributions
            .iter()
            .find_map(|(_, licence)| licence.clone())
    };
    let is_address = |text: &&str| text.starts_with("http");
    Dataset {
        id: text(Property::Identifier).unwrap_or_else(|| node.to_owned()),
        title: text(Property::Title).unwrap_or_else(|| node.to_owned()),
        description: text(Property::Description),
        publisher: named(Property::Publisher),
        licence: graph.licence(node).or_else(of_distribution),
        modified: text(Property::Modified).or_else(|| text(Property::Issued)),
        page: graph
            .any(node, Property::LandingPage)
            .or_else(|| Some(node).filter(is_address).map(str::to_owned)),
        keywords: graph.texts(node, Property::Keyword),
        distributions: distributions
            .into_iter()
            .map(|(distribution, _)| distribution)
            .collect(),
        source: None,
        unusable: Vec::new(),
    }
}

/// A distribution, and its own licence.
fn distribution(graph: &Graph, node: &str) -> Option<(Distribution, Option<String>)> {
    let url = graph
        .any(node, Property::DownloadUrl)
        .or_else(|| graph.any(node, Property::AccessUrl))?;
    let named = |property| graph.named(node, property);
    let format = named(Property::Format).or_else(|| named(Property::MediaType));
    let distribution = Distribution {
        title: graph.text(node, Property::Title),
        format: format_of(format.as_deref(), &url),
        url,
    };
    Some((distribution, graph.licence(node)))
}
