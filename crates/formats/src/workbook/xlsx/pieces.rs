//! Cuts a long XML member into pieces of whole elements, so that its length does not matter and several can be read at once.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// Cuts what comes between an opening tag and its closing one after each `</element>`.
#[derive(Debug)]
pub(crate) struct Pieces {
    /// The element around all, and the one that pieces hold whole; without prefix.
    outer: &'static str,
    inner: &'static str,
    tags: Option<Tags>,
    state: State,
    kept: BytesMut,
    /// Bytes that one element may take.
    bytes_max: usize,
}

/// The tags as this member writes them.
#[derive(Debug)]
struct Tags {
    outer_end: Vec<u8>,
    inner_end: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Inside,
    After,
}

impl Pieces {
    pub(crate) fn new(outer: &'static str, inner: &'static str, bytes_max: usize) -> Self {
        Self {
            outer,
            inner,
            tags: None,
            state: State::Before,
            kept: BytesMut::new(),
            bytes_max,
        }
    }

    /// Whether the closing tag has been seen.
    pub(crate) fn has_ended(&self) -> bool {
        self.state == State::After
    }

    /// Takes the next bytes, and gives the whole elements that there are now, if any.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Result<Option<Bytes>, String> {
        if self.has_ended() {
            return Ok(None);
        }
        // Only the end of what was kept can complete a tag with the new bytes.
        let seen = self.kept.len();
        self.kept.extend_from_slice(chunk);
        if self.state == State::Before && !self.begin()? {
            return Ok(None);
        }
        let Some(tags) = &self.tags else {
            return Ok(None);
        };
        let from = seen
            .saturating_sub(tags.outer_end.len())
            .min(self.kept.len());
        let piece = if let Some(end) = memmem::find(&self.kept[from..], &tags.outer_end) {
            self.state = State::After;
            let mut piece = std::mem::take(&mut self.kept);
            piece.truncate(from + end);
            piece
        } else if let Some(end) = memmem::rfind(&self.kept, &tags.inner_end) {
            self.kept.split_to(end + tags.inner_end.len())
        } else {
            BytesMut::new()
        };
        if self.kept.len() > self.bytes_max {
            return Err(format!(
                "a `{}` is longer than {} bytes",
                self.inner, self.bytes_max
            ));
        }
        Ok((!piece.is_empty()).then(|| piece.freeze()))
    }

    /// There are no more bytes.
    pub(crate) fn finish(&self) -> Result<(), String> {
        match self.state {
            State::After => Ok(()),
            State::Before => Err(format!("it has no `{}`", self.outer)),
            State::Inside => Err(format!(
                "it ends inside `{}`: the file was cut off",
                self.outer
            )),
        }
    }

    /// Looks for the opening tag, whose prefix the others have too.
    fn begin(&mut self) -> Result<bool, String> {
        for at in memmem::find_iter(&self.kept, self.outer.as_bytes()) {
            let prefix_start = self.kept[..at]
                .iter()
                .rposition(|byte| *byte == b'<')
                .map(|start| start + 1);
            let Some(prefix) = prefix_start.and_then(|start| self.kept.get(start..at)) else {
                continue;
            };
            let is_prefix = prefix.is_empty()
                || (prefix.ends_with(b":")
                    && prefix[..prefix.len() - 1]
                        .iter()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)));
            if !is_prefix || prefix.len() > 64 {
                continue;
            }
            let name_end = at + self.outer.len();
            let Some(close) = memchr::memchr(b'>', &self.kept[name_end..]) else {
                return self.too_long();
            };
            if !matches!(
                self.kept[name_end],
                b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n'
            ) {
                continue;
            }
            let tag = |name: &str| [b"</", prefix, name.as_bytes(), b">"].concat();
            self.tags = Some(Tags {
                outer_end: tag(self.outer),
                inner_end: tag(self.inner),
            });
            let is_empty = self.kept[name_end + close - 1] == b'/' && close > 0;
            self.state = if is_empty {
                State::After
            } else {
                State::Inside
            };
            drop(self.kept.split_to(name_end + close + 1));
            return Ok(!is_empty);
        }
        self.too_long()
    }

    fn too_long(&self) -> Result<bool, String> {
        match self.kept.len() > self.bytes_max {
            true => Err(format!(
                "`{}` does not begin within {} bytes",
                self.outer, self.bytes_max
            )),
            false => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn cut(text: &str, bytes: usize) -> Result<String, String> {
        let mut pieces = Pieces::new("sheetData", "row", 1000);
        let mut all = Vec::new();
        for chunk in text.as_bytes().chunks(bytes) {
            if let Some(piece) = pieces.feed(chunk)? {
                all.extend_from_slice(&piece);
            }
        }
        pieces.finish()?;
        Ok(String::from_utf8(all).unwrap())
    }

    #[test]
    fn pieces_add_up_however_they_are_cut() {
        let rows = "<row r=\"1\"><c/></row> <row/><row r=\"3\"></row>";
        let prefixed = rows
            .replace("</", "</x:")
            .replace("<row", "<x:row")
            .replace("<c/", "<x:c/");
        for bytes in 1..80 {
            let plain = format!(
                "<worksheet note=\"sheetData\"><sheetData>{rows}</sheetData><mergeCells/></worksheet>"
            );
            assert_eq!(cut(&plain, bytes).unwrap(), rows);
            let other =
                format!("<x:worksheet><x:sheetData >{prefixed}</x:sheetData></x:worksheet>");
            assert_eq!(cut(&other, bytes).unwrap(), prefixed);
            assert_eq!(
                cut("<worksheet><sheetData/></worksheet>", bytes).unwrap(),
                ""
            );
            assert!(
                cut("<worksheet><sheetData><row/>", bytes)
                    .unwrap_err()
                    .contains("cut off")
            );
            assert!(
                cut("<worksheet></worksheet>", bytes)
                    .unwrap_err()
                    .contains("no `sheetData`")
            );
            let long = format!("<sheetData><row>{}</row></sheetData>", " ".repeat(3000));
            assert!(bytes > 3 || cut(&long, bytes).is_err());
        }
    }
}
