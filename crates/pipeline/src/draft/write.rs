//! From what was seen to the files: the table is chosen, each column placed, each doubt put beside its line.

use std::path::PathBuf;

use sectorlake_contract::{Contract, TableName};
use sectorlake_formats::Sample;

use super::columns::SourceColumn;
use super::error::DraftError;
use super::look::Looked;
use super::mapping::{self, Line, lines, unmatched};
use super::measured::{self, Measured};
use super::score::{self, TableMatch};
use super::text::{PipelineText, TableText, render};
use super::wide::{self, Period, Wide};
use super::{Draft, DraftRequest, contract, indicators};
use crate::names::{field_name, folded, quoted};

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
    for (variable, what) in &looked.variables {
        drafting.decisions.push(format!(
            "the address holds a secret ({what}): the file refers to the environment variable {variable} in its place; set it where sectorlake runs, written as in the address: export {variable}=…"
        ));
    }
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
    let columns = SourceColumn::all(sample);
    let (sample, columns) = match &looked.unnested {
        // A list in the records stays one where a table takes the records as they are.
        Some((unnested, why)) if !drafting.knows(&columns) => {
            drafting.decisions.push(why.clone());
            (unnested, SourceColumn::all(unnested))
        }
        _ => (sample, columns),
    };
    text.format = serde_json::to_value(&sample.format).ok();
    drafting.tell_sample(sample, &columns);
    let chosen = drafting.choose(&columns, sample)?;
    let sector = match (request.sector, chosen.table.schema()) {
        (Some(sector), _) => sector.to_owned(),
        // What is common to all sectors says nothing of this source; its folder may.
        (None, "common") => drafting.folder().unwrap_or_else(|| "common".to_owned()),
        (None, schema) => schema.to_owned(),
    };
    text.about = drafting.about(Some(sample));
    // What a reader adds to the source's columns is none of those that become rows.
    let added = sample.schema.fields().iter().map(|field| field.name());
    let added = added
        .filter(|name| name.starts_with('_') && columns.iter().all(|column| column.name != **name));
    let keep = chosen
        .text
        .keep
        .map(|keep| keep.into_iter().chain(added.cloned()).collect());
    text.table = Some(TableText {
        name: chosen.table.to_string(),
        from: looked.member.as_ref().map(|(member, _)| member.clone()),
        keep,
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
    /// The sector whose name a folder on the way to the source has.
    fn folder(&self) -> Option<String> {
        let contracts = self.request.project.contracts();
        let is_sector = |step: &&str| {
            contracts
                .iter()
                .any(|contract| contract.name.schema() == *step)
        };
        let mut steps = self.request.location.split(['/', '\\']);
        steps.find(is_sector).map(str::to_owned)
    }

    fn tell_sample(&mut self, sample: &Sample, columns: &[SourceColumn]) {
        let is_quotable = columns.iter().all(|column| column.personal.is_none());
        let format = format!("format {}", sample.format.name());
        let known = sample.choices.iter().any(|choice| choice.what == "format");
        if !known {
            self.decisions.push(format);
        }
        for choice in &sample.choices {
            // A reader may quote a cell; beside what tells of persons nothing is quoted.
            let why = match choice.why.split_once(" such as ") {
                Some((why, _)) if !is_quotable => why,
                _ => choice.why.as_str(),
            };
            self.decisions
                .push(format!("{} {}: {why}", choice.what, choice.value));
        }
        self.decisions.extend(self.looked.refined.clone());
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

    /// What the source is called: the pipeline, the file, the way to its records.
    fn called(&self, sample: &Sample) -> String {
        let format = serde_json::to_value(&sample.format).unwrap_or_default();
        let option = |name: &str| {
            format
                .get(name)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let member = self
            .looked
            .member
            .as_ref()
            .map_or("", |(member, _)| member.as_str());
        let said = [
            self.name,
            &self.looked.file,
            member,
            &option("record_path"),
            &option("unnest"),
            &option("sheet"),
        ];
        folded(&said.join(" "))
    }

    /// Whether a shared table takes these columns.
    fn knows(&self, columns: &[SourceColumn]) -> bool {
        let contracts = self.request.project.contracts();
        let about = folded(&format!("{} {}", self.name, self.looked.file));
        let asked = self
            .request
            .table
            .and_then(|name| name.parse().ok())
            .and_then(|name| contracts.get(&name));
        match asked {
            Some(asked) => {
                let found = score::table(asked, contracts, columns, &about);
                score::missing(asked, &found.matches).next().is_none()
            }
            None => score::tables(contracts, columns, &about)
                .iter()
                .any(|found| found.is_good(columns)),
        }
    }

    fn choose(&mut self, columns: &[SourceColumn], sample: &Sample) -> Result<Chosen, DraftError> {
        let contracts = self.request.project.contracts();
        let about = self.called(sample);
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
        if let Some(measured) = measured::find(contracts, columns, self.name)
            && asked
                .as_ref()
                .is_none_or(|asked| *asked == measured.contract.name)
        {
            return Ok(self.measured(measured));
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
        match found.iter().find(|found| found.is_good(columns)) {
            Some(best) => {
                let others: Vec<&TableMatch<'_>> = found
                    .iter()
                    .filter(|other| other.contract.name != best.contract.name)
                    .collect();
                self.decisions.push(fits(best, &others, columns.len()));
                Ok(self.shared(best, columns))
            }
            None => {
                self.decisions.push(nearest(&found, columns.len()));
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
        let lines = lines((found.contract, self.name), columns, &found.matches);
        let sql: Vec<&str> = lines.iter().map(|line| line.sql.as_str()).collect();
        let is_used = |index: usize| {
            let name = quoted(&columns[index].name);
            let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
            let names = |sql: &&str| match name.starts_with('"') {
                true => sql.contains(&name),
                false => sql
                    .split(|letter| !is_part(letter))
                    .any(|word| word == name),
            };
            found.matches.iter().any(|found| found.column == index) || sql.iter().any(names)
        };
        let mut rest = unmatched(columns, is_used);
        let places = mapping::place_lookup(found.contract, columns, &found.matches);
        self.questions.extend(places.clone());
        rest.extend(places);
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
        let drafted = contract::draft(&title(&self.looked.file), columns, sample.is_whole);
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
        let lines = indicators::lines((self.name, &title(&self.looked.file)), wide, columns);
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

    /// A table with a column for each thing that is measured, one value a row.
    fn measured(&mut self, measured: Measured<'_>) -> Chosen {
        self.decisions.push(format!(
            "table {}: {} columns are named after what is measured or counted, so each becomes a row (`unpivot`)",
            measured.contract.name, measured.kinds
        ));
        self.ask(&measured.lines);
        Chosen {
            table: measured.contract.name.clone(),
            text: TableText {
                keep: Some(measured.keep),
                lines: measured.lines,
                rest: measured.rest,
                ..TableText::default()
            },
            contract: None,
        }
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

fn fits(best: &TableMatch<'_>, others: &[&TableMatch<'_>], columns: usize) -> String {
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

/// The tables that come next to the source, none of which fits well enough.
fn nearest(found: &[TableMatch<'_>], columns: usize) -> String {
    let near: Vec<String> = found
        .iter()
        .take(OTHERS_MAX)
        .map(|found| {
            let lacks: Vec<&str> = score::missing(found.contract, &found.matches)
                .map(|field| field.name.as_str())
                .collect();
            let lacks = if lacks.is_empty() {
                String::new()
            } else {
                format!(", without {}", lacks.join(", "))
            };
            format!(
                "{} ({} of {columns} columns{lacks})",
                found.contract.name,
                found.matches.len()
            )
        })
        .collect();
    if near.is_empty() {
        return "no shared table fits: none of its fields is named like a column".to_owned();
    }
    format!(
        "no shared table fits well enough; the nearest: {}; --table takes one all the same",
        near.join("; ")
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
