//! Which sheets of a workbook are read.

use regex::Regex;

use crate::choice::Choice;
use crate::error::FormatError;
use crate::spec::{SheetName, WorkbookFormat};
use crate::workbook::table::SheetInfo;

/// The sheets to read, by their place in the workbook.
pub(crate) fn choose(
    name: &str,
    sheets: &[SheetInfo],
    format: &WorkbookFormat,
) -> Result<(Vec<usize>, Option<Choice>), FormatError> {
    let unknown = |sheet: &str| FormatError::UnknownSheet {
        name: name.to_owned(),
        sheet: sheet.to_owned(),
        sheets: sheets.iter().map(|sheet| sheet.name.clone()).collect(),
    };
    match &format.sheet {
        Some(SheetName::Name(wanted)) => {
            let by =
                |same: &dyn Fn(&str) -> bool| sheets.iter().position(|sheet| same(&sheet.name));
            // Nobody sees a space at the end of a sheet's name.
            let found =
                by(&|name| name == wanted).or_else(|| by(&|name| name.trim() == wanted.trim()));
            Ok((vec![found.ok_or_else(|| unknown(wanted))?], None))
        }
        Some(SheetName::Pattern { pattern }) => {
            let regex = Regex::new(pattern).map_err(|error| FormatError::Option {
                name: name.to_owned(),
                option: "sheet",
                reason: error.to_string(),
            })?;
            let (found, choice) = matching(sheets, &regex).ok_or_else(|| unknown(pattern))?;
            Ok((found, Some(choice)))
        }
        None => {
            let (found, choice) = first_visible(sheets).ok_or_else(|| FormatError::Workbook {
                name: name.to_owned(),
                reason: "it has no visible sheet of cells".to_owned(),
            })?;
            Ok((vec![found], Some(choice)))
        }
    }
}

/// All visible sheets that a pattern is found in.
fn matching(sheets: &[SheetInfo], pattern: &Regex) -> Option<(Vec<usize>, Choice)> {
    let fits = |sheet: &SheetInfo| !sheet.hidden && pattern.is_match(&sheet.name);
    let found: Vec<usize> = (0..sheets.len())
        .filter(|index| fits(&sheets[*index]))
        .collect();
    let names: Vec<&str> = found
        .iter()
        .map(|index| sheets[*index].name.as_str())
        .collect();
    let why = format!("the visible sheets that `{pattern}` is found in");
    let choice = Choice::new(Choice::SHEET, names.join(", "), why);
    (!found.is_empty()).then_some((found, choice))
}

fn first_visible(sheets: &[SheetInfo]) -> Option<(usize, Choice)> {
    let found = sheets.iter().position(|sheet| !sheet.hidden)?;
    let others = sheets
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != found);
    let others: Vec<&str> = others.map(|(_, sheet)| sheet.name.as_str()).collect();
    let why = match others.as_slice() {
        [] => "its only sheet".to_owned(),
        others => format!("the first visible sheet; others: {}", others.join(", ")),
    };
    Some((found, Choice::new(Choice::SHEET, &sheets[found].name, why)))
}
