//! The texts that the cells of a workbook share: one buffer, which the columns of text point into.

use arrow::buffer::Buffer;

/// Texts by number.
#[derive(Debug, Clone)]
pub(crate) struct Strings {
    bytes: Buffer,
    /// Where each ends; it begins where the one before ends.
    ends: Vec<u32>,
}

impl Default for Strings {
    fn default() -> Self {
        Self {
            bytes: Buffer::from_vec(Vec::<u8>::new()),
            ends: Vec::new(),
        }
    }
}

impl Strings {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The buffer that views point into.
    pub(crate) fn buffer(&self) -> &Buffer {
        &self.bytes
    }

    /// Where a text stands in the buffer; nowhere if there is none of this number.
    pub(crate) fn place(&self, index: u32) -> (usize, usize) {
        let index = index as usize;
        let Some(&end) = self.ends.get(index) else {
            return (0, 0);
        };
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or_default();
        (start as usize, end as usize)
    }

    pub(crate) fn get(&self, index: u32) -> &str {
        let (start, end) = self.place(index);
        std::str::from_utf8(&self.bytes[start..end]).unwrap_or_default()
    }
}

/// Texts being gathered.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    text: String,
    ends: Vec<u32>,
}

impl Gathered {
    /// The text that is being filled stands at the end.
    pub(crate) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    pub(crate) fn end(&mut self) {
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// Bytes that are held.
    pub(crate) fn bytes(&self) -> u64 {
        (self.text.len() + self.ends.len() * size_of::<u32>()) as u64
    }

    pub(crate) fn finish(self) -> Strings {
        Strings {
            bytes: Buffer::from_vec(self.text.into_bytes()),
            ends: self.ends,
        }
    }
}
