//! Pages without records that are not the end: a source may cut its pages first, and then leave out what it hides.

use super::*;

/// So many records in pages of five, some pages of which hide all they have.
fn hiding(url: &str, all: u64, hidden: &[u64]) -> (u64, Value) {
    let page = match parameter(url, "offset") {
        Some(offset) => offset / 5 + 1,
        None => parameter(url, "page").unwrap(),
    };
    let from = ((page - 1) * 5).min(all);
    let count = match hidden.contains(&page) {
        true => 0,
        false => 5.min(all - from),
    };
    (page, records(from, count))
}

#[test]
fn the_end_is_where_the_source_says_it_is() {
    for (settings, pages) in [
        (json!({"style": "page", "total": "n"}), 6),
        (json!({"style": "page", "total": "n", "size": 5}), 6),
        (json!({"style": "page", "pages": "pages"}), 5),
        (json!({"style": "page", "more": "more", "size": 5}), 5),
        (json!({"style": "offset", "total": "n", "size": 5}), 5),
        (json!({"style": "offset", "more": "more", "size": 5}), 5),
    ] {
        let told = settings.to_string();
        let pager = pager("https://a.example/rows", settings);
        let asked = read(&pager, |url| {
            let (page, rows) = hiding(url, 25, &[2, 3]);
            (
                json!({"rows": rows, "n": 25, "pages": 5, "more": page < 5}),
                "",
            )
        });
        assert_eq!(asked.unwrap().len(), pages, "{told}");
    }
}

#[test]
fn where_it_says_nothing_a_page_without_records_is_the_end() {
    for settings in [
        json!({"style": "page"}),
        json!({"style": "page", "size": 5}),
        json!({"style": "offset", "size": 5}),
    ] {
        let pager = pager("https://a.example/rows", settings);
        let asked = read(&pager, |url| (json!({"rows": hiding(url, 25, &[2]).1}), ""));
        assert_eq!(asked.unwrap().len(), 2);
    }
}

#[test]
fn what_a_source_says_to_have_and_does_not_give_is_told() {
    let told = |settings: Value, n: u64, all: u64| {
        let pager = pager("https://a.example/rows?api_key=s3cr3t", settings);
        let (io, mut cursor, mut pages) = (io(NOW), None, 0);
        while let Some(page) = pager.page(cursor.as_ref(), &io).unwrap() {
            pages += 1;
            let rows = hiding(page.url().expose().as_str(), all, &[]).1;
            let body = json!({"rows": rows, "n": n}).to_string();
            cursor = page.turn(&BTreeMap::new(), body.as_bytes()).unwrap().next;
            if cursor.is_none() {
                break;
            }
        }
        format!("{pages} pages; {}", io.take_notes().join("; "))
    };
    let said = [
        told(json!({"style": "page", "total": "n"}), 1000, 20),
        told(json!({"style": "offset", "size": 5, "total": "n"}), 22, 20),
        told(json!({"style": "page", "total": "n"}), 20, 20),
        told(json!({"style": "page", "total": "n"}), 3, 0),
    ];
    insta::assert_snapshot!(said.join("\n"));
}
