//! Encodings of one byte per letter, and those where a letter and the mark after it make one: by table.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, compose};

use super::MALFORMED;

/// Bytes that are looked at at once: most text is ASCII, which stays as it is.
const STEP: usize = 16;
/// The high bit of each byte of a step.
const HIGH_BITS: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;
/// Bytes that one pass of the loop may write beyond those it counts, with room to spare.
const MARGIN: usize = 64;

/// UTF-8 of one letter: its bytes from the lowest on, and their number in the highest byte. Zero: there is none.
type Entry = u32;

/// How the bytes of one encoding become UTF-8.
#[derive(Debug)]
pub(crate) struct Table {
    letters: [Entry; 256],
    /// Row of `pairs` for the first byte of a pair; 0: it is none.
    firsts: [u8; 256],
    /// Column of `pairs` for the second byte of a pair; 0: it is none.
    seconds: [u8; 256],
    pairs: Vec<Entry>,
    columns: usize,
    /// Whether ASCII is ASCII: TCVN 5712 has letters among its control characters.
    keeps_ascii: bool,
    /// Whether the marks are letters of their own to Unicode, so that odd pairs are put in Unicode's order.
    combines: bool,
}

/// Which letters a table's bytes stand for.
pub(crate) struct Letters {
    /// By byte; none where the encoding has nothing.
    pub(crate) single: [Option<char>; 256],
    /// Two bytes that are one letter.
    pub(crate) pairs: Vec<([u8; 2], char)>,
}

fn entry(letter: char) -> Entry {
    let mut bytes = [0; 4];
    let length = letter.encode_utf8(&mut bytes).len();
    // The letters of single-byte encodings lie in the basic plane: three bytes at most.
    bytes[3] = length as u8;
    u32::from_le_bytes(bytes)
}

impl Table {
    pub(crate) fn new(letters: &Letters) -> Self {
        let malformed = u32::from_le_bytes([MALFORMED, 0, 0, 1]);
        let mut table = Self {
            letters: letters.single.map(|letter| letter.map_or(malformed, entry)),
            firsts: [0; 256],
            seconds: [0; 256],
            pairs: Vec::new(),
            columns: 0,
            keeps_ascii: (0..0x80_u8)
                .all(|byte| letters.single[usize::from(byte)] == Some(char::from(byte))),
            combines: false,
        };
        let numbers = |place: usize| {
            let distinct: BTreeMap<u8, u8> = letters
                .pairs
                .iter()
                .map(|(bytes, _)| (bytes[place], 0))
                .collect();
            (1..).zip(distinct.into_keys()).collect::<Vec<(u8, u8)>>()
        };
        for (number, byte) in numbers(0) {
            table.firsts[usize::from(byte)] = number;
        }
        let seconds = numbers(1);
        for &(number, byte) in &seconds {
            table.seconds[usize::from(byte)] = number;
            let mark = letters.single[usize::from(byte)];
            table.combines |= mark.is_some_and(|mark| canonical_combining_class(mark) != 0);
        }
        table.columns = seconds.len() + 1;
        table.pairs = vec![0; 256 * table.columns];
        for (bytes, letter) in &letters.pairs {
            let place = table.place(bytes[0], bytes[1]);
            table.pairs[place] = entry(*letter);
        }
        table
    }

    /// Where `pairs` holds a pair.
    #[inline]
    fn place(&self, first: u8, second: u8) -> usize {
        usize::from(self.firsts[usize::from(first)]) * self.columns
            + usize::from(self.seconds[usize::from(second)])
    }

    /// Appends the text of `source` to `text`.
    pub(crate) fn append(&self, source: &[u8], text: &mut Vec<u8>) {
        let mut filled = text.len();
        text.resize(filled + source.len() + source.len() / 4 + MARGIN, 0);
        let mut at = 0;
        while at < source.len() {
            if text.len() < filled + MARGIN {
                text.resize(text.len() + (source.len() - at) * 2 + MARGIN, 0);
            }
            if self.keeps_ascii
                && let Some(step) = source
                    .get(at..at + STEP)
                    .and_then(|step| step.try_into().ok())
            {
                let high = u128::from_le_bytes(step) & HIGH_BITS;
                // All of it is copied; what follows the ASCII is written over.
                text[filled..filled + STEP].copy_from_slice(&step);
                let ascii = (high.trailing_zeros() / 8) as usize;
                filled += ascii;
                at += ascii;
                if high == 0 {
                    continue;
                }
            }
            filled = self.letter(source, at, text, filled);
            at += 1;
        }
        text.truncate(filled);
    }

    /// Writes the letter of one byte, and gives where the text ends then.
    #[inline]
    fn letter(&self, source: &[u8], at: usize, text: &mut Vec<u8>, filled: usize) -> usize {
        let byte = source[at];
        if self.seconds[usize::from(byte)] != 0 && at > 0 {
            let first = source[at - 1];
            let pair = self.pairs[self.place(first, byte)];
            if pair != 0 {
                let before = (self.letters[usize::from(first)] >> 24) as usize;
                return put(pair, text, filled - before);
            }
            if self.combines {
                return self.combine(byte, text, filled);
            }
        }
        put(self.letters[usize::from(byte)], text, filled)
    }

    /// A mark after what no pair has it after: another mark, or a letter of another language.
    #[cold]
    fn combine(&self, byte: u8, text: &mut Vec<u8>, filled: usize) -> usize {
        let end = put(self.letters[usize::from(byte)], text, filled);
        let Some(start) = last_starter(&text[..filled]) else {
            return end;
        };
        let Ok(letters) = std::str::from_utf8(&text[start..end]) else {
            return end;
        };
        let composed: String = letters.nfc().collect();
        let end = start + composed.len();
        if text.len() < end + MARGIN {
            text.resize(end + MARGIN, 0);
        }
        text[start..end].copy_from_slice(composed.as_bytes());
        end
    }
}

#[inline]
fn put(entry: Entry, text: &mut [u8], filled: usize) -> usize {
    text[filled..filled + 4].copy_from_slice(&entry.to_le_bytes());
    filled + (entry >> 24) as usize
}

/// Marks that one letter may have (Unicode Standard Annex 15, "Stream-Safe Text Format").
const MARKS_MAX: usize = 30;

/// Where the last letter begins that is no mark, or the text; none after too many marks.
fn last_starter(text: &[u8]) -> Option<usize> {
    let mut end = text.len();
    for _ in 0..=MARKS_MAX {
        if end == 0 {
            return Some(0);
        }
        let start = text[..end]
            .iter()
            .rposition(|byte| byte & 0b1100_0000 != 0b1000_0000)?;
        let letter = std::str::from_utf8(&text[start..end])
            .ok()?
            .chars()
            .next()?;
        if canonical_combining_class(letter) == 0 {
            return Some(start);
        }
        end = start;
    }
    None
}

/// Pairs of a letter and a mark that Unicode has one letter for.
pub(crate) fn composed_pairs(single: &[Option<char>; 256]) -> Vec<([u8; 2], char)> {
    let mut pairs = Vec::new();
    for (second, mark) in (0..=u8::MAX).zip(single) {
        let Some(mark) = mark.filter(|mark| canonical_combining_class(*mark) != 0) else {
            continue;
        };
        for (first, letter) in (0..=u8::MAX).zip(single) {
            let composed = letter.and_then(|letter| compose(letter, mark));
            pairs.extend(composed.map(|composed| ([first, second], composed)));
        }
    }
    pairs
}
