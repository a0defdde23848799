//! Going on where the last run ended: a mark that rises with a time or an id, and a window behind it for what comes late.
//!
//! A source that is asked for changes by ETag needs none of this ([`crate::Request::if_changed_since`]), and one whose bytes
//! are the same is known by their hash: the raw zone keeps them once, and the run has nothing to do.

mod ahead;
mod mark;
mod span;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::paging::JsonPath;
use crate::settings::SettingsError;
use crate::source::Reads;

pub use ahead::Ahead;
pub use mark::Mark;
pub use span::span;

/// How a source is asked for what is new.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Incremental {
    /// What rises: a time or an id.
    pub kind: Kind,
    /// The query parameter that asks for newer records: `updated_since`. Left out, the source is asked for all it has.
    #[serde(default)]
    pub parameter: Option<String>,
    /// The parameter's value, with `{mark}` where the time or id goes: `updated_at > '{mark}'`. Default: `{mark}` alone.
    #[serde(default)]
    pub template: Option<String>,
    /// Where the rising value stands in an answer: `results[*].updated_at`. The greatest is the next mark. Left out, a time is
    /// that of the run itself; an id cannot do without.
    #[serde(default)]
    pub field: Option<JsonPath>,
    /// Where the first run starts: `2025-01-01`, or an id. Left out, it asks for everything.
    #[serde(default)]
    pub start: Option<String>,
    /// How far behind the mark each run asks again, so that late and revised records come too: `2d`, `6h`; for ids a number,
    /// `500`. Default: none.
    #[serde(default)]
    pub lookback: Option<String>,
    /// How the source writes times: `%Y-%m-%d %H:%M`, `unix` (seconds) or `unix_ms`. Default: `2025-01-31T07:00:00Z`.
    #[serde(default)]
    pub format: Option<String>,
}

/// What rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A time: of change, of entry, of observation.
    Time,
    /// An id or number that later records have greater ones of.
    Id,
}

impl Incremental {
    /// A mark that rises with the time of the run, without window.
    #[must_use]
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            parameter: None,
            template: None,
            field: None,
            start: None,
            lookback: None,
            format: None,
        }
    }

    /// From where on a run reads what these settings are of.
    #[must_use]
    pub fn reads(&self) -> Reads {
        let window = self.lookback.as_deref().and_then(|text| self.window(text));
        match window {
            None | Some(0) => Reads::On,
            Some(_) => Reads::Overlapping,
        }
    }

    /// Whether the settings go together; `key` leads to them, for the error.
    ///
    /// # Errors
    /// [`SettingsError`] for a window, a start or a format that means nothing, and an id without its field.
    pub fn check(&self, key: &str) -> Result<(), SettingsError> {
        let wrong = |name: &str, message: String, help: &str| {
            let path = vec![key.to_owned(), name.to_owned()];
            Err(SettingsError::new(path, message).with_help(help))
        };
        if self.kind == Kind::Id && self.field.is_none() {
            return Err(SettingsError::of_key(key, "`field` is missing")
                .with_help("say where the id stands in an answer, as in `field: results[*].id`"));
        }
        if let Some(template) = &self.template
            && !template.contains(PLACE)
        {
            return wrong(
                "template",
                format!("{template:?} has no {PLACE}"),
                "write `{mark}` where the time or id goes",
            );
        }
        if let Some(lookback) = &self.lookback
            && self.window(lookback).is_none()
        {
            let help = match self.kind {
                Kind::Time => "write it as in 30m, 6h, 2d or 1w",
                Kind::Id => "write a number: how many ids back",
            };
            return wrong("lookback", format!("{lookback:?} is no window"), help);
        }
        if let Some(format) = &self.format
            && !mark::is_format(format)
        {
            return wrong(
                "format",
                format!("{format:?} is no format of times"),
                "write it as in %Y-%m-%d %H:%M:%S, or unix, or unix_ms",
            );
        }
        if let Some(start) = &self.start
            && self.read(&Value::from(start.as_str())).is_none()
        {
            return wrong(
                "start",
                format!("{start:?} is no date"),
                "write it as in 2025-01-31 or 2025-01-31T07:00:00+07:00",
            );
        }
        Ok(())
    }

    /// From where a run that begins at `now` asks: the window behind the mark, or the start of all; `None`: everything.
    ///
    /// A mark that lies in the future, as a clock that was wrong or a forecast leaves one, counts as `now`.
    #[must_use]
    pub fn asks_from(&self, mark: Option<&Mark>, now: DateTime<Utc>) -> Option<Mark> {
        let Some(mark) = mark.filter(|mark| mark.is_of(self.kind)) else {
            let start = self.start.as_deref()?;
            return self.read(&Value::from(start));
        };
        let window = self.lookback.as_deref().and_then(|text| self.window(text));
        Some(mark.clone().not_after(now).back(window.unwrap_or_default()))
    }

    /// The mark as the source writes it, in the parameter's template.
    #[must_use]
    pub fn text(&self, mark: &Mark) -> String {
        let text = mark.text(self.format.as_deref());
        match &self.template {
            Some(template) => template.replace(PLACE, &text),
            None => text,
        }
    }

    /// The greater of a mark and a value of the source. What means no time or id counts for nothing, nor does a time in the
    /// future: a typing error in one record must not end all fetching.
    #[must_use]
    pub fn highest(&self, mark: Option<Mark>, value: &Value, now: DateTime<Utc>) -> Option<Mark> {
        let found = self.read(value).filter(|found| !found.is_ahead(now));
        match (mark, found) {
            (Some(mark), Some(found)) => Some(mark.max(found)),
            (mark, found) => mark.or(found),
        }
    }

    /// The time or id that a value of the source means.
    #[must_use]
    pub fn read(&self, value: &Value) -> Option<Mark> {
        match self.kind {
            Kind::Time => mark::time(value, self.format.as_deref()).map(Mark::Time),
            Kind::Id => mark::id(value),
        }
    }

    /// A window in seconds or ids.
    fn window(&self, lookback: &str) -> Option<i64> {
        match self.kind {
            Kind::Time => span(lookback).map(|span| span.num_seconds()),
            Kind::Id => lookback.trim().parse().ok().filter(|ids| *ids >= 0),
        }
    }
}

/// Where the mark goes in a template.
const PLACE: &str = "{mark}";

#[cfg(test)]
mod tests;
