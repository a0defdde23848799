//! Where each key and value of a YAML file stands.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::yaml;

/// Line and column, both from 1.
pub(crate) type Place = (usize, usize);

/// The places of one file.
#[derive(Debug)]
pub(crate) struct Places(Node);

#[derive(Debug)]
struct Node {
    at: Place,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Map(Vec<(String, Place, Node)>),
    List(Vec<Node>),
    Scalar,
}

impl Places {
    /// Reads the places of a file.
    ///
    /// # Errors
    /// Where the text is no YAML.
    pub(crate) fn of(text: &str) -> Result<Self, serde_saphyr::Error> {
        serde_saphyr::from_str_with_options(text, yaml::options()).map(Self)
    }

    /// Where the key at the end of `path` stands; that of the last step there is, if the path leads nowhere.
    pub(crate) fn key(&self, path: &[&str]) -> Place {
        self.walk(path).0
    }

    /// Where the value at the end of `path` begins; in a block scalar, its first character.
    pub(crate) fn value(&self, path: &[&str]) -> Place {
        self.walk(path).1.at
    }

    fn walk(&self, path: &[&str]) -> (Place, &Node) {
        let (mut key, mut node) = (self.0.at, &self.0);
        for step in path {
            let next = match &node.inside {
                Inside::Map(entries) => entries
                    .iter()
                    .find(|(name, ..)| name == step)
                    .map(|(_, at, node)| (*at, node)),
                Inside::List(items) => step
                    .parse()
                    .ok()
                    .and_then(|index: usize| items.get(index))
                    .map(|item| (item.at, item)),
                Inside::Scalar => None,
            };
            let Some(found) = next else { break };
            (key, node) = found;
        }
        (key, node)
    }
}

/// Where line and column of a text stand in the file that holds it as the value of a key.
///
/// A literal block (`|`) keeps its lines, less the indentation; a text on the key's own line may be quoted; what is folded
/// keeps no lines, then its beginning must do.
pub(crate) fn shifted(file: &str, key: Place, value: Place, (line, column): Place) -> Place {
    let after_key = file
        .lines()
        .nth(key.0 - 1)
        .unwrap_or_default()
        .chars()
        .skip(key.1 - 1)
        .collect::<String>();
    let style = after_key
        .split_once(':')
        .map_or("", |(_, style)| style.trim_start());
    if line == 0 {
        return value;
    }
    if style.starts_with('|') {
        return (value.0 + line - 1, value.1 + column.max(1) - 1);
    }
    if value.0 == key.0 && line == 1 {
        let quote = usize::from(style.starts_with(['"', '\'']));
        return (value.0, value.1 + quote + column.max(1) - 1);
    }
    value
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Inside>::deserialize(deserializer)?;
        Ok(Self {
            at: place(spanned.referenced),
            inside: spanned.value,
        })
    }
}

pub(crate) fn place(location: serde_saphyr::Location) -> Place {
    (location.line() as usize, location.column() as usize)
}

impl<'de> Deserialize<'de> for Inside {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InsideVisitor)
    }
}

struct InsideVisitor;

impl<'de> Visitor<'de> for InsideVisitor {
    type Value = Inside;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Inside, E> {
        Ok(Inside::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Inside, E> {
        Ok(Inside::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Inside, E> {
        Ok(Inside::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Inside, E> {
        Ok(Inside::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Inside, E> {
        Ok(Inside::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Inside, E> {
        Ok(Inside::Scalar)
    }

    fn visit_none<E>(self) -> Result<Inside, E> {
        Ok(Inside::Scalar)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Inside, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Inside::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Inside, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            map.push((key.value, place(key.referenced), entries.next_value()?));
        }
        Ok(Inside::Map(map))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const FILE: &str = "source: { connector: file, list: [a, b] }\ntables:\n  a.b:\n    map: |\n      SELECT x\n      FROM y\n    folded: >-\n      SELECT x\n      FROM y\n    quoted: \"SELECT x\"\n    plain: SELECT x\n";

    #[test]
    fn keys_and_values_have_places() {
        let places = Places::of(FILE).unwrap();
        assert_eq!(places.key(&["source"]), (1, 1));
        assert_eq!(places.key(&["source", "connector"]), (1, 11));
        assert_eq!(places.value(&["source", "connector"]), (1, 22));
        assert_eq!(places.value(&["source", "list", "1"]), (1, 38));
        assert_eq!(
            places.key(&["tables", "a.b", "nothing"]),
            (3, 3),
            "the last step there is"
        );
    }

    #[test]
    fn places_in_a_text_become_places_in_the_file() {
        let places = Places::of(FILE).unwrap();
        let check = |name: &str, within| {
            let path = ["tables", "a.b", name];
            shifted(FILE, places.key(&path), places.value(&path), within)
        };
        assert_eq!(check("map", (2, 6)), (6, 12));
        assert_eq!(check("map", (0, 0)), (5, 7));
        assert_eq!(check("folded", (1, 15)), (8, 7), "lines are gone");
        assert_eq!(check("quoted", (1, 8)), (10, 21));
        assert_eq!(check("plain", (1, 8)), (11, 19));
    }
}
