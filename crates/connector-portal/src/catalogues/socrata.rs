//! The datasets of a Socrata portal, by its discovery API.
//!
//! Reference: <https://dev.socrata.com/docs/other/discovery>.

use async_trait::async_trait;
use sectorlake_connector::catalogue::{Catalogue, Dataset, Distribution, Seen, Wanted};
use sectorlake_connector::{ConnectorError, Io, SourceUrl};
use serde::Deserialize;
use serde_json::Value;

use super::{leads_in_a_circle, text, texts};
use crate::ask;

/// Datasets a page.
const ROWS: usize = 500;

pub(super) struct Socrata;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    results: Vec<Found>,
    result_set_size: usize,
}

#[derive(Deserialize)]
struct Found {
    resource: Value,
    #[serde(default)]
    classification: Value,
    metadata: Metadata,
    permalink: Option<String>,
    link: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    domain: String,
    license: Option<String>,
}

#[async_trait]
impl Catalogue for Socrata {
    fn name(&self) -> &'static str {
        "socrata"
    }

    fn addresses(&self, url: &SourceUrl, wanted: &Wanted) -> Vec<SourceUrl> {
        let (Some(host), Ok(start)) = (url.expose().host_str(), url.follow("/")) else {
            return Vec::new();
        };
        let rows = ROWS.to_string();
        // One service answers for all portals: it must be told whose datasets are meant.
        let mut query = vec![
            ("domains", host),
            ("search_context", host),
            ("only", "dataset"),
            ("limit", &rows),
            ("offset", "0"),
        ];
        query.extend(wanted.search.as_deref().map(|words| ("q", words)));
        vec![start.join(&["api", "catalog", "v1"]).with_query(&query)]
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
        let (size, mut all) = (answer.result_set_size, answer.results);
        // Whoever wrote the address itself wants that page.
        let is_whole = seen
            .url
            .expose()
            .query_pairs()
            .any(|(key, _)| key == "offset");
        while is_whole && all.len() < size && all.len() <= wanted.datasets_max {
            let url = seen.url.with_query(&[("offset", &all.len().to_string())]);
            let page: Answer = ask::json(url, "answer of Socrata's discovery API", io).await?;
            let results = page.results;
            if results.is_empty()
                || leads_in_a_circle(
                    (&all, size),
                    &results,
                    |found| found.resource.get("id").and_then(text),
                    io,
                )
            {
                break;
            }
            all.extend(results);
        }
        Ok(Some(all.into_iter().filter_map(dataset).collect()))
    }
}

fn dataset(found: Found) -> Option<Dataset> {
    let of = |key: &str| found.resource.get(key).and_then(text);
    let id = of("id")?;
    let domain = found.metadata.domain;
    let rows = |format: &str| Distribution {
        title: None,
        format: Some(format.to_owned()),
        url: format!("https://{domain}/resource/{id}.{format}"),
    };
    Some(Dataset {
        title: of("name").unwrap_or_else(|| id.clone()),
        description: of("description"),
        publisher: of("attribution").or_else(|| Some(domain.clone())),
        licence: found.metadata.license,
        modified: of("updatedAt"),
        page: found.permalink.or(found.link),
        keywords: found
            .classification
            .get("domain_tags")
            .map(texts)
            .unwrap_or_default(),
        distributions: vec![rows("csv"), rows("json")],
        source: Some(format!("https://{domain}/d/{id}")),
        unusable: Vec::new(),
        id,
    })
}
