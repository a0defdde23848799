//! A pipeline file, exactly as it is written: YAML into structs, unknown keys refused. Where each key stands, [`crate::places`] knows.

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::time::Duration;

use schemars::JsonSchema;
use sectorlake_normalise::Unpivot;
use serde::{Deserialize, Serialize};

use crate::on_reject::OnReject;

/// A source: where data comes from, which tables it feeds, when it is due.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineFile {
    /// What people call it: one text, or a text per language.
    #[serde(default)]
    pub title: Option<Title>,
    /// What it is about, in a sentence or two.
    #[serde(default)]
    pub description: Option<String>,
    /// Who answers for it: a mail address.
    #[serde(default)]
    pub owner: Option<String>,
    /// The licence of the data, as an SPDX identifier where there is one.
    #[serde(default)]
    pub licence: Option<String>,
    /// The connector and its settings.
    #[schemars(with = "SourceFile")]
    pub source: serde_json::Map<String, serde_json::Value>,
    /// Table → how it is fed. Left out: every stream that has a default mapping.
    #[serde(default)]
    pub tables: Option<BTreeMap<String, Option<TableFile>>>,
    /// How much may be rejected before the run fails; counts per table.
    #[serde(default)]
    pub on_reject: Option<OnReject>,
    /// Whether a replace, or a merge under a changed mapping, may remove over half of what it finds.
    #[serde(default)]
    pub on_shrink: OnShrink,
    /// What becomes of a run whose source has changed its columns.
    #[serde(default)]
    pub on_drift: OnDrift,
    /// The age of the newest observation beyond which the source is told to be stale, such as `2h`. Left out: when nothing newer comes
    /// for longer than ever before.
    #[serde(default)]
    pub stale_after: Option<String>,
    /// How many partitions of a stream (months, stations) are fetched side by side; how fast a host is asked is another matter.
    /// Default: as many as `rate.concurrent` of `source` lets in, and 4 at least.
    #[serde(default)]
    pub partitions_at_once: Option<NonZeroU8>,
    /// When it is due.
    #[serde(default)]
    pub schedule: Option<ScheduleFile>,
    /// Pipelines that must have run before, beside those its SQL refers to.
    #[serde(default)]
    pub after: Vec<String>,
    /// Checks over the staged tables.
    #[serde(default)]
    pub checks: Vec<serde_json::Value>,
}

/// Partitions that are fetched side by side, at least.
const PARTITIONS_AT_ONCE: u8 = 4;

impl PipelineFile {
    /// How many partitions are fetched side by side: where nobody says so, enough to fill the places that the source's settings
    /// give us at its host.
    pub(crate) fn partitions_at_once(&self) -> u8 {
        if let Some(told) = self.partitions_at_once {
            return told.get();
        }
        let places = self
            .source
            .get("rate")
            .and_then(|rate| rate.get("concurrent"));
        let places = places
            .and_then(serde_json::Value::as_u64)
            .unwrap_or_default();
        u8::try_from(places)
            .unwrap_or(u8::MAX)
            .max(PARTITIONS_AT_ONCE)
    }
}

/// The connector; its settings follow, checked against the connector's own schema.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct SourceFile {
    /// The connector's name.
    #[expect(dead_code, reason = "describes `source` for the JSON Schema")]
    connector: String,
}

/// A title in one language, or in several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Title {
    /// One text.
    Plain(String),
    /// Language code → text.
    ByLanguage(BTreeMap<String, String>),
}

/// How one table is fed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableFile {
    /// The stream; may be left out where the source has one.
    #[serde(default)]
    pub from: Option<String>,
    /// What happens to rows that are there already.
    #[serde(default)]
    pub load: Option<Load>,
    /// With `replace`: only the slices that were fetched are replaced: `month`, or a field's name.
    #[serde(default)]
    pub slice: Option<String>,
    /// The mapping: `SELECT … FROM source`. Left out: the connector's default.
    #[serde(default)]
    pub map: Option<String>,
    /// Makes a wide source long before the mapping.
    #[serde(default)]
    #[schemars(with = "Option<UnpivotFile>")]
    pub unpivot: Option<Unpivot>,
    /// With `merge`: what becomes of rows that the source has no more. `follow` needs a source that is read whole in each run.
    #[serde(default)]
    pub deletions: Option<Deletions>,
    /// Overrides the pipeline's `on_shrink` for this table.
    #[serde(default)]
    pub on_shrink: Option<OnShrink>,
}

/// What becomes of rows that the source has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Deletions {
    /// They stay.
    Ignore,
    /// They go from the table, too.
    Follow,
}

/// Columns to keep, and the names of the two new ones.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "describes `Unpivot` for the JSON Schema")]
struct UnpivotFile {
    /// Columns repeated on each row.
    keep: Vec<String>,
    /// The column that holds the header of each other column.
    name: String,
    /// The column that holds its cell.
    value: String,
}

/// What happens to rows that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Load {
    /// The pipeline's own rows are replaced.
    Replace,
    /// New parts are added; no part is loaded twice.
    Append,
    /// Rows with the same key are updated.
    Merge,
}

/// Whether a replace, or a merge under a changed mapping, may remove over half of what it finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnShrink {
    /// No: the run fails and publishes nothing.
    #[default]
    Refuse,
    /// Yes.
    Allow,
}

/// What becomes of a run whose source has changed its columns since the pipeline last published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnDrift {
    /// It is told, and the run goes on.
    #[default]
    Warn,
    /// The run fails and publishes nothing.
    Fail,
    /// New columns are loaded as text fields of the table; other changes are told.
    Add,
}

impl OnDrift {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Add => "add",
        }
    }
}

impl From<Load> for sectorlake_lake::Load {
    fn from(load: Load) -> Self {
        match load {
            Load::Replace => Self::Replace,
            Load::Append => Self::Append,
            Load::Merge => Self::Merge,
        }
    }
}

/// When a pipeline is due.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleFile {
    /// A cron expression of five fields.
    #[serde(default)]
    pub cron: Option<String>,
    /// Its time zone, by IANA name.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// An interval such as `30s`, `15m`, `6h`.
    #[serde(default)]
    pub every: Option<String>,
}

impl ScheduleFile {
    /// The interval of a source that is polled.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        interval(self.every.as_deref()?)
    }
}

/// A number and its unit, such as `30s`, `15m`, `6h`, `1d`; none where it is no interval.
pub(crate) fn interval(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u32 = number.trim().parse().ok().filter(|number| *number > 0)?;
    Some(Duration::from_secs(u64::from(number) * seconds))
}

/// `pipelines/sectorlake.yaml`: settings of the whole project.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsFile {
    /// Memory of one process, such as `512MiB`.
    #[serde(default)]
    pub(crate) memory: Option<String>,
    /// Whom sources may write to about our requests: an e-mail address or a page's URL. It is sent with each of them.
    #[serde(default)]
    pub(crate) contact: Option<String>,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn the_places_at_the_host_are_filled() {
        for (told, rate, expected) in [
            (None, json!({}), 4),
            (None, json!({ "concurrent": 2 }), 4),
            (None, json!({ "concurrent": 16 }), 16),
            (Some(1), json!({ "concurrent": 16 }), 1),
        ] {
            let file: PipelineFile = serde_json::from_value(json!({
                "source": { "connector": "rest", "rate": rate }, "partitions_at_once": told,
            }))
            .unwrap();
            assert_eq!(file.partitions_at_once(), expected, "{rate}");
        }
    }
}
