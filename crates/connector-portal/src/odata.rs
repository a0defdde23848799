//! `odata`: entity sets of an OData service, versions 4, 3 and 2, in JSON.
//!
//! Reference: OData 4.01, <https://docs.oasis-open.org/odata/odata/v4.01/> (part 1: protocol; CSDL for `$metadata`); versions 2
//! and 3, <https://www.odata.org/documentation/odata-version-3-0/>. A service says nothing of its data's licence.

mod metadata;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::incremental::{Incremental, Kind};
use sectorlake_connector::paging::{Pager, Paging, Style};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Registration,
    Request, Secret, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting, nearest,
};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::ask;
use metadata::{Metadata, Version};

/// Settings of `odata`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The service's root: what stands before `$metadata` and the entity sets.
    url: UrlSetting,
    /// The entity sets, each a stream. Default: all that `$metadata` names.
    #[serde(default)]
    entities: Vec<String>,
    /// The service's version: 2, 3 or 4. Default: what `$metadata` says.
    #[serde(default)]
    #[schemars(range(min = 2, max = 4))]
    version: Option<u8>,
    /// The properties, as in `Id,Name,Station/Name`. Default: all.
    #[serde(default)]
    select: Option<String>,
    /// Only entities for which this holds: `Year ge 2024 and Code ne null`.
    #[serde(default)]
    filter: Option<String>,
    /// Related entities that come along: `Station`.
    #[serde(default)]
    expand: Option<String>,
    /// The entities' order: `Id`.
    #[serde(default)]
    order_by: Option<String>,
    /// Entities a page that the service is asked for (`Prefer: odata.maxpagesize`). Default: its own choice.
    #[serde(default)]
    #[schemars(range(min = 1))]
    page_size: Option<u32>,
    /// Later runs read only what is newer. Take `load: merge` with it.
    #[serde(default)]
    incremental: Option<IncrementalSettings>,
}

/// A property that rises.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IncrementalSettings {
    /// The property: a time of change, or an id. Every entity set that is read must have it.
    field: String,
    /// What it holds. Default: `time`. Version 2 writes times in a way of its own: there the mark is the time of the last run.
    #[serde(default)]
    kind: Option<Kind>,
    /// Where the first run starts: `2025-01-01`. Left out, it reads all.
    #[serde(default)]
    start: Option<String>,
    /// How far behind the mark each run asks again: `2d`.
    #[serde(default)]
    lookback: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "odata",
        "Entity sets of an OData service, versions 4, 3 and 2.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("odata/example.yaml"))
}

/// An address below a service's root, by the marks that such addresses have.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let steps = Sight::steps(&url);
    let lower: Vec<String> = steps.iter().map(|step| step.to_ascii_lowercase()).collect();
    let last = steps.last()?;
    let is_service = |step: &String| step.ends_with(".svc");
    let (root, set) = if *last == "$metadata" {
        (&steps[..steps.len() - 1], None)
    } else if let Some(at) = lower.iter().position(is_service) {
        (&steps[..=at], steps.get(at + 1))
    } else if lower.iter().any(|step| step == "odata") {
        // Entity sets are written with a capital letter, versions and folders are not.
        match last.starts_with(|first: char| first.is_ascii_uppercase()) && lower.last()? != "odata"
        {
            true => (&steps[..steps.len() - 1], Some(last)),
            false => (&steps[..], None),
        }
    } else {
        return None;
    };
    let address = format!("{}/{}", url.origin().ascii_serialization(), root.join("/"));
    let mut settings = vec![("url", address.into())];
    settings.extend(set.map(|set| {
        let name = set.split('(').next().unwrap_or_default();
        ("entities", json!([name]))
    }));
    Some(Claim::open(
        settings,
        "its address is that of an OData service",
    ))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    if let Some(wanted) = &settings.incremental {
        let is_name = wanted
            .field
            .chars()
            .all(|letter| letter.is_alphanumeric() || "_/".contains(letter));
        if wanted.field.is_empty() || !is_name {
            let path = ["incremental", "field"].map(str::to_owned).to_vec();
            return Err(SettingsError::new(path, "is no name of a property"));
        }
        marks(wanted, settings.filter.as_deref(), Version::V4, None)?;
    }
    Ok(Arc::new(Odata {
        root: settings.url.resolve(&["url"], context)?,
        settings,
        metadata: OnceCell::new(),
    }))
}

