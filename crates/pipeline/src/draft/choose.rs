//! The table that a draft is onto: one for wide or measured sources, the shared one that fits best, or one of its own.

use sectorlake_contract::{Contract, NameError, TableName};
use sectorlake_formats::Sample;

use super::columns::SourceColumn;
use super::error::DraftError;
use super::mapping::{self, lines, unmatched};
use super::measured::{self, Measured};
use super::score::{self, TableMatch};
use super::text::TableText;
use super::wide::{self, Period, Wide};
use super::write::{Drafting, title};
use super::{contract, indicators};
use crate::names::{field_name, folded, quoted};

/// The table of statistics in long form.
const INDICATORS: &str = "common.indicators";
/// The folder of what belongs to no sector yet.
const NO_SECTOR: &str = "drafts";
/// Tables that are named beside the chosen one.
const OTHERS_MAX: usize = 2;

/// The table that was chosen.
pub(super) struct Chosen {
    pub(super) table: TableName,
    pub(super) text: TableText,
    /// A contract of its own.
    pub(super) contract: Option<String>,
}

impl Drafting<'_> {
    /// The table: what was asked for, else what fits best, else one of its own.
    pub(super) fn choose(
        &mut self,
        columns: &[SourceColumn],
        sample: &Sample,
    ) -> Result<Chosen, DraftError> {
        let contracts = self.request.project.contracts();
        let asked = self.request.table.map(table_name).transpose()?;
        let is_allowed = |table: &TableName| asked.as_ref().is_none_or(|asked| asked == table);
        let indicators = INDICATORS
            .parse()
            .ok()
            .and_then(|name| contracts.get(&name));
        if let (Some(wide), Some(indicators)) = (wide::find(columns), indicators)
            && is_allowed(&indicators.name)
        {
            return Ok(self.wide(&wide, indicators, columns));
        }
        if let Some(measured) = measured::find(contracts, columns, self.name)
            && is_allowed(&measured.contract.name)
        {
            return Ok(self.measured(measured));
        }
        match asked {
            Some(asked) => Ok(self.asked(asked, columns, sample)),
            None => self.best(columns, sample),
        }
    }

    /// Onto the table that was asked for, which may be a new one.
    fn asked(&mut self, asked: TableName, columns: &[SourceColumn], sample: &Sample) -> Chosen {
        let contracts = self.request.project.contracts();
        let Some(contract) = contracts.get(&asked) else {
            return self.own(asked, columns, sample);
        };
        let found = score::table(contract, contracts, columns, &self.called(sample));
        self.decisions.push(format!(
            "table {asked}: it was asked for; {} of {} columns fit it",
            found.matches.len(),
            columns.len()
        ));
        self.shared(&found, columns)
    }

    /// Onto the shared table that fits best, else onto one of its own.
    fn best(&mut self, columns: &[SourceColumn], sample: &Sample) -> Result<Chosen, DraftError> {
        let contracts = self.request.project.contracts();
        let mut found = score::tables(contracts, columns, &self.called(sample));
        found.retain(|found| !self.is_drafted(found.contract));
        let Some(best) = found.iter().find(|found| found.is_good(columns)) else {
            self.decisions.push(nearest(&found, columns.len()));
            let schema = self.request.sector.unwrap_or(NO_SECTOR);
            let wanted = format!("{}.{}", field_name(schema), field_name(self.name));
            return Ok(self.own(table_name(&wanted)?, columns, sample));
        };
        let others: Vec<&TableMatch<'_>> = found
            .iter()
            .filter(|other| other.contract.name != best.contract.name)
            .collect();
        self.decisions.push(fits(best, &others, columns.len()));
        Ok(self.shared(best, columns))
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

    /// Whether a shared table takes these columns.
    pub(super) fn knows(&self, columns: &[SourceColumn]) -> bool {
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
                .any(|found| found.is_good(columns) && !self.is_drafted(found.contract)),
        }
    }

    /// Whether a table is the draft of another dataset, which no table of the project is to be yet.
    fn is_drafted(&self, contract: &Contract) -> bool {
        let sector = self.request.told.host.and(self.request.sector);
        sector == Some(contract.name.schema())
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
}

fn table_name(name: &str) -> Result<TableName, DraftError> {
    name.parse().map_err(|error: NameError| DraftError::Name {
        what: "the table",
        name: name.to_owned(),
        reason: error.to_string(),
    })
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
