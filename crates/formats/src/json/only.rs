//! The only list of a document: where the records are in an answer that wraps them, and nobody says under which key.

use futures::TryStreamExt;

use super::Reading;
use crate::choice::Choice;
use crate::error::FormatError;

/// What stands for it in `record_path`.
pub(super) const ONLY: &str = "*";

/// Bytes of a key that are kept.
const KEY_BYTES_MAX: usize = 1024;

/// The way to it; empty where the document is a list itself, or holds none or several.
pub(super) async fn path(reading: &Reading) -> Result<(Vec<String>, Vec<Choice>), FormatError> {
    let (mut text, mut lists) = (reading.text(), Lists::default());
    while !lists.is_settled
        && let Some(chunk) = text.try_next().await?
    {
        lists.feed(&chunk);
    }
    let several = |keys: &[String]| {
        let why = format!(
            "the document is one record: of its lists, {} may hold the records; say which, such as `records: {}`, or `format: {{ name: json, record_path: {} }}`",
            keys.join(" and "),
            keys[0],
            keys[0]
        );
        vec![Choice::new(Choice::RECORD_PATH, "", why)]
    };
    Ok(match lists.keys.as_slice() {
        [] => (Vec::new(), Vec::new()),
        [key] => {
            let why = "the only list in the document holds the records";
            let choice = Choice::new(Choice::RECORD_PATH, key, why);
            (vec![key.clone()], vec![choice])
        }
        keys => (Vec::new(), several(keys)),
    })
}

/// The lists among the values of the document's own object, found by brackets and strings alone.
#[derive(Debug, Default)]
struct Lists {
    keys: Vec<String>,
    /// What comes changes nothing.
    is_settled: bool,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// A value comes, no key.
    after_colon: bool,
    key: Vec<u8>,
}

impl Lists {
    fn feed(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            if self.in_string {
                self.string(byte);
                continue;
            }
            match byte {
                b'"' => {
                    self.in_string = true;
                    if self.is_key() {
                        self.key.clear();
                    }
                }
                b'[' if self.depth == 0 => {
                    self.is_settled = true;
                    return;
                }
                b'[' if self.depth == 1 => {
                    self.depth += 1;
                    self.take();
                    // A second list settles that there is no only one.
                    if self.keys.len() > 1 {
                        self.is_settled = true;
                        return;
                    }
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                b':' if self.depth == 1 => self.after_colon = true,
                b',' if self.depth == 1 => self.after_colon = false,
                _ => {}
            }
        }
    }

    fn is_key(&self) -> bool {
        self.depth == 1 && !self.after_colon
    }

    fn string(&mut self, byte: u8) {
        let ends = byte == b'"' && !self.escaped;
        self.escaped = byte == b'\\' && !self.escaped;
        self.in_string = !ends;
        if !ends && self.is_key() && self.key.len() < KEY_BYTES_MAX {
            self.key.push(byte);
        }
    }

    fn take(&mut self) {
        let quoted = [b"\"", self.key.as_slice(), b"\""].concat();
        let key = serde_json::from_slice(&quoted);
        self.keys
            .push(key.unwrap_or_else(|_| String::from_utf8_lossy(&self.key).into_owned()));
    }
}
