//! YAML → struct, with every mistake told by line, column and the mend.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use crate::places::{Places, place};
use crate::problem::{Problem, did_you_mean};

/// Reads a file's text as `T`.
///
/// # Errors
/// [`Problem`] with the place: no YAML, an unknown key, a value of another kind.
pub(crate) fn read<T: DeserializeOwned>(file: &Path, text: &str) -> Result<(T, Places), Problem> {
    let places = Places::of(text).map_err(|error| problem(file, &error))?;
    let value = serde_saphyr::from_str(text).map_err(|error| problem(file, &error))?;
    Ok((value, places))
}

fn problem(file: &Path, error: &Error) -> Problem {
    let at = error.location().map(place).unwrap_or_default();
    match error.without_snippet() {
        Error::SerdeUnknownField {
            field, expected, ..
        } => Problem::new(file, at, format!("unknown key `{field}`")).help(one_of(field, expected)),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => Problem::new(file, at, format!("`{variant}` is not known here"))
            .help(one_of(variant, expected)),
        Error::SerdeMissingField { field, .. } => {
            Problem::new(file, at, format!("`{field}:` is missing"))
        }
        Error::DuplicateMappingKey { .. } => {
            Problem::new(file, at, "a key stands here twice").help("keep one of the two")
        }
        Error::Eof { .. } => Problem::new(file, at, "the file is empty"),
        other => {
            let text = other.to_string();
            let message = text
                .rfind(" at line ")
                .map_or(text.as_str(), |end| &text[..end]);
            Problem::new(file, at, format!("no valid YAML: {message}"))
        }
    }
}

fn one_of(name: &str, known: &[&'static str]) -> String {
    did_you_mean(name, known.iter().copied())
        .unwrap_or_else(|| format!("known here: {}", known.join(", ")))
}
