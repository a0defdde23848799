//! From what was seen to the files: the table is chosen, each column placed, each doubt put beside its line.

use std::path::PathBuf;

use sectorlake_contract::{Contract, TableName};
use sectorlake_formats::Sample;

use super::columns::SourceColumn;
use super::error::DraftError;
use super::look::Looked;
use super::mapping::{self, Line, lines, unmatched};
use super::score::{self, TableMatch};
use super::text::{PipelineText, TableText, render};
use super::wide::{self, Period, Wide};
use super::{Draft, DraftRequest, aliases, contract};
use crate::names::{field_name, folded, quoted};
use crate::shape::{Shape, Value};

/// The table of statistics in long form.
const INDICATORS: &str = "common.indicators";
/// The folder of what belongs to no sector yet.
const NO_SECTOR: &str = "drafts";
/// Tables that are named beside the chosen one.
const OTHERS_MAX: usize = 2;

/// Drafts the files.
pub(super) fn draft(
    request: &DraftRequest<'_>,
    name: &str,
    looked: &Looked,
) -> Result<Draft, DraftError> {
    let mut drafting = Drafting {
        request,
        name,
        looked,
        decisions: vec![format!(
            "connector {}: {}",
            looked.connector, looked.claim.why
        )],
        questions: Vec::new(),
    };
    let mut text = PipelineText {
        title: title(&looked.file),
        connector: looked.connector.clone(),
        settings: looked.claim.settings.clone(),
        ..PipelineText::default()
    };
    let Some(sample) = &looked.sample else {
        drafting.decisions.push(
            "the connector brings its own mapping onto the shared tables: `tables:` is left out"
                .to_owned(),
        );
        let sector = request.sector.unwrap_or(match looked.connector.as_str() {
            "gtfs" => "transport",
            _ => "environment",
        });
        text.about = drafting.about(None);
        return Ok(drafting.done(sector, &text, None));
    };
    text.format = serde_json::to_value(&sample.format).ok();
    drafting.tell_sample(sample);
    let columns = SourceColumn::all(sample);
    let chosen = drafting.choose(&columns, sample)?;
    let sector = request.sector.unwrap_or(chosen.table.schema()).to_owned();
    text.about = drafting.about(Some(sample));
    text.table = Some(TableText {
        name: chosen.table.to_string(),
        from: looked.member.as_ref().map(|(member, _)| member.clone()),
        ..chosen.text
    });
    let own = chosen.contract.map(|text| (chosen.table, text));
    Ok(drafting.done(&sector, &text, own))
}

struct Drafting<'a> {
    request: &'a DraftRequest<'a>,
    name: &'a str,
    looked: &'a Looked,
    decisions: Vec<String>,
    questions: Vec<String>,
}

/// The table that was chosen.
struct Chosen {
    table: TableName,
    text: TableText,
    /// A contract of its own.
    contract: Option<String>,
}

