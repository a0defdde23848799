//! Rows that the source has removed, and rows that it has revised.

use super::{Folder, STOPS};

const BUS: &str = "source: { connector: pages, path: data, whole: true }
tables:
  city.stops:
    load: merge
    deletions: follow
    map: SELECT stop_id, name, lat FROM source
";

fn folder(pipeline: &str) -> Folder {
    Folder::new(&[STOPS, ("pipelines/bus.yaml", pipeline)])
}

impl Folder {
    /// A page of stops, each with its latitude.
    fn latitudes(&self, page: &str, stops: &[(&str, &str)]) {
        let mut text = "stop_id,name,lat\n".to_owned();
        for (id, lat) in stops {
            text.push_str(&format!("{id},Bến {id},{lat}\n"));
        }
        self.write(&format!("data/{page}.csv"), &text);
    }

    async fn count(&self) -> u64 {
        self.rows("city.stops")
            .await
            .first()
            .map_or(0, |(_, rows)| *rows)
    }
}

#[tokio::test]
async fn rows_that_the_source_has_no_more_go() {
    let folder = folder(BUS);
    folder.latitudes("1", &[("A", "20.1"), ("B", "20.2"), ("C", "20.3")]);
    folder.latitudes("2", &[("D", "20.4"), ("E", "20.5")]);
    let mut pages = vec![folder.page(&["bus"]).await];
    // One goes, one is revised, one moves to another page; the second page is the same as before.
    folder.latitudes("1", &[("A", "20.1"), ("C", "20.9")]);
    pages.push(folder.page(&["bus"]).await);
    assert_eq!(folder.count().await, 4);
    // A row that is on both pages and leaves one of them stays.
    folder.latitudes("1", &[("A", "20.1"), ("D", "20.4")]);
    folder.run(&["bus"]).await;
    assert_eq!(folder.count().await, 3);
    folder.latitudes("1", &[("A", "20.1")]);
    folder.run(&["bus"]).await;
    assert_eq!(folder.count().await, 3);
    // A whole page goes, and comes back.
    std::fs::remove_file(folder.path().join("data/1.csv")).unwrap();
    pages.push(folder.page(&["bus"]).await);
    assert_eq!(folder.count().await, 2);
    pages.push(folder.page(&["bus"]).await);
    insta::assert_snapshot!(pages.join("\n"));
}

#[tokio::test]
async fn without_the_word_they_stay() {
    let folder = folder(&BUS.replace("    deletions: follow\n", "    deletions: ignore\n"));
    folder.latitudes("1", &[("A", "20.1"), ("B", "20.2")]);
    folder.run(&["bus"]).await;
    folder.latitudes("1", &[("A", "20.1")]);
    folder.run(&["bus"]).await;
    assert_eq!(folder.count().await, 2);
    // With it they go, though the source is the same.
    folder.write("pipelines/bus.yaml", BUS);
    folder.run(&["bus"]).await;
    assert_eq!(folder.count().await, 1);
}

#[tokio::test]
async fn a_source_that_lost_most_of_its_rows_is_not_followed() {
    let folder = folder(BUS);
    folder.latitudes("1", &[("A", "20.1"), ("B", "20.2"), ("C", "20.3")]);
    folder.run(&["bus"]).await;
    folder.latitudes("1", &[("A", "20.1")]);
    let mut pages = vec![folder.page(&["bus"]).await];
    assert_eq!(folder.count().await, 3);
    folder.write("pipelines/bus.yaml", &format!("{BUS}on_shrink: allow\n"));
    pages.push(folder.page(&["bus"]).await);
    assert_eq!(folder.count().await, 1);
    insta::assert_snapshot!(pages.join("\n"));
}

#[tokio::test]
async fn a_row_that_came_and_was_refused_is_not_gone() {
    let folder = folder(&format!("{BUS}on_reject: {{ max_rows: 9 }}\n"));
    folder.latitudes(
        "1",
        &[("A", "20.1"), ("B", "20.2"), ("C", "20.3"), ("D", "20.4")],
    );
    folder.run(&["bus"]).await;
    // B is there, with a latitude that is none; C is gone.
    folder.latitudes("1", &[("A", "20.1"), ("B", "200"), ("D", "20.4")]);
    let mut pages = vec![folder.page(&["bus"]).await];
    assert_eq!(folder.count().await, 3);
    // A row without a key, which may be any.
    folder.latitudes("1", &[("A", "20.1"), ("", "20.2"), ("B", "20.2")]);
    pages.push(folder.page(&["bus"]).await);
    assert_eq!(folder.count().await, 3);
    insta::assert_snapshot!(pages.join("\n"));
}

#[tokio::test]
async fn a_source_that_goes_on_cannot_be_followed() {
    let folder = folder(&BUS.replace(", whole: true", ""));
    folder.latitudes("1", &[("A", "20.1")]);
    let page = folder.page(&["bus"]).await;
    assert_eq!(folder.count().await, 0);
    let append = BUS.replace("merge", "append");
    folder.write("pipelines/bus.yaml", &append);
    let mut problems = vec![page, folder.page(&["bus"]).await];
    // One that does not say so is found out.
    let silent = BUS.replace("pages, path: data, whole: true", "parted, path: parts");
    folder.write("pipelines/bus.yaml", &silent);
    folder.write("parts/a/1.csv", "stop_id,name,lat\nA,Bến A,20.1\n");
    problems.push(folder.page(&["bus"]).await);
    let replace = BUS.replace("merge", "replace").replace("follow", "ignore");
    folder.write("pipelines/bus.yaml", &replace);
    problems.push(folder.page(&["bus"]).await);
    insta::assert_snapshot!(problems.join("\n"));
}

#[tokio::test]
async fn a_pipeline_lets_go_of_its_own_rows_only() {
    let folder = folder(BUS);
    folder.write(
        "pipelines/ferry.yaml",
        &BUS.replace("path: data", "path: ferries"),
    );
    folder.write("ferries/1.csv", "stop_id,name,lat\nA,Bến Bính,20.8\n");
    folder.latitudes("1", &[("A", "20.1"), ("B", "20.2")]);
    folder.run(&["bus", "ferry"]).await;
    folder.latitudes("1", &[("B", "20.2")]);
    folder.run(&["bus", "ferry"]).await;
    let rows = [("bus".to_owned(), 1), ("ferry".to_owned(), 1)];
    assert_eq!(folder.rows("city.stops").await, rows);
}
