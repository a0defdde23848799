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
