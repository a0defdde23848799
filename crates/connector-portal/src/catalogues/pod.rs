//! `data.json`: DCAT-US, which was Project Open Data, in plain JSON.
//!
//! Reference: <https://resources.data.gov/resources/dcat-us/>. ArcGIS Hub and Socrata serve it too.

use async_trait::async_trait;
use sectorlake_connector::catalogue::{Catalogue, Dataset, Distribution, Seen, Wanted, format_of};
use sectorlake_connector::{ConnectorError, Io, SourceUrl};
use serde::Deserialize;
use serde_json::Value;

use super::{head, root, text, texts};

pub(super) struct Pod;

/// The document: the list of datasets is all that counts of it.
#[derive(Deserialize)]
struct Document {
    dataset: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    identifier: Option<Value>,
    title: Value,
    #[serde(default)]
    description: Value,
    #[serde(default)]
    publisher: Value,
    #[serde(default)]
    license: Value,
    #[serde(default)]
    modified: Value,
    #[serde(default)]
    landing_page: Value,
    #[serde(default)]
    keyword: Value,
    #[serde(default)]
    distribution: Value,
}

#[async_trait]
impl Catalogue for Pod {
    fn name(&self) -> &'static str {
        "data.json"
    }

    fn addresses(&self, url: &SourceUrl, _: &Wanted) -> Vec<SourceUrl> {
        let root = root(url);
        vec![
            root.join(&["data.json"]),
            root.join(&["api", "feed", "dcat-us", "1.1.json"]),
        ]
    }

    async fn read(
        &self,
        seen: Seen<'_>,
        _: &Wanted,
        _: &Io,
    ) -> Result<Option<Vec<Dataset>>, ConnectorError> {
        if head(seen.bytes).first() != Some(&b'{') {
            return Ok(None);
        }
        // DCAT in JSON-LD writes its keys with prefixes, and so has no such list.
        let Ok(document) = serde_json::from_slice::<Document>(head(seen.bytes)) else {
            return Ok(None);
        };
        Ok(Some(document.dataset.into_iter().map(dataset).collect()))
    }
}

fn dataset(entry: Entry) -> Dataset {
    let distributions = match entry.distribution {
        Value::Array(all) => all.iter().filter_map(distribution).collect(),
        one => distribution(&one).into_iter().collect(),
    };
    let title = text(&entry.title).unwrap_or_default();
    Dataset {
        id: entry
            .identifier
            .as_ref()
            .and_then(text)
            .unwrap_or_else(|| title.clone()),
        title,
        description: text(&entry.description),
        publisher: text(&entry.publisher),
        licence: text(&entry.license),
        modified: text(&entry.modified),
        page: text(&entry.landing_page),
        keywords: texts(&entry.keyword),
        distributions,
        source: None,
        unusable: Vec::new(),
    }
}

fn distribution(value: &Value) -> Option<Distribution> {
    let of = |key: &str| value.get(key).and_then(text);
    let url = of("downloadURL").or_else(|| of("accessURL"))?;
    // A media type is exact; a format may be a sentence: "Zipped CSV".
    let told = of("mediaType").or_else(|| of("format").filter(|format| !format.contains(' ')));
    Some(Distribution {
        title: of("title"),
        format: format_of(told.as_deref(), &url),
        url,
    })
}
