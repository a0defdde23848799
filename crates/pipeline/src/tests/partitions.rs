//! Units with partitions: fetched side by side, each going on where it stopped.

use std::sync::Arc;

use chrono::TimeDelta;
use sectorlake_lake::{At, Env, Manifest, ManualClock};

use super::{Folder, Heard, STOPS, shown};
use crate::run;

const WHOLE: &str = "source: { connector: parted, path: data, whole: true }
tables:
  city.stops: { from: daily, load: merge, map: \"SELECT stop_id, name, lat FROM source\" }
";

fn rounds() -> String {
    WHOLE.replace("whole", "rounds")
}

fn growing() -> String {
    WHOLE.replace(", whole: true", "")
}

fn folder(pipeline: &str) -> Folder {
    Folder::new(&[STOPS, ("pipelines/bus.yaml", pipeline)])
}

/// A folder whose runs begin when its clock says.
fn clocked(pipeline: &str) -> (Folder, Arc<ManualClock>) {
    let (mut folder, clock) = (folder(pipeline), Arc::new(ManualClock::default()));
    folder.env = Env::manual_with(Arc::clone(&clock));
    (folder, clock)
}

impl Folder {
    /// A page with one stop.
    fn page_of(&self, path: &str, stop: &str) {
        let text = format!("stop_id,name,lat\n{stop},Bến {stop},20.8\n");
        self.write(&format!("data/{path}"), &text);
    }

    /// What was asked for since the last time, in order of names.
    fn asked(&self) -> Vec<String> {
        let path = self.path().join("asked");
        let asked = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, "").unwrap();
        let mut asked: Vec<String> = asked.split_whitespace().map(str::to_owned).collect();
        asked.sort();
        asked
    }

    /// The raw parts, by partition and key.
    async fn raw(&self) -> Vec<(String, String)> {
        let manifests: Vec<Manifest> = self.lake().await.raw("bus").manifests().await.unwrap();
        let mut parts: Vec<(String, String)> = manifests
            .into_iter()
            .map(|part| (part.partition.clone().unwrap_or_default(), part.key.clone()))
            .collect();
        parts.sort();
        parts
    }
}

fn stops(count: u64) -> [(String, u64); 1] {
    [("bus".to_owned(), count)]
}

#[tokio::test]
async fn each_partition_is_read_and_goes_on_by_itself() {
    let folder = folder(&growing());
    for (path, stop) in [
        ("2024-05/a.csv", "A"),
        ("2024-05/b.csv", "B"),
        ("2024-06/a.csv", "C"),
    ] {
        folder.page_of(path, stop);
    }
    let mut pages = vec![folder.page(&["bus"]).await];
    assert_eq!(
        folder.asked(),
        ["2024-05/a.csv", "2024-05/b.csv", "2024-06/a.csv"]
    );
    assert_eq!(
        folder.raw().await.len(),
        3,
        "one key in two partitions is two parts"
    );
    folder.page_of("2024-06/b.csv", "D");
    folder.page_of("2024-07/a.csv", "E");
    pages.push(folder.page(&["bus"]).await);
    assert_eq!(folder.asked(), ["2024-06/b.csv", "2024-07/a.csv"]);
    pages.push(folder.page(&["bus"]).await);
    insta::assert_snapshot!(pages.join("\n"));
    assert_eq!(folder.rows("city.stops").await, stops(5));
    let lake = folder.lake().await;
    let snapshot = lake.snapshot(At::Latest).await.unwrap().unwrap();
    let state = lake.state(&snapshot, "bus").await.unwrap().unwrap();
    let said = serde_json::to_string(&(state.cursor, state.partitions)).unwrap();
    assert_eq!(
        said,
        r#"[{},{"daily":{"2024-05":"b.csv","2024-06":"b.csv","2024-07":"a.csv"}}]"#
    );
}

#[tokio::test]
async fn a_run_that_dies_at_part_80_of_100_goes_on_at_81() {
    for pipeline in [WHOLE.to_owned(), growing(), rounds()] {
        // One after the other, so that what comes before the 80th is done, and what comes after is not.
        let (folder, clock) = clocked(&format!("{pipeline}partitions_at_once: 1\n"));
        for number in 0..100 {
            folder.page_of(&format!("{number:02}/a.csv"), &format!("S{number}"));
        }
        std::fs::rename(
            folder.path().join("data/79/a.csv"),
            folder.path().join("data/79/hang.csv"),
        )
        .unwrap();
        let context = folder.context().await;
        let names = ["bus".to_owned()];
        let heard = Heard::default();
        let is_there = async {
            let asked = folder.path().join("asked");
            while !std::fs::read_to_string(&asked)
                .unwrap_or_default()
                .contains("hang")
            {
                tokio::task::yield_now().await;
            }
            // The manifests of what was fetched are stored behind it.
            context.lake.raw("bus").flush().await.unwrap();
        };
        tokio::select! {
            _ = run(&context, &names, &heard) => unreachable!("it hangs"),
            () = is_there => {}
        }
        drop(context);
        assert_eq!(folder.asked().len(), 80);
        std::fs::rename(
            folder.path().join("data/79/hang.csv"),
            folder.path().join("data/79/a.csv"),
        )
        .unwrap();
        clock.advance(TimeDelta::hours(1));
        let page = folder.page(&["bus"]).await;
        assert!(page.contains("fetched 21 new"), "{page}");
        assert!(
            page.contains("79 parts that a run before had fetched"),
            "{page}"
        );
        let asked = folder.asked();
        assert_eq!((asked.len(), asked[0].as_str()), (21, "79/a.csv"));
        assert_eq!(folder.rows("city.stops").await, stops(100));
        // What was taken up keeps its place: the next run asks for what is behind it.
        folder.page_of("07/b.csv", "later");
        clock.advance(TimeDelta::hours(1));
        folder.run(&["bus"]).await;
        let asked = folder.asked();
        assert!(asked.contains(&"07/b.csv".to_owned()), "{asked:?}");
        if pipeline == rounds() {
            assert_eq!(asked.len(), 100);
        }
    }
}

