//! From what was seen to the files: the table is chosen, each column placed, each doubt put beside its line.

use std::path::PathBuf;

use sectorlake_connector::Registration;
use sectorlake_contract::TableName;
use sectorlake_formats::{FormatSpec, Sample};
use serde_json::Value;

use super::choose::Chosen;
use super::columns::SourceColumn;
use super::error::DraftError;
use super::look::Looked;
use super::mapping::Line;
use super::text::{PipelineText, TableText, render};
use super::{Draft, DraftRequest};

/// Drafts the files.
pub(super) fn draft(
    request: &DraftRequest<'_>,
    name: &str,
    looked: &Looked,
) -> Result<Draft, DraftError> {
    let drafting = Drafting::begin(request, name, looked);
    let text = PipelineText {
        title: request
            .told
            .title
            .map_or_else(|| title(&looked.file), str::to_owned),
        licence: request.told.licence.map(str::to_owned),
        connector: looked.connector.clone(),
        settings: looked.claim.settings.clone(),
        ..PipelineText::default()
    };
    match &looked.sample {
        Some(sample) => drafting.mapped(sample, text),
        None => Ok(drafting.unmapped(text)),
    }
}

/// A draft while it is made.
pub(super) struct Drafting<'a> {
    pub(super) request: &'a DraftRequest<'a>,
    pub(super) name: &'a str,
    pub(super) looked: &'a Looked,
    pub(super) decisions: Vec<String>,
    pub(super) questions: Vec<String>,
}

impl<'a> Drafting<'a> {
    fn begin(request: &'a DraftRequest<'a>, name: &'a str, looked: &'a Looked) -> Self {
        let connector = format!("connector {}: {}", looked.connector, looked.claim.why);
        // In the address of a database a secret is put in when the address is taken apart, in one of HTTP as it stands there.
        let url = looked.claim.settings.get("url").and_then(Value::as_str);
        let written = match url.is_none_or(|url| url.starts_with("http")) {
            true => "written as in the address",
            false => "as it is, no character of it percent-encoded",
        };
        let secrets = looked.variables.iter().map(|(variable, what)| {
            format!(
                "the address holds a secret ({what}): the file refers to the environment variable {variable} in its place; set it where sectorlake runs, {written}: export {variable}=…"
            )
        });
        Self {
            request,
            name,
            looked,
            decisions: std::iter::once(connector).chain(secrets).collect(),
            questions: Vec::new(),
        }
    }

    /// The files for a connector that knows its tables by itself.
    fn unmapped(mut self, mut text: PipelineText) -> Draft {
        self.decisions.extend(self.looked.refined.clone());
        self.decisions.push(
            "the connector brings its own mapping onto the shared tables: `tables:` is left out"
                .to_owned(),
        );
        let sector = self
            .request
            .sector
            .or(self.looked.sector.as_deref())
            .unwrap_or("common");
        let lacking = self.lacking(&text);
        text.about = self.about(None);
        let asked = lacking
            .iter()
            .map(|question| format!("- still to be written: {question}"));
        text.about.extend(asked);
        self.questions.extend(lacking);
        self.done(sector, &text, None)
    }

    /// Settings that the connector cannot do without and that nothing seen tells.
    fn lacking(&self, text: &PipelineText) -> Vec<String> {
        let connector = self.request.registry.get(&text.connector);
        let schema = connector.map(Registration::settings_schema);
        let required = schema.as_ref().and_then(|it| it["required"].as_array());
        let required = required.into_iter().flatten().filter_map(Value::as_str);
        let lacking = required.filter(|key| !text.settings.contains_key(*key));
        lacking
            .map(|key| {
                let about = schema
                    .as_ref()
                    .map(|it| &it["properties"][key]["description"]);
                let about = about.and_then(Value::as_str).unwrap_or_default();
                let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
                format!("the source does not tell the setting `{key}`: {about}")
            })
            .collect()
    }

    /// The files for records that are mapped onto a table.
    fn mapped(mut self, sample: &Sample, mut text: PipelineText) -> Result<Draft, DraftError> {
        let looked = self.looked;
        let columns = SourceColumn::all(sample);
        let (sample, columns) = match &looked.unnested {
            // A list in the records stays one where a table takes the records as they are.
            Some((unnested, why)) if !self.knows(&columns) => {
                self.decisions.push(why.clone());
                (unnested, SourceColumn::all(unnested))
            }
            _ => (sample, columns),
        };
        let stream = looked.stream.as_ref().map(|(stream, _)| stream);
        // A connector that knows how its source writes takes no word on it; what `rest` is told beside its pages is enough.
        let is_told = text.settings.contains_key("paging")
            && matches!(&sample.format, FormatSpec::Json(format) if format.unnest.is_none());
        if !is_told && stream.is_none_or(|stream| stream.format.is_none()) {
            text.format = serde_json::to_value(&sample.format).ok();
        }
        let member = looked.member.as_ref().map(|(member, _)| member.clone());
        if let (Some(_), Some(member)) = (stream, &member) {
            text.settings
                .insert("member".to_owned(), member.as_str().into());
        }
        self.tell_sample(sample, &columns);
        let chosen = self.choose(&columns, sample)?;
        let sector = self.sector(&chosen);
        text.about = self.about(Some(sample));
        // What a reader adds to the source's columns is none of those that become rows.
        let added = sample.schema.fields().iter().map(|field| field.name());
        let added = added.filter(|name| {
            name.starts_with('_') && columns.iter().all(|column| column.name != **name)
        });
        let keep = chosen
            .text
            .keep
            .map(|keep| keep.into_iter().chain(added.cloned()).collect());
        text.table = Some(TableText {
            name: chosen.table.to_string(),
            from: stream.map(|stream| stream.name.clone()).or(member),
            keep,
            ..chosen.text
        });
        let own = chosen.contract.map(|text| (chosen.table, text));
        Ok(self.done(&sector, &text, own))
    }

    /// The folder under `pipelines/`.
    fn sector(&self, chosen: &Chosen) -> String {
        match (self.request.sector, chosen.table.schema()) {
            (Some(sector), _) => sector.to_owned(),
            // What is common to all sectors says nothing of this source; its folder may.
            (None, "common") => self.folder().unwrap_or_else(|| "common".to_owned()),
            (None, schema) => schema.to_owned(),
        }
    }

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
        if let Some((stream, others)) = &self.looked.stream
            && !others.is_empty()
        {
            self.questions.push(format!(
                "the source has {} more streams: only {} is mapped (`from:`); the others: {}",
                others.len(),
                stream.name,
                named(others)
            ));
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

    /// Asks what is not sure of some lines.
    pub(super) fn ask(&mut self, lines: &[Line]) {
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

/// The first of some names.
fn named(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut shown = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        shown.push_str(", …");
    }
    shown
}

/// A title from a file's name.
pub(super) fn title(file: &str) -> String {
    let base = file.rsplit(['/', '!']).next().unwrap_or(file);
    let stem = base.split(['.', '?']).next().unwrap_or(base);
    let words = stem.replace(['_', '-'], " ");
    let mut letters = words.trim().chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Source".to_owned(),
    }
}
