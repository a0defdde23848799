//! An answer that is the first of many: what it says of the others makes a draft of `rest` with that paging, or is told aloud.

use sectorlake_connector::Sight;
use sectorlake_formats::FormatSpec;
use serde_json::{Map, Value, json};

use super::look::Looked;

/// Objects in an answer that may hold what it says of its pages, beside the answer itself.
const HOLDERS: [&str; 15] = [
    "links",
    "_links",
    "paging",
    "pagination",
    "page",
    "page_info",
    "pageInfo",
    "meta",
    "metadata",
    "_metadata",
    "data",
    "info",
    "result",
    "response",
    "response_metadata",
];
const NEXT: [&str; 9] = [
    "next",
    "nextPage",
    "next_page",
    "next_url",
    "nextUrl",
    "next_page_url",
    "nextLink",
    "nextPageLink",
    "next_link",
];
const TOTALS: [&str; 11] = [
    "count",
    "total",
    "total_count",
    "totalCount",
    "totalResults",
    "total_results",
    "totalElements",
    "totalRecords",
    "total_records",
    "numberMatched",
    "recordsTotal",
];
const PAGES: [&str; 7] = [
    "pages",
    "total_pages",
    "totalPages",
    "page_count",
    "pageCount",
    "last_page",
    "lastPage",
];
const MORE: [&str; 5] = ["has_more", "hasMore", "has_next", "hasNext", "hasNextPage"];
/// Where a mark stands, and the parameter that it usually goes back in.
const CURSORS: [(&str, &str); 6] = [
    ("next_cursor", "cursor"),
    ("nextCursor", "cursor"),
    ("next_page_token", "page_token"),
    ("nextPageToken", "pageToken"),
    ("next_token", "next_token"),
    ("nextToken", "nextToken"),
];

/// What tells that more pages follow.
#[derive(Debug, PartialEq)]
struct Paged {
    /// The setting `paging:`, where it is known how to go on.
    paging: Option<Value>,
    why: String,
}

/// What of an answer is looked at.
pub(super) struct Answer<'a> {
    pub(super) location: &'a str,
    /// All of it; too long a one is cut, and tells nothing.
    pub(super) bytes: &'a [u8],
    /// The Link header.
    pub(super) link: Option<&'a str>,
}

/// The draft of a source that was looked at by `http`, with what its answer says of more pages.
pub(super) fn heeded(mut looked: Looked, answer: &Answer<'_>) -> Looked {
    let Some(sample) = &looked.sample else {
        return looked;
    };
    let FormatSpec::Json(format) = &sample.format else {
        return looked;
    };
    let path = format.record_path.clone().unwrap_or_default();
    let records = sample.is_whole.then_some(sample.rows.len() as u64);
    let Some(found) = paged(answer, &path, records) else {
        return looked;
    };
    let Some(paging) = found.paging else {
        looked.refined.push(format!(
            "MORE PAGES: {}, and this draft loads the first alone: write `connector: rest` with `paging:`, see `sectorlake connectors rest`",
            found.why
        ));
        return looked;
    };
    looked.connector = "rest".to_owned();
    looked.claim.why = format!("its answer is one of several pages: {}", found.why);
    let settings = &mut looked.claim.settings;
    if !path.is_empty() {
        settings.insert("records".to_owned(), path.into());
    }
    settings.insert("paging".to_owned(), paging);
    looked
}

/// What an answer with so many records at `path` says of more.
fn paged(answer: &Answer<'_>, path: &str, records: Option<u64>) -> Option<Paged> {
    if answer
        .link
        .is_some_and(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))
    {
        return Some(Paged {
            paging: Some(json!({ "style": "link" })),
            why: "its Link header leads on (rel=\"next\")".to_owned(),
        });
    }
    let Ok(Value::Object(whole)) = serde_json::from_slice(answer.bytes) else {
        return None;
    };
    if is_text(whole.get("@odata.nextLink")) {
        return Some(Paged {
            paging: Some(json!({ "style": "odata" })),
            why: "`@odata.nextLink` leads on".to_owned(),
        });
    }
    if let Some(found) = leads_on(&whole) {
        return Some(found);
    }
    let places = places(&whole, path);
    numbered(&places, answer, records)
}

fn is_text(value: Option<&Value>) -> bool {
    value
        .and_then(Value::as_str)
        .is_some_and(|text| !text.is_empty())
}

