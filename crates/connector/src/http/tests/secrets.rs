//! Secrets are in nothing that is told: errors, notes, what goes into a manifest, Debug.

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
        for path in ["/refused", "/page", "/json", "/moved", "/down", "/ok"] {
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
