//! Sources that mean harm.

use super::*;

#[tokio::test]
async fn loopback_is_closed_by_name_and_by_number() {
    let server = Server::start(|_, _| answer(200, &[], "1")).await;
    let closed = bench(json!({}));
    let mut all = Vec::new();
    for host in ["127.0.0.1", "localhost", "127.1", "2130706433"] {
        let error = closed
            .fails(&format!("http://{host}:{}/a", server.port))
            .await;
        assert_eq!(
            (error.kind, error.retryable),
            (ErrorKind::PrivateNetwork, false)
        );
        // On some machines the name leads to ::1 first.
        all.push(
            said(&error, &server)
                .replace("::1", "127.0.0.1")
                .replace("127.0.0.1:PORT", "SERVER"),
        );
    }
    assert_eq!(server.asked().len(), 0);
    insta::assert_snapshot!(all.join("\n"), @r#"
    http://SERVER/a: is in a private network / if that is meant, write `allow_private: ["127.0.0.1"]` under `source:`
    http://localhost:PORT/a: leads to 127.0.0.1, in a private network / if that is meant, write `allow_private: ["localhost"]` under `source:`
    http://SERVER/a: is in a private network / if that is meant, write `allow_private: ["127.0.0.1"]` under `source:`
    http://SERVER/a: is in a private network / if that is meant, write `allow_private: ["127.0.0.1"]` under `source:`
    "#);
    let named = bench(json!({ "allow_private": ["localhost"] }));
    named
        .read(&format!("http://localhost:{}/a", server.port))
        .await
        .unwrap();
    let error = named.fails(&server.url("/a")).await;
    assert_eq!(error.kind, ErrorKind::PrivateNetwork);
}

#[tokio::test]
async fn a_redirect_leads_to_no_private_address() {
    for inside in [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://10.0.0.1/",
    ] {
        let line: &'static str = Box::leak(format!("Location: {inside}").into_boxed_str());
        let server = Server::start(move |_, _| answer(302, &[line], "")).await;
        let bench = bench(json!({ "allow_private": ["127.0.0.1"] }));
        let error = bench.fails(&server.url("/a")).await;
        assert_eq!(error.kind, ErrorKind::PrivateNetwork, "{inside}");
        assert!(error.to_string().contains("leads to"), "{error}");
    }
}

#[tokio::test]
async fn a_host_name_that_leads_to_loopback_is_caught_when_it_is_resolved() {
    // As after DNS rebinding: the name is fine, and is resolved to loopback when the connection is made.
    let server = Server::start(|_, _| answer(200, &[], "1")).await;
    let line: &'static str =
        Box::leak(format!("Location: http://localhost:{}/b", server.port).into_boxed_str());
    let first = Server::start(move |_, _| answer(302, &[line], "")).await;
    let bench = bench(json!({ "allow_private": ["127.0.0.1/32"] }));
    // That address is allowed, whatever else the name leads to.
    bench.read(&first.url("/a")).await.unwrap();
    let closed = self::bench(json!({ "allow_private": ["10.0.0.0/8"] }));
    let error = closed
        .fails(&format!("http://localhost:{}/a", server.port))
        .await;
    assert_eq!(error.kind, ErrorKind::PrivateNetwork);
}

#[tokio::test]
async fn redirects_go_round_only_so_often() {
    let server = Server::start(|before, _| {
        let line = format!("Location: /{before}");
        answer(302, &[&line], "")
    })
    .await;
    let error = plain().fails(&server.url("/a")).await;
    assert_eq!(error.kind, ErrorKind::Redirect);
    assert_eq!(server.asked().len(), 11);
}

#[tokio::test]
async fn keys_go_to_no_other_host_port_or_scheme() {
    let thief = Server::start(|_, _| answer(200, &[], "1")).await;
    let thief_url = thief.url("/t");
    for auth in [
        json!({ "bearer": "${env:KEY}" }),
        json!({ "query": { "name": "k", "value": "${env:KEY}" } }),
        json!({ "header": { "name": "x-key", "value": "${env:KEY}" } }),
    ] {
        let line = format!("Location: {thief_url}");
        let server = Server::start(move |before, asked| match before {
            0 => answer(302, &["Location: /b"], ""),
            _ => {
                let is_told = asked.line.contains("s3cr3t")
                    || asked
                        .headers
                        .iter()
                        .any(|(_, value)| value.contains("s3cr3t"));
                assert!(is_told, "at home the key is sent after a redirect too");
                answer(302, &[&line], "")
            }
        })
        .await;
        let settings =
            json!({ "allow_private": true, "auth": auth, "headers": { "x-other": "${env:KEY}" } });
        bench(settings.clone())
            .read(&server.url("/a"))
            .await
            .unwrap();
        // A link of an answer to elsewhere, and one that comes back, are no home either.
        let bench = bench(settings);
        let away = source(&server.url("/a")).follow(&thief_url).unwrap();
        bench
            .ask(
                &Request::get(away)
                    .with_headers(&[("x-own".to_owned(), crate::Secret::new("s3cr3t"))]),
            )
            .await
            .unwrap();
        for asked in thief.asked() {
            assert!(!format!("{asked:?}").contains("s3cr3t"), "{asked:?}");
        }
    }
}

#[tokio::test]
async fn a_password_in_the_address_stays_there() {
    let thief = Server::start(|_, _| answer(200, &[], "1")).await;
    let line = format!("Location: {}", thief.url("/t"));
    let server = Server::start(move |_, _| answer(302, &[&line], "")).await;
    let url = format!("http://joe:s3cr3t@{}/a", server.place);
    plain().read(&url).await.unwrap();
    assert_eq!(
        server.asked()[0].header("authorization"),
        Some("Basic am9lOnMzY3IzdA==")
    );
    assert_eq!(thief.asked()[0].header("authorization"), None);
    assert_eq!(thief.asked()[0].header("referer"), None);
}

#[tokio::test]
async fn line_breaks_in_settings_begin_no_header() {
    for settings in [
        json!({ "headers": { "x-a": "${env:LINES}" } }),
        json!({ "headers": { "x-a\r\nX-Evil": "1" } }),
        json!({ "auth": { "bearer": "${env:LINES}" } }),
        json!({ "auth": { "header": { "name": "x-a", "value": "${env:LINES}" } } }),
        json!({ "auth": { "header": { "name": "x-a: 1\r\nx-b", "value": "1" } } }),
    ] {
        assert!(config(settings.clone()).is_err(), "{settings}");
    }
    // In a query and in HTTP Basic they are encoded; in an address they are told.
    let server = Server::start(|_, _| answer(200, &[], "1")).await;
    for auth in [
        json!({ "query": { "name": "k\r\nX-Evil: 1", "value": "${env:LINES}" } }),
        json!({ "basic": { "user": "u", "password": "${env:LINES}" } }),
    ] {
        bench(json!({ "allow_private": true, "auth": auth }))
            .read(&server.url("/a"))
            .await
            .unwrap();
    }
    let address = UrlSetting::new(&server.url("/a\r\nX-Evil: 1"));
    let error = address.resolve(&["url"], &context()).unwrap_err();
    let told = "url: holds a line break, which no address may";
    assert_eq!(error.to_string(), told);
    let request = Request::get(source(&server.url("/a"))).accept("a\r\nX-Evil: 1");
    assert_eq!(
        plain().ask(&request).await.unwrap_err().kind,
        ErrorKind::Invalid
    );
    for asked in server.asked() {
        assert_eq!(asked.header("x-evil"), None, "{asked:?}");
    }
}

#[tokio::test]
async fn an_answer_cannot_read_our_secrets() {
    let server = Server::start(|_, asked| match asked.target() {
        "/a" => answer(
            302,
            &["Location: /b?k=${env:KEY}&f=${file:/etc/passwd}"],
            "",
        ),
        _ => answer(200, &[], asked.target()),
    })
    .await;
    let read = plain().read(&server.url("/a")).await.unwrap();
    assert_eq!(read, "/b?k=${env:KEY}&f=${file:/etc/passwd}");
}

#[tokio::test]
async fn a_packed_transfer_is_not_unpacked() {
    // A bomb as a transfer coding: hyper takes no coding but chunked.
    let server = Server::start(|_, _| {
        answer(
            200,
            &["Transfer-Encoding: gzip, chunked"],
            "3\r\nabc\r\n0\r\n\r\n",
        )
    })
    .await;
    let read = plain().read(&server.url("/a")).await;
    assert!(read.is_err() || read.unwrap() == "abc");
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let server = Server::start(|_, _| {
        Reply::Endless(b"HTTP/1.1 200 X\r\n".to_vec(), b"X-A: b\r\n".to_vec())
    })
    .await;
    let limits = Limits {
        attempts_max: 1,
        ..Limits::default()
    };
    let bench = bench_within(limits, json!({ "allow_private": true }));
    assert!(bench.read(&server.url("/a")).await.is_err());
}

#[tokio::test]
async fn proxies_are_asked_for_no_private_host() {
    let proxy = Server::start(|_, asked| answer(200, &[], &asked.line)).await;
    let settings = |allow: serde_json::Value| json!({ "proxy": format!("http://joe:${{env:KEY}}@{}", proxy.place), "allow_private": allow });
    let bench = bench(settings(json!(false)));
    // What this machine cannot resolve is left to the proxy.
    let read = bench.read("http://data.invalid/a").await.unwrap();
    assert_eq!(read, "GET http://data.invalid/a HTTP/1.1");
    let sent = proxy.asked()[0]
        .header("proxy-authorization")
        .map(str::to_owned);
    assert_eq!(sent.as_deref(), Some("Basic am9lOnMzY3IzdC1rM3k="));
    for inside in [
        "http://10.0.0.1/",
        "http://localhost/",
        "http://169.254.169.254/",
    ] {
        assert_eq!(
            bench.fails(inside).await.kind,
            ErrorKind::PrivateNetwork,
            "{inside}"
        );
    }
    assert_eq!(proxy.asked().len(), 1);
    let allowed = self::bench(settings(json!(["localhost"])));
    allowed.read("http://localhost/a").await.unwrap();
    let printed = format!("{:?} {:?}", allowed.http.inner.config, allowed.http);
    assert!(!printed.contains("s3cr3t"), "{printed}");
}
