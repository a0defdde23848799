//! Sources that page in every way, to their end, in circles and for ever.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::*;
use crate::address::{SourceUrl, UrlSetting};
use crate::error::ConnectorError;
use crate::http::Http;
use crate::incremental::Incremental;
use crate::io::Io;
use crate::kit::{TestPace, limits};
use crate::registry::MakeContext;
use crate::source::Cursor;

mod circles;
mod gaps;
mod rounds;
mod served;

const NOW: &str = "2025-06-01T12:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn io(now: &str) -> Io {
    let http = Http::new(limits(), Arc::new(TestPace::default())).unwrap();
    Io::new(http, at(now))
}

fn url(text: &str) -> SourceUrl {
    let context = MakeContext::new(".", "demo", |name| Some(format!("s/{name} 1")));
    UrlSetting::new(text).resolve(&["url"], &context).unwrap()
}

fn paging(settings: Value) -> Paging {
    let paging: Paging = serde_json::from_value(settings).unwrap();
    paging.check("paging").unwrap();
    paging
}

fn pager(base: &str, settings: Value) -> Pager {
    Pager::new(url(base), Some(paging(settings)))
}

/// An answer: its body, and its Link header.
type Said = (Value, &'static str);

/// Reads a unit to its end; gives what was asked for, and the cursor at the end.
fn read_from(
    pager: &Pager,
    cursor: Option<Cursor>,
    now: &str,
    mut answer: impl FnMut(&str) -> Said,
) -> Result<(Vec<String>, Option<Cursor>), ConnectorError> {
    let (io, mut cursor, mut asked) = (io(now), cursor, Vec::new());
    while let Some(page) = pager.page(cursor.as_ref(), &io)? {
        let url = page.url().expose().to_string();
        let (body, link) = answer(&url);
        asked.push(url);
        let headers = match link {
            "" => BTreeMap::new(),
            link => BTreeMap::from([("link".to_owned(), link.to_owned())]),
        };
        let turn = page.turn(&headers, body.to_string().as_bytes())?;
        let is_last = turn.next.is_none();
        cursor = turn.next;
        if is_last {
            break;
        }
    }
    Ok((asked, cursor))
}

fn read(pager: &Pager, answer: impl FnMut(&str) -> Said) -> Result<Vec<String>, ConnectorError> {
    read_from(pager, None, NOW, answer).map(|(asked, _)| asked)
}

/// So many records from a number on.
fn records(from: u64, count: u64) -> Value {
    (from..from + count).map(|id| json!({ "id": id })).collect()
}

fn parameter(url: &str, name: &str) -> Option<u64> {
    let url = url::Url::parse(url).unwrap();
    let mut pairs = url.query_pairs();
    pairs.find(|(key, _)| key == name)?.1.parse().ok()
}

/// The records of a source of so many, as offset and limit ask; it gives no more than `cap` a page.
fn slice(asked: &str, all: u64, cap: u64) -> Value {
    let offset = parameter(asked, "offset").unwrap_or(0).min(all);
    let limit = parameter(asked, "limit").unwrap_or(cap).min(cap);
    records(offset, limit.min(all - offset))
}

#[test]
fn offsets_go_on_to_the_end() {
    let short = pager(
        "https://a.example/rows?b=1",
        json!({"style": "offset", "size": 10}),
    );
    let asked = read(&short, |url| (slice(url, 25, 10), "")).unwrap();
    assert_eq!(
        asked,
        [
            "https://a.example/rows?b=1&limit=10&offset=0",
            "https://a.example/rows?b=1&limit=10&offset=10",
            "https://a.example/rows?b=1&limit=10&offset=20",
        ]
    );
    // The last page is full: one more is asked for, and it is empty.
    assert_eq!(
        read(&short, |url| (slice(url, 20, 10), "")).unwrap().len(),
        3
    );
    assert_eq!(
        read(&short, |url| (slice(url, 0, 10), "")).unwrap().len(),
        1
    );
    // Unless the answer says how many there are.
    let told = pager(
        "https://a.example/rows",
        json!({"style": "offset", "size": 10, "total": "n", "records": "rows"}),
    );
    let asked = read(&told, |url| {
        (json!({"n": "20", "rows": slice(url, 20, 10)}), "")
    });
    assert_eq!(asked.unwrap().len(), 2);
    let more = pager(
        "https://a.example/rows",
        json!({"style": "offset", "size": 10, "more": "exceeded"}),
    );
    let answer = |url: &str| {
        let rows = slice(url, 20, 10);
        let is_last = parameter(url, "offset") == Some(10);
        (json!({"rows": rows, "exceeded": !is_last}), "")
    };
    assert_eq!(read(&more, answer).unwrap().len(), 2);
}

#[test]
fn a_source_that_gives_less_than_asked_loses_nothing() {
    let pager = pager(
        "https://a.example/rows",
        json!({"style": "offset", "size": 5000}),
    );
    let asked = read(&pager, |url| (slice(url, 2300, 1000), "")).unwrap();
    assert_eq!(
        asked.last().unwrap(),
        "https://a.example/rows?limit=5000&offset=2000"
    );
    // A page of an odd number is the only one.
    assert_eq!(
        read(&pager, |url| (slice(url, 2301, 5000), ""))
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn pages_are_numbered() {
    let plain = pager(
        "https://a.example/rows",
        json!({"style": "page", "size": 3, "size_parameter": "per_page"}),
    );
    let of = |url: &str, last: u64| {
        let page = parameter(url, "page").unwrap();
        records(page * 3, if page < last { 3 } else { 2 })
    };
    let asked = read(&plain, |url| (of(url, 3), "")).unwrap();
    assert_eq!(
        asked.last().unwrap(),
        "https://a.example/rows?per_page=3&page=3"
    );
    let told = pager(
        "https://a.example/rows",
        json!({"style": "page", "first": 0, "pages": "[0].pages", "records": "[1]"}),
    );
    let asked = read(&told, |url| (json!([{"pages": 2}, of(url, 9)]), "")).unwrap();
    assert_eq!(
        asked,
        [
            "https://a.example/rows?page=0",
            "https://a.example/rows?page=1"
        ]
    );
    let total = pager(
        "https://a.example/rows",
        json!({"style": "page", "total": "total"}),
    );
    let asked = read(&total, |url| (json!({"total": 6, "rows": of(url, 9)}), "")).unwrap();
    assert_eq!(asked.len(), 2);
}

#[test]
fn marks_go_back_as_a_parameter() {
    let pager = pager(
        "https://a.example/rows",
        json!({"style": "cursor", "next": "meta.next", "parameter": "after"}),
    );
    let mut marks = [json!("a b"), json!(7), json!(null)].into_iter();
    let mut from = 0;
    let asked = read(&pager, |_| {
        from += 1;
        (
            json!({"meta": {"next": marks.next()}, "rows": records(from, 1)}),
            "",
        )
    });
    assert_eq!(
        asked.unwrap(),
        [
            "https://a.example/rows",
            "https://a.example/rows?after=a+b",
            "https://a.example/rows?after=7"
        ]
    );
}

#[test]
fn links_lead_on() {
    let link = pager("https://a.example/v1/rows?q=x", json!({"style": "link"}));
    let mut links = [
        r#"</v1/rows?page=2>; rel="next", <x>; rel="last""#,
        r#"<?page=3>; rel="next""#,
        r#"<x>; rel="prev""#,
    ]
    .into_iter();
    let mut from = 0;
    let asked = read(&link, |_| {
        from += 1;
        (records(from, 1), links.next().unwrap())
    });
    assert_eq!(
        asked.unwrap(),
        [
            "https://a.example/v1/rows?q=x",
            "https://a.example/v1/rows?page=2",
            "https://a.example/v1/rows?page=3"
        ]
    );
    let next = pager(
        "https://a.example/items",
        json!({"style": "next", "next": "links[rel=next].href"}),
    );
    let asked = read(&next, |url| match parameter(url, "page") {
        None => (
            json!({"features": [1], "links": [{"rel": "next", "href": "http://a.example/items?page=2"}]}),
            "",
        ),
        _ => (
            json!({"features": [2], "links": [{"rel": "self", "href": "x"}]}),
            "",
        ),
    });
    // A server that thinks it is reached over http is still asked over https.
    assert_eq!(asked.unwrap()[1], "https://a.example/items?page=2");
}

#[test]
fn odata_goes_on_by_links_or_by_skipping() {
    let links = pager("https://a.example/Stations", json!({"style": "odata"}));
    let asked = read(&links, |url| match url.contains("skiptoken") {
        false => (
            json!({"value": [1], "@odata.nextLink": "Stations?$skiptoken=abc%20d"}),
            "",
        ),
        true => (json!({"value": [2]}), ""),
    });
    assert_eq!(
        asked.unwrap()[1],
        "https://a.example/Stations?$skiptoken=abc%20d"
    );
    let old = read(&links, |url| match url.contains("skiptoken") {
        false => (
            json!({"d": {"results": [1], "__next": "https://a.example/Stations?$skiptoken=1"}}),
            "",
        ),
        true => (json!({"d": {"results": [2]}}), ""),
    });
    assert_eq!(old.unwrap().len(), 2);
    let sized = pager(
        "https://a.example/Stations",
        json!({"style": "odata", "size": 2}),
    );
    let asked = read(&sized, |url| {
        let skip = parameter(url, "$skip").unwrap_or(0);
        (
            json!({ "value": records(skip, if skip < 4 { 2 } else { 1 }) }),
            "",
        )
    });
    assert_eq!(
        asked.unwrap()[2],
        "https://a.example/Stations?%24top=2&%24skip=4"
    );
}

#[test]
fn the_next_page_is_at_the_source_s_own_host() {
    let leads = |settings: Value, next: &'static str| {
        let mut is_first = true;
        let said = read(&pager("https://a.example/rows", settings), |_| {
            let next = std::mem::take(&mut is_first).then_some(next);
            (json!({"next": next, "rows": [is_first]}), "")
        });
        said.map(|asked| asked[1].clone())
            .map_err(|error| format!("{error} / {}", error.help.clone().unwrap_or_default()))
    };
    let next = json!({"style": "next", "next": "next"});
    let hosts = json!({"style": "next", "next": "next", "hosts": ["B.example"]});
    let said: Vec<String> = [
        (&next, "?page=2"),
        (&next, "https://b.example/rows?page=2"),
        (&next, "//169.254.169.254/latest/meta-data"),
        (&next, "https://a.example:8443/rows"),
        (&next, "file:///etc/passwd"),
        (&hosts, "https://b.example/rows?page=2"),
        (&hosts, "https://c.example/rows?page=2"),
    ]
    .into_iter()
    .map(|(settings, next)| leads(settings.clone(), next).unwrap_or_else(|error| error))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
https://a.example/rows?page=2
https://a.example/rows: the next page is at b.example, another host than the source's own / if that is meant, write `hosts: [b.example]` under `paging:`
https://a.example/rows: the next page is at 169.254.169.254, another host than the source's own / if that is meant, write `hosts: [169.254.169.254]` under `paging:`
https://a.example/rows: the next page is at a.example, another host than the source's own / if that is meant, write `hosts: [a.example]` under `paging:`
https://a.example/rows: links to file://, which is not fetched here / ask the publisher: its answer links to what cannot be fetched
https://b.example/rows?page=2
https://a.example/rows: the next page is at c.example, another host than the source's own / if that is meant, write `hosts: [c.example]` under `paging:`
");
}

#[test]
fn secrets_of_the_address_are_not_kept_and_go_along() {
    let pager = pager(
        "https://a.example/${env:PATH}/rows?api_key=plain&q=${env:KEY}&b=1",
        json!({"style": "next", "next": "next"}),
    );
    let io = io(NOW);
    let page = pager.page(None, &io).unwrap().unwrap();
    let own = page.url().expose().clone();
    let mut next = own.clone();
    next.query_pairs_mut().append_pair("token", "abc{0.0}");
    let body = json!({"next": next, "rows": [1]}).to_string();
    let turn = page.turn(&BTreeMap::new(), body.as_bytes()).unwrap();
    let kept = json!(turn.next).to_string();
    for secret in ["plain", "s%2FPATH", "s/PATH", "s/KEY", "s%2FKEY"] {
        assert!(!kept.contains(secret), "{kept}");
    }
    let page = pager.page(turn.next.as_ref(), &io).unwrap().unwrap();
    let pairs: BTreeMap<String, String> = page.url().expose().query_pairs().into_owned().collect();
    assert_eq!(page.url().expose().path(), own.path());
    assert_eq!(
        (pairs["api_key"].as_str(), pairs["q"].as_str()),
        ("plain", "s/KEY 1")
    );
    assert_eq!(
        (pairs["token"].as_str(), pairs["b"].as_str()),
        ("abc{0.0}", "1")
    );
    assert!(
        !page.key().contains("plain") && !page.key().contains("KEY"),
        "{}",
        page.key()
    );
    assert!(page.key().ends_with("#page=2"), "{}", page.key());
}

#[test]
fn settings_that_do_not_go_together_are_told() {
    let said: Vec<String> = [
        json!({"style": "offset"}),
        json!({"style": "cursor"}),
        json!({"style": "next"}),
        json!({"style": "next", "next": "a", "total": "b"}),
        json!({"style": "offset", "size": 1, "hosts": ["a"]}),
        json!({"style": "link", "first": 1}),
    ]
    .into_iter()
    .map(|settings| {
        let paging: Paging = serde_json::from_value(settings).unwrap();
        let error = paging.check("paging").unwrap_err();
        format!("{error} / {}", error.help.clone().unwrap_or_default())
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
paging: `size` is missing / say how many records a page has, as in `size: 1000`
paging: `next` is missing / say where the answer tells how to go on, as in `next: meta.next`
paging: `next` is missing / say where the answer tells how to go on, as in `next: meta.next`
paging.total: means nothing with `style: next` / leave it out, or write the style that the source has
paging.hosts: means nothing with `style: offset` / leave it out, or write the style that the source has
paging.first: means nothing with `style: link` / leave it out, or write the style that the source has
");
    let refused = serde_json::from_value::<Paging>(json!({"style": "next", "next": "a[x]"}));
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("is no path into JSON")
    );
}

proptest::proptest! {
    #[test]
    fn what_is_hidden_comes_back(one in "[a-z0-9 /&]{1,6}", two in "[0-9.{}]{1,3}", link in "[a-z0-9/?&=.{}%+ ]{0,40}") {
        let context = MakeContext::new(".", "demo", move |name| Some(if name == "ONE" { one.clone() } else { two.clone() }));
        let setting = UrlSetting::new("https://a.example/?a=${env:ONE}&b=${env:TWO}");
        if let Ok(url) = setting.resolve(&["url"], &context) {
            proptest::prop_assert_eq!(url.reveal(&url.hide(&link)), link.replace('{', "%7B"));
        }
    }
}
