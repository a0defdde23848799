//! The few statements of an RDF document that a catalogue is made of.

use std::collections::{HashMap, HashSet};

use oxrdf::{NamedOrBlankNode, Term};
use oxrdfio::{RdfFormat, RdfParser};
use sectorlake_connector::{ConnectorError, ErrorKind, SourceUrl};

/// Statements that are kept of one document, at most.
const STATEMENTS_MAX: usize = 4_000_000;
const DATASET: [&str; 2] = [
    "http://www.w3.org/ns/dcat#Dataset",
    "http://www.w3.org/ns/dcat#DatasetSeries",
];
/// Languages in the order in which a text is taken; after them the one without, then any.
const LANGUAGES: [&str; 2] = ["vi", "en"];

/// What a statement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Property {
    Type,
    Title,
    Description,
    Identifier,
    Publisher,
    Licence,
    Rights,
    Modified,
    Issued,
    LandingPage,
    Keyword,
    Distribution,
    Format,
    MediaType,
    DownloadUrl,
    AccessUrl,
    /// A name of a thing: of a publisher, of a format.
    Name,
    Next,
}

/// The object of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Object {
    Node(String),
    Text { text: String, language: String },
}

/// The statements by what they are about.
#[derive(Debug, Default)]
pub(super) struct Graph {
    about: HashMap<String, Vec<(Property, Object)>>,
    /// The datasets in their order.
    datasets: Vec<String>,
    seen: HashSet<String>,
    next: Option<String>,
}

impl Property {
    /// The property of that IRI; `None`: no catalogue needs it. Publishers mix old and new names.
    fn of(iri: &str) -> Option<Self> {
        let (space, name) = iri.split_at(iri.rfind(['#', '/'])? + 1);
        match (space, name) {
            ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "type") => Some(Self::Type),
            ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "value")
            | ("http://www.w3.org/2000/01/rdf-schema#", "label")
            | ("http://www.w3.org/2004/02/skos/core#", "prefLabel")
            | ("http://xmlns.com/foaf/0.1/", "name")
            | ("http://www.w3.org/2006/vcard/ns#", "fn") => Some(Self::Name),
            ("http://purl.org/dc/terms/" | "http://purl.org/dc/elements/1.1/", name) => {
                match name {
                    "title" => Some(Self::Title),
                    "description" => Some(Self::Description),
                    "identifier" => Some(Self::Identifier),
                    "publisher" => Some(Self::Publisher),
                    "license" => Some(Self::Licence),
                    "rights" => Some(Self::Rights),
                    "modified" => Some(Self::Modified),
                    "issued" => Some(Self::Issued),
                    "format" => Some(Self::Format),
                    _ => None,
                }
            }
            ("http://www.w3.org/ns/dcat#", name) => match name {
                "landingPage" => Some(Self::LandingPage),
                "keyword" => Some(Self::Keyword),
                "distribution" => Some(Self::Distribution),
                "mediaType" => Some(Self::MediaType),
                "downloadURL" => Some(Self::DownloadUrl),
                "accessURL" => Some(Self::AccessUrl),
                _ => None,
            },
            ("http://www.w3.org/ns/hydra/core#", "next" | "nextPage") => Some(Self::Next),
            _ => None,
        }
    }
}

