//! Which character stands between fields, where none is declared.

use std::cmp::Reverse;

use crate::csv::dialect::Dialect;
use crate::csv::strict::Records;
use crate::csv::window::State;

/// Delimiters that are tried where none is declared.
pub(super) const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records that a delimiter is guessed from.
const SAMPLE_RECORDS: usize = 32;

/// A delimiter that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) delimiter: u8,
    pub(super) why: String,
    /// Whether it divides the first record, and nearly all others alike: then the first record is the header, and no title.
    pub(super) is_even: bool,
}

/// How one delimiter divides the first records.
#[derive(Debug, Clone, Default)]
struct Division {
    delimiter: u8,
    /// Fields of the first record, and those with something in them.
    fields: usize,
    filled: usize,
    /// Records that were looked at, without notes at the end; those with as many fields as the first.
    seen: usize,
    alike: usize,
    /// Whether the second record is one of them.
    is_followed: bool,
    /// Whether any record but the first is divided.
    divides_below: bool,
    /// Records with a quote where none is written, or text behind a closed one: they were not divided so by whoever wrote them.
    misquoted: usize,
    standing: Standing,
}

/// What stands around the delimiters of records.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    all: usize,
    between_digits: usize,
    before_blank: usize,
}

impl Standing {
    /// Adds the delimiters of one record; and tells whether its quotes are as they are written around whole fields.
    pub(super) fn add(&mut self, record: &[u8], dialect: Dialect) -> bool {
        let mut state = State::Line;
        let mut is_quoted_well = true;
        for (index, byte) in record.iter().enumerate() {
            let before = state;
            state.step(*byte, dialect);
            let is_quote = Some(*byte) == dialect.quote;
            is_quoted_well &= match (before, state) {
                (State::Text, _) => !is_quote,
                (State::Closed, State::Text) => false,
                _ => true,
            };
            if state == State::Field {
                let next = record.get(index + 1);
                let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
                let last = index.checked_sub(1).and_then(|last| record.get(last));
                self.all += 1;
                self.between_digits += usize::from(is_digit(last) && is_digit(next));
                self.before_blank += usize::from(next == Some(&b' '));
            }
        }
        is_quoted_well
    }

    /// Whether most are decimal marks, as far as digits tell.
    fn is_in_numbers(&self) -> bool {
        self.between_digits * 2 > self.all
    }

    /// Whether most stand neither in numbers nor as in prose.
    pub(super) fn is_bare(&self) -> bool {
        (self.between_digits + self.before_blank) * 2 < self.all
    }
}

impl Division {
    fn of(sample: &[u8], dialect: Dialect) -> Self {
        let mut records = Records::new(dialect);
        let mut division = Self {
            delimiter: dialect.delimiter,
            ..Self::default()
        };
        let mut lengths = Vec::new();
        let mut rest = sample;
        while lengths.len() < SAMPLE_RECORDS
            && let Some(record) = records.next(rest)
        {
            // The last record of a sample may be cut off.
            if record.end < rest.len() || lengths.len() < 2 {
                let mut standing = division.standing;
                let is_well = standing.add(&rest[record.clone()], dialect);
                division.misquoted += usize::from(!is_well);
                match lengths.is_empty() {
                    true => {
                        let is_filled = |field: &&[u8]| !field.trim_ascii().is_empty();
                        division.filled = records.fields().filter(is_filled).count();
                    }
                    false => division.standing = standing,
                }
                lengths.push(records.len());
            }
            rest = &rest[record.end..];
        }
        division.count(&lengths);
        division
    }

    fn count(&mut self, lengths: &[usize]) {
        let [fields, below @ ..] = lengths else {
            return;
        };
        self.fields = *fields;
        self.divides_below = below.iter().any(|length| *length > 1);
        self.is_followed = below.first().is_none_or(|second| second == fields);
        let below = without_notes(below, |length| *length == 1);
        self.seen = below.len() + 1;
        self.alike = below.iter().filter(|length| *length == fields).count() + 1;
    }

    fn is_even(&self) -> bool {
        self.fields > 1 && self.filled > 1 && self.is_followed && self.alike * 10 >= self.seen * 9
    }

