//! Secrets are in nothing that is told: errors, notes, what goes into a manifest, Debug.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

#[tokio::test]
async fn a_source_that_echoes_our_keys_is_told_masked() {
    // It repeats what it was sent in every way that we show.
    let server = Server::start(|_, asked| {
        let all = format!("{} {:?}", asked.line, asked.headers);
        let link = format!(
            "Link: <http://x/{}>; rel=next",
            asked.line.replace(' ', "_")
        );
        match asked.target().split('?').next().unwrap() {
            "/token" => answer(200, &[], "{\"access_token\":\"s3cr3t-t0k3n\"}"),
            "/refused" => answer(403, &["Content-Type: text/plain"], all),
            "/page" => answer(200, &[], format!("<html><title>{all}</title>")),
            "/json" => answer(200, &[], serde_json::json!({ "error": all }).to_string()),
            "/moved" => {
                let to = format!("Location: /ok?echo={}", asked.line.replace(' ', "_"));
                answer(301, &[&to], "")
            }
            "/down" => answer(302, &["Location: ftp://x/"], ""),
            "/trap" => {
                let to = format!("Location: ftp://x/{}", asked.line.replace(' ', "_"));
                answer(302, &[&to], "")
            }
            // The secret stands where the text is cut.
            "/long" => {
                let sent: Vec<_> = asked.headers.iter().map(|(_, value)| value).collect();
                let all = format!("{}{sent:?}", "x".repeat(150));
                answer(500, &["Content-Type: application/json"], all)
            }
            _ => answer(200, &[&link], "1"),
        }
    })
    .await;
    for auth in [
        json!({ "bearer": "${env:KEY}" }),
        json!({ "query": { "name": "k", "value": "${env:KEY}" } }),
        json!({ "header": { "name": "x-own", "value": "${env:KEY}" } }),
        json!({ "basic": { "user": "joe", "password": "${env:KEY}" } }),
        json!({ "oauth2": {
            "token_url": server.url("/token"), "client_id": "joe", "client_secret": "${env:KEY}",
        } }),
    ] {
        let bench = bench(
            json!({ "allow_private": true, "auth": auth, "headers": { "x-h": "h-${env:KEY}" } }),
        );
        let mut told = format!("{:?} {:?}", bench.http, bench.http.inner.config);
        for path in [
            "/refused", "/page", "/json", "/moved", "/down", "/trap", "/long", "/ok",
        ] {
            match bench
                .open(&server.url(&format!("{path}?token=${{env:KEY}}")))
                .await
            {
                Ok(response) => {
                    told.push_str(&format!("{response:?}"));
                    let part = response.into_part("key".to_owned(), "name");
                    told.push_str(&format!("{part:?} {:?}", part.headers));
                }
                Err(error) => told.push_str(&format!("{error} {error:?}")),
            }
        }
        told.push_str(&bench.http.take_notes().join(" "));
        told.push_str(&format!("{:?}", bench.http.inner.config));
        assert!(
            !told.contains("s3cr3t") && !told.contains("am9lOnMz"),
            "{told}"
        );
        assert!(told.contains("***"), "{told}");
    }
}

#[tokio::test]
async fn what_a_request_makes_of_a_secret_is_masked_too() {
    let server = Server::start(|_, asked| {
        let header = asked.header("authorization").unwrap_or_default();
        let (_, coded) = header.split_once(' ').unwrap_or_default();
        // What it is, with something around it, and the address as it came.
        let plain = String::from_utf8(STANDARD.decode(coded).unwrap_or_default()).unwrap();
        let again = STANDARD.encode(format!("it was {plain} indeed"));
        let all = format!("{header} | {coded} | {plain} | {again} | {}", asked.line);
        answer(418, &["Content-Type: text/plain"], all)
    })
    .await;
    let say = async |auth: serde_json::Value, user: &str, query: &str| {
        let mut settings = json!({ "allow_private": true });
        if !auth.is_null() {
            settings["auth"] = auth;
        }
        let url = format!("http://{user}{}/a{query}", server.place);
        said(&bench(settings).fails(&url).await, &server)
    };
    let none = serde_json::Value::Null;
    let told = [
        // The user is the key, as some sources have it.
        say(
            json!({ "basic": { "user": "${env:KEY}", "password": "x" } }),
            "",
            "",
        )
        .await,
        say(
            json!({ "basic": { "user": "joe", "password": "s3cr3t" } }),
            "",
            "",
        )
        .await,
        say(none.clone(), "joe:${env:KEY}@", "").await,
        say(none.clone(), "joe:s3cr3t%2Fk3y@", "").await,
        say(none.clone(), "", "?sig=s3cr3t-s1gned&n=1").await,
        say(none, "", "?k=${env:KEY}").await,
    ];
    insta::assert_snapshot!(told.join("\n"));
    assert!(!told.join("").contains("s3cr3t"));
}