#[tokio::test]
async fn rounds_that_are_all_over_are_followed_by_others() {
    let (folder, clock) = clocked(&rounds());
    folder.write("data/1/a.csv", "stop_id,name,lat\nA,,20.8\n");
    folder.page_of("2/a.csv", "B");
    let page = folder.page(&["bus"]).await;
    assert!(page.contains("failed (Data)"), "{page}");
    assert_eq!(folder.asked().len(), 2);
    folder.page_of("1/b.csv", "A");
    clock.advance(TimeDelta::hours(1));
    folder.run(&["bus"]).await;
    assert_eq!(folder.asked(), ["1/b.csv", "2/-"]);
}

#[tokio::test]
async fn one_that_fails_leaves_the_others_what_they_have() {
    let folder = folder(WHOLE);
    for number in 0..9 {
        folder.page_of(&format!("{number}/a.csv"), &format!("S{number}"));
    }
    folder.page_of("3/no.csv", "X");
    folder.page_of("6/no.csv", "Y");
    let mut pages = vec![folder.page(&["bus"]).await];
    assert_eq!(
        folder.asked().len(),
        11,
        "a partition that is gone keeps no other back"
    );
    assert_eq!(folder.raw().await.len(), 9);
    for gone in ["3", "6"] {
        std::fs::remove_file(folder.path().join(format!("data/{gone}/no.csv"))).unwrap();
    }
    pages.push(folder.page(&["bus"]).await);
    assert_eq!(folder.asked(), [""; 0], "all was there already");
    assert_eq!(folder.rows("city.stops").await, stops(9));
    insta::assert_snapshot!(pages.join("\n"));
}

#[tokio::test]
async fn a_source_out_of_order_is_not_asked_on() {
    let folder = folder(&format!("{WHOLE}partitions_at_once: 1\n"));
    for number in 0..9 {
        folder.page_of(&format!("{number}/a.csv"), &format!("S{number}"));
    }
    folder.page_of("3/ill.csv", "X");
    insta::assert_snapshot!(folder.page(&["bus"]).await);
    assert_eq!(folder.asked().len(), 5);
}

#[tokio::test]
async fn a_run_whose_fetch_was_whole_asks_anew() {
    let folder = folder(WHOLE);
    folder.write("data/1/a.csv", "stop_id,name,lat\nA,,20.8\n");
    folder.page_of("2/a.csv", "B");
    let page = folder.page(&["bus"]).await;
    assert!(page.contains("failed (Data)"), "{page}");
    assert_eq!(folder.asked().len(), 2);
    folder.page_of("1/a.csv", "A");
    folder.run(&["bus"]).await;
    assert_eq!(
        folder.asked().len(),
        2,
        "what was refused may be mended by now"
    );
    assert_eq!(folder.rows("city.stops").await, stops(2));
}

#[tokio::test]
async fn partitions_come_and_go() {
    let folder = folder(&growing());
    folder.page_of("a/1.csv", "A");
    folder.page_of("b/1.csv", "B");
    folder.run(&["bus"]).await;
    folder.asked();
    let away = folder.path().join("away");
    std::fs::rename(folder.path().join("data/a"), &away).unwrap();
    folder.page_of("b/2.csv", "C");
    let mut pages = vec![folder.page(&["bus"]).await];
    assert_eq!(folder.rows("city.stops").await, stops(3));
    // It comes back, and goes on where it stood.
    std::fs::rename(&away, folder.path().join("data/a")).unwrap();
    folder.page_of("a/2.csv", "D");
    folder.asked();
    pages.push(folder.page(&["bus"]).await);
    assert_eq!(folder.asked(), ["a/2.csv"]);
    assert_eq!(folder.rows("city.stops").await, stops(4));
    // All are gone: the source has lost its catalogue.
    for partition in ["a", "b"] {
        std::fs::remove_dir_all(folder.path().join("data").join(partition)).unwrap();
    }
    pages.push(folder.page(&["bus"]).await);
    assert_eq!(folder.rows("city.stops").await, stops(4));
    insta::assert_snapshot!(pages.join("\n"));
}

#[tokio::test]
async fn the_order_of_parts_is_that_of_the_partitions() {
    let order = |at_once: u8| async move {
        let folder = folder(&format!("{WHOLE}partitions_at_once: {at_once}\n"));
        for number in 0..20 {
            // All have the same key: the last one's name stays.
            let text = format!("stop_id,name,lat\nA,Bến {number},20.8\n");
            folder.write(&format!("data/{number:02}/a.csv"), &text);
        }
        let results = folder.run(&["bus"]).await;
        let parts: Vec<String> = results[0]
            .parts
            .iter()
            .map(|part| part.part.clone())
            .collect();
        (shown(&results[0]), parts)
    };
    assert_eq!(order(1).await, order(8).await);
}
