//! Where the table stands in a grid of cells: its columns and their names, its first row, and what is no data.

use std::borrow::Cow;
use std::collections::BTreeSet;

use regex::Regex;

use crate::choice::Choice;
use crate::columns::UniqueNames;
use crate::error::{FormatError, nearest};
use crate::spec::{FormulaErrors, WorkbookFormat};

use crate::workbook::column::Column;
use crate::workbook::detect::{self, Unsure, Used};
use crate::workbook::font::Font;
use crate::workbook::header::{names, spread};
use crate::workbook::units;
use crate::workbook::value;

/// A row of the grid's beginning.
#[derive(Debug, Clone)]
pub(crate) struct HeadRow {
    pub(crate) number: u32,
    pub(crate) cells: Vec<HeadCell>,
}

/// A cell of the grid's beginning.
#[derive(Debug, Clone)]
pub(crate) struct HeadCell {
    pub(crate) column: u32,
    pub(crate) text: String,
    pub(crate) is_number: bool,
}

/// Cells that are one to whoever looks: its first cell holds the text. Rows count from 1, columns from 0, both ends are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) rows: (u32, u32),
    pub(crate) columns: (u32, u32),
}

/// Merged cells of one sheet, at most.
pub(crate) const MERGED_MAX: usize = 1 << 18;

/// How rows of a grid become records.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) sheet: String,
    /// Whether records name their sheet.
    pub(crate) names_sheet: bool,
    /// Added to row numbers, so that rows of several sheets differ.
    pub(crate) number_base: i64,
    /// The columns: the first and one past the last.
    columns: (u32, u32),
    /// Whether cells of other columns are left out in silence: they are where the columns are declared.
    pub(crate) ignores_outside: bool,
    /// The first row that may be data.
    pub(crate) data_from: u32,
    pub(crate) formula_errors: FormulaErrors,
    font: Option<Font>,
    drop: Option<Regex>,
    footer: Option<Regex>,
    /// Columns of the sheet whose empty cells take the value of the row above.
    pub(crate) fill_down: Vec<u32>,
    /// Cells of the data that are merged downwards, by their first row.
    pub(crate) merged: Vec<Merged>,
    /// The columns of both.
    filled: BTreeSet<u32>,
}

/// What the options say, checked.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) header: Option<Vec<u32>>,
    pub(crate) units: Option<u32>,
    pub(crate) skip: u32,
    pub(crate) columns: Option<(u32, u32)>,
    formula_errors: FormulaErrors,
    pub(crate) font: Option<Font>,
    drop: Option<Regex>,
    footer: Option<Regex>,
    fill_down: Vec<String>,
}

/// The header's place, before its names are read.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The header's rows; none: columns have no names.
    pub(crate) header: Vec<u32>,
    /// The columns: the first and one past the last.
    pub(crate) columns: (u32, u32),
    /// Why this is the header, where it is not declared.
    why: Option<String>,
    /// The row of units.
    pub(crate) units: Option<u32>,
    /// The last row that is looked at for the header.
    data_from: u32,
}

impl Layout {
    pub(crate) fn width(&self) -> usize {
        (self.columns.1 - self.columns.0) as usize
    }

    /// Where a column of the grid stands among the table's.
    pub(crate) fn index(&self, column: u32) -> Option<usize> {
        (self.columns.0..self.columns.1)
            .contains(&column)
            .then(|| (column - self.columns.0) as usize)
    }

    /// Whether rows must come in order: what stands below a footer is no data, and cells are filled from above.
    pub(crate) fn is_in_order(&self) -> bool {
        self.footer.is_some() || self.fills()
    }

    /// Whether any cell takes the value of the row above.
    pub(crate) fn fills(&self) -> bool {
        !self.filled.is_empty()
    }

    /// Whether cells below one of this column may take its value.
    pub(crate) fn is_filled(&self, column: u32) -> bool {
        self.filled.contains(&column)
    }

    /// What a row is whose first cell holds this, where it is no data.
    pub(crate) fn no_data(&self, first: &str) -> Option<NoData> {
        let first = self
            .font
            .map_or(Cow::Borrowed(first), |font| font.shown(first));
        let found = |rule: &Option<Regex>| {
            rule.as_ref()
                .is_some_and(|rule| rule.is_match(first.trim()))
        };
        if found(&self.footer) {
            return Some(NoData::Footer);
        }
        found(&self.drop).then_some(NoData::Dropped)
    }
}

/// Why a row is no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoData {
    /// A rule drops it.
    Dropped,
    /// It is a footer, and so is all below it.
    Footer,
}