impl Drafting<'_> {
    fn tell_sample(&mut self, sample: &Sample) {
        let format = format!("format {}", sample.format.name());
        let known = sample.choices.iter().any(|choice| choice.what == "format");
        if !known {
            self.decisions.push(format);
        }
        for choice in &sample.choices {
            self.decisions
                .push(format!("{} {}: {}", choice.what, choice.value, choice.why));
        }
        if let Some((member, others)) = &self.looked.member
            && *others > 0
        {
            self.questions.push(format!(
                "the archive holds {others} more files: only {member}, the largest that is read, is mapped (`from:`)"
            ));
        }
        if !sample.broken.is_empty() {
            self.questions.push(format!(
                "{} of the first records cannot be read, the first: {}",
                sample.broken.len(),
                sample.broken[0].reason
            ));
        }
        if sample.rows.is_empty() {
            self.questions
                .push("no record was found: the header alone speaks".to_owned());
        }
    }

    fn choose(&mut self, columns: &[SourceColumn], sample: &Sample) -> Result<Chosen, DraftError> {
        let contracts = self.request.project.contracts();
        let about = folded(&format!("{} {}", self.name, self.looked.file));
        let asked = match self.request.table {
            Some(name) => Some(
                name.parse::<TableName>()
                    .map_err(|error| DraftError::Name {
                        what: "the table",
                        name: name.to_owned(),
                        reason: error.to_string(),
                    })?,
            ),
            None => None,
        };
        let indicators = INDICATORS
            .parse()
            .ok()
            .and_then(|name| contracts.get(&name));
        if let (Some(wide), Some(indicators)) = (wide::find(columns), indicators)
            && asked.as_ref().is_none_or(|asked| *asked == indicators.name)
        {
            return Ok(self.wide(&wide, indicators, columns));
        }
        if let Some(asked) = asked {
            return Ok(match contracts.get(&asked) {
                Some(contract) => {
                    let found = score::table(contract, contracts, columns, &about);
                    self.decisions.push(format!(
                        "table {asked}: it was asked for; {} of {} columns fit it",
                        found.matches.len(),
                        columns.len()
                    ));
                    self.shared(&found, columns)
                }
                None => self.own(asked, columns, sample),
            });
        }
        let found = score::tables(contracts, columns, &about);
        match found.first() {
            Some(best) if best.is_good(columns.len()) => {
                self.decisions.push(fits(best, &found[1..], columns.len()));
                Ok(self.shared(best, columns))
            }
            best => {
                self.decisions.push(match best {
                    Some(best) => format!(
                        "no shared table fits well enough; the nearest is {} with {} of {} columns",
                        best.contract.name,
                        best.matches.len(),
                        columns.len()
                    ),
                    None => {
                        "no shared table fits: none of its fields is named like a column".to_owned()
                    }
                });
                let schema = self.request.sector.unwrap_or(NO_SECTOR);
                let wanted = format!("{}.{}", field_name(schema), field_name(self.name));
                let table = wanted
                    .parse()
                    .map_err(|error: sectorlake_contract::NameError| DraftError::Name {
                        what: "the table",
                        name: wanted.clone(),
                        reason: error.to_string(),
                    })?;
                Ok(self.own(table, columns, sample))
            }
        }
    }

    /// Onto a shared table.
    fn shared(&mut self, found: &TableMatch<'_>, columns: &[SourceColumn]) -> Chosen {
        let lines = lines(found.contract, columns, &found.matches);
        let sql: Vec<&str> = lines.iter().map(|line| line.sql.as_str()).collect();
        let is_used = |index: usize| {
            let name = quoted(&columns[index].name);
            found.matches.iter().any(|found| found.column == index)
                || sql
                    .iter()
                    .any(|sql| sql.split(['(', ')', ' ', ',']).any(|word| word == name))
        };
        let rest = unmatched(columns, is_used);
        self.ask(&lines);
        for field in score::missing(found.contract, &found.matches) {
            self.questions.push(format!(
                "no column is found for the required field {}",
                field.name
            ));
        }
        Chosen {
            table: found.contract.name.clone(),
            text: TableText {
                lines,
                rest,
                ..TableText::default()
            },
            contract: None,
        }
    }

    /// Onto a table of its own.
    fn own(&mut self, table: TableName, columns: &[SourceColumn], sample: &Sample) -> Chosen {
        let drafted = contract::draft(&table, &title(&self.looked.file), columns, sample.is_whole);
        self.decisions.push(format!(
            "table {table}: a contract of its own is drafted, all its fields internal unless they look personal"
        ));
        self.questions.extend(drafted.notes);
        self.ask(&drafted.lines);
        Chosen {
            table,
            text: TableText {
                lines: drafted.lines,
                ..TableText::default()
            },
            contract: Some(drafted.text),
        }
    }

    /// A wide table onto the indicators, one value a row.
    fn wide(&mut self, wide: &Wide, contract: &Contract, columns: &[SourceColumn]) -> Chosen {
        self.decisions.push(format!(
            "table {}: {} columns are named after {}, so each becomes a row (`unpivot`)",
            contract.name,
            wide.melt.len(),
            match wide.period {
                Period::Year => "years",
                Period::Month { .. } => "months",
            }
        ));
        let lines = self.indicators(wide, columns);
        self.ask(&lines);
        let keep = wide.keep.iter().map(|index| columns[*index].name.clone());
        Chosen {
            table: contract.name.clone(),
            text: TableText {
                keep: Some(keep.collect()),
                lines,
                ..TableText::default()
            },
            contract: None,
        }
    }

    fn indicators(&self, wide: &Wide, columns: &[SourceColumn]) -> Vec<Line> {
        let line = |sql: String, field: &str, notes: &[&str]| {
            Line::new(
                sql,
                field,
                notes.iter().map(|note| (*note).to_owned()).collect(),
            )
        };
        let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let area = area(wide, columns);
        let place = area.map(|index| quoted(&columns[index].name));
        let place = place.map_or_else(
            || text("VN"),
            |name| format!("regexp_replace(trim({name}), '\\s+', ' ', 'g')"),
        );
        let marks = marks(wide, columns);
        let value = marks.iter().fold("value".to_owned(), |sql, mark| {
            format!("NULLIF({sql}, {})", text(mark))
        });
        let is_missing: Vec<String> = marks.iter().map(|mark| text(mark)).collect();
        let status = match is_missing.as_slice() {
            [] => "CASE WHEN value = '' THEN 'M' ELSE 'A' END".to_owned(),
            marks => format!(
                "CASE WHEN value IN ('', {}) THEN 'M' ELSE 'A' END",
                marks.join(", ")
            ),
        };
        let (value, number) = number(wide, columns, value);
        let area_note: &[&str] = match area {
            Some(_) => {
                &["the place as published; its code, where common.places is loaded: place_code(…)"]
            }
            None => &["not sure: no column names a place, so the whole country is meant"],
        };
        let freq = match wide.period {
            Period::Year => "'A'",
            Period::Month { .. } => "'M'",
        };
        vec![
            line(
                text(&self.name.replace('-', ".")),
                "indicator_code",
                &["a short stable name of the indicator"],
            ),
            line(text(&title(&self.looked.file)), "indicator_name", &[]),
            line(place.clone(), "ref_area", area_note),
            line(place, "ref_area_name", &[]),
            line(wide.time_period(columns), "time_period", &[]),
            line(freq.to_owned(), "freq", &[]),
            line(dimensions(wide, columns, area), "dimensions", &[]),
            Line::new(value, "obs_value", number),
            line(
                text("1"),
                "unit_measure",
                &[
                    "not sure: the source does not say its unit; a UCUM code is wanted, counted things in braces: {person}, t, mm, %",
                ],
            ),
            line(status, "obs_status", &[]),
        ]
    }

    fn ask(&mut self, lines: &[Line]) {
        for line in lines {
            let notes = line.notes.iter();
            self.questions
                .extend(notes.map(|note| format!("{}: {note}", line.field)));
        }
    }

    /// The comment at the top of the file.
    fn about(&self, sample: Option<&Sample>) -> Vec<String> {
        let seen = match sample {
            Some(sample) if sample.is_whole => format!(", all {} records", sample.rows.len()),
            Some(sample) => format!(", the first {} records", sample.rows.len()),
            None => String::new(),
        };
        let mut about = vec![format!(
            "Drafted from a look at {}{seen}. Read it through, mend what is not sure, then: sectorlake plan {}",
            self.looked.file, self.name
        )];
        about.extend(
            self.decisions
                .iter()
                .skip(1)
                .map(|said| format!("- {said}")),
        );
        about
    }

    fn done(self, sector: &str, text: &PipelineText, own: Option<(TableName, String)>) -> Draft {
        let mut files = vec![(
            PathBuf::from(format!("pipelines/{sector}/{}.yaml", self.name)),
            render(text),
        )];
        if let Some((table, text)) = own {
            let path = format!("schemas/{}/{}.json", table.schema(), table.table());
            files.push((PathBuf::from(path), text));
        }
        Draft {
            name: self.name.to_owned(),
            files,
            decisions: self.decisions,
            questions: self.questions,
        }
    }
}

