//! Settings of a pipeline file against a connector's JSON Schema, with the place and the mend of each mistake.

mod check;
mod exposed;
mod mistake;

pub(crate) use check::check;
pub(crate) use exposed::exposed;

/// A setting that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("{}: ", self.key()) })]
pub struct SettingsError {
    /// Keys, and indices of lists, from the connector's settings down to the one that is wrong. A missing key is its
    /// parent's mistake, an unknown one stands in the path itself.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// The mend.
    pub help: Option<String>,
}

impl SettingsError {
    /// What is wrong at `path`.
    #[must_use]
    pub fn new(path: Vec<String>, message: impl Into<String>) -> Self {
        Self {
            path,
            message: message.into(),
            help: None,
        }
    }

    /// What is wrong with one top-level key.
    #[must_use]
    pub fn of_key(key: &str, message: impl Into<String>) -> Self {
        Self::new(vec![key.to_owned()], message)
    }

    /// With the mend.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The place as people write it: `headers.accept`, `url[1]`.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = String::new();
        for step in &self.path {
            if step.bytes().all(|byte| byte.is_ascii_digit()) {
                key.push_str(&format!("[{step}]"));
            } else {
                key.push_str(if key.is_empty() { "" } else { "." });
                key.push_str(step);
            }
        }
        key
    }
}

#[cfg(test)]
mod tests;
