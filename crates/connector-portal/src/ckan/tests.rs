#![expect(clippy::unwrap_used, reason = "tests")]
use sectorlake_connector::ErrorKind;
use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};
use serde_json::{Value, json};

use super::*;
use crate::testing::{SECRET, io, make, read, recording, say};

const TABLE: &str = "a5cd573b-5565-48f1-9b2d-8726004cb020";

/// A real answer of demo.ckan.org, its resource's address cut to the path, so that it leads back to the server.
fn package_show() -> String {
    let text = String::from_utf8(recording("ckan/package_show.json").to_vec()).unwrap();
    text.replace("https://demo.ckan.org/dataset", "/dataset")
}

fn file() -> String {
    let packed: Value = serde_json::from_str(&package_show()).unwrap();
    packed["result"]["resources"][0]["url"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn rows(offset: usize, sort: &str, extra: &str) -> String {
    let sort = url::form_urlencoded::byte_serialize(sort.as_bytes()).collect::<String>();
    format!(
        "/api/3/action/datastore_search?resource_id={TABLE}&sort={sort}{extra}&limit=2&offset={offset}"
    )
}

fn page(times: &[&str], total: usize) -> String {
    let records: Vec<Value> = times
        .iter()
        .map(|time| json!({ "_id": 1, "updated": time }))
        .collect();
    json!({"success": true, "result": {"records": records, "total": total, "limit": 2}}).to_string()
}

#[tokio::test]
async fn files_pass_the_kit() {
    let subject = Subject {
        make: &|server| {
            let auth = json!({ "header": { "name": "Authorization", "value": "${env:KEY}" } });
            make(
                &registration(),
                json!({ "url": server, "dataset": "rase", "auth": auth }),
            )
        },
        recording: vec![
            Exchange::new("/api/3/action/package_show?id=rase", package_show()),
            Exchange::new(&file(), "classe,totale\n0-17,12\n").with_etag("\"v1\""),
        ],
        abilities: Abilities {
            conditional: true,
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[SECRET],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn rows_pass_the_kit() {
    let subject = Subject {
        make: &|server| {
            let settings = json!({
                "url": server, "resources": { "id": TABLE },
                "datastore": { "page_size": 2, "filters": { "city": "Hải Phòng" } },
            });
            make(&registration(), settings)
        },
        recording: ["datastore_search_1.json", "datastore_search_2.json"]
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let filters = "&filters=%7B%22city%22%3A%22H%E1%BA%A3i+Ph%C3%B2ng%22%7D";
                let body = recording(&format!("ckan/{name}"));
                Exchange::new(&rows(2 * index, "_id", filters), body)
            })
            .collect(),
        abilities: Abilities {
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn later_runs_read_the_newest_rows_alone() {
    let sort = "\"updated\" desc nulls last, _id desc";
    let server = Server::start(vec![
        Exchange::new(&rows(0, sort, ""), page(&["2025-01-05", "2025-01-04"], 3)),
        Exchange::new(&rows(2, sort, ""), page(&["2025-01-01"], 3)),
    ])
    .await
    .unwrap();
    let settings = |lookback: Option<&str>| {
        let mut incremental = json!({ "field": "updated", "kind": "time" });
        if let Some(lookback) = lookback {
            incremental["lookback"] = lookback.into();
        }
        json!({
            "url": server.url(), "resources": { "id": TABLE },
            "datastore": { "page_size": 2, "incremental": incremental },
        })
    };
    let ckan = make(&registration(), settings(None)).unwrap();
    let slice = Slice::whole(TABLE);
    let (parts, cursor) = read(&*ckan, slice, None, (&io("2025-02-01T00:00:00Z"), &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 2);

    // Nothing is new: one request, no part.
    let asked = server.asked().len();
    let run = io("2025-02-02T00:00:00Z");
    let (parts, none) = read(&*ckan, slice, cursor.clone(), (&run, &server))
        .await
        .unwrap();
    assert_eq!((parts.len(), server.asked().len()), (0, asked + 1));
    assert_eq!(none, cursor);

    // A window behind the mark is read again; a page that holds what is older is the last.
    let late = make(&registration(), settings(Some("3d"))).unwrap();
    let (parts, _) = read(&*late, slice, cursor.clone(), (&run, &server))
        .await
        .unwrap();
    assert_eq!(parts.len(), 2);
    assert!(
        parts[0].0.ends_with("&offset=0#from=2025-01-02T00:00:00Z"),
        "{}",
        parts[0].0
    );

    server.play(vec![
        Exchange::new(&rows(0, sort, ""), page(&["2025-01-09", "2025-01-08"], 6)),
        Exchange::new(&rows(2, sort, ""), page(&["2025-01-07", "2025-01-04"], 6)),
    ]);
    let (parts, cursor) = read(&*ckan, slice, cursor, (&run, &server)).await.unwrap();
    assert_eq!(parts.len(), 2, "the page of 2025-01-01 is not asked for");
    assert!(cursor.unwrap().0.to_string().contains("2025-01-09"));
}

#[tokio::test]
async fn streams_are_the_resources_that_hold_data() {
    let resource = |id: &str, name: &str, format: &str| json!({"id": id, "name": name, "format": format, "url": format!("https://x.org/{id}"), "state": "active"});
    let resources = [
        resource("1", "Map", "WMS"),
        resource("2", "Stops", "GeoJSON"),
        resource("3", "Stops", "csv"),
        resource("4", "Manual", "PDF"),
        resource("5", "", ".XLSX"),
    ];
    let found =
        json!({"success": true, "result": {"count": 1, "results": [{"resources": resources}]}});
    let target =
        "/api/3/action/package_search?rows=500&sort=name+asc&start=0&fq=organization%3Abus";
    let server = Server::start(vec![Exchange::new(target, found.to_string())])
        .await
        .unwrap();
    let io = io("2025-01-01T00:00:00Z");
    let search = json!({ "filter": "organization:bus" });
    let names = async |more: Value| {
        let mut settings = json!({ "url": server.url(), "search": search });
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let ckan = make(&registration(), settings).unwrap();
        let streams = ckan.streams(&io).await?;
        let partitions = ckan.partitions(TOGETHER, &io).await?;
        let names: Vec<String> = streams.into_iter().map(|stream| stream.name).collect();
        Ok::<_, ConnectorError>((names, partitions))
    };
    assert_eq!(names(json!({})).await.unwrap().0, ["Stops", "Stops_2", "5"]);
    let chosen = json!({"resources": {"format": ["PDF", "csv"]}});
    assert_eq!(names(chosen).await.unwrap().0, ["Stops", "Manual"]);
    let together = json!({"resources": {"name": "St*"}, "stream": "stops"});
    let (streams, partitions) = names(together).await.unwrap();
    assert_eq!(
        (streams.as_slice(), partitions.as_slice()),
        (
            &["stops".to_owned()][..],
            &["3".to_owned(), "2".to_owned()][..]
        )
    );
    let error = names(json!({"resources": {"name": "*2025*"}}))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(error.message.contains("of the 5 resources"), "{error}");
}

/// A portal whose dataset has one file, at `url`.
async fn portal_of(url: &str) -> Server {
    let resource =
        json!({ "id": "1", "name": "a", "format": "CSV", "url": url, "state": "active" });
    let packed = json!({ "success": true, "result": { "resources": [resource] } });
    Server::start(vec![
        Exchange::new("/api/3/action/package_show?id=a", packed.to_string()),
        Exchange::new("/a.csv", "a\n1\n"),
    ])
    .await
    .unwrap()
}

#[tokio::test]
async fn a_portal_leads_nobody_into_private_networks() {
    let guarded = || {
        let pace = Arc::new(sectorlake_connector::kit::TestPace::default());
        let http = sectorlake_connector::Http::new(sectorlake_connector::Limits::default(), pace);
        Io::new(http.unwrap(), chrono::DateTime::UNIX_EPOCH)
    };
    for inside in [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/a.csv",
        "http://[::1]:1/a.csv",
    ] {
        let server = portal_of(inside).await;
        // The portal itself may be reached, and nothing else.
        let settings =
            json!({ "url": server.url(), "dataset": "a", "allow_private": ["127.0.0.1"] });
        let ckan = make(&registration(), settings).unwrap();
        let error = read(&*ckan, Slice::whole("1"), None, (&guarded(), &server))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::PrivateNetwork, "{inside}: {error}");
    }
}

#[tokio::test]
async fn keys_are_not_sent_to_where_a_portal_keeps_its_files() {
    let server = portal_of("placeholder").await;
    let elsewhere = server.url().replace("127.0.0.1", "localhost");
    for (host, is_sent) in [(server.url(), true), (elsewhere.as_str(), false)] {
        let resource = json!({ "id": "1", "format": "CSV", "url": format!("{host}/a.csv") });
        let packed = json!({ "success": true, "result": { "resources": [resource] } });
        server.play(vec![
            Exchange::new("/api/3/action/package_show?id=a", packed.to_string()),
            Exchange::new("/a.csv", "a\n1\n"),
        ]);
        let auth = json!({ "header": { "name": "Authorization", "value": "${env:KEY}" } });
        let settings = json!({ "url": server.url(), "dataset": "a", "auth": auth });
        let ckan = make(&registration(), settings).unwrap();
        let run = io("2025-01-01T00:00:00Z");
        read(&*ckan, Slice::whole("1"), None, (&run, &server))
            .await
            .unwrap();
        let headers = server.headers();
        let sent = headers
            .last()
            .unwrap()
            .iter()
            .any(|line| line.contains(SECRET));
        assert_eq!(sent, is_sent, "{host}");
    }
}

/// What an answer says is no setting: a reference in it is not looked up.
#[tokio::test]
async fn an_answer_reads_no_secret() {
    let server = portal_of("/a.csv?key=${env:KEY}").await;
    let settings = json!({ "url": server.url(), "dataset": "a" });
    let ckan = make(&registration(), settings).unwrap();
    let run = io("2025-01-01T00:00:00Z");
    read(&*ckan, Slice::whole("1"), None, (&run, &server))
        .await
        .unwrap_err();
    assert!(
        server.asked().iter().all(|target| !target.contains(SECRET)),
        "{:?}",
        server.asked()
    );
}

#[test]
fn addresses_of_portals_are_claimed() {
    let claim = |location: &str| {
        let sight = Sight {
            location,
            members: &[],
            head: &[],
        };
        claims(&sight).map(|claim| Value::Object(claim.settings).to_string())
    };
    let id = "bf4d5116-634e-43f2-a41c-9ae22d362083";
    let said: Vec<String> = [
        "https://data.example.org/dataset/air-quality".to_owned(),
        "https://data.example.org/vi/dataset/air-quality/".to_owned(),
        "https://example.org/opendata/dataset/air-quality".to_owned(),
        format!("https://data.example.org/dataset/air/resource/{id}"),
        format!("https://data.example.org/dataset/air/resource/{id}/download/a.csv"),
        "https://data.example.org/api/3/action/package_show?id=air".to_owned(),
        format!("https://data.example.org/api/3/action/datastore_search?resource_id={id}"),
        format!("https://data.example.org/datastore/dump/{id}?bom=True"),
        "https://example.org/dataset/schools.csv".to_owned(),
        "https://example.org/a.csv".to_owned(),
        "data/dataset/a".to_owned(),
    ]
    .iter()
    .map(|location| claim(location).unwrap_or_else(|| "not claimed".to_owned()))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
{"dataset":"air-quality","url":"https://data.example.org"}
{"dataset":"air-quality","url":"https://data.example.org"}
{"dataset":"air-quality","url":"https://example.org/opendata"}
{"dataset":"air","resources":{"id":["bf4d5116-634e-43f2-a41c-9ae22d362083"]},"url":"https://data.example.org"}
not claimed
{"dataset":"air","url":"https://data.example.org"}
{"datastore":{},"resources":{"id":["bf4d5116-634e-43f2-a41c-9ae22d362083"]},"url":"https://data.example.org"}
{"datastore":{},"resources":{"id":["bf4d5116-634e-43f2-a41c-9ae22d362083"]},"url":"https://data.example.org"}
not claimed
not claimed
not claimed
"#);
}

#[test]
fn settings_are_checked() {
    let url = "https://data.example.org";
    let said: Vec<String> = [
        json!({ "url": url }),
        json!({ "url": url, "dataset": "a", "search": {} }),
        json!({ "url": url, "dataset": "a", "datastore": {}, "format": "csv" }),
        json!({ "url": url, "dataset": "a", "resources": { "formats": "CSV" } }),
        json!({ "url": url, "dataset": "a", "resources": { "name": "[a" } }),
        json!({ "url": url, "dataset": "a", "datastore": { "page_size": 0 } }),
        json!({ "url": url, "dataset": "a", "datastore": { "sort": "a", "incremental": { "field": "b", "kind": "time" } } }),
        json!({ "url": url, "dataset": "a", "datastore": { "incremental": { "field": "b", "kind": "time", "lookback": "x" } } }),
        json!({ "url": url, "dataset": ["a", "b"], "stream": "all" }),
    ]
    .into_iter()
    .map(|settings| say(&registration(), settings))
    .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
neither `dataset` nor `search` is there / write `dataset:` with the last step of its page's address
search: stands beside `dataset` / leave one of them out
format: has no effect beside `datastore` / leave it out, or leave `datastore` out to read the files
resources.formats: unknown setting / did you mean `format`?
resources.name: "[a" is no glob: invalid range pattern / -
datastore.page_size: must be at least 1, not 0 / -
datastore.sort: stands beside `incremental`, which sorts by itself / leave it out
datastore.incremental.lookback: "x" is no window / write it as in 30m, 6h, 2d or 1w
fine
"#);
}
