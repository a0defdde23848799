//! Which resources a portal has of those that are wanted.

use std::collections::BTreeSet;

use sectorlake_connector::{
    ConnectorError, ErrorKind, Io, MemberPattern, OneOrMany, SettingsError, SourceUrl,
};
use serde::Deserialize;

use super::action;
use super::settings::{Search, Selection, Settings};
use crate::ask;

/// Datasets a page of a search: CKAN gives 1000 at most.
const ROWS: usize = 500;
/// Datasets that one search may find: more were no pipeline's source.
const DATASETS_MAX: usize = 10_000;
/// Formats that no reader makes rows of, so that nobody means them who names none.
const NO_DATA: [&str; 14] = [
    "pdf", "html", "htm", "doc", "docx", "odt", "ppt", "pptx", "jpeg", "jpg", "png", "wms", "wmts",
    "api",
];
/// Formats in the order in which they are best read.
const BEST: [&str; 10] = [
    "parquet", "csv", "tsv", "geojson", "json", "ndjson", "xlsx", "xls", "ods", "xml",
];

/// A resource of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) id: String,
    /// What `from:` names.
    pub(super) stream: String,
    pub(super) name: String,
    pub(super) format: String,
    pub(super) url: String,
    pub(super) in_datastore: bool,
}

/// What the settings want.
#[derive(Debug)]
pub(super) struct Wanted {
    datasets: Vec<String>,
    search: Option<Search>,
    ids: Vec<String>,
    names: Vec<MemberPattern>,
    formats: Vec<String>,
    in_datastore: bool,
}

#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    result: Option<T>,
}

#[derive(Deserialize)]
struct Found {
    count: usize,
    results: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    resources: Vec<Told>,
}

/// A resource as portals write it: what they do not know is null, empty or left out.
#[derive(Deserialize)]
struct Told {
    id: String,
    name: Option<String>,
    format: Option<String>,
    url: Option<String>,
    state: Option<String>,
    /// Older portals write it as text.
    datastore_active: Option<serde_json::Value>,
}

fn texts(setting: Option<&OneOrMany<String>>) -> Vec<String> {
    setting
        .map(|texts| texts.as_slice().to_vec())
        .unwrap_or_default()
}

impl Wanted {
    pub(super) fn new(settings: &Settings, in_datastore: bool) -> Result<Self, SettingsError> {
        let Selection { id, name, format } = &settings.resources;
        let patterns = texts(name.as_ref())
            .into_iter()
            .map(|name| MemberPattern::new(&name));
        let names = patterns.collect::<Result<_, _>>().map_err(|error| {
            SettingsError::new(
                vec!["resources".to_owned(), "name".to_owned()],
                error.message,
            )
        })?;
        let wanted = Self {
            datasets: texts(settings.dataset.as_ref()),
            search: settings.search.clone(),
            ids: texts(id.as_ref()),
            names,
            formats: texts(format.as_ref())
                .iter()
                .map(|format| format.to_lowercase())
                .collect(),
            in_datastore,
        };
        let by_id_alone = in_datastore && !wanted.ids.is_empty();
        if wanted.datasets.is_empty() && wanted.search.is_none() && !by_id_alone {
            return Err(
                SettingsError::new(Vec::new(), "neither `dataset` nor `search` is there")
                    .with_help("write `dataset:` with the last step of its page's address"),
            );
        }
        if !wanted.datasets.is_empty() && wanted.search.is_some() {
            return Err(SettingsError::of_key("search", "stands beside `dataset`")
                .with_help("leave one of them out"));
        }
        Ok(wanted)
    }

    /// The resources that the portal has of these, the best to read first.
    pub(super) async fn find(
        &self,
        portal: &SourceUrl,
        io: &Io,
    ) -> Result<Vec<Resource>, ConnectorError> {
        if self.datasets.is_empty() && self.search.is_none() {
            // Tables of the DataStore need no dataset.
            return Ok(self.ids.iter().map(|id| Resource::of_table(id)).collect());
        }
        let mut told = Vec::new();
        for dataset in &self.datasets {
            let url = action(portal, "package_show").with_query(&[("id", dataset)]);
            told.extend(ask_for::<Package>(url, "package_show", io).await?.resources);
        }
        if let Some(search) = &self.search {
            told.extend(searched(portal, search, io).await?);
        }
        let seen = told.len();
        let mut found: Vec<Resource> = told
            .into_iter()
            .filter_map(Resource::of)
            .filter(|it| self.wants(it))
            .collect();
        if found.is_empty() {
            return Err(self.nothing(portal, seen));
        }
        found.sort_by_key(|resource| resource.rank());
        name_apart(&mut found);
        Ok(found)
    }

