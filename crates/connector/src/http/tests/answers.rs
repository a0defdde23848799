//! Answers that are no data, each recognised and named.

use super::*;

async fn served(headers: &'static [&'static str], body: &'static str) -> Server {
    Server::start(move |_, asked| match asked.target() {
        "/old.csv" => answer(302, &["Location: /login?next=/old.csv"], ""),
        _ => answer(200, headers, body),
    })
    .await
}

#[tokio::test]
async fn each_is_named_with_its_mend() {
    let mut all = Vec::new();
    for (path, body) in [
        ("/a.csv", "<!DOCTYPE html><title>Đăng nhập</title>"),
        (
            "/old.csv",
            "<html><title>Portal</title><input type=\"password\">",
        ),
        ("/a.csv", "<html><head><title>404 Not Found</title></head>"),
        ("/a.csv", "<html><h1>Service unavailable</h1>"),
        (
            "/a.csv",
            "<br />\n<b>Fatal error</b>: Uncaught PDOException",
        ),
        (
            "/a.csv",
            "{\"detail\":\"Authentication credentials were not provided.\"}",
        ),
        (
            "/api",
            "{\"error\":{\"code\":498,\"message\":\"Invalid token.\"}}",
        ),
        (
            "/api",
            "{\"success\":false,\"error\":{\"message\":\"no such resource\"}}",
        ),
        (
            "/wfs",
            "<?xml version=\"1.0\"?><ows:ExceptionReport><ows:ExceptionText>Unknown layer</ows:ExceptionText></ows:ExceptionReport>",
        ),
    ] {
        let server = served(&[], body).await;
        let error = plain().fails(&server.url(path)).await;
        assert!(!error.retryable, "{error}");
        all.push(format!("{:?} {}", error.kind, said(&error, &server)));
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    NotData http://SERVER/a.csv: a web page "Đăng nhập" asks to sign in, where data is expected / give the key that the publisher hands out as `auth:`, or ask for an address that needs no sign-in
    NotData http://SERVER/old.csv: a web page "Portal" asks to sign in, where data is expected, after a redirect to http://SERVER/login?next=/old.csv / give the key that the publisher hands out as `auth:`, or ask for an address that needs no sign-in
    NotFound http://SERVER/a.csv: a web page "404 Not Found" says that there is nothing at this address, though the status is 200 / look at the publisher's page; the file may have moved
    NotData http://SERVER/a.csv: a web page came where data is expected / open the address in a browser: it may ask for a sign-in, or the file may have moved
    NotData http://SERVER/a.csv: a web page came where data is expected / open the address in a browser: it may ask for a sign-in, or the file may have moved
    NotData http://SERVER/a.csv: an error came where data is expected, though the status is 200: Authentication credentials were not provided. / check the address and its parameters against the publisher's documentation
    Forbidden http://SERVER/api: an error came where data is expected, though the status is 200: Invalid token. / give the key or header that the publisher hands out, as ${env:NAME}
    NotData http://SERVER/api: an error came where data is expected, though the status is 200: no such resource / check the address and its parameters against the publisher's documentation
    NotData http://SERVER/wfs: an error came where data is expected, though the status is 200: Unknown layer / check the address and its parameters against the publisher's documentation
    "#);
}

#[tokio::test]
async fn a_page_is_known_however_small_its_pieces() {
    let chunked = "1\r\n<\r\n1\r\nh\r\n3\r\ntml\r\n1\r\n>\r\n0\r\n\r\n";
    let server = served(&["Transfer-Encoding: chunked"], chunked).await;
    assert_eq!(
        plain().fails(&server.url("/a.csv")).await.kind,
        ErrorKind::NotData
    );
}

#[tokio::test]
async fn an_error_that_will_pass_is_asked_again() {
    let server = Server::start(|before, _| match before {
        0 => answer(200, &[], "{\"error\":{\"code\":503,\"message\":\"busy\"}}"),
        _ => answer(200, &[], "[1]"),
    })
    .await;
    assert_eq!(plain().read(&server.url("/api")).await.unwrap(), "[1]");
}

#[tokio::test]
async fn what_is_data_is_left_alone() {
    for (path, body) in [
        ("/a.csv", ""),
        ("/a.json", "{\"a\":1}"),
        ("/api", "{\"results\":[],\"error\":null}"),
        ("/a.csv", "{not json\n"),
        ("/a.xml", "<data/>"),
    ] {
        let server = served(&[], body).await;
        assert_eq!(plain().read(&server.url(path)).await.unwrap(), body);
    }
}

#[tokio::test]
async fn a_portal_that_moved_is_noted_with_its_new_address() {
    let server = Server::start(|_, asked| match asked.target() {
        "/a" => answer(301, &["Location: /b?token=t"], ""),
        "/b?token=t" => answer(308, &["Location: /c"], ""),
        "/c" => answer(302, &["Location: /today"], ""),
        "/d" => answer(302, &["Location: /a"], ""),
        "/e" => answer(301, &["Location: /gone"], ""),
        "/gone" => answer(404, &[], ""),
        _ => answer(200, &[], "1"),
    })
    .await;
    let bench = plain();
    let mut notes = Vec::new();
    for path in ["/a", "/a", "/d", "/today"] {
        bench.read(&server.url(path)).await.unwrap();
    }
    bench.fails(&server.url("/e")).await;
    notes.extend(bench.http.take_notes());
    let notes: Vec<String> = notes
        .iter()
        .map(|note| note.replace(&server.place, "SERVER"))
        .collect();
    assert_eq!(
        notes,
        ["http://SERVER/a has moved for good: write http://SERVER/c in its place"]
    );
    assert_eq!(bench.http.take_notes(), [""; 0]);
}

#[tokio::test]
async fn packed_answers_are_unpacked_to_look_into_and_kept_as_they_came() {
    use std::io::Write as _;
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let page = packed(b"{\"a\":1}");
    let bomb = packed(&vec![b' '; 50_000_000]);
    let (sent, large) = (page.clone(), bomb.clone());
    let server = Server::start(move |_, asked| match asked.target() {
        "/page" => answer(200, &["Content-Encoding: gzip"], &sent),
        "/broken" => answer(200, &["Content-Encoding: gzip"], &sent[..sent.len() - 4]),
        _ => answer(200, &["Content-Encoding: gzip"], &large),
    })
    .await;
    let bench = plain();
    let open = async |path: &str| bench.open(&server.url(path)).await.unwrap();
    let (kept, bytes) = open("/page").await.read(1000).await.unwrap();
    assert_eq!(bytes, "{\"a\":1}");
    let kept = kept
        .body
        .try_collect::<Vec<Bytes>>()
        .await
        .unwrap()
        .concat();
    assert_eq!(kept, page);
    let error = open("/broken").await.read(1000).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    // 50 MB in 50 kB.
    let error = open("/bomb").await.read(1_000_000).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(
        error
            .to_string()
            .ends_with("unpacks to more than 1000000 bytes"),
        "{error}"
    );
    assert_eq!(bench.read(&server.url("/bomb")).await.unwrap(), bomb);
}

#[tokio::test]
async fn what_an_answer_says_does_not_steer_the_terminal() {
    let words = "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{1b}[31mgone\u{9b}2J\u{202e}";
    let told = serde_json::json!({ "error": words }).to_string();
    let page = format!("<html><title>Sign in {words}</title></html>");
    let server = Server::start(move |_, asked| match asked.target() {
        "/plain" => answer(400, &["Content-Type: text/plain"], words),
        "/json" => answer(200, &[], &told),
        _ => answer(200, &[], &page),
    })
    .await;
    for path in ["/plain", "/json", "/page"] {
        let error = plain().fails(&server.url(path)).await;
        let steers = |letter: char| letter.is_control() || letter == '\u{202e}';
        assert!(!error.message.contains(steers), "{:?}", error.message);
        assert!(error.message.contains("pwned\\u{7}"), "{:?}", error.message);
    }
}
