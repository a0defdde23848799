//! How numbers are written in the cells: told, never changed, because cells stay text.

use crate::choice::Choice;
use crate::csv::dialect::Dialect;
use crate::csv::strict::Records;

/// Records that are looked at.
const SAMPLE_RECORDS: usize = 256;

/// Cells that speak for one way to write numbers, and one of them.
#[derive(Debug, Default)]
struct Evidence {
    cells: usize,
    example: String,
}

impl Evidence {
    fn add(&mut self, cell: &str) {
        self.cells += 1;
        if self.example.is_empty() {
            cell.clone_into(&mut self.example);
        }
    }
}

/// By mark: comma, full stop, and for thousands a blank.
#[derive(Debug, Default)]
struct Marks {
    decimal: [Evidence; 2],
    thousands: [Evidence; 2],
    /// `1,234` alone may be either.
    unclear: [Evidence; 2],
}

const NAMES: [char; 2] = [',', '.'];

/// The marks before decimals and between thousands, as far as the first records show them.
pub(super) fn marks(sample: &[u8], dialect: Dialect) -> Vec<Choice> {
    let mut records = Records::new(dialect);
    let mut marks = Marks::default();
    let mut rest = sample;
    let mut seen = 0;
    while seen < SAMPLE_RECORDS
        && let Some(range) = records.next(rest)
    {
        for field in records.fields() {
            if let Ok(cell) = std::str::from_utf8(field) {
                marks.look(cell.trim());
            }
        }
        rest = &rest[range.end..];
        seen += 1;
    }
    marks.choices()
}

impl Marks {
    fn look(&mut self, cell: &str) {
        let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
        if !digits.starts_with(|first: char| first.is_ascii_digit())
            || !digits.ends_with(|last: char| last.is_ascii_digit())
        {
            return;
        }
        let other = |letter: char| !letter.is_ascii_digit() && !NAMES.contains(&letter);
        if digits.contains(other) {
            return;
        }
        for (mark, other) in [(0, 1), (1, 0)] {
            self.count(cell, digits, mark, other);
        }
    }

    fn count(&mut self, cell: &str, digits: &str, mark: usize, other: usize) {
        let parts: Vec<&str> = digits.split(NAMES[mark]).collect();
        let others = digits.matches(NAMES[other]).count();
        let [first, middle @ .., last] = parts.as_slice() else {
            return;
        };
        let in_threes = |part: &&str| part.len() == 3 && !part.contains(NAMES[other]);
        match (middle.len(), others) {
            // `1.234,5`: the last mark comes before decimals.
            (0, 1..) if digits.rfind(NAMES[mark]) > digits.rfind(NAMES[other]) => {
                self.decimal[mark].add(cell);
                self.thousands[other].add(cell);
            }
            (1.., 0) if middle.iter().all(in_threes) && last.len() == 3 => {
                self.thousands[mark].add(cell)
            }
            (0, 0) if last.len() == 3 && first.len() <= 3 && *first != "0" => {
                self.unclear[mark].add(cell)
            }
            (0, 0) => self.decimal[mark].add(cell),
            _ => {}
        }
    }

    fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        for (what, evidence) in [
            (Choice::DECIMAL_MARK, &self.decimal),
            (Choice::THOUSANDS_MARK, &self.thousands),
        ] {
            let [comma, stop] = evidence;
            let (mark, most, least) = match comma.cells > stop.cells {
                true => (0, comma, stop),
                false => (1, stop, comma),
            };
            if most.cells == 0 {
                continue;
            }
            let mut why = format!("{} such as `{}`", count(most.cells), most.example);
            if least.cells > 0 {
                why += &format!(
                    "; but {} such as `{}` speak for `{}`: declare it per field",
                    count(least.cells),
                    least.example,
                    NAMES[1 - mark]
                );
            }
            choices.push(Choice::new(what, NAMES[mark].to_string(), why));
        }
        choices.extend(self.unclear());
        choices
    }

    /// Cells that could be read either way, where no others tell.
    fn unclear(&self) -> Option<Choice> {
        let (mark, evidence) = self.unclear.iter().enumerate().find(|(mark, evidence)| {
            evidence.cells > 0
                && self.decimal.iter().all(|other| other.cells == 0)
                && self.thousands[*mark].cells == 0
        })?;
        let why = format!(
            "{} such as `{}` may have thousands or decimals; not certain",
            count(evidence.cells),
            evidence.example
        );
        let value = NAMES[mark].to_string();
        Some(Choice::new(Choice::THOUSANDS_MARK, value, why))
    }
}

fn count(cells: usize) -> String {
    match cells {
        1 => "1 cell".to_owned(),
        _ => format!("{cells} cells"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sample: &str, expected: &[&str]) {
        let dialect = Dialect {
            delimiter: b';',
            quote: Some(b'"'),
            comment: None,
        };
        let choices: Vec<String> = marks(sample.as_bytes(), dialect)
            .iter()
            .map(|choice| format!("{} {}: {}", choice.what, choice.value, choice.why))
            .collect();
        assert_eq!(choices, expected, "{sample}");
    }

    #[test]
    fn marks_are_told_by_the_cells() {
        check("1;2\na;b\n", &[]);
        check("3,14;-0,5\n", &["decimal mark ,: 2 cells such as `3,14`"]);
        check(
            "1.234,5;7\n1.234.567;8\n",
            &[
                "decimal mark ,: 1 cell such as `1.234,5`",
                "thousands mark .: 2 cells such as `1.234,5`",
            ],
        );
        check(
            "1,234;5.5\n1,234,567\n",
            &[
                "decimal mark .: 1 cell such as `5.5`",
                "thousands mark ,: 1 cell such as `1,234,567`",
            ],
        );
        check(
            "1,234;5\n",
            &[
                "thousands mark ,: 1 cell such as `1,234` may have thousands or decimals; not certain",
            ],
        );
        check(
            "1,5;1.5\n2,5\n",
            &[
                "decimal mark ,: 2 cells such as `1,5`; but 1 cell such as `1.5` speak for `.`: declare it per field",
            ],
        );
        // Dates, times, versions and codes are no numbers.
        check("01.02.2024;12:30;1.2.3;A,1;1,\n", &[]);
    }
}
