//! 64 bytes at a time: where delimiters, line ends and quotes stand, as bits, and what of it lies outside quotes.

use crate::csv::dialect::Dialect;

/// Bytes of a window.
pub(crate) const WIDTH: usize = 64;

/// One bit per byte of a window; bit 0 is the first byte.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Masks {
    pub(crate) delimiters: u64,
    pub(crate) lines: u64,
    pub(crate) quotes: u64,
}

impl Masks {
    /// All three.
    #[inline]
    pub(crate) fn of(window: &[u8; WIDTH], dialect: Dialect) -> Self {
        let quotes = dialect
            .quote
            .map_or(0, |quote| mask(window, |byte| byte == quote));
        Self {
            quotes,
            ..Self::without_quotes(window, dialect)
        }
    }

    /// Where quotes are known to be absent.
    #[inline]
    pub(crate) fn without_quotes(window: &[u8; WIDTH], dialect: Dialect) -> Self {
        Self {
            delimiters: mask(window, |byte| byte == dialect.delimiter),
            lines: mask(window, is_line_end),
            quotes: 0,
        }
    }
}

/// CR and LF; together they end one line, as do several in a row.
#[inline]
pub(crate) fn is_line_end(byte: u8) -> bool {
    (byte == b'\n') | (byte == b'\r')
}

/// The comparison compiles to vector instructions; the multiplication gathers the flags of eight bytes into eight bits.
#[inline]
fn mask(window: &[u8; WIDTH], matches: impl Fn(u8) -> bool) -> u64 {
    let mut flags = [0_u8; WIDTH];
    for (flag, byte) in flags.iter_mut().zip(window) {
        *flag = u8::from(matches(*byte));
    }
    let mut mask = 0;
    for (index, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= gathered << (8 * index);
    }
    mask
}

/// The window that starts at `start`, and how many bytes there are; the last one is filled up with zeros.
#[inline]
pub(crate) fn window(bytes: &[u8], start: usize) -> ([u8; WIDTH], usize) {
    let rest = &bytes[start..];
    match rest.first_chunk() {
        Some(whole) => (*whole, WIDTH),
        None => {
            let mut padded = [0; WIDTH];
            padded[..rest.len()].copy_from_slice(rest);
            (padded, rest.len())
        }
    }
}

/// Where the reader stands between two bytes, quotes respected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// At the start of a record.
    Line,
    /// At the start of another field.
    Field,
    /// In a field, where quotes mean nothing.
    Text,
    /// Between quotes.
    Quoted,
    /// After a quote that closes, unless another follows.
    Closed,
    /// In a line that is no record.
    Comment,
}

impl State {
    /// One byte on, as the `csv` crate does it; true where a record ends with it.
    pub(crate) fn step(&mut self, byte: u8, dialect: Dialect) -> bool {
        let is_quote = Some(byte) == dialect.quote;
        let (next, ends) = match (*self, byte) {
            (Self::Comment, byte) if !is_line_end(byte) => (Self::Comment, false),
            (Self::Comment, _) => (Self::Line, false),
            (Self::Line, _) if Some(byte) == dialect.comment => (Self::Comment, false),
            (Self::Quoted, _) if is_quote => (Self::Closed, false),
            (Self::Quoted, _) => (Self::Quoted, false),
            (Self::Text, _) if is_quote => (Self::Text, false),
            (_, _) if is_quote => (Self::Quoted, false),
            (_, byte) if byte == dialect.delimiter => (Self::Field, false),
            (state, byte) if is_line_end(byte) => (Self::Line, state != Self::Line),
            _ => (Self::Text, false),
        };
        *self = next;
        ends
    }

    /// Whether the byte between two states was a quote that opens a field.
    pub(crate) fn opens_after(self, before: Self) -> bool {
        self == Self::Quoted && !matches!(before, Self::Quoted | Self::Closed)
    }
}

/// [`State`] as bits for windows: quotes are taken to come in pairs, which is checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quoting {
    /// All ones between quotes.
    inside: u64,
    after_boundary: u64,
    after_line: u64,
    after_closing: u64,
    /// Whether a quote was written twice to mean one.
    pub(crate) has_escapes: bool,
}

/// What stands outside quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outside {
    pub(crate) delimiters: u64,
    /// The first line end after each record.
    pub(crate) record_ends: u64,
}

impl From<State> for Quoting {
    fn from(state: State) -> Self {
        Self {
            inside: if state == State::Quoted { u64::MAX } else { 0 },
            after_boundary: u64::from(matches!(state, State::Line | State::Field)),
            after_line: u64::from(state == State::Line),
            after_closing: u64::from(state == State::Closed),
            has_escapes: false,
        }
    }
}

impl Quoting {
    pub(crate) fn state(&self) -> State {
        match self {
            Self { inside, .. } if *inside != 0 => State::Quoted,
            Self {
                after_closing: 1, ..
            } => State::Closed,
            Self { after_line: 1, .. } => State::Line,
            Self {
                after_boundary: 1, ..
            } => State::Field,
            _ => State::Text,
        }
    }

    /// The next `width` bytes; none where a quote stands inside unquoted text or text follows a closing quote: then pairs mean nothing.
    #[inline]
    pub(crate) fn step(&mut self, masks: Masks, width: usize) -> Option<Outside> {
        let inside = prefix_xor(masks.quotes) ^ self.inside;
        let opening = masks.quotes & inside;
        let closing = masks.quotes & !inside;
        let delimiters = masks.delimiters & !inside;
        let lines = masks.lines & !inside;
        let boundaries = delimiters | lines;
        let after_closing = (closing << 1) | self.after_closing;
        let after_boundary = (boundaries << 1) | self.after_boundary;
        let valid = u64::MAX >> (WIDTH - width);
        let text_after_closing =
            after_closing & valid & !(masks.delimiters | masks.lines | masks.quotes);
        let quote_in_text = opening & !(after_boundary | after_closing);
        if (text_after_closing | quote_in_text) != 0 {
            return None;
        }
        self.has_escapes |= opening & after_closing != 0;
        let record_ends = lines & !((lines << 1) | self.after_line);
        let last = width - 1;
        self.inside = (inside >> last & 1).wrapping_neg();
        self.after_boundary = boundaries >> last & 1;
        self.after_line = lines >> last & 1;
        self.after_closing = closing >> last & 1;
        Some(Outside {
            delimiters,
            record_ends,
        })
    }

    /// The same where there are no quotes and the state is outside them.
    #[inline]
    pub(crate) fn step_without_quotes(&mut self, masks: Masks, width: usize) -> Outside {
        let record_ends = masks.lines & !((masks.lines << 1) | self.after_line);
        self.after_line = masks.lines >> (width - 1) & 1;
        Outside {
            delimiters: masks.delimiters,
            record_ends,
        }
    }
}

/// Bit i: whether an odd number of bits up to i is set.
#[inline]
fn prefix_xor(mut bits: u64) -> u64 {
    let mut shift = 1;
    while shift < 64 {
        bits ^= bits << shift;
        shift *= 2;
    }
    bits
}
