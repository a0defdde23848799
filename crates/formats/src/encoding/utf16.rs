//! UTF-16 in either byte order.

use super::MALFORMED;

/// Code units that are looked at at once.
const STEP: usize = 8;
/// Bytes that one pass of the loop may write.
const MARGIN: usize = 16;

/// Appends the text of `source`, which holds whole code units and no half pair at its end unless the part ends there.
pub(crate) fn append(source: &[u8], big_endian: bool, text: &mut Vec<u8>) {
    let read = match big_endian {
        true => u16::from_be_bytes,
        false => u16::from_le_bytes,
    };
    let (units, odd) = source.as_chunks::<2>();
    let mut filled = text.len();
    // Three bytes a unit at most.
    text.resize(filled + units.len() * 3 + MARGIN, 0);
    let mut at = 0;
    while at < units.len() {
        if let Some(step) = units[at..].first_chunk::<STEP>() {
            let step = step.map(read);
            let ascii = step.iter().position(|unit| *unit >= 0x80).unwrap_or(STEP);
            // All of it is copied; what follows the ASCII is written over.
            text[filled..filled + STEP].copy_from_slice(&step.map(|unit| unit as u8));
            filled += ascii;
            at += ascii;
            if ascii == STEP {
                continue;
            }
        }
        let unit = read(units[at]);
        let next = units.get(at + 1).map(|next| read(*next));
        let (letter, taken) = match (unit, next) {
            (0xD800..0xDC00, Some(low @ 0xDC00..0xE000)) => {
                let letter =
                    0x1_0000 + ((u32::from(unit) - 0xD800) << 10) + u32::from(low) - 0xDC00;
                (char::from_u32(letter), 2)
            }
            _ => (char::from_u32(u32::from(unit)), 1),
        };
        at += taken;
        filled += match letter {
            Some(letter) => letter.encode_utf8(&mut text[filled..]).len(),
            None => {
                text[filled] = MALFORMED;
                1
            }
        };
    }
    text.truncate(filled);
    text.extend(odd.iter().map(|_| MALFORMED));
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
