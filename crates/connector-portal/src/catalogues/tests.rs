#![expect(clippy::unwrap_used, reason = "tests")]
use std::fmt::Write as _;

use sectorlake_connector::catalogue::{Listing, Wanted, discover};
use sectorlake_connector::kit::{Exchange, Server};
use sectorlake_connector::{ConnectorError, ErrorKind, MakeContext, UrlSetting};

use super::*;
use crate::testing::{io, recording};

async fn listed(
    server: &Server,
    path: &str,
    search: Option<&str>,
) -> Result<Listing, ConnectorError> {
    let context = MakeContext::new(".", "demo", |_| None);
    let url = UrlSetting::new(&format!("{}{path}", server.url()));
    let url = url.resolve(&["url"], &context).unwrap();
    let wanted = Wanted {
        search: search.map(str::to_owned),
        datasets_max: 100,
    };
    discover(&catalogues(), &url, &wanted, &io("2025-01-01T00:00:00Z")).await
}

/// What a listing says, a dataset a paragraph.
fn told(listing: &Listing, server: &Server) -> String {
    let mut text = format!("{} at {}\n", listing.catalogue, listing.url);
    for dataset in &listing.datasets {
        let none = || "-".to_owned();
        let of = |value: &Option<String>| value.clone().unwrap_or_else(none);
        let _ = writeln!(
            text,
            "{} | {} | {} | {} | {} | {} | {}\n  from {}",
            dataset.id,
            dataset.title,
            of(&dataset.publisher),
            of(&dataset.licence),
            of(&dataset.modified),
            dataset.keywords.join(","),
            dataset.formats().join(","),
            dataset.best_source().unwrap_or("nowhere"),
        );
    }
    text.replace(server.url(), "SERVER")
}

fn exchange(target: &str, file: &str) -> Exchange {
    Exchange::new(target, recording(&format!("discover/{file}")))
}

