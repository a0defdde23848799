//! Which table of a page is read.

use crate::choice::Choice;
use crate::error::FormatError;
use crate::html::Seen;
use crate::spec::HtmlTable;

/// Tables that a message names.
const SHOWN: usize = 12;

/// The table that is meant, from 0.
pub(crate) fn choose(
    name: &str,
    tables: &[Seen],
    wanted: Option<&HtmlTable>,
) -> Result<(usize, Option<Choice>), FormatError> {
    let no_table = |reason: String| FormatError::NoTable {
        name: name.to_owned(),
        reason,
    };
    if tables.is_empty() {
        return Err(no_table("it holds no table".to_owned()));
    }
    match wanted {
        Some(HtmlTable::Number(number)) => {
            let found = number.checked_sub(1).filter(|index| *index < tables.len());
            let missing = || {
                format!(
                    "it has no table {number}; its tables are: {}",
                    listed(tables)
                )
            };
            Ok((found.ok_or_else(|| no_table(missing()))?, None))
        }
        Some(HtmlTable::Text(text)) => {
            let by_id = tables.iter().position(|table| table.id == *text);
            let found = by_id.or_else(|| {
                tables
                    .iter()
                    .position(|table| table.caption.contains(text.as_str()))
            });
            let missing = || {
                format!(
                    "no table has the id or caption `{text}`; its tables are: {}",
                    listed(tables)
                )
            };
            Ok((found.ok_or_else(|| no_table(missing()))?, None))
        }
        None => {
            let (found, choice) = largest(tables).ok_or_else(|| {
                no_table("none of its tables has two rows of two cells".to_owned())
            })?;
            Ok((found, Some(choice)))
        }
    }
}

/// The table with most cells; of several that are as large, the first.
fn largest(tables: &[Seen]) -> Option<(usize, Choice)> {
    let real = tables
        .iter()
        .enumerate()
        .filter(|(_, table)| table.cells > 0 && table.rows > 1);
    let (index, table) =
        real.max_by_key(|(index, table)| (table.cells, std::cmp::Reverse(*index)))?;
    let why = match tables.len() {
        1 => "the page's only table".to_owned(),
        count => format!(
            "the table with most cells ({}) of {count}: {}",
            table.cells,
            listed(tables)
        ),
    };
    Some((
        index,
        Choice::new(Choice::TABLE, (index + 1).to_string(), why),
    ))
}

fn listed(tables: &[Seen]) -> String {
    let each = tables.iter().enumerate().take(SHOWN).map(|(index, table)| {
        let called = [&table.id, &table.caption]
            .into_iter()
            .find(|text| !text.is_empty());
        let called = called.map_or_else(String::new, |text| format!(" `{text}`"));
        format!("{}{called} ({} rows)", index + 1, table.rows)
    });
    each.collect::<Vec<_>>().join(", ")
}
