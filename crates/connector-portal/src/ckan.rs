//! `ckan`: datasets of a CKAN portal, as the files that its resources are, or as rows of its DataStore.
//!
//! Reference: CKAN's Action API, <https://docs.ckan.org/en/2.11/api/> (`package_show`, `package_search`), and its DataStore
//! extension, <https://docs.ckan.org/en/2.11/maintaining/datastore.html> (`datastore_search`). Each dataset names its own
//! licence in `license_id`; `sectorlake discover` shows it.

mod datastore;
mod resources;
mod settings;

use std::sync::Arc;

use async_trait::async_trait;
use sectorlake_connector::{
    Answer, Claim, Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext,
    Registration, Request, SettingsError, Sight, Slice, SourceUrl, Stream,
};
use serde_json::json;
use tokio::sync::OnceCell;
use url::Url;

use datastore::Datastore;
use resources::{Resource, Wanted};
use settings::Settings;

const NAME: &str = "ckan";
/// The unit whose partitions are resources.
const TOGETHER: &str = "resources";

pub(crate) fn registration() -> Registration {
    Registration::of(
        NAME,
        "Datasets of a CKAN portal: their files, or the rows of its DataStore.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("ckan/example.yaml"))
}

/// The page of a dataset or of one of its resources, or a call of the API, as every CKAN portal has them.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let steps = Sight::steps(&url);
    let queried = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    let portal = |before: &[&str]| portal(&url, before);
    let claim = |settings: Vec<(&'static str, serde_json::Value)>, what: &str| {
        Some(Claim::open(settings, format!("{what} of a CKAN portal")))
    };
    match steps.as_slice() {
        [before @ .., "dataset", _, "resource", id] if is_id(id) => {
            let settings = vec![
                ("url", portal(before).into()),
                ("dataset", steps[before.len() + 1].into()),
                ("resources", json!({ "id": [id] })),
            ];
            claim(settings, "it is the page of a resource")
        }
        [before @ .., "dataset", name] if !name.contains('.') => {
            let settings = vec![("url", portal(before).into()), ("dataset", (*name).into())];
            claim(settings, "it is the page of a dataset")
        }
        [before @ .., "api", _, "action", "package_show"]
        | [before @ .., "api", "action", "package_show"] => {
            let settings = vec![
                ("url", portal(before).into()),
                ("dataset", queried("id")?.into()),
            ];
            claim(settings, "it is a call of the API")
        }
        [before @ .., "api", _, "action", "datastore_search"]
        | [before @ .., "api", "action", "datastore_search"]
        | [before @ .., "datastore", "dump", _] => {
            let id = match steps.as_slice() {
                [.., "dump", id] => (*id).to_owned(),
                _ => queried("resource_id").or_else(|| queried("id"))?,
            };
            let settings = vec![
                ("url", portal(before).into()),
                ("resources", json!({ "id": [id] })),
                ("datastore", json!({})),
            ];
            claim(settings, "it is a table of the DataStore")
        }
        _ => None,
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4
}

/// The portal's address: the host and what stands before its own paths, without a language.
fn portal(url: &Url, before: &[&str]) -> String {
    let is_language = |step: &&&str| matches!(step.len(), 2 | 5) && !step.contains('.');
    let kept: Vec<&str> = before
        .iter()
        .filter(|step| !is_language(step))
        .copied()
        .collect();
    let origin = url.origin().ascii_serialization();
    match kept.is_empty() {
        true => origin,
        false => format!("{origin}/{}", kept.join("/")),
    }
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let datastore = settings
        .datastore
        .as_ref()
        .map(Datastore::new)
        .transpose()?;
    if datastore.is_some() {
        settings.refuse_beside_datastore()?;
    }
    let wanted = Wanted::new(&settings, datastore.is_some())?;
    Ok(Arc::new(Ckan {
        portal: settings.url.resolve(&["url"], context)?,
        wanted,
        datastore,
        together: settings.stream,
        member: settings::member(settings.member.as_deref())?,
        format: settings.format,
        found: OnceCell::new(),
    }))
}

struct Ckan {
    portal: SourceUrl,
    wanted: Wanted,
    datastore: Option<Datastore>,
    /// The stream that all resources are parts of.
    together: Option<String>,
    member: Option<sectorlake_connector::MemberPattern>,
    format: Option<serde_json::Value>,
    /// What the portal says of the resources, asked for once.
    found: OnceCell<Vec<Resource>>,
}

impl Ckan {
    async fn found(&self, io: &Io) -> Result<&Vec<Resource>, ConnectorError> {
        self.found
            .get_or_try_init(|| self.wanted.find(&self.portal, io))
            .await
    }

    fn format(&self) -> Option<serde_json::Value> {
        match &self.datastore {
            Some(_) => Some(json!({ "name": "json", "record_path": "result.records" })),
            None => self.format.clone(),
        }
    }

    fn stream(&self, name: &str, unit: &str) -> Stream {
        let mut stream = Stream::new(name, unit);
        stream.format = self.format();
        stream.member.clone_from(&self.member);
        let datastore = self.datastore.as_ref();
        stream.reads = datastore.map(Datastore::reads).unwrap_or_default();
        stream
    }

    /// The file that a resource is.
    async fn file(&self, resource: &Resource, io: &Io) -> Result<Option<Fetched>, ConnectorError> {
        let url = self.portal.follow(&resource.url)?;
        let key = url.to_string();
        let request = Request::get(url.clone()).if_changed_since(io.validators(&key));
        Ok(Some(match io.http().get(&request).await? {
            Answer::Unchanged => Fetched::unchanged(key, None),
            Answer::Fresh(answer) => {
                Fetched::part(answer.into_part(key, &resource.file_name(&url)), None)
            }
        }))
    }
}

#[async_trait]
impl Connector for Ckan {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        if let Some(name) = &self.together {
            return Ok(vec![self.stream(name, TOGETHER)]);
        }
        let resources = self.found(io).await?.iter();
        Ok(resources
            .map(|resource| self.stream(&resource.stream, &resource.id))
            .collect())
    }

    async fn partitions(&self, unit: &str, io: &Io) -> Result<Vec<String>, ConnectorError> {
        match (unit, &self.together) {
            (TOGETHER, Some(_)) => Ok(self
                .found(io)
                .await?
                .iter()
                .map(|resource| resource.id.clone())
                .collect()),
            _ => Ok(Vec::new()),
        }
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let id = slice.partition.unwrap_or(slice.unit);
        if let Some(datastore) = &self.datastore {
            return datastore.fetch(&self.portal, id, cursor, io).await;
        }
        let found = self
            .found(io)
            .await?
            .iter()
            .find(|resource| resource.id == id);
        let resource = found.ok_or_else(|| {
            ConnectorError::new(
                ErrorKind::NotFound,
                format!("the portal has no resource {id} any more"),
            )
            .at(&self.portal)
            .with_help("look at the dataset's page: it may have been replaced by another")
        })?;
        self.file(resource, io).await
    }
}

/// An address below the Action API.
fn action(portal: &SourceUrl, name: &str) -> SourceUrl {
    portal.join(&["api", "3", "action", name])
}

#[cfg(test)]
mod tests;
