//! When a run is killed.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{Project, Random};

/// What is watched: the log, or a folder of the lake. A run fetches into `raw`, loads into `tables`, stages into `runs`, publishes into
/// `snapshots` and then `tables` again, and tells of itself in `journal`; what is personal lies below `restricted`.
const WATCHED: [&str; 7] = [
    "log",
    "raw",
    "tables",
    "runs",
    "snapshots",
    "journal",
    "restricted",
];

/// How much a whole run makes of each that it makes anything of.
pub(super) struct Instants {
    args: &'static [&'static str],
    most: Vec<(&'static str, usize)>,
    next: usize,
}

/// One kill.
pub(super) struct Shot {
    /// Whether the run was still going.
    pub(super) hit: bool,
}

impl Instants {
    /// Lets a run go to its end and counts what it makes.
    pub(super) fn of_a_whole_run(project: &Project) -> Self {
        Self::of(project, &["run", "--all"])
    }

    /// The same of another command.
    pub(super) fn of(project: &Project, args: &'static [&'static str]) -> Self {
        let before: Vec<_> = WATCHED
            .iter()
            .map(|it| files(&project.lake().join(it)))
            .collect();
        let done = project.sectorlake(args).ok();
        let made = |(name, before): (&'static str, usize)| match name {
            "log" => (name, done.stderr.lines().count()),
            folder => (
                name,
                files(&project.lake().join(folder)).saturating_sub(before),
            ),
        };
        let most = WATCHED.into_iter().zip(before).map(made);
        Self {
            args,
            most: most.filter(|(_, most)| *most > 0).collect(),
            next: 0,
        }
    }

    /// Starts a run and kills it at an instant of the seed's choice; what is watched changes from one to the next.
    pub(super) fn shoot(&mut self, project: &Project, random: &mut Random) -> Shot {
        let (watched, most) = self.most[self.next % self.most.len()];
        self.next += 1;
        let after = random.up_to(most);
        let mut command = project.command(self.args);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let status = match watched {
            "log" => after_lines(command, after),
            folder => after_files(project, command, folder, after),
        };
        let hit = status.signal() == Some(9);
        eprintln!(
            "killed at {after} of {most} in {watched}: {}",
            if hit { "hit" } else { "it had ended" }
        );
        Shot { hit }
    }
}

fn after_lines(mut command: Command, lines: usize) -> std::process::ExitStatus {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    for line in log.by_ref().take(lines) {
        line.unwrap();
    }
    kill(child)
}

fn after_files(
    project: &Project,
    mut command: Command,
    folder: &str,
    more: usize,
) -> std::process::ExitStatus {
    let folder = project.lake().join(folder);
    let enough = files(&folder) + more;
    let mut child = command
        .stderr(File::create(project.path("log.txt")).unwrap())
        .spawn()
        .unwrap();
    while files(&folder) < enough && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    kill(child)
}

fn kill(mut child: Child) -> std::process::ExitStatus {
    // SIGKILL; a child that has ended already is not killed.
    child.kill().unwrap();
    child.wait().unwrap()
}

/// Files below a folder, unfinished ones too; a folder may go while it is counted.
pub(super) fn files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let mut count = 0;
    for entry in entries.flatten() {
        count += if entry.file_type().is_ok_and(|it| it.is_dir()) {
            files(&entry.path())
        } else {
            1
        };
    }
    count
}
