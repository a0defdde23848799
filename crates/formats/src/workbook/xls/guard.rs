//! What must hold of an .xls before it is given to its reader, which trusts it: no chain of sectors that goes round in a circle, no
//! sheet so wide and long that its grid takes more memory than there may be. It follows the reader's own steps. The size that a sheet
//! declares is struck out: the reader makes room for it, and formats down to the last row make it wrong in many honest files.

use std::ops::Range;

/// Sector numbers from here on mean no sector ([MS-CFB] 2.1).
const SECTOR_MAX: u32 = 0xFFFF_FFFA;
/// Bytes below which a stream lies in small sectors.
const SMALL_STREAM_BYTES: usize = 4096;
const SMALL_SECTOR_BYTES: usize = 64;
/// Bytes that a cell of a grid takes: its value, and the formula behind it.
const CELL_BYTES: u64 = 56;

/// Why a workbook is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It contradicts itself.
    Damaged(&'static str),
    /// Its grids take more bytes than there may be.
    TooLarge(u64),
}

/// Refuses what would not be read within `bytes_max`, and strikes out declared sizes.
pub(crate) fn check(file: &mut [u8], bytes_max: u64) -> Result<(), Refusal> {
    let stream = Container::open(file)?.workbook()?;
    let (mut all, mut struck) = (0_u64, Vec::new());
    for start in sheets(&stream.bytes) {
        if start > stream.bytes.len() {
            return Err(Refusal::Damaged("a sheet begins beyond its end"));
        }
        let (cells, sizes) = cells(&stream.bytes, start);
        struck.extend(
            sizes
                .into_iter()
                .flatten()
                .filter_map(|at| stream.place(at)),
        );
        all = all.saturating_add(cells.saturating_mul(CELL_BYTES));
        if all > bytes_max {
            return Err(Refusal::TooLarge(all));
        }
    }
    for at in struck {
        if let Some(byte) = file.get_mut(at) {
            *byte = 0;
        }
    }
    Ok(())
}

/// Bytes of a stream, and where they stand in the file.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    /// Where each of its sectors begins in the file.
    sectors: Vec<usize>,
    sector_bytes: usize,
}

impl Stream {
    fn place(&self, at: usize) -> Option<usize> {
        let start = self.sectors.get(at.checked_div(self.sector_bytes)?)?;
        Some(start + at % self.sector_bytes)
    }
}

/// An OLE file ([MS-CFB]).
struct Container<'a> {
    file: &'a [u8],
    sector_bytes: usize,
    next: Vec<u32>,
    small_next: Vec<u32>,
    small: Stream,
    directory: Vec<u8>,
}

impl<'a> Container<'a> {
    fn open(file: &'a [u8]) -> Result<Self, Refusal> {
        let sector_bytes = match file.get(30..32) {
            Some([9, 0]) => 512,
            Some([12, 0]) => 4096,
            _ => return Err(Refusal::Damaged("its sectors have no known size")),
        };
        let mut container = Self {
            file,
            sector_bytes,
            next: Vec::new(),
            small_next: Vec::new(),
            small: Stream::default(),
            directory: Vec::new(),
        };
        let tables = container.tables()?;
        for table in tables {
            let sector = container.sector(table)?;
            container.next.extend(numbers(sector));
        }
        container.directory = container.chain(u32_at(file, 48), usize::MAX)?.bytes;
        if u32_at(file, 64) > 0 && container.directory.len() >= 128 {
            let root = &container.directory[..128];
            let (start, bytes) = (u32_at(root, 116), u32_at(root, 120) as usize);
            container.small = container.chain(start, bytes)?;
            let small_next = container.chain(u32_at(file, 60), usize::MAX)?;
            container.small_next = numbers(&small_next.bytes).collect();
        }
        Ok(container)
    }

    fn sectors(&self) -> usize {
        self.file.len() / self.sector_bytes + 1
    }

