#![expect(clippy::unwrap_used, reason = "tests")]
use proptest::prelude::*;

use super::*;

fn resolve(text: &str) -> Result<SourceUrl, SettingsError> {
    let context = MakeContext::new(".", "demo", |name| {
        (name == "KEY").then(|| "s3 cret".to_owned())
    });
    UrlSetting(text.to_owned()).resolve(&["url"], &context)
}

#[test]
fn urls_print_masked() {
    for (text, printed) in [
        ("https://example.org/a.csv", "https://example.org/a.csv"),
        (
            "https://joe:pass@example.org/a.csv",
            "https://***@example.org/a.csv",
        ),
        (
            "https://example.org/?b=1&apiKey=abc",
            "https://example.org/?b=1&apiKey=***",
        ),
        (
            "https://example.org/?X-Amz-Signature=abc",
            "https://example.org/?X-Amz-Signature=***",
        ),
        (
            "https://example.org/?q=${env:KEY}&b=1",
            "https://example.org/?q=***&b=1",
        ),
        (
            "https://example.org/${env:KEY}/a.csv",
            "https://example.org/***/a.csv",
        ),
    ] {
        let printed_now = resolve(text).unwrap().to_string();
        assert_eq!(printed_now, printed, "{text}");
    }
}

#[test]
fn what_would_be_dropped_out_of_an_address_is_told() {
    for (text, sign) in [
        ("https://example.org/ok?x=a\r\nHost: evil", "a line break"),
        ("https://exam\nple.org/", "a line break"),
        ("https://example.org/a\tb", "a tab"),
    ] {
        let said = resolve(text).unwrap_err().to_string();
        assert_eq!(said, format!("url: holds {sign}, which no address may"));
    }
    // As a block of YAML ends.
    let plain = resolve(" https://example.org/a\n").unwrap();
    assert_eq!(plain.to_string(), "https://example.org/a");
}

#[test]
fn paths_and_queries_are_joined_and_encoded() {
    let base = resolve("https://example.org/v3/?limit=10").unwrap();
    let page = base
        .join(&["sensors", "a/b c"])
        .with_query(&[("page", "2"), ("limit", "5")]);
    assert_eq!(
        page.to_string(),
        "https://example.org/v3/sensors/a%2Fb%20c?page=2&limit=5"
    );
    assert_eq!(
        resolve("https://example.org")
            .unwrap()
            .join(&["a"])
            .file_name(),
        "a"
    );
    assert_eq!(
        resolve("https://example.org/").unwrap().file_name(),
        "example.org"
    );
}

#[test]
fn places_are_filled_and_settings_hidden() {
    let url = resolve("https://example.org/{month}/a?m={month}&n=1").unwrap();
    let url = url.with_query(&[("again", "from {month}")]);
    assert!(url.has_place("month") && !url.has_place("year"));
    assert_eq!(
        url.filled("month", "2025/01 ?&").expose().as_str(),
        "https://example.org/2025%2F01%20%3F&/a?m=2025%2F01+%3F%26&n=1&again=from+2025%2F01+%3F%26"
    );
    let context = MakeContext::new(".", "demo", |_| Some("s3 cret".to_owned()));
    let (hiding, text) = url
        .expand("a ${env:KEY}", &["query", "k"], &context)
        .unwrap();
    assert_eq!(text, "a s3 cret");
    assert!(
        hiding
            .with_query(&[("k", &text)])
            .to_string()
            .ends_with("k=a+***")
    );
    let context = MakeContext::new(".", "demo", |_| None);
    let error = url
        .expand("${env:KEY}", &["query", "k"], &context)
        .unwrap_err();
    assert_eq!(error.key(), "query.k");
}

#[test]
fn links_of_answers_are_followed_as_they_stand() {
    let url = resolve("https://example.org/api/list?page=1&q=${env:KEY}").unwrap();
    for (link, leads, is_foreign) in [
        ("?page=2", "https://example.org/api/list?page=2", false),
        ("/files/a.csv", "https://example.org/files/a.csv", false),
        ("https://example.org/b", "https://example.org/b", false),
        ("http://example.org/b", "http://example.org/b", true),
        (
            "https://example.org:8443/b",
            "https://example.org:8443/b",
            true,
        ),
        ("//other.org/b", "https://other.org/b", true),
        (
            "https://other.org/${env:KEY}",
            "https://other.org/$%7Benv:KEY%7D",
            true,
        ),
        (
            "https://other.org/?k=s3+cret",
            "https://other.org/?k=***",
            true,
        ),
    ] {
        let followed = url.follow(link).unwrap();
        assert_eq!(followed.to_string(), leads, "{link}");
        assert_eq!(followed.is_foreign(), is_foreign, "{link}");
        assert!(!followed.join(&["x"]).is_foreign() || is_foreign, "{link}");
    }
    for link in [
        "ftp://example.org/a",
        "mailto:x",
        "https://",
        "javascript:1",
    ] {
        let error = url.follow(link).unwrap_err();
        assert!(error.to_string().contains("link"), "{error}");
        assert!(!error.to_string().contains("s3"), "{error}");
    }
    let plain = resolve("http://example.org/").unwrap();
    assert!(!plain.follow("https://example.org/b").unwrap().is_foreign());
    assert!(
        plain
            .follow("https://example.org:444/b")
            .unwrap()
            .is_foreign()
    );
    // From elsewhere there is no way home.
    let away = url.follow("https://other.org/").unwrap();
    assert!(away.follow("https://example.org/").unwrap().is_foreign());
}

#[test]
fn what_is_no_address_is_told() {
    for text in [
        "ftp://example.org/a",
        "data/a.csv",
        "C:\\a.csv",
        "https://",
        "",
    ] {
        let error = resolve(text).unwrap_err();
        assert_eq!(error.key(), "url", "{text}");
        assert!(error.help.unwrap().contains("http://"), "{text}");
    }
}

proptest! {
    #[test]
    fn no_secret_is_printed(secret in "[ \n]?[A-Za-z0-9][A-Za-z0-9 &=/+%]{8,20}[A-Za-z0-9][ \n]?") {
        let copy = secret.clone();
        let context = MakeContext::new(".", "demo", move |_| Some(copy.clone()));
        let setting = UrlSetting("https://example.org/x?q=${env:KEY}".to_owned());
        if let Ok(url) = setting.resolve(&["url"], &context) {
            let printed = format!("{url} {url:?}");
            prop_assert!(!printed.contains(secret.trim()), "{}", printed);
        }
    }
}
