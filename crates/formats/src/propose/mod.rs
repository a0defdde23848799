//! Options that nobody declared and only a draft may choose: they make other columns of a part than it had without them, so pipelines
//! that are there already do not get them.

mod columns;
mod comments;
mod headless;
mod records;

use self::columns::Padded;
use self::headless::First;
use crate::choice::Choice;
use crate::content::Content;
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::options::ReadOptions;
use crate::part::{Part, PartBytes, guessed, open};
use crate::spec::{CsvFormat, FormatSpec, JsonFormat, SheetName, WorkbookFormat};
use crate::{csv, workbook};

/// Bytes that are looked at.
const HEAD_BYTES: usize = 4 << 20;

/// Sheets after the first that are tried.
const SHEETS_MAX: usize = 20;

/// A format with what was found out written into it.
struct Proposal {
    format: FormatSpec,
    /// Why the format, where it is not by content and name alone.
    why: Option<String>,
    choices: Vec<Choice>,
}

impl From<FormatSpec> for Proposal {
    fn from(format: FormatSpec) -> Self {
        Self {
            format,
            why: None,
            choices: Vec::new(),
        }
    }
}

/// Opens a part whose format is not declared, with the options that its beginning speaks for; and tells them.
pub(crate) async fn open_undeclared(
    part: &PartBytes,
    member: Option<&str>,
    options: &ReadOptions,
) -> Result<(Part, Vec<Choice>), FormatError> {
    if let Some(proposal) = propose(part, member, options).await?
        && let Some(opened) = proposal.open(part, member, options).await
    {
        return Ok(opened);
    }
    let error = match open(part, member, None, options).await {
        Ok(opened) => {
            let told = opened.choices().to_vec();
            return Ok((opened, told));
        }
        Err(error) => error,
    };
    let other = match &error {
        FormatError::NoSheetTable { .. } | FormatError::NoHeader { .. } => {
            other_sheet(part, member, options, &error).await?
        }
        _ => None,
    };
    other.ok_or(error)
}

impl Proposal {
    /// None: the part is not read so.
    async fn open(
        self,
        part: &PartBytes,
        member: Option<&str>,
        options: &ReadOptions,
    ) -> Option<(Part, Vec<Choice>)> {
        let opened = open(part, member, Some(&self.format), options).await.ok()?;
        let mut told = opened.choices().to_vec();
        let why = self.why.unwrap_or_else(|| "by content and name".to_owned());
        let format = Choice::new(Choice::FORMAT, self.format.name(), why);
        let packing = told
            .iter()
            .take_while(|choice| choice.what == Choice::COMPRESSION);
        let place = packing.count();
        told.splice(place..place, std::iter::once(format).chain(self.choices));
        Some((opened, told))
    }
}

/// The first visible sheet of a workbook whose header is sure, where the very first has none: often that is a title page.
async fn other_sheet(
    part: &PartBytes,
    member: Option<&str>,
    options: &ReadOptions,
    error: &FormatError,
) -> Result<Option<(Part, Vec<Choice>)>, FormatError> {
    let content = Content::find(part, member, options).await?;
    let format = guessed(&content).await?;
    let of_sheet: fn(WorkbookFormat) -> FormatSpec = match format {
        FormatSpec::Xlsx(_) => FormatSpec::Xlsx,
        FormatSpec::Xls(_) => FormatSpec::Xls,
        FormatSpec::Ods(_) => FormatSpec::Ods,
        _ => return Ok(None),
    };
    let sheets = workbook::visible_sheets(&content).await?;
    for sheet in sheets.iter().skip(1).take(SHEETS_MAX) {
        let why = format!("the first visible sheet whose header is sure; {error}");
        let proposal = Proposal {
            format: of_sheet(WorkbookFormat {
                sheet: Some(SheetName::Name(sheet.clone())),
                ..WorkbookFormat::default()
            }),
            why: None,
            choices: vec![Choice::new(Choice::SHEET, sheet, why)],
        };
        if let Some(opened) = proposal.open(part, member, options).await {
            return Ok(Some(opened));
        }
    }
    Ok(None)
}

