//! Members of a zip archive, read in place by ranged gets and unpacked as a stream.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use object_store::ObjectStoreExt;
use tokio::runtime::Handle;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::content::Chunks;
use crate::error::{FormatError, nearest};
use crate::guess::is_zip;
use crate::options::ReadOptions;
use crate::part::PartBytes;
use crate::thread::{self, Sender};

/// Bytes of an archive's directory, at most: some 500 000 members.
const DIRECTORY_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a ranged get after a seek.
const SEEK_PAGE_BYTES: u64 = 256 << 10;
/// Bytes of a ranged get that goes on where the last one ended.
const STREAM_PAGE_BYTES: u64 = 4 << 20;
/// Unpacked bytes below which no ratio is judged: a few repeated lines are no bomb.
const RATIO_FLOOR_BYTES: u64 = 16 << 20;
/// Bytes of an unpacked chunk, at most.
const CHUNK_BYTES_MAX: u64 = 8 << 20;
/// Members that a message names.
const MEMBERS_SHOWN: usize = 12;

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name, with `/` between folders.
    pub name: String,
    /// Bytes in the archive.
    pub compressed: u64,
    /// Bytes when unpacked, as the archive declares.
    pub size: u64,
}

/// A member to unpack.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    index: usize,
    compressed: u64,
    pub(crate) size: u64,
    encrypted: bool,
    method: CompressionMethod,
}

/// Members of a zip archive, in its order; folders are left out.
///
/// # Errors
/// [`FormatError`] when it is no zip archive or is damaged, when a name leads out of its folder, or when more would come out than the
/// bounds allow.
pub async fn members(part: &PartBytes, options: &ReadOptions) -> Result<Vec<Member>, FormatError> {
    let members = directory(part, options).await?;
    Ok(members.into_iter().map(|(member, _)| member).collect())
}

pub(crate) async fn find(
    part: &PartBytes,
    member: &str,
    options: &ReadOptions,
) -> Result<Packed, FormatError> {
    let members = directory(part, options).await?;
    if let Some((_, packed)) = members.iter().find(|(known, _)| known.name == member) {
        let name = format!("{}!{member}", part.name);
        return match packed.method {
            _ if packed.encrypted => Err(FormatError::Encrypted { name }),
            CompressionMethod::Stored | CompressionMethod::Deflated => Ok(packed.clone()),
            method => Err(FormatError::PackingMethod {
                name,
                method: method.to_string(),
            }),
        };
    }
    let names = members.iter().map(|(known, _)| known.name.as_str());
    Err(FormatError::UnknownMember {
        name: part.name.clone(),
        member: member.to_owned(),
        near: nearest(member, names.clone()),
        members: names.take(MEMBERS_SHOWN).map(str::to_owned).collect(),
    })
}

async fn directory(
    part: &PartBytes,
    options: &ReadOptions,
) -> Result<Vec<(Member, Packed)>, FormatError> {
    if part.size == 0 {
        return Err(FormatError::Empty {
            name: part.name.clone(),
        });
    }
    let (owned, options) = (part.clone(), options.clone());
    let handle = Handle::current();
    // The zip reader is not asynchronous.
    thread::run(&part.name, move || {
        list(&mut open(&owned, handle)?, &owned.name, &options)
    })
    .await
}

fn open(part: &PartBytes, handle: Handle) -> Result<ZipArchive<Ranged>, FormatError> {
    let bytes_left = Arc::new(AtomicU64::new(DIRECTORY_BYTES_MAX));
    let ranged = Ranged {
        part: part.clone(),
        handle: handle.clone(),
        position: 0,
        page: Bytes::new(),
        page_start: 0,
        bytes_left: Arc::clone(&bytes_left),
    };
    let archive = ZipArchive::new(ranged).map_err(|error| match error {
        ZipError::InvalidArchive(reason) => {
            // What starts like an archive is a damaged one, anything else is none.
            let head = handle.block_on(part.store.get_range(&part.path, 0..part.size.min(4)));
            if head.is_ok_and(|head| !is_zip(&head)) {
                return FormatError::NoZip {
                    name: part.name.clone(),
                };
            }
            let reason = match reason.contains("EOCD") {
                true => "its end, where the members are listed, is missing or damaged".to_owned(),
                false => reason.into_owned(),
            };
            FormatError::Zip {
                name: part.name.clone(),
                reason,
            }
        }
        other => zip_error(&part.name, other),
    })?;
    bytes_left.store(u64::MAX, Ordering::Relaxed);
    Ok(archive)
}

fn list(
    archive: &mut ZipArchive<Ranged>,
    name: &str,
    options: &ReadOptions,
) -> Result<Vec<(Member, Packed)>, FormatError> {
    let mut members = Vec::with_capacity(archive.len());
    let (mut all_unpacked, mut all_packed) = (0_u64, 0_u64);
    for index in 0..archive.len() {
        let entry = archive
            .by_index_data(index)
            .map_err(|error| zip_error(name, error))?;
        let member = entry
            .name()
            .map_err(|error| zip_error(name, error))?
            .into_owned();
        if climbs(&member) || entry.is_symlink() {
            return Err(FormatError::MemberClimbs {
                name: name.to_owned(),
                member,
            });
        }
        if entry.is_dir() {
            continue;
        }
        let (compressed, size) = (entry.compressed_size(), entry.size());
        all_unpacked = all_unpacked.saturating_add(size);
        all_packed = all_packed.saturating_add(compressed);
        within_bounds(&format!("{name}!{member}"), size, compressed, options)?;
        let packed = Packed {
            index,
            compressed,
            size,
            encrypted: entry.encrypted(),
            method: entry.compression(),
        };
        members.push((
            Member {
                name: member,
                compressed,
                size,
            },
            packed,
        ));
    }
    within_bounds(name, all_unpacked, all_packed, options)?;
    Ok(members)
}

