//! Texts that are no UTF-8, as protobuf demands: some agencies put their own encoding into a feed.

use std::ops::Range;

use bytes::Bytes;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use super::wire::Fields;
use crate::encoding::TextEncoding;
use crate::error::FormatError;

/// Bytes of odd texts that an encoding is told from, at most.
const SEEN_BYTES_MAX: usize = 64 << 10;

/// Bytes that no UTF-8 has, from which an encoding is told.
const EVIDENCE_MIN: usize = 8;

/// A message's fields that hold texts, or messages with texts.
type Message = &'static [(u64, Holds)];

#[derive(Debug, Clone, Copy)]
enum Holds {
    Text,
    Fields(Message),
}

use Holds::{Fields as Of, Text};

const TRIP: Message = &[(1, Text), (2, Text), (3, Text), (5, Text)];
const VEHICLE: Message = &[(1, Text), (2, Text), (3, Text)];
const STOP_PROPERTIES: Message = &[(1, Text), (2, Text)];
const STOP: Message = &[(4, Text), (6, Of(STOP_PROPERTIES))];
const TRIP_PROPERTIES: Message = &[
    (1, Text),
    (2, Text),
    (3, Text),
    (4, Text),
    (5, Text),
    (6, Text),
];
const TRIP_UPDATE: Message = &[
    (1, Of(TRIP)),
    (2, Of(STOP)),
    (3, Of(VEHICLE)),
    (6, Of(TRIP_PROPERTIES)),
];
const CARRIAGE: Message = &[(1, Text), (2, Text)];
const POSITION: Message = &[
    (1, Of(TRIP)),
    (7, Text),
    (8, Of(VEHICLE)),
    (11, Of(CARRIAGE)),
];
const TRANSLATED: Message = &[(1, Of(&[(1, Text), (2, Text)]))];
const IMAGE: Message = &[(1, Of(&[(1, Text), (2, Text), (3, Text)]))];
const SELECTOR: Message = &[(1, Text), (2, Text), (4, Of(TRIP)), (5, Text)];
const ALERT: Message = &[
    (5, Of(SELECTOR)),
    (8, Of(TRANSLATED)),
    (10, Of(TRANSLATED)),
    (11, Of(TRANSLATED)),
    (12, Of(TRANSLATED)),
    (13, Of(TRANSLATED)),
    (15, Of(IMAGE)),
    (16, Of(TRANSLATED)),
    (17, Of(TRANSLATED)),
    (18, Of(TRANSLATED)),
];
const ENTITY: Message = &[
    (1, Text),
    (3, Of(TRIP_UPDATE)),
    (4, Of(POSITION)),
    (5, Of(ALERT)),
];

/// How texts that are no UTF-8 are read, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OddTexts {
    pub(crate) encoding: TextEncoding,
    pub(crate) count: usize,
}

/// Looks for such texts; none where all is as it should be, or where no encoding has all of them.
///
/// # Errors
/// [`FormatError::UnknownEncoding`].
pub(crate) fn find(
    name: &str,
    label: Option<&str>,
    bytes: &[u8],
    entities: &[Range<usize>],
) -> Result<Option<OddTexts>, FormatError> {
    let declared = label
        .map(|label| TextEncoding::find(name, Some(label), &[]))
        .transpose()?;
    let (mut count, mut seen) = (0, Vec::new());
    for entity in entities {
        walk(&bytes[entity.clone()], ENTITY, &mut |text| {
            if std::str::from_utf8(text).is_err() {
                count += 1;
                if seen.len() + text.len() < SEEN_BYTES_MAX {
                    seen.extend_from_slice(text);
                    seen.push(b'\n');
                }
            }
        });
    }
    if count == 0 {
        return Ok(None);
    }
    if let Some(encoding) = declared {
        return Ok(Some(OddTexts { encoding, count }));
    }
    if seen.iter().filter(|byte| !byte.is_ascii()).count() < EVIDENCE_MIN {
        return Ok(None);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&seen, true);
    let guessed = detector.guess(None, Utf8Detection::Deny);
    let fits = guessed
        .decode_without_bom_handling_and_without_replacement(&seen)
        .is_some();
    if !fits {
        return Ok(None);
    }
    let encoding = TextEncoding::find(name, Some(guessed.name()), &[])?;
    Ok(Some(OddTexts { encoding, count }))
}

/// Hands every text of a message to `see`.
fn walk(message: &[u8], holds: Message, see: &mut impl FnMut(&[u8])) {
    for field in Fields::new(message).flatten() {
        let value = &message[field.value.clone()];
        match holds.iter().find(|(number, _)| *number == field.number) {
            Some((_, Text)) => see(value),
            Some((_, Of(fields))) => walk(value, fields, see),
            None => {}
        }
    }
}

/// An entity with its odd texts in UTF-8. What is no message stays as it is, for its reader to tell of.
pub(crate) fn rewrite(entity: &[u8], encoding: TextEncoding) -> Vec<u8> {
    written(entity, ENTITY, encoding)
}

fn written(message: &[u8], holds: Message, encoding: TextEncoding) -> Vec<u8> {
    let mut whole = Vec::with_capacity(message.len() + message.len() / 2);
    let mut at = 0;
    for field in Fields::new(message).flatten() {
        let value = &message[field.value.clone()];
        let known = holds.iter().find(|(number, _)| *number == field.number);
        let new = match known {
            Some((_, Text)) if std::str::from_utf8(value).is_err() => {
                encoding.head(&Bytes::copy_from_slice(value)).to_vec()
            }
            Some((_, Of(fields))) if !value.is_empty() => written(value, fields, encoding),
            _ => continue,
        };
        // All that lies between fields that change is copied as it is.
        whole.extend_from_slice(&message[at..field.start]);
        put_varint(field.number << 3 | 2, &mut whole);
        put_varint(new.len() as u64, &mut whole);
        whole.extend_from_slice(&new);
        at = field.value.end;
    }
    whole.extend_from_slice(&message[at..]);
    whole
}

fn put_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