fn fits(best: &TableMatch<'_>, others: &[TableMatch<'_>], columns: usize) -> String {
    let next: Vec<String> = others
        .iter()
        .take(OTHERS_MAX)
        .map(|other| {
            let matched = other.matches.len();
            format!(
                "{} ({matched}, score {:.1})",
                other.contract.name, other.score
            )
        })
        .collect();
    let next = match next.as_slice() {
        [] => String::new(),
        next => format!("; next best: {}", next.join(", ")),
    };
    format!(
        "table {}: {} of {columns} columns fit it (score {:.1}){next}",
        best.contract.name,
        best.matches.len(),
        best.score
    )
}

/// A title from a file's name.
fn title(file: &str) -> String {
    let base = file.rsplit(['/', '!']).next().unwrap_or(file);
    let stem = base.split(['.', '?']).next().unwrap_or(base);
    let words = stem.replace(['_', '-'], " ");
    let mut letters = words.trim().chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Source".to_owned(),
    }
}

/// The column of places among those that stay: by its name, else the first text.
fn area(wide: &Wide, columns: &[SourceColumn]) -> Option<usize> {
    let is_text = |index: &&usize| columns[**index].shape() == Shape::Text;
    let named = |index: &&usize| {
        let known = aliases::of_field("ref_area").iter();
        let mut names = known.chain(aliases::of_field("locality"));
        names.any(|name| aliases::holds(&columns[**index].folded, name))
    };
    let texts = || wide.keep.iter().filter(is_text);
    texts().find(named).or_else(|| texts().next()).copied()
}