impl Declared {
    pub(crate) fn new(name: &str, format: &WorkbookFormat) -> Result<Self, FormatError> {
        let option = |option: &'static str, reason: String| FormatError::Option {
            name: name.to_owned(),
            option,
            reason,
        };
        let regex = |name: &'static str, text: &Option<String>| {
            let compiled = text.as_deref().map(Regex::new).transpose();
            compiled.map_err(|error| option(name, error.to_string()))
        };
        let row = |row: usize| u32::try_from(row).ok().filter(|row| *row > 0);
        let counted = || "rows count from 1, and each is named once, in order".to_owned();
        let header = match &format.header_rows {
            None => None,
            Some(rows) => Some(
                rows.iter()
                    .map(|number| row(*number))
                    .collect::<Option<Vec<u32>>>()
                    .filter(|rows| rows.is_sorted_by(|left, right| left < right))
                    .ok_or_else(|| option("header_rows", counted()))?,
            ),
        };
        let units = match format.units_row {
            None => None,
            Some(number) => Some(row(number).ok_or_else(|| option("units_row", counted()))?),
        };
        let columns = match format.columns.as_deref() {
            None => None,
            Some(text) => Some(columns(text).ok_or_else(|| {
                option(
                    "columns",
                    "columns are named by letters, such as `B:G`".to_owned(),
                )
            })?),
        };
        Ok(Self {
            header,
            units,
            skip: u32::try_from(format.skip_rows.unwrap_or_default()).unwrap_or(u32::MAX),
            columns,
            formula_errors: format.formula_errors,
            font: Font::declared(name, format.encoding.as_deref())?,
            drop: regex("drop_rows", &format.drop_rows)?,
            footer: regex("footer", &format.footer)?,
            fill_down: format.fill_down.clone(),
        })
    }

    /// The last row that must be seen before the header is known, where it is declared.
    pub(crate) fn last_row(&self) -> u32 {
        let header = self.header.as_ref().and_then(|rows| rows.last()).copied();
        header.max(self.units).unwrap_or_default().max(self.skip)
    }

    /// Finds the header among the first rows of a grid, which messages call `of`.
    pub(crate) fn plan(
        &self,
        name: &str,
        of: &str,
        rows: &[HeadRow],
        merged: &[Merged],
    ) -> Result<Plan, FormatError> {
        let no_header = |reason: String| FormatError::NoHeader {
            name: name.to_owned(),
            reason,
        };
        let no_table = |reason: String| FormatError::NoSheetTable {
            name: name.to_owned(),
            reason,
        };
        let within: Vec<HeadRow> = rows.iter().filter_map(|row| self.within(row)).collect();
        if within.is_empty() {
            return Err(no_table(format!("{of} is empty")));
        }
        let (header, why, units) = match &self.header {
            Some(declared) => (declared.clone(), None, self.units),
            None => {
                let found =
                    detect::header(&within, self.units, merged).map_err(|unsure| match unsure {
                        Unsure::Table(reason) => no_table(format!("{of}: {reason}")),
                        Unsure::Header(reason) => no_header(format!("{of}: {reason}")),
                    })?;
                let last = found.rows.last().copied().unwrap_or_default();
                let units = self.units.or_else(|| units::below(&within, last));
                (found.rows, Some(found.why), units)
            }
        };
        for row in &header {
            if !within.iter().any(|found| found.number == *row) {
                return Err(no_header(format!("row {row} of {of} is empty")));
            }
        }
        let last = header
            .last()
            .copied()
            .unwrap_or(self.skip)
            .max(units.unwrap_or_default());
        let (titles, data): (Vec<&HeadRow>, Vec<&HeadRow>) =
            within.iter().partition(|row| row.number <= last);
        let columns = self
            .columns
            .or_else(|| Used::of(&data).extent(&titles, &header))
            .unwrap_or((0, 1));
        Ok(Plan {
            header,
            columns,
            why,
            units,
            data_from: last.saturating_add(1),
        })
    }

    /// A row without its cells in other columns than the declared, and without what only looks empty.
    fn within(&self, row: &HeadRow) -> Option<HeadRow> {
        let inside = |cell: &&HeadCell| {
            self.columns
                .is_none_or(|(first, end)| (first..end).contains(&cell.column))
                && !cell.text.trim().is_empty()
        };
        let cells: Vec<HeadCell> = row.cells.iter().filter(inside).cloned().collect();
        (row.number > self.skip && !cells.is_empty()).then_some(HeadRow {
            number: row.number,
            cells,
        })
    }

    /// The layout of one sheet, its columns, and what was chosen.
    pub(crate) fn layout(
        &self,
        name: &str,
        sheet: &str,
        plan: &Plan,
        rows: &[HeadRow],
        merged: &[Merged],
    ) -> Result<(Layout, Vec<Column>, Vec<Choice>), FormatError> {
        let names = names(plan, rows, merged);
        let units = plan
            .units
            .map(|row| spread(row, plan.columns, rows, merged));
        let mut unique = UniqueNames::default();
        let mut columns = Vec::with_capacity(names.len());
        for (index, written) in names.iter().enumerate() {
            let unit = units
                .as_ref()
                .and_then(|units| units.get(index))
                .filter(|unit| !unit.is_empty())
                .cloned();
            columns.push(Column {
                name: unique.add(name, written)?,
                unit,
            });
        }
        let fill_down = self.fill_down(name, &columns, plan)?;
        let merged = downwards(plan, merged);
        let filled = fill_down
            .iter()
            .copied()
            .chain(merged.iter().map(|area| area.columns.0))
            .collect();
        let mut choices = self.choices(plan, rows, &columns);
        choices.extend(filled_choice(&merged, plan, &columns));
        let layout = Layout {
            sheet: sheet.to_owned(),
            names_sheet: false,
            number_base: 0,
            columns: plan.columns,
            ignores_outside: self.columns.is_some(),
            data_from: plan.data_from,
            formula_errors: self.formula_errors,
            font: self.font,
            drop: self.drop.clone(),
            footer: self.footer.clone(),
            fill_down,
            merged,
            filled,
        };
        Ok((layout, columns, choices))
    }

    /// The columns of the sheet that are filled from above.
    fn fill_down(
        &self,
        name: &str,
        columns: &[Column],
        plan: &Plan,
    ) -> Result<Vec<u32>, FormatError> {
        let place = |wanted: &String| {
            let found = (plan.columns.0..)
                .zip(columns)
                .find(|(_, column)| column.name == *wanted)
                .map(|(place, _)| place);
            found.ok_or_else(|| {
                let near = nearest(wanted, columns.iter().map(|column| column.name.as_str()));
                let near =
                    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                FormatError::Option {
                    name: name.to_owned(),
                    option: "fill_down",
                    reason: format!("there is no column `{wanted}`{near}"),
                }
            })
        };
        self.fill_down.iter().map(place).collect()
    }

    fn choices(&self, plan: &Plan, rows: &[HeadRow], columns: &[Column]) -> Vec<Choice> {
        let mut choices = Vec::new();
        if let Some(why) = &plan.why {
            let above: Vec<String> = rows
                .iter()
                .filter(|row| {
                    row.number < plan.data_from
                        && !plan.header.contains(&row.number)
                        && Some(row.number) != plan.units
                })
                .map(|row| row.number.to_string())
                .collect();
            let titles = match above.as_slice() {
                [] => String::new(),
                above => format!("; rows left out above it: {}", above.join(", ")),
            };
            choices.push(Choice::new(
                Choice::HEADER_ROWS,
                format!("{:?}", plan.header),
                format!("{why}{titles}"),
            ));
        }
        if let Some(row) = plan.units {
            let units: Vec<String> = columns
                .iter()
                .filter_map(|column| {
                    column
                        .unit
                        .as_ref()
                        .map(|unit| format!("{}: {unit}", column.name))
                })
                .collect();
            choices.push(Choice::new(
                "units",
                units.join(", "),
                format!("row {row} holds units and no data"),
            ));
        }
        choices
    }
}

