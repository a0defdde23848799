//! What a person calls a table or a field, by language.

use std::collections::BTreeMap;

/// Titles by language tag (`vi`, `en`, …).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titles(BTreeMap<String, String>);

impl Titles {
    /// Titles from pairs of language tag and text.
    #[must_use]
    pub fn new(titles: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(titles.into_iter().collect())
    }

    /// The title in one language.
    #[must_use]
    pub fn get(&self, language: &str) -> Option<&str> {
        self.0.get(language).map(String::as_str)
    }

    /// The Vietnamese title.
    #[must_use]
    pub fn vi(&self) -> Option<&str> {
        self.get("vi")
    }

    /// The English title, which is also the `title` of Table Schema.
    #[must_use]
    pub fn en(&self) -> Option<&str> {
        self.get("en")
    }

    /// Whether there is no title at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Language tags and titles, by tag.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(language, title)| (language.as_str(), title.as_str()))
    }
}