    fn why(&self) -> String {
        format!(
            "it divides {} of the first {} records into {} fields",
            self.alike, self.seen, self.fields
        )
    }
}

/// Records without those at the end that are notes, of one field: a third of them at most.
pub(super) fn without_notes<T>(records: &[T], is_note: impl Fn(&T) -> bool) -> &[T] {
    let notes = records.iter().rev().take_while(|record| is_note(record));
    let notes = notes.count();
    match notes * 3 <= records.len() {
        true => &records[..records.len() - notes],
        false => records,
    }
}

/// The delimiter that divides header and records evenly. Of several, the one whose quotes stand around whole fields, that is no decimal
/// mark, and that gives more columns; a comma last, because text and numbers have commas. A comma too where none divides anything.
pub(super) fn guess(sample: &[u8], quote: Option<u8>, comment: Option<u8>) -> Guess {
    let divisions = CANDIDATES.map(|delimiter| {
        let dialect = Dialect {
            delimiter,
            quote,
            comment,
        };
        Division::of(sample, dialect)
    });
    let even = divisions.iter().filter(|division| division.is_even());
    let rank = |division: &&Division| {
        (
            Reverse(division.misquoted),
            !(division.delimiter == b',' && division.standing.is_in_numbers()),
            division.fields,
        )
    };
    if let Some(best) = even.clone().max_by_key(rank) {
        let is_rival = |other: &&Division| {
            other.delimiter != best.delimiter && other.misquoted <= best.misquoted
        };
        let rival = even.clone().find(is_rival);
        return Guess {
            delimiter: best.delimiter,
            why: best.why() + &rival.map(doubt).unwrap_or_default(),
            is_even: true,
        };
    }
    uneven(&divisions)
}

/// The delimiter of a table, below and between comments, where it is certain.
pub(crate) fn certain_delimiter(sample: &[u8], comment: Option<u8>) -> Option<u8> {
    let guess = guess(sample, Some(b'"'), comment);
    guess.is_even.then_some(guess.delimiter)
}

fn doubt(rival: &Division) -> String {
    format!(
        "; but {:?} divides {} of them into {}: not certain",
        char::from(rival.delimiter),
        rival.alike,
        rival.fields
    )
}

