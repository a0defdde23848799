//! `enum`: the values a field may take.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::array_value_to_string;
use hashbrown::HashSet;
use sectorlake_contract::{Field, FieldType};

use crate::cast::{Failure, as_text};
use crate::shown::quoted;
use crate::text;

/// Allowed values named in a message before "and n more".
const SHOWN_MAX: usize = 8;

#[derive(Debug)]
pub(crate) struct Allowed {
    texts: HashSet<String, foldhash::fast::FixedState>,
    whole: Vec<i64>,
    numbers: Vec<f64>,
    shown: String,
}

impl Allowed {
    pub(crate) fn compile(field: &Field, values: &[String]) -> Self {
        let whole = matches!(field.kind, FieldType::Integer);
        let number = matches!(field.kind, FieldType::Number);
        let mut shown = values
            .iter()
            .take(SHOWN_MAX)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if values.len() > SHOWN_MAX {
            shown.push_str(&format!(" and {} more", values.len() - SHOWN_MAX));
        }
        Self {
            texts: values.iter().cloned().collect(),
            whole: values
                .iter()
                .filter(|_| whole)
                .filter_map(|value| text::integer(value))
                .collect(),
            numbers: values
                .iter()
                .filter(|_| number)
                .filter_map(|value| text::number(value))
                .collect(),
            shown,
        }
    }

    pub(crate) fn check(&self, column: &ArrayRef, position: usize, failures: &mut Vec<Failure>) {
        let mut refuse = |index: usize, value: String| {
            let message = format!("value {value} is not one of {}", self.shown);
            failures.push(Failure {
                index,
                field: position,
                rule: "enum",
                message,
            });
        };
        if let Some(values) = as_text(column) {
            values
                .present()
                .filter(|(_, value)| !self.texts.contains(*value))
                .for_each(|(index, value)| refuse(index, quoted(value)));
            return;
        }
        match column.data_type() {
            DataType::Int64 => {
                let values = column.as_primitive::<Int64Type>().iter().enumerate();
                for (index, value) in values.filter_map(|(index, value)| Some((index, value?))) {
                    if !self.whole.contains(&value) {
                        refuse(index, value.to_string());
                    }
                }
            }
            DataType::Float64 => {
                let values = column
                    .as_primitive::<arrow::datatypes::Float64Type>()
                    .iter()
                    .enumerate();
                for (index, value) in values.filter_map(|(index, value)| Some((index, value?))) {
                    if !self.numbers.contains(&value) {
                        refuse(index, format!("{value:?}"));
                    }
                }
            }
            _ => {
                for index in (0..column.len()).filter(|index| column.is_valid(*index)) {
                    let value = array_value_to_string(column, index).unwrap_or_default();
                    if !self.texts.contains(&value) {
                        refuse(index, quoted(&value));
                    }
                }
            }
        }
    }
}
