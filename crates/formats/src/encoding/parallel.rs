//! Chunks are divided where no letter is, and transcoded side by side.

use bytes::{Bytes, BytesMut};
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
    match kind {
        Kind::Utf16 { big_endian } => utf16::append(source, big_endian, &mut text),
        Kind::Table {
            table,
            capitals: Some(capitals),
            ..
        } => {
            let mut done = 0;
            for stretch in vietnamese::capitals(source) {
                table.append(&source[done..stretch.start], &mut text);
                capitals.append(&source[stretch.clone()], &mut text);
                done = stretch.end;
            }
            table.append(&source[done..], &mut text);
        }
        Kind::Table { table, .. } => table.append(source, &mut text),
        // These two have ways of their own.
        Kind::Utf8 | Kind::Other(_) => text.extend_from_slice(source),
    }
    Bytes::from(text)
}

/// The texts of all chunks, in order.
pub(super) fn texts(kind: Kind, chunks: Chunks, side_by_side: usize) -> Chunks {
    let ended = chunks.map(Some).chain(stream::iter([None]));
    let divided = ended.scan(BytesMut::new(), move |waiting, chunk| {
        let whole = match chunk {
            Some(Ok(chunk)) => Ok(divide(kind, waiting, chunk)),
            Some(Err(error)) => Err(error),
            None => Ok(waiting.split().freeze()),
        };
        std::future::ready(Some(whole))
    });
    divided
        .map(move |whole| async move {
            let whole = whole?;
            let task = tokio::spawn(async move { text(kind, &whole) });
            task.await.map_err(|_| FormatError::Stopped {
                name: "transcoding".to_owned(),
            })
        })
        .buffered(side_by_side.max(1))
        .boxed()
}

/// What of `waiting` and `chunk` is whole letters; the rest waits.
fn divide(kind: Kind, waiting: &mut BytesMut, mut chunk: Bytes) -> Bytes {
    if !waiting.is_empty() {
        waiting.extend_from_slice(&chunk);
        chunk = waiting.split().freeze();
    }
    let end = match kind {
        Kind::Utf16 { big_endian } => utf16::whole(&chunk, big_endian),
        _ => chunk.iter().rposition(|byte| divides(*byte)).map_or_else(
            || chunk.len() * usize::from(chunk.len() > WAITING_BYTES_MAX),
            |last| last + 1,
        ),
    };
    waiting.extend_from_slice(&chunk[end..]);
    chunk.truncate(end);
    chunk
}

/// Whether text can be divided after a byte: it is ASCII, no letter, and stands in no word or phrase.
fn divides(byte: u8) -> bool {
    byte == b'\n'
        || byte == b'\r'
        || byte == b'\t'
        || (byte.is_ascii_punctuation() || byte.is_ascii_digit())
}
