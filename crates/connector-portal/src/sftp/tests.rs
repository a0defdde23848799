#![expect(clippy::unwrap_used, reason = "tests")]

mod server;

use serde_json::{Value, json};
use server::Served;

use crate::store::tests::{Known, broken_way, connector, fails, read, read_at, write_in_tick};

fn settings(served: &Served, path: &str) -> Value {
    json!({
        "url": format!("sftp://agency@127.0.0.1:{}/{path}", served.port),
        "password": "s3cr3t",
        "host_key": served.fingerprint,
        "allow_private": true,
    })
}

fn plain(served: &Served, text: &str) -> String {
    let filters = [
        (format!(":{}", served.port), ":PORT"),
        (served.fingerprint.clone(), "SHA256:SHOWN"),
        (served.dir.path().display().to_string(), "DIR"),
    ];
    let fold = |text: String, (from, to): &(String, &str)| text.replace(from, to);
    filters.iter().fold(text.to_owned(), fold)
}

#[tokio::test]
async fn files_come_in_their_order_and_once() {
    let served = Served::start().await;
    let known = Known::default();
    let store = connector(settings(&served, "out/*/*.csv"));
    let mut said = Vec::new();
    said.extend(read(&*store, &known).await.unwrap());
    served.write("out/2025/b.csv", "2222");
    said.extend(read(&*store, &known).await.unwrap());
    for path in ["out/readme.txt", "~/out/2025/", "out/2025/?.csv"] {
        said.push(path.to_owned());
        let store = connector(settings(&served, path));
        said.extend(read(&*store, &Known::default()).await.unwrap());
    }
    insta::assert_snapshot!(plain(&served, &said.join("\n")));
}

#[tokio::test]
async fn a_change_within_the_second_is_seen() {
    let served = Served::start().await;
    let file = served.dir.path().join("out/2025/a.csv");
    let known = Known::default();
    let store = connector(settings(&served, "out/2025/a.csv"));
    for (text, started_at, expected) in [
        ("2", "2025-01-01T00:00:10Z", " 2"),
        ("9", "2025-01-01T00:00:20Z", " 9"),
        ("9", "2025-01-01T00:02:00Z", " 9"),
        ("9", "2025-01-01T00:02:01Z", " unchanged"),
    ] {
        write_in_tick(&file, text);
        let said = read_at(&*store, &known, started_at).await.unwrap();
        assert!(said[0].ends_with(expected), "{started_at}: {said:?}");
    }
}

#[tokio::test]
async fn a_user_enters_by_password_or_key() {
    let served = Served::start().await;
    let mut by_key = settings(&served, "out/readme.txt");
    by_key.as_object_mut().unwrap().remove("password");
    by_key["private_key"] = json!(served.user_key);
    let found = read(&*connector(by_key.clone()), &Known::default()).await;
    assert_eq!(found.unwrap().len(), 1);
    let mut said = Vec::new();
    by_key["private_key"] = json!(served.other_key);
    said.push(fails(by_key.clone()).await);
    by_key["private_key"] = json!("no key");
    said.push(fails(by_key.clone()).await);
    by_key.as_object_mut().unwrap().remove("private_key");
    said.push(fails(by_key).await);
    let mut wrong = settings(&served, "out/readme.txt");
    wrong["password"] = json!("wr0ng");
    said.push(fails(wrong).await);
    let said = plain(&served, &said.join("\n"));
    assert!(
        !said.contains("wr0ng") && !said.contains("no key"),
        "{said}"
    );
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_server_is_trusted_by_its_key_alone() {
    let served = Served::start().await;
    let mut unknown = settings(&served, "out/readme.txt");
    unknown.as_object_mut().unwrap().remove("host_key");
    let mut said = vec![fails(unknown.clone()).await];
    let mut other = unknown.clone();
    other["host_key"] = json!("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    said.push(fails(other).await);
    let hosts = served.dir.path().join("known_hosts");
    let line = |key: &str| format!("[127.0.0.1]:{} {key}\n", served.port);
    std::fs::write(&hosts, line(&served.other_public_key)).unwrap();
    let mut known = unknown;
    known["known_hosts"] = json!(hosts);
    said.push(fails(known.clone()).await);
    std::fs::write(&hosts, "").unwrap();
    said.push(fails(known.clone()).await);
    std::fs::write(&hosts, line(&served.host_key)).unwrap();
    let found = read(&*connector(known.clone()), &Known::default()).await;
    assert_eq!(found.unwrap().len(), 1);
    known["known_hosts"] = json!(served.dir.path().join("none"));
    said.push(fails(known).await);
    insta::assert_snapshot!(plain(&served, &said.join("\n")));
}

#[tokio::test]
async fn what_goes_wrong_is_told() {
    let served = Served::start().await;
    let said = [
        fails(settings(&served, "out/readmi.txt")).await,
        fails(settings(&served, "uot/*.csv")).await,
        fails(settings(&served, "out/2025/*.txt")).await,
        fails(settings(&served, "locked/*.csv")).await,
        fails(settings(&served, "out/locked.csv")).await,
    ];
    insta::assert_snapshot!(plain(&served, &said.join("\n")));
}

#[tokio::test]
async fn a_file_goes_on_where_the_connection_broke() {
    let served = Served::start().await;
    served.write("out/big.csv", &"0123456789abcdef".repeat(1 << 17));
    let way = broken_way(served.port, 1 << 20).await;
    let mut settings = settings(&served, "out/big.csv");
    settings["url"] = json!(format!("sftp://agency@127.0.0.1:{way}/out/big.csv"));
    // Its length is compared with what was announced.
    let found = read(&*connector(settings), &Known::default()).await;
    assert_eq!(found.unwrap().len(), 1);
}
