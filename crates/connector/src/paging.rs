//! Pages: how a source cuts its answer up, and how the next piece is asked for.
//!
//! A connector either fetches through [`Pager::fetch`], or asks [`Pager::page`] which page is next and tells
//! [`Page::turn`] what came. Whatever the source answers, a unit comes to an end: an empty page, a short one, or one error
//! that says how the source leads in a circle.
//!
//! ```
//! use sectorlake_connector::paging::{Paging, Style};
//!
//! let paging: Paging = serde_json::from_str(r#"{"style": "next", "next": "meta.next"}"#)?;
//! assert!(paging.check("paging").is_ok());
//! let built = Paging { size: Some(1000), ..Paging::of(Style::Offset) };
//! assert!(built.check("paging").is_ok());
//! # Ok::<(), serde_json::Error>(())
//! ```

mod link;
mod numbered;
mod pager;
mod path;
mod place;
mod progress;
mod turn;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::settings::SettingsError;

pub use pager::{Count, Page, Pager, Turn};
pub use path::{JsonPath, PathError};

/// Pages of one unit, at most, where nobody says otherwise.
pub const PAGES_MAX: u32 = 100_000;

/// How a source pages.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// `offset`: so many records on; `page`: numbered pages; `cursor`: a mark out of the answer goes back as a parameter;
    /// `link`: the Link header (RFC 8288) with `rel="next"`; `next`: an address in the answer; `odata`: `@odata.nextLink`.
    pub style: Style,
    /// The query parameter that says where to go on. Default: `offset`, `page`, `cursor`, or `$skip`, after the style.
    #[serde(default)]
    pub parameter: Option<String>,
    /// Records a page. Needed for `offset`; with `odata` the source is asked for pages of this size with `$top`.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub size: Option<u32>,
    /// The query parameter that `size` is sent in; empty: it is not sent. Default: `limit`, `page_size` with `page`, `$top`
    /// with `odata`.
    #[serde(default)]
    pub size_parameter: Option<String>,
    /// The first offset or page. Default: 0 for `offset`, 1 for `page`.
    #[serde(default)]
    pub first: Option<u64>,
    /// Where the answer says how to go on: with `next` the address, with `cursor` the mark. As in `meta.next`, or
    /// `links[rel=next].href`.
    #[serde(default)]
    pub next: Option<JsonPath>,
    /// Where the records stand, to be counted. Default: the answer itself, or the only list in it.
    #[serde(default)]
    pub records: Option<JsonPath>,
    /// Where the answer says how many records there are in all. Without it, and without `pages` and `more`, the first page without
    /// records is the last; with it pages without records are passed over until the total is reached, ten in a row at most.
    #[serde(default)]
    pub total: Option<JsonPath>,
    /// Where the answer says how many pages there are in all.
    #[serde(default)]
    pub pages: Option<JsonPath>,
    /// Where the answer says, true or false, whether there is more.
    #[serde(default)]
    pub more: Option<JsonPath>,
    /// Hosts beside the source's own that the next page may be at; with the port, where it is not the usual one.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Pages after which a source is said to have no end. Default: 100000.
    #[serde(default = "pages_max")]
    #[schemars(range(min = 1))]
    pub pages_max: u32,
}

/// How a source pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// So many records on.
    Offset,
    /// Numbered pages.
    Page,
    /// A mark out of the answer goes back as a parameter.
    Cursor,
    /// The Link header (RFC 8288) with `rel="next"`.
    Link,
    /// An address in the answer.
    Next,
    /// `@odata.nextLink`, and `$skip` where `size` is given.
    Odata,
}

fn pages_max() -> u32 {
    PAGES_MAX
}

impl Paging {
    /// A style with its defaults.
    #[must_use]
    pub fn of(style: Style) -> Self {
        Self {
            style,
            parameter: None,
            size: None,
            size_parameter: None,
            first: None,
            next: None,
            records: None,
            total: None,
            pages: None,
            more: None,
            hosts: Vec::new(),
            pages_max: PAGES_MAX,
        }
    }

    /// Whether the settings go together; `key` leads to them, for the error.
    ///
    /// # Errors
    /// [`SettingsError`] for what a style needs and lacks, or has and does not know.
    pub fn check(&self, key: &str) -> Result<(), SettingsError> {
        let missing = |name: &str, help: &str| {
            let message = format!("`{name}` is missing");
            Err(SettingsError::of_key(key, message).with_help(help))
        };
        match self.style {
            Style::Offset if self.size.is_none() => {
                return missing(
                    "size",
                    "say how many records a page has, as in `size: 1000`",
                );
            }
            Style::Cursor | Style::Next if self.next.is_none() => {
                return missing(
                    "next",
                    "say where the answer tells how to go on, as in `next: meta.next`",
                );
            }
            _ => {}
        }
        let is_numbered = matches!(self.style, Style::Offset | Style::Page);
        let strange = [
            ("first", self.first.is_some() && !is_numbered),
            ("next", self.next.is_some() && is_numbered),
            ("total", self.total.is_some() && !is_numbered),
            ("pages", self.pages.is_some() && self.style != Style::Page),
            (
                "hosts",
                !self.hosts.is_empty() && (is_numbered || self.style == Style::Cursor),
            ),
        ];
        match strange.iter().find(|(_, is_strange)| *is_strange) {
            None => Ok(()),
            Some((name, _)) => {
                let path = vec![key.to_owned(), (*name).to_owned()];
                let message = format!("means nothing with `style: {}`", self.style.name());
                Err(SettingsError::new(path, message)
                    .with_help("leave it out, or write the style that the source has"))
            }
        }
    }

    pub(crate) fn parameter(&self) -> &str {
        self.parameter.as_deref().unwrap_or(match self.style {
            Style::Offset => "offset",
            Style::Page => "page",
            Style::Cursor | Style::Link | Style::Next => "cursor",
            Style::Odata => "$skip",
        })
    }

    /// The parameter of the size and its value, where it is sent.
    pub(crate) fn size(&self) -> Option<(&str, u32)> {
        let name = self.size_parameter.as_deref().unwrap_or(match self.style {
            Style::Page => "page_size",
            Style::Odata => "$top",
            _ => "limit",
        });
        let size = self.size?;
        (!name.is_empty()).then_some((name, size))
    }

    pub(crate) fn first(&self) -> u64 {
        self.first.unwrap_or(u64::from(self.style == Style::Page))
    }
}

impl Style {
    fn name(self) -> &'static str {
        match self {
            Self::Offset => "offset",
            Self::Page => "page",
            Self::Cursor => "cursor",
            Self::Link => "link",
            Self::Next => "next",
            Self::Odata => "odata",
        }
    }
}

#[cfg(test)]
mod tests;
