//! The datasets of an Opendatasoft portal, by the Explore API.
//!
//! Reference: <https://help.opendatasoft.com/apis/ods-explore-v2/>.

use async_trait::async_trait;
use sectorlake_connector::catalogue::{Catalogue, Dataset, Distribution, Seen, Wanted};
use sectorlake_connector::{ConnectorError, Io, SourceUrl};
use serde::Deserialize;
use serde_json::Value;

use super::{leads_in_a_circle, text, texts};
use crate::ask;

/// Datasets a page, and in all: the API gives no more.
const ROWS: usize = 100;
const DATASETS_MAX: usize = 10_000 - ROWS;

pub(super) struct Opendatasoft;

#[derive(Deserialize)]
struct Answer {
    total_count: usize,
    results: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    dataset_id: String,
    #[serde(default)]
    metas: Value,
}

#[async_trait]
impl Catalogue for Opendatasoft {
    fn name(&self) -> &'static str {
        "opendatasoft"
    }

    fn addresses(&self, url: &SourceUrl, wanted: &Wanted) -> Vec<SourceUrl> {
        let Ok(start) = url.follow("/") else {
            return Vec::new();
        };
        let rows = ROWS.to_string();
        let found = wanted.search.as_deref();
        let found = found.map(|words| format!("search({})", Value::from(words)));
        let mut query = vec![("limit", rows.as_str()), ("offset", "0")];
        query.extend(found.as_deref().map(|condition| ("where", condition)));
        vec![
            start
                .join(&["api", "explore", "v2.1", "catalog", "datasets"])
                .with_query(&query),
        ]
    }

    async fn read(
        &self,
        seen: Seen<'_>,
        wanted: &Wanted,
        io: &Io,
    ) -> Result<Option<Vec<Dataset>>, ConnectorError> {
        let Ok(answer) = serde_json::from_slice::<Answer>(seen.bytes) else {
            return Ok(None);
        };
        let (total, mut all) = (answer.total_count, answer.results);
        let wanted = wanted.datasets_max.min(DATASETS_MAX);
        let has_pages = seen
            .url
            .expose()
            .query_pairs()
            .any(|(key, _)| key == "offset");
        while has_pages && all.len() < total && all.len() <= wanted {
            let url = seen.url.with_query(&[("offset", &all.len().to_string())]);
            let page: Answer = ask::json(url, "answer of the Explore API", io).await?;
            let results = page.results;
            if results.is_empty()
                || leads_in_a_circle(
                    (&all, total),
                    &results,
                    |found| Some(found.dataset_id.clone()),
                    io,
                )
            {
                break;
            }
            all.extend(results);
        }
        Ok(Some(
            all.into_iter()
                .map(|found| dataset(found, seen.url))
                .collect(),
        ))
    }
}

fn dataset(found: Found, url: &SourceUrl) -> Dataset {
    let metas = &found.metas["default"];
    let of = |key: &str| metas.get(key).and_then(text);
    let origin = url.expose().origin().ascii_serialization();
    let id = found.dataset_id;
    let export = |format: &str| Distribution {
        title: None,
        format: Some(format.to_owned()),
        url: format!("{origin}/api/explore/v2.1/catalog/datasets/{id}/exports/{format}"),
    };
    let page = format!("{origin}/explore/dataset/{id}/");
    Dataset {
        title: of("title").unwrap_or_else(|| id.clone()),
        description: of("description"),
        publisher: of("publisher"),
        licence: of("license"),
        modified: of("modified"),
        keywords: metas.get("keyword").map(texts).unwrap_or_default(),
        distributions: ["csv", "json", "parquet"].map(export).to_vec(),
        source: Some(page.clone()),
        unusable: Vec::new(),
        page: Some(page),
        id,
    }
}
