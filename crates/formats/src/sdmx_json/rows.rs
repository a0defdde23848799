//! Observations → rows, one after the other: nothing is held but where the next one stands.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::Message;
use super::structure::{Component, Structure, said};
use crate::json::fields::{fields, inside, items, member, text};

/// Parts of a key, at most.
const KEY_PARTS_MAX: usize = 1024;

/// A data set, and where its parts stand in the message.
#[derive(Debug, Default)]
pub(crate) struct DataSet {
    pub(crate) structure: usize,
    action: Option<String>,
    attributes: Option<Range<usize>>,
    /// Parts of a key that are set → their places in the lists → attributes.
    groups: HashMap<Vec<bool>, HashMap<Vec<usize>, Range<usize>>>,
    series: Option<usize>,
    observations: Option<usize>,
}

/// Where a part of the text stands in it.
fn place(whole: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}

impl DataSet {
    /// Of an element of `dataSets`.
    pub(crate) fn of(whole: &str, set: &str) -> Result<Self, String> {
        let mut found = Self::default();
        let members = fields(set).map_err(|error| format!("a data set cannot be read: {error}"))?;
        for (key, value) in members {
            match key.as_ref() {
                "structure" => found.structure = value.parse().unwrap_or(usize::MAX),
                "action" => found.action = text(value).ok().map(Cow::into_owned),
                "attributes" => found.attributes = Some(place(whole, value)),
                "series" => found.series = Some(place(whole, inside(value)).start),
                "observations" => found.observations = Some(place(whole, inside(value)).start),
                "dimensionGroupAttributes" => found.group(whole, value),
                _ => {}
            }
        }
        Ok(found)
    }

    pub(crate) fn has_data(&self) -> bool {
        self.series.is_some() || self.observations.is_some()
    }

    /// Attributes of the observations whose key has these parts, as in `0::0::1:`.
    fn group(&mut self, whole: &str, groups: &str) {
        let mut rest = inside(groups);
        while let Some((key, value, after)) = member(rest) {
            rest = after;
            let Ok(key) = text(key) else { continue };
            let parts = key
                .split(':')
                .take(KEY_PARTS_MAX)
                .map(|part| part.parse::<usize>().ok());
            let parts: Vec<Option<usize>> = parts.collect();
            let set = parts.iter().map(Option::is_some).collect();
            let places = parts.into_iter().flatten().collect();
            let known = self.groups.entry(set).or_default();
            known.insert(places, place(whole, value));
        }
    }
}

/// One row, or why there is none, and where it stands.
pub(crate) struct Row {
    pub(crate) values: Result<Vec<Option<String>>, String>,
    pub(crate) place: Range<usize>,
}

/// The series whose observations are being read.
#[derive(Debug, Default)]
struct Series {
    key: String,
    attributes: Option<Range<usize>>,
}

/// The observations of a message.
#[derive(Debug)]
pub(crate) struct Rows {
    message: Arc<Message>,
    /// The data set being read is the one before it.
    next_set: usize,
    /// Where the next series stands.
    series_at: Option<usize>,
    series: Option<Series>,
    /// Where the next observation stands.
    observation_at: Option<usize>,
}

impl Rows {
    pub(crate) fn new(message: Arc<Message>) -> Self {
        Self {
            message,
            next_set: 0,
            series_at: None,
            series: None,
            observation_at: None,
        }
    }

    pub(crate) fn message(&self) -> &Message {
        &self.message
    }

    pub(crate) fn next_row(&mut self) -> Option<Row> {
        let message = Arc::clone(&self.message);
        let whole = message.text();
        loop {
            if let Some(at) = self.observation_at.take()
                && let Some((key, value, rest)) = member(&whole[at..])
            {
                self.observation_at = Some(whole.len() - rest.len());
                let place = place(whole, key).start..place(whole, value).end;
                let values = match place.len() > message.record_bytes_max {
                    true => Err(format!(
                        "the observation is longer than {} bytes",
                        message.record_bytes_max
                    )),
                    false => self.values(whole, key, value),
                };
                return Some(Row { values, place });
            }
            if let Some(at) = self.series_at.take()
                && let Some((key, value, rest)) = member(&whole[at..])
            {
                self.series_at = Some(whole.len() - rest.len());
                self.enter(whole, key, value);
                continue;
            }
            let set = message.sets.get(self.next_set)?;
            self.next_set += 1;
            (self.series_at, self.observation_at, self.series) =
                (set.series, set.observations, None);
        }
    }

    fn enter(&mut self, whole: &str, key: &str, value: &str) {
        let mut series = Series {
            key: text(key).map(Cow::into_owned).unwrap_or_default(),
            attributes: None,
        };
        let mut rest = inside(value);
        while let Some((key, value, after)) = member(rest) {
            rest = after;
            match key {
                "\"attributes\"" => series.attributes = Some(place(whole, value)),
                "\"observations\"" => {
                    self.observation_at = Some(place(whole, inside(value)).start);
                }
                _ => {}
            }
        }
        self.series = Some(series);
    }

