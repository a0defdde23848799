//! The header of a feed message: its time, and whether it is whole. The rest is decoded after the raw zone.

use chrono::DateTime;
use sectorlake_connector::{ConnectorError, ErrorKind};

use crate::poll::Moment;

/// `incrementality` of a message that holds changes only.
const DIFFERENTIAL: u64 = 1;

/// What a message says of itself.
///
/// # Errors
/// [`ErrorKind::Invalid`] for what is no feed message, and for one that holds changes only: what became of the entities that it does
/// not name cannot be known, and the specification leaves such feeds undefined.
pub(super) fn moment(message: &[u8]) -> Result<Moment, ConnectorError> {
    let invalid = |message: &str| ConnectorError::new(ErrorKind::Invalid, message);
    let header =
        Fields(message)
            .find(|(number, _)| *number == 1)
            .and_then(|(_, value)| match value {
                Value::Bytes(header) => Some(header),
                Value::Number(_) => None,
            });
    let Some(header) = header else {
        return Err(
            invalid("is no GTFS-Realtime feed message: it has no header")
                .with_help("the address must give the protobuf itself, not its text or JSON form"),
        );
    };
    let number = |wanted: u64| {
        Fields(header).find_map(|(number, value)| match value {
            Value::Number(value) if number == wanted => Some(value),
            _ => None,
        })
    };
    if number(2) == Some(DIFFERENTIAL) {
        return Err(invalid("is a DIFFERENTIAL feed, which holds changes only")
            .with_help("ask the publisher for the FULL_DATASET feed; the specification leaves differential ones undefined"));
    }
    let timestamp = number(3);
    Ok(Moment {
        made_at: timestamp
            .and_then(|seconds| DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)),
        stamp: timestamp.map(|seconds| format!("timestamp={seconds}")),
        ttl_s: None,
        has_more: false,
    })
}

/// The fields of a message as far as they can be read; one that is cut off ends them.
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Bytes(self.take(8)?),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Bytes(self.take(4)?),
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl<'a> Fields<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}
