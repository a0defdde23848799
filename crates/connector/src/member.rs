//! Which members of an archive a stream reads.

use glob::{MatchOptions, Pattern};

use crate::error::{ConnectorError, ErrorKind};

/// An exact name, or a glob. Without a slash it speaks of the last part of a member's path, with one of the whole path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPattern {
    text: String,
    /// `None`: an exact name.
    glob: Option<Pattern>,
}

impl MemberPattern {
    /// A pattern from its text: `stops.txt`, `*.csv`, `2024/*.csv`.
    ///
    /// # Errors
    /// [`ConnectorError`] of kind [`ErrorKind::Invalid`] when the glob is none.
    pub fn new(text: &str) -> Result<Self, ConnectorError> {
        let glob = if text.contains(['*', '?', '[']) {
            Some(Pattern::new(text).map_err(|error| {
                ConnectorError::new(
                    ErrorKind::Invalid,
                    format!("{text:?} is no glob: {}", error.msg),
                )
                .at(text)
                .with_help("write `*` for any text, `?` for one character, `[[]` for a bracket")
            })?)
        } else {
            None
        };
        Ok(Self {
            text: text.to_owned(),
            glob,
        })
    }

    /// A pattern of one exact name.
    #[must_use]
    pub fn exact(name: &str) -> Self {
        Self {
            text: name.to_owned(),
            glob: None,
        }
    }

    /// Whether the member of this path is meant.
    #[must_use]
    pub fn matches(&self, member: &str) -> bool {
        if is_clutter(member) {
            return false;
        }
        let subject = if self.text.contains('/') {
            member
        } else {
            base_name(member)
        };
        match &self.glob {
            Some(glob) => glob.matches_with(subject, OPTIONS),
            None => subject == self.text,
        }
    }

    /// The members that are meant, in their order. An exact name in several folders means the one nearest the top: feeds
    /// are packed with or without a folder around them.
    pub fn select<'a>(&self, members: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let found: Vec<&str> = members
            .into_iter()
            .filter(|&member| self.matches(member))
            .collect();
        if self.glob.is_some() {
            return found;
        }
        found
            .into_iter()
            .min_by_key(|member| member.matches('/').count())
            .into_iter()
            .collect()
    }
}

impl std::fmt::Display for MemberPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

fn base_name(member: &str) -> &str {
    member.rsplit('/').next().unwrap_or(member)
}

/// What a Mac packs beside the files, and folders.
fn is_clutter(member: &str) -> bool {
    member.ends_with('/') || member.starts_with("__MACOSX/") || base_name(member).starts_with("._")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn select<'a>(pattern: &str, members: &[&'a str]) -> Vec<&'a str> {
        MemberPattern::new(pattern)
            .unwrap()
            .select(members.iter().copied())
    }

    #[test]
    fn an_exact_name_is_found_at_the_top_or_under_a_folder() {
        assert_eq!(
            select("stops.txt", &["stops.txt", "trips.txt"]),
            ["stops.txt"]
        );
        assert_eq!(
            select("stops.txt", &["feed/", "feed/stops.txt"]),
            ["feed/stops.txt"]
        );
        assert_eq!(
            select("stops.txt", &["old/stops.txt", "stops.txt"]),
            ["stops.txt"]
        );
        assert_eq!(
            select("stops.txt", &["__MACOSX/stops.txt", "my_stops.txt"]),
            [""; 0]
        );
        assert_eq!(
            select("a/stops.txt", &["a/stops.txt", "b/stops.txt"]),
            ["a/stops.txt"]
        );
    }

    #[test]
    fn a_glob_means_all_that_match() {
        let members = ["b.csv", "a.csv", "x/c.csv", "readme.txt", "._a.csv"];
        assert_eq!(select("*.csv", &members), ["b.csv", "a.csv", "x/c.csv"]);
        assert_eq!(select("x/*.csv", &members), ["x/c.csv"]);
        assert_eq!(select("?.csv", &members), ["b.csv", "a.csv", "x/c.csv"]);
    }

    #[test]
    fn a_broken_glob_is_told() {
        let error = MemberPattern::new("[a").unwrap_err();
        assert!(error.to_string().contains("is no glob"), "{error}");
    }
}
