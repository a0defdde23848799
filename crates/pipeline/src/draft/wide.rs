//! Wide tables: years or months as columns, which become rows of indicators.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use sectorlake_normalise::Shape;

use super::aliases;
use super::columns::SourceColumn;
use crate::names::{folded, quoted};

/// Columns of periods that make a table wide, at least.
const PERIODS_MIN: usize = 3;

static YEAR: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:19|20)\d{2}(?:\s*[-–/]\s*(?:19|20)\d{2})?").ok());

/// Months by their names; Vietnamese ones are numbers.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// What the columns of a wide table are.
#[derive(Debug, Clone)]
pub(super) struct Wide {
    /// Columns that stay.
    pub(super) keep: Vec<usize>,
    /// Columns that become rows.
    pub(super) melt: Vec<usize>,
    pub(super) period: Period,
    /// Whether the names of the columns say more than the period.
    pub(super) has_series: bool,
}

/// What the names of the columns say of the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Period {
    /// A year, or a school year.
    Year,
    /// A month, beside a column of years.
    Month {
        /// The column of years.
        year: usize,
        /// The name of each column, and its month.
        months: BTreeMap<String, usize>,
    },
}

/// The wide table that a source is, if it is one.
pub(super) fn find(columns: &[SourceColumn]) -> Option<Wide> {
    let is_number = |column: &SourceColumn| {
        let numbers = matches!(
            column.shape(),
            Shape::Integer
                | Shape::Number
                | Shape::NumberComma
                | Shape::NumberEither
                | Shape::Empty
        );
        numbers || column.is_mostly_number()
    };
    let of = |wanted: &dyn Fn(&SourceColumn) -> bool| -> Vec<usize> {
        let all = columns.iter().enumerate();
        all.filter(|(_, column)| wanted(column) && is_number(column))
            .map(|(index, _)| index)
            .collect()
    };
    let is_wide = |melt: &[usize]| melt.len() >= PERIODS_MIN && melt.len() * 2 >= columns.len();
    let years = of(&|column| year_in(&column.name).is_some());
    if is_wide(&years) {
        return Some(Wide {
            keep: others(columns, &years),
            has_series: years.iter().any(|index| has_more(&columns[*index].name)),
            melt: years,
            period: Period::Year,
        });
    }
    let months = of(&|column| month_in(&column.folded).is_some());
    if !is_wide(&months) {
        return None;
    }
    let keep = others(columns, &months);
    let is_year = |column: &SourceColumn| {
        let named = aliases::holds(&column.folded, "year") || aliases::holds(&column.folded, "nam");
        named && column.shape() == Shape::Integer
    };
    let year = keep
        .iter()
        .copied()
        .find(|index| is_year(&columns[*index]))?;
    let by_name = months.iter().filter_map(|index| {
        let column = &columns[*index];
        Some((column.name.clone(), month_in(&column.folded)?))
    });
    Some(Wide {
        period: Period::Month {
            year,
            months: by_name.collect(),
        },
        keep,
        melt: months,
        has_series: false,
    })
}

fn others(columns: &[SourceColumn], melt: &[usize]) -> Vec<usize> {
    (0..columns.len())
        .filter(|index| !melt.contains(index))
        .collect()
}

fn year_in(name: &str) -> Option<&str> {
    let found = YEAR.as_ref()?.find(name)?;
    let digit = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_digit());
    let (before, after) = (&name[..found.start()], &name[found.end()..]);
    // 120021 is no year.
    let is_part = digit(before.chars().next_back()) || digit(after.chars().next());
    (!is_part).then(|| found.as_str())
}

/// Whether a name says more than its year: `2002 Primary`, not `Năm 2002` or `X2002`.
fn has_more(name: &str) -> bool {
    let Some(year) = year_in(name) else {
        return false;
    };
    let rest = folded(&name.replace(year, " "));
    !matches!(
        rest.as_str(),
        "" | "x" | "nam" | "year" | "nam hoc" | "prel" | "so bo" | "uoc tinh"
    )
}

fn month_in(name: &str) -> Option<usize> {
    let number = name
        .strip_prefix("thang ")
        .or_else(|| name.strip_prefix('t').map(str::trim));
    if let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) {
        return (1..=12).contains(&number).then_some(number);
    }
    // Three letters tell them apart.
    let is_short = |month: &&str| name.len() >= 3 && month.starts_with(name);
    MONTHS.iter().position(is_short).map(|month| month + 1)
}

impl Wide {
    /// The SQL of the time period.
    pub(super) fn time_period(&self, columns: &[SourceColumn]) -> String {
        match &self.period {
            Period::Year => {
                let names = || self.melt.iter().map(|index| columns[*index].name.as_str());
                let is_span = |name: &str| year_in(name).is_some_and(|year| year.len() > 4);
                if names().all(|name| {
                    year_in(name).is_some_and(|year| year.len() == 4 && name.starts_with(year))
                }) {
                    "substr(period, 1, 4)".to_owned()
                } else if names().any(is_span) {
                    r"regexp_replace(period, '^.*?((19|20)[0-9]{2}(\s*[-–/]\s*(19|20)[0-9]{2})?).*$', '\1')".to_owned()
                } else {
                    r"regexp_replace(period, '^.*?((19|20)[0-9]{2}).*$', '\1')".to_owned()
                }
            }
            Period::Month { year, months } => {
                let cases: Vec<String> = months
                    .iter()
                    .map(|(name, month)| {
                        format!("WHEN '{}' THEN '{month:02}'", name.replace('\'', "''"))
                    })
                    .collect();
                format!(
                    "{} || '-' || CASE period {} END",
                    quoted(&columns[*year].name),
                    cases.join(" ")
                )
            }
        }
    }

    /// The SQL of what the name of a column says beside its year.
    pub(super) fn series(&self) -> Option<&'static str> {
        self.has_series.then_some(
            r"trim(BOTH '_' FROM regexp_replace(lower(vn_unaccent(regexp_replace(period, '(19|20)[0-9]{2}', ''))), '[^a-z0-9]+', '_', 'g'))",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_and_months_in_names() {
        assert_eq!(year_in("X2002.Lower.secondary"), Some("2002"));
        assert_eq!(year_in("2015-2016"), Some("2015-2016"));
        assert_eq!(year_in("120021"), None);
        assert!(has_more("2002 Lower Secondary") && !has_more("Năm 2002") && !has_more("X2002"));
        assert_eq!(month_in(&folded("Tháng 12")), Some(12));
        assert_eq!(month_in(&folded("Sep.")), Some(9));
        assert_eq!(month_in(&folded("Marketing")), None);
        assert_eq!(month_in(&folded("March")), Some(3));
        assert_eq!(month_in("t13"), None);
    }
}
