//! A way into a JSON answer: `meta.next`, `$.a.b[0]`, `rows[*].date`, `links[rel=next].href`, `$['@odata.nextLink']`.
//!
//! It is walked while the answer is read, so that a page of any size costs no more memory than what stands at its end.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A way into a JSON answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    /// Every element of a list.
    Each,
    /// The elements of a list that have this text under this key.
    Where(String, String),
}

/// What is no path, and where it breaks off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path:?} is no path into JSON: {what} (write it as in meta.next, rows[0].id, rows[*].date, links[rel=next].href or $['@odata.nextLink'])"
)]
pub struct PathError {
    path: String,
    what: String,
}

/// What stands at the end of a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// Nothing, and said so.
    Null,
    /// A list of so many.
    List(u64),
    /// Keys with values.
    Record,
    /// An element of a list, where elements are asked for.
    Element(Value),
    /// A text, number or truth value.
    Scalar(Value),
}

impl JsonPath {
    /// The root itself.
    #[must_use]
    pub fn root() -> Self {
        Self {
            text: "$".to_owned(),
            steps: Vec::new(),
        }
    }

    /// The texts, numbers and truth values at the end of the path, in order; none where nothing is there.
    ///
    /// # Errors
    /// Where `json` is none.
    pub fn read(&self, json: &[u8]) -> Result<Vec<Value>, serde_json::Error> {
        let mut values = Vec::new();
        self.walk(json, &mut |found| {
            if let Found::Scalar(value) = found {
                values.push(value);
            }
        })?;
        Ok(values)
    }

    /// How many records are there: the elements of a list, none for `null`, or one for anything else. `None` where nothing is
    /// there.
    ///
    /// # Errors
    /// Where `json` is none.
    pub fn count(&self, json: &[u8]) -> Result<Option<u64>, serde_json::Error> {
        let mut count = None;
        self.walk(json, &mut |found| {
            let more = match found {
                Found::Null => 0,
                Found::List(length) => length,
                Found::Record | Found::Scalar(_) => 1,
                Found::Element(_) => 0,
            };
            count = Some(count.unwrap_or(0) + more);
        })?;
        Ok(count)
    }

    /// Gives all that stands at the end of the path to `sink`.
    pub(super) fn walk(
        &self,
        json: &[u8],
        sink: &mut dyn FnMut(Found),
    ) -> Result<(), serde_json::Error> {
        self.walk_into(json, Lists::Counted, sink)
    }

    fn walk_into(
        &self,
        json: &[u8],
        lists: Lists,
        sink: &mut dyn FnMut(Found),
    ) -> Result<(), serde_json::Error> {
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let mut reader = serde_json::Deserializer::from_slice(json);
        let walk = Walk {
            steps: &self.steps,
            lists,
            sink,
        };
        walk.deserialize(&mut reader)?;
        reader.end()
    }
}

/// A hash of what the lists at the end of the paths hold, those of the first path that leads to any; `None` where none does, or
/// where `json` is none. An element at a time is held.
pub(super) fn digest(paths: &[JsonPath], json: &[u8]) -> Option<String> {
    paths.iter().find_map(|path| {
        let (mut hasher, mut has_any) = (blake3::Hasher::new(), false);
        let walked = path.walk_into(json, Lists::Given, &mut |found| {
            if let Found::Element(element) = found {
                has_any = true;
                hasher.update(element.to_string().as_bytes());
                hasher.update(b"\n");
            }
        });
        walked.ok().filter(|()| has_any)?;
        Some(hasher.finalize().to_hex()[..16].to_owned())
    })
}

/// Where [`only_list`] may find it.
pub(super) fn places_of_only_list() -> [JsonPath; 2] {
    [JsonPath::root(), every()]
}

fn every() -> JsonPath {
    JsonPath {
        text: String::new(),
        steps: vec![Step::Each],
    }
}

/// The only list of an answer: the root itself, or the one value of the root that is a list. Gives its length.
pub(super) fn only_list(json: &[u8]) -> Result<Option<u64>, serde_json::Error> {
    let (mut root, mut lists) = (None, Vec::new());
    JsonPath::root().walk(json, &mut |found| root = Some(found))?;
    match root {
        Some(Found::List(length)) => return Ok(Some(length)),
        Some(Found::Record) => {}
        _ => return Ok(None),
    }
    every().walk(json, &mut |found| {
        if let Found::List(length) = found {
            lists.push(length);
        }
    })?;
    Ok(match lists[..] {
        [only] => Some(only),
        _ => None,
    })
}

/// What is told of a list at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    /// Its length.
    Counted,
    /// Each element, then its length.
    Given,
}

/// One value on the way down.
struct Walk<'a, 's> {
    steps: &'a [Step],
    lists: Lists,
    sink: &'s mut dyn FnMut(Found),
}

