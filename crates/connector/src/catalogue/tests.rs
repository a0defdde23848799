#![expect(clippy::unwrap_used, reason = "tests")]
use std::sync::Arc;

use super::*;
use crate::http::Http;
use crate::kit::{self, Exchange, Fault, Server, TestPace};
use crate::{MakeContext, UrlSetting};

/// Lines of `id;title`, at `/list`.
struct Lines;

#[async_trait]
impl Catalogue for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn addresses(&self, url: &SourceUrl, _: &Wanted) -> Vec<SourceUrl> {
        vec![url.clone(), url.join(&["none"]), url.join(&["list"])]
    }

    async fn read(
        &self,
        seen: Seen<'_>,
        _: &Wanted,
        _: &Io,
    ) -> Result<Option<Vec<Dataset>>, ConnectorError> {
        let text = String::from_utf8_lossy(seen.bytes);
        let datasets = text.lines().map(|line| {
            let (id, title) = line.split_once(';')?;
            Some(Dataset {
                id: id.to_owned(),
                title: title.to_owned(),
                ..Dataset::default()
            })
        });
        Ok(datasets.collect())
    }
}

async fn ask(server: &Server, wanted: Wanted) -> Result<Listing, ConnectorError> {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    let io = Io::new(http, chrono::DateTime::UNIX_EPOCH);
    let context = MakeContext::new(".", "demo", |_| None);
    let url = UrlSetting::new(server.url())
        .resolve(&["url"], &context)
        .unwrap();
    let catalogues: [Box<dyn Catalogue>; 1] = [Box::new(Lines)];
    discover(&catalogues, &url, &wanted, &io).await
}

fn wanted(search: Option<&str>, datasets_max: usize) -> Wanted {
    Wanted {
        search: search.map(str::to_owned),
        datasets_max,
    }
}

#[tokio::test]
async fn a_portal_is_searched_at_the_addresses_of_each_kind() {
    let page = "<!DOCTYPE html><html><title>Portal</title></html>";
    let list = "1;Bus stops\n2;Air quality\n3;Bus lines";
    let server = Server::start(vec![Exchange::new("/", page), Exchange::new("/list", list)])
        .await
        .unwrap();
    let all = ask(&server, wanted(None, 10)).await.unwrap();
    assert_eq!(
        (all.datasets.len(), all.is_cut, all.catalogue),
        (3, false, "lines")
    );
    assert!(all.url.ends_with("/list"));
    assert_eq!(server.asked(), ["/", "/none", "/list"]);
    let some = ask(&server, wanted(Some("BUS  li"), 10)).await.unwrap();
    assert_eq!(
        some.datasets
            .iter()
            .map(|it| it.id.as_str())
            .collect::<Vec<_>>(),
        ["3"]
    );
    let cut = ask(&server, wanted(None, 2)).await.unwrap();
    assert_eq!((cut.datasets.len(), cut.is_cut), (2, true));

    server.play(vec![Exchange::new("/", page)]);
    let error = ask(&server, wanted(None, 10)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(
        error
            .to_string()
            .contains("3 addresses were tried, for lines"),
        "{error}"
    );

    server.fail(Fault::Truncated, u32::MAX);
    assert_eq!(
        ask(&server, wanted(None, 10)).await.unwrap_err().kind,
        ErrorKind::Truncated
    );
}

#[test]
fn formats_are_told_in_many_ways() {
    for (told, url, format) in [
        (Some("CSV"), "https://x.org/a", Some("csv")),
        (Some(".XLSX "), "https://x.org/a", Some("xlsx")),
        (
            Some("text/csv; charset=utf-8"),
            "https://x.org/a",
            Some("csv"),
        ),
        (
            Some("application/vnd.ms-excel"),
            "https://x.org/a",
            Some("xls"),
        ),
        (
            Some("http://publications.europa.eu/resource/authority/file-type/JSON"),
            "https://x.org/a",
            Some("json"),
        ),
        (
            Some("application/geo+json"),
            "https://x.org/a.json",
            Some("geojson"),
        ),
        (
            Some("application/octet-stream"),
            "https://x.org/a.CSV?x=1",
            Some("csv"),
        ),
        (None, "https://x.org/a.zip#b", Some("zip")),
        (None, "https://x.org/a", None),
        (Some(""), "https://x.org/", None),
    ] {
        assert_eq!(format_of(told, url).as_deref(), format, "{told:?} {url}");
    }
}

#[test]
fn the_best_of_what_there_is_comes_first() {
    let of = |format: &str| Distribution {
        format: Some(format.to_owned()),
        url: format!("https://x.org/a.{format}"),
        title: None,
    };
    let dataset = Dataset {
        distributions: vec![of("pdf"), of("shp"), of("xlsx"), of("csv"), of("csv")],
        ..Dataset::default()
    };
    assert_eq!(dataset.formats(), ["csv", "xlsx", "shp", "pdf"]);
    assert_eq!(dataset.best_source(), Some("https://x.org/a.csv"));
    let page = Dataset {
        source: Some("https://x.org/dataset/a".to_owned()),
        ..dataset
    };
    assert_eq!(page.best_source(), Some("https://x.org/dataset/a"));
}
