//! What can be wrong with a contract, where, and the mend.

use std::fmt;

use thiserror::Error;

use crate::name::TableName;

/// One fault of one contract.
///
/// Shown as `schemas/x/y.json:12:7: fields[3].type: …`; [`ContractError::help`] is the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    table: TableName,
    file: Option<String>,
    path: String,
    place: Option<(usize, usize)>,
    fault: Fault,
}

impl ContractError {
    pub(crate) fn new(
        table: &TableName,
        path: String,
        place: Option<(usize, usize)>,
        fault: Fault,
    ) -> Self {
        Self(Box::new(Inner {
            table: table.clone(),
            file: None,
            path,
            place,
            fault,
        }))
    }

    /// The same fault, told with the file it stands in.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        self.0.file = Some(file.to_owned());
        self
    }

    /// The table whose contract it is.
    #[must_use]
    pub fn table(&self) -> &TableName {
        &self.0.table
    }

    /// The file, where it is known.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// The place in the JSON document, `fields[3].constraints.pattern`; empty for the document itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.0.place.map(|(line, _)| line)
    }

    /// The column in characters, from 1.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.0.place.map(|(_, column)| column)
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// The mend, where one is known.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        self.0.fault.help()
    }
}

impl std::error::Error for ContractError {}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.file {
            Some(file) => f.write_str(file)?,
            None => write!(f, "contract {}", self.0.table)?,
        }
        if let Some((line, column)) = self.0.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.0.path.is_empty() {
            write!(f, ": {}", self.0.path)?;
        }
        write!(f, ": {}", self.0.fault)
    }
}

/// What is wrong in a contract.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// The text is no JSON.
    #[error("this is not JSON: {message}")]
    Json {
        /// What the JSON parser says.
        message: String,
    },
    /// A value has another JSON type than it should.
    #[error("{found} stands where {expected} should")]
    WrongType {
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A property is missing.
    #[error("{property:?} is missing")]
    Missing {
        /// The property.
        property: &'static str,
        /// The mend.
        mend: &'static str,
    },
    /// A property that nobody knows.
    #[error("unknown property {property:?}")]
    UnknownProperty {
        /// The property.
        property: String,
        /// The known one that looks like it.
        suggestion: Option<String>,
        /// All known ones.
        known: Vec<&'static str>,
    },
    /// A word that is none of the allowed ones.
    #[error("{found:?} is no {what}")]
    UnknownWord {
        /// What the word should be.
        what: &'static str,
        /// The word.
        found: String,
        /// The known one that looks like it.
        suggestion: Option<String>,
        /// All known ones; empty where they are too many to list.
        known: Vec<&'static str>,
    },
    /// A part of Table Schema that is not enforced here, and would be silently broken.
    #[error("{what} is not supported")]
    Unsupported {
        /// The property or value.
        what: String,
        /// What to write instead.
        mend: &'static str,
    },
    /// A field's name cannot be used.
    #[error("the field name {name:?} {reason}")]
    FieldName {
        /// The name.
        name: String,
        /// Why it cannot be used.
        reason: &'static str,
    },
    /// Two fields have one name.
    #[error("there are two fields named {name:?} (SQL does not tell upper from lower case)")]
    DuplicateField {
        /// The name.
        name: String,
    },
    /// A field is named that does not exist.
    #[error("there is no field {name:?} in {table}")]
    UnknownField {
        /// The name.
        name: String,
        /// The table that lacks it.
        table: TableName,
        /// The field that looks like it.
        suggestion: Option<String>,
    },
    /// A foreign key has more or fewer fields than its target.
    #[error("the key has {own} fields but names {theirs} of {target}")]
    KeyLength {
        /// Fields on this side.
        own: usize,
        /// Fields on the other side.
        theirs: usize,
        /// The table on the other side.
        target: TableName,
    },
    /// A foreign key's field has another type than its target.
    #[error("{field} is {} but {target}.{target_field} is {}", a(own), a(theirs))]
    KeyType {
        /// The field on this side.
        field: String,
        /// Its type.
        own: &'static str,
        /// The table on the other side.
        target: TableName,
        /// The field on the other side.
        target_field: String,
        /// Its type.
        theirs: &'static str,
    },
    /// A table is named that has no contract.
    #[error("there is no contract for table {table:?}")]
    UnknownTable {
        /// The name.
        table: String,
        /// The table that looks like it.
        suggestion: Option<String>,
    },
    /// A text is no table name.
    #[error("{0}")]
    TableName(#[from] crate::name::NameError),
    /// Two files give one table.
    #[error("table {table} has two contracts, the other in {other}")]
    DuplicateTable {
        /// The table.
        table: TableName,
        /// The other file.
        other: String,
    },
    /// A pattern is no regular expression.
    #[error("{pattern:?} is no regular expression: {message}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What the regular expression parser says.
        message: String,
    },
    /// A limit is not of the field's type.
    #[error("{limit} is no {kind}")]
    Limit {
        /// The limit, as JSON.
        limit: String,
        /// The field's type.
        kind: &'static str,
        /// How a limit of that type is written.
        example: &'static str,
    },
    /// A constraint that makes no sense for the field's type.
    #[error("{constraint} does not apply to {}", a(kind))]
    NotApplicable {
        /// The constraint or property.
        constraint: &'static str,
        /// The field's type.
        kind: &'static str,
        /// The types that it applies to.
        applies: &'static str,
    },
    /// A lower limit above its upper one.
    #[error("{low} is above {high}: no value can keep both")]
    EmptyRange {
        /// The lower constraint and its value.
        low: String,
        /// The upper constraint and its value.
        high: String,
    },
    /// A text that is no UCUM code.
    #[error("{unit:?} is no UCUM code")]
    Unit {
        /// The text.
        unit: String,
        /// The code that is probably meant.
        suggestion: Option<String>,
    },
    /// The English title stands twice, and differently.
    #[error("the English title is {standard:?} in \"title\" but {ours:?} in \"sectorlake\"")]
    TitlesDiffer {
        /// Table Schema's `title`.
        standard: String,
        /// `sectorlake.title.en`.
        ours: String,
    },
    /// A severity is given to a rule that is not there.
    #[error("there is no {rule} rule whose severity this could be")]
    NoSuchRule {
        /// The rule.
        rule: &'static str,
    },
    /// Something that is listed twice.
    #[error("{name:?} is listed twice")]
    ListedTwice {
        /// What.
        name: String,
    },
    /// A value is out of its bounds.
    #[error("{found} is not {expected}")]
    OutOfBounds {
        /// The value.
        found: String,
        /// The bounds.
        expected: &'static str,
    },
}

