#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use crate::testing::{block_on, part, read_bytes};
use crate::{Choice, ReadOptions, Sample, sample};

fn sampled(name: &str, bytes: &[u8]) -> Sample {
    block_on(async {
        let part = part(name, bytes).await;
        sample(&part, None, None, 10, &ReadOptions::default())
            .await
            .unwrap()
    })
}

fn chosen(sample: &Sample, what: &str) -> Option<String> {
    let choice = sample.choices.iter().find(|choice| choice.what == what);
    choice.map(|choice| choice.value.clone())
}

fn written(sample: &Sample) -> serde_json::Value {
    serde_json::to_value(&sample.format).unwrap()
}

#[test]
fn records_of_a_document() {
    let reading = r#"{"t": "2024-01-01", "v": 1}"#;
    let item = format!(r#"{{"id": 0, "readings": [{reading}, {reading}]}}"#);
    let text = format!(
        r#"{{"meta": {{"pages": [{{"n": 1}}]}}, "data": {{"items": [{item}, {item}, {item}]}}}}"#
    );
    let found = sampled("nested.json", text.as_bytes());
    assert_eq!(written(&found)["record_path"], "data.items");
    assert_eq!((found.rows.len(), found.is_whole), (3, true));
    assert_eq!(chosen(&found, Choice::UNNEST).unwrap(), "readings");
    assert_eq!(found.choices[0].what, Choice::FORMAT);
    let told = &found.choices[1];
    assert_eq!(
        format!("{} {}: {}", told.what, told.value, told.why),
        "record_path data.items: the list with most objects, 3 as far as was looked; not read: meta"
    );
    // A pipeline that declares nothing reads what it read before.
    assert_eq!(
        read_bytes(text.as_bytes(), r#""json""#, &ReadOptions::default())
            .unwrap()
            .rows
            .len(),
        1
    );
}

#[test]
fn documents_without_a_list_that_stands_out() {
    for text in [
        r#"{"a": [{"x": 1}, {"x": 2}], "b": [{"y": 1}, {"y": 2}]}"#,
        r#"{"a": [1, 2, 3], "b": "x"}"#,
        r#"{"a.b": [{"x": 1}, {"x": 2}]}"#,
        r#"[{"x": 1}, {"x": 2}]"#,
        r#"{"x": []}"#,
    ] {
        let found = sampled("a.json", text.as_bytes());
        assert_eq!(chosen(&found, Choice::RECORD_PATH), None, "{text}");
        assert_eq!(written(&found).get("record_path"), None, "{text}");
    }
    let list = sampled("a.json", br#"[{"x": [{"y": 1}, {"y": 2}]}]"#);
    assert_eq!(chosen(&list, Choice::UNNEST).unwrap(), "x");
}

#[test]
fn comments_above_a_table() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/environment");
    for (name, columns) in [("usgs_nwis_sites.rdb.txt", 12), ("usgs_site.rdb.txt", 12)] {
        let found = sampled(name, &std::fs::read(data.join(name)).unwrap());
        assert_eq!(written(&found)["comment"], "#", "{name}");
        assert_eq!(chosen(&found, Choice::DELIMITER).unwrap(), "\t", "{name}");
        assert_eq!(found.schema.fields().len(), columns, "{name}");
        assert_eq!(found.schema.field(0).name(), "agency_cd", "{name}");
        assert!(
            chosen(&found, "widths").unwrap().starts_with("5s 15s"),
            "{name}"
        );
    }
    for text in [
        "#,name,n\n1,a,2\n2,b,3\n",
        "# id,name\n1,a\n2,b\n",
        "#1\n#2\nx\n",
    ] {
        let found = sampled("a.csv", text.as_bytes());
        assert_eq!(chosen(&found, Choice::COMMENT), None, "{text}");
    }
}

#[test]
fn a_first_record_that_is_none_of_a_header() {
    let text = "001,Hồng Bàng,1200\n002,Lê Chân,3400\n003,Kiến An,560\n004,Hải An,78\n";
    let found = sampled("nohdr.csv", text.as_bytes());
    assert_eq!(written(&found)["header_rows"], serde_json::json!([]));
    assert_eq!(
        (found.rows.len(), found.schema.field(0).name().as_str()),
        (4, "column_1")
    );
    assert_eq!(chosen(&found, Choice::HEADER_ROWS).unwrap(), "[]");
    for text in [
        "id,ten,n\n001,a,1\n002,b,2\n003,c,3\n",
        "tỉnh,2022,2023\na,1,2\nb,3,4\nc,5,6\n",
        "tỉnh,1,2\na,1,2\nb,3,4\nc,5,6\n",
        "a,b\nc,d\ne,f\ng,h\n",
    ] {
        let found = sampled("a.csv", text.as_bytes());
        assert_eq!(written(&found).get("header_rows"), None, "{text}");
    }
}

#[test]
fn a_title_page_is_passed_over() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let bytes = std::fs::read(data.join("education/us_ipeds_eap2023_dictionary.xlsx")).unwrap();
    let found = sampled("dictionary.xlsx", &bytes);
    assert_eq!(written(&found)["sheet"], "varlist");
    let told = found
        .choices
        .iter()
        .find(|choice| choice.what == Choice::SHEET)
        .unwrap();
    assert!(
        told.why.starts_with("the first visible sheet whose header is sure; dictionary.xlsx has no header: sheet `Introduction`"),
        "{told:?}"
    );
    // A pipeline that declares nothing is refused as before.
    let error = read_bytes(&bytes, r#""xlsx""#, &ReadOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("sheet `Introduction`"),
        "{error}"
    );
}

#[test]
fn what_is_not_certain_is_told() {
    let found = sampled("two.csv", "tên,quận\na,b\n".as_bytes());
    assert_eq!(written(&found).get("header_rows"), None);
    assert_eq!(
        (
            found.rows.len(),
            chosen(&found, Choice::HEADER_ROWS).unwrap()
        ),
        (1, "[1]".to_owned())
    );
    let why = |found: &Sample, what| {
        let choice = found.choices.iter().find(|choice| choice.what == what);
        choice.unwrap().why.clone()
    };
    assert!(why(&found, Choice::HEADER_ROWS).contains("write header_rows: []"));
    let uneven = "a  b here\nlonger  text c\nd   e and f\nthe  last of them\n";
    let found = sampled("a.txt", uneven.as_bytes());
    assert_eq!(written(&found)["name"], "csv");
    assert!(why(&found, Choice::FORMAT).contains("declare format: { name: fixed"));
}

#[test]
fn columns_of_fixed_width() {
    let text = "MA   TEN                 SO\n001  Hồng Bàng         1200\n002  Lê Chân            340\n003  Kiến An             56\n";
    let found = sampled("fixed.txt", text.as_bytes());
    assert_eq!(written(&found)["name"], "fixed");
    let names: Vec<&str> = found
        .schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(names, ["MA", "TEN", "SO"]);
    assert_eq!(
        found.rows[0],
        ["001", "Hồng Bàng", "1200"].map(|cell| Some(cell.to_owned()))
    );
    assert_eq!(
        (found.rows.len(), found.rows[2][2].as_deref()),
        (3, Some("56"))
    );
    // A pipeline that declares nothing reads what it read before.
    let read = read_bytes(text.as_bytes(), r#""csv""#, &ReadOptions::default()).unwrap();
    assert_eq!(read.columns.len(), 1);
}
