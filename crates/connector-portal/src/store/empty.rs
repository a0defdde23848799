//! Files without a byte. Among others they are told and passed over: loggers and uploads in progress leave them daily.

use super::shelf::Entry;

/// Names that a note tells.
const TOLD_MAX: usize = 3;

/// Whether it has no byte.
pub(super) fn is_empty(entry: &Entry) -> bool {
    entry.size == Some(0)
}

/// The files less those that are empty and hold nothing that was read before, and what to tell of these. Where nothing else is
/// left to read, they stay.
pub(super) fn without_empty(
    files: Vec<Entry>,
    address: impl Fn(&Entry) -> String,
    has_held: impl Fn(&str) -> bool,
) -> (Vec<Entry>, Option<String>) {
    if files.iter().all(is_empty) {
        return (files, None);
    }
    let (passed, files): (Vec<Entry>, Vec<Entry>) = files
        .into_iter()
        .partition(|entry| is_empty(entry) && !has_held(&address(entry)));
    let told: Vec<String> = passed.iter().take(TOLD_MAX).map(address).collect();
    let told = told.join(", ");
    let note = match passed.len() {
        0 => None,
        1 => Some(format!("{told} is empty (0 bytes) and was passed over")),
        count if count <= TOLD_MAX => Some(format!(
            "{count} files are empty (0 bytes) and were passed over: {told}"
        )),
        count => Some(format!(
            "{count} files are empty (0 bytes) and were passed over: {told} and {} others",
            count - TOLD_MAX
        )),
    };
    (files, note)
}

/// What is told of a file that held something when it was last read.
pub(super) fn note_of_held(place: &str) -> String {
    format!(
        "{place} is empty (0 bytes) now, as files are while they are written: what it held stays until it has content again"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, u64)], expected: (&str, Option<&str>)) {
        let entry = |(path, size): &(&str, u64)| Entry {
            path: (*path).to_owned(),
            is_folder: false,
            size: Some(*size),
            etag: None,
            modified: None,
        };
        let files = files.iter().map(entry).collect();
        let address = |entry: &Entry| format!("ftp://h/{}", entry.path);
        let (files, note) = without_empty(files, address, |place| place.ends_with("held"));
        let paths: Vec<&str> = files.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!((paths.join(" ").as_str(), note.as_deref()), expected);
    }

    #[test]
    fn empty_files_are_passed_over_where_others_are_not() {
        check(&[("a", 0)], ("a", None));
        check(&[("a", 0), ("b", 0), ("held", 0)], ("a b held", None));
        check(&[("a", 1), ("b", 2)], ("a b", None));
        check(&[("a", 1), ("held", 0)], ("a held", None));
        let one = "ftp://h/a is empty (0 bytes) and was passed over";
        check(&[("a", 0), ("b", 2)], ("b", Some(one)));
        let two = "2 files are empty (0 bytes) and were passed over: ftp://h/a, ftp://h/c";
        check(&[("a", 0), ("b", 2), ("c", 0)], ("b", Some(two)));
        let five = "5 files are empty (0 bytes) and were passed over: ftp://h/a, ftp://h/b, ftp://h/c and 2 others";
        let files = [("a", 0), ("b", 0), ("c", 0), ("d", 0), ("e", 0), ("f", 1)];
        check(&files, ("f", Some(five)));
    }
}
