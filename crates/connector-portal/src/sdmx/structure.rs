//! What a service tells of its dataflows and of what their data are made of.
//!
//! Reference: structure queries, <https://github.com/sdmx-twg/sdmx-rest/blob/master/doc/structures.md>; SDMX-ML 2.1 and 3.0
//! (`Structure` messages), SDMX-JSON 1.0 and 2.0 (structure messages).

use std::collections::BTreeMap;

use sectorlake_connector::{ConnectorError, ErrorKind};
use serde::Deserialize;

use crate::elements::walk;

/// What a message of SDMX-ML declares near its beginning.
const NAMESPACE: &[u8] = b"sdmx.org/resources/sdmxml/schemas";
/// Bytes that tell what a document is.
const HEAD_BYTES: usize = 64 << 10;
/// Languages of names, those first that are shown first.
const LANGUAGES: [&str; 2] = ["vi", "en"];

/// A structure message.
#[derive(Debug, Default)]
pub(crate) struct Structures {
    pub(crate) flows: Vec<Flow>,
    pub(super) structures: Vec<DataStructure>,
}

/// What names a thing that an agency maintains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Maintained {
    pub(crate) agency: String,
    pub(crate) id: String,
    pub(crate) version: String,
}

/// A dataflow.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pub(crate) is: Maintained,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    /// The id of its data structure.
    structure: Option<String>,
}

/// A data structure definition: the columns that its data have.
#[derive(Debug, Default)]
pub(super) struct DataStructure {
    is: Maintained,
    /// All but that of time, in their order.
    pub(super) dimensions: Vec<String>,
    pub(super) attributes: Vec<String>,
}

impl Structures {
    /// Reads a structure message; `None`: it is none.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for one that is broken.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>, ConnectorError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match bytes.trim_ascii_start().first() {
            Some(b'<') => xml(bytes),
            Some(b'{') => Ok(json(bytes)),
            _ => Ok(None),
        }
    }

    /// The first dataflow, and what its data are made of.
    pub(super) fn first(&self) -> Option<(Option<&Flow>, &DataStructure)> {
        let flow = self.flows.first();
        let id = flow.and_then(|flow| flow.structure.as_deref());
        let named = self
            .structures
            .iter()
            .find(|it| Some(it.is.id.as_str()) == id);
        Some((flow, named.or_else(|| self.structures.first())?))
    }
}

/// Names by language → the one to show.
fn shown(mut names: BTreeMap<String, String>) -> Option<String> {
    let known = LANGUAGES
        .iter()
        .find_map(|language| names.remove(*language));
    known.or_else(|| names.into_values().next())
}

/// The id in `urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=AGENCY:ID(VERSION)`.
fn id_of_urn(urn: &str) -> Option<String> {
    let (_, named) = urn.rsplit_once(':')?;
    Some(named.split('(').next().unwrap_or(named).to_owned())
}

fn xml(bytes: &[u8]) -> Result<Option<Structures>, ConnectorError> {
    let broken = |why: String| {
        ConnectorError::new(
            ErrorKind::Invalid,
            format!("is no whole structure message: {why}"),
        )
    };
    let mut head = bytes[..bytes.len().min(HEAD_BYTES)].windows(NAMESPACE.len());
    if !head.any(|it| it == NAMESPACE) {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| broken("it is no UTF-8".to_owned()))?;
    let mut reading = Reading::default();
    let walked = walk(text, |way, attributes, text| {
        reading.element(way, attributes, text)
    });
    walked.map_err(broken)?;
    Ok(reading.is_message.then_some(reading.found))
}

/// Elements of a message as they close: what stands inside an artefact comes before it.
#[derive(Debug, Default)]
struct Reading {
    found: Structures,
    is_message: bool,
    names: BTreeMap<String, String>,
    descriptions: BTreeMap<String, String>,
    structure: Option<String>,
    dimensions: Vec<String>,
    attributes: Vec<String>,
}

