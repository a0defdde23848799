//! How the source is told who asks.

use super::*;

fn settings(auth: serde_json::Value) -> serde_json::Value {
    json!({ "allow_private": true, "auth": auth })
}

#[tokio::test]
async fn keys_are_sent_as_the_source_wants_them() {
    let server = Server::start(|_, _| answer(200, &[], "1")).await;
    for (auth, line, header, value) in [
        (
            json!({ "bearer": "${env:KEY}" }),
            "GET /a?x=1 HTTP/1.1",
            "authorization",
            "Bearer s3cr3t-k3y",
        ),
        (
            json!({ "basic": { "user": "joe", "password": "${env:KEY}" } }),
            "GET /a?x=1 HTTP/1.1",
            "authorization",
            "Basic am9lOnMzY3IzdC1rM3k=",
        ),
        (
            json!({ "header": { "name": "X-Api-Key", "value": "${env:KEY}" } }),
            "GET /a?x=1 HTTP/1.1",
            "x-api-key",
            "s3cr3t-k3y",
        ),
        (
            json!({ "query": { "name": "k", "value": "${env:KEY}" } }),
            "GET /a?x=1&k=s3cr3t-k3y HTTP/1.1",
            "host",
            &server.place,
        ),
    ] {
        bench(settings(auth))
            .read(&server.url("/a?x=1"))
            .await
            .unwrap();
        let asked = server.asked().pop().unwrap();
        assert_eq!(
            (asked.line.as_str(), asked.header(header)),
            (line, Some(value))
        );
    }
    let with_headers = json!({ "allow_private": true, "headers": { "Accept": "text/csv", "X-Key": "${env:KEY}" } });
    bench(with_headers).read(&server.url("/a")).await.unwrap();
    let asked = server.asked().pop().unwrap();
    assert_eq!(
        (asked.header("accept"), asked.header("x-key")),
        (Some("text/csv"), Some("s3cr3t-k3y"))
    );
}

