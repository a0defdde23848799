//! Text encodings: by byte order mark, else as declared, else UTF-8. What is not UTF-8 is transcoded as it streams.

use bytes::Bytes;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use futures::StreamExt;
use futures::stream;

use crate::content::Chunks;
use crate::error::FormatError;

/// Stands for bytes that the declared encoding does not have: it is no UTF-8 either, so the decoders see a broken record.
const MALFORMED: u8 = 0xFF;

/// How a part's bytes become UTF-8.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextEncoding {
    encoding: &'static Encoding,
    /// Bytes of the byte order mark.
    mark_bytes: usize,
}

impl TextEncoding {
    /// A mark wins over what is declared: people copy declarations, programs write marks.
    pub(crate) fn find(name: &str, label: Option<&str>, head: &[u8]) -> Result<Self, FormatError> {
        let declared = match label {
            Some(label) => Encoding::for_label(label.as_bytes()).ok_or_else(|| {
                FormatError::UnknownEncoding {
                    name: name.to_owned(),
                    label: label.to_owned(),
                }
            })?,
            None => UTF_8,
        };
        let (encoding, mark_bytes) = Encoding::for_bom(head).unwrap_or((declared, 0));
        Ok(Self {
            encoding,
            mark_bytes,
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.encoding.name()
    }

    /// Whether the text is the part's bytes as they are.
    pub(crate) fn is_utf8(&self) -> bool {
        self.encoding == UTF_8
    }

    /// The text of a part's first bytes.
    pub(crate) fn head(&self, head: &Bytes) -> Bytes {
        let head = head.slice(self.mark_bytes.min(head.len())..);
        match self.is_utf8() {
            true => head,
            false => transcode(
                &mut self.encoding.new_decoder_without_bom_handling(),
                &head,
                false,
            ),
        }
    }

    /// Where a byte of the text lies in the part; none where it was transcoded.
    pub(crate) fn byte_in_part(&self, byte_of_text: u64) -> Option<u64> {
        self.is_utf8()
            .then(|| byte_of_text + self.mark_bytes as u64)
    }

    /// The text of a part, without the mark. UTF-8 passes as it is, checked later.
    pub(crate) fn text(&self, chunks: Chunks) -> Chunks {
        let chunks = skip(chunks, self.mark_bytes);
        if self.is_utf8() {
            return chunks;
        }
        let decoder = self.encoding.new_decoder_without_bom_handling();
        let ended = chunks.map(Some).chain(stream::iter([None]));
        ended
            .scan(decoder, |decoder, chunk| {
                let text = match chunk {
                    Some(Ok(chunk)) => Ok(transcode(decoder, &chunk, false)),
                    Some(Err(error)) => Err(error),
                    None => Ok(transcode(decoder, &[], true)),
                };
                std::future::ready(Some(text))
            })
            .boxed()
    }
}

/// Leaves out the first bytes.
pub(crate) fn skip(chunks: Chunks, bytes: usize) -> Chunks {
    if bytes == 0 {
        return chunks;
    }
    chunks
        .scan(bytes, |left, chunk| {
            let rest = chunk.map(|mut chunk| {
                let gone = (*left).min(chunk.len());
                *left -= gone;
                chunk.split_off(gone)
            });
            std::future::ready(Some(rest))
        })
        .boxed()
}

fn transcode(decoder: &mut Decoder, mut source: &[u8], last: bool) -> Bytes {
    let mut text = vec![
        0;
        decoder
            .max_utf8_buffer_length_without_replacement(source.len())
            .unwrap_or(source.len() * 3)
            + 16
    ];
    let mut filled = 0;
    loop {
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(source, &mut text[filled..], last);
        source = &source[read..];
        filled += written;
        match result {
            DecoderResult::InputEmpty => break,
            DecoderResult::OutputFull => text.resize(text.len() * 2, 0),
            DecoderResult::Malformed(..) => {
                if filled == text.len() {
                    text.resize(text.len() * 2, 0);
                }
                text[filled] = MALFORMED;
                filled += 1;
            }
        }
    }
    text.truncate(filled);
    Bytes::from(text)
}