/// Marks for "no value" in the columns that become rows.
fn marks(wide: &Wide, columns: &[SourceColumn]) -> Vec<String> {
    let all = wide
        .melt
        .iter()
        .flat_map(|index| columns[*index].profile.marks());
    all.cloned()
        .collect::<std::collections::BTreeSet<String>>()
        .into_iter()
        .collect()
}

/// The number in a cell of the columns that become rows.
fn number(wide: &Wide, columns: &[SourceColumn], value: String) -> (String, Vec<String>) {
    let has = |kind: Value| {
        wide.melt
            .iter()
            .any(|index| columns[*index].profile.count(kind) > 0)
    };
    let mixed = wide
        .melt
        .iter()
        .find_map(|index| mapping::mixed(&columns[*index].profile));
    let mut notes: Vec<String> = mixed.into_iter().collect();
    let comma = has(Value::Comma) || has(Value::ThousandsPoint);
    let point = has(Value::Point) || has(Value::ThousandsComma);
    let sql = match (comma, point) {
        (true, false) => format!("parse_number({value}, ',', '.')"),
        (false, true) if has(Value::ThousandsComma) => format!("parse_number({value}, '.', ',')"),
        (false, false) if has(Value::PointOrThousands) => {
            notes.push("its numbers can be read both ways (1.234): thousands are marked by a point here, as Vietnam writes them".to_owned());
            format!("parse_number({value}, ',', '.')")
        }
        _ => value,
    };
    (sql, notes)
}

/// The other dimensions as one JSON object, its keys in order.
fn dimensions(wide: &Wide, columns: &[SourceColumn], area: Option<usize>) -> String {
    let year = match &wide.period {
        Period::Month { year, .. } => Some(*year),
        Period::Year => None,
    };
    let mut pairs: Vec<(String, String)> = wide
        .keep
        .iter()
        .filter(|index| Some(**index) != area && Some(**index) != year)
        // A number in front of a row is no dimension.
        .filter(|index| columns[**index].shape() == Shape::Text)
        .map(|index| {
            let name = &columns[*index].name;
            (
                field_name(name),
                format!("replace(trim({}), '\"', '')", quoted(name)),
            )
        })
        .collect();
    pairs.extend(
        wide.series()
            .map(|sql| ("series".to_owned(), sql.to_owned())),
    );
    pairs.sort();
    if pairs.is_empty() {
        return "'{}'".to_owned();
    }
    let parts: Vec<String> = pairs
        .iter()
        .enumerate()
        .map(|(index, (key, sql))| {
            let open = if index == 0 { "{" } else { "," };
            format!("'{open}\"{key}\":\"' || {sql} || '\"'")
        })
        .collect();
    format!("{} || '}}'", parts.join(" || "))
}
