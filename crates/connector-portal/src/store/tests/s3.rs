//! Real S3 servers: moto, one that takes any key and one that looks at them.

use opendal::services::S3;
use opendal::{HttpTransporter, Operator};
use serde_json::{Value, json};

use super::super::carrier::Carrier;
use super::servers::{self, Server};
use super::{Known, connector, fails, read};

struct Bucket {
    server: &'static Server,
    key: String,
    secret: String,
}

impl Bucket {
    fn of_this_test() -> Option<Self> {
        Self::of("s3")
    }

    fn of(name: &'static str) -> Option<Self> {
        let server = servers::server(name)?;
        let text = std::fs::read_to_string(server.dir.join("keys")).unwrap();
        let (key, secret) = text.trim().split_once('\n').unwrap();
        let (key, secret) = (key.to_owned(), secret.to_owned());
        Some(Self {
            server,
            key,
            secret,
        })
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    fn settings(&self, url: &str) -> Value {
        json!({
            "url": url,
            "endpoint": self.endpoint(),
            "access_key": self.key,
            "secret_key": self.secret,
            "allow_private": true,
        })
    }

    async fn put(&self, path: &str, text: impl Into<opendal::Buffer>) {
        let builder = S3::default()
            .bucket("city")
            .region("us-east-1")
            .endpoint(&self.endpoint())
            .access_key_id(&self.key)
            .secret_access_key(&self.secret);
        let operator = Operator::new(builder).unwrap();
        let run = super::run(&Known::default());
        let transport = HttpTransporter::new(Carrier(run.http().clone()));
        let context = operator.base_context().with_http_transport(transport);
        let operator = operator.with_context(context);
        operator.write(path, text).await.unwrap();
    }
}

#[tokio::test]
async fn files_come_in_their_order_and_once() {
    let Some(bucket) = Bucket::of_this_test() else {
        return;
    };
    for (path, text) in [
        ("order/2025/b.csv", "2"),
        ("order/2025/a.csv", "1"),
        ("order/2026/điểm thi.csv", "3"),
        ("order/2026/.hidden.csv", "-"),
        ("order/readme.txt", "4"),
    ] {
        bucket.put(path, text).await;
    }
    let known = Known::default();
    let store = connector(bucket.settings("s3://city/order/**/*.csv"));
    let first = read(&*store, &known).await.unwrap();
    assert_eq!(
        first,
        [
            "s3://city/order/2025/a.csv 1",
            "s3://city/order/2025/b.csv 2",
            "s3://city/order/2026/điểm thi.csv 3",
        ]
    );
    bucket.put("order/2025/b.csv", "22").await;
    bucket.put("order/2026/new.csv", "5").await;
    assert_eq!(
        read(&*store, &known).await.unwrap(),
        [
            "s3://city/order/2025/a.csv unchanged",
            "s3://city/order/2025/b.csv 22",
            "s3://city/order/2026/new.csv 5",
            "s3://city/order/2026/điểm thi.csv unchanged",
        ]
    );
    for (url, expected) in [
        (
            "s3://city/order/readme.txt",
            vec!["s3://city/order/readme.txt 4"],
        ),
        ("s3://city/order/", vec!["s3://city/order/readme.txt 4"]),
        (
            "s3://city/order/*/a.csv",
            vec!["s3://city/order/2025/a.csv 1"],
        ),
    ] {
        let store = connector(bucket.settings(url));
        let found = read(&*store, &Known::default()).await.unwrap();
        assert_eq!(found, expected, "{url}");
    }
}

#[tokio::test]
async fn a_large_folder_is_listed_page_by_page_and_a_large_file_comes_whole() {
    let Some(bucket) = Bucket::of_this_test() else {
        return;
    };
    let text = "0123456789abcdef".repeat(1 << 20);
    bucket.put("large/big.csv", text).await;
    let store = connector(bucket.settings("s3://city/large/*"));
    // Its length is compared with what was announced.
    assert_eq!(read(&*store, &Known::default()).await.unwrap().len(), 1);
    let mut small = bucket.settings("s3://city/large/*");
    small["max_size"] = json!("1MB");
    insta::assert_snapshot!(fails(small).await);
}

#[tokio::test]
async fn unchanged_objects_are_asked_for_by_the_listing_alone() {
    use sectorlake_connector::kit;
    let object = |index: usize| {
        format!(
            "<Contents><Key>many/{index:04}.csv</Key><LastModified>2025-01-01T00:00:00.000Z</LastModified><ETag>&quot;{index}&quot;</ETag><Size>1</Size></Contents>"
        )
    };
    let objects: String = (0..300).map(object).collect();
    let listing =
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{objects}</ListBucketResult>");
    let target = "/city?list-type=2&prefix=many/&delimiter=/";
    let server = kit::Server::start(vec![kit::Exchange::new(target, listing)]);
    let server = server.await.unwrap();
    let known = (0..300).map(|index| {
        let key = format!("s3://city/many/{index:04}.csv");
        (key, format!("\"{index}\""))
    });
    let known = Known::new(std::sync::Mutex::new(known.collect()));
    let store = connector(json!({
        "url": "s3://city/many/",
        "endpoint": server.url(),
        "allow_private": true,
    }));
    let said = read(&*store, &known).await.unwrap();
    assert_eq!(said.len(), 300);
    assert!(said.iter().all(|line| line.ends_with(" unchanged")));
    assert_eq!(server.asked(), [target]);
}

#[tokio::test]
async fn an_empty_object_among_others_is_told() {
    let Some(bucket) = Bucket::of_this_test() else {
        return;
    };
    for (path, text) in [("few/a.csv", "1"), ("few/b.csv", ""), ("few/c.csv", "3")] {
        bucket.put(path, text).await;
    }
    let store = connector(bucket.settings("s3://city/few/*.csv"));
    let known = Known::default();
    for (a, c) in [("1", "3"), ("unchanged", "unchanged")] {
        let expected = [
            format!("s3://city/few/a.csv {a}"),
            format!("s3://city/few/c.csv {c}"),
            "s3://city/few/b.csv is empty (0 bytes) and was passed over".to_owned(),
        ];
        assert_eq!(read(&*store, &known).await.unwrap(), expected);
    }
    // It alone is read, so that the run fails over it.
    let alone = connector(bucket.settings("s3://city/few/b.csv"));
    let alone = read(&*alone, &Known::default()).await.unwrap();
    assert_eq!(alone, ["s3://city/few/b.csv "]);
}

#[tokio::test]
async fn what_goes_wrong_is_told() {
    let Some(bucket) = Bucket::of_this_test() else {
        return;
    };
    bucket.put("told/stations.csv", "1").await;
    let mut said = Vec::new();
    for url in [
        "s3://city/told/station.csv",
        "s3://city/told/qqq*.txt",
        "s3://city/tolds/*.csv",
        "s3://ctiy/told/*.csv",
        "s3://ctiy/told/stations.csv",
    ] {
        said.push(fails(bucket.settings(url)).await);
    }
    let mut gone = bucket.settings("s3://city/told/*.csv");
    gone["endpoint"] = json!("http://127.0.0.1:1");
    said.push(fails(gone).await);
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn a_key_that_is_wrong_is_told_and_never_shown() {
    let Some(bucket) = Bucket::of("s3_keys") else {
        return;
    };
    bucket.put("told/stations.csv", "1").await;
    let url = "s3://city/told/stations.csv";
    let right = connector(bucket.settings(url));
    let found = read(&*right, &Known::default()).await.unwrap();
    assert_eq!(found, ["s3://city/told/stations.csv 1"]);
    let mut said = Vec::new();
    for (key, wrong) in [("access_key", "AKIAWRONG"), ("secret_key", "wr0ng-s3cr3t")] {
        for url in [url, "s3://city/told/*.csv"] {
            let mut settings = bucket.settings(url);
            settings[key] = json!(wrong);
            said.push(fails(settings).await);
        }
    }
    let said = said.join("\n");
    for secret in [&bucket.key, &bucket.secret, "AKIAWRONG", "wr0ng-s3cr3t"] {
        assert!(!said.contains(secret), "{said}");
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_file_goes_on_where_the_connection_broke() {
    let Some(bucket) = Bucket::of_this_test() else {
        return;
    };
    bucket
        .put("cut/big.csv", "0123456789abcdef".repeat(1 << 18))
        .await;
    let way = super::refusals::broken_way(bucket.server.port, 1 << 20).await;
    let mut settings = bucket.settings("s3://city/cut/big.csv");
    settings["endpoint"] = json!(format!("http://127.0.0.1:{way}"));
    let found = read(&*connector(settings), &Known::default())
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
}