/// A link or a mark in the answer.
fn leads_on(whole: &Map<String, Value>) -> Option<Paged> {
    let is_link = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        text.contains("://") || text.starts_with('/') || text.starts_with('?')
    };
    let next = |path: String| Paged {
        why: format!("`{path}` leads on"),
        paging: Some(json!({ "style": "next", "next": path })),
    };
    for (before, object) in holders(whole) {
        for key in NEXT {
            if is_link(object.get(key)) {
                return Some(next(format!("{before}{key}")));
            }
            let inner = object.get(key).and_then(|value| value.get("href"));
            if is_link(inner) {
                return Some(next(format!("{before}{key}.href")));
            }
        }
        for (key, parameter) in CURSORS {
            if is_text(object.get(key)) {
                let path = format!("{before}{key}");
                return Some(Paged {
                    why: format!(
                        "`{path}` is a mark to go on by; that it goes back as `{parameter}` is a guess, see the source's documentation"
                    ),
                    paging: Some(
                        json!({ "style": "cursor", "parameter": parameter, "next": path }),
                    ),
                });
            }
        }
    }
    let links = whole.get("links").and_then(Value::as_array)?;
    let is_next = |link: &&Value| link.get("rel") == Some(&"next".into());
    let found = links.iter().find(is_next)?;
    is_link(found.get("href")).then(|| next("links[rel=next].href".to_owned()))
}

/// The answer and the objects in it that may tell of pages, each with the way to it.
fn holders(whole: &Map<String, Value>) -> impl Iterator<Item = (String, &Map<String, Value>)> {
    let inner = HOLDERS.iter().filter_map(|&key| {
        let object = whole.get(key)?.as_object()?;
        Some((format!("{key}."), object))
    });
    std::iter::once((String::new(), whole)).chain(inner)
}

/// What an answer says in numbers, by place.
struct Places {
    total: Option<(String, u64)>,
    pages: Option<(String, u64)>,
    more: Option<String>,
    keys: Vec<String>,
}

fn places(whole: &Map<String, Value>, path: &str) -> Places {
    let mut found = Places {
        total: None,
        pages: None,
        more: None,
        keys: Vec::new(),
    };
    for (before, object) in holders(whole) {
        found.keys.extend(object.keys().cloned());
        let number = |names: &[&str]| {
            let mut found = names.iter().filter_map(|name| {
                let way = format!("{before}{name}");
                // A list of records may be called `pages`; a number is none.
                (way != path).then_some(())?;
                Some((way, object.get(*name)?.as_u64()?))
            });
            found.next()
        };
        found.total = found.total.or_else(|| number(&TOTALS));
        found.pages = found.pages.or_else(|| number(&PAGES));
        let more = MORE
            .iter()
            .find(|name| object.get(**name) == Some(&Value::Bool(true)));
        found.more = found
            .more
            .or_else(|| more.map(|name| format!("{before}{name}")));
    }
    found
}

