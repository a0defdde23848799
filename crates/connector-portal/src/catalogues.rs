//! The catalogues of portals, for `sectorlake discover`.

mod ckan;
mod dcat;
mod opendatasoft;
mod pod;
mod sdmx;
mod socrata;

use std::collections::BTreeSet;

use sectorlake_connector::catalogue::Catalogue;
use sectorlake_connector::{Io, Sight, SourceUrl};
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

/// Whether a page brings nothing that the pages before it had not: the portal gives it whatever page is asked for. What there is
/// beyond it cannot be had, which is told.
fn leads_in_a_circle<T>(
    (all, count): (&[T], usize),
    page: &[T],
    id: impl Fn(&T) -> Option<String>,
    io: &Io,
) -> bool {
    let known: BTreeSet<String> = all.iter().filter_map(&id).collect();
    let is_known = |one: &T| id(one).is_some_and(|id| known.contains(&id));
    let is_circle = page.iter().all(is_known);
    if is_circle {
        io.note(format!(
            "the portal leads in a circle: asked for more, it gives the same page again; {} of the {count} datasets that it tells of are listed",
            all.len()
        ));
    }
    is_circle
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
