//! Which elements are records, where no path is declared.

use std::collections::HashMap;

use futures::TryStreamExt;

use crate::content::Chunks;
use crate::error::FormatError;
use crate::xml::scan::{Edge, Scanner, local};

/// Different paths that are counted.
const PATHS_MAX: usize = 4096;
/// Elements deeper than this are not looked at.
const DEPTH_MAX: usize = 64;
/// An element that is repeated this often for each of its repeated ancestors is still a part of it: a row has no more cells.
const PARTS_MAX: u64 = 20;

/// What is known of the elements at one path.
#[derive(Debug, Clone, Default)]
struct Counted {
    count: u64,
    has_children: bool,
    /// The number of the path among all.
    order: usize,
}

/// The path of the records, and how many there are: of the elements with children that are repeated those there are most of, or what
/// they are parts of if that is repeated as well; without any, the most repeated element; without any, the root.
pub(crate) async fn guess(mut text: Chunks) -> Result<Option<(Vec<String>, u64)>, FormatError> {
    let mut counter = Counter::default();
    let mut scanner = Scanner::new();
    while let Some(chunk) = text.try_next().await? {
        let mut index = 0;
        while index < chunk.len() {
            index += scanner.skip(&chunk[index..]);
            let Some(&byte) = chunk.get(index) else { break };
            index += 1;
            match scanner.step(byte) {
                Some(Edge::Opens) => counter.opens(local(scanner.name()), true),
                Some(Edge::Empty) => counter.opens(local(scanner.name()), false),
                Some(Edge::Closes) => counter.closes(),
                // What is broken is told of when the records are cut.
                Some(Edge::Stray) | None => {}
            }
        }
    }
    Ok(choose(&counter.paths))
}

#[derive(Debug, Default)]
struct Counter {
    paths: HashMap<Vec<String>, Counted>,
    at: Vec<String>,
    /// Open elements beyond the depth that is looked at.
    beyond: usize,
}

impl Counter {
    fn opens(&mut self, name: &[u8], stays_open: bool) {
        if self.beyond > 0 || self.at.len() >= DEPTH_MAX {
            self.beyond += usize::from(stays_open);
            return;
        }
        if let Some(parent) = self.paths.get_mut(&self.at) {
            parent.has_children = true;
        }
        self.at.push(String::from_utf8_lossy(name).into_owned());
        let order = self.paths.len();
        if let Some(known) = self.paths.get_mut(&self.at) {
            known.count += 1;
        } else if order < PATHS_MAX {
            let first = Counted {
                count: 1,
                order,
                ..Counted::default()
            };
            self.paths.insert(self.at.clone(), first);
        }
        if !stays_open {
            self.at.pop();
        }
    }

    fn closes(&mut self) {
        match self.beyond {
            0 => drop(self.at.pop()),
            _ => self.beyond -= 1,
        }
    }
}

fn choose(paths: &HashMap<Vec<String>, Counted>) -> Option<(Vec<String>, u64)> {
    let repeated = |path: &[String]| paths.get(path).map_or(0, |it| it.count);
    let rank = |(path, it): &(&Vec<String>, &Counted)| {
        let is_record = it.has_children && it.count > 1;
        let shallow = usize::MAX - path.len();
        // Without a repeated element all counts are 1, and the shallowest path is the root.
        (is_record, it.count, shallow, usize::MAX - it.order)
    };
    let (best, counted) = paths.iter().max_by_key(rank)?;
    for depth in 1..best.len() {
        let count = repeated(&best[..depth]);
        if count > 1 && counted.count <= count.saturating_mul(PARTS_MAX) {
            return Some((best[..depth].to_vec(), count));
        }
    }
    Some((best.clone(), counted.count))
}
