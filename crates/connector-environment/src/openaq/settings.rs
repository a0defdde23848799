//! What a pipeline file says about OpenAQ.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sectorlake_connector::{SecretSetting, SettingsError, UrlSetting};
use serde::Deserialize;

/// Settings of `openaq`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The API key that OpenAQ hands out at <https://explore.openaq.org/register>, as `${env:NAME}`. Needed unless `path`
    /// or `archive` is set.
    #[serde(default)]
    pub(super) api_key: Option<SecretSetting>,
    /// Locations of this country, by ISO 3166-1 alpha-2 code: `VN`. One of `country` and `bbox` is needed unless `path` or
    /// `archive` is set.
    #[serde(default)]
    pub(super) country: Option<String>,
    /// Locations in this box: west, south, east, north in degrees.
    #[serde(default)]
    pub(super) bbox: Option<[f64; 4]>,
    /// Only sensors of these parameters, such as `pm25`. Default: all.
    #[serde(default)]
    pub(super) parameters: Vec<String>,
    /// Where the first run begins: a date or an instant, such as `2025-01-01`. Default: seven days before the run. Later runs go
    /// on where the last one stopped.
    #[serde(default)]
    pub(super) since: Option<String>,
    /// How far behind its newest measurement each sensor is asked again, for late and corrected ones: `2d`.
    #[serde(default)]
    pub(super) lookback: Option<String>,
    /// Files of OpenAQ's archive instead of the API: no key, whole days, up to three days late.
    #[serde(default)]
    pub(super) archive: Option<ArchiveSettings>,
    /// The API, or with `archive` the bucket. Default: `https://api.openaq.org/v3`, and
    /// `https://openaq-data-archive.s3.amazonaws.com`.
    #[serde(default)]
    pub(super) url: Option<UrlSetting>,
    /// Records a page, at most 1000. Default: 1000.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub(super) page_size: Option<u16>,
    /// Saved answers of the API instead of the API itself.
    #[serde(default)]
    pub(super) path: Option<SavedSettings>,
}

/// Saved answers, absolute or relative to the project's folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedSettings {
    /// An answer of `/locations`: the stations and their sensors.
    pub(super) locations: String,
    /// Answers of `/sensors/{id}/measurements`, by the sensor's id in quotes: a file, a folder or a glob each.
    #[serde(default)]
    pub(super) measurements: BTreeMap<String, String>,
}

/// Which files of the archive.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ArchiveSettings {
    /// Ids of locations, as in `[2178, 7440]`.
    pub(super) locations: Vec<u64>,
    /// First month: `2024-01`.
    pub(super) start: String,
    /// Last month. Default: that of the run.
    #[serde(default)]
    pub(super) end: Option<String>,
    /// How long a measurement's interval is: the archive tells only its end. Default: `1h`.
    #[serde(default)]
    pub(super) period: Option<String>,
}

impl Settings {
    /// Saved answers are what they are, and the archive has its own settings: nothing else can be chosen from them.
    pub(super) fn refuse_beside(&self, other: &str) -> Result<(), SettingsError> {
        let given = [
            ("api_key", self.api_key.is_some()),
            ("country", self.country.is_some()),
            ("bbox", self.bbox.is_some()),
            ("parameters", !self.parameters.is_empty()),
            ("since", self.since.is_some()),
            ("lookback", self.lookback.is_some()),
            ("url", self.url.is_some() && other == "path"),
            ("archive", self.archive.is_some() && other == "path"),
            ("page_size", self.page_size.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((key, _)) => {
                let message = format!("has no effect beside `{other}`");
                let help = format!("leave it out, or leave `{other}` out to ask the API");
                Err(SettingsError::of_key(key, message).with_help(help))
            }
        }
    }
}
