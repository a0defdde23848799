//! A lake folder that may not be written, and one that is full.
//!
//! Root may write anywhere: there the right to do so is dropped (`setpriv`, else `unshare`). A full disk is a small file system in memory, mounted in
//! a namespace of its own (`unshare`), or else a bound on the size of files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::harness::{Done, Project, assert_said, ours, settings, skip};
use crate::samples::{CLINICS, Feed, bus, clinics};

/// Whether a shell command goes through.
fn works(program: &str, args: &[&str]) -> bool {
    let status = Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|it| it.success())
}

/// Runs the binary by way of another program, which is left out of what the snapshot shows.
fn by_way_of(project: &Project, program: &str, before: &[&str], args: &[&str]) -> Done {
    let mut command = Command::new(program);
    command
        .env_remove("SECTORLAKE_LAKE")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .stdin(Stdio::null());
    command
        .current_dir(project.root())
        .args(before)
        .arg(ours())
        .args(args);
    Done::from_output(
        format!("sectorlake {}", args.join(" ")),
        command.output().unwrap(),
    )
}

/// Ways for root to have no more rights than the files give.
const DROP_RIGHTS: [(&str, &[&str]); 2] = [
    (
        "setpriv",
        &["--bounding-set", "-dac_override,-dac_read_search"],
    ),
    ("unshare", &["--user"]),
];

/// Runs the binary with no more rights than the files give.
fn without_rights(project: &Project, args: &[&str]) -> Option<Done> {
    let probe = project.path("probe");
    if !probe.exists() {
        fs::write(&probe, "").unwrap();
        fs::set_permissions(&probe, fs::Permissions::from_mode(0o444)).unwrap();
    }
    let write = format!("echo >> '{}'", probe.display());
    if !works("sh", &["-c", &write]) {
        return Some(project.sectorlake(args));
    }
    let drops = |(program, before): &(&str, &[&str])| {
        works(program, &[before, &["true"][..]].concat())
            && !works(program, &[before, &["sh", "-c", &write][..]].concat())
    };
    let (program, before) = DROP_RIGHTS.into_iter().find(drops)?;
    Some(by_way_of(project, program, before, args))
}

/// Takes or gives the right to write to a folder and all below it.
fn set_writable(path: &std::path::Path, writable: bool) {
    if writable {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for entry in fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            set_writable(&entry.path(), writable);
        }
    }
    if !writable {
        fs::set_permissions(path, fs::Permissions::from_mode(0o555)).unwrap();
    }
}

#[test]
fn read_only_lake() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    set_writable(&project.lake(), false);
    project.file("data/clinics.csv", CLINICS.replace("C12", "C13"));
    let refused = without_rights(&project, &["run", "clinics"]);
    let read = without_rights(
        &project,
        &[
            "sql",
            "--format",
            "csv",
            "SELECT max(beds) AS beds FROM health.clinics",
        ],
    );
    set_writable(&project.lake(), true);
    let (Some(refused), Some(read)) = (refused, read) else {
        return skip(
            "a read-only lake",
            "root may write it, and neither setpriv nor unshare can take that away",
        );
    };
    assert_said!(refused);
    assert_ne!(refused.code, Some(0));
    assert_eq!(
        read.ok().stdout,
        "beds\n1500\n",
        "a reader needs no right to write"
    );
    // When it may be written again, the next run does what is due.
    project.run(&["clinics"]).ok();
    assert_eq!(
        project.number("SELECT count(*) FROM health.clinics WHERE clinic_id = 'C13'"),
        1
    );
}

#[test]
fn lake_in_a_folder_that_may_not_be_written() {
    let project = clinics(CLINICS);
    project.file("closed/readme.txt", "");
    set_writable(&project.path("closed"), false);
    let refused = without_rights(&project, &["run", "clinics", "--lake", "closed/lake"]);
    set_writable(&project.path("closed"), true);
    match refused {
        Some(refused) => {
            assert_said!(refused);
            assert_ne!(refused.code, Some(0));
        }
        None => skip(
            "a closed folder",
            "root may write it, and neither setpriv nor unshare can take that away",
        ),
    }
}