async fn propose(
    part: &PartBytes,
    member: Option<&str>,
    options: &ReadOptions,
) -> Result<Option<Proposal>, FormatError> {
    let content = Content::find(part, member, options).await?;
    let format = guessed(&content).await?;
    if !matches!(format, FormatSpec::Json(_) | FormatSpec::Csv(_)) {
        return Ok(None);
    }
    let head = content.head(HEAD_BYTES).await?;
    let is_whole = head.len() < HEAD_BYTES;
    // What is wrong with its letters is told when it is opened.
    let Ok((encoding, _)) = TextEncoding::detect(&content.name, None, &head, is_whole) else {
        return Ok(None);
    };
    let text = encoding.head(&head);
    Ok(match format {
        FormatSpec::Json(format) => json(&text, format),
        _ => delimited(&text, is_whole),
    })
}

/// What speaks for options of text with a delimiter, or for columns without one.
fn delimited(text: &[u8], is_whole: bool) -> Option<Proposal> {
    let of_csv = |options: CsvFormat, choice| Proposal {
        choices: vec![choice],
        ..Proposal::from(FormatSpec::Csv(options))
    };
    if let Some(why) = comments::find(text) {
        let options = CsvFormat {
            comment: Some(comments::MARK),
            ..CsvFormat::default()
        };
        return Some(of_csv(
            options,
            Choice::new(Choice::COMMENT, comments::MARK, why),
        ));
    }
    let padded = match csv::certain_delimiter(text, None) {
        Some(_) => None,
        None => columns::find(text, is_whole),
    };
    match padded {
        Some(Padded::Columns { format, why, first }) => {
            let rows = format.skip_rows.unwrap_or_default().to_string();
            let told = first.map(|why| Choice::new(Choice::SKIP_ROWS, rows, why));
            return Some(Proposal {
                why: Some(why),
                choices: told.into_iter().collect(),
                ..Proposal::from(FormatSpec::Fixed(format))
            });
        }
        Some(Padded::Perhaps(why)) => {
            return Some(Proposal {
                why: Some(format!("by content and name; but {why}")),
                ..Proposal::from(FormatSpec::Csv(CsvFormat::default()))
            });
        }
        None => {}
    }
    match headless::find(text) {
        First::Header => None,
        First::Data(why) => {
            let options = CsvFormat {
                header_rows: Some(Vec::new()),
                ..CsvFormat::default()
            };
            Some(of_csv(options, Choice::new(Choice::HEADER_ROWS, "[]", why)))
        }
        First::Unsure(why) => {
            let choice = Choice::new(Choice::HEADER_ROWS, "[1]", why);
            Some(of_csv(CsvFormat::default(), choice))
        }
    }
}

fn json(text: &[u8], format: JsonFormat) -> Option<Proposal> {
    let records = records::find(text)?;
    let mut choices = Vec::new();
    let path = records.path.join(".");
    if !path.is_empty() {
        choices.push(Choice::new(Choice::RECORD_PATH, &path, records.why()));
    }
    if let Some((list, elements)) = &records.inner {
        let why = format!(
            "{elements} objects stand in such lists of the records: `unnest: {list}` makes each of them a row; not certain, so each list is one text"
        );
        choices.push(Choice::new(Choice::UNNEST, list, why));
    }
    let record_path = (!path.is_empty()).then_some(path);
    (!choices.is_empty()).then_some(Proposal {
        choices,
        ..Proposal::from(FormatSpec::Json(JsonFormat {
            record_path,
            ..format
        }))
    })
}

/// A first record that says how wide its columns are, as the United States Geological Survey's RDB has it.
pub(crate) fn widths(first: &[Option<String>]) -> Option<Choice> {
    let cells: Vec<&str> = first
        .iter()
        .map(|cell| cell.as_deref().unwrap_or_default())
        .collect();
    let is_width = |cell: &str| {
        let digits = cell.strip_suffix(['s', 'd', 'n']);
        digits.is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let is_told = cells.len() > 1 && cells.iter().all(|cell| is_width(cell));
    is_told.then(|| {
        let why = "the first record says how wide the columns are, and is no data: leave it out by the mapping's WHERE";
        Choice::new("widths", cells.join(" "), why)
    })
}

#[cfg(test)]
mod tests;
