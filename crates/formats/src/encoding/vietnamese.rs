//! Vietnamese encodings of the time before Unicode that no standard library has: TCVN3 (ABC), TCVN 5712 and VNI.
//!
//! Sources: TCVN 5712:1993 with its code pages VN1 (all letters, some in place of control characters) and VN3 (the subset that the
//! ABC fonts .VnTime … use), as in XFree86 `lcUniConv/tcvn.h` and glibc's `TCVN` charmap; the letters of VNI-Windows as in xvnkb's
//! `vni.h`. Both were compared with glibc's `iconv` and with published converters.
//!
//! # Capitals of TCVN3
//! VN3 has 7 capitals with marks (Ă Â Đ Ê Ô Ơ Ư) and none with a tone: those are written with the code of the small letter in a font
//! of capitals (.VnTimeH), and a text file keeps no font. Among capitals such a letter is a capital: `TH` + `à` + `NH` is THÀNH, and so
//! is `H` + `à` beside such a word. It stays small where nothing tells: `H` + `à` alone is read as Hà. A file that is all in a
//! font of capitals is declared as `tcvn3-h`.

use std::ops::Range;

use super::table::{Letters, composed_pairs};

/// TCVN 5712 from 0x80 on.
const TCVN_HIGH: &str = "\
ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨ\
ÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ\
\u{A0}ĂÂÊÔƠƯĐăâêôơưđẰ\
\u{300}\u{309}\u{303}\u{301}\u{323}àảãáạẲằẳẵắẴ\
ẮẦẨẪẤỀặầẩẫấậèỂẻẽ\
éẹềểễếệìỉỄẾỒĩíịò\
Ổỏõóọồổỗốộờởỡớợù\
ỖủũúụừửữứựỳỷỹýỵỐ";

/// Letters that VN1 has in place of control characters.
const TCVN_LOW: [(u8, char); 12] = [
    (0x01, 'Ú'),
    (0x02, 'Ụ'),
    (0x04, 'Ừ'),
    (0x05, 'Ử'),
    (0x06, 'Ữ'),
    (0x11, 'Ứ'),
    (0x12, 'Ự'),
    (0x13, 'Ỳ'),
    (0x14, 'Ỷ'),
    (0x15, 'Ỹ'),
    (0x16, 'Ý'),
    (0x17, 'Ỵ'),
];

/// Per vowel: its letters by the marks of [`VNI_MARKS`], a space where there is none.
const VNI_VOWELS: [(u8, &str); 7] = [
    (b'a', "áàảãạâấầẩẫậăắằẳẵặ"),
    (b'e', "éèẻẽẹêếềểễệ      "),
    (b'o', "óòỏõọôốồổỗộ      "),
    (b'u', "úùủũụ            "),
    (b'y', "ýỳỷỹ             "),
    (0xF4, "ớờởỡợ            "),
    (0xF6, "ứừửữự            "),
];

/// The second bytes of small letters; those of capitals are 0x20 lower.
const VNI_MARKS: [u8; 17] = [
    0xF9, 0xF8, 0xFB, 0xF5, 0xEF, 0xE2, 0xE1, 0xE0, 0xE5, 0xE3, 0xE4, 0xEA, 0xE9, 0xE8, 0xFA, 0xFC,
    0xEB,
];

/// Small letters of one byte; the codes of their capitals are 0x20 lower.
const VNI_SINGLE: [(u8, char); 9] = [
    (0xED, 'í'),
    (0xEC, 'ì'),
    (0xE6, 'ỉ'),
    (0xF3, 'ĩ'),
    (0xF2, 'ị'),
    (0xEE, 'ỵ'),
    (0xF1, 'đ'),
    (0xF4, 'ơ'),
    (0xF6, 'ư'),
];

/// The capital, where it is one letter.
fn capital(letter: char) -> char {
    let mut capitals = letter.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) => capital,
        _ => letter,
    }
}

/// All of TCVN 5712 (VN1).
pub(crate) fn tcvn_5712() -> Letters {
    let mut single = [None; 256];
    for byte in 0..0x80_u8 {
        single[usize::from(byte)] = Some(char::from(byte));
    }
    for (byte, letter) in TCVN_LOW {
        single[usize::from(byte)] = Some(letter);
    }
    for (place, letter) in (0x80..).zip(TCVN_HIGH.chars()) {
        single[place] = Some(letter);
    }
    let pairs = composed_pairs(&single);
    Letters { single, pairs }
}

