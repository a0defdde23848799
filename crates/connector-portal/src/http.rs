//! `http`: files behind URLs.
//!
//! Reference: HTTP semantics, <https://www.rfc-editor.org/rfc/rfc9110>; conditional requests in its section 13.

use std::sync::Arc;

use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, MakeContext, OneOrMany, Origin, OriginSettings, Pages, PlainSource,
    Registration, SettingsError, Sight, UrlSetting,
};
use serde::Deserialize;

use crate::file::stream;

/// Settings of `http`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// An http or https URL, or a list of them that hold the same kind of data. Secrets in it as `${env:NAME}` or
    /// `${file:PATH}`.
    url: OneOrMany<UrlSetting>,
    /// The format. Left out: guessed from the content and the name.
    #[serde(default)]
    format: Option<serde_json::Value>,
    /// Which member of a zip: a name, or a glob for all that match. Left out: what `from:` of a table names, else the
    /// only member.
    #[serde(default)]
    member: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "http",
        "Files behind URLs, fetched again only when they have changed.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("http/example.yaml"))
}

/// Whatever has an address.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let (key, url) = sight.place();
    (key == "url").then(|| Claim::plain([("url", url.into())], "it is behind an address"))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let origin = OriginSettings {
        path: None,
        url: Some(&settings.url),
        pages: pages(&settings),
    };
    let origin = Origin::of(origin, context)?;
    let stream = stream(&origin.stem(), settings.member.as_deref(), settings.format)?;
    Ok(Arc::new(PlainSource {
        origin,
        streams: vec![stream],
    }))
}

/// Names of files that are no web pages: what comes as one under such a name says that something is wrong.
const NO_PAGES: [&str; 16] = [
    ".csv", ".tsv", ".txt", ".json", ".ndjson", ".jsonl", ".geojson", ".xml", ".parquet", ".avro",
    ".zip", ".gz", ".zst", ".pb", ".xlsx", ".ods",
];

