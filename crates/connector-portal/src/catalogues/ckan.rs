//! The datasets of a CKAN portal, by `package_search`.
//!
//! Reference: <https://docs.ckan.org/en/2.11/api/#ckan.logic.action.get.package_search>.

use async_trait::async_trait;
use sectorlake_connector::catalogue::{Catalogue, Dataset, Distribution, Seen, Wanted, format_of};
use sectorlake_connector::{ConnectorError, Io, SourceUrl};
use serde::Deserialize;
use serde_json::Value;

use super::{leads_in_a_circle, root, text, texts};
use crate::ask;

/// Datasets a page.
const ROWS: usize = 500;

pub(super) struct Ckan;

#[derive(Deserialize)]
struct Answer {
    result: Found,
}

#[derive(Deserialize)]
struct Found {
    count: usize,
    results: Vec<Value>,
}

#[async_trait]
impl Catalogue for Ckan {
    fn name(&self) -> &'static str {
        "ckan"
    }

    fn addresses(&self, url: &SourceUrl, wanted: &Wanted) -> Vec<SourceUrl> {
        let rows = ROWS.to_string();
        let mut query = vec![
            ("rows", rows.as_str()),
            ("sort", "name asc"),
            ("start", "0"),
        ];
        query.extend(wanted.search.as_deref().map(|words| ("q", words)));
        vec![
            root(url)
                .join(&["api", "3", "action", "package_search"])
                .with_query(&query),
        ]
    }

    async fn read(
        &self,
        seen: Seen<'_>,
        wanted: &Wanted,
        io: &Io,
    ) -> Result<Option<Vec<Dataset>>, ConnectorError> {
        let Ok(Answer { result }) = serde_json::from_slice::<Answer>(seen.bytes) else {
            return Ok(None);
        };
        let (count, mut all) = (result.count, result.results);
        while all.len() < count && all.len() <= wanted.datasets_max {
            let url = seen.url.with_query(&[("start", &all.len().to_string())]);
            let page: Answer = ask::json(url, "answer of CKAN's package_search", io).await?;
            let results = page.result.results;
            if results.is_empty() || leads_in_a_circle((&all, count), &results, name_of, io) {
                break;
            }
            all.extend(results);
        }
        Ok(Some(
            all.iter()
                .map(|package| dataset(package, seen.url))
                .collect(),
        ))
    }
}

fn name_of(package: &Value) -> Option<String> {
    let of = |key: &str| package.get(key).and_then(text);
    of("name").or_else(|| of("id"))
}

fn dataset(package: &Value, url: &SourceUrl) -> Dataset {
    let of = |key: &str| package.get(key).and_then(text);
    let name = name_of(package).unwrap_or_default();
    let page = page(url, &name);
    let resources = package.get("resources").and_then(Value::as_array);
    Dataset {
        title: of("title").unwrap_or_else(|| name.clone()),
        description: of("notes"),
        publisher: package
            .get("organization")
            .and_then(text)
            .or_else(|| of("author")),
        licence: match of("license_id") {
            Some(id) if id == "notspecified" => None,
            id => id.or_else(|| of("license_title")),
        },
        modified: of("metadata_modified"),
        keywords: package.get("tags").map(texts).unwrap_or_default(),
        distributions: resources
            .into_iter()
            .flatten()
            .filter_map(distribution)
            .collect(),
        source: Some(page.clone()),
        unusable: Vec::new(),
        page: Some(page),
        id: name,
    }
}

/// The dataset's page: what stands before the API, and its name.
fn page(url: &SourceUrl, name: &str) -> String {
    let text = url.to_string();
    let before = text.split("/api/").next().unwrap_or_default();
    format!("{before}/dataset/{name}")
}

fn distribution(resource: &Value) -> Option<Distribution> {
    let of = |key: &str| resource.get(key).and_then(text);
    let url = of("url")?;
    let told = of("format").or_else(|| of("mimetype"));
    Some(Distribution {
        title: of("name"),
        format: format_of(told.as_deref(), &url),
        url,
    })
}