/// `$1` is the binary. The lake is a file system of 192 KiB; then it grows, and the next run must do all that is due.
const FULL_THEN_GROWN: &str = r#"
set -u
mkdir -p small && mount -t tmpfs -o size=192k,mode=755 tmpfs small || exit 99
"$1" run bus --lake small/lake
first=$?
[ "$(ls small/lake/snapshots 2>/dev/null | grep -c '^[0-9]*\.json$')" = 0 ] || { echo "a snapshot was published"; exit 98; }
mount -o remount,size=64m small || exit 99
"$1" run bus --lake small/lake >second.txt 2>&1 || { cat second.txt; exit 97; }
"$1" sql --lake small/lake --format csv "SELECT count(*) AS n FROM transport.stop_times" >count.txt || exit 96
exit $first
"#;

/// `$1` is the binary. No file may grow beyond 64 blocks; then it may, and the next run must do all that is due.
const SHORT_FILES_THEN_LONG: &str = r#"
(trap '' XFSZ; ulimit -f 64; exec "$1" run bus --lake small/lake)
first=$?
[ "$(ls small/lake/snapshots 2>/dev/null | grep -c '^[0-9]*\.json$')" = 0 ] || { echo "a snapshot was published"; exit 98; }
"$1" run bus --lake small/lake >second.txt 2>&1 || { cat second.txt; exit 97; }
"$1" sql --lake small/lake --format csv "SELECT count(*) AS n FROM transport.stop_times" >count.txt || exit 96
exit $first
"#;

#[test]
fn full_lake() {
    let feed = Feed {
        version: 0,
        trips: 500,
        calls: 40,
    };
    let project = bus(feed.zip());
    let binary = ours().to_str().unwrap();
    let namespace = ["--user", "--map-root-user", "--mount"];
    let mount = "mkdir -p small && mount -t tmpfs -o size=64k tmpfs small";
    let can_mount = works(
        "unshare",
        &[
            &namespace[..],
            &[
                "sh",
                "-c",
                &format!("cd '{}' && {mount}", project.root().display()),
            ],
        ]
        .concat(),
    );
    let mut command = if can_mount {
        let mut command = Command::new("unshare");
        command
            .args(namespace)
            .args(["sh", "-c", FULL_THEN_GROWN, "sh", binary]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", SHORT_FILES_THEN_LONG, "sh", binary]);
        command
    };
    command
        .env_remove("SECTORLAKE_LAKE")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .current_dir(project.root());
    let done = Done::from_output(
        "sectorlake run bus --lake small/lake".to_owned(),
        command.output().unwrap(),
    );
    let codes =
        "99: no file system, 98: published, 97: the next run failed, 96: nor can it be read";
    assert_ne!(
        done.code,
        Some(0),
        "20000 rows fit into a full lake\n{}",
        done.whole()
    );
    assert!(done.code < Some(96), "{codes}\n{}", done.whole());
    assert_eq!(
        fs::read_to_string(project.path("count.txt")).unwrap(),
        "n\n20000\n"
    );
    // Which file is the first that does not fit is no matter.
    let error: Vec<_> = done
        .stderr
        .lines()
        .filter(|it| it.starts_with("error:") || it.starts_with("  help:"))
        .collect();
    let error = error
        .join("\n")
        .replace(&project.root().display().to_string(), "[DIR]");
    let (_, reason) = error
        .split_once("[DIR]/small/lake/")
        .unwrap_or_else(|| unreachable!("{}", done.whole()));
    assert!(error.starts_with("error: bus: cannot "), "{error}");
    if can_mount {
        let reason = reason.split_once(": ").unwrap().1;
        settings().bind(|| insta::assert_snapshot!(reason));
    }
}
