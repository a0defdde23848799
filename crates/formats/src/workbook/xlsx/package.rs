//! What lies around the sheets of an .xlsx: their names and places, number formats, the date system (ECMA-376 part 1, 18).

use std::collections::HashMap;
use std::path::Path;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::archive::{self, Member};
use crate::content::Content;
use crate::error::FormatError;
use crate::options::ReadOptions;
use crate::part::PartBytes;
use crate::workbook::value::{DateSystem, Shown};

/// How messages name the format.
pub(crate) const FORMAT: &str = "XLSX";
const ROOT_RELATIONS: &str = "_rels/.rels";
/// Where the workbook is when nothing says so.
const WORKBOOK: &str = "xl/workbook.xml";

/// A workbook's directory.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) part: PartBytes,
    pub(crate) options: ReadOptions,
    members: Vec<String>,
    pub(crate) sheets: Vec<SheetEntry>,
    pub(crate) system: DateSystem,
    /// How numbers are shown, by a cell's style.
    pub(crate) styles: Vec<Shown>,
    /// The member that holds shared texts.
    pub(crate) strings: Option<String>,
}

/// A sheet as the workbook lists it.
#[derive(Debug, Clone)]
pub(crate) struct SheetEntry {
    pub(crate) name: String,
    pub(crate) hidden: bool,
    /// Its member of the archive.
    pub(crate) member: String,
}

/// A relation of a member to another.
struct Relation {
    id: String,
    kind: String,
    target: String,
}

impl Package {
    pub(crate) async fn open(part: &PartBytes, options: &ReadOptions) -> Result<Self, FormatError> {
        let members = archive::members(part, options).await?;
        let mut package = Self {
            part: part.clone(),
            options: options.clone(),
            members: members
                .into_iter()
                .map(|Member { name, .. }| name)
                .collect(),
            sheets: Vec::new(),
            system: DateSystem::default(),
            styles: Vec::new(),
            strings: None,
        };
        if package.member("xl/workbook.bin").is_some() {
            return Err(package.damaged("it is a binary workbook (.xlsb)"));
        }
        let root = package.relations(ROOT_RELATIONS, "").await?;
        let workbook = root
            .iter()
            .find(|relation| relation.kind == "officeDocument")
            .map_or(WORKBOOK, |relation| &relation.target);
        let Some(workbook) = package.member(workbook) else {
            return Err(package.damaged("the archive holds no workbook"));
        };
        let folder = parent(&workbook);
        let relations = package
            .relations(
                &format!("{folder}_rels/{}.rels", &workbook[folder.len()..]),
                folder,
            )
            .await?;
        let found = |kind: &str| {
            relations
                .iter()
                .find(|relation| relation.kind == kind)
                .and_then(|relation| package.member(&relation.target))
        };
        let (strings, styles) = (found("sharedStrings"), found("styles"));
        package.strings = strings;
        package.read_workbook(&workbook, &relations).await?;
        if let Some(styles) = styles {
            package.styles = number_formats(&package.whole(&styles).await?)
                .map_err(|reason| package.damaged(&reason))?;
        }
        Ok(package)
    }

    pub(crate) fn damaged(&self, reason: &str) -> FormatError {
        FormatError::Workbook {
            name: self.part.name.clone(),
            reason: reason.to_owned(),
        }
    }

    /// A member by its name, which some programs write in other cases or with a slash before it.
    fn member(&self, name: &str) -> Option<String> {
        let name = name.trim_start_matches('/');
        self.members
            .iter()
            .find(|member| member.eq_ignore_ascii_case(name))
            .cloned()
    }

    /// A member as a stream; messages name the workbook.
    pub(crate) async fn content(&self, member: &str) -> Result<Content, FormatError> {
        let mut content = Content::find(&self.part, Some(member), &self.options).await?;
        content.name.clone_from(&self.part.name);
        Ok(content)
    }

