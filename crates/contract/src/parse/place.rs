//! A place in a JSON document as line and column.
//!
//! serde_json gives places for syntax only. The few faults of a contract are looked up afterwards, by walking the (sound)
//! document down the path; serde_json's stream reader skips what lies between.

use serde::de::{Deserialize, IgnoredAny};

use super::node::{Path, Segment};

/// Line and column (in characters) of the value at `path`, both from 1; for a property, of its key.
pub(crate) fn find(text: &str, path: &Path) -> Option<(usize, usize)> {
    let mut at = Cursor { text, byte: 0 };
    at.skip_space();
    let mut place = at.byte;
    for segment in &path.0 {
        let next = match segment {
            Segment::Key(key) => at.enter_key(key),
            Segment::Index(index) => at.enter_item(*index),
        };
        // A key's field may stand alone where a list may: then its property is the nearest place.
        let Some(next) = next else { break };
        place = next;
    }
    let before = text.get(..place)?;
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Some((
        before.matches('\n').count() + 1,
        before.get(line_start..)?.chars().count() + 1,
    ))
}

struct Cursor<'a> {
    text: &'a str,
    byte: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.byte..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.byte += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Steps over one of the given marks, and the space after it.
    fn step(&mut self, mark: char) -> Option<()> {
        if !self.rest().starts_with(mark) {
            return None;
        }
        self.byte += mark.len_utf8();
        self.skip_space();
        Some(())
    }

    fn value<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let mut stream = serde_json::Deserializer::from_str(self.rest()).into_iter::<T>();
        let value = stream.next()?.ok()?;
        self.byte += stream.byte_offset();
        self.skip_space();
        Some(value)
    }

    /// Goes to the value of a property and gives the place of its key. Of repeated keys the last counts, as in serde_json.
    fn enter_key(&mut self, wanted: &str) -> Option<usize> {
        self.step('{')?;
        let mut found = None;
        loop {
            let place = self.byte;
            let Some(key) = self.value::<String>() else {
                break;
            };
            self.step(':')?;
            if key == wanted {
                found = Some((place, self.byte));
            }
            self.value::<IgnoredAny>()?;
            if self.step(',').is_none() {
                break;
            }
        }
        let (key, value) = found?;
        self.byte = value;
        Some(key)
    }

    fn enter_item(&mut self, index: usize) -> Option<usize> {
        self.step('[')?;
        for _ in 0..index {
            self.value::<IgnoredAny>()?;
            self.step(',')?;
        }
        Some(self.byte)
    }
}
