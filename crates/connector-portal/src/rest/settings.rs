//! What a pipeline file says about a source that only it describes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use sectorlake_connector::UrlSetting;
use sectorlake_connector::incremental::Incremental;
use sectorlake_connector::paging::Paging;
use serde::Deserialize;
use serde_json::Value;

/// Settings of `rest`.
#[derive(Debug, Deserialize, JsonSchema)]
// Unknown keys are found by the schema: serde cannot tell them beside a flattened part.
#[schemars(extend("additionalProperties" = false))]
pub(super) struct Settings {
    /// The address of the records, or, with `streams`, what theirs start from. `{partition}` in it is the partition.
    pub(super) url: UrlSetting,
    /// Several streams by name, each with settings of its own; what one leaves out, it takes from beside `streams`.
    #[serde(default)]
    pub(super) streams: BTreeMap<String, StreamSettings>,
    #[serde(flatten)]
    pub(super) common: StreamSettings,
}

/// How one stream is asked for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamSettings {
    /// Behind which path its records are, absolute or relative to `url`: `stations/{partition}/readings`. Default: at `url`.
    #[serde(default)]
    pub(super) path: Option<String>,
    /// How it is asked. Default: `GET`, and `POST` where there is a `body`.
    #[serde(default)]
    pub(super) method: Option<Method>,
    /// Parameters of the query; texts may hold `${env:NAME}` and `{partition}`.
    #[serde(default)]
    pub(super) query: BTreeMap<String, Value>,
    /// What is posted: keys with values, sent as JSON, or a text, sent as it is. Texts in it may hold `${env:NAME}` and
    /// `{partition}`.
    #[serde(default)]
    pub(super) body: Option<Value>,
    /// The body's media type. Default: `application/json`, and for a text `application/x-www-form-urlencoded`.
    #[serde(default)]
    pub(super) content_type: Option<String>,
    /// Where the parameters of `paging` and `incremental` go: into the query, or into the body, where `page.number` means `number`
    /// in `page`. Default: `query`.
    #[serde(default)]
    pub(super) parameters: Option<Parameters>,
    /// The way to the list of records in an answer: `data.items`. Default: the answer itself, or the only list in it. With `paging` or
    /// `incremental` each answer is looked into as it comes, and may have 256MiB at most.
    #[serde(default)]
    pub(super) records: Option<String>,
    /// The answers' format, with its options. Default: `json`.
    #[serde(default)]
    pub(super) format: Option<Value>,
    /// How the source cuts its answer into pages. Default: not at all.
    #[serde(default)]
    pub(super) paging: Option<Paging>,
    /// Later runs read only what is newer. Take `load: merge` with it.
    #[serde(default)]
    pub(super) incremental: Option<Incremental>,
    /// Parts of the stream that are asked for one by one, side by side; `{partition}` stands where the value of each goes.
    #[serde(default)]
    pub(super) partitions: Option<PartitionSettings>,
}

/// How a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    /// By address alone.
    Get,
    /// With a body.
    Post,
}

/// Where parameters go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Parameters {
    /// Into the address.
    Query,
    /// Into the body, which must be JSON.
    Body,
}

/// Which partitions there are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum PartitionSettings {
    /// These.
    Values(Vec<Value>),
    /// Those that are found out.
    Found(Box<FoundSettings>),
}

/// Partitions that are found out: one of these.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FoundSettings {
    /// Months, from the first to the one of the run.
    #[serde(default)]
    pub(super) months: Option<MonthSettings>,
    /// The records of another call.
    #[serde(default)]
    pub(super) over: Option<OverSettings>,
}

/// Months.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MonthSettings {
    /// The first: `2024-01`.
    pub(super) from: String,
    /// The last. Default: the month in which the run begins.
    #[serde(default)]
    pub(super) to: Option<String>,
    /// How the source writes a month: `%Y-%m`, `%m/%Y`. Default: `%Y-%m`.
    #[serde(default)]
    pub(super) format: Option<String>,
}

/// Another call, whose records name the partitions.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OverSettings {
    /// Its address, absolute or relative to the source's `url`. It is asked with GET.
    pub(super) url: String,
    /// The way to its list of records. Default: the answer itself.
    #[serde(default)]
    pub(super) records: Option<String>,
    /// What of a record names its partition: `id`.
    pub(super) field: String,
    /// How its answer is cut into pages. Default: not at all.
    #[serde(default)]
    pub(super) paging: Option<Paging>,
}

impl StreamSettings {
    /// These settings, with `common` for what they leave out. Queries are put together.
    pub(super) fn over(self, common: &Self) -> Self {
        let mut query = common.query.clone();
        query.extend(self.query);
        let common = common.clone();
        Self {
            path: self.path.or(common.path),
            method: self.method.or(common.method),
            query,
            body: self.body.or(common.body),
            content_type: self.content_type.or(common.content_type),
            parameters: self.parameters.or(common.parameters),
            records: self.records.or(common.records),
            format: self.format.or(common.format),
            paging: self.paging.or(common.paging),
            incremental: self.incremental.or(common.incremental),
            partitions: self.partitions.or(common.partitions),
        }
    }
}