/// Pages by number or offset: how it is asked for the next stands in the address, or in what the answer repeats of it.
fn numbered(places: &Places, answer: &Answer<'_>, records: Option<u64>) -> Option<Paged> {
    let total = places
        .total
        .as_ref()
        .filter(|(_, total)| records.is_some_and(|records| records < *total && records > 0));
    let pages = places.pages.as_ref().filter(|(_, pages)| *pages > 1);
    let why = match (total, pages, &places.more) {
        (Some((way, total)), _, _) => {
            format!(
                "`{way}` says {total}, and {} came",
                records.unwrap_or_default()
            )
        }
        (_, Some((way, pages)), _) => format!("`{way}` says {pages}"),
        (_, _, Some(way)) => format!("`{way}` says that there is more"),
        (None, None, None) => return None,
    };
    let sight = Sight {
        location: answer.location,
        members: &[],
        head: &[],
    };
    let url = sight.url();
    let asked: Vec<(String, String)> = url
        .iter()
        .flat_map(|url| url.query_pairs().into_owned())
        .collect();
    let named = |names: &[&str]| {
        let in_address = asked.iter().map(|(key, _)| key);
        let mut all = in_address.chain(&places.keys);
        all.find(|key| names.contains(&key.as_str())).cloned()
    };
    let mut paging = Map::new();
    if let Some(parameter) = named(&[
        "page",
        "pageNumber",
        "page_number",
        "pageIndex",
        "currentPage",
        "current_page",
    ]) {
        let parameter = match parameter.as_str() {
            "currentPage" | "current_page" => "page".to_owned(),
            _ => parameter,
        };
        paging.insert("style".to_owned(), "page".into());
        paging.insert("parameter".to_owned(), parameter.into());
        if let Some((way, _)) = pages {
            paging.insert("pages".to_owned(), way.as_str().into());
        }
    } else if let (Some(parameter), Some(records)) = (
        named(&["offset", "skip", "start", "$skip", "startIndex"]),
        records,
    ) {
        paging.insert("style".to_owned(), "offset".into());
        paging.insert("parameter".to_owned(), parameter.into());
        paging.insert("size".to_owned(), records.into());
        // How many come is as the address has it, or as the source will.
        let size = named(&["limit", "rows", "$top", "count"])
            .filter(|size| asked.iter().any(|(key, _)| key == size));
        paging.insert("size_parameter".to_owned(), size.unwrap_or_default().into());
    } else {
        return Some(Paged { paging: None, why });
    }
    if let Some((way, _)) = total {
        paging.insert("total".to_owned(), way.as_str().into());
    }
    if let Some(way) = &places.more {
        paging.insert("more".to_owned(), way.as_str().into());
    }
    let why = format!("{why}; how the next is asked for is read off the address and the answer");
    Some(Paged {
        paging: Some(Value::Object(paging)),
        why,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use sectorlake_connector::paging::Paging;

    use super::*;

    fn found(query: &str, whole: Value, path: &str, records: u64) -> Option<Paged> {
        let location = format!("https://example.org/api/clinics{query}");
        let text = whole.to_string();
        let answer = Answer {
            location: &location,
            bytes: text.as_bytes(),
            link: None,
        };
        let found = paged(&answer, path, Some(records));
        if let Some(Paged {
            paging: Some(paging),
            ..
        }) = &found
        {
            let paging: Paging = serde_json::from_value(paging.clone()).unwrap();
            paging.check("paging").unwrap();
        }
        found
    }

    #[test]
    fn what_leads_on_is_the_paging() {
        for (query, whole, path, paging) in [
            (
                "",
                json!({ "items": [1], "links": { "next": "https://example.org/?p=2" } }),
                "items",
                json!({ "style": "next", "next": "links.next" }),
            ),
            (
                "",
                json!({ "items": [1], "_links": { "next": { "href": "/?p=2" } } }),
                "items",
                json!({ "style": "next", "next": "_links.next.href" }),
            ),
            (
                "",
                json!({ "items": [1], "links": [{ "rel": "next", "href": "?p=2" }] }),
                "items",
                json!({ "style": "next", "next": "links[rel=next].href" }),
            ),
            (
                "",
                json!({ "value": [1], "@odata.nextLink": "x" }),
                "value",
                json!({ "style": "odata" }),
            ),
            (
                "",
                json!({ "items": [1], "meta": { "next_cursor": "abc" } }),
                "items",
                json!({ "style": "cursor", "parameter": "cursor", "next": "meta.next_cursor" }),
            ),
            (
                "?page=1",
                json!({ "data": { "items": [1], "count": 25 } }),
                "data.items",
                json!({ "style": "page", "parameter": "page", "total": "data.count" }),
            ),
            (
                "",
                json!({ "items": [1], "page": 1, "total_pages": 3 }),
                "items",
                json!({ "style": "page", "parameter": "page", "pages": "total_pages" }),
            ),
            (
                "?limit=1&offset=0",
                json!({ "items": [1], "total": 25 }),
                "items",
                json!({ "style": "offset", "parameter": "offset", "size": 1, "size_parameter": "limit", "total": "total" }),
            ),
        ] {
            let found = found(query, whole.clone(), path, 1).unwrap();
            assert_eq!(found.paging, Some(paging), "{whole}");
        }
    }

    #[test]
    fn what_tells_of_more_and_not_how_is_told() {
        let whole = json!({ "data": { "items": [1], "count": 25 } });
        let told = found("", whole, "data.items", 1).unwrap();
        assert_eq!(told.paging, None);
        assert_eq!(told.why, "`data.count` says 25, and 1 came");
    }

    #[test]
    fn a_whole_answer_is_left_alone() {
        for whole in [
            json!({ "items": [1], "count": 1 }),
            json!({ "items": [1], "next": null, "links": { "next": "" } }),
            json!({ "items": [1], "page": 1, "pages": 1, "has_more": false }),
            json!([1]),
            json!({ "items": [1], "next": "week" }),
        ] {
            assert_eq!(found("?page=1", whole.clone(), "items", 1), None, "{whole}");
        }
    }
}
