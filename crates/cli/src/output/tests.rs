#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io;
use std::sync::{Arc, Mutex};

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

/// A sink whose bytes a test can read after the writer is gone.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn point(x: f64, y: f64) -> Vec<u8> {
    let mut bytes = vec![1, 1, 0, 0, 0];
    bytes.extend(x.to_le_bytes());
    bytes.extend(y.to_le_bytes());
    bytes
}

fn sample() -> RecordBatch {
    let place = point(106.68, 20.86);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![Some(7), None]))),
        (
            "tên",
            Arc::new(StringViewArray::from(vec![
                Some("Trường \"Lê Hồng Phong\", cs 1|2"),
                Some(""),
            ])),
        ),
        (
            "value",
            Arc::new(Float64Array::from(vec![Some(1.5), Some(1e21)])),
        ),
        (
            "fee",
            Arc::new(
                Decimal128Array::from(vec![Some(1250), None])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
        ("open", Arc::new(BooleanArray::from(vec![true, false]))),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1_700_000_000_123_456), None])
                    .with_timezone("UTC"),
            ),
        ),
        ("day", Arc::new(Date32Array::from(vec![19_000, 19_001]))),
        (
            "place",
            Arc::new(BinaryArray::from_opt_vec(vec![
                Some(place.as_slice()),
                Some(&[0xde, 0xad][..]),
            ])),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
        .unwrap()
}

