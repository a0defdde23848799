//! How runs end.

use super::{Folder, Heard, STOPS, shown};
use crate::{Outcome, run};

const BUS: &str = "source: { connector: files, path: data/stops.csv }
tables:
  city.stops: { map: \"SELECT stop_id, stop_name AS name, stop_lat AS lat FROM source\" }
";
const DATA: &str = "stop_id,stop_name,stop_lat\nA,Cầu Rào,20.8\nB,An Dương,20.9\n";

fn folder() -> Folder {
    Folder::new(&[STOPS, ("data/stops.csv", DATA), ("pipelines/bus.yaml", BUS)])
}

#[tokio::test]
async fn the_same_again_publishes_nothing() {
    let folder = folder();
    let mut pages = vec![folder.page(&["bus"]).await, folder.page(&["bus"]).await];
    folder.write(
        "pipelines/bus.yaml",
        &BUS.replace("stop_name AS name", "upper(stop_name) AS name"),
    );
    pages.push(folder.page(&["bus"]).await);
    folder.write("data/stops.csv", &format!("{DATA}C,Đồ Sơn,20.7\n"));
    pages.push(folder.page(&["bus"]).await);
    pages.push(folder.page(&["bus"]).await);
    insta::assert_snapshot!(pages.join("\n"));
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 3)]);
}

#[tokio::test]
async fn a_pipeline_that_fails_harms_no_other() {
    let folder = folder();
    folder.write("pipelines/broken.yaml", "sorce: {}\n");
    folder.write("pipelines/gone.yaml", &BUS.replace("stops.csv", "gone.csv"));
    folder.write(
        "pipelines/slip.yaml",
        &BUS.replace("stop_name AS", "stop_nam AS"),
    );
    insta::assert_snapshot!(folder.page(&["broken", "gone", "slip", "bus"]).await);
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 2)]);
}

#[tokio::test]
async fn two_pipelines_feed_one_table() {
    let folder = folder();
    folder.write(
        "data/ferries.csv",
        "stop_id,stop_name,stop_lat\nA,Bến Bính,20.86\n",
    );
    folder.write(
        "pipelines/ferry.yaml",
        &BUS.replace("stops.csv", "ferries.csv"),
    );
    folder.run(&["bus", "ferry"]).await;
    assert_eq!(
        folder.rows("city.stops").await,
        [("bus".to_owned(), 2), ("ferry".to_owned(), 1)]
    );
    folder.write(
        "data/stops.csv",
        "stop_id,stop_name,stop_lat\nA,Cầu Rào,20.8\n",
    );
    folder.run(&["bus"]).await;
    assert_eq!(
        folder.rows("city.stops").await,
        [("bus".to_owned(), 1), ("ferry".to_owned(), 1)],
        "own rows only"
    );
}

#[tokio::test]
async fn too_much_rejected() {
    let folder = folder();
    folder.write(
        "data/stops.csv",
        "stop_id,stop_name,stop_lat\nA,,n/a\nB,An Dương,200\nC,Đồ Sơn\n",
    );
    let mut pages = vec![folder.page(&["bus"]).await];
    assert!(
        folder.rows("city.stops").await.is_empty(),
        "nothing is published"
    );
    folder.write(
        "data/stops.csv",
        "stop_id,stop_name,stop_lat\nA,Cầu Rào,20.8\nB,An Dương,200\n",
    );
    folder.write(
        "pipelines/bus.yaml",
        &format!("{BUS}on_reject: {{ max_rows: 1 }}\n"),
    );
    pages.push(folder.page(&["bus"]).await);
    insta::assert_snapshot!(pages.join("\n"));
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 1)]);
}

#[tokio::test]
async fn a_table_that_would_shrink() {
    let folder = folder();
    folder.write("data/stops.csv", &format!("{DATA}C,Đồ Sơn,20.7\n"));
    folder.run(&["bus"]).await;
    folder.write(
        "data/stops.csv",
        "stop_id,stop_name,stop_lat\nA,Cầu Rào,20.8\n",
    );
    let mut pages = vec![folder.page(&["bus"]).await];
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 3)]);
    folder.write("pipelines/bus.yaml", &format!("{BUS}on_shrink: allow\n"));
    pages.push(folder.page(&["bus"]).await);
    insta::assert_snapshot!(pages.join("\n"));
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 1)]);
}

#[tokio::test]
async fn default_mappings_need_no_tables() {
    let folder = folder();
    folder.write(
        "pipelines/bus.yaml",
        "source: { connector: files, path: data/stops.csv, stops: true }\n",
    );
    folder.write("data/stops.csv", "stop_id,stop_name\nA,Cầu Rào\n");
    insta::assert_snapshot!(folder.page(&["bus"]).await);
}

#[tokio::test]
async fn what_is_told_on_the_way() {
    let folder = folder();
    let heard = Heard::default();
    let results = run(&folder.context().await, &["bus".to_owned()], &heard).await;
    assert!(
        matches!(results[0].outcome, Outcome::Published { snapshot: 1 }),
        "{}",
        shown(&results[0])
    );
    insta::assert_snapshot!(heard.0.into_inner().unwrap().join("\n"));
}

#[tokio::test]
async fn a_run_under_way_locks_its_pipeline() {
    let folder = folder();
    let held = folder.lake().await.begin("bus").await.unwrap();
    let page = folder.page(&["bus"]).await;
    insta::assert_snapshot!(page);
    held.abandon().await.unwrap();
}

#[tokio::test]
async fn the_journal_has_every_reason() {
    let folder = folder();
    folder.write(
        "data/stops.csv",
        "stop_id,stop_name,stop_lat\nA,,200\nA,Cầu Rào,20.8\nA,Cầu Rào 2,20.8\nC\n",
    );
    folder.write(
        "pipelines/bus.yaml",
        &format!("{BUS}on_reject: {{ max_share: 1 }}\n"),
    );
    insta::assert_snapshot!(folder.page(&["bus"]).await);
    let journal = folder.lake().await.journal();
    for (kind, files) in [
        ("runs", 2),
        ("run_tables", 1),
        ("run_parts", 1),
        ("rejected_rows", 1),
    ] {
        let kind = sectorlake_lake::Kind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
            .unwrap();
        assert_eq!(journal.files(kind).await.unwrap().len(), files, "{kind:?}");
    }
}
