//! Sources without end. Each is refused in one sentence, after few requests where that can be seen.

use super::*;
use crate::error::ErrorKind;

/// The error, its mend, and how many pages were asked for.
fn refused(pager: &Pager, mut answer: impl FnMut(u64, &str) -> Said) -> (String, u64) {
    let mut asked = 0;
    let error = read(pager, |url| {
        asked += 1;
        answer(asked, url)
    })
    .unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Invalid, false));
    (
        format!("{error} / {}", error.help.clone().unwrap_or_default()),
        asked,
    )
}

#[test]
fn every_circle_is_recognised() {
    let next = pager(
        "https://a.example/r",
        json!({"style": "next", "next": "next"}),
    );
    let cursor = pager(
        "https://a.example/r",
        json!({"style": "cursor", "next": "next"}),
    );
    let offset = pager("https://a.example/r", json!({"style": "offset", "size": 2}));
    let page = pager("https://a.example/r", json!({"style": "page"}));
    let said = [
        // The page itself.
        refused(&next, |n, _| (json!({"next": "?p=1", "rows": [n]}), "")),
        // A mark that does not move.
        refused(&cursor, |n, _| (json!({"next": "x", "rows": [n]}), "")),
        // A circle of seven.
        refused(&next, |n, _| {
            (json!({"next": format!("?p={}", n % 7), "rows": [n]}), "")
        }),
        refused(&cursor, |n, _| (json!({"next": n % 100, "rows": [n]}), "")),
        // A parameter that the source does not know.
        refused(&offset, |_, _| (records(0, 2), "")),
        // Pages without records that promise more.
        refused(&next, |n, _| {
            (json!({"next": format!("?p={n}"), "rows": []}), "")
        }),
        // A source that invents a page for every number.
        refused(&page, |n, _| (records(n, 1), "")),
    ];
    let said: Vec<String> = said
        .iter()
        .map(|(error, asked)| format!("after {asked}: {error}"))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
after 2: https://a.example/r?p=1: the source does not come to an end: page 2 leads back to where it was / ask the publisher; how pages are found may be set up wrongly there, or under `paging:`
after 2: https://a.example/r?cursor=x: the source does not come to an end: page 2 leads back to where it was / ask the publisher; how pages are found may be set up wrongly there, or under `paging:`
after 14: https://a.example/r?p=6: the source does not come to an end: page 14 leads back to where it was / ask the publisher; how pages are found may be set up wrongly there, or under `paging:`
after 227: https://a.example/r?cursor=26: the source does not come to an end: page 227 leads back to where it was / ask the publisher; how pages are found may be set up wrongly there, or under `paging:`
after 2: https://a.example/r?limit=2&offset=2: the source does not come to an end: page 2 has the same content as page 1 / the source may not know the parameter `offset`: look at the publisher's documentation
after 100: https://a.example/r?p=99: the source does not come to an end: 100 pages in a row have no records, and it promises more / ask the publisher; how pages are found may be set up wrongly there, or under `paging:`
after 100000: https://a.example/r?page=1: the source does not come to an end: it has more than 100000 pages / ask for larger pages, or raise `pages_max` if there really are so many
");
}

/// The attack: a source that says it has ten million pages and gives each, new in address and content.
#[test]
fn ten_million_pages_are_not_read() {
    let mut settings = json!({"style": "cursor", "next": "next", "records": "rows"});
    let endless = |n: u64, _: &str| {
        (
            json!({"next": format!("{n:08}"), "rows": [n], "pages": 10_000_000}),
            "",
        )
    };
    let (error, asked) = refused(&pager("https://a.example/r", settings.clone()), endless);
    assert_eq!(asked, 100_000);
    assert!(error.contains("more than 100000 pages"), "{error}");
    settings["pages_max"] = json!(20);
    assert_eq!(
        refused(&pager("https://a.example/r", settings), endless).1,
        20
    );
}

