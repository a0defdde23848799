//! Lines above a header that are comments.

use crate::csv::certain_delimiter;

/// What a comment begins with.
pub(super) const MARK: char = '#';

/// Why the lines that begin with the mark are comments; none where nothing says so for certain.
pub(super) fn find(text: &[u8]) -> Option<String> {
    let mark = MARK as u8;
    let mut lines = text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| !line.is_empty());
    let comments: Vec<&[u8]> = lines.by_ref().take_while(|line| line[0] == mark).collect();
    let last = comments.last()?;
    let delimiter = certain_delimiter(text, Some(mark))?;
    // The last of them may be the header.
    let header = text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .find(|line| line.first().is_some_and(|first| *first != mark))?;
    let fields = |line: &[u8]| line.iter().filter(|byte| **byte == delimiter).count();
    (fields(last) != fields(header)).then(|| {
        format!(
            "the first {} above the table begin with it",
            match comments.len() {
                1 => "line".to_owned(),
                lines => format!("{lines} lines"),
            }
        )
    })
}
