#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn read(text: &str) -> Result<FormatSpec, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn names_and_options() {
    assert_eq!(read(r#""csv""#), Ok(FormatSpec::Csv(CsvFormat::default())));
    let written = r#"{"name": "csv", "delimiter": ";", "quote": "none", "header_rows": [3]}"#;
    let csv = CsvFormat {
        delimiter: Some(';'),
        quote: Some(Quote::None),
        header_rows: Some(vec![3]),
        ..CsvFormat::default()
    };
    assert_eq!(read(written), Ok(FormatSpec::Csv(csv.clone())));
    let again = serde_json::to_string(&FormatSpec::Csv(csv.clone())).unwrap();
    assert_eq!(read(&again), Ok(FormatSpec::Csv(csv)));
    for name in NAMES {
        let format = FormatSpec::from_name(name).unwrap();
        assert_eq!(format.name(), *name);
        let again = serde_json::to_string(&format).unwrap();
        assert_eq!(read(&again), Ok(format), "{again}");
    }
}

#[test]
fn options_that_are_not_plain_keys() {
    for written in [
        r#"{"name":"xlsx","sheet":"2024"}"#,
        r#"{"name":"ods","sheet":{"pattern":"^20"}}"#,
        r#"{"name":"html","table":2}"#,
        r#"{"name":"html","table":"HDI"}"#,
        r#"{"name":"csv","quote":"'"}"#,
        r#"{"name":"gtfs_realtime","entity":"trip_updates"}"#,
        r#"{"name":"fixed","columns":[{"name":"a","start":1,"width":2}]}"#,
        r#"{"name":"csv","drop_repeated_header":false}"#,
    ] {
        let format = read(written).unwrap();
        assert_eq!(serde_json::to_string(&format).unwrap(), written);
    }
}

#[test]
fn unknown_names_and_keys_are_refused() {
    let name = read(r#""cvs""#).unwrap_err();
    assert!(
        name.starts_with("unknown variant `cvs`, expected one of `csv`"),
        "{name}"
    );
    let key = read(r#"{"name": "csv", "delimeter": ";"}"#).unwrap_err();
    assert!(
        key.starts_with("unknown field `delimeter`, expected one of `delimiter`"),
        "{key}"
    );
    let none = read(r#"{"name": "parquet", "sheet": "a"}"#).unwrap_err();
    assert!(none.starts_with("unknown field `sheet`"), "{none}");
    let pattern = read(r#"{"name": "xls", "sheet": {"patern": "a"}}"#).unwrap_err();
    assert!(pattern.starts_with("unknown field `patern`"), "{pattern}");
    let quote = read(r#"{"name": "csv", "quote": "''"}"#).unwrap_err();
    assert!(
        quote.starts_with("`quote` is a single character"),
        "{quote}"
    );
}
