//! What a pipeline file says about a CKAN portal.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sectorlake_connector::incremental::Kind;
use sectorlake_connector::{MemberPattern, OneOrMany, SettingsError, UrlSetting};
use serde::Deserialize;

/// Settings of `ckan`. A key of the portal goes into `auth: { header: { name: Authorization, value: "${env:NAME}" } }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The portal's address, such as `https://data.example.org`: what stands before `/dataset` and `/api` in its pages'
    /// addresses.
    pub(super) url: UrlSetting,
    /// A dataset's name or id, as in its page's address, or a list of them.
    #[serde(default)]
    pub(super) dataset: Option<OneOrMany<String>>,
    /// Datasets by a search instead, asked anew in every run.
    #[serde(default)]
    pub(super) search: Option<Search>,
    /// Which of the datasets' resources are meant. Default: all that hold data, by their format.
    #[serde(default)]
    pub(super) resources: Selection,
    /// One stream of this name, whose parts all the resources are: for a dataset that has a file per year or station. Left out,
    /// each resource is a stream of its own, named as in the portal.
    #[serde(default)]
    pub(super) stream: Option<String>,
    /// Reads rows out of the portal's DataStore instead of the files; `{}` for all columns of all rows.
    #[serde(default)]
    pub(super) datastore: Option<DatastoreSettings>,
    /// The files' format. Left out: guessed from the content and the name.
    #[serde(default)]
    pub(super) format: Option<serde_json::Value>,
    /// Which member of a zip: a name, or a glob for all that match.
    #[serde(default)]
    pub(super) member: Option<String>,
}

/// A search for datasets, in the words of `package_search`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// The query, in Solr's language: `air quality`, `title:"bus stops"`. Default: everything.
    #[serde(default)]
    pub(super) query: Option<String>,
    /// A filter: `organization:transport AND res_format:CSV`.
    #[serde(default)]
    pub(super) filter: Option<String>,
}

/// A choice of resources: what is named must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// Their ids.
    #[serde(default)]
    pub(super) id: Option<OneOrMany<String>>,
    /// Their names, as globs: `*2025*`.
    #[serde(default)]
    pub(super) name: Option<OneOrMany<String>>,
    /// Their formats, as the portal writes them, in large or small letters: `CSV`.
    #[serde(default)]
    pub(super) format: Option<OneOrMany<String>>,
}

/// What is read out of the DataStore.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DatastoreSettings {
    /// Only rows whose column has this value, or one of these.
    #[serde(default)]
    pub(super) filters: BTreeMap<String, serde_json::Value>,
    /// Only these columns. Default: all, and `_id`, which numbers the rows.
    #[serde(default)]
    pub(super) fields: Vec<String>,
    /// The order of the rows, as in `date desc, _id`: it must be the same each time, or pages overlap. Default: `_id`.
    #[serde(default)]
    pub(super) sort: Option<String>,
    /// Rows a page. Default: 10000; CKAN itself gives 32000 at most.
    #[serde(default)]
    #[schemars(range(min = 1, max = 32000))]
    pub(super) page_size: Option<u32>,
    /// Reads only what is new since the last run.
    #[serde(default)]
    pub(super) incremental: Option<IncrementalSettings>,
}

/// A column that rises. `datastore_search` cannot ask for "newer than": the rows are read newest first, until they are old.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IncrementalSettings {
    /// The column: a time, or an id such as `_id`.
    pub(super) field: String,
    /// What it holds.
    pub(super) kind: Kind,
    /// Where the first run ends, going back: `2025-01-01`, or an id. Left out, it reads all.
    #[serde(default)]
    pub(super) start: Option<String>,
    /// How far behind the newest row of the last run each run reads again, so that late and revised rows come too: `2d`; for ids
    /// a number.
    #[serde(default)]
    pub(super) lookback: Option<String>,
    /// How the column writes times, where it is not `2025-01-31T07:00:00`: `%d/%m/%Y`, `unix`.
    #[serde(default)]
    pub(super) format: Option<String>,
}

impl Settings {
    /// The DataStore has rows, not files.
    pub(super) fn refuse_beside_datastore(&self) -> Result<(), SettingsError> {
        let given = [
            ("format", self.format.is_some()),
            ("member", self.member.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((key, _)) => Err(
                SettingsError::of_key(key, "has no effect beside `datastore`")
                    .with_help("leave it out, or leave `datastore` out to read the files"),
            ),
        }
    }
}

/// The members of a zip that are meant.
pub(super) fn member(text: Option<&str>) -> Result<Option<MemberPattern>, SettingsError> {
    let pattern = text.map(MemberPattern::new).transpose();
    pattern.map_err(|error| {
        let wrong = SettingsError::of_key("member", error.message);
        error.help.into_iter().fold(wrong, SettingsError::with_help)
    })
}
