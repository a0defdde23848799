//! Where markup begins and ends, byte by byte and across chunks: enough to find elements without reading them.

/// Bytes of an element's name that are kept.
const NAME_BYTES_MAX: usize = 256;

/// What the scanner is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// After `<`.
    Start,
    /// After `<!`, while it is not clear what follows.
    Bang,
    /// In a tag; in a quoted value of it.
    Tag {
        closes: bool,
        quote: Option<u8>,
        named: bool,
        slash: bool,
    },
    /// With the dashes just before.
    Comment(usize),
    /// With the brackets just before.
    CharacterData(usize),
    /// With a question mark just before.
    Instruction(bool),
    /// With open brackets, and inside a quoted value.
    Declaration(usize, Option<u8>),
}

/// An element's edge. The name is [`Scanner::name`], with its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// `<a>`
    Opens,
    /// `<a/>`
    Empty,
    /// `</a>`
    Closes,
    /// A `<` that starts no markup, or cuts a tag off.
    Stray,
}

/// The scanner between two bytes.
#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    name: Vec<u8>,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Text,
            name: Vec::new(),
        }
    }

    /// The name of the last edge.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether the next byte is text, or starts markup.
    pub(crate) fn is_text(&self) -> bool {
        self.state == State::Text
    }

    /// Bytes that can be passed over at once: what is neither an edge nor leads to one.
    pub(crate) fn skip(&self, rest: &[u8]) -> usize {
        let stop = match self.state {
            State::Text => memchr::memchr(b'<', rest),
            State::Tag {
                quote: Some(quote), ..
            } => memchr::memchr2(quote, b'<', rest),
            State::Comment(0) => memchr::memchr(b'-', rest),
            State::CharacterData(0) => memchr::memchr(b']', rest),
            _ => Some(0),
        };
        stop.unwrap_or(rest.len())
    }

    /// Takes the next byte.
    pub(crate) fn step(&mut self, byte: u8) -> Option<Edge> {
        match self.state {
            State::Text => {
                if byte == b'<' {
                    self.begin();
                }
                None
            }
            State::Start => self.start(byte),
            State::Bang => {
                self.bang(byte);
                None
            }
            State::Tag { .. } => self.tag(byte),
            State::Comment(dashes) => {
                self.state = match byte {
                    b'>' if dashes >= 2 => State::Text,
                    b'-' => State::Comment(dashes + 1),
                    _ => State::Comment(0),
                };
                None
            }
            State::CharacterData(brackets) => {
                self.state = match byte {
                    b'>' if brackets >= 2 => State::Text,
                    b']' => State::CharacterData(brackets + 1),
                    _ => State::CharacterData(0),
                };
                None
            }
            State::Instruction(question) => {
                self.state = match byte {
                    b'>' if question => State::Text,
                    _ => State::Instruction(byte == b'?'),
                };
                None
            }
            State::Declaration(depth, quote) => {
                self.declaration(byte, depth, quote);
                None
            }
        }
    }

    fn begin(&mut self) {
        self.state = State::Start;
        self.name.clear();
    }

    fn start(&mut self, byte: u8) -> Option<Edge> {
        let tag = |closes| State::Tag {
            closes,
            quote: None,
            named: false,
            slash: false,
        };
        match byte {
            b'/' => self.state = tag(true),
            b'?' => self.state = State::Instruction(false),
            b'!' => self.state = State::Bang,
            b'<' => {
                self.begin();
                return Some(Edge::Stray);
            }
            b'_' | b':' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => {
                self.state = tag(false);
                self.name.push(byte);
            }
            _ => {
                self.state = State::Text;
                return Some(Edge::Stray);
            }
        }
        None
    }

    fn bang(&mut self, byte: u8) {
        self.name.push(byte);
        self.state = match self.name.as_slice() {
            b"--" => State::Comment(0),
            b"[CDATA[" => State::CharacterData(0),
            begun if b"--".starts_with(begun) || b"[CDATA[".starts_with(begun) => State::Bang,
            b">" => State::Text,
            _ => State::Declaration(usize::from(byte == b'['), None),
        };
    }

    fn tag(&mut self, byte: u8) -> Option<Edge> {
        let State::Tag {
            closes,
            quote,
            named,
            slash,
        } = self.state
        else {
            return None;
        };
        if byte == b'<' {
            // No tag holds one, not even in quotes: the tag was cut off, or a quote was forgotten.
            self.begin();
            return Some(Edge::Stray);
        }
        if let Some(open) = quote {
            self.state = State::Tag {
                closes,
                quote: (byte != open).then_some(open),
                named,
                slash: false,
            };
            return None;
        }
        match byte {
            b'>' => {
                self.state = State::Text;
                return Some(match (closes, slash) {
                    (true, _) => Edge::Closes,
                    (false, true) => Edge::Empty,
                    (false, false) => Edge::Opens,
                });
            }
            b' ' | b'\t' | b'\r' | b'\n' | b'/' => {
                self.state = State::Tag {
                    closes,
                    quote: None,
                    named: !self.name.is_empty(),
                    slash: byte == b'/',
                };
            }
            _ => {
                if !named && self.name.len() < NAME_BYTES_MAX {
                    self.name.push(byte);
                }
                self.state = State::Tag {
                    closes,
                    quote: (named && matches!(byte, b'"' | b'\'')).then_some(byte),
                    named,
                    slash: false,
                };
            }
        }
        None
    }

    fn declaration(&mut self, byte: u8, depth: usize, quote: Option<u8>) {
        self.state = match (quote, byte) {
            (Some(open), _) if byte == open => State::Declaration(depth, None),
            (Some(_), _) => return,
            (None, b'"' | b'\'') => State::Declaration(depth, Some(byte)),
            (None, b'[') => State::Declaration(depth + 1, None),
            (None, b']') => State::Declaration(depth.saturating_sub(1), None),
            (None, b'>') if depth == 0 => State::Text,
            _ => return,
        };
    }
}

/// A name without its prefix.
pub(crate) fn local(name: &[u8]) -> &[u8] {
    match memchr::memrchr(b':', name) {
        Some(colon) => &name[colon + 1..],
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(text: &str) -> Vec<String> {
        let mut scanner = Scanner::new();
        let mut found = Vec::new();
        let (bytes, mut index) = (text.as_bytes(), 0);
        while index < bytes.len() {
            let skipped = scanner.skip(&bytes[index..]);
            index += skipped;
            if let Some(&byte) = bytes.get(index) {
                if let Some(edge) = scanner.step(byte) {
                    let name = String::from_utf8_lossy(scanner.name());
                    found.push(format!("{edge:?} {name}"));
                }
                index += 1;
            }
        }
        found
    }

    #[test]
    fn all_kinds_of_markup() {
        let text = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b \"]>\">]><a:b c=\"/>\" d='>'><!-- <x> -- --><y/><![CDATA[<z>]]]></y>]]></a:b>";
        assert_eq!(
            edges(text),
            ["Opens a:b", "Empty y", "Closes y", "Closes a:b"]
        );
    }

    #[test]
    fn what_is_no_markup() {
        assert_eq!(
            edges("<a>1 < 2<b c=\"x<d>3</d></a >"),
            [
                "Opens a", "Stray ", "Stray ", "Opens d", "Closes d", "Closes a"
            ]
        );
    }
}