    /// The values of all columns.
    fn values(&self, whole: &str, key: &str, value: &str) -> Result<Vec<Option<String>>, String> {
        let set = &self.message.sets[self.next_set - 1];
        let structure = &self.message.structures[set.structure];
        let mut row = Filling {
            values: vec![None; self.message.columns],
            places: HashMap::new(),
        };
        row.values[structure.action].clone_from(&set.action);
        for dimension in &structure.data_set {
            row.code(dimension, 0)?;
        }
        if let Some(series) = &self.series {
            row.key(&structure.series, &series.key)?;
        }
        let key = text(key).map_err(|error| error.to_string())?;
        row.key(&structure.observation, &key)?;
        let part = |range: &Option<Range<usize>>| {
            let range = range.clone().unwrap_or_default();
            items(whole.get(range).unwrap_or_default())
        };
        row.all(&structure.data_set_attributes, &part(&set.attributes))?;
        let of_series = self.series.as_ref().map(|series| part(&series.attributes));
        row.all(&structure.series_attributes, &of_series.unwrap_or_default())?;
        for group in row.groups(structure, set) {
            row.all(&structure.group_attributes, &part(&Some(group)))?;
        }
        let values = items(value);
        let (measures, attributes) = values.split_at(structure.measures.len().min(values.len()));
        row.all(&structure.measures, measures)?;
        row.all(&structure.observation_attributes, attributes)?;
        Ok(row.values)
    }
}

/// A row being filled.
struct Filling {
    values: Vec<Option<String>>,
    /// Place of a dimension in a key → place in its list.
    places: HashMap<usize, usize>,
}

impl Filling {
    fn put(&mut self, component: &Component, code: Option<String>, label: Option<String>) {
        self.values[component.column] = code;
        if let Some(column) = component.label {
            self.values[column] = label;
        }
    }

    /// A value by its place in the component's list.
    fn code(&mut self, component: &Component, place: usize) -> Result<(), String> {
        let values = component.values.as_deref().unwrap_or_default();
        let Some(value) = values.get(place) else {
            let (id, count) = (&component.id, values.len());
            return Err(format!(
                "it names value {place} of `{id}`, which has {count} from 0"
            ));
        };
        if let Some(position) = component.key_position {
            self.places.insert(position, place);
        }
        self.put(component, value.code.clone(), value.label.clone());
        Ok(())
    }

    fn key(&mut self, dimensions: &[Component], key: &str) -> Result<(), String> {
        let parts = key.split(':').count();
        if parts != dimensions.len() && !(dimensions.is_empty() && key.is_empty()) {
            let count = dimensions.len();
            return Err(format!(
                "its key `{key}` has {parts} parts for {count} dimensions"
            ));
        }
        for (dimension, part) in dimensions.iter().zip(key.split(':')) {
            // `~` is how version 2 says that a dimension has no value.
            if part == "~" || part.is_empty() {
                continue;
            }
            let place = part
                .parse()
                .map_err(|_| format!("its key `{key}` is no list of numbers"))?;
            self.code(dimension, place)?;
        }
        Ok(())
    }

    fn all(&mut self, components: &[Component], values: &[&str]) -> Result<(), String> {
        // An attribute without any value has no place in what the OECD's servers write, though it is listed; `null` would stand there.
        let is_used = |it: &&Component| it.values.as_ref().is_none_or(|it| !it.is_empty());
        let used = components.iter().filter(is_used).count();
        let skips = values.len() <= used && used < components.len();
        let mut values = values.iter().copied();
        for component in components {
            let value = match skips && !is_used(&component) {
                true => None,
                false => values.next(),
            };
            match (value, &component.values) {
                (None | Some("null"), _) => {
                    if let Some(default) = &component.default
                        && self.values[component.column].is_none()
                    {
                        self.put(component, default.code.clone(), default.label.clone());
                    }
                }
                (Some(value), Some(_)) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    let place = value.parse().unwrap_or(usize::MAX);
                    self.code(component, place)?;
                }
                (Some(value), _) if !value.starts_with('"') => {
                    self.put(component, Some(value.to_owned()), None);
                }
                (Some(value), _) => {
                    let value: Value =
                        serde_json::from_str(value).map_err(|error| error.to_string())?;
                    self.put(component, said(&value), None);
                }
            }
        }
        Ok(())
    }

    /// The attributes of the groups that the row's key is in.
    fn groups(&self, structure: &Structure, set: &DataSet) -> Vec<Range<usize>> {
        if structure.group_attributes.is_empty() {
            return Vec::new();
        }
        let found = set.groups.iter().filter_map(|(set, known)| {
            let positions = set.iter().enumerate().filter(|(_, is_set)| **is_set);
            let places = positions.map(|(position, _)| self.places.get(&position).copied());
            known.get(&places.collect::<Option<Vec<_>>>()?).cloned()
        });
        found.collect()
    }
}
