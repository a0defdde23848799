//! Archives that are none, that climb out, that inflate.

use crate::harness::{Done, Project, assert_said};
use crate::samples::{SMALL_FEED, bus, zip};

/// A run that must fail, publish nothing, and leave nothing outside the lake.
fn refused(project: &Project) -> Done {
    let done = project.run(&["bus"]);
    assert_eq!(done.code, Some(4), "{}", done.whole());
    project.has_published_nothing();
    done
}

#[test]
fn zip_that_is_none() {
    assert_said!(refused(&bus(
        "<!DOCTYPE html><html><body>Service unavailable</body></html>"
    )));
}

#[test]
fn zip_that_was_cut_off() {
    let whole = SMALL_FEED.zip();
    assert_said!(refused(&bus(&whole[..whole.len() / 2])));
}

#[test]
fn member_that_climbs_out_of_its_folder() {
    let mut members = SMALL_FEED.members();
    members.push(("../../escaped.txt", "caught\n".to_owned()));
    let members: Vec<_> = members
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    let project = bus(zip(&members));
    assert_said!(refused(&project));
    assert!(
        !project
            .root()
            .parent()
            .unwrap()
            .join("escaped.txt")
            .exists()
    );
}

#[test]
fn member_that_inflates_beyond_the_bound() {
    // Deflate shrinks zeros about a thousandfold: no honest table does that.
    let mut stops = b"stop_id,stop_name,stop_lat,stop_lon\nP0,".to_vec();
    stops.resize(96 << 20, b'0');
    let mut members = SMALL_FEED.members();
    members.retain(|(name, _)| *name != "stops.txt");
    let mut members: Vec<_> = members
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    members.push(("stops.txt", &stops));
    assert_said!(refused(&bus(zip(&members))));
}

#[test]
fn member_that_lies_about_its_size() {
    // The sizes in the central directory say one byte; the bytes say otherwise.
    let mut bytes = SMALL_FEED.zip();
    let entry = bytes.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
    bytes[entry + 24..entry + 28].copy_from_slice(&1u32.to_le_bytes());
    let done = bus(bytes).run(&["bus"]);
    assert!(
        done.code == Some(4) || done.code == Some(0),
        "{}",
        done.whole()
    );
    assert!(!done.says("panicked"), "{}", done.whole());
}

#[test]
fn required_member_missing() {
    let mut members = SMALL_FEED.members();
    members.retain(|(name, _)| *name != "stop_times.txt");
    let members: Vec<_> = members
        .iter()
        .map(|(name, text)| (*name, text.as_bytes()))
        .collect();
    assert_said!(refused(&bus(zip(&members))));
}