/// Columns by letters: `B:G`, or one alone.
fn columns(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    let (first, last) = (value::column(first.trim())?, value::column(last.trim())?);
    (first <= last).then_some((first, last + 1))
}

/// What merged cells do to which columns.
fn filled_choice(merged: &[Merged], plan: &Plan, columns: &[Column]) -> Option<Choice> {
    let column = |area: &Merged| columns.get((area.columns.0 - plan.columns.0) as usize);
    let names: BTreeSet<&str> = merged
        .iter()
        .filter_map(column)
        .map(|column| column.name.as_str())
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let why = format!(
        "{} cells are merged downwards: each row they cover has their value",
        merged.len()
    );
    (!merged.is_empty()).then(|| Choice::new("fill_down", names.join(", "), why))
}

/// The merged cells of the data that cover several rows, by their first.
fn downwards(plan: &Plan, merged: &[Merged]) -> Vec<Merged> {
    let in_data = |area: &&Merged| {
        area.rows.1 > area.rows.0
            && area.rows.0 >= plan.data_from
            && (plan.columns.0..plan.columns.1).contains(&area.columns.0)
    };
    let mut downwards: Vec<Merged> = merged.iter().filter(in_data).copied().collect();
    downwards.sort_unstable_by_key(|area| (area.rows, area.columns));
    downwards
}
