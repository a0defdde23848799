//! UTF-16 in either byte order.

use super::MALFORMED;

/// Code units that are looked at at once.
const STEP: usize = 8;
/// Bytes that one pass of the loop may write, with room to spare.
const MARGIN: usize = 64;
/// What of each code unit is no ASCII.
const BEYOND_ASCII: u128 = 0xFF80_FF80_FF80_FF80_FF80_FF80_FF80_FF80;

/// Appends the text of `source`, which holds whole code units and no half pair at its end unless the part ends there.
pub(crate) fn append(source: &[u8], big_endian: bool, text: &mut Vec<u8>) {
    let read = match big_endian {
        true => u16::from_be_bytes,
        false => u16::from_le_bytes,
    };
    let (units, odd) = source.as_chunks::<2>();
    let mut filled = text.len();
    text.resize(filled + units.len() + units.len() / 4 + MARGIN, 0);
    let mut at = 0;
    while at < units.len() {
        if text.len() < filled + MARGIN {
            // Three bytes a unit at most.
            text.resize(filled + (units.len() - at) * 3 + MARGIN, 0);
        }
        if let Some(step) = units[at..].first_chunk::<STEP>() {
            let read = narrow(step, big_endian, text, &mut filled);
            at += read;
            if read > 0 {
                continue;
            }
        }
        let next = units.get(at + 1).map(|next| read(*next));
        let (bytes, length, taken) = letter(read(units[at]), next);
        text[filled..filled + 4].copy_from_slice(&bytes);
        filled += length;
        at += taken;
    }
    text.truncate(filled);
    text.extend(odd.iter().map(|_| MALFORMED));
}

/// Writes the first units as far as they are no halves of pairs, and gives how many that are.
#[inline]
fn narrow(step: &[[u8; 2]; STEP], big_endian: bool, text: &mut [u8], filled: &mut usize) -> usize {
    let mut bytes = [0; STEP * 2];
    bytes.copy_from_slice(step.as_flattened());
    let mut units = u128::from_le_bytes(bytes);
    if big_endian {
        // The bytes of each unit change places.
        const LOW: u128 = u128::MAX / 0xFFFF * 0xFF;
        units = ((units >> 8) & LOW) | ((units & LOW) << 8);
    }
    let mut beyond = units & BEYOND_ASCII;
    let mut low = low_bytes(units);
    let mut read = 0;
    loop {
        let ascii = ((beyond.trailing_zeros() / 16) as usize).min(STEP - read);
        // All of it is copied; what follows the ASCII is written over.
        text[*filled..*filled + STEP].copy_from_slice(&low.to_le_bytes());
        *filled += ascii;
        read += ascii;
        if read == STEP {
            return read;
        }
        let unit = (units >> (16 * read)) as u16;
        if (0xD800..0xE000).contains(&unit) {
            return read;
        }
        let (bytes, length, _) = letter(unit, None);
        text[*filled..*filled + 4].copy_from_slice(&bytes);
        *filled += length;
        read += 1;
        if read == STEP {
            return read;
        }
        beyond = (units & BEYOND_ASCII) >> (16 * read);
        low >>= 8 * (ascii + 1);
    }
}

/// The low byte of each unit.
#[inline]
fn low_bytes(units: u128) -> u64 {
    let [first, second] = [units as u64, (units >> 64) as u64].map(|half| {
        let pairs = half & 0x00FF_00FF_00FF_00FF;
        let fours = (pairs | (pairs >> 8)) & 0x0000_FFFF_0000_FFFF;
        (fours | (fours >> 16)) & 0xFFFF_FFFF
    });
    first | (second << 32)
}

/// The UTF-8 of one letter, its length, and the units it takes.
#[inline]
fn letter(unit: u16, next: Option<u16>) -> ([u8; 4], usize, usize) {
    let tail = |shift: u32, letter: u32| 0x80 | (letter >> shift & 0x3F) as u8;
    let wide = u32::from(unit);
    match unit {
        0..0x80 => ([unit as u8, 0, 0, 0], 1, 1),
        0x80..0x800 => ([0xC0 | (wide >> 6) as u8, tail(0, wide), 0, 0], 2, 1),
        0x800..0xD800 | 0xE000.. => (
            [0xE0 | (wide >> 12) as u8, tail(6, wide), tail(0, wide), 0],
            3,
            1,
        ),
        _ => match next {
            Some(low @ 0xDC00..0xE000) if unit < 0xDC00 => {
                let wide = 0x1_0000 + ((wide - 0xD800) << 10) + u32::from(low) - 0xDC00;
                let first = 0xF0 | (wide >> 18) as u8;
                ([first, tail(12, wide), tail(6, wide), tail(0, wide)], 4, 2)
            }
            _ => ([MALFORMED, 0, 0, 0], 1, 1),
        },
    }
}

/// How many of the first bytes are whole letters.
pub(crate) fn whole(source: &[u8], big_endian: bool) -> usize {
    let end = source.len() / 2 * 2;
    let high = if big_endian {
        end.wrapping_sub(2)
    } else {
        end.wrapping_sub(1)
    };
    // The first half of a pair waits for the second.
    match source.get(high) {
        Some(0xD8..0xDC) => end - 2,
        _ => end,
    }
}
