//! What `$metadata` tells: the version, the entity sets, and what type their properties are.

use std::collections::BTreeMap;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use sectorlake_connector::{ConnectorError, ErrorKind};

/// Types that one is made from, at most.
const BASES_MAX: usize = 32;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V2,
    V3,
    V4,
}

/// What a service says of itself.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) version: Version,
    /// Entity set → property → type.
    pub(super) sets: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Default)]
struct EntityType {
    base: Option<String>,
    properties: BTreeMap<String, String>,
}

impl Version {
    pub(super) fn of(number: u8) -> Self {
        match number {
            2 => Self::V2,
            3 => Self::V3,
            _ => Self::V4,
        }
    }

    /// Where the entities stand in an answer.
    pub(super) fn records(self) -> &'static str {
        match self {
            Self::V2 => "d.results",
            Self::V3 | Self::V4 => "value",
        }
    }
}

impl Metadata {
    /// What the settings say, where they say all that is needed.
    pub(super) fn declared(version: u8, sets: &[String]) -> Self {
        let sets = sets.iter().map(|set| (set.clone(), BTreeMap::new()));
        Self {
            version: Version::of(version),
            sets: sets.collect(),
        }
    }

    /// Reads CSDL in XML. Names are taken without their prefixes: services choose their own.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what is no such document.
    pub(super) fn parse(bytes: &[u8], place: &str) -> Result<Self, ConnectorError> {
        let wrong = |why: String| {
            ConnectorError::new(
                ErrorKind::Invalid,
                format!("is no $metadata of OData: {why}"),
            )
            .at(place)
            .with_help("`url` must be the service's root: what stands before `$metadata`")
        };
        let mut reading = Reading::default();
        let mut reader = Reader::from_reader(bytes);
        let mut buffer = Vec::new();
        loop {
            match reader
                .read_event_into(&mut buffer)
                .map_err(|error| wrong(error.to_string()))?
            {
                Event::Start(element) | Event::Empty(element) => reading.element(&element),
                Event::Eof => break,
                _ => {}
            }
            buffer.clear();
        }
        let Some(version) = reading.version else {
            return Err(wrong("it has no element `Edmx`".to_owned()));
        };
        if reading.sets.is_empty() {
            return Err(wrong("it names no entity set".to_owned()));
        }
        let sets = reading
            .sets
            .iter()
            .map(|(set, kind)| (set.clone(), reading.properties(kind)));
        Ok(Self {
            version,
            sets: sets.collect(),
        })
    }
}

#[derive(Debug, Default)]
struct Reading {
    version: Option<Version>,
    namespace: String,
    /// The type whose properties are read, by its full name.
    kind: String,
    types: BTreeMap<String, EntityType>,
    sets: Vec<(String, String)>,
}

impl Reading {
    fn element(&mut self, element: &BytesStart<'_>) {
        let attribute = |name: &str| attribute(element, name);
        match element.local_name().as_ref() {
            "Edmx" => {
                let is_4 = attribute("Version").is_some_and(|version| version.starts_with('4'));
                self.version = Some(if is_4 { Version::V4 } else { Version::V2 });
            }
            "DataServices" => {
                let told = attribute("MaxDataServiceVersion").or(attribute("DataServiceVersion"));
                if self.version == Some(Version::V2)
                    && told.is_some_and(|told| told.starts_with('3'))
                {
                    self.version = Some(Version::V3);
                }
            }
            "Schema" => self.namespace = attribute("Namespace").unwrap_or_default(),
            "EntityType" => {
                let name = attribute("Name").unwrap_or_default();
                self.kind = format!("{}.{name}", self.namespace);
                let base = attribute("BaseType");
                self.types.insert(
                    self.kind.clone(),
                    EntityType {
                        base,
                        ..EntityType::default()
                    },
                );
            }
            "ComplexType" => self.kind.clear(),
            "Property" => {
                if let (Some(kind), Some(name)) =
                    (self.types.get_mut(&self.kind), attribute("Name"))
                {
                    kind.properties
                        .insert(name, attribute("Type").unwrap_or_default());
                }
            }
            "EntitySet" => {
                if let Some(name) = attribute("Name") {
                    self.sets
                        .push((name, attribute("EntityType").unwrap_or_default()));
                }
            }
            _ => {}
        }
    }

    /// A type's own properties and those of the types that it is made from.
    fn properties(&self, kind: &str) -> BTreeMap<String, String> {
        let mut properties = BTreeMap::new();
        let mut next = self.types.get(kind);
        for _ in 0..BASES_MAX {
            let Some(kind) = next else {
                break;
            };
            properties.extend(kind.properties.clone());
            next = kind.base.as_ref().and_then(|base| self.types.get(base));
        }
        properties
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes().filter_map(Result::ok);
    let found = attributes.find(|it| it.key.local_name().as_ref() == name)?;
    Some(
        found
            .normalized_value(XmlVersion::Implicit1_0)
            .ok()?
            .into_owned(),
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::testing::recording;

    #[test]
    fn versions_sets_and_types_are_told() {
        let four = Metadata::parse(&recording("odata/metadata_v4.xml"), "").unwrap();
        assert_eq!(four.version, Version::V4);
        assert_eq!(four.sets.keys().collect::<Vec<_>>(), ["Schools", "Stops"]);
        assert_eq!(four.sets["Stops"]["Id"], "Edm.Int32", "from the base type");
        assert_eq!(four.sets["Stops"]["Changed"], "Edm.DateTimeOffset");
        let two = Metadata::parse(&recording("odata/metadata_v2.xml"), "").unwrap();
        assert_eq!(two.version, Version::V2);
        let three = String::from_utf8(recording("odata/metadata_v2.xml").to_vec()).unwrap();
        let three = three.replace("DataServiceVersion=\"2.0\"", "DataServiceVersion=\"3.0\"");
        assert_eq!(
            Metadata::parse(three.as_bytes(), "").unwrap().version,
            Version::V3
        );
    }

    #[test]
    fn what_is_no_metadata_is_told() {
        for text in [
            "",
            "{}",
            "<a/>",
            "<Edmx Version='4.0'/>",
            "<Edmx Version='4.0'><Sche",
        ] {
            let error = Metadata::parse(text.as_bytes(), "https://x.org/$metadata").unwrap_err();
            assert!(
                error.to_string().contains("is no $metadata of OData"),
                "{text}: {error}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(cut in 0..1500_usize, at in 0..1500_usize, byte: u8) {
            let mut bytes = recording("odata/metadata_v4.xml").to_vec();
            let at = at.min(bytes.len() - 1);
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            let _ = Metadata::parse(&bytes, "");
        }
    }
}
