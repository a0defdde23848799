//! Columns of text made of views into the bytes that were read, and their names.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewArray};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::error::ArrowError;

use crate::error::FormatError;

/// The row number's column, which every table of a part has last.
pub(crate) const ROW: &str = "_row";
/// Columns of one part, at most.
const COLUMNS_MAX: usize = 16_384;

/// Bytes that a view holds itself (Arrow columnar format, "Variable-size Binary View Layout").
const INLINE_BYTES_MAX: usize = 12;
/// The buffer of values that had to be rewritten, in every column.
const OWN_BUFFER: u32 = 0;

/// Keeps the first `index` bytes of a word.
const KEEP: [u128; INLINE_BYTES_MAX + 1] = {
    let mut keep = [0; INLINE_BYTES_MAX + 1];
    let mut bytes = 1;
    while bytes <= INLINE_BYTES_MAX {
        keep[bytes] = (1 << (8 * bytes)) - 1;
        bytes += 1;
    }
    keep
};

/// A column being built. Values of up to 12 bytes stand in their view; longer ones stay where they were read.
#[derive(Debug, Default)]
pub(crate) struct TextColumn {
    views: Vec<u128>,
    own: Vec<u8>,
    has_long: bool,
    /// One flag per value, once there is a null.
    valid: Vec<bool>,
}

impl TextColumn {
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.views.reserve(rows);
    }

    /// A value that is `bytes[start..end]`, where `bytes` will be the `buffer`th of the array (the first is 1).
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8], start: usize, end: usize, buffer: u32) {
        let view = view(bytes, start, end, buffer, &mut self.has_long);
        self.views.push(view);
        self.mark_valid();
    }

    /// [`TextColumn::push`] for many values, in a column without nulls.
    #[inline]
    pub(crate) fn extend(
        &mut self,
        bytes: &[u8],
        buffer: u32,
        places: impl Iterator<Item = (usize, usize)>,
    ) {
        let has_long = &mut self.has_long;
        self.views
            .extend(places.map(|(start, end)| view(bytes, start, end, buffer, has_long)));
    }

    /// A value that stands nowhere as it is.
    pub(crate) fn push_own(&mut self, value: &[u8]) {
        if value.len() > INLINE_BYTES_MAX {
            self.has_long = true;
            self.views
                .push(long_view(value, OWN_BUFFER, self.own.len()));
            self.own.extend_from_slice(value);
        } else {
            self.views.push(inline_view(value));
        }
        self.mark_valid();
    }

    pub(crate) fn push_option(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.push_own(value.as_bytes()),
            None => self.push_null(),
        }
    }

    pub(crate) fn push_null(&mut self) {
        if self.valid.is_empty() {
            self.valid = vec![true; self.views.len()];
        }
        self.valid.push(false);
        self.views.push(0);
    }

    #[inline]
    fn mark_valid(&mut self) {
        if !self.valid.is_empty() {
            self.valid.push(true);
        }
    }

    /// The array over the bytes that were read. Arrow checks each view and its UTF-8.
    pub(crate) fn finish(self, read: &[Buffer]) -> Result<ArrayRef, ArrowError> {
        // A column of short values must not keep the bytes that were read in memory.
        let buffers = match self.has_long {
            true => std::iter::once(Buffer::from_vec(self.own))
                .chain(read.iter().cloned())
                .collect(),
            false => Vec::new(),
        };
        let nulls = (!self.valid.is_empty()).then(|| NullBuffer::from(self.valid));
        Ok(Arc::new(StringViewArray::try_new(
            ScalarBuffer::from(self.views),
            buffers,
            nulls,
        )?))
    }
}

#[inline]
fn view(bytes: &[u8], start: usize, end: usize, buffer: u32, has_long: &mut bool) -> u128 {
    let length = end - start;
    if length > INLINE_BYTES_MAX {
        *has_long = true;
        long_view(&bytes[start..end], buffer, start)
    } else if let Some(word) = bytes
        .get(start..start + 16)
        .and_then(|word| word.try_into().ok())
    {
        // One load whatever the length, then cut: cheaper than a copy of `length` bytes.
        ((u128::from_le_bytes(word) & KEEP[length]) << 32) | length as u128
    } else {
        inline_view(&bytes[start..end])
    }
}

fn inline_view(value: &[u8]) -> u128 {
    let mut word = [0; 16];
    word[4..4 + value.len()].copy_from_slice(value);
    u128::from_le_bytes(word) | value.len() as u128
}

/// Lengths and offsets fit: a block is bounded far below 4 GiB.
fn long_view(value: &[u8], buffer: u32, offset: usize) -> u128 {
    let prefix = u32::from_le_bytes([value[0], value[1], value[2], value[3]]);
    (value.len() as u128)
        | (u128::from(prefix) << 32)
        | (u128::from(buffer) << 64)
        | ((offset as u128) << 96)
}

/// Column names that differ: as they are written, repeats get `_2`, a name that is empty becomes `column_N`.
///
/// # Errors
/// [`FormatError::TooManyColumns`].
pub(crate) fn unique_names(
    part: &str,
    names: impl IntoIterator<Item = String>,
) -> Result<Vec<String>, FormatError> {
    let mut unique = UniqueNames::default();
    let mut all = Vec::new();
    for name in names {
        all.push(unique.add(part, &name)?);
    }
    Ok(all)
}

/// The names given so far.
#[derive(Debug, Default)]
pub(crate) struct UniqueNames(HashSet<String>);

impl UniqueNames {
    /// Keeps a name for a column that comes later.
    pub(crate) fn reserve(&mut self, name: &str) {
        self.0.insert(name.to_owned());
    }

    pub(crate) fn add(&mut self, part: &str, name: &str) -> Result<String, FormatError> {
        if self.0.len() >= COLUMNS_MAX {
            return Err(FormatError::TooManyColumns {
                name: part.to_owned(),
                bound: COLUMNS_MAX,
            });
        }
        let first = match name {
            "" => format!("column_{}", self.0.len() + 1),
            name => name.to_owned(),
        };
        let mut unique = first.clone();
        let mut number = 2;
        while unique == ROW || self.0.contains(&unique) {
            unique = format!("{first}_{number}");
            number += 1;
        }
        self.0.insert(unique.clone());
        Ok(unique)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn values_of_all_lengths_at_all_places() {
        let bytes = b"abcdefghijklmnopqrstuvwxyz";
        let mut column = TextColumn::default();
        let mut expected = Vec::new();
        for start in 0..=bytes.len() {
            for end in start..=bytes.len() {
                column.push(bytes, start, end, 1);
                column.push_own(&bytes[start..end]);
                expected.extend([Some(&bytes[start..end]); 2]);
            }
        }
        column.push_null();
        expected.push(None);
        let array = column.finish(&[Buffer::from(bytes)]).unwrap();
        let found: Vec<_> = array
            .as_string_view()
            .iter()
            .map(|value| value.map(str::as_bytes))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(array.null_count(), 1);
    }

    #[test]
    fn names_differ() {
        let names = ["a", "", "a", "a_2", "", "_row", " a"].map(str::to_owned);
        let unique = unique_names("t.csv", names).unwrap();
        assert_eq!(
            unique,
            ["a", "column_2", "a_2", "a_2_2", "column_5", "_row_2", " a"]
        );
    }
}
