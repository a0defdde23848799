//! The object container file (Avro 1.12, "Object Container Files"): a header, then blocks of records.

use std::collections::VecDeque;
use std::io::Read;

use bytes::{Buf, Bytes, BytesMut};

use crate::blocks::Cut;
use crate::error::FormatError;

/// The first bytes of every file.
pub(crate) const MAGIC: &[u8] = b"Obj\x01";
const SYNC_BYTES: usize = 16;
/// Bytes of a count and a size, at most.
const LONGS_BYTES_MAX: usize = 20;

/// How blocks are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

/// A file's header.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) schema: Bytes,
    pub(crate) codec: Codec,
    pub(crate) sync: Bytes,
    /// Bytes of it.
    pub(crate) length: usize,
}

/// A number in zigzag and 7 bits a byte; none where the bytes end before it does.
pub(crate) fn long(bytes: &mut &[u8]) -> Result<Option<i64>, String> {
    let mut value = 0_u64;
    for (index, shift) in (0..64).step_by(7).enumerate() {
        let Some(byte) = bytes.get(index) else {
            return Ok(None);
        };
        value |= u64::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            *bytes = &bytes[index + 1..];
            return Ok(Some((value >> 1) as i64 ^ -((value & 1) as i64)));
        }
    }
    Err("a number has more than 64 bits".to_owned())
}