/// Entities behind the mark, and for which the user's own condition holds.
fn marks(
    wanted: &IncrementalSettings,
    filter: Option<&str>,
    version: Version,
    of_type: Option<&str>,
) -> Result<Incremental, SettingsError> {
    let kind = wanted.kind.unwrap_or(Kind::Time);
    const DATE_TIME: &str = "%Y-%m-%dT%H:%M:%S";
    let (literal, format) = match (kind, version, of_type) {
        (Kind::Id, _, Some("Edm.String" | "Edm.Guid")) => ("'{mark}'", None),
        (Kind::Id, ..) => ("{mark}", None),
        (Kind::Time, Version::V4, Some("Edm.Date")) => ("{mark}", Some("%Y-%m-%d")),
        (Kind::Time, Version::V4, _) => ("{mark}", None),
        (Kind::Time, _, Some("Edm.DateTimeOffset")) => ("datetimeoffset'{mark}'", None),
        (Kind::Time, ..) => ("datetime'{mark}'", Some(DATE_TIME)),
    };
    let since = format!("{} ge {literal}", wanted.field);
    let steps: Vec<String> = wanted
        .field
        .split('/')
        .map(|step| format!("['{step}']"))
        .collect();
    let path = format!("{}[*]{}", version.records(), steps.concat());
    let marks = Incremental {
        parameter: Some("$filter".to_owned()),
        template: Some(match filter {
            Some(filter) => format!("({filter}) and {since}"),
            None => since,
        }),
        // Version 2 writes times as /Date(…)/.
        field: if kind == Kind::Time && version == Version::V2 {
            None
        } else {
            path.parse().ok()
        },
        start: wanted.start.clone(),
        lookback: wanted.lookback.clone(),
        format: format.map(str::to_owned),
        ..Incremental::of(kind)
    };
    marks.check("incremental")?;
    Ok(marks)
}

struct Odata {
    root: SourceUrl,
    settings: Settings,
    /// What the service says of itself, asked for once.
    metadata: OnceCell<Metadata>,
}

impl Odata {
    async fn metadata(&self, io: &Io) -> Result<&Metadata, ConnectorError> {
        let ask = async || {
            if let (Some(version), false) =
                (self.settings.version, self.settings.entities.is_empty())
            {
                return Ok(Metadata::declared(version, &self.settings.entities));
            }
            let url = self.root.join(&["$metadata"]);
            let place = url.to_string();
            let (_, bytes) = ask::read(&Request::get(url).accept("application/xml"), io).await?;
            let mut metadata = Metadata::parse(&bytes, &place)?;
            if let Some(version) = self.settings.version {
                metadata.version = Version::of(version);
            }
            Ok(metadata)
        };
        self.metadata.get_or_try_init(ask).await
    }

    /// The sets that are meant.
    fn sets<'a>(&'a self, metadata: &'a Metadata) -> Result<Vec<&'a str>, ConnectorError> {
        if self.settings.entities.is_empty() {
            return Ok(metadata.sets.keys().map(String::as_str).collect());
        }
        for set in &self.settings.entities {
            if !metadata.sets.contains_key(set) {
                let names = || metadata.sets.keys().map(String::as_str);
                let help = match nearest(set, names()) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("it has: {}", names().collect::<Vec<_>>().join(", ")),
                };
                let message = format!("the service has no entity set {set:?}");
                return Err(ConnectorError::new(ErrorKind::NotFound, message)
                    .at(&self.root)
                    .with_help(help));
            }
        }
        Ok(self.settings.entities.iter().map(String::as_str).collect())
    }

    fn pager(&self, set: &str, metadata: &Metadata) -> Result<Pager, ConnectorError> {
        let Settings {
            select,
            filter,
            expand,
            order_by,
            ..
        } = &self.settings;
        let options = [
            ("$select", select),
            ("$filter", filter),
            ("$expand", expand),
            ("$orderby", order_by),
        ];
        let query: Vec<(&str, &str)> = options
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
            .collect();
        let none = BTreeMap::new();
        let properties = metadata.sets.get(set).unwrap_or(&none);
        let wanted = self.settings.incremental.as_ref();
        let incremental = wanted.map(|wanted| {
            let of_type = properties.get(&wanted.field).map(String::as_str);
            marks(wanted, filter.as_deref(), metadata.version, of_type)
        });
        let incremental = incremental.transpose().map_err(|error| {
            ConnectorError::new(ErrorKind::Invalid, error.to_string()).at(&self.root)
        })?;
        let base = self.root.join(&[set]);
        let base = if query.is_empty() {
            base
        } else {
            base.with_query(&query)
        };
        Ok(Pager::new(base, Some(Paging::of(Style::Odata))).since(incremental))
    }

    /// What each request says of versions and pages.
    fn headers(&self, version: Version) -> Vec<(String, Secret)> {
        let (name, value) = match version {
            Version::V4 => ("OData-MaxVersion", "4.01"),
            Version::V3 => ("MaxDataServiceVersion", "3.0"),
            Version::V2 => ("MaxDataServiceVersion", "2.0"),
        };
        let mut headers = vec![(name.to_owned(), Secret::new(value))];
        headers.extend(self.settings.page_size.map(|size| {
            (
                "Prefer".to_owned(),
                Secret::new(format!("odata.maxpagesize={size}")),
            )
        }));
        headers
    }
}

#[async_trait]
impl Connector for Odata {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let metadata = self.metadata(io).await?;
        let sets = self.sets(metadata)?.into_iter().map(|set| {
            let mut stream = Stream::new(set, set);
            stream.format =
                Some(json!({ "name": "json", "record_path": metadata.version.records() }));
            stream.reads = self.pager(set, metadata)?.reads();
            Ok(stream)
        });
        sets.collect()
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let metadata = self.metadata(io).await?;
        let headers = self.headers(metadata.version);
        let request = |url| {
            Request::get(url)
                .accept("application/json")
                .with_headers(&headers)
        };
        let name = format!("{}.json", slice.unit);
        self.pager(slice.unit, metadata)?
            .fetch(cursor, io, &name, request)
            .await
    }
}

#[cfg(test)]
#[path = "odata/tests.rs"]
mod tests;