impl Walk<'_, '_> {
    fn scalar(self, value: impl Into<Value>) {
        if self.steps.is_empty() {
            (self.sink)(Found::Scalar(value.into()));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(value);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.scalar(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        if self.steps.is_empty() {
            (self.sink)(Found::Null);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.steps.is_empty() {
            (self.sink)(Found::Record);
        }
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            let rest = match self.steps {
                [Step::Key(wanted), rest @ ..] if *wanted == key => Some(rest),
                [Step::Each, rest @ ..] => Some(rest),
                _ => None,
            };
            match rest {
                Some(steps) => map.next_value_seed(Walk {
                    steps,
                    lists: self.lists,
                    sink: &mut *self.sink,
                })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let is_more = match self.steps {
                [Step::Each, rest @ ..] => next(&mut list, (rest, self.lists), self.sink)?,
                [Step::Index(wanted), rest @ ..] if *wanted == index => {
                    next(&mut list, (rest, self.lists), self.sink)?
                }
                [Step::Where(key, text), rest @ ..] => {
                    let element: Option<Value> = list.next_element()?;
                    if let Some(element) = &element
                        && has(element, key, text)
                    {
                        let walk = Walk {
                            steps: rest,
                            lists: self.lists,
                            sink: &mut *self.sink,
                        };
                        walk.deserialize(element)
                            .map_err(serde::de::Error::custom)?;
                    }
                    element.is_some()
                }
                [] if self.lists == Lists::Given => {
                    let element: Option<Value> = list.next_element()?;
                    let is_more = element.is_some();
                    element
                        .into_iter()
                        .for_each(|it| (self.sink)(Found::Element(it)));
                    is_more
                }
                _ => list.next_element::<IgnoredAny>()?.is_some(),
            };
            if !is_more {
                break;
            }
            index += 1;
        }
        if self.steps.is_empty() {
            (self.sink)(Found::List(index as u64));
        }
        Ok(())
    }
}

fn next<'de, A: SeqAccess<'de>>(
    list: &mut A,
    (steps, lists): (&[Step], Lists),
    sink: &mut dyn FnMut(Found),
) -> Result<bool, A::Error> {
    let element = list.next_element_seed(Walk { steps, lists, sink })?;
    Ok(element.is_some())
}

/// Whether a record has this text under this key; of a list of texts, one is enough.
fn has(element: &Value, key: &str, text: &str) -> bool {
    let is = |value: &Value| match value {
        Value::String(found) => found == text,
        Value::Number(found) => found.to_string() == text,
        Value::Bool(found) => found.to_string() == text,
        _ => false,
    };
    match element.get(key) {
        Some(Value::Array(values)) => values.iter().any(is),
        Some(value) => is(value),
        None => false,
    }
}

impl FromStr for JsonPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let wrong = |what: &str| PathError {
            path: text.to_owned(),
            what: what.to_owned(),
        };
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        let mut is_first = rest.len() == text.len();
        if text.is_empty() {
            return Err(wrong("it is empty"));
        }
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (step, after) = bracket(inner).map_err(wrong)?;
                steps.push(step);
                rest = after;
            } else {
                let name = match rest.strip_prefix('.') {
                    Some(name) if !is_first => name,
                    None if is_first => rest,
                    _ => return Err(wrong("a name or a bracket is expected")),
                };
                let end = name.find(['.', '[']).unwrap_or(name.len());
                match &name[..end] {
                    "" => return Err(wrong("a name is empty")),
                    "*" => steps.push(Step::Each),
                    key => steps.push(Step::Key(key.to_owned())),
                }
                rest = &name[end..];
            }
            is_first = false;
        }
        Ok(Self {
            text: text.to_owned(),
            steps,
        })
    }
}

/// The step in a bracket, and what follows the bracket.
fn bracket(inner: &str) -> Result<(Step, &str), &'static str> {
    for quote in ['\'', '"'] {
        if let Some(quoted) = inner.strip_prefix(quote) {
            let (key, after) = quoted.split_once(quote).ok_or("a quote is open")?;
            let after = after.strip_prefix(']').ok_or("a bracket is open")?;
            return Ok((Step::Key(key.to_owned()), after));
        }
    }
    let (inside, after) = inner.split_once(']').ok_or("a bracket is open")?;
    let step = match inside.trim() {
        "*" => Step::Each,
        number if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            Step::Index(number.parse().map_err(|_| "a number is too large")?)
        }
        condition => {
            let (key, text) = condition
                .split_once('=')
                .ok_or("a bracket holds a number, *, a quoted name or key=text")?;
            let text = text.trim().trim_matches(['\'', '"']);
            Step::Where(key.trim().to_owned(), text.to_owned())
        }
    };
    Ok((step, after))
}

impl TryFrom<String> for JsonPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl From<JsonPath> for String {
    fn from(path: JsonPath) -> Self {
        path.text
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl JsonSchema for JsonPath {
    fn schema_name() -> Cow<'static, str> {
        "JsonPath".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

#[cfg(test)]
mod tests;
