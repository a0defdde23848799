//! What of a part's reading its first records show to be better than the format's own choice: each step says why it was taken.

use sectorlake_formats::{FormatError, FormatSpec, PartBytes, ReadOptions, Sample, sample};
use serde_json::Value;

use super::{header, records, totals};

/// Records that are looked at: enough that a letter in one of ten thousand identifiers is seen.
const RECORDS_MAX: usize = 20_000;

/// A better reading of a part, and why.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Better {
    pub(super) format: FormatSpec,
    pub(super) why: String,
}

/// The part, or a member of it, that is looked at.
pub(super) struct Reading<'a> {
    pub(super) part: &'a PartBytes,
    pub(super) member: Option<&'a str>,
    /// The format, where it is declared: what it says stands.
    pub(super) declared: Option<&'a FormatSpec>,
}

impl Reading<'_> {
    /// The first records as a format reads them; none: as it is declared or guessed.
    pub(super) async fn sample(&self, format: Option<&FormatSpec>) -> Result<Sample, FormatError> {
        let options = ReadOptions::default();
        let format = format.or(self.declared);
        sample(self.part, self.member, format, RECORDS_MAX, &options).await
    }

    /// The sample read as well as its first records tell, and why it is read so.
    pub(super) async fn refined(
        &self,
        found: Sample,
    ) -> Result<(Sample, Vec<String>), FormatError> {
        let (mut found, mut why) = (found, Vec::new());
        if !self.declares(&["header_rows", "skip_rows"]) {
            let better = header::better(self.part, self.member, &found).await;
            self.take(&mut found, &mut why, better).await?;
        }
        if !self.declares(&["record_path"]) {
            let better = records::path(&found);
            self.take(&mut found, &mut why, better).await?;
        }
        if !self.declares(&["sheet"]) {
            let better = sheets(&found);
            self.take_if(&mut found, &mut why, better, |old, new| {
                new.rows.len() > old.rows.len()
            })
            .await;
        }
        if !self.declares(&["short_records"]) {
            let better = short(&found);
            self.take_if(&mut found, &mut why, better, |old, new| {
                new.rows.len() > old.rows.len()
            })
            .await;
        }
        if !self.declares(&["quote"]) {
            let better = quote(&found);
            self.take_if(&mut found, &mut why, better, |old, new| {
                new.broken.len() < old.broken.len() || apostrophes(new) == 0
            })
            .await;
        }
        if !self.declares(&["drop_rows", "footer", "skip_footer"]) {
            let better = totals::below(&found);
            self.take_if(&mut found, &mut why, better, |_, new| !new.rows.is_empty())
                .await;
        }
        Ok((found, why))
    }

    /// The sample with a list in its records made rows, where one column of them holds such lists.
    pub(super) async fn unnested(&self, found: &Sample) -> Option<(Sample, String)> {
        if self.declares(&["unnest"]) {
            return None;
        }
        let better = records::unnest(found)?;
        let sample = self.sample(Some(&better.format)).await.ok()?;
        (!sample.rows.is_empty()).then_some((sample, better.why))
    }

    async fn take(
        &self,
        found: &mut Sample,
        why: &mut Vec<String>,
        better: Option<Better>,
    ) -> Result<(), FormatError> {
        if let Some(better) = better {
            *found = self.sample(Some(&better.format)).await?;
            why.push(better.why);
        }
        Ok(())
    }

    /// Takes a reading that may not be possible, or be no better.
    async fn take_if(
        &self,
        found: &mut Sample,
        why: &mut Vec<String>,
        better: Option<Better>,
        is_better: impl Fn(&Sample, &Sample) -> bool,
    ) {
        let Some(better) = better else { return };
        if let Ok(tried) = self.sample(Some(&better.format)).await
            && is_better(found, &tried)
        {
            *found = tried;
            why.push(better.why);
        }
    }

    fn declares(&self, options: &[&str]) -> bool {
        let Some(Ok(declared)) = self.declared.map(serde_json::to_value) else {
            return false;
        };
        options.iter().any(|option| declared.get(option).is_some())
    }
}

/// The format with other options; none where it has no such options.
pub(super) fn with(format: &FormatSpec, options: &[(&str, Value)]) -> Option<FormatSpec> {
    let mut value = serde_json::to_value(format).ok()?;
    let known = value.as_object_mut()?;
    for (option, value) in options {
        known.insert((*option).to_owned(), value.clone());
    }
    serde_json::from_value(value).ok()
}

/// Sheets that are called alike, but for a number, and have equal headers: the months of a year.
fn sheets(found: &Sample) -> Option<Better> {
    let value = serde_json::to_value(&found.format).ok()?;
    let name = value.get("sheet")?.as_str()?;
    let mut pattern = String::from("^");
    let mut letters = name.trim().chars().peekable();
    let mut has_number = false;
    while let Some(letter) = letters.next() {
        if letter.is_ascii_digit() {
            has_number = true;
            while letters.next_if(char::is_ascii_digit).is_some() {}
            pattern.push_str("[0-9]+");
        } else {
            pattern.push_str(&regex::escape(&letter.to_string()));
        }
    }
    pattern.push_str("\\s*$");
    let format = with(
        &found.format,
        &[("sheet", serde_json::json!({ "pattern": pattern }))],
    )?;
    let why = format!(
        "sheet {{ pattern: {pattern:?} }}: other sheets are called like {name:?} but for a number, and have the same header; the column _sheet says which; name one sheet if only that is meant"
    );
    has_number.then_some(Better { format, why })
}