/// The same records under a new address each time.
#[test]
fn pages_that_are_alike_are_a_circle_after_a_few() {
    let told = |settings: Value, answer: fn(u64) -> Said| {
        let (error, asked) = refused(&pager("https://a.example/r", settings), |n, _| answer(n));
        format!("after {asked}: {}", error.split(" / ").next().unwrap())
    };
    let said = [
        told(json!({"style": "next", "next": "next"}), |n| {
            let body = json!({"next": format!("?n={n}"), "at": n, "rows": records(0, 25)});
            (body, "")
        }),
        told(
            json!({"style": "cursor", "next": "links[rel=next].n", "records": "d.rows"}),
            |n| {
                let links = json!([{"rel": "next", "n": n}]);
                (json!({"links": links, "d": {"rows": records(0, 2)}}), "")
            },
        ),
        told(json!({"style": "odata"}), |n| {
            let body = json!({"@odata.nextLink": format!("?n={n}"), "value": records(0, 2)});
            (body, "")
        }),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
after 4: https://a.example/r?n=3: the source does not come to an end: it leads in a circle, for the pages 1 to 4 have the same records
after 4: https://a.example/r?cursor=3: the source does not come to an end: it leads in a circle, for the pages 1 to 4 have the same records
after 4: https://a.example/r?n=3: the source does not come to an end: it leads in a circle, for the pages 1 to 4 have the same records
");
}

#[test]
fn pages_that_are_alike_by_chance_are_no_circle() {
    let next = || {
        pager(
            "https://a.example/r",
            json!({"style": "next", "next": "next", "records": "rows"}),
        )
    };
    // Three of them, then another.
    let mut n = 0;
    let asked = read(&next(), |_| {
        n += 1;
        let rows = records(u64::from(n % 4 == 0), 2);
        (
            json!({"next": (n < 20).then(|| format!("?p={n}")), "rows": rows}),
            "",
        )
    });
    assert_eq!(asked.unwrap().len(), 20);
    // One record a page, and without records.
    for count in [0, 1] {
        let mut n = 0;
        let asked = read(&next(), |_| {
            n += 1;
            let rows = records(0, count);
            (
                json!({"next": (n < 50).then(|| format!("?p={n}")), "rows": rows}),
                "",
            )
        });
        assert_eq!(asked.unwrap().len(), 50);
    }
}

#[test]
fn an_end_that_is_said_twice_is_no_circle() {
    // An empty page with the same mark again.
    let cursor = pager(
        "https://a.example/r",
        json!({"style": "cursor", "next": "next"}),
    );
    let mut n = 0;
    let asked = read(&cursor, |_| {
        n += 1;
        (json!({"next": "x", "rows": records(n, 2 - n)}), "")
    });
    assert_eq!(asked.unwrap().len(), 2);
    // Empty pages between full ones.
    let next = pager(
        "https://a.example/r",
        json!({"style": "next", "next": "next"}),
    );
    let mut n = 0;
    let asked = read(&next, |_| {
        n += 1;
        (
            json!({"next": (n < 30).then(|| format!("?p={n}")), "rows": records(n, u64::from(n % 10 == 0))}),
            "",
        )
    });
    assert_eq!(asked.unwrap().len(), 30);
}

#[test]
fn answers_that_cannot_be_paged_are_told() {
    let guess = pager("https://a.example/r", json!({"style": "offset", "size": 2}));
    let path = pager(
        "https://a.example/r",
        json!({"style": "offset", "size": 2, "records": "data.rows"}),
    );
    let said = [
        refused(&guess, |_, _| (json!({"a": [], "b": []}), "")),
        refused(&path, |_, _| (json!({"error": "quota"}), "")),
        refused(&path, |n, _| match n {
            1 => (json!({"data": {"rows": [1, 2]}}), ""),
            _ => (json!({"error": "quota"}), ""),
        }),
    ];
    let said: Vec<String> = said
        .iter()
        .map(|(error, asked)| format!("after {asked}: {error}"))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
after 1: https://a.example/r?limit=2&offset=0: cannot tell whether the source has more pages / write `records` under `paging:` with the place of the list in an answer, or `total`, `pages` or `more`
after 1: https://a.example/r?limit=2&offset=0: the answer has no records at `data.rows` / look at an answer of the source: `records` says where its list stands
after 2: https://a.example/r?limit=2&offset=2: the answer has no records at `data.rows` / look at an answer of the source: `records` says where its list stands
");
    let nothing = read(&path, |_| (json!({"data": {"rows": null}}), ""));
    assert_eq!(nothing.unwrap().len(), 1);
    let page = pager("https://a.example/r", json!({"style": "offset", "size": 2}))
        .page(None, &io(NOW))
        .unwrap()
        .unwrap()
        .turn(&BTreeMap::new(), b"{\"rows\": [1");
    assert!(page.unwrap_err().to_string().contains("is no JSON"));
}

#[test]
fn text_is_counted_by_lines() {
    let pager = Pager::new(
        url("https://a.example/r"),
        Some(paging(json!({"style": "offset", "size": 2}))),
    )
    .counting(Count::Lines { header: 1 });
    let turn = |body: &str| {
        let io = io(NOW);
        let page = pager.page(None, &io).unwrap().unwrap();
        let turn = page.turn(&BTreeMap::new(), body.as_bytes()).unwrap();
        (turn.records, turn.has_more)
    };
    assert_eq!(turn("id\n1\n2\n"), (Some(2), true));
    assert_eq!(turn("id\r\n1\r\n"), (Some(1), false));
    assert_eq!(turn("id\n"), (Some(0), false));
    assert_eq!(turn(""), (Some(0), false));
    // Breaks between quotes end no record; a quote for inches does not hide any.
    assert_eq!(turn("id\n\"1\n\n1\"\n"), (Some(2), true));
    assert_eq!(turn("id\n\"1\n1\"\n2\n"), (Some(2), true));
    assert_eq!(turn("id\n5\" pipe\n2\n"), (Some(2), true));
}
