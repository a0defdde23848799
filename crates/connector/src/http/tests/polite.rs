//! Who we are, how fast we ask, and what is not asked for twice.

use std::time::Duration;

use super::*;
use crate::io::{Io, Validators};

#[tokio::test]
async fn the_client_says_who_it_is_and_whom_to_write_to() {
    let server = Server::start(|_, _| answer(200, &[], "1")).await;
    let Bench { http, pace } = plain();
    let url = server.url("/a");
    let contacts = [
        None,
        Some("data@city.example"),
        Some("https://city.example/data"),
    ];
    for contact in contacts {
        let http = match contact {
            Some(contact) => http.with_contact(&Contact::new(contact).unwrap()),
            None => http.clone(),
        };
        // A run's own client says the same.
        let http = Io::new(http, chrono::DateTime::UNIX_EPOCH).http().clone();
        let bench = Bench {
            http,
            pace: Arc::clone(&pace),
        };
        bench.read(&url).await.unwrap();
    }
    let sent: Vec<(String, Option<String>)> = server
        .asked()
        .iter()
        .map(|asked| {
            let agent = asked.header("user-agent").unwrap().to_owned();
            (agent, asked.header("from").map(str::to_owned))
        })
        .collect();
    let from = Some("data@city.example".to_owned());
    assert_eq!(
        sent,
        [
            (USER_AGENT.to_owned(), None),
            (format!("{USER_AGENT} (+mailto:data@city.example)"), from),
            (format!("{USER_AGENT} (+https://city.example/data)"), None),
        ]
    );
    for wrong in [
        "a@b.c\r\nX-Evil: 1",
        "Hải Phòng",
        "a@b.c) evil (b",
        "",
        "the city",
    ] {
        let error = Contact::new(wrong).unwrap_err();
        assert_eq!(error.key(), "contact", "{wrong}");
    }
}

#[tokio::test]
async fn the_rate_is_never_exceeded() {
    let server = Server::start(|_, _| answer(200, &[], "1")).await;
    let bench = bench(json!({ "allow_private": true, "rate": { "per_second": 4 } }));
    for _ in 0..9 {
        bench.read(&server.url("/a")).await.unwrap();
    }
    assert_eq!(bench.pace.slept(), [Duration::from_millis(250); 8]);
}

#[tokio::test]
async fn one_at_a_time_means_one_at_a_time() {
    let server = Server::start(|_, _| answer(200, &[], "1")).await;
    let bench = bench(json!({ "allow_private": true, "rate": { "concurrent": 1 } }));
    let url = server.url("/a");
    let first = bench.open(&url).await.unwrap();
    {
        let mut second = std::pin::pin!(bench.open(&url));
        for _ in 0..100 {
            assert!(futures::poll!(second.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
        assert_eq!(server.asked().len(), 1);
        drop(first);
        second.await.unwrap();
    }
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn retry_after_is_honoured_to_the_second_by_all_who_ask_the_host() {
    // The clock of the test begins here.
    for wait in ["7", "Wed, 01 Jan 2025 00:00:07 GMT"] {
        let line: &'static str = Box::leak(format!("Retry-After: {wait}").into_boxed_str());
        let server = Server::start(move |before, _| match before {
            0 => answer(503, &[line], ""),
            _ => answer(200, &[], "1"),
        })
        .await;
        let bench = plain();
        let url = server.url("/a");
        bench.read(&url).await.unwrap();
        assert_eq!(bench.pace.slept(), [Duration::from_secs(7)], "{wait}");
    }
    let server = Server::start(|before, _| match before {
        0 => answer(429, &["Retry-After: 30"], ""),
        _ => answer(200, &[], "1"),
    })
    .await;
    let limits = Limits {
        attempts_max: 1,
        ..Limits::default()
    };
    let bench = bench_within(limits, json!({ "allow_private": true }));
    bench.fails(&server.url("/a")).await;
    // Whoever asks for something else of it waits too.
    bench.read(&server.url("/b")).await.unwrap();
    assert_eq!(bench.pace.slept(), [Duration::from_secs(30)]);
}

#[tokio::test]
async fn a_spent_limit_is_waited_for_before_it_is_refused() {
    let spent = ["X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 12"];
    let server = Server::start(move |_, _| answer(200, &spent, "1")).await;
    let bench = plain();
    bench.read(&server.url("/a")).await.unwrap();
    bench.read(&server.url("/a")).await.unwrap();
    assert_eq!(bench.pace.slept(), [Duration::from_secs(12)]);
}

#[tokio::test]
async fn pauses_double_and_spread() {
    let server = Server::start(|_, _| answer(500, &[], "")).await;
    let bench = plain();
    bench.fails(&server.url("/a")).await;
    let slept = bench.pace.slept();
    let most = [500, 1000, 2000, 4000];
    assert_eq!(slept.len(), most.len());
    for (slept, most) in slept.iter().zip(most) {
        let range = most / 2..=most;
        assert!(range.contains(&(slept.as_millis() as u64)), "{slept:?}");
    }
    let attempts = bench_within(
        Limits::default(),
        json!({ "allow_private": true, "attempts": 2 }),
    );
    assert!(
        attempts
            .fails(&server.url("/a"))
            .await
            .to_string()
            .ends_with("; asked 2 times")
    );
}

#[tokio::test]
async fn what_is_unchanged_costs_one_question_and_no_body() {
    let server = Server::start(|_, asked| match asked.header("if-none-match") {
        Some("\"v1\"") => answer(304, &["ETag: \"v1\"", "Content-Length: 0"], ""),
        _ => answer(200, &["ETag: \"v1\""], "1"),
    })
    .await;
    let bench = plain();
    let first = bench.open(&server.url("/a")).await.unwrap();
    let known = Validators {
        etag: first.etag.clone(),
        last_modified: Some("Wed, 01 Jan 2025 00:00:00 GMT".to_owned()),
    };
    drop(first);
    let again = Request::get(source(&server.url("/a"))).if_changed_since(Some(known));
    assert!(matches!(
        bench.http.get(&again).await,
        Ok(Answer::Unchanged)
    ));
    assert_eq!(server.asked().len(), 2);
    let date = server.asked()[1]
        .header("if-modified-since")
        .map(str::to_owned);
    assert_eq!(date.as_deref(), Some("Wed, 01 Jan 2025 00:00:00 GMT"));
}

#[tokio::test]
async fn a_question_may_be_posted_and_its_answer_lie_elsewhere() {
    let server = Server::start(|_, asked| match asked.target() {
        "/query" => answer(303, &["Location: /answer"], ""),
        "/moved" => answer(307, &["Location: /asked"], ""),
        _ => answer(200, &[], &asked.line),
    })
    .await;
    let bench = plain();
    for (path, line) in [
        ("/asked", "POST /asked HTTP/1.1"),
        ("/query", "GET /answer HTTP/1.1"),
        ("/moved", "POST /asked HTTP/1.1"),
    ] {
        let request = Request::post(source(&server.url(path)), "{\"a\":1}", "application/json")
            .accept("text/csv");
        let (_, read) = bench.ask(&request).await.unwrap().read(100).await.unwrap();
        assert_eq!(read, line);
    }
    let first = &server.asked()[0];
    assert_eq!(first.body, "{\"a\":1}");
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("accept"), Some("text/csv"));
}
