//! Protobuf's wire format, as far as it is needed to find entities without decoding them
//! (<https://protobuf.dev/programming-guides/encoding/>).

use std::ops::Range;

/// One field of a message: its number, and where its value lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) number: u64,
    /// Where the field starts.
    pub(crate) start: usize,
    /// The bytes of a message or text; empty for any other type.
    pub(crate) value: Range<usize>,
}

/// What is wrong, and at which byte of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) byte: usize,
    pub(crate) reason: String,
}

/// The fields of a message, in order; ends after the first that is bad.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A number of 7 bits a byte, up to 64 bits.
    fn varint(&mut self) -> Result<u64, Bad> {
        let start = self.at;
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.bytes.get(self.at) else {
                return Err(bad(start, "the message ends inside a number".to_owned()));
            };
            self.at += 1;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(bad(start, "a number has more than 64 bits".to_owned()))
    }

    fn skip(&mut self, start: usize, bytes: u64) -> Result<Range<usize>, Bad> {
        let left = self.bytes.len() - self.at;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes > left {
            return Err(bad(
                start,
                format!("a field says it has {bytes} bytes, and only {left} follow"),
            ));
        }
        let value = self.at..self.at + bytes;
        self.at += bytes;
        Ok(value)
    }

    fn field(&mut self) -> Result<Field, Bad> {
        let start = self.at;
        let tag = self.varint()?;
        let number = tag >> 3;
        let no_value = start..start;
        let value = match tag & 7 {
            _ if number == 0 => return Err(bad(start, "a field has the number 0".to_owned())),
            0 => self.varint().map(|_| no_value)?,
            1 => self.skip(start, 8).map(|_| no_value)?,
            2 => {
                let length = self.varint()?;
                self.skip(start, length)?
            }
            5 => self.skip(start, 4).map(|_| no_value)?,
            other => {
                return Err(bad(
                    start,
                    format!("a field has the wire type {other}, which GTFS-Realtime never uses"),
                ));
            }
        };
        Ok(Field {
            number,
            start,
            value,
        })
    }
}

fn bad(byte: usize, reason: String) -> Bad {
    Bad { byte, reason }
}

impl Iterator for Fields<'_> {
    type Item = Result<Field, Bad>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.at = self.bytes.len();
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_what_is_none() {
        let bytes = b"\x08\x96\x01\x12\x02ab\x1d....\x21........";
        let found: Vec<_> = Fields::new(bytes).collect();
        let numbers: Vec<_> = found.iter().flatten().map(|field| field.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
        assert!(matches!(&found[1], Ok(field) if &bytes[field.value.clone()] == b"ab"));
        for (bytes, byte) in [
            (&b"\x08"[..], 1),
            (b"\x08\x01\x12\x05ab", 2),
            (b"<html>", 0),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1),
            (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 0),
            (b"\x02\x00", 0),
        ] {
            let last = Fields::new(bytes).last();
            assert!(
                matches!(&last, Some(Err(bad)) if bad.byte == byte),
                "{last:?}"
            );
        }
    }
}