#[test]
fn settings_that_make_no_sense_are_told() {
    let say = |settings: serde_json::Value| {
        let error = config(settings).err().unwrap();
        format!("{error} / {}", error.help.as_deref().unwrap_or("-"))
    };
    let said = [
        say(json!({ "auth": {} })),
        say(json!({ "auth": { "bearer": "a", "query": { "name": "k", "value": "b" } } })),
        say(json!({ "auth": { "bearer": "${env:NONE}" } })),
        say(json!({ "auth": { "header": { "name": "a b", "value": "c" } } })),
        say(json!({ "auth": { "basic": { "user": "a:b", "password": "c" } } })),
        say(json!({ "timeouts": { "idle": "soon" } })),
        say(json!({ "max_size": "much" })),
        say(json!({ "tls": {} })),
        say(json!({ "tls": { "fingerprint": "sha256:12" } })),
        say(json!({ "checksum": "12" })),
        say(json!({ "proxy": "socks5://a" })),
        say(json!({ "allow_private": ["http://a"] })),
    ];
    insta::assert_snapshot!(said.join("\n"), @r#"
    auth: takes exactly one of `bearer`, `basic`, `header`, `query` and `oauth2` / write, for instance, auth: { bearer: "${env:TOKEN}" }
    auth: takes exactly one of `bearer`, `basic`, `header`, `query` and `oauth2` / write, for instance, auth: { bearer: "${env:TOKEN}" }
    auth.bearer: the environment variable NONE is not set / set it where sectorlake runs: export NONE=…
    auth.header.name: is no name of a header / letters, digits and hyphens
    auth.basic.user: must hold no colon / HTTP Basic parts user and password by it
    timeouts.idle: "soon" is no time / write a number and ms, s, m or h, such as 30s
    max_size: "much" is no size / write a number and a unit, such as 500MB or 2GiB
    tls: takes exactly one of `ca` and `fingerprint` / write tls: { ca: file.pem } or tls: { fingerprint: "sha256:…" }
    tls.fingerprint: "sha256:12" is no fingerprint / write sha256: and 64 hexadecimal digits; `openssl x509 -noout -fingerprint -sha256` prints them
    checksum: "12" is no checksum / write sha256: (or sha512:, md5:) and the digest in hexadecimal digits
    proxy: is no http or https proxy / write proxy: http://proxy.example:3128, or proxy: none
    allow_private[0]: "http://a" is neither a host nor a network / write a host's name without https://, an address, or a network such as 10.1.0.0/16
    "#);
}

fn oauth2(server: &Server, credentials: &str) -> serde_json::Value {
    settings(json!({ "oauth2": {
        "token_url": server.url("/token"),
        "client_id": "city",
        "client_secret": "${env:KEY}",
        "scope": "read all",
        "credentials": credentials,
    } }))
}

/// Gives out tokens `t0`, `t1`, … by the number of questions before; takes those that `takes` says.
async fn guarded(takes: impl Fn(&str) -> bool + Send + Sync + 'static) -> Server {
    Server::start(move |before, asked| match asked.target() {
        "/token" => {
            let token = format!("{{\"access_token\":\"t0k3n-{before}\",\"token_type\":\"Bearer\",\"expires_in\":3600}}");
            answer(200, &["Content-Type: application/json"], token)
        }
        _ => match asked.header("authorization") {
            Some(value) if takes(value) => answer(200, &[], "1"),
            _ => answer(401, &[], ""),
        },
    })
    .await
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_is_old() {
    let server = guarded(|_| true).await;
    let bench = bench(oauth2(&server, "header"));
    for _ in 0..3 {
        bench.read(&server.url("/a")).await.unwrap();
    }
    let targets = |server: &Server| {
        server
            .asked()
            .iter()
            .map(|asked| asked.target().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(targets(&server), ["/token", "/a", "/a", "/a"]);
    bench.pace.sleep(std::time::Duration::from_secs(3600)).await;
    bench.read(&server.url("/a")).await.unwrap();
    assert_eq!(targets(&server)[4..], ["/token", "/a"]);
    let asked = &server.asked()[0];
    assert_eq!(
        asked.header("authorization"),
        Some("Basic Y2l0eTpzM2NyM3QtazN5")
    );
    assert_eq!(asked.body, "grant_type=client_credentials&scope=read+all");
    assert_eq!(
        server.asked()[1].header("authorization"),
        Some("Bearer t0k3n-0")
    );
}

#[tokio::test]
async fn a_token_that_is_refused_is_fetched_anew_once() {
    let server = guarded(|value| value != "Bearer t0k3n-0").await;
    let first = bench(oauth2(&server, "body"));
    first.read(&server.url("/a")).await.unwrap();
    let targets: Vec<String> = server
        .asked()
        .iter()
        .map(|asked| asked.target().to_owned())
        .collect();
    assert_eq!(targets, ["/token", "/a", "/token", "/a"]);
    let body =
        "grant_type=client_credentials&scope=read+all&client_id=city&client_secret=s3cr3t-k3y";
    assert_eq!(server.asked()[0].body, body);

    let server = guarded(|_| false).await;
    let error = bench(oauth2(&server, "header"))
        .fails(&server.url("/a"))
        .await;
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_token_that_is_not_given_is_told() {
    let mut all = Vec::new();
    for (status, body) in [
        (
            401,
            r#"{"error":"invalid_client","error_description":"s3cr3t-k3y is wrong"}"#,
        ),
        (404, ""),
        (200, "<html>"),
        (200, r#"{"access_token":"a\r\nb"}"#),
    ] {
        let server = Server::start(move |_, _| answer(status, &[], body)).await;
        let error = bench(oauth2(&server, "header"))
            .fails(&server.url("/a"))
            .await;
        all.push(format!("{:?} {}", error.kind, said(&error, &server)));
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    Forbidden http://SERVER/token: gives no token (HTTP 401): {"error":"invalid_client","error_description":"*** is wrong"} / check client_id, client_secret and scope of `auth: oauth2`
    NotFound http://SERVER/token: there is nothing at this address (HTTP 404) / look at the publisher's page; the file may have moved
    Invalid http://SERVER/token: answers with no token / it must be JSON with `access_token`, as RFC 6749 describes; check token_url
    Invalid http://SERVER/token: answers with no token / it must be JSON with `access_token`, as RFC 6749 describes; check token_url
    "#);
}
