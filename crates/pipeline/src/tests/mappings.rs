//! A mapping that changes while its table holds rows that it gave.

use super::{Folder, STOPS};

const FIRST: &str = "stop_id,name\nA,a\nB,b\nC,c\nD,d\n";

/// A merge of one file, with a mapping and more of the file.
fn merged(filter: &str, more: &str) -> String {
    format!(
        "source: {{ connector: files, path: data/stops.csv }}\n{more}tables:\n  city.stops:\n    load: merge\n    map: SELECT stop_id, name FROM source{filter}\n"
    )
}

fn folder() -> Folder {
    Folder::new(&[
        STOPS,
        ("pipelines/bus.yaml", &merged("", "")),
        ("data/stops.csv", FIRST),
    ])
}

#[tokio::test]
async fn what_a_changed_mapping_gives_no_more_goes_from_a_merge() {
    let folder = folder();
    folder.run(&["bus"]).await;
    // The file of the first run is no more: its rows are kept, as a merge keeps them.
    folder.write("data/stops.csv", "stop_id,name\nB,b\nC,c\nD,d\nE,e\n");
    folder.run(&["bus"]).await;
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 5)]);
    folder.write("data/stops.csv", "stop_id,name\nC,c\nD,dd\nE,e\nF,f\n");
    folder.run(&["bus"]).await;
    let mut told = Vec::new();
    folder.write("pipelines/bus.yaml", &merged(" WHERE stop_id <> 'F'", ""));
    told.push(folder.page(&["bus"]).await);
    assert_eq!(
        folder.stops().await,
        ["A a 0.0", "B b 0.0", "C c 0.0", "D dd 0.0", "E e 0.0"],
        "{told:?}"
    );
    told.push(folder.page(&["bus"]).await);
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_changed_mapping_does_not_empty_a_merge_unasked() {
    let folder = folder();
    folder.run(&["bus"]).await;
    let filter = " WHERE stop_id = 'A'";
    folder.write("pipelines/bus.yaml", &merged(filter, ""));
    let refused = folder.page(&["bus"]).await;
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 4)]);
    folder.write("pipelines/bus.yaml", &merged(filter, "on_shrink: allow\n"));
    let allowed = folder.page(&["bus"]).await;
    assert_eq!(folder.stops().await, ["A a 0.0"]);
    insta::assert_snapshot!(format!("{refused}\n{allowed}"));
}
