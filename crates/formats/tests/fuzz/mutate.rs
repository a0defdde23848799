//! Bytes to try: seeds that were mutated, and texts of tokens.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::random::Random;

/// Bytes of one input, at most.
const BYTES_MAX: usize = 200_000;
/// Lengths and counts that readers stumble over.
const NUMBERS: [u32; 8] = [
    0,
    1,
    0x7F,
    0xFF,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
];

pub(crate) struct Mutator {
    seeds: Vec<Vec<u8>>,
    tokens: &'static [&'static [u8]],
    is_packed: bool,
}

impl Mutator {
    pub(crate) fn new(
        seeds: Vec<Vec<u8>>,
        tokens: &'static [&'static [u8]],
        is_packed: bool,
    ) -> Self {
        Self {
            seeds,
            tokens,
            is_packed,
        }
    }

    pub(crate) fn bytes(&self, random: &mut Random) -> Vec<u8> {
        if self.seeds.is_empty() || (!self.is_packed && random.one_in(4)) {
            return self.tokens(random);
        }
        let seed = &self.seeds[random.below(self.seeds.len())];
        let mut bytes = match self.is_packed && !random.one_in(4) {
            true => self.repacked(seed, random).unwrap_or_else(|| seed.clone()),
            false => self.mutated(seed.clone(), random),
        };
        bytes.truncate(BYTES_MAX);
        bytes
    }

    fn tokens(&self, random: &mut Random) -> Vec<u8> {
        let count = random.below(60);
        let tokens = (0..count).filter_map(|_| random.pick(self.tokens));
        tokens.flatten().copied().collect()
    }

    /// An archive with one member mutated, and all members stored as they are.
    fn repacked(&self, archive: &[u8], random: &mut Random) -> Option<Vec<u8>> {
        let mut archive = ZipArchive::new(Cursor::new(archive)).ok()?;
        let chosen = random.below(archive.len());
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for index in 0..archive.len() {
            let mut member = archive.by_index(index).ok()?;
            let name = member.name().ok()?.into_owned();
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).ok()?;
            if index == chosen || random.one_in(8) {
                bytes = self.mutated(bytes, random);
            }
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            writer.start_file(name, options).ok()?;
            writer.write_all(&bytes).ok()?;
        }
        Some(writer.finish().ok()?.into_inner())
    }

    fn mutated(&self, mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
        for _ in 0..=random.below(6) {
            let at = random.below(bytes.len() + 1);
            let size = random.below(11);
            let length = random.below(1 << size);
            let end = bytes.len().min(at + length);
            match random.below(10) {
                0 | 1 => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << random.below(8);
                    }
                }
                2 => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = random.next() as u8;
                    }
                }
                3 => drop(bytes.drain(at..end)),
                4 | 5 => {
                    let token = random.pick(self.tokens).unwrap_or_default();
                    drop(bytes.splice(at..at, token.iter().copied()));
                }
                6 => {
                    let number = NUMBERS[random.below(NUMBERS.len())];
                    let number = match random.one_in(2) {
                        true => number.to_le_bytes(),
                        false => number.to_be_bytes(),
                    };
                    let end = bytes.len().min(at + 4);
                    drop(bytes.splice(at..end, number));
                }
                7 => {
                    let part = bytes[at..end].repeat(random.below(20));
                    drop(bytes.splice(at..at, part));
                }
                8 => {
                    let other = &self.seeds[random.below(self.seeds.len())];
                    let from = random.below(other.len() + 1);
                    let part = other[from..other.len().min(from + length)].to_vec();
                    drop(bytes.splice(at..end, part));
                }
                _ => {
                    if random.one_in(3) {
                        bytes.truncate(at);
                    }
                }
            }
        }
        bytes
    }
}
