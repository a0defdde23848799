//! A JSON value with its place, read property by property; faults are collected, so that one reading tells them all.

use std::cell::RefCell;
use std::fmt;

use serde_json::{Map, Value};

use crate::error::Fault;

/// Where a value stands in its document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Segment>);

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Key(String),
    Index(usize),
}

impl Path {
    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    fn with(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

pub(crate) type Faults = RefCell<Vec<(Path, Fault)>>;

/// What to do with a property that is not among the known ones.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unknown {
    /// A fault: the object is ours alone.
    Refuse,
    /// A fault only where it looks like a misspelt known one: Table Schema lets anyone add properties.
    RefuseNearMiss,
}

/// A value, its place, and where to report faults.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a Value,
    pub(crate) path: Path,
    faults: &'a Faults,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value, faults: &'a Faults) -> Self {
        Self {
            value,
            path: Path::default(),
            faults,
        }
    }

    pub(crate) fn report(&self, fault: Fault) {
        self.faults.borrow_mut().push((self.path.clone(), fault));
    }

    /// Reports what stands here instead of `expected`.
    pub(crate) fn expected<T>(&self, expected: &'static str) -> Option<T> {
        self.report(Fault::WrongType {
            expected,
            found: describe(self.value),
        });
        None
    }

    pub(crate) fn map(&self) -> Option<&'a Map<String, Value>> {
        self.value
            .as_object()
            .or_else(|| self.expected("an object"))
    }

    /// The property `key`, where there is one that is not null.
    pub(crate) fn get(&self, key: &str) -> Option<Node<'a>> {
        let value = self
            .value
            .as_object()?
            .get(key)
            .filter(|value| !value.is_null())?;
        Some(Node {
            value,
            path: self.path.key(key),
            faults: self.faults,
        })
    }

    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_text()
    }

    pub(crate) fn owned(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        let Some(node) = self.get(key) else {
            return false;
        };
        node.value
            .as_bool()
            .or_else(|| node.expected("true or false"))
            .unwrap_or_default()
    }

    pub(crate) fn whole(&self, key: &str) -> Option<usize> {
        let node = self.get(key)?;
        let number = node
            .value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        number.or_else(|| node.expected("a whole number that is not negative"))
    }

    pub(crate) fn as_text(&self) -> Option<&'a str> {
        self.value.as_str().or_else(|| self.expected("a text"))
    }

    pub(crate) fn items(&self) -> Option<Vec<Node<'a>>> {
        let Some(items) = self.value.as_array() else {
            return self.expected("a list");
        };
        let node = |(index, value)| Node {
            value,
            path: self.path.index(index),
            faults: self.faults,
        };
        Some(items.iter().enumerate().map(node).collect())
    }

    /// The items, or the value itself as the only item (Table Schema allows either for keys).
    pub(crate) fn one_or_items(&self) -> Option<Vec<Node<'a>>> {
        if self.value.is_string() {
            Some(vec![self.clone()])
        } else {
            self.items()
        }
    }

    /// Texts under `key`, as a list or alone.
    pub(crate) fn texts(&self, key: &str) -> Option<Vec<String>> {
        let items = self.get(key)?.one_or_items()?;
        Some(
            items
                .iter()
                .filter_map(|item| item.as_text().map(str::to_owned))
                .collect(),
        )
    }

    /// Reports properties that nobody knows.
    pub(crate) fn known(&self, known: &[&'static str], unknown: Unknown) {
        let Some(map) = self.value.as_object() else {
            return;
        };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let suggestion = nearest(key, known.iter().copied()).map(str::to_owned);
            if matches!(unknown, Unknown::RefuseNearMiss) && suggestion.is_none() {
                continue;
            }
            let fault = Fault::UnknownProperty {
                property: key.clone(),
                suggestion,
                known: known.to_vec(),
            };
            self.faults.borrow_mut().push((self.path.key(key), fault));
        }
    }

    /// The word among `known` that stands here.
    pub(crate) fn word(&self, what: &'static str, known: &[&'static str]) -> Option<&'static str> {
        let text = self.as_text()?;
        let found = known.iter().find(|word| **word == text).copied();
        if found.is_none() {
            let suggestion = nearest(text, known.iter().copied()).map(str::to_owned);
            self.report(Fault::UnknownWord {
                what,
                found: text.to_owned(),
                suggestion,
                known: known.to_vec(),
            });
        }
        found
    }
}

/// The known word that a text is probably meant to be: the nearest by at most a third of its letters, or one that it begins.
pub(crate) fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['_', '-', ' '], "");
    let wanted = plain(text);
    known
        .filter_map(|word| {
            let spelt = plain(word);
            let distance = strsim::damerau_levenshtein(&wanted, &spelt);
            let begun = wanted.len() >= 3 && spelt.starts_with(&wanted);
            (begun || distance <= word.chars().count().max(3) / 3).then_some((distance, word))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("the text {text:?}"),
        scalar => scalar.to_string(),
    }
}
