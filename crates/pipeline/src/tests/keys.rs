//! Keys between tables.

use super::{CALLS, Folder, STOPS};

const BUS: &str = "source: { connector: files, path: data }
tables:
  city.calls: { from: calls.csv }
  city.stops: { from: stops.csv }
on_reject: { max_share: 1 }
";

fn folder() -> Folder {
    Folder::new(&[
        STOPS,
        CALLS,
        (
            "data/stops.csv",
            "stop_id,name,lat,parent\nA1,Quay 1,,A\nA,Cầu Rào,20.8,\nB,An Dương,20.9,nowhere\nB1,Quay 2,,B\n",
        ),
        (
            "data/calls.csv",
            "trip,n,stop_id\nt,1,A\nt,2,A1\nt,3,B\nt,3,A\nt,4,\n",
        ),
        ("pipelines/bus.yaml", BUS),
    ])
}

#[tokio::test]
async fn tables_are_filled_in_key_order_and_checked_against_accepted_rows() {
    let folder = folder();
    insta::assert_snapshot!(folder.page(&["bus"]).await);
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 2)]);
}

#[tokio::test]
async fn a_key_into_a_table_without_rows_is_told_once_and_not_enforced() {
    let folder = folder();
    folder.write(
        "pipelines/bus.yaml",
        &BUS.replace("  city.stops: { from: stops.csv }\n", ""),
    );
    insta::assert_snapshot!(folder.page(&["bus"]).await);
}

#[tokio::test]
async fn rows_published_before_count_too() {
    let folder = folder();
    folder.run(&["bus"]).await;
    folder.write(
        "pipelines/bus.yaml",
        &BUS.replace("  city.stops: { from: stops.csv }\n", ""),
    );
    folder.write("data/calls.csv", "trip,n,stop_id\nt,1,A\nt,2,A1\nt,3,C\n");
    insta::assert_snapshot!(folder.page(&["bus"]).await);
}

#[tokio::test]
async fn an_optional_stream_that_is_not_there_makes_no_table() {
    let folder = folder();
    folder.write(
        "pipelines/bus.yaml",
        "source: { connector: feed, path: data }\n",
    );
    folder.write_bytes("data/feed.zip", &zipped("stops.csv", "stop_id,name\nA,a\n"));
    insta::assert_snapshot!(folder.page(&["bus"]).await);
}

/// A zip of one stored member (APPNOTE.TXT 4.3), so that no crate is needed to pack one.
fn zipped(name: &str, text: &str) -> Vec<u8> {
    let crc = text.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    });
    let (size, length) = (text.len() as u32, name.len() as u16);
    let mut common = Vec::new();
    common.extend(20_u16.to_le_bytes());
    common.extend([0; 8]);
    common.extend((!crc).to_le_bytes());
    common.extend(size.to_le_bytes());
    common.extend(size.to_le_bytes());
    common.extend(length.to_le_bytes());
    common.extend([0; 2]);
    let mut zip = b"PK\x03\x04".to_vec();
    zip.extend(&common);
    zip.extend(name.bytes().chain(text.bytes()));
    let directory = zip.len() as u32;
    zip.extend(b"PK\x01\x02\x14\x00");
    zip.extend(&common);
    zip.extend([0; 14]);
    zip.extend(name.bytes());
    let end = zip.len() as u32;
    zip.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    zip.extend((end - directory).to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0; 2]);
    zip
}
