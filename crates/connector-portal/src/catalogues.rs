//! The catalogues of portals, for `sectorlake discover`.

mod ckan;
mod dcat;
mod opendatasoft;
mod pod;
mod sdmx;
mod socrata;

use sectorlake_connector::catalogue::Catalogue;
use sectorlake_connector::{Sight, SourceUrl};
use serde_json::Value;

/// The catalogues that portals have, those first that tell most; that of SDMX looks only at addresses which look like its own.
#[must_use]
pub fn catalogues() -> Vec<Box<dyn Catalogue>> {
    vec![
        Box::new(sdmx::Sdmx),
        Box::new(ckan::Ckan),
        Box::new(opendatasoft::Opendatasoft),
        Box::new(socrata::Socrata),
        Box::new(pod::Pod),
        Box::new(dcat::Dcat),
    ]
}

/// A portal's root: its pages' own steps are no part of it.
fn root(url: &SourceUrl) -> SourceUrl {
    const PAGES: [&str; 8] = [
        "dataset",
        "datasets",
        "explore",
        "browse",
        "search",
        "catalog",
        "organization",
        "group",
    ];
    let url_now = url.expose();
    let steps = Sight::steps(url_now);
    let kept = steps
        .iter()
        .position(|step| PAGES.contains(step))
        .unwrap_or(steps.len());
    // The way from the host is a link that cannot fail; if it did, the address itself would be tried.
    let start = url.follow("/").unwrap_or_else(|_| url.clone());
    start.join(&steps[..kept])
}

/// A text as catalogues write them: plain, in a list, by language, or as the name of a thing.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        }
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => items.iter().find_map(text),
        Value::Object(map) => [
            "vi", "en", "title", "name", "label", "@value", "value", "@id",
        ]
        .iter()
        .find_map(|key| map.get(*key).and_then(text)),
        _ => None,
    }
}

/// Texts of a list, or of one text with commas.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        Value::String(text) => text
            .split(',')
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect(),
        _ => Vec::new(),
    }
}

/// The beginning of an answer in letters, without what stands before its first sign.
fn head(bytes: &[u8]) -> &[u8] {
    bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start()
}

#[cfg(test)]
mod tests;