    /// A small member, whole.
    async fn whole(&self, member: &str) -> Result<String, FormatError> {
        let bytes = self.content(member).await?.whole(FORMAT).await?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| self.damaged(&format!("`{member}` is no UTF-8")))?;
        Ok(text.trim_start_matches('\u{feff}').to_owned())
    }

    async fn relations(&self, member: &str, folder: &str) -> Result<Vec<Relation>, FormatError> {
        let Some(member) = self.member(member) else {
            return Ok(Vec::new());
        };
        let text = self.whole(&member).await?;
        let mut relations = Vec::new();
        each_element(&text, |element, attributes| {
            if element == "Relationship" {
                let kind = attributes.get("Type").map_or("", String::as_str);
                relations.push(Relation {
                    id: attributes.get("Id").cloned().unwrap_or_default(),
                    kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                    target: resolve(folder, attributes.get("Target").map_or("", String::as_str)),
                });
            }
        })
        .map_err(|reason| self.damaged(&reason))?;
        Ok(relations)
    }

    async fn read_workbook(
        &mut self,
        member: &str,
        relations: &[Relation],
    ) -> Result<(), FormatError> {
        let text = self.whole(member).await?;
        let (mut sheets, mut system) = (Vec::new(), DateSystem::From1900);
        let read = each_element(&text, |element, attributes| match element {
            "workbookPr"
                if attributes
                    .get("date1904")
                    .is_some_and(|value| value == "1" || value == "true") =>
            {
                system = DateSystem::From1904
            }
            "sheet" => {
                let id = attributes
                    .iter()
                    .find(|(key, _)| key.rsplit(':').next() == Some("id"))
                    .map(|(_, id)| id);
                // Chart sheets and macro sheets hold no cells.
                let relation = relations
                    .iter()
                    .find(|relation| Some(&relation.id) == id && relation.kind == "worksheet");
                if let (Some(name), Some(relation)) = (attributes.get("name"), relation) {
                    let hidden = attributes
                        .get("state")
                        .is_some_and(|state| state != "visible");
                    sheets.push((name.clone(), hidden, relation.target.clone()));
                }
            }
            _ => {}
        });
        read.map_err(|reason| self.damaged(&reason))?;
        for (name, hidden, target) in sheets {
            let member = self.member(&target).ok_or_else(|| {
                self.damaged(&format!("its sheet `{name}` is missing from the archive"))
            })?;
            self.sheets.push(SheetEntry {
                name,
                hidden,
                member,
            });
        }
        self.system = system;
        Ok(())
    }
}

fn parent(member: &str) -> &str {
    member
        .rsplit_once('/')
        .map_or("", |(folder, _)| &member[..=folder.len()])
}

/// A target as its source's folder has it.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = Vec::new();
    let joined = format!("{folder}{target}");
    for step in Path::new(&joined).iter().filter_map(|step| step.to_str()) {
        match step {
            ".." => drop(steps.pop()),
            "." => {}
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// How numbers are shown, by style: `cellXfs` names number formats, `numFmts` defines those that are not built in.
fn number_formats(text: &str) -> Result<Vec<Shown>, String> {
    let (mut custom, mut styles, mut inside) = (HashMap::new(), Vec::new(), false);
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) if start.local_name().as_ref() == "cellXfs" => inside = true,
            Event::End(end) if end.local_name().as_ref() == "cellXfs" => inside = false,
            Event::Start(start) | Event::Empty(start) => {
                let id = |attributes: &HashMap<String, String>| {
                    attributes
                        .get("numFmtId")
                        .and_then(|id| id.parse::<u32>().ok())
                };
                match start.local_name().as_ref() {
                    "numFmt" => {
                        let attributes = attributes(&start)?;
                        if let (Some(id), Some(code)) =
                            (id(&attributes), attributes.get("formatCode"))
                        {
                            custom.insert(id, Shown::from_code(code));
                        }
                    }
                    "xf" if inside => {
                        let id = id(&attributes(&start)?).unwrap_or_default();
                        styles.push(
                            custom
                                .get(&id)
                                .copied()
                                .unwrap_or_else(|| Shown::built_in(id)),
                        );
                    }
                    _ => {}
                }
            }
            Event::Eof => return Ok(styles),
            _ => {}
        }
    }
}

/// Every element's local name and attributes.
fn each_element(
    text: &str,
    mut each: impl FnMut(&str, HashMap<String, String>),
) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) | Event::Empty(start) => {
                each(start.local_name().as_ref(), attributes(&start)?)
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

pub(crate) fn attributes(start: &BytesStart<'_>) -> Result<HashMap<String, String>, String> {
    let mut all = HashMap::new();
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        all.insert(attribute.key.as_ref().to_owned(), value.into_owned());
    }
    Ok(all)
}