    fn wants(&self, resource: &Resource) -> bool {
        let chooses = !(self.ids.is_empty() && self.names.is_empty() && self.formats.is_empty());
        (self.ids.is_empty() || self.ids.contains(&resource.id))
            && (self.names.is_empty() || self.names.iter().any(|it| it.matches(&resource.name)))
            && (self.formats.is_empty() || self.formats.contains(&resource.format))
            && (!self.in_datastore || resource.in_datastore)
            && (chooses || self.in_datastore || !NO_DATA.contains(&resource.format.as_str()))
    }

    fn nothing(&self, portal: &SourceUrl, seen: usize) -> ConnectorError {
        let (of_them, help) = match self.in_datastore {
            true => (
                "are in its DataStore and asked for",
                "leave `datastore` out to read the files themselves",
            ),
            false => (
                "are asked for",
                "mend `resources`, or leave it out for all that hold data",
            ),
        };
        let message = format!("of the {seen} resources that the portal names, none {of_them}");
        ConnectorError::new(ErrorKind::NotFound, message)
            .at(portal)
            .with_help(help)
    }
}

/// The resources of all datasets that a search finds.
async fn searched(
    portal: &SourceUrl,
    search: &Search,
    io: &Io,
) -> Result<Vec<Told>, ConnectorError> {
    let (mut told, mut start) = (Vec::new(), 0);
    loop {
        let (from, rows) = (start.to_string(), ROWS.to_string());
        let mut query = vec![
            ("rows", rows.as_str()),
            ("sort", "name asc"),
            ("start", &from),
        ];
        query.extend(search.query.as_deref().map(|text| ("q", text)));
        query.extend(search.filter.as_deref().map(|text| ("fq", text)));
        let url = action(portal, "package_search").with_query(&query);
        let place = url.to_string();
        let found: Found = ask_for(url, "package_search", io).await?;
        if found.count > DATASETS_MAX {
            let message = format!(
                "the search finds {} datasets, more than {DATASETS_MAX}",
                found.count
            );
            return Err(ConnectorError::new(ErrorKind::TooLarge, message)
                .at(place)
                .with_help("say more in `search`, as in `filter: organization:transport`"));
        }
        start += found.results.len();
        let is_last = found.results.is_empty() || start >= found.count;
        told.extend(
            found
                .results
                .into_iter()
                .flat_map(|package| package.resources),
        );
        if is_last {
            return Ok(told);
        }
    }
}

async fn ask_for<T: serde::de::DeserializeOwned>(
    url: SourceUrl,
    name: &str,
    io: &Io,
) -> Result<T, ConnectorError> {
    let place = url.to_string();
    let what = format!("answer of CKAN's {name}");
    match ask::json::<Envelope<T>>(url, &what, io).await? {
        Envelope {
            success: true,
            result: Some(result),
        } => Ok(result),
        _ => Err(
            ConnectorError::new(ErrorKind::Refused, format!("{name} says that it failed"))
                .at(place)
                .with_help("check the dataset's name; a private one needs `auth`"),
        ),
    }
}

impl Resource {
    fn of(told: Told) -> Option<Self> {
        let url = told.url.filter(|url| !url.trim().is_empty())?;
        if told.state.as_deref().is_some_and(|state| state != "active") {
            return None;
        }
        let last = url
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .rsplit('/')
            .next();
        let name = told.name.filter(|name| !name.trim().is_empty());
        let name = name.unwrap_or_else(|| match last {
            Some(last) if !last.is_empty() => last.to_owned(),
            _ => told.id.clone(),
        });
        let in_datastore = told.datastore_active.is_some_and(|active| match active {
            serde_json::Value::Bool(active) => active,
            serde_json::Value::String(text) => text.eq_ignore_ascii_case("true"),
            _ => false,
        });
        Some(Self {
            id: told.id,
            stream: name.trim().to_owned(),
            name,
            format: told
                .format
                .unwrap_or_default()
                .trim()
                .trim_start_matches('.')
                .to_lowercase(),
            url,
            in_datastore,
        })
    }

    fn of_table(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            stream: id.to_owned(),
            name: id.to_owned(),
            format: String::new(),
            url: String::new(),
            in_datastore: true,
        }
    }

    fn rank(&self) -> usize {
        BEST.iter()
            .position(|format| *format == self.format)
            .unwrap_or(BEST.len())
    }

    /// A file name that tells the format, for guessing it: the address's own, else the resource's.
    pub(super) fn file_name(&self, url: &SourceUrl) -> String {
        let of_url = url.file_name();
        match (of_url.contains('.'), self.format.as_str()) {
            (true, _) => of_url,
            (false, "") => self.name.clone(),
            (false, format) => format!("{of_url}.{format}"),
        }
    }
}

/// Streams must differ in their names, resources need not.
fn name_apart(resources: &mut [Resource]) {
    let mut taken = BTreeSet::new();
    for resource in resources {
        let name = resource.stream.clone();
        let mut number = 2;
        while !taken.insert(resource.stream.clone()) {
            resource.stream = format!("{name}_{number}");
            number += 1;
        }
    }
}
