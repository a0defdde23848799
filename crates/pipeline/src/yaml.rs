//! YAML → struct, with every mistake told by line, column and the mend.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_saphyr::{Error, Options};

use crate::places::{Places, place};
use crate::problem::{Problem, did_you_mean};

/// Reads a file's text as `T`.
///
/// # Errors
/// [`Problem`] with the place: no YAML, an unknown key, a value of another kind.
pub(crate) fn read<T: DeserializeOwned>(file: &Path, text: &str) -> Result<(T, Places), Problem> {
    let places = Places::of(text).map_err(|error| problem(file, &error))?;
    let value = serde_saphyr::from_str_with_options(text, options());
    Ok((value.map_err(|error| problem(file, &error))?, places))
}

/// YAML 1.2: `true` and `false` alone are no texts. A column may be called `n` or `y`, and Norway is `no`.
pub(crate) fn options() -> Options {
    serde_saphyr::options! { strict_booleans: true }
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
            match kind_asked(message) {
                Some(kind) => Problem::new(file, at, format!("{kind} is asked for here")),
                None => Problem::new(file, at, format!("no valid YAML: {message}")),
            }
        }
    }
}

/// The kind of number that a value had to be.
fn kind_asked(message: &str) -> Option<&'static str> {
    let asked = message.strip_prefix("invalid ")?;
    match asked.split([' ', ',', ':']).next()? {
        "u8" | "u16" | "u32" | "u64" | "usize" => Some("a whole number, 0 or more,"),
        "i8" | "i16" | "i32" | "i64" => Some("a whole number"),
        "floating" => Some("a number"),
        _ => None,
    }
}

fn one_of(name: &str, known: &[&'static str]) -> String {
    did_you_mean(name, known.iter().copied())
        .unwrap_or_else(|| format!("known here: {}", known.join(", ")))
}