    fn sector(&self, number: u32) -> Result<&'a [u8], Refusal> {
        let start = (number as usize + 1).saturating_mul(self.sector_bytes);
        let file = self
            .file
            .get(start..)
            .ok_or(Refusal::Damaged("it refers to a sector beyond its end"))?;
        Ok(&file[..file.len().min(self.sector_bytes)])
    }

    /// The sectors that say which sector follows which.
    fn tables(&self) -> Result<Vec<u32>, Refusal> {
        let mut tables: Vec<u32> = numbers(self.file.get(76..512).unwrap_or_default()).collect();
        let (mut sector, mut count) = (u32_at(self.file, 68), 0);
        while sector < SECTOR_MAX {
            count += 1;
            if count > self.sectors() {
                return Err(Refusal::Damaged("its sectors go round in a circle"));
            }
            tables.extend(numbers(self.sector(sector)?));
            sector = tables.pop().unwrap_or(u32::MAX);
        }
        tables.retain(|table| *table < SECTOR_MAX);
        match tables.len() > self.sectors() {
            true => Err(Refusal::Damaged(
                "it has more tables of sectors than sectors",
            )),
            false => Ok(tables),
        }
    }

    /// The bytes of a chain of sectors, at most `bytes_max`.
    fn chain(&self, start: u32, bytes_max: usize) -> Result<Stream, Refusal> {
        let (mut bytes, mut sectors, mut sector, mut count) = (Vec::new(), Vec::new(), start, 0);
        while sector < SECTOR_MAX && bytes.len() < bytes_max {
            count += 1;
            if count > self.sectors() {
                return Err(Refusal::Damaged("its sectors go round in a circle"));
            }
            bytes.extend_from_slice(self.sector(sector)?);
            sectors.push((sector as usize + 1) * self.sector_bytes);
            sector = *self
                .next
                .get(sector as usize)
                .ok_or(Refusal::Damaged("a chain of sectors leads nowhere"))?;
        }
        bytes.truncate(bytes_max);
        Ok(Stream {
            bytes,
            sectors,
            sector_bytes: self.sector_bytes,
        })
    }

    /// The same of small sectors.
    fn small_chain(&self, start: u32, bytes_max: usize) -> Result<Stream, Refusal> {
        let (mut bytes, mut sectors, mut sector, mut count) = (Vec::new(), Vec::new(), start, 0);
        while sector < SECTOR_MAX && bytes.len() < bytes_max {
            count += 1;
            if count > self.small_next.len() {
                return Err(Refusal::Damaged("its small sectors go round in a circle"));
            }
            let at = (sector as usize).saturating_mul(SMALL_SECTOR_BYTES);
            let rest = self.small.bytes.get(at..).ok_or(Refusal::Damaged(
                "it refers to a small sector beyond its end",
            ))?;
            bytes.extend_from_slice(&rest[..rest.len().min(SMALL_SECTOR_BYTES)]);
            sectors.push(self.small.place(at).unwrap_or(usize::MAX));
            sector = *self
                .small_next
                .get(sector as usize)
                .ok_or(Refusal::Damaged("a chain of small sectors leads nowhere"))?;
        }
        bytes.truncate(bytes_max);
        Ok(Stream {
            bytes,
            sectors,
            sector_bytes: SMALL_SECTOR_BYTES,
        })
    }

    /// The stream that holds the sheets.
    fn workbook(&self) -> Result<Stream, Refusal> {
        let entry = |wanted: &str| {
            self.directory
                .chunks_exact(128)
                .find(|entry| name(entry).eq_ignore_ascii_case(wanted))
        };
        let entry = entry("Workbook")
            .or_else(|| entry("Book"))
            .ok_or(Refusal::Damaged("it holds no workbook"))?;
        let (start, bytes) = (u32_at(entry, 116), u32_at(entry, 120) as usize);
        let stream = match bytes < SMALL_STREAM_BYTES {
            true => self.small_chain(start, bytes)?,
            false => self.chain(start, bytes)?,
        };
        match stream.bytes.len() < bytes {
            true => Err(Refusal::Damaged("it was cut off")),
            false => Ok(stream),
        }
    }
}

fn name(entry: &[u8]) -> String {
    let letters = entry[..64]
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(letters.take_while(|letter| *letter != 0))
        .filter_map(Result::ok)
        .collect()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|four| u32_at(four, 0))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|four| four.try_into().ok())
        .map_or(u32::MAX, u32::from_le_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..at + 2)
        .and_then(|two| two.try_into().ok())
        .map_or(0, u16::from_le_bytes)
}

/// Kind, place and content of each record from a place on ([MS-XLS] 2.1.4).
fn records(stream: &[u8], mut at: usize) -> impl Iterator<Item = (u16, usize, &[u8])> {
    std::iter::from_fn(move || {
        let head = stream.get(at..at.checked_add(4)?)?;
        let (kind, start) = (u16_at(head, 0), at + 4);
        let content = stream.get(start..start + usize::from(u16_at(head, 2)))?;
        at = start + content.len();
        Some((kind, start, content))
    })
}

/// Where each sheet begins: BoundSheet8, up to the first end of the workbook's own records.
fn sheets(stream: &[u8]) -> Vec<usize> {
    let own = records(stream, 0).take_while(|(kind, ..)| *kind != 0x000A);
    own.filter(|(kind, ..)| *kind == 0x0085)
        .map(|(_, _, content)| u32_at(content, 0) as usize)
        .collect()
}

/// Cells of the grid that a sheet's cells span, and where the sheet declares its size.
fn cells(stream: &[u8], start: usize) -> (u64, Vec<Range<usize>>) {
    let (mut rows, mut columns) = ((u64::MAX, 0), (u64::MAX, 0));
    let (mut depth, mut begun, mut formula) = (0_usize, false, (0, 0));
    let mut sizes = Vec::new();
    for (kind, at, content) in records(stream, start) {
        match kind {
            // Charts inside have records of their own.
            0x0809 if begun => depth += 1,
            0x0809 => begun = true,
            0x000A if depth == 0 => break,
            0x000A => depth -= 1,
            _ if depth > 0 => {}
            0x0200 => sizes.push(at..at + content.len()),
            0x0203 | 0x0204 | 0x00D6 | 0x0205 | 0x027E | 0x00FD | 0x00BD | 0x0006 | 0x0207 => {
                let own = (u64::from(u16_at(content, 0)), u64::from(u16_at(content, 2)));
                formula = if kind == 0x0006 { own } else { formula };
                // A formula's text follows it, and has no place of its own.
                let (row, column) = if kind == 0x0207 { formula } else { own };
                // MulRk holds six bytes a cell between its place and its last column.
                let last = if kind == 0x00BD {
                    column + (content.len() / 6) as u64
                } else {
                    column
                };
                rows = (rows.0.min(row), rows.1.max(row));
                columns = (columns.0.min(column), columns.1.max(last));
            }
            _ => {}
        }
    }
    let span = |(first, last): (u64, u64)| if first > last { 0 } else { last - first + 1 };
    (span(rows) * span(columns), sizes)
}
