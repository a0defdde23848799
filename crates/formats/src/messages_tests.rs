//! What is said of bad input, with its mend.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::testing::{archive, block_on, part, read, spec};
use crate::{FormatError, ReadOptions, members};

fn say(error: &FormatError) -> String {
    match error.help() {
        Some(help) => format!("error: {error}\n  help: {help}"),
        None => format!("error: {error}"),
    }
}

fn refuse(name: &str, bytes: &[u8], format: Option<&str>) -> String {
    refuse_member(name, bytes, None, format)
}

fn refuse_member(name: &str, bytes: &[u8], member: Option<&str>, format: Option<&str>) -> String {
    block_on(async {
        let part = part(name, bytes).await;
        let format = format.map(spec);
        say(
            &read(&part, member, format.as_ref(), &ReadOptions::default())
                .await
                .unwrap_err(),
        )
    })
}

/// Errors while reading, and the reasons of broken records.
fn reasons(bytes: &[u8]) -> String {
    block_on(async {
        let part = part("stations.csv", bytes).await;
        let all = read(&part, None, None, &ReadOptions::default())
            .await
            .unwrap();
        let lines = all.broken.iter().map(|record| {
            let byte = record
                .byte
                .map_or_else(String::new, |byte| format!(" (at byte {byte})"));
            format!(
                "row {}: {}{byte}\n  record: {:?}",
                record.row, record.reason, record.raw
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn patched(mut bytes: Vec<u8>, local: usize, central: usize, value: u8) -> Vec<u8> {
    let at = bytes
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
        .unwrap();
    bytes[local] = value;
    bytes[at + central] = value;
    bytes
}

#[test]
fn broken_records() {
    insta::assert_snapshot!("nul", reasons(b"id,name\n1,a\n2,\0b\n3,c\n"));
    insta::assert_snapshot!("ragged", reasons(b"id,name\n1\n2,b\n3,c,d\n"));
    insta::assert_snapshot!("bad_utf8", reasons(b"id,name\n1,Nguy\xe9n\n2,b\n"));
    insta::assert_snapshot!("open_quote", reasons(b"id,name\n1,\"a\n2,b\n"));
}

#[test]
fn files_that_are_not_what_they_seem() {
    let xls = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0\0\0\0\0\0\0\0\0";
    let cases = [
        refuse("stations.csv", b"", None),
        refuse("stations.csv", b"\xEF\xBB\xBF", Some("\"csv\"")),
        refuse("stations.csv", b"\n\r\n", None),
        refuse("stations.csv", b"a,caf\xe9\n1,2\n", None),
        refuse("stations.csv", b"a\0,b\n1,2\n", None),
        refuse(
            "stations.csv",
            b"a,b\n1,2\n",
            Some(r#"{"name": "csv", "header_rows": [9]}"#),
        ),
        refuse(
            "stations.csv",
            b"a,b\n1,2\n",
            Some(r#"{"name": "csv", "header_rows": [2, 1]}"#),
        ),
        refuse(
            "stations.csv",
            b"a,b\n1,2\n",
            Some(r#"{"name": "csv", "delimiter": "→"}"#),
        ),
        refuse(
            "stations.csv",
            b"a,b\n1,2\n",
            Some(r#"{"name": "csv", "encoding": "utf8000"}"#),
        ),
        refuse("stations.csv", b"<!DOCTYPE html><html>", None),
        refuse("stations.xls", xls, None),
        refuse("stations.xls", xls, Some("\"xlsx\"")),
        refuse("stations.xlsx", b"a,b\n", Some("\"xlsx\"")),
        refuse("stations.parquet", b"PAR1 and no more", None),
        refuse(
            "stations.json",
            b"{\"meta\": 1, \"result\": []}",
            Some(r#"{"name": "json", "record_path": "results"}"#),
        ),
        refuse("stations.json", b"[{\"a\": 1}, {\"a\"", None),
        refuse(
            "stations.geojson",
            b"{\"type\": \"FeatureCollection\"}",
            None,
        ),
    ];
    insta::assert_snapshot!(cases.join("\n\n"));
}

#[test]
fn archives() {
    let gtfs = archive(&[
        ("stops.txt", b"stop_id\n1\n"),
        ("stop_times.txt", b"trip_id\n"),
    ]);
    let zeros = archive(&[("zeros.csv", &vec![b'0'; 20 << 20])]);
    let cases = [
        refuse("gtfs.zip", &gtfs, None),
        refuse_member("gtfs.zip", &gtfs, Some("stop.txt"), None),
        refuse_member("gtfs.zip", &gtfs, Some("weather"), None),
        refuse_member("gtfs.zip", b"<html>404</html>", Some("stops.txt"), None),
        refuse_member(
            "gtfs.zip",
            &gtfs[..gtfs.len() - 30],
            Some("stops.txt"),
            None,
        ),
        refuse_member(
            "gtfs.zip",
            &archive(&[("../stops.txt", b"stop_id\n")]),
            Some("../stops.txt"),
            None,
        ),
        refuse_member("gtfs.zip", &zeros, Some("zeros.csv"), None),
        // Bit 0 of the flags says that a member is encrypted; method 14 is LZMA.
        refuse_member(
            "gtfs.zip",
            &patched(gtfs.clone(), 6, 8, 1),
            Some("stops.txt"),
            None,
        ),
        refuse_member(
            "gtfs.zip",
            &patched(gtfs, 8, 10, 14),
            Some("stops.txt"),
            None,
        ),
    ];
    insta::assert_snapshot!(cases.join("\n\n"));
    let bounds = ReadOptions {
        unpacked_bytes_max: 1 << 20,
        ..ReadOptions::default()
    };
    let listed = block_on(async {
        members(&part("gtfs.zip", zeros).await, &bounds)
            .await
            .unwrap_err()
    });
    insta::assert_snapshot!("bomb_when_listed", say(&listed));
}