impl Graph {
    /// Reads a document that came from `url`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where it breaks the rules of its format, with the place.
    pub(super) fn read(
        bytes: &[u8],
        format: RdfFormat,
        url: &SourceUrl,
    ) -> Result<Self, ConnectorError> {
        let wrong = |message: String| ConnectorError::new(ErrorKind::Invalid, message).at(url);
        // Catalogues are full of addresses with blanks in them: what is no IRI by the letter is taken all the same.
        let parser = RdfParser::from_format(format).lenient();
        let plain = url.expose();
        let base = &plain[..url::Position::AfterPath];
        let parser = parser
            .with_base_iri(base)
            .map_err(|error| wrong(error.to_string()))?;
        let mut graph = Self::default();
        let mut kept = 0;
        for quad in parser.for_slice(bytes) {
            let quad = quad.map_err(|error| {
                wrong(format!("is no whole RDF document: {error}"))
                    .with_help("tell the publisher; a catalogue in another format may be whole")
            })?;
            let Some(property) = Property::of(quad.predicate.as_str()) else {
                continue;
            };
            let object = match quad.object {
                Term::NamedNode(node) => Object::Node(node.into_string()),
                Term::BlankNode(node) => Object::Node(blank(node.as_str())),
                Term::Literal(literal) => Object::Text {
                    language: literal.language().unwrap_or_default().to_lowercase(),
                    text: literal.value().trim().to_owned(),
                },
                #[expect(
                    unreachable_patterns,
                    reason = "RDF 1.2 has more terms, where a dependency turns it on"
                )]
                _ => continue,
            };
            let subject = match quad.subject {
                NamedOrBlankNode::NamedNode(node) => node.into_string(),
                NamedOrBlankNode::BlankNode(node) => blank(node.as_str()),
            };
            kept += 1;
            if kept > STATEMENTS_MAX {
                return Err(ConnectorError::new(
                    ErrorKind::TooLarge,
                    format!("the catalogue makes more than {STATEMENTS_MAX} statements"),
                )
                .at(url));
            }
            graph.add(subject, property, object);
        }
        Ok(graph)
    }

    fn add(&mut self, subject: String, property: Property, object: Object) {
        match (property, &object) {
            (Property::Type, Object::Node(kind)) => {
                if DATASET.contains(&kind.as_str()) && self.seen.insert(subject.clone()) {
                    self.datasets.push(subject);
                }
            }
            (Property::Next, Object::Node(link) | Object::Text { text: link, .. }) => {
                self.next = Some(link.clone());
            }
            _ => self
                .about
                .entry(subject)
                .or_default()
                .push((property, object)),
        }
    }

    pub(super) fn datasets(&self) -> impl Iterator<Item = &str> {
        self.datasets.iter().map(String::as_str)
    }

    /// Where the catalogue goes on.
    pub(super) fn next_page(&self) -> Option<&str> {
        self.next.as_deref()
    }

    fn objects(&self, node: &str, property: Property) -> impl Iterator<Item = &Object> {
        let all = self.about.get(node).into_iter().flatten();
        all.filter(move |(of, _)| *of == property)
            .map(|(_, object)| object)
    }

    /// The things that stand there.
    pub(super) fn nodes(&self, node: &str, property: Property) -> Vec<&str> {
        let nodes = self
            .objects(node, property)
            .filter_map(|object| match object {
                Object::Node(node) => Some(node.as_str()),
                Object::Text { .. } => None,
            });
        nodes.collect()
    }

    /// A text, in the language that is read best.
    pub(super) fn text(&self, node: &str, property: Property) -> Option<String> {
        let texts = self
            .objects(node, property)
            .filter_map(|object| match object {
                Object::Text { text, language } if !text.is_empty() => Some((language, text)),
                _ => None,
            });
        let rank = |language: &str| {
            let found = LANGUAGES
                .iter()
                .position(|best| language.split('-').next() == Some(best));
            found.unwrap_or(LANGUAGES.len() + usize::from(!language.is_empty()))
        };
        texts
            .min_by_key(|(language, _)| rank(language))
            .map(|(_, text)| text.clone())
    }

    /// All texts.
    pub(super) fn texts(&self, node: &str, property: Property) -> Vec<String> {
        let texts = self
            .objects(node, property)
            .filter_map(|object| match object {
                Object::Text { text, .. } => Some(text.clone()),
                Object::Node(_) => None,
            });
        texts.collect()
    }

    /// An address or a text, whichever stands there.
    pub(super) fn any(&self, node: &str, property: Property) -> Option<String> {
        self.objects(node, property)
            .find_map(|object| match object {
                Object::Node(node) if !node.starts_with(BLANK) => Some(node.clone()),
                Object::Text { text, .. } if !text.is_empty() => Some(text.clone()),
                _ => None,
            })
    }

    /// What stands there by its name, else by its address.
    pub(super) fn named(&self, node: &str, property: Property) -> Option<String> {
        let things = self.nodes(node, property);
        let name = |thing: &&str| {
            self.text(thing, Property::Name)
                .or_else(|| self.text(thing, Property::Title))
        };
        things
            .iter()
            .find_map(name)
            .or_else(|| self.text(node, property))
            .or_else(|| self.any(node, property))
    }

    /// The licence: the address that it has is clearer than a sentence.
    pub(super) fn licence(&self, node: &str) -> Option<String> {
        [Property::Licence, Property::Rights]
            .into_iter()
            .find_map(|property| {
                self.any(node, property)
                    .or_else(|| self.named(node, property))
            })
    }
}

const BLANK: &str = "_:";

fn blank(id: &str) -> String {
    format!("{BLANK}{id}")
}
