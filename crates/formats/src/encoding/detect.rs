//! Which encoding bytes without mark and declaration are in.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use super::syllables::Syllables;
use super::{Kind, TCVN3, VNI, parallel};

/// Bytes that no UTF-8 has, from which another encoding is told; fewer are taken to be broken records.
const EVIDENCE_MIN: usize = 3;

/// Bytes whose words are looked at.
const SYLLABLE_BYTES: usize = 64 << 10;
/// Words with marks, from which Vietnamese is told.
const SYLLABLES_MIN: usize = 5;

/// The encoding, and why.
pub(super) fn detect(head: &[u8], is_whole: bool) -> (Kind, String) {
    if let Some(found) = utf16(head) {
        return found;
    }
    let seen = if is_whole {
        "all of it"
    } else {
        "its beginning"
    };
    let (letters, strays) = utf8_letters(head, is_whole);
    if strays == 0 {
        let why = match letters {
            0 => format!("{seen} is ASCII"),
            _ => format!("{seen} is valid UTF-8"),
        };
        return (Kind::Utf8, why);
    }
    if letters > strays {
        let why = format!("{letters} letters are UTF-8, {strays} places are not");
        return (Kind::Utf8, why);
    }
    if strays < EVIDENCE_MIN {
        let why = format!(
            "{strays} {} no UTF-8, too few to tell another encoding by; not certain",
            if strays == 1 { "byte is" } else { "bytes are" }
        );
        return (Kind::Utf8, why);
    }
    legacy(head, is_whole, strays)
}

/// Whether bytes are UTF-16, by mark or by their zeros.
pub(crate) fn looks_like_utf16(head: &[u8]) -> bool {
    let marked = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
    marked || utf16(head).is_some()
}

/// UTF-16 without a mark: text that has ASCII in it has a zero in every other byte of that.
fn utf16(head: &[u8]) -> Option<(Kind, String)> {
    let (units, _) = head.as_chunks::<2>();
    let zeros = |place: usize| units.iter().filter(|unit| unit[place] == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let (most, least) = (first.max(second), first.min(second));
    if most * 5 < units.len() || most < 4 || least * 50 > most {
        return None;
    }
    let big_endian = first > second;
    let why = format!(
        "every second byte is zero in {} of {} pairs",
        most,
        units.len()
    );
    Some((Kind::Utf16 { big_endian }, why))
}

/// How many letters beyond ASCII are UTF-8, and how many places are not.
fn utf8_letters(head: &[u8], is_whole: bool) -> (usize, usize) {
    let (mut letters, mut strays) = (0, 0);
    let mut read = 0;
    for chunk in head.utf8_chunks() {
        letters += chunk
            .valid()
            .bytes()
            .filter(|byte| *byte >= 0b1100_0000)
            .count();
        read += chunk.valid().len() + chunk.invalid().len();
        let is_cut = read == head.len() && !is_whole && chunk.invalid().len() < 4;
        strays += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    (letters, strays)
}

/// The most likely of the encodings before Unicode.
fn legacy(head: &[u8], is_whole: bool, strays: usize) -> (Kind, String) {
    if let Some(found) = vietnamese(head) {
        return found;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, is_whole);
    let found = detector.guess(None, Utf8Detection::Deny);
    let kind = Kind::standard(found);
    let why = format!(
        "{strays} bytes or more are no UTF-8; their frequencies are most like {}'s; not certain",
        found.name()
    );
    (kind, why)
}

/// The encoding of Vietnam, and no other, in which the words are Vietnamese. Frequencies do not tell: those that other tools know have
/// no TCVN3 and no VNI.
fn vietnamese(head: &[u8]) -> Option<(Kind, String)> {
    let head = &head[..head.len().min(SYLLABLE_BYTES)];
    let read = ["windows-1258", TCVN3, VNI].into_iter().filter_map(|name| {
        let kind = Kind::with_table(name)?;
        let text = parallel::text(kind, head);
        let syllables = Syllables::of(&String::from_utf8_lossy(&text));
        let is_told = syllables.words >= SYLLABLES_MIN && syllables.is_vietnamese();
        is_told.then_some((kind, name, syllables))
    });
    let mut read = read.collect::<Vec<_>>().into_iter();
    let (Some((kind, name, syllables)), None) = (read.next(), read.next()) else {
        return None;
    };
    let why = format!(
        "read as {name}, {} of {} words with marks are Vietnamese syllables",
        syllables.vietnamese, syllables.words
    );
    Some((kind, why))
}
