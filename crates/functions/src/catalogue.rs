//! Our functions as they are documented, for whoever lists them.

use datafusion::error::Result;

use crate::session::{SessionOptions, sections};

/// What is told of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionDoc {
    /// The heading it stands under.
    pub section: &'static str,
    /// Its first name, in small letters.
    pub name: String,
    /// Other names of it.
    pub aliases: Vec<String>,
    /// What it gives; empty for a function that does what PostGIS's of the same name does.
    pub about: String,
    /// A call, often with its answer.
    pub example: String,
}

/// Every function of ours, in the order of its documentation.
///
/// # Errors
/// When a function cannot be set up.
pub fn catalogue() -> Result<Vec<FunctionDoc>> {
    let mut all = Vec::new();
    for (section, functions) in sections(&SessionOptions::default())? {
        for function in functions {
            let documentation = function.documentation();
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            all.push(FunctionDoc {
                section,
                name: function.name().to_lowercase(),
                aliases: function
                    .aliases()
                    .iter()
                    .map(|alias| alias.to_lowercase())
                    .collect(),
                about: text(documentation.map(|it| it.description.as_str())),
                example: text(documentation.map(|it| it.syntax_example.as_str())),
            });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn no_name_stands_twice() {
        let all = catalogue().unwrap();
        let mut names: Vec<&String> = all
            .iter()
            .flat_map(|function| std::iter::once(&function.name).chain(&function.aliases))
            .collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(all.iter().any(|function| function.name == "place_code"));
    }
}