/// Where none divides evenly: the one that divides most records as it divides the header.
fn uneven(divisions: &[Division]) -> Guess {
    let mut best: Option<&Division> = None;
    let rank = |division: &Division| (division.alike * 100 / division.seen, division.fields);
    for division in divisions.iter().filter(|division| division.fields > 1) {
        if best.is_none_or(|best| rank(division) > rank(best)) {
            best = Some(division);
        }
    }
    let below = divisions.iter().find(|division| division.divides_below);
    let (delimiter, why) = match (best, below) {
        (Some(best), _) => (best.delimiter, best.why() + ": not certain"),
        (None, None) => (
            b',',
            "no other of the usual ones divides the header".to_owned(),
        ),
        (None, Some(below)) => (
            b',',
            format!(
                "none of the usual ones divides the header, though {:?} divides records below it: not certain",
                char::from(below.delimiter)
            ),
        ),
    };
    Guess {
        delimiter,
        why,
        is_even: false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::testing::{block_on, part};
    use crate::{Choice, ReadOptions, Sample, sample};

    fn check(sample: &str, expected: char) {
        let guess = guess(sample.as_bytes(), Some(b'"'), None);
        assert_eq!(
            char::from(guess.delimiter),
            expected,
            "{sample}: {}",
            guess.why
        );
    }

    fn is_certain(sample: &str) -> bool {
        !guess(sample.as_bytes(), Some(b'"'), None)
            .why
            .contains("not certain")
    }

    #[test]
    fn delimiters_are_told_by_content() {
        check("a,b\n1,2\n", ',');
        check("a;b;c\n1,5;2;3\n1,5;2,2;3\n", ';');
        check("name, full\tcode\nx\t1\ny\t2\n", '\t');
        check("a|b\n1|2\n", '|');
        check("\"a;b\",c\n\"1;2;3\",4\n", ',');
        check("\"a;b\",\"c;d\"\n\"1;2\",\"4;5\"\n", ',');
        check("only\n1\n2\n", ',');
        check("", ',');
        check("a;b", ';');
        // A comma in each line, and as many as of the other.
        check("area, ha;b\n1,5;2\n2,25;3\n", ';');
        check("a, 1;b, 2;c, 3\n1,5;2,5;3,5\n", ';');
        check("id;ten;n\n1;a;1\n2;b;2\nNguồn: Sở, Phòng\n", ';');
    }

    #[test]
    fn doubt_is_told() {
        assert!(is_certain("a;b;c\n1,5;2;3\n1,5;2,2;3\n"));
        assert!(is_certain("\"a;b\",\"c;d\"\n\"1;2\",\"4;5\"\n"));
        assert!(is_certain("only\n1\n2\n"));
        for sample in [
            "area, ha;b\n1,5;2\n2,25;3\n",
            "name\nAn, Bình\nChi\n",
            "a;b\n1\n2;3;4\n5\n",
        ] {
            assert!(!is_certain(sample), "{sample}");
        }
    }

    fn sampled(text: &str) -> Sample {
        block_on(async {
            let part = part("part.csv", text).await;
            sample(&part, None, None, 100, &ReadOptions::default())
                .await
                .unwrap()
        })
    }

    #[test]
    fn decimal_commas_are_no_reason_to_drop_the_header() {
        let text = "Mã trường;Tên trường;Quận/huyện;Cấp học;Diện tích (m2);Ngày thành lập\r
001;Trường Tiểu học Nguyễn Huệ;Quận Hồng Bàng;Tiểu học;1.234,5;01/09/2023\r
002;Trường THCS Trần Phú;Quận Lê Chân;Trung học cơ sở;987,0;15/09/2023\r
003;Trường THPT Ngô Quyền;Quận Ngô Quyền;Trung học phổ thông;2.001,25;03/04/2024\r
004;Trường Mầm non Hướng Dương;Quận Kiến An;Mầm non;310,5;05/06/2024\r
0A5;Trường Tiểu học Đằng Hải;Quận Hải An;Tiểu học;450,0;31/12/2023\r\n";
        let found = sampled(text);
        assert_eq!(found.schema.field(0).name(), "Mã trường");
        assert_eq!(
            (found.schema.fields().len(), found.rows.len(), found.broken),
            (6, 5, vec![])
        );
    }

    fn written(cell: &str, delimiter: char, always: bool) -> String {
        match always || cell.contains([delimiter, '"', '\n']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.to_owned(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn what_a_table_was_written_with_is_found_or_doubted(
            delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
            header in prop::collection::vec("[a-zđê]{1,6}( [a-z]{1,4})?(, [a-z]{1,3})?", 2..6),
            cells in prop::collection::vec(
                "[0-9]{1,3},[0-9]{1,2}|[1-9]\\.[0-9]{3},[0-9]|[A-Zđ][a-z]{1,6}(, [a-z;|]{1,5})?|[a-z]{1,3}\"[a-z ]{1,3}|[0-9]{1,4}",
                1..60,
            ),
            always in any::<bool>(),
        ) {
            let join = |cells: Vec<String>| cells.join(&delimiter.to_string());
            let line = |cells: &[String]| join(cells.iter().map(|cell| written(cell, delimiter, always)).collect());
            let rows: Vec<String> = cells.chunks_exact(header.len()).map(line).collect();
            let text = format!("{}\n{}\n", line(&header), rows.join("\n"));
            let found = sampled(&text);
            let chosen = |what: &str| found.choices.iter().find(|choice| choice.what == what);
            let choice = chosen(Choice::DELIMITER).unwrap();
            let is_found = choice.value == delimiter.to_string();
            prop_assert!(is_found || choice.why.contains("not certain"), "{text}: {choice:?}");
            prop_assert!(chosen(Choice::SKIP_ROWS).is_none(), "{text}");
            prop_assert_eq!(found.rows.len() + found.broken.len(), rows.len(), "{}", text);
            prop_assert!(!is_found || found.schema.fields().len() == header.len(), "{text}");
        }
    }
}