fn bytes(format: Format, look: Look, batches: &[RecordBatch]) -> Vec<u8> {
    let sink = Shared::default();
    let mut writer = writer(format, look, sink.clone(), &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    sink.0.lock().unwrap().clone()
}

fn text(format: Format, look: Look) -> String {
    String::from_utf8(bytes(format, look, &[sample()])).unwrap()
}

#[test]
fn csv_tells_null_from_empty() {
    insta::assert_snapshot!(text(Format::Csv, Look::default()), @r#"
    id,tên,value,fee,open,at,day,place
    7,"Trường ""Lê Hồng Phong"", cs 1|2",1.5,12.50,true,2023-11-14T22:13:20.123456Z,2022-01-08,POINT(106.68 20.86)
    ,"",1e21,,false,,2022-01-09,dead
    "#);
}

#[test]
fn json_and_ndjson() {
    insta::assert_snapshot!(text(Format::Ndjson, Look::default()), @r#"
    {"id":7,"tên":"Trường \"Lê Hồng Phong\", cs 1|2","value":1.5,"fee":12.50,"open":true,"at":"2023-11-14T22:13:20.123456Z","day":"2022-01-08","place":"POINT(106.68 20.86)"}
    {"id":null,"tên":"","value":1.0e21,"fee":null,"open":false,"at":null,"day":"2022-01-09","place":"dead"}
    "#);
    let whole: serde_json::Value =
        serde_json::from_str(&text(Format::Json, Look::default())).unwrap();
    let lines: Vec<serde_json::Value> = text(Format::Ndjson, Look::default())
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(whole, serde_json::Value::Array(lines));
}

#[test]
fn empty_json_is_an_empty_array() {
    let empty = sample().slice(0, 0);
    let sink = Shared::default();
    let mut writer = writer(Format::Json, Look::default(), sink.clone(), &empty.schema()).unwrap();
    writer.finish().unwrap();
    assert_eq!(*sink.0.lock().unwrap(), b"[]\n");
}

#[test]
fn markdown() {
    insta::assert_snapshot!(text(Format::Markdown, Look::default()), @r#"
    | id | tên | value | fee | open | at | day | place |
    |---:|---|---:|---:|---|---|---|---|
    | 7 | Trường "Lê Hồng Phong", cs 1\|2 | 1.5 | 12.50 | true | 2023-11-14T22:13:20.123456Z | 2022-01-08 | POINT(106.68 20.86) |
    | NULL |  | 1e21 | NULL | false | NULL | 2022-01-09 | dead |
    "#);
}

#[test]
fn tables_and_records() {
    let count = Look {
        count: true,
        ..Look::default()
    };
    insta::assert_snapshot!(text(Format::Table, count), @r#"
    ╭──────┬────────────────────────────────┬───────┬───────┬───────┬─────────────────────────────┬────────────┬─────────────────────╮
    │   id │ tên                            │ value │   fee │ open  │ at                          │ day        │ place               │
    ├──────┼────────────────────────────────┼───────┼───────┼───────┼─────────────────────────────┼────────────┼─────────────────────┤
    │    7 │ Trường "Lê Hồng Phong", cs 1|2 │   1.5 │ 12.50 │ true  │ 2023-11-14T22:13:20.123456Z │ 2022-01-08 │ POINT(106.68 20.86) │
    │ NULL │                                │  1e21 │  NULL │ false │ NULL                        │ 2022-01-09 │ dead                │
    ╰──────┴────────────────────────────────┴───────┴───────┴───────┴─────────────────────────────┴────────────┴─────────────────────╯
    (2 rows)
    "#);
    let narrow = Look {
        width: Some(80),
        ..Look::default()
    };
    let drawn = text(Format::Table, narrow);
    assert!(
        drawn.lines().all(|line| line.chars().count() <= 81),
        "{drawn}"
    );
    let expanded = Look {
        expanded: true,
        ..Look::default()
    };
    insta::assert_snapshot!(text(Format::Table, expanded), @r#"
    ─[ 1 ]──────────────────────────────────────────────────────
    id    │ 7
    tên   │ Trường "Lê Hồng Phong", cs 1|2
    value │ 1.5
    fee   │ 12.50
    open  │ true
    at    │ 2023-11-14T22:13:20.123456Z
    day   │ 2022-01-08
    place │ POINT(106.68 20.86)
    ─[ 2 ]──────────────────────────────────────────────────────
    id    │ NULL
    tên   │ 
    value │ 1e21
    fee   │ NULL
    open  │ false
    at    │ NULL
    day   │ 2022-01-09
    place │ dead
    "#);
}

#[test]
fn a_long_table_is_drawn_in_pieces() {
    let batch = |from: i64, width: usize| {
        let ids: Int64Array = (from..from + 900).collect();
        let names: StringArray = (0..900).map(|_| Some("x".repeat(width))).collect();
        RecordBatch::try_from_iter([
            ("id", Arc::new(ids) as ArrayRef),
            ("name", Arc::new(names) as ArrayRef),
        ])
        .unwrap()
    };
    let batches = [batch(0, 4), batch(900, 4), batch(1800, 7)];
    let drawn = String::from_utf8(bytes(Format::Table, Look::default(), &batches)).unwrap();
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines.len(), 4 + 2700);
    assert_eq!(lines.iter().filter(|it| it.contains("name")).count(), 1);
    assert_eq!(lines[0], "╭────────┬──────╮");
    assert_eq!(lines[1002], "│    999 │ xxxx │");
    // Wider than the sample: the column widens, nothing is lost.
    assert_eq!(lines[2702], "│   2699 │ xxxxxxx │");
    assert_eq!(lines[2703], "╰────────┴─────────╯");
}

#[test]
fn nothing_steers_the_terminal() {
    let batch = RecordBatch::try_from_iter([(
        "a\u{7}b",
        Arc::new(StringArray::from(vec!["\u{1b}[2Jx\ty"])) as ArrayRef,
    )])
    .unwrap();
    for format in [Format::Table, Format::Markdown] {
        let drawn = bytes(format, Look::default(), std::slice::from_ref(&batch));
        assert!(!drawn.contains(&0x1b), "{format:?}");
        assert!(!drawn.contains(&7), "{format:?}");
    }
}

#[test]
fn arrow_and_parquet_come_back_whole_and_without_views() {
    let stream = bytes(Format::Arrow, Look::default(), &[sample(), sample()]);
    let batches: Vec<_> = StreamReader::try_new(stream.as_slice(), None)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(batches.len(), 2);
    let names = batches[0].column_by_name("tên").unwrap();
    assert_eq!(names.data_type(), &arrow::datatypes::DataType::Utf8);
    let file = bytes(Format::Parquet, Look::default(), &[sample(), sample()]);
    let rows: usize = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file))
        .unwrap()
        .build()
        .unwrap()
        .map(|batch| batch.unwrap().num_rows())
        .sum();
    assert_eq!(rows, 4);
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let terminal = Terminal::detect(crate::args::ColorWhen::Never);
    let destination = Destination {
        format: Format::Csv,
        file: Some(path.clone()),
        look: Look::default(),
    };
    let batch = sample();
    let mut output = destination.open(&batch.schema(), &terminal).unwrap();
    output.write(&batch).unwrap();
    assert!(!path.exists());
    drop(output);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    assert_eq!(print_batch(&destination, &terminal, &batch).unwrap(), 2);
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3);
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);

    let missing = Destination {
        file: Some(folder.path().join("no/such/out.csv")),
        ..destination
    };
    match missing.open(&batch.schema(), &terminal) {
        Err(OutputError::File { path, .. }) => assert!(path.ends_with("no/such/out.csv")),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a folder that is not there"),
    }
}

#[test]
fn the_name_of_a_file_says_its_format() {
    for (name, expected) in [
        ("a.CSV", Some(Format::Csv)),
        ("a.jsonl", Some(Format::Ndjson)),
        ("a.b.parquet", Some(Format::Parquet)),
        ("a.md", Some(Format::Markdown)),
        ("a", None),
        ("a.xlsx", None),
    ] {
        assert_eq!(Format::of_path(Path::new(name)), expected, "{name}");
    }
}

#[test]
fn a_table_too_wide_to_read_becomes_records() {
    let columns = (0..20).map(|n| {
        let texts = StringArray::from(vec!["a text of some length"]);
        (format!("column_{n}"), Arc::new(texts) as ArrayRef)
    });
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let draw = |width| {
        let look = Look {
            width: Some(width),
            count: true,
            ..Look::default()
        };
        String::from_utf8(bytes(Format::Table, look, std::slice::from_ref(&batch))).unwrap()
    };
    assert!(draw(300).starts_with('╭'));
    let narrow = draw(80);
    assert!(narrow.starts_with("─[ 1 ]─"), "{narrow}");
    assert!(
        narrow.ends_with("column_19 │ a text of some length\n(1 row)\n"),
        "{narrow}"
    );
    let look = Look {
        width: Some(80),
        ..Look::default()
    };
    let many: Vec<RecordBatch> = (0..2500).map(|_| batch.clone()).collect();
    let drawn = String::from_utf8(bytes(Format::Table, look, &many)).unwrap();
    assert!(drawn.contains("─[ 2500 ]─"));
}
