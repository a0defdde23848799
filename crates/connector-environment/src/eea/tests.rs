//! Files built after the published layout as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};
use serde_json::Value;

use super::*;
use crate::testing::{io, make as made, recording, say};

const FILE: &str = "/airquality-p-e2a/BE/SPO-BETN029_00008_100.parquet";

fn exchanges() -> Vec<Exchange> {
    vec![
        Exchange::new(
            "/api/ParquetFile/urls",
            format!("ParquetFileUrl\r\n{FILE}\r\n"),
        ),
        Exchange::new(FILE, recording("eea/SPO-BETN029_00008_100.parquet")).with_etag("\"1\""),
        Exchange::new(
            "/PanEuropean_metadata.csv",
            recording("eea/PanEuropean_metadata.csv"),
        )
        .with_etag("\"2\""),
    ]
}

fn settings(server: &str) -> Value {
    json!({
        "url": format!("{server}/api"), "metadata": format!("{server}/PanEuropean_metadata.csv"),
        "countries": ["BE"], "pollutants": ["NO2"],
    })
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| made(&registration(), settings(server)),
        recording: exchanges(),
        abilities: Abilities {
            conditional: true,
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn a_sampling_points_file_is_a_partition() {
    let server = Server::start(exchanges()).await.unwrap();
    let eea = made(&registration(), settings(server.url())).unwrap();
    let names = eea
        .partitions(OBSERVATIONS, &io("2025-02-01T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(names, ["BE/SPO-BETN029_00008_100.parquet"]);
}

#[test]
fn settings_are_checked() {
    let said = [
        json!({}),
        json!({"countries": ["BE"], "dataset": "e1a"}),
        json!({"path": {"observations": "*.parquet"}, "countries": ["BE"]}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}