/// TCVN3: VN3 and what of VN1 is not in its way. Between 0x80 and 0x9F the ABC fonts have the quotes and dashes of windows-1252.
pub(crate) fn tcvn3(windows_1252: &[Option<char>; 256]) -> Letters {
    let Letters { mut single, .. } = tcvn_5712();
    for byte in (0..0x20).chain(0x80..0xA0) {
        single[byte] = windows_1252[byte];
    }
    let pairs = composed_pairs(&single);
    Letters { single, pairs }
}

/// TCVN3 in a font of capitals.
pub(crate) fn tcvn3_capitals(windows_1252: &[Option<char>; 256]) -> Letters {
    let Letters { single, .. } = tcvn3(windows_1252);
    let single = single.map(|letter| letter.map(capital));
    let pairs = composed_pairs(&single);
    Letters { single, pairs }
}

/// VNI for Windows. What is no letter of it stays as in windows-1252.
pub(crate) fn vni(windows_1252: &[Option<char>; 256]) -> Letters {
    let mut single = *windows_1252;
    for (byte, letter) in VNI_SINGLE {
        single[usize::from(byte)] = Some(letter);
        single[usize::from(byte - 0x20)] = Some(capital(letter));
    }
    let mut pairs = Vec::new();
    for (first, letters) in VNI_VOWELS {
        for (mark, letter) in VNI_MARKS.into_iter().zip(letters.chars()) {
            if letter == ' ' {
                continue;
            }
            // People mix the case of letter and mark; the letter's counts.
            for second in [mark, mark - 0x20] {
                pairs.push(([first, second], letter));
                pairs.push(([first - 0x20, second], capital(letter)));
            }
        }
    }
    Letters { single, pairs }
}

/// The stretches of TCVN3 text that are in a font of capitals.
pub(crate) fn capitals(text: &[u8]) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    let mut known = 0;
    let mut next = 0;
    while let Some(at) = next_among_capitals(text, next) {
        next = at + 1;
        if at < known {
            continue;
        }
        let around = |belongs: fn(u8) -> bool| {
            let before = text[..at].iter().rev().take_while(|byte| belongs(**byte));
            let after = text[at..].iter().take_while(|byte| belongs(**byte));
            at - before.count()..at + after.count()
        };
        let is_whole =
            |range: &Range<usize>| text[range.clone()].iter().all(|byte| !is(*byte, SMALL));
        let words = around(|byte| is(byte, LETTER) || byte == b' ');
        let found = [words, around(|byte| is(byte, LETTER))];
        if let Some(found) = found.into_iter().find(is_whole) {
            known = found.end;
            stretches.push(found);
        }
    }
    stretches
}

/// A small letter with a tone, or a capital's code.
const TONED: u8 = 1;
/// A capital that has a code of its own.
const CAPITAL: u8 = 2;
/// A small letter that has a capital of its own.
const SMALL: u8 = 4;
const LETTER: u8 = 8;

/// What each byte of TCVN3 is.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' | 0xA1..=0xA7 => CAPITAL | LETTER,
            b'a'..=b'z' | 0xA8..=0xAE => SMALL | LETTER,
            0xB5.. => TONED | LETTER,
            0xAF..0xB5 => LETTER,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

#[inline]
fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

/// Letters that are looked at at once.
const STEP: usize = 64;

/// The next letter with a tone that a capital follows, or that two stand before: one before may begin a name.
fn next_among_capitals(text: &[u8], from: usize) -> Option<usize> {
    let class = |at: usize| text.get(at).map_or(0, |byte| CLASSES[usize::from(*byte)]);
    let is_among = |at: &usize| {
        let before = class(at.wrapping_sub(1)) & class(at.wrapping_sub(2));
        class(*at) & TONED != 0 && (class(at + 1) | before) & CAPITAL != 0
    };
    let mut at = from;
    while at < text.len() {
        let end = text.len().min(at + STEP);
        // Most text has none: whole steps are passed over by vector instructions.
        let around = at.checked_sub(2).and_then(|start| text.get(start..=end));
        if around.is_none_or(any_among_capitals)
            && let Some(found) = (at..end).find(is_among)
        {
            return Some(found);
        }
        at = end;
    }
    None
}

/// Whether one of the letters but the first two and the last is among capitals.
#[inline]
fn any_among_capitals(text: &[u8]) -> bool {
    let is_capital = |byte: u8| (byte.wrapping_sub(b'A') < 26) | (byte.wrapping_sub(0xA1) < 7);
    let letters = text.iter().zip(&text[1..]).zip(&text[2..]).zip(&text[3..]);
    let mut found = 0;
    for (((second, first), letter), next) in letters {
        let among = is_capital(*next) | (is_capital(*first) & is_capital(*second));
        found |= u8::from((*letter >= 0xB5) & among);
    }
    found != 0
}