impl Reading {
    fn element(&mut self, way: &[String], attributes: &[(String, String)], text: &str) {
        let of = |name: &str| {
            let found = attributes.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let id = || of("id").unwrap_or_default();
        let maintained = || Maintained {
            agency: of("agencyID").unwrap_or_default(),
            id: id(),
            version: of("version").unwrap_or_else(|| "1.0".to_owned()),
        };
        let language = || of("lang").unwrap_or_default();
        match way.iter().rev().map(String::as_str).collect::<Vec<_>>()[..] {
            ["Structure"] => self.is_message = true,
            ["Name", "Dataflow", ..] => drop(self.names.insert(language(), text.to_owned())),
            ["Description", "Dataflow", ..] => {
                self.descriptions.insert(language(), text.to_owned());
            }
            ["Ref", "Structure", "Dataflow", ..] => self.structure = Some(id()),
            ["Structure", "Dataflow", ..] => {
                self.structure = self.structure.take().or_else(|| id_of_urn(text));
            }
            ["Dataflow", "Dataflows", ..] => {
                self.found.flows.push(Flow {
                    is: maintained(),
                    name: shown(std::mem::take(&mut self.names)),
                    description: shown(std::mem::take(&mut self.descriptions)),
                    structure: self.structure.take(),
                });
            }
            ["Dimension" | "MeasureDimension", "DimensionList", ..] => self.dimensions.push(id()),
            ["Attribute", "AttributeList", ..] => self.attributes.push(id()),
            ["DataStructure", "DataStructures", ..] => {
                self.found.structures.push(DataStructure {
                    is: maintained(),
                    dimensions: std::mem::take(&mut self.dimensions),
                    attributes: std::mem::take(&mut self.attributes),
                });
            }
            _ => {}
        }
    }
}

#[derive(Deserialize)]
struct Message {
    data: Data,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Data {
    dataflows: Option<Vec<Artefact>>,
    data_structures: Option<Vec<Artefact>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artefact {
    id: String,
    #[serde(rename = "agencyID", default)]
    agency: String,
    version: Option<String>,
    name: Option<String>,
    names: Option<BTreeMap<String, String>>,
    description: Option<String>,
    descriptions: Option<BTreeMap<String, String>>,
    structure: Option<String>,
    #[serde(default)]
    data_structure_components: Components,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Components {
    dimension_list: List,
    attribute_list: List,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct List {
    dimensions: Vec<Named>,
    measure_dimensions: Vec<Named>,
    attributes: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

fn json(bytes: &[u8]) -> Option<Structures> {
    let Message { data } = serde_json::from_slice(bytes).ok()?;
    if data.dataflows.is_none() && data.data_structures.is_none() {
        return None;
    }
    let flows = data.dataflows.into_iter().flatten().map(flow);
    let structures = data.data_structures.into_iter().flatten().map(structure);
    Some(Structures {
        flows: flows.collect(),
        structures: structures.collect(),
    })
}

impl Artefact {
    fn is(&self) -> Maintained {
        Maintained {
            agency: self.agency.clone(),
            id: self.id.clone(),
            version: self.version.clone().unwrap_or_else(|| "1.0".to_owned()),
        }
    }
}

fn flow(artefact: Artefact) -> Flow {
    Flow {
        is: artefact.is(),
        name: artefact.names.and_then(shown).or(artefact.name),
        description: artefact
            .descriptions
            .and_then(shown)
            .or(artefact.description),
        structure: artefact.structure.as_deref().and_then(id_of_urn),
    }
}

fn structure(artefact: Artefact) -> DataStructure {
    let is = artefact.is();
    let ids = |named: Vec<Named>| named.into_iter().map(|it| it.id);
    let Components {
        dimension_list,
        attribute_list,
    } = artefact.data_structure_components;
    let dimensions = ids(dimension_list.dimensions).chain(ids(dimension_list.measure_dimensions));
    DataStructure {
        is,
        dimensions: dimensions.collect(),
        attributes: ids(attribute_list.attributes).collect(),
    }
}

#[cfg(test)]
#[path = "structure_tests.rs"]
mod tests;