/// A type's word with its article.
fn a(word: &str) -> String {
    let article = if word.starts_with(['i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {word}")
}

impl Fault {
    /// The mend, where one is known.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let listed = |suggestion: &Option<String>, known: &[&str]| match suggestion {
            Some(suggestion) => Some(format!("did you mean {suggestion:?}?")),
            None if known.is_empty() => None,
            None => Some(format!("one of: {}", known.join(", "))),
        };
        match self {
            Self::UnknownProperty {
                suggestion, known, ..
            }
            | Self::UnknownWord {
                suggestion, known, ..
            } => listed(suggestion, known),
            Self::UnknownField { suggestion, .. } | Self::UnknownTable { suggestion, .. } => {
                listed(suggestion, &[])
            }
            Self::Missing { mend, .. } | Self::Unsupported { mend, .. } => Some((*mend).to_owned()),
            Self::FieldName { .. } => {
                Some("name it as its standard does, in letters, digits and _".to_owned())
            }
            Self::DuplicateField { .. } => Some("rename one of them".to_owned()),
            Self::ListedTwice { .. } => Some("list it once".to_owned()),
            Self::KeyLength { target, .. } => Some(format!(
                "name one field of {target} for each field of the key, in order"
            )),
            Self::KeyType { field, theirs, .. } => Some(format!("make {field} {} too", a(theirs))),
            Self::DuplicateTable { .. } => Some("delete one of the two files".to_owned()),
            Self::Limit { example, .. } => Some(format!("write it as {example}")),
            Self::NotApplicable { applies, .. } => Some(format!("it applies to {applies}")),
            Self::Unit { suggestion, .. } => Some(match suggestion {
                Some(suggestion) => format!("did you mean {suggestion:?}?"),
                None => {
                    "write the case-sensitive code of https://ucum.org, such as ug/m3, Cel, %, m"
                        .to_owned()
                }
            }),
            Self::NoSuchRule { rule } => Some(match *rule {
                "future" => "mark the time of an observation with \"interval\" first".to_owned(),
                "foreignKey" => "add a foreign key, or leave this out".to_owned(),
                rule => format!("add {rule} to \"constraints\", or leave this out"),
            }),
            Self::TitlesDiffer { .. } => Some("make them equal, or leave one out".to_owned()),
            Self::Json { .. }
            | Self::WrongType { .. }
            | Self::TableName(_)
            | Self::Pattern { .. }
            | Self::EmptyRange { .. }
            | Self::OutOfBounds { .. } => None,
        }
    }
}
