//! A source that was polled for months: its manifests are in packs, its state in pieces, and all works as before.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::future::{Either, select};
use sectorlake_lake::{At, OnlyThese, ProcessId};

use super::{Folder, Heard, STOPS, shown};
use crate::{Language, Outcome, run};

const BUS: &str = "source: { connector: parted, path: data }
tables:
  city.stops: { from: daily, load: LOAD, map: \"SELECT stop_id, name, lat FROM source\" }
on_reject: { max_share: 1 }
";

struct Polled {
    folder: Folder,
    lives: u32,
    pages: usize,
}

impl Polled {
    fn new(load: &str) -> Self {
        let yaml = BUS.replace("LOAD", load);
        Self {
            folder: Folder::new(&[STOPS, ("pipelines/bus.yaml", &yaml)]),
            lives: 1,
            pages: 0,
        }
    }

    /// More pages of both stations, a stop on each; the seventh is out of bounds.
    fn more(&mut self, count: usize) {
        for page in self.pages..self.pages + count {
            let lat = if page == 7 { 200.5 } else { 20.5 };
            let text = format!("stop_id,name,lat\nS{page:04},Bến {page},{lat}\n");
            let station = page % 2;
            let path = format!("data/{station}/{page:04}.csv");
            self.folder.write(&path, &text);
        }
        self.pages += count;
    }

    /// The process is another from now on, and those before it are dead.
    fn reborn(&mut self) {
        self.lives += 1;
        let process = ProcessId {
            pid: self.lives,
            started: 1,
        };
        self.folder.env.process = process;
        self.folder.env.alive = Arc::new(OnlyThese(vec![process]));
    }

    /// A run that is killed after so many steps of its work, in a process of its own; whether it was.
    async fn killed(&mut self, steps: u32) -> bool {
        let context = self.folder.context().await;
        let (names, heard) = (["bus".to_owned()], Heard::default());
        let mut left = steps;
        let end = std::future::poll_fn(|_| {
            left = left.saturating_sub(1);
            match left {
                0 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        });
        let (work, end) = (pin!(run(&context, &names, &heard)), pin!(end));
        let killed = matches!(select(work, end).await, Either::Right(_));
        self.reborn();
        killed
    }

    async fn page(&self) -> String {
        self.folder.page(&["bus"]).await
    }

    async fn count(&self, of: &str) -> String {
        let sql = format!("SELECT count(*) FROM city.stops WHERE {of}");
        self.folder.lines(&sql).await.remove(0)
    }

    fn files(&self, folder: &str) -> usize {
        let folder = self.folder.path().join("lake/raw/bus").join(folder);
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

/// A process: when it is dropped, all that it left running ends, as it does when a process dies.
fn process() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

fn check(load: &str) {
    let mut polled = Polled::new(load);
    let (mut kills, mut seed) = (0, 11_u32);
    for _ in 0..3 {
        polled.more(300);
        for _ in 0..4 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let steps = 5 + (seed >> 16) % 600;
            kills += u32::from(process().block_on(polled.killed(steps)));
        }
        process().block_on(async {
            let ended = polled.folder.run(&["bus"]).await.remove(0);
            let failed = matches!(ended.outcome, Outcome::Failed(_));
            assert!(!failed, "{}", shown(&ended));
            let rows = polled.pages - 1;
            assert_eq!(polled.count("true").await, rows.to_string(), "{load}");
        });
        polled.reborn();
    }
    assert!(kills > 3, "{kills}");
    process().block_on(ends_whole(polled, load));
}

async fn ends_whole(mut polled: Polled, load: &str) {
    // A run after which nothing was touched packs, and the next one removes.
    for _ in 0..2 {
        polled.more(1);
        polled.folder.run(&["bus"]).await;
    }
    let manifests = polled.files("manifests");
    assert!(manifests < 300, "{manifests} files for {}", polled.pages);
    assert!(polled.files("lists") > 2);
    assert_eq!(
        polled.files("parts"),
        polled.pages,
        "nothing is lost or left"
    );
    let page = polled.page().await;
    assert!(page.contains("unchanged"), "{page}");

    // What is in packs can still be corrected.
    let exported = polled.folder.export("out.csv", Language::En).await;
    assert_eq!(exported.unwrap().rows, 1);
    let sheet = polled.folder.read("out.csv");
    polled
        .folder
        .write("fix.csv", &sheet.replace("200.5", "20.25"));
    let fixed = polled.folder.fix("fix.csv").await;
    assert!(
        matches!(fixed.outcome, Outcome::Published { .. }),
        "{}",
        shown(&fixed)
    );
    assert_eq!(polled.count("lat = 20.25").await, "1");

    // Another mapping maps all parts again; what is only appended stays as it was.
    polled.reborn();
    let yaml = BUS
        .replace("LOAD", load)
        .replace("name, lat", "concat(name, '!') AS name, lat");
    polled.folder.write("pipelines/bus.yaml", &yaml);
    polled.more(1);
    let page = polled.page().await;
    let all = polled.pages.to_string();
    assert_eq!(polled.count("true").await, all, "{page}");
    let renamed = match load {
        "merge" => all,
        _ => "1".to_owned(),
    };
    assert_eq!(polled.count("name LIKE '%!'").await, renamed, "{page}");
    let lake = polled.folder.lake().await;
    let snapshot = lake.snapshot(At::Latest).await.unwrap().unwrap();
    let state = lake.state(&snapshot, "bus").await.unwrap().unwrap();
    assert_eq!(state.parts.len(), polled.pages);
}

#[test]
fn a_merged_source_of_many_parts_stays_whole() {
    check("merge");
}

#[test]
fn an_appended_source_of_many_parts_stays_whole() {
    check("append");
}
