//! The addresses that a catalogue names: another's word, so that they lead to the web alone, and never into this machine's files,
//! databases or secrets.

use url::Url;

use super::{Dataset, Unusable};
use crate::address::SourceUrl;

/// How often what is encoded may be so once more.
const ENCODED_MAX: usize = 8;

/// Makes a dataset's addresses whole, from the catalogue's own on, and sets those apart that are not used.
pub(super) fn settle(dataset: &mut Dataset, catalogue: &SourceUrl) {
    let mut unusable = Vec::new();
    let mut settled = |link: String| match whole(&link, catalogue) {
        Ok(url) => Some(url),
        Err(reason) => {
            let url = catalogue.mask(&link);
            unusable.push(Unusable { url, reason });
            None
        }
    };
    dataset.source = dataset.source.take().and_then(&mut settled);
    let distributions = std::mem::take(&mut dataset.distributions).into_iter();
    dataset.distributions = distributions
        .filter_map(|mut distribution| {
            distribution.url = settled(std::mem::take(&mut distribution.url))?;
            Some(distribution)
        })
        .collect();
    dataset.unusable = unusable;
}

/// Where a link of a catalogue leads, or why it is not used.
fn whole(link: &str, catalogue: &SourceUrl) -> Result<String, String> {
    if refers(link) {
        return Err(reference());
    }
    let url = catalogue
        .follow(link)
        .map_err(|error| catalogue.mask(&error.message))?;
    let plain = url.expose().as_str();
    let is_whole = Url::parse(link).is_ok_and(|it| it.as_str() == plain)
        && link.chars().all(|it| it.is_ascii_graphic());
    let text = if is_whole { link } else { plain };
    if let Some(reason) = refusal(text) {
        return Err(reason);
    }
    if catalogue.mask(text) != text {
        return Err("it would carry a secret of the catalogue's address".to_owned());
    }
    Ok(text.to_owned())
}

/// Why an address that a catalogue names must not be used; `None`: nothing is against it. A pipeline's file expands references to
/// secrets and takes what is no address for a path, so that none of either may get there from a catalogue.
#[must_use]
pub fn refusal(address: &str) -> Option<String> {
    if refers(address) {
        return Some(reference());
    }
    match Url::parse(address) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Some(format!("{}: is no http or https address", url.scheme()))
        }
        Ok(_) if is_web(address) => None,
        _ => Some("it is no http or https address".to_owned()),
    }
}

/// Whether it is written so that nothing takes it for a path.
fn is_web(address: &str) -> bool {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|it| it.eq_ignore_ascii_case("http") || it.eq_ignore_ascii_case("https"))
}

fn reference() -> String {
    "it holds `${`, which would read as a reference to a secret of this machine".to_owned()
}

/// Whether `${` stands in it, also encoded: a connector's settings hold parts of an address decoded.
fn refers(text: &str) -> bool {
    let mut text = text.to_ascii_lowercase();
    for _ in 0..ENCODED_MAX {
        if text.contains("${") {
            return true;
        }
        let plain = text
            .replace("%24", "$")
            .replace("%7b", "{")
            .replace("%25", "%");
        if plain == text {
            return false;
        }
        text = plain;
    }
    true
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::catalogue::Distribution;
    use crate::{MakeContext, UrlSetting};

    fn catalogue(text: &str) -> SourceUrl {
        let context = MakeContext::new(".", "demo", |name| {
            (name == "TOKEN").then(|| "s3cr3t-token".to_owned())
        });
        UrlSetting::new(text).resolve(&["url"], &context).unwrap()
    }

    #[test]
    fn a_link_leads_from_the_catalogue_to_the_web() {
        let from = catalogue("https://data.test/open/data.json");
        for (link, url) in [
            ("https://x.test", "https://x.test"),
            (
                "https://x.test/a.csv?q={year}",
                "https://x.test/a.csv?q={year}",
            ),
            (" https://x.test/a b.csv\n", "https://x.test/a%20b.csv"),
            ("/tmp/priv.csv", "https://data.test/tmp/priv.csv"),
            ("../../../etc/passwd", "https://data.test/etc/passwd"),
            ("files/a.csv", "https://data.test/open/files/a.csv"),
            ("//x.test/a.csv", "https://x.test/a.csv"),
            ("C:\\priv.csv", ""),
            ("file:///etc/passwd", ""),
            ("FILE:/etc/passwd", ""),
            ("postgres://u:p@db.test/d", ""),
            ("s3://bucket/key", ""),
            ("sftp://x.test/a", ""),
            ("https://x.test/?x=${env:TOKEN}", ""),
            ("https://x.test/?x=$\t{env:TOKEN}", ""),
            ("https://x.test/?x=%24%7Benv:TOKEN%7D", ""),
            ("https://x.test/?x=%2524%257benv:TOKEN%7D", ""),
            ("https://x.test/?x=%25252525252525252525252524", ""),
            ("${file:token}", ""),
            ("postgres://pg:${env:TOKEN}@db.test/d", ""),
        ] {
            let found = whole(link, &from);
            assert_eq!(found.clone().unwrap_or_default(), url, "{link}: {found:?}");
        }
    }

    #[test]
    fn what_would_carry_a_secret_of_the_catalogue_is_not_used() {
        let from = catalogue("https://data.test/${env:TOKEN}/data.json");
        let mut dataset = Dataset {
            source: Some("a.csv".to_owned()),
            distributions: ["/b.csv", "file:///s3cr3t-token"]
                .map(|url| Distribution {
                    url: url.to_owned(),
                    ..Distribution::default()
                })
                .into(),
            ..Dataset::default()
        };
        settle(&mut dataset, &from);
        assert_eq!(dataset.source, None);
        assert_eq!(dataset.best_source(), Some("https://data.test/b.csv"));
        assert_eq!(dataset.unusable.len(), 2);
        assert!(!format!("{dataset:?}").contains("s3cr3t"), "{dataset:?}");
    }

    #[test]
    fn what_a_pipeline_would_take_for_a_path_or_a_secret_is_refused() {
        assert_eq!(refusal("https://x.test/a?b=c"), None);
        for address in [
            "/a.csv",
            "a.csv",
            "http:/a.csv",
            "file:///a",
            "http://x/${env:A}",
            "",
        ] {
            assert!(refusal(address).is_some(), "{address}");
        }
    }
}