/// What is done with web pages: they are data where `html` is declared, or where a table comes and nothing else is expected.
fn pages(settings: &Settings) -> Pages {
    let declared = settings
        .format
        .as_ref()
        .map(|format| format.get("name").unwrap_or(format));
    let names = match &settings.url {
        OneOrMany::One(url) => std::slice::from_ref(url),
        OneOrMany::Many(urls) => urls,
    };
    let is_expected = |url: &UrlSetting| {
        NO_PAGES
            .iter()
            .all(|ending| !url.path().to_ascii_lowercase().ends_with(ending))
    };
    match declared.map(|name| name == "html") {
        Some(true) => Pages::Taken,
        None if names.iter().all(is_expected) => Pages::WithTable,
        _ => Pages::Refused,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use bytes::Bytes;
    use futures::TryStreamExt;
    use sectorlake_connector::kit::{Abilities, Exchange, Fault, Server, Subject, TestPace, check};
    use sectorlake_connector::{ConnectorError, ErrorKind, Http, Io, Limits, Slice};
    use serde_json::json;

    use super::*;

    fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
        let context = MakeContext::new(".", "demo", |name| {
            (name == "KEY").then(|| "s3cr3t-k3y".to_owned())
        });
        registration().make(settings.as_object().unwrap().clone(), &context)
    }

    fn settings(server: &str) -> serde_json::Value {
        json!({
            "url": [format!("{server}/a.csv"), format!("{server}/b.csv?token=${{env:KEY}}")],
            "headers": { "x-key": "${env:KEY}" },
        })
    }

    #[tokio::test]
    async fn passes_the_kit() {
        let recording = vec![
            Exchange::new("/a.csv", "id,name\n1,Hải Phòng\n").with_etag("\"v1\""),
            Exchange::new("/b.csv?token=s3cr3t-k3y", "id,name\n2,Hà Nội\n").with_etag("\"v2\""),
        ];
        let subject = Subject {
            make: &|server| make_at(settings(server)),
            recording,
            abilities: Abilities {
                conditional: true,
                ..Abilities::default()
            },
            secrets: &["s3cr3t-k3y"],
        };
        assert_eq!(check(&subject).await, [""; 0]);
    }

    async fn fetch(server: &Server, settings: serde_json::Value) -> Result<String, ConnectorError> {
        let http = Http::new(Limits::default(), Arc::new(TestPace::default())).unwrap();
        let io = Io::new(http, chrono::DateTime::UNIX_EPOCH);
        let fetched = make_at(settings)
            .unwrap()
            .fetch(Slice::whole("files"), None, &io)
            .await?;
        assert!(server.asked().len() < 20);
        let body = fetched.unwrap().part.unwrap().body;
        Ok(String::from_utf8(body.try_collect::<Vec<Bytes>>().await?.concat()).unwrap())
    }

    fn redirect(to: &str) -> Fault {
        Fault::Status(302, vec![("Location".to_owned(), to.to_owned())])
    }

    #[tokio::test]
    async fn private_networks_stay_closed_unless_they_are_allowed() {
        let server = Server::start(vec![Exchange::new("/a", "1"), Exchange::new("/b", "2")])
            .await
            .unwrap();
        let port = server.url().rsplit(':').next().unwrap().to_owned();
        let url = format!("{}/a", server.url());
        for host in ["127.0.0.1", "localhost"] {
            let settings = json!({ "url": format!("http://{host}:{port}/a") });
            let error = fetch(&server, settings).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::PrivateNetwork, "{host}");
            let mend =
                format!("if that is meant, write `allow_private: [\"{host}\"]` under `source:`");
            assert_eq!(error.help, Some(mend));
        }
        let here = json!({ "url": url, "allow_private": ["127.0.0.1"] });
        server.fail(redirect("/b"), 1);
        assert_eq!(fetch(&server, here.clone()).await.unwrap(), "2");
        for inside in [
            "http://10.0.0.1/",
            "http://[::1]/",
            "http://169.254.169.254/latest",
        ] {
            server.fail(redirect(inside), 1);
            let error = fetch(&server, here.clone()).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::PrivateNetwork, "{inside}");
        }
        server.fail(redirect(&format!("http://localhost:{port}/b")), 1);
        let allowed = json!({ "url": url, "allow_private": true });
        assert_eq!(fetch(&server, allowed.clone()).await.unwrap(), "2");

        server.fail(redirect("/a"), u32::MAX);
        let error = fetch(&server, allowed.clone()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Redirect);
        server.fail(redirect("mailto:x"), 1);
        let error = fetch(&server, allowed).await.unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("leads to \"mailto:x\", which is no http or https address"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_page_is_data_where_one_is_wanted() {
        const TABLE: &str =
            "<html><body><table><tr><th>a</th></tr><tr><td>1</td></tr></table></body></html>";
        let pages = ["/a.xls", "/a.csv", "/export"].map(|path| Exchange::new(path, TABLE));
        let wrong = Exchange::new(
            "/sorry",
            "<!DOCTYPE html><html><body><h1>502</h1></body></html>",
        );
        let server = Server::start(pages.into_iter().chain([wrong]).collect())
            .await
            .unwrap();
        for (path, format, taken) in [
            ("/a.xls", None, true),
            ("/export", None, true),
            ("/a.csv", None, false),
            ("/a.csv", Some(json!("html")), true),
            ("/a.csv", Some(json!({ "name": "html", "table": 1 })), true),
            ("/export", Some(json!({ "name": "csv" })), false),
            ("/sorry", None, false),
        ] {
            let mut settings =
                json!({ "url": format!("{}{path}", server.url()), "allow_private": true });
            if let Some(format) = format {
                settings["format"] = format;
            }
            let got = fetch(&server, settings).await.map_err(|error| error.kind);
            assert_eq!(
                got,
                if taken {
                    Ok(TABLE.to_owned())
                } else {
                    Err(ErrorKind::NotData)
                },
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn headers_are_sent_to_their_own_host_alone() {
        let server = Server::start(vec![Exchange::new("/a", "1")]).await.unwrap();
        let port = server.url().rsplit(':').next().unwrap().to_owned();
        server.fail(redirect(&format!("http://localhost:{port}/a")), 1);
        let settings = json!({
            "url": format!("{}/a", server.url()),
            "allow_private": true,
            "headers": { "x-key": "${env:KEY}" },
        });
        fetch(&server, settings).await.unwrap();
        let sent: Vec<bool> = server
            .headers()
            .iter()
            .map(|lines| lines.iter().any(|line| line == "x-key: s3cr3t-k3y"))
            .collect();
        assert_eq!(sent, [true, false]);
        let agent = format!("user-agent: {}", sectorlake_connector::USER_AGENT);
        assert!(server.headers()[0].contains(&agent));
    }

    #[test]
    fn settings_are_checked() {
        let say = |settings: serde_json::Value| {
            let error = make_at(settings).err().unwrap();
            format!("{error} / {}", error.help.as_deref().unwrap_or("-"))
        };
        let said = [
            say(json!({})),
            say(json!({"url": []})),
            say(json!({"url": "data/a.csv"})),
            say(json!({"url": ["https://example.org/a", "ftp://example.org/b"]})),
            say(json!({"url": 7})),
            say(json!({"url": "https://example.org", "header": {}})),
            say(json!({"url": "https://example.org", "headers": {"a b": "c"}})),
            say(json!({"url": "https://example.org/?k=${env:NONE}"})),
            say(json!({"url": "https://example.org", "allow_private": "yes"})),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        `url` is missing / url: An http or https URL, or a list of them that hold the same kind of data.
        url: is an empty list / write at least one URL
        url: "data/a.csv" is no address / write an http:// or https:// address; for files use `connector: file` with `path:`
        url[1]: ftp:// is not fetched here / write an http:// or https:// address; for files use `connector: file` with `path:`
        url: must be a text or a list, not 7 / write it in quotes: "7"
        header: unknown setting / did you mean `headers`?
        headers.a b: is no name of a header / letters, digits and hyphens
        url: the environment variable NONE is not set / set it where sectorlake runs: export NONE=…
        allow_private: must be true or false or a list, not a text / -
        "#);
    }
}
