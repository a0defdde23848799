//! Rows below the data that are none: totals, which would be counted twice, and notes of where the figures come from.

use std::collections::BTreeSet;

use sectorlake_formats::Sample;

use super::refine::{Better, with};
use crate::names::folded;

/// Rows at the end that may be no data.
const ROWS_MAX: usize = 5;

const TOTALS: &[&str] = &[
    "tong",
    "tong cong",
    "cong",
    "tong so",
    "cong chung",
    "total",
    "grand total",
    "totals",
    "sum",
];
const NOTES: &[&str] = &[
    "nguon",
    "nguon so lieu",
    "ghi chu",
    "chu thich",
    "source",
    "sources",
    "note",
    "notes",
];

/// The format with rules for the totals and notes that stand below the data.
pub(super) fn below(found: &Sample) -> Option<Better> {
    if !found.is_whole {
        return None;
    }
    let (mut totals, mut notes) = (BTreeSet::new(), BTreeSet::new());
    let start = found
        .rows
        .len()
        .saturating_sub(ROWS_MAX)
        .max(1)
        .min(found.rows.len());
    let cells = |row: &[Option<String>]| {
        let named = found
            .schema
            .fields()
            .iter()
            .zip(row)
            .filter(|(field, _)| !field.name().starts_with('_'));
        named
            .filter_map(|(_, cell)| cell.as_deref().map(str::trim))
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut is_data_below = false;
    for row in found.rows[start..].iter().rev() {
        let cells = cells(row);
        let Some(first) = cells.first() else { continue };
        match word(first) {
            // Below the data a row that says total is one; a name among others may only sound so.
            Some(Word::Total) if cells.len() > 1 => {
                totals.insert(first.clone());
            }
            Some(Word::Note(word)) if cells.len() == 1 && !is_data_below => {
                notes.insert(word);
            }
            _ => is_data_below = true,
        }
    }
    // A line of one cell is a broken record of delimited text.
    let last = found.broken.iter().rev().take(ROWS_MAX);
    for raw in last.map(|record| record.raw.trim_start_matches('"')) {
        if let Some(Word::Note(word)) = word(raw) {
            notes.insert(word);
        }
    }
    rules(found, &totals, &notes)
}

enum Word {
    Total,
    /// The word as it is written.
    Note(String),
}

fn word(first: &str) -> Option<Word> {
    let name = folded(first);
    if TOTALS.contains(&name.as_str()) {
        return Some(Word::Total);
    }
    // A note's word ends with a colon, or is all there is.
    let lead = first
        .split([':', ';', ',', '.'])
        .next()
        .unwrap_or(first)
        .trim();
    let is_led = lead.len() < first.trim().len() || folded(lead) == name;
    (is_led && NOTES.contains(&folded(lead).as_str())).then(|| Word::Note(lead.to_owned()))
}

fn rules(found: &Sample, totals: &BTreeSet<String>, notes: &BTreeSet<String>) -> Option<Better> {
    let one_of = |words: &BTreeSet<String>| {
        words
            .iter()
            .map(|word| regex::escape(word))
            .collect::<Vec<_>>()
            .join("|")
    };
    let (mut options, mut why) = (Vec::new(), Vec::new());
    if !totals.is_empty() {
        let rule = format!(r"(?i)^\s*({})\s*:?\s*$", one_of(totals));
        why.push(format!("drop_rows {rule}: such a row at the end looks like a total, which is counted twice with what it sums up"));
        options.push(("drop_rows", rule.into()));
    }
    if !notes.is_empty() {
        let rule = format!(r"(?i)^\s*({})\s*(:|$)", one_of(notes));
        why.push(format!("footer {rule}: from such a row on nothing is data"));
        options.push(("footer", rule.into()));
    }
    if options.is_empty() {
        return None;
    }
    if let Some(format) = with(&found.format, &options) {
        return Some(Better {
            format,
            why: why.join("; "),
        });
    }
    // Delimited text has no rule for single rows; totals stand last, so nothing from there on is data.
    let words: BTreeSet<String> = totals.union(notes).cloned().collect();
    let rule = format!(r"(?i)^\s*({})\s*(:|$)", one_of(&words));
    let format = with(&found.format, &[("footer", rule.as_str().into())])?;
    let why = format!(
        "footer {rule}: from such a row on nothing is data; a total is counted twice with what it sums up"
    );
    Some(Better { format, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_totals_and_notes() {
        let is_total = |text: &str| matches!(word(text), Some(Word::Total));
        assert!(is_total("Tổng cộng") && is_total("CỘNG:") && is_total("Total"));
        assert!(!is_total("Tổng công ty Cấp nước") && !is_total("Cộng Hòa"));
        let note = |text: &str| match word(text) {
            Some(Word::Note(word)) => Some(word),
            _ => None,
        };
        assert_eq!(note("Nguồn: Sở GDĐT").as_deref(), Some("Nguồn"));
        assert_eq!(note("Ghi chú").as_deref(), Some("Ghi chú"));
        assert_eq!(note("Nguồn nước ngầm"), None);
    }
}