/// Records that are all shorter than the header, as where a device never wrote its last fields.
fn short(found: &Sample) -> Option<Better> {
    if !found.rows.is_empty() || found.broken.is_empty() {
        return None;
    }
    let format = with(&found.format, &[("short_records", "fill".into())])?;
    let why = "short_records fill: no record has as many fields as the header; those that are missing at the end are taken to be empty".to_owned();
    Some(Better { format, why })
}

/// Cells that stand between apostrophes.
fn apostrophes(found: &Sample) -> usize {
    let cells = found.rows.iter().flatten().flatten();
    cells
        .filter(|cell| cell.len() > 1 && cell.starts_with('\'') && cell.ends_with('\''))
        .count()
}

/// Apostrophes as quotes.
fn quote(found: &Sample) -> Option<Better> {
    let opens = |raw: &str| {
        raw.starts_with('\'')
            || [",'", ";'", "\t'", "|'"]
                .iter()
                .any(|open| raw.contains(open))
    };
    if apostrophes(found) == 0 && !found.broken.iter().any(|record| opens(&record.raw)) {
        return None;
    }
    let format = with(&found.format, &[("quote", "'".into())])?;
    let why = "quote ': cells stand between apostrophes".to_owned();
    Some(Better { format, why })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};
    use serde_json::json;

    use super::*;

    fn read(format: Value, columns: &[&str], rows: &[&[&str]]) -> Sample {
        let field = |name: &&str| Field::new(*name, DataType::Utf8, true);
        let row = |row: &&[&str]| {
            let cells = row
                .iter()
                .map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned()));
            cells.collect()
        };
        Sample {
            name: "a".to_owned(),
            format: serde_json::from_value(format).unwrap(),
            choices: Vec::new(),
            schema: Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>())),
            rows: rows.iter().map(row).collect(),
            broken: Vec::new(),
            is_whole: true,
        }
    }

    fn options(better: Option<Better>) -> Value {
        serde_json::to_value(better.unwrap().format).unwrap()
    }

    #[test]
    fn sheets_that_differ_in_a_number_are_one_table() {
        let of = |name: &str| sheets(&read(json!({ "name": "xlsx", "sheet": name }), &["a"], &[]));
        let pattern = &options(of("Tháng 12"))["sheet"]["pattern"];
        assert_eq!(pattern, r"^Tháng [0-9]+\s*$");
        assert_eq!(of("Danh sách"), None);
    }

    #[test]
    fn rows_below_the_data_are_told_by_their_words() {
        let rows: &[&[&str]] = &[
            &["1", "Hồng Bàng", "5"],
            &["2", "Lê Chân", "6"],
            &["", "Tổng cộng", "11"],
            &["Nguồn: Sở GDĐT", "", ""],
        ];
        let found = read(json!({ "name": "xlsx" }), &["STT", "Quận", "Số"], rows);
        let declared = options(totals::below(&found));
        assert_eq!(declared["drop_rows"], r"(?i)^\s*(Tổng cộng)\s*:?\s*$");
        assert_eq!(declared["footer"], r"(?i)^\s*(Nguồn)\s*(:|$)");
        // Where the beginning alone was read, its last rows are none of the end.
        let part = Sample {
            is_whole: false,
            ..found
        };
        assert_eq!(totals::below(&part), None);
        // A total that comes first, as the whole country does in statistics, is a row.
        let first = read(
            json!({ "name": "xlsx" }),
            &["Quận", "Số"],
            &[&["Tổng số", "2"], &["a", "1"], &["b", "1"]],
        );
        assert_eq!(totals::below(&first), None);
    }

    #[test]
    fn lists_are_found_in_documents_and_records() {
        let text = r#"[{"id": 1, "a": "x"}, {"id": 2, "a": "y"}]"#;
        let document = read(
            json!("json"),
            &["links", "data"],
            &[&[r#"[{"rel": 1}]"#, text]],
        );
        assert_eq!(options(records::path(&document))["record_path"], "data");
        let record = read(
            json!("json"),
            &["name", "tags"],
            &[&["a long text that is the record itself", r#"[{"t": 1}]"#]],
        );
        assert_eq!(records::path(&record), None);
        let lists = read(
            json!("ndjson"),
            &["id", "wards"],
            &[&["1", r#"[{"n": 1}]"#], &["2", r#"[{"n": 2}]"#]],
        );
        assert_eq!(options(records::unnest(&lists))["unnest"], "wards");
        let some = read(
            json!("ndjson"),
            &["id", "wards"],
            &[&["1", r#"[{"n": 1}]"#], &["2", "[]"]],
        );
        assert_eq!(
            records::unnest(&some),
            None,
            "a record without elements would be lost"
        );
    }
}