#[tokio::test]
async fn documents_are_read_in_every_format() {
    let server = Server::start(vec![
        exchange("/catalog.ttl", "catalog.ttl"),
        exchange("/catalog.ttl?page=2", "catalog-2.ttl"),
        // The last page leads back to the first, under its own address.
        exchange("/catalog.ttl?page=1", "catalog.ttl"),
        exchange("/feed", "catalog.rdf"),
        exchange("/dcat.json", "catalog.jsonld"),
        exchange("/a/data.json", "data.json"),
    ])
    .await
    .unwrap();
    let mut said = String::new();
    for path in ["/catalog.ttl", "/feed", "/dcat.json", "/a/data.json"] {
        let listing = listed(&server, path, None).await.unwrap();
        said.push_str(&told(&listing, &server));
    }
    insta::assert_snapshot!(said, @r"
dcat at SERVER/catalog.ttl
tram-xe-buyt | Trạm xe buýt | Sở Giao thông vận tải | http://creativecommons.org/licenses/by/4.0/ | 2025-01-02T03:04:05+07:00 | bus,xe buýt | csv,xls
  from https://data.haiphong.example/tram.csv
https://data.haiphong.example/id/2 | Không khí | Sở Nông nghiệp và Môi trường | Giấy phép mở | 2024-06-01 |  | json
  from https://data.haiphong.example/api/air
https://data.haiphong.example/id/3 | Trường học | - | - | - |  | 
  from nowhere
dcat at SERVER/feed
tram-xe-buyt | Trạm xe buýt | Sở Giao thông vận tải | http://dcat-ap.de/def/licenses/cc-zero | 2024-05-08T04:11:24.309486 | bus | geojson
  from https://data.haiphong.example/tram.geojson
dcat at SERVER/dcat.json
https://hub.haiphong.example/maps/1 | Trạm xe buýt | Sở Giao thông vận tải | https://creativecommons.org/licenses/by/4.0/ | 2025-01-02T00:00:00Z | bus,trạm | geojson
  from https://services.example/arcgis/rest/services/Stops/FeatureServer/0
data.json at SERVER/a/data.json
https://hub.example.gov/datasets/1_0 | Bus stops | City of Example | https://creativecommons.org/licenses/by/4.0/ | 2025-01-02 | bus,transit | csv,json
  from https://hub.example.gov/datasets/1_0.csv
Budget | Budget | - | - | - | money,budget | zip
  from https://example.gov/budget.zip
");
}

#[tokio::test]
async fn portals_are_known_by_their_apis() {
    let page = Exchange::new(
        "/explore",
        "<!DOCTYPE html><html><title>Portal</title></html>",
    );
    let ckan = "/api/3/action/package_search?rows=500&sort=name+asc&start=0";
    let server = Server::start(vec![page.clone(), exchange(ckan, "package_search.json")])
        .await
        .unwrap();
    let mut said = told(&listed(&server, "/explore", None).await.unwrap(), &server);

    let opendatasoft = "/api/explore/v2.1/catalog/datasets?limit=100&offset=0";
    server.play(vec![
        page.clone(),
        exchange(opendatasoft, "opendatasoft.json"),
    ]);
    said.push_str(&told(
        &listed(&server, "/explore", None).await.unwrap(),
        &server,
    ));

    let host = "127.0.0.1";
    let socrata = format!(
        "/api/catalog/v1?domains={host}&search_context={host}&only=dataset&limit=500&offset=0"
    );
    server.play(vec![
        page.clone(),
        exchange(&socrata, "socrata_catalog.json"),
    ]);
    said.push_str(&told(
        &listed(&server, "/explore", None).await.unwrap(),
        &server,
    ));

    let hub = "/api/feed/dcat-us/1.1.json";
    server.play(vec![page.clone(), exchange(hub, "data.json")]);
    said.push_str(&told(
        &listed(&server, "/explore", None).await.unwrap(),
        &server,
    ));
    let exchange = Exchange::new(
        "/sdmx/rest/dataflow/all/all/latest",
        recording("discover/insee_dataflows.xml"),
    );
    server.play(vec![exchange]);
    let listing = listed(&server, "/sdmx/rest", None).await.unwrap();
    said.push_str(&told(&listing, &server));
    let exchange = Exchange::new(
        "/sdmx/v2/structure/dataflow/*/*/~",
        recording("sdmx/exr_structure.json"),
    );
    server.play(vec![exchange]);
    let listing = listed(&server, "/sdmx/v2", None).await.unwrap();
    said.push_str(&told(&listing, &server));
    insta::assert_snapshot!(said, @"
ckan at SERVER/api/3/action/package_search?rows=500&sort=name+asc&start=0
tram-xe-buyt | Trạm xe buýt | Sở Giao thông vận tải | cc-by | 2025-01-02T03:04:05.000000 | bus | csv,pdf
  from SERVER/dataset/tram-xe-buyt
truong-hoc | truong-hoc | Sở Giáo dục | - | 2024-06-01T00:00:00 |  | 
  from SERVER/dataset/truong-hoc
opendatasoft at SERVER/api/explore/v2.1/catalog/datasets?limit=100&offset=0
qualite-de-l-air | Qualité de l'air | Ville | Licence Ouverte v2.0 (Etalab) | 2025-01-02T00:00:00+00:00 | air,pm25 | parquet,csv,json
  from SERVER/explore/dataset/qualite-de-l-air/
socrata at SERVER/api/catalog/v1?domains=127.0.0.1&search_context=127.0.0.1&only=dataset&limit=500&offset=0
msk6-43c6 | Approved Building Permits | Inspectional Services Division | Creative Commons Attribution 3.0 Unported | 2017-07-21T10:01:47.000Z | permits,construction,building | csv,json
  from https://data.cityofboston.gov/d/msk6-43c6
kwxv-fwze | Lottery Cash 4 Life Winning Numbers: Beginning 2014 | New York State Gaming Commission | - | 2018-08-31T10:01:19.000Z | winning,cash 4 life,new york lottery,results | csv,json
  from https://data.ny.gov/d/kwxv-fwze
data.json at SERVER/api/feed/dcat-us/1.1.json
https://hub.example.gov/datasets/1_0 | Bus stops | City of Example | https://creativecommons.org/licenses/by/4.0/ | 2025-01-02 | bus,transit | csv,json
  from https://hub.example.gov/datasets/1_0.csv
Budget | Budget | - | - | - | money,budget | zip
  from https://example.gov/budget.zip
sdmx at SERVER/sdmx/rest/dataflow/all/all/latest
FR1,ACT-TRIM-ANC,1.0 | Activity by sex and age - Quarterly series | FR1 | - | - |  | csv
  from SERVER/sdmx/rest/data/FR1,ACT-TRIM-ANC,1.0/all
FR1,BPM6-CCAPITAL,1.0 | Monthly Balance of Payments - Capital account | FR1 | - | - |  | csv
  from SERVER/sdmx/rest/data/FR1,BPM6-CCAPITAL,1.0/all
sdmx at SERVER/sdmx/v2/structure/dataflow/*/*/~
ECB,EXR,1.0 | Exchange Rates | ECB | - | - |  | csv
  from SERVER/sdmx/v2/data/dataflow/ECB/EXR/1.0/*
");

    server.play(vec![page]);
    let error = listed(&server, "/explore", None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(
        error
            .to_string()
            .contains("for sdmx, ckan, opendatasoft, socrata, data.json, dcat"),
        "{error}"
    );
}

#[tokio::test]
async fn words_are_searched_there_and_here() {
    let ckan = "/opendata/api/3/action/package_search?rows=500&sort=name+asc&start=0&q=tr%C6%B0%E1%BB%9Dng";
    let server = Server::start(vec![exchange(ckan, "package_search.json")])
        .await
        .unwrap();
    let listing = listed(&server, "/opendata/dataset", Some("trường"))
        .await
        .unwrap();
    // The portal's own search is wider than what was asked for.
    assert_eq!(
        listing
            .datasets
            .iter()
            .map(|it| it.id.as_str())
            .collect::<Vec<_>>(),
        [""; 0]
    );
    let air = "/api/explore/v2.1/catalog/datasets?limit=100&offset=0&where=search%28%22AIR%22%29";
    server.play(vec![exchange(air, "opendatasoft.json")]);
    assert_eq!(
        listed(&server, "", Some("AIR"))
            .await
            .unwrap()
            .datasets
            .len(),
        1
    );
}

#[tokio::test]
async fn pages_of_an_api_are_read_to_the_end() {
    let page = |start: usize, ids: &[&str]| {
        let results: Vec<_> = ids
            .iter()
            .map(|id| serde_json::json!({ "name": id }))
            .collect();
        let target = format!("/api/3/action/package_search?rows=500&sort=name+asc&start={start}");
        let answer =
            serde_json::json!({ "success": true, "result": { "count": 3, "results": results } });
        Exchange::new(&target, answer.to_string())
    };
    let server = Server::start(vec![page(0, &["a", "b"]), page(2, &["c"])])
        .await
        .unwrap();
    let later = Exchange::new(
        "/api/3/action/package_search?rows=500&sort=name+asc&start=2",
        {
            serde_json::json!({ "success": true, "result": { "count": 3, "results": [{ "name": "c" }] } }).to_string()
        },
    );
    // What follows is asked for with the parameters in their place.
    server.play(vec![page(0, &["a", "b"]), later]);
    let listing = listed(&server, "", None).await.unwrap();
    assert_eq!(listing.datasets.len(), 3, "{:?}", server.asked());
}

/// A portal that ignores where it is asked to go on, and tells of more datasets than it gives.
#[tokio::test]
async fn a_portal_that_gives_the_same_page_again_is_recognised() {
    let asked = |parameter: &str, names: Value| {
        let answer = serde_json::json!({ "success": true, "result": { "count": 1_000_000, "results": names } });
        let target = format!("/api/3/action/package_search?{parameter}");
        Exchange::new(&target, answer.to_string())
    };
    let names = serde_json::json!([{ "name": "a" }, { "name": "b" }]);
    let server = Server::start(vec![
        asked("rows=500&sort=name+asc&start=0", names.clone()),
        asked("rows=500&sort=name+asc&start=2", names),
    ])
    .await
    .unwrap();
    let context = MakeContext::new(".", "demo", |_| None);
    let url = UrlSetting::new(server.url()).resolve(&["url"], &context);
    let wanted = Wanted {
        search: None,
        datasets_max: 10_000,
    };
    let io = io("2025-01-01T00:00:00Z");
    let found = discover(&catalogues(), &url.unwrap(), &wanted, &io).await;
    let listing = found.unwrap();
    assert_eq!(listing.datasets.len(), 2, "{:?}", server.asked());
    insta::assert_snapshot!(io.take_notes().join("\n"), @"the portal leads in a circle: asked for more, it gives the same page again; 2 of the 1000000 datasets that it tells of are listed");
}

#[tokio::test]
async fn a_broken_document_is_told() {
    let broken = "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n<a> a dcat:Dataset ;\n <b";
    let server = Server::start(vec![Exchange::new("/catalog.ttl", broken)])
        .await
        .unwrap();
    let error = listed(&server, "/catalog.ttl", None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(
        error.to_string().contains("is no whole RDF document"),
        "{error}"
    );
}

proptest::proptest! {
    /// A document that was cut or changed is read, refused or told, and never ends the program.
    #[test]
    fn no_document_makes_a_catalogue_panic(file in 0..5_usize, cut in 0..4000_usize, at in 0..4000_usize, byte: u8) {
        let file = ["catalog.ttl", "catalog.rdf", "catalog.jsonld", "data.json", "insee_dataflows.xml"][file];
        let mut bytes = recording(&format!("discover/{file}")).to_vec();
        let at = at.min(bytes.len() - 1);
        bytes[at] = byte;
        bytes.truncate(cut.max(1));
        let bytes = bytes::Bytes::from(bytes);
        let context = MakeContext::new(".", "demo", |_| None);
        // Nothing listens there: a page that is named and cannot be had is an error like any other.
        let url = UrlSetting::new("http://127.0.0.1:1/catalog").resolve(&["url"], &context).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let io = io("2025-01-01T00:00:00Z");
        for catalogue in catalogues() {
            let seen = sectorlake_connector::catalogue::Seen { url: &url, bytes: &bytes };
            let wanted = Wanted { search: None, datasets_max: 0 };
            let _ = runtime.block_on(catalogue.read(seen, &wanted, &io));
        }
    }
}
