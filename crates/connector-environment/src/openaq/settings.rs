//! What a pipeline file says about OpenAQ.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sectorlake_connector::{SecretSetting, SettingsError, UrlSetting};
use serde::Deserialize;

/// Settings of `openaq`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The API key that OpenAQ hands out at <https://explore.openaq.org/register>, as `${env:NAME}`. Needed unless `path` is
    /// set.
    #[serde(default)]
    pub(super) api_key: Option<SecretSetting>,
    /// Locations of this country, by ISO 3166-1 alpha-2 code: `VN`. One of `country` and `bbox` is needed unless `path` is
    /// set.
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
    /// The API. Default: `https://api.openaq.org/v3`.
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

impl Settings {
    /// Saved answers are what they are: nothing can be chosen from them here.
    pub(super) fn refuse_beside_path(&self) -> Result<(), SettingsError> {
        let given = [
            ("api_key", self.api_key.is_some()),
            ("country", self.country.is_some()),
            ("bbox", self.bbox.is_some()),
            ("parameters", !self.parameters.is_empty()),
            ("since", self.since.is_some()),
            ("url", self.url.is_some()),
            ("page_size", self.page_size.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((key, _)) => Err(SettingsError::of_key(key, "has no effect beside `path`")
                .with_help("leave it out, or leave `path` out to ask the API")),
        }
    }
}
