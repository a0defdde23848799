//! Chunks are divided where no letter is, and transcoded side by side.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;

use super::{Kind, utf16, vietnamese};
use crate::content::Chunks;
use crate::error::FormatError;

/// Bytes without a place to divide at, at most: beyond, the text is divided anywhere.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// The text of some bytes that are whole letters.
pub(super) fn text(kind: Kind, source: &[u8]) -> Bytes {
    let mut text = Vec::new();
    append(kind, source, &mut text);
    Bytes::from(text)
}

fn append(kind: Kind, source: &[u8], text: &mut Vec<u8>) {
    match kind {
        Kind::Utf16 { big_endian } => utf16::append(source, big_endian, text),
        Kind::Table {
            table,
            capitals: Some(capitals),
            ..
        } => {
            let mut done = 0;
            for stretch in vietnamese::capitals(source) {
                table.append(&source[done..stretch.start], text);
                capitals.append(&source[stretch.clone()], text);
                done = stretch.end;
            }
            table.append(&source[done..], text);
        }
        Kind::Table { table, .. } => table.append(source, text),
        // These two have ways of their own.
        Kind::Utf8 | Kind::Other(_) => text.extend_from_slice(source),
    }
}

/// Bytes that are whole letters: what the last chunk ended with and this one's beginning, then the rest.
struct Whole {
    seam: Vec<u8>,
    rest: Bytes,
}

impl Whole {
    fn text(&self, kind: Kind) -> Bytes {
        let mut text = Vec::with_capacity(self.seam.len() + self.rest.len());
        append(kind, &self.seam, &mut text);
        append(kind, &self.rest, &mut text);
        Bytes::from(text)
    }
}

/// The texts of all chunks, in order.
pub(super) fn texts(kind: Kind, chunks: Chunks, side_by_side: usize) -> Chunks {
    let ended = chunks.map(Some).chain(stream::iter([None]));
    let divided = ended.scan(Vec::new(), move |waiting, chunk| {
        let whole = match chunk {
            Some(Ok(chunk)) => Ok(divide(kind, waiting, chunk)),
            Some(Err(error)) => Err(error),
            None => Ok(Whole {
                seam: std::mem::take(waiting),
                rest: Bytes::new(),
            }),
        };
        std::future::ready(Some(whole))
    });
    divided
        .map(move |whole| async move {
            let whole = whole?;
            let task = tokio::spawn(async move { whole.text(kind) });
            task.await.map_err(|_| FormatError::Stopped {
                name: "transcoding".to_owned(),
            })
        })
        .buffered(side_by_side.max(1))
        .boxed()
}

/// What of `waiting` and `chunk` is whole letters; the rest waits.
fn divide(kind: Kind, waiting: &mut Vec<u8>, chunk: Bytes) -> Whole {
    let first = match kind {
        _ if waiting.is_empty() => 0,
        // Chunks mostly have whole units: then nothing waits.
        Kind::Utf16 { .. } => chunk.len(),
        _ => chunk
            .iter()
            .position(|byte| divides(*byte))
            .map_or(chunk.len(), |first| first + 1),
    };
    let mut seam = std::mem::take(waiting);
    seam.extend_from_slice(&chunk[..first]);
    let rest = chunk.slice(first..);
    if rest.is_empty() {
        // Nothing to divide at was found so far, or it stands at the end.
        *waiting = seam.split_off(end(kind, &seam));
        return Whole { seam, rest };
    }
    let end = end(kind, &rest);
    waiting.extend_from_slice(&rest[end..]);
    Whole {
        seam,
        rest: rest.slice(..end),
    }
}

/// How many of the first bytes are whole letters.
fn end(kind: Kind, source: &[u8]) -> usize {
    match kind {
        Kind::Utf16 { big_endian } => utf16::whole(source, big_endian),
        _ => source.iter().rposition(|byte| divides(*byte)).map_or_else(
            || source.len() * usize::from(source.len() > WAITING_BYTES_MAX),
            |last| last + 1,
        ),
    }
}

/// Whether text can be divided after a byte: it is ASCII, no letter, and stands in no word or phrase.
fn divides(byte: u8) -> bool {
    byte == b'\n'
        || byte == b'\r'
        || byte == b'\t'
        || (byte.is_ascii_punctuation() || byte.is_ascii_digit())
}
