//! Which list of a JSON document holds its records.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Lists that are counted.
const LISTS_MAX: usize = 1024;

/// The records of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Records {
    /// The keys to the list; none: the document is the list.
    pub(super) path: Vec<String>,
    objects: u64,
    /// The other keys of the document.
    beside: Vec<String>,
    /// The list in the records that holds most objects, and how many.
    pub(super) inner: Option<(String, u64)>,
}

impl Records {
    pub(super) fn why(&self) -> String {
        let lists = match self.objects {
            1 => "the one list of objects, with 1 of them".to_owned(),
            objects => format!("the list with most objects, {objects} as far as was looked"),
        };
        match self.beside.as_slice() {
            [] => lists,
            beside => format!("{lists}; not read: {}", beside.join(", ")),
        }
    }
}

/// The list that the records are in, where one stands out; a text that is cut off tells as far as it goes.
pub(super) fn find(text: &[u8]) -> Option<Records> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut found = Found::default();
    let mut document = serde_json::Deserializer::from_slice(text);
    // What is broken is told of when the records are read.
    drop(found.walk().deserialize(&mut document));
    found.choose()
}

/// Objects in the lists at one path.
#[derive(Debug)]
struct List {
    path: Vec<String>,
    objects: u64,
    /// The same of the lists in these objects.
    inner: Vec<(Vec<String>, u64)>,
}

#[derive(Debug, Default)]
struct Found {
    at: Vec<String>,
    lists: Vec<List>,
    keys: Vec<String>,
    /// There are more than are counted.
    is_too_many: bool,
}

impl Found {
    fn walk(&mut self) -> Walk<'_> {
        Walk { found: self }
    }

    fn choose(mut self) -> Option<Records> {
        self.lists.retain(|list| list.objects > 0);
        self.lists
            .sort_by_key(|list| std::cmp::Reverse(list.objects));
        let next = self.lists.get(1).map_or(0, |list| list.objects);
        let best = self.lists.into_iter().next()?;
        let is_plain =
            |path: &[String]| path.iter().all(|key| !key.is_empty() && !key.contains('.'));
        if self.is_too_many || next * 2 > best.objects || !is_plain(&best.path) {
            return None;
        }
        let inner = best
            .inner
            .iter()
            .filter(|(path, objects)| *objects > 0 && is_plain(path));
        let inner = inner.max_by_key(|(_, objects)| *objects);
        let first = best.path.first();
        Some(Records {
            inner: inner.map(|(path, objects)| (path.join("."), *objects)),
            beside: self
                .keys
                .into_iter()
                .filter(|key| Some(key) != first)
                .collect(),
            objects: best.objects,
            path: best.path,
        })
    }
}

/// A value outside lists.
struct Walk<'a> {
    found: &'a mut Found,
}

/// An element of a list of records.
struct Element<'a> {
    list: &'a mut List,
    at: Vec<String>,
}

/// An element of a list in a record: whether it is an object.
struct IsObject;

macro_rules! scalars {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Self::Value, E> { Ok(Self::Value::default()) })*
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok(Self::Value::default()) }
    };
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.found.at.is_empty() && self.found.keys.len() < LISTS_MAX {
                self.found.keys.push(key.clone());
            }
            self.found.at.push(key);
            map.next_value_seed(self.found.walk())?;
            self.found.at.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.found.lists.len() == LISTS_MAX {
            self.found.is_too_many = true;
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        self.found.lists.push(List {
            path: self.found.at.clone(),
            objects: 0,
            inner: Vec::new(),
        });
        let Some(list) = self.found.lists.last_mut() else {
            return Ok(());
        };
        while seq
            .next_element_seed(Element {
                list,
                at: Vec::new(),
            })?
            .is_some()
        {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.list.objects += u64::from(self.at.is_empty());
        while let Some(key) = map.next_key::<String>()? {
            let mut at = self.at.clone();
            at.push(key);
            map.next_value_seed(Element {
                list: self.list,
                at,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut objects = 0;
        while let Some(is_object) = seq.next_element_seed(IsObject)? {
            objects += u64::from(is_object);
        }
        // A list in the list itself is no list of its records.
        if self.at.is_empty() {
            return Ok(());
        }
        let inner = &mut self.list.inner;
        let known = inner.iter().position(|(path, _)| *path == self.at);
        match known {
            Some(index) => inner[index].1 += objects,
            None if inner.len() < LISTS_MAX => inner.push((self.at, objects)),
            None => {}
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for IsObject {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for IsObject {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}