/// Whether a name leads out of the folder it is unpacked to, on any system.
fn climbs(member: &str) -> bool {
    let drive = member.as_bytes().get(1) == Some(&b':');
    member.starts_with('/')
        || member.contains(['\\', '\0'])
        || drive
        || member.split('/').any(|step| step == "..")
}

pub(crate) fn within_bounds(
    name: &str,
    unpacked: u64,
    packed: u64,
    options: &ReadOptions,
) -> Result<(), FormatError> {
    let error = |bound, setting| {
        Err(FormatError::Inflates {
            name: name.to_owned(),
            unpacked,
            packed,
            bound,
            setting,
        })
    };
    if unpacked > options.unpacked_bytes_max {
        return error(options.unpacked_bytes_max, "unpacked_bytes_max");
    }
    if unpacked > RATIO_FLOOR_BYTES && unpacked > packed.saturating_mul(options.unpacked_ratio_max)
    {
        return error(options.unpacked_ratio_max, "unpacked_ratio_max");
    }
    Ok(())
}

/// Unpacks a member on a thread of its own; it waits while its chunks are not taken, and ends when nobody wants more.
pub(crate) fn inflate(
    part: PartBytes,
    packed: Packed,
    name: String,
    chunk_bytes: u64,
    options: &ReadOptions,
) -> Chunks {
    let options = options.clone();
    thread::stream(name.clone(), move |sender| {
        unpack(&part, &packed, &name, chunk_bytes, &options, sender)
    })
}

fn unpack(
    part: &PartBytes,
    packed: &Packed,
    name: &str,
    chunk_bytes: u64,
    options: &ReadOptions,
    sender: &Sender<Bytes>,
) -> Result<(), FormatError> {
    let mut archive = open(part, Handle::current())?;
    let mut member = archive
        .by_index(packed.index)
        .map_err(|error| zip_error(name, error))?;
    let chunk_bytes = usize::try_from(chunk_bytes.clamp(1, CHUNK_BYTES_MAX)).unwrap_or(1);
    let mut unpacked = 0;
    loop {
        let mut chunk = vec![0; chunk_bytes];
        let filled =
            fill(&mut member, &mut chunk).map_err(|error| zip_error(name, ZipError::Io(error)))?;
        chunk.truncate(filled);
        unpacked += filled as u64;
        // What the directory declares need not be true.
        within_bounds(name, unpacked, packed.compressed, options)?;
        if filled == 0 || sender.send(Bytes::from(chunk)).is_err() {
            return Ok(());
        }
    }
}

/// Reads until `buffer` is full or there is no more.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn zip_error(name: &str, error: ZipError) -> FormatError {
    let name = name.to_owned();
    match error {
        ZipError::Io(error) => match error.downcast::<object_store::Error>() {
            Ok(source) => FormatError::Read { name, source },
            Err(error) => FormatError::Zip {
                name,
                reason: error.to_string(),
            },
        },
        other => FormatError::Zip {
            name,
            reason: other.to_string(),
        },
    }
}

/// A part as the zip reader wants it: it reads and seeks; underneath are ranged gets of one page at a time.
struct Ranged {
    part: PartBytes,
    handle: Handle,
    position: u64,
    page: Bytes,
    page_start: u64,
    /// Bytes that may still be read: a directory without end must not fill the memory.
    bytes_left: Arc<AtomicU64>,
}

impl Ranged {
    /// The page that holds the position; a longer one when the last was read to its end.
    fn load(&mut self) -> std::io::Result<()> {
        let page_end = self.page_start + self.page.len() as u64;
        if (self.page_start..page_end).contains(&self.position) {
            return Ok(());
        }
        let sequential = !self.page.is_empty() && self.position == page_end;
        let (start, bytes) = if sequential {
            (self.position, STREAM_PAGE_BYTES)
        } else {
            (
                self.position / SEEK_PAGE_BYTES * SEEK_PAGE_BYTES,
                SEEK_PAGE_BYTES,
            )
        };
        let end = self.part.size.min(start + bytes);
        let got = self
            .handle
            .block_on(self.part.store.get_range(&self.part.path, start..end));
        self.page = got.map_err(std::io::Error::other)?;
        self.page_start = start;
        Ok(())
    }
}

impl Read for Ranged {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.position >= self.part.size || buffer.is_empty() {
            return Ok(0);
        }
        self.load()?;
        let offset =
            usize::try_from(self.position - self.page_start).map_err(std::io::Error::other)?;
        let found = self.page.get(offset..).unwrap_or_default();
        let count = found.len().min(buffer.len());
        buffer[..count].copy_from_slice(&found[..count]);
        let left = self.bytes_left.load(Ordering::Relaxed);
        let left = left
            .checked_sub(count as u64)
            .ok_or_else(|| std::io::Error::other("the directory has no end"))?;
        self.bytes_left.store(left, Ordering::Relaxed);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Ranged {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.part.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position =
            position.ok_or_else(|| std::io::Error::other("a seek to before the start"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests;
