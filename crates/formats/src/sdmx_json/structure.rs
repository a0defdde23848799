//! What a message says of its dimensions, measures and attributes.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::columns::UniqueNames;
use crate::error::FormatError;

/// The measure of messages that name none.
const OBS_VALUE: &str = "OBS_VALUE";
/// The dimension whose codes say what they mean.
const TIME_PERIOD: &str = "TIME_PERIOD";
/// What a data set is for (section "dataSet"): `Information`, `Append`, `Replace`, `Delete`, `Merge`.
const ACTION: &str = "ACTION";
/// What the column of a code's meaning is named after the code's own.
const LABEL: &str = "_label";

/// A structure as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Described {
    dimensions: Levels,
    measures: Levels,
    attributes: Levels,
}

/// Components by the level that they are attached to.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Levels {
    data_set: Vec<DescribedComponent>,
    dimension_group: Vec<DescribedComponent>,
    series: Vec<DescribedComponent>,
    observation: Vec<DescribedComponent>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribedComponent {
    id: String,
    #[serde(default)]
    key_position: Option<usize>,
    /// None: values stand where they are used.
    #[serde(default)]
    values: Option<Vec<DescribedValue>>,
    #[serde(default)]
    default: Option<Value>,
}

/// An object with `id` and `name`, one with `value`, or a bare value.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum DescribedValue {
    Named {
        #[serde(default)]
        id: Option<String>,
        #[serde(default)]
        name: Option<Value>,
        #[serde(default)]
        value: Option<Value>,
    },
    Bare(Value),
}

/// The text of a value: what a string says, anything else as JSON; nothing for null.
pub(crate) fn said(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A code and what it means.
#[derive(Debug, Default, Clone)]
pub(crate) struct CodeValue {
    pub(crate) code: Option<String>,
    pub(crate) label: Option<String>,
}

impl From<DescribedValue> for CodeValue {
    fn from(value: DescribedValue) -> Self {
        let (id, name, value) = match value {
            DescribedValue::Named { id, name, value } => (id, name, value),
            DescribedValue::Bare(value) => (None, None, Some(value)),
        };
        let name = name.as_ref().and_then(said);
        let value = value.as_ref().and_then(said);
        match id.or(value) {
            // An attribute that is a text has its text as a name and no id.
            None => Self {
                code: name,
                label: None,
            },
            code => Self { code, label: name },
        }
    }
}

/// A dimension, a measure or an attribute.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) id: String,
    /// Its place among all dimensions.
    pub(crate) key_position: Option<usize>,
    pub(crate) values: Option<Vec<CodeValue>>,
    pub(crate) default: Option<CodeValue>,
    /// The columns of code and meaning.
    pub(crate) column: usize,
    pub(crate) label: Option<usize>,
}

/// A structure whose components have columns.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    pub(crate) data_set: Vec<Component>,
    pub(crate) series: Vec<Component>,
    pub(crate) observation: Vec<Component>,
    pub(crate) measures: Vec<Component>,
    pub(crate) data_set_attributes: Vec<Component>,
    pub(crate) group_attributes: Vec<Component>,
    pub(crate) series_attributes: Vec<Component>,
    pub(crate) observation_attributes: Vec<Component>,
    pub(crate) action: usize,
}

/// The columns of all structures of a message: dimensions by their place in a key, measures, attributes, the action.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Columns {
    fn add(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// The names, each of them once.
    pub(crate) fn names(&self, part: &str) -> Result<Vec<String>, FormatError> {
        let mut unique = UniqueNames::default();
        self.names
            .iter()
            .map(|name| unique.add(part, name))
            .collect()
    }
}

impl Described {
    pub(crate) fn resolve(self, columns: &mut Columns) -> Structure {
        let Levels {
            data_set,
            series,
            observation,
            ..
        } = self.dimensions;
        let mut ordered: Vec<_> = [&data_set, &series, &observation]
            .into_iter()
            .flatten()
            .map(|it| (it.key_position.unwrap_or(usize::MAX), it.id.as_str()))
            .collect();
        ordered.sort_by_key(|(position, _)| *position);
        for (_, id) in ordered {
            columns.add(id);
            if id != TIME_PERIOD {
                columns.add(&format!("{id}{LABEL}"));
            }
        }
        let mut measures = self.measures.observation;
        if measures.is_empty() {
            measures.push(DescribedComponent {
                id: OBS_VALUE.to_owned(),
                key_position: None,
                values: None,
                default: None,
            });
        }
        let mut all = |components: Vec<DescribedComponent>, kind: Kind| -> Vec<Component> {
            components
                .into_iter()
                .map(|it| it.resolve(kind, columns))
                .collect()
        };
        let mut structure = Structure {
            data_set: all(data_set, Kind::Coded),
            series: all(series, Kind::Coded),
            observation: all(observation, Kind::Coded),
            measures: all(measures, Kind::Measured),
            data_set_attributes: all(self.attributes.data_set, Kind::Coded),
            group_attributes: all(self.attributes.dimension_group, Kind::Coded),
            series_attributes: all(self.attributes.series, Kind::Coded),
            observation_attributes: all(self.attributes.observation, Kind::Coded),
            action: 0,
        };
        structure.action = columns.add(ACTION);
        structure
    }
}

/// Whether values have meanings beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Coded,
    Measured,
}

impl DescribedComponent {
    fn resolve(self, kind: Kind, columns: &mut Columns) -> Component {
        let column = columns.add(&self.id);
        let has_label = kind == Kind::Coded && self.id != TIME_PERIOD;
        let label = has_label.then(|| columns.add(&format!("{}{LABEL}", self.id)));
        let values: Option<Vec<CodeValue>> = self
            .values
            .map(|values| values.into_iter().map(CodeValue::from).collect());
        let default = self.default.as_ref().and_then(said).map(|code| {
            let known = values
                .iter()
                .flatten()
                .find(|it| it.code.as_ref() == Some(&code));
            known.cloned().unwrap_or(CodeValue {
                code: Some(code),
                label: None,
            })
        });
        Component {
            id: self.id,
            key_position: self.key_position,
            values,
            default,
            column,
            label,
        }
    }
}
