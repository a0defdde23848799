//! Tables built in the published layouts as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{
    Abilities, Exchange, Subject, check, io, make as made, recording, say,
};
use serde_json::Value;

use super::*;

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            made(
                &registration(),
                json!({"url": format!("{server}/2024.csv"), "year": 2024}),
            )
        },
        recording: vec![
            Exchange::new("/2024.csv", recording("vn_exam_results/thpt_2024.csv"))
                .with_etag("\"1\""),
        ],
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn columns_have_the_files_own_names() {
    let mapping = async |settings: Value| {
        let source = made(&registration(), settings).unwrap();
        let streams = source.streams(&io("2025-01-01T00:00:00Z")).await.unwrap();
        streams[0].mappings[0].clone()
    };
    let wide = mapping(json!({"path": "a.xlsx", "year": 2026, "candidate": "Số \"báo\" danh", "subjects": {"Môn 4": "tin_hoc"}})).await;
    assert!(
        wide.sql.contains("trim(\"Số \"\"báo\"\" danh\")"),
        "{}",
        wide.sql
    );
    assert_eq!(wide.unpivot.unwrap()["keep"], json!(["Số \"báo\" danh"]));
    assert_eq!(
        (
            wide.parameters["subjects"].as_str(),
            wide.parameters["councils"].as_str()
        ),
        ("|Môn 4=tin_hoc|", "|")
    );
    let text = mapping(json!({"path": "a.csv", "year": 2018, "scores": "DIEM_THI"})).await;
    assert!(
        text.sql.contains("trim(\"DIEM_THI\")") && text.unpivot.is_none(),
        "{}",
        text.sql
    );
}

#[test]
fn settings_and_claims() {
    let said = [
        json!({"path": "a.csv"}),
        json!({"path": "a.csv", "year": 2024, "subjects": {"Môn 4": "Tin học"}}),
        json!({"path": "a.csv", "year": 2018, "scores": "DIEM_THI", "subjects": {"Môn 4": "tin_hoc"}}),
        json!({"year": 2024}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    let claim = |head: &[u8]| {
        claims(&Sight {
            location: "a.csv",
            members: &[],
            head,
        })
    };
    let claimed = claim("\u{feff}STT;Số báo danh;Toán;Ngữ văn\n".as_bytes()).unwrap();
    assert_eq!(claimed.settings["candidate"], json!("Số báo danh"));
    assert!(!claimed.settings.contains_key("year"));
    assert_eq!(
        (year_of("2023/diem_thi_2024.csv"), year_of("2023-2024.csv")),
        (Some(2024), None)
    );
    assert!(claim(&recording("vn_exam_results/thpt_2024.csv")).is_some());
    assert!(claim(b"sbd,ten\n").is_none());
}
