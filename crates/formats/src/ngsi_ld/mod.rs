//! NGSI-LD: entities of a context broker, as FIWARE's Smart Data Models have them.
//!
//! Reference: ETSI GS CIM 009, <https://www.etsi.org/deliver/etsi_gs/CIM/001_099/009/01.08.01_60/gs_CIM009v010801p.pdf>, sections 4.5
//! and 5.2. An entity is read in its normalized, concise and key-values form, and in NGSI-v2's. An attribute is a column of its value;
//! what it says beside the value is a column named after both, such as `pm25.unitCode` and `pm25.observedAt`. A geometry stays GeoJSON.

use std::borrow::Cow;

use crate::json::fields::{fields, items};

/// What an attribute may be, in the normalized form (section 4.5.0).
const KINDS: [&str; 9] = [
    "\"Property\"",
    "\"GeoProperty\"",
    "\"Relationship\"",
    "\"LanguageProperty\"",
    "\"JsonProperty\"",
    "\"VocabProperty\"",
    "\"ListProperty\"",
    "\"ListRelationship\"",
    "\"VocabularyProperty\"",
];
/// Where an attribute's value stands.
const VALUES: [&str; 8] = [
    "value",
    "object",
    "languageMap",
    "json",
    "vocab",
    "valueList",
    "objectList",
    "@value",
];

/// Column → its value, as JSON text.
pub(crate) type Pairs<'a> = Vec<(Cow<'a, str>, &'a str)>;
type Members<'a> = [(Cow<'a, str>, &'a str)];

/// The columns of an entity's members. Its text was read before, so that no part of it can be broken.
pub(crate) fn pairs<'a>(members: &Members<'a>) -> Pairs<'a> {
    let mut pairs = Pairs::new();
    for (key, value) in members {
        match key.as_ref() {
            "@context" => {}
            "@id" => pairs.push(("id".into(), value)),
            "@type" => pairs.push(("type".into(), value)),
            "id" | "type" | "scope" => pairs.push((key.clone(), value)),
            _ => attribute(key.clone(), value, &mut pairs),
        }
    }
    pairs
}

fn find<'a>(members: &Members<'a>, key: &str) -> Option<&'a str> {
    let found = members.iter().rfind(|(name, _)| name == key);
    found.map(|(_, value)| *value)
}

/// Where the value of an attribute stands, if the object is one and not a value itself.
fn value_of<'a>(members: &Members<'a>) -> Option<&'a str> {
    let said = find(members, "type").or_else(|| find(members, "@type"));
    let is_said = said.is_some_and(|kind| KINDS.contains(&kind));
    let value = VALUES.iter().find_map(|key| find(members, key))?;
    // NGSI-v2 gives any type beside `value`; the concise form gives none. A GeoJSON geometry has neither `value` nor `object`.
    let is_bare = find(members, "value").is_some() || find(members, "@value").is_some();
    (is_said || is_bare).then_some(value)
}

fn attribute<'a>(name: Cow<'a, str>, value: &'a str, pairs: &mut Pairs<'a>) {
    let Some(instance) = instance(value) else {
        pairs.push((name, value));
        return;
    };
    let members = fields(instance).unwrap_or_default();
    let Some(inner) = value_of(&members) else {
        pairs.push((name, value));
        return;
    };
    pairs.push((name.clone(), bare(inner)));
    for (key, value) in &members {
        match key.as_ref() {
            "type" | "@type" => {}
            key if VALUES.contains(&key) => {}
            "metadata" => {
                for (key, value) in fields(value).unwrap_or_default() {
                    pairs.push((format!("{name}.{key}").into(), bare(value)));
                }
            }
            _ => pairs.push((format!("{name}.{key}").into(), bare(value))),
        }
    }
}

/// The object that is an attribute; of several the one without a `datasetId`, which is the default (section 4.5.5), else the first.
fn instance(value: &str) -> Option<&str> {
    match value.as_bytes().first() {
        Some(b'{') => Some(value),
        Some(b'[') => {
            let all = items(value);
            let members: Vec<_> = all
                .iter()
                .map(|it| fields(it).unwrap_or_default())
                .collect();
            let are_instances = members.iter().all(|it| value_of(it).is_some());
            let default = members
                .iter()
                .position(|it| find(it, "datasetId").is_none());
            let chosen = all.get(default.unwrap_or_default()).copied();
            chosen.filter(|_| are_instances)
        }
        _ => None,
    }
}

/// A value that is wrapped in an object of its own, such as `{"@type": "DateTime", "@value": …}` or a property of a property.
fn bare(value: &str) -> &str {
    match value.starts_with('{') {
        true => value_of(&fields(value).unwrap_or_default()).unwrap_or(value),
        false => value,
    }
}

/// Whether the text begins as a list of entities in the normalized form does.
pub(crate) fn is_entities(head: &[u8]) -> bool {
    let says = |text: &[u8]| memchr::memmem::find(head, text).is_some();
    let is_kind = |kind: &str| {
        says(format!("\"type\":{kind}").as_bytes()) || says(format!("\"type\": {kind}").as_bytes())
    };
    says(b"\"urn:ngsi-ld:") && (is_kind(KINDS[0]) || is_kind(KINDS[1]))
}

#[cfg(test)]
mod tests;