/// A number as [`long`] reads it.
pub(crate) fn put_long(value: i64, bytes: &mut Vec<u8>) {
    let mut left = ((value << 1) ^ (value >> 63)) as u64;
    while left >= 0x80 {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

impl Header {
    /// Reads a header; none where the bytes end before it does.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn read(head: &Bytes) -> Result<Option<Self>, String> {
        let Some(mut rest) = head.strip_prefix(MAGIC) else {
            return Err("it does not begin as an Avro object container file".to_owned());
        };
        let (mut schema, mut codec) = (None, Codec::Null);
        loop {
            let Some(count) = long(&mut rest)? else {
                return Ok(None);
            };
            if count == 0 {
                break;
            }
            // A negative count is followed by the block's size.
            if count < 0 && long(&mut rest)?.is_none() {
                return Ok(None);
            }
            for _ in 0..count.unsigned_abs() {
                let (Some(key), Some(value)) = (text(&mut rest)?, text(&mut rest)?) else {
                    return Ok(None);
                };
                match key {
                    b"avro.schema" => schema = Some(head.slice_ref(value)),
                    b"avro.codec" => codec = Codec::of(value)?,
                    _ => {}
                }
            }
        }
        if rest.len() < SYNC_BYTES {
            return Ok(None);
        }
        Ok(Some(Self {
            schema: schema.ok_or("its header has no schema")?,
            codec,
            sync: head.slice_ref(&rest[..SYNC_BYTES]),
            length: head.len() - rest.len() + SYNC_BYTES,
        }))
    }

    /// The header of a file with the same records, not packed.
    pub(crate) fn plain(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        put_long(1, &mut bytes);
        for text in [&b"avro.schema"[..], &self.schema] {
            put_long(text.len() as i64, &mut bytes);
            bytes.extend_from_slice(text);
        }
        put_long(0, &mut bytes);
        bytes.extend_from_slice(&self.sync);
        bytes
    }
}

fn text<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, String> {
    let Some(length) = long(bytes)? else {
        return Ok(None);
    };
    let length = usize::try_from(length).map_err(|_| "a text has a negative length".to_owned())?;
    let Some((text, rest)) = bytes.split_at_checked(length) else {
        return Ok(None);
    };
    *bytes = rest;
    Ok(Some(text))
}

impl Codec {
    fn of(name: &[u8]) -> Result<Self, String> {
        Ok(match name {
            b"null" => Self::Null,
            b"deflate" => Self::Deflate,
            b"snappy" => Self::Snappy,
            b"zstandard" => Self::Zstandard,
            other => {
                let other = String::from_utf8_lossy(other);
                return Err(format!(
                    "its blocks are packed by `{other}`; null, deflate, snappy and zstandard can be read"
                ));
            }
        })
    }

    /// A block's records, at most `bytes_max`.
    ///
    /// # Errors
    /// Why they cannot be unpacked.
    pub(crate) fn unpack(self, packed: &Bytes, bytes_max: usize) -> Result<Bytes, String> {
        let too_long = || format!("a block unpacks to more than {bytes_max} bytes");
        let mut unpacked = Vec::new();
        let bound = bytes_max as u64 + 1;
        let read = match self {
            Self::Null => return Ok(packed.clone()),
            Self::Deflate => flate2::read::DeflateDecoder::new(packed.as_ref())
                .take(bound)
                .read_to_end(&mut unpacked),
            Self::Zstandard => zstd::stream::read::Decoder::new(packed.as_ref())
                .and_then(|decoder| decoder.take(bound).read_to_end(&mut unpacked)),
            Self::Snappy => {
                // The checksum of what is unpacked comes last.
                let Some(body) = packed.len().checked_sub(4) else {
                    return Err("a block ends inside its checksum".to_owned());
                };
                let (body, checksum) = packed.split_at(body);
                let length = snap::raw::decompress_len(body).map_err(|error| error.to_string())?;
                if length > bytes_max {
                    return Err(too_long());
                }
                let unpacked = snap::raw::Decoder::new().decompress_vec(body);
                let unpacked = unpacked.map_err(|error| error.to_string())?;
                if crc32fast::hash(&unpacked).to_be_bytes() != checksum {
                    return Err("a block's checksum does not fit its bytes".to_owned());
                }
                return Ok(Bytes::from(unpacked));
            }
        };
        read.map_err(|error| format!("a block cannot be unpacked: {error}"))?;
        match unpacked.len() > bytes_max {
            true => Err(too_long()),
            false => Ok(Bytes::from(unpacked)),
        }
    }
}

/// Some records, packed.
#[derive(Debug)]
pub(crate) struct AvroBlock {
    /// The number of the first.
    pub(crate) row: i64,
    pub(crate) count: i64,
    pub(crate) packed: Bytes,
    /// Where the block starts.
    pub(crate) byte: u64,
}

/// Cuts a file at the ends of its blocks.
#[derive(Debug)]
pub(crate) struct BlockCutter {
    name: String,
    sync: Bytes,
    block_bytes_max: usize,
    row: i64,
    /// Bytes of the header that are still to be passed over.
    skip: usize,
    waiting: BytesMut,
    /// Where the waiting bytes start.
    byte: u64,
}

impl BlockCutter {
    pub(crate) fn new(name: &str, header: &Header, block_bytes_max: usize) -> Self {
        Self {
            name: name.to_owned(),
            sync: header.sync.clone(),
            block_bytes_max,
            row: 1,
            skip: header.length,
            waiting: BytesMut::new(),
            byte: 0,
        }
    }

    fn error(&self, reason: String) -> FormatError {
        FormatError::Document {
            name: self.name.clone(),
            byte: self.byte,
            reason,
        }
    }

    /// The next block, if all of it waits.
    fn block(&mut self) -> Result<Option<AvroBlock>, FormatError> {
        let mut rest = self.waiting.as_ref();
        let read = long(&mut rest).and_then(|count| Ok((count, long(&mut rest)?)));
        let (Some(count), Some(size)) = read.map_err(|reason| self.error(reason))? else {
            return Ok(None);
        };
        let bound = self.block_bytes_max;
        let size = usize::try_from(size).ok().filter(|size| *size <= bound);
        let Some(size) = size else {
            return Err(self.error(format!("a block is longer than {bound} bytes")));
        };
        let longs = self.waiting.len() - rest.len();
        if rest.len() < size + SYNC_BYTES {
            return Ok(None);
        }
        if rest[size..size + SYNC_BYTES] != self.sync {
            return Err(self.error("a block does not end with the file's mark".to_owned()));
        }
        // Records of nothing take no bytes; no sane file has more of them than this.
        if count < 0 || count > (self.block_bytes_max as i64).saturating_mul(64) {
            return Err(self.error(format!("a block says it has {count} records")));
        }
        self.waiting.advance(longs);
        let packed = self.waiting.split_to(size).freeze();
        self.waiting.advance(SYNC_BYTES);
        let block = AvroBlock {
            row: self.row,
            count,
            packed,
            byte: self.byte,
        };
        self.byte += (longs + size + SYNC_BYTES) as u64;
        self.row += count;
        Ok(Some(block))
    }
}

impl Cut for BlockCutter {
    type Block = AvroBlock;

    fn feed(
        &mut self,
        mut chunk: Bytes,
        blocks: &mut VecDeque<AvroBlock>,
    ) -> Result<(), FormatError> {
        let skipped = self.skip.min(chunk.len());
        chunk.advance(skipped);
        self.skip -= skipped;
        self.byte += skipped as u64;
        self.waiting.extend_from_slice(&chunk);
        // Numbers may be cut: without this many bytes they are tried again with the next chunk.
        while self.waiting.len() > LONGS_BYTES_MAX {
            match self.block()? {
                Some(block) if block.count > 0 => blocks.push_back(block),
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }

    fn finish(&mut self, blocks: &mut VecDeque<AvroBlock>) -> Result<(), FormatError> {
        while let Some(block) = self.block()? {
            if block.count > 0 {
                blocks.push_back(block);
            }
        }
        match self.waiting.is_empty() {
            true => Ok(()),
            false => Err(self.error("the file ends inside a block".to_owned())),
        }
    }
}
