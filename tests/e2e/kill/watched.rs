//! Of `sectorlake watch`: a fleet that is polled each second, by processes that are killed at random instants and by one that is asked to
//! end.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::instant::files;
use super::random;
use crate::fleet;
use crate::harness::{Done, Project, Random, is_soak};
use crate::upstream::{Upstream, answer};

const VEHICLES: i64 = 40;
/// When the first message was made; each one after it half a minute later, however fast they are asked for.
const START: i64 = 1_767_225_600;
/// The vehicle that has no clock: its rows are as old as the messages that brought them.
const CLOCKLESS: &str = "v4";
/// The folders that a watch writes to, and how many files of a life are waited for there, at most.
const WATCHED: [(&str, usize); 5] = [
    ("raw", 7),
    ("tables", 4),
    ("runs", 8),
    ("snapshots", 1),
    ("journal", 4),
];
/// A life is killed after so many polls, whatever it has written by then.
const POLLS_MAX: i64 = 4;

/// The agency's server, and who watches it.
struct Fleet {
    project: Project,
    server: Upstream,
    /// How many messages were asked for.
    polls: Arc<AtomicI64>,
    polled: Receiver<()>,
}

impl Fleet {
    fn new() -> Self {
        let polls = Arc::<AtomicI64>::default();
        let (tell, polled) = mpsc::channel();
        let (count, tell) = (Arc::clone(&polls), Mutex::new(tell));
        let server = Upstream::start(move |_, target| {
            if target != "/vehicles.pb" {
                return answer(204, &[], "");
            }
            let poll = count.fetch_add(1, Ordering::SeqCst);
            // Nobody hears it where no test waits.
            let _ = tell.lock().unwrap().send(());
            answer(200, &[], fleet::message(VEHICLES, START + 30 * poll))
        });
        let project = Project::empty();
        project.file(
            "pipelines/transport/bus.yaml",
            format!(
                "source:\n  connector: gtfs_realtime\n  url: {}/vehicles.pb\n  allow_private: true\n  \
                 entities: [vehicle_positions]\nschedule: {{ every: 1s }}\n",
                server.url()
            ),
        );
        Self {
            project,
            server,
            polls,
            polled,
        }
    }

    /// Messages that were asked for. Whoever died while it waited to be served was served before this is told.
    fn polls(&self) -> i64 {
        let address = self.server.place.as_str();
        let mut asked = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut asked, b"GET /sync HTTP/1.1\r\n\r\n").unwrap();
        std::io::Read::read_to_end(&mut asked, &mut Vec::new()).unwrap();
        self.polls.load(Ordering::SeqCst)
    }

    fn watch(&self) -> Command {
        let mut command = self.project.command(&["watch"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Waits until so many more messages were asked for.
    fn wait_for_polls(&self, more: usize) {
        while self.polled.try_recv().is_ok() {}
        for _ in 0..more {
            self.polled.recv().unwrap();
        }
    }

    /// Watches, and is killed while it does this or that; whether it was still at work.
    fn is_killed(&self, random: &mut Random, kill: usize) {
        let log = File::create(self.project.path("log.txt")).unwrap();
        let mut command = self.watch();
        command.stderr(log);
        let mut child = match kill % 3 {
            0 => {
                let mut child = command.spawn().unwrap();
                self.wait_for_polls(random.up_to(3));
                child.kill().unwrap();
                child
            }
            _ => self.killed_when_written(command, random),
        };
        let status = child.wait().unwrap();
        let said = std::fs::read_to_string(self.project.path("log.txt")).unwrap();
        assert_eq!(status.signal(), Some(9), "{status}: {said}");
    }

    fn killed_when_written(&self, mut command: Command, random: &mut Random) -> Child {
        let (folder, most) = WATCHED[random.up_to(WATCHED.len()) - 1];
        let path = self.project.lake().join(folder);
        let more = random.up_to(most);
        let enough = files(&path) + more;
        let last = self.polls.load(Ordering::SeqCst) + POLLS_MAX;
        let mut child = command.spawn().unwrap();
        while files(&path) < enough && self.polls.load(Ordering::SeqCst) < last {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        eprintln!("killed at {more} of {most} in {folder}");
        child
    }

    /// The polls whose messages are in the table.
    fn taken(&self) -> BTreeSet<i64> {
        let statement = format!(
            "SELECT CAST(date_part('epoch', \"timestamp\") AS BIGINT) AS made FROM transport.vehicle_positions WHERE entity_id = '{CLOCKLESS}'"
        );
        let rows = self.project.sql(&statement);
        let polls = rows
            .iter()
            .map(|row| (row["made"].as_i64().unwrap() - START) / 30);
        polls.collect()
    }

    /// Fails unless the table is what these polls brought, to the row.
    fn table_is_of(&self, polls: &BTreeSet<i64>) {
        let mut expected = fleet::Rows::new();
        for poll in polls {
            fleet::fold(VEHICLES, START + 30 * poll, &mut expected);
        }
        let statement = "SELECT entity_id, CAST(date_part('epoch', \"timestamp\") AS BIGINT) AS at, trip_id, current_stop_sequence, \
            odometer, latitude FROM transport.vehicle_positions ORDER BY entity_id, at";
        let found = self.project.sql(statement);
        let found: Vec<_> = found.iter().map(row).collect();
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(found, expected);
    }
}

fn row(row: &Value) -> (fleet::Key, fleet::Fix) {
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let fix = fleet::Fix {
        trip: text("trip_id"),
        stop: row["current_stop_sequence"].as_i64().unwrap(),
        odometer: row["odometer"].as_f64().unwrap(),
        latitude: row["latitude"].as_f64().unwrap(),
    };
    ((text("entity_id"), row["at"].as_i64().unwrap()), fix)
}

#[test]
fn of_a_watch() {
    let (mut random, fleet) = (random(5), Fleet::new());
    // What was on its way when a life ended is all that may be lost.
    let mut on_their_way = BTreeSet::new();
    for kill in 0..if is_soak() { 30 } else { 5 } {
        fleet.is_killed(&mut random, kill);
        on_their_way.insert(fleet.polls() - 1);
    }
    let mut last = fleet.watch();
    let last = last.stderr(Stdio::piped()).spawn().unwrap();
    fleet.wait_for_polls(3);
    let ended = Command::new("kill")
        .args(["-TERM", &last.id().to_string()])
        .status();
    assert!(ended.unwrap().success());
    let done = Done::from_output(
        "sectorlake watch".to_owned(),
        last.wait_with_output().unwrap(),
    )
    .ok();
    on_their_way.insert(fleet.polls() - 1);

    let taken = fleet.taken();
    let given: BTreeSet<i64> = (0..fleet.polls()).collect();
    let lost: BTreeSet<i64> = given.difference(&taken).copied().collect();
    assert!(
        lost.is_subset(&on_their_way),
        "lost {lost:?}, on their way were {on_their_way:?}\n{}",
        done.whole()
    );
    fleet.table_is_of(&taken);
    // Nothing was left lying: a run brings what it asks for itself, and no more.
    fleet.project.run(&["bus"]).ok();
    let mut after = taken;
    after.insert(fleet.polls() - 1);
    fleet.table_is_of(&after);
    let unbalanced = fleet.project.sql(
        "SELECT * FROM meta.run_tables WHERE mapped <> loaded + unchanged + superseded + rejected",
    );
    assert!(unbalanced.is_empty(), "{unbalanced:?}");
}
