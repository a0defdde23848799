//! Two versions of one contract, change by change.
//!
//! The levels are about the rows that are stored already:
//!
//! | level | stored rows | files |
//! |---|---|---|
//! | compatible | keep the new contract | stay as they are |
//! | widening | keep the new contract | the next run migrates the table: a new column, a wider type, another layout |
//! | breaking | may not keep it, or mean something else | the data must be loaded anew, or the table get another name |

mod field;
mod rename;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::contract::{Contract, ForeignKey, KeyScope};
use crate::field::Severity;

/// How much a change asks for; the greatest of all changes counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Stored rows and files stay as they are.
    Compatible,
    /// The table is migrated by the next run; no row is lost or changed.
    Widening,
    /// Stored rows may break the new contract, or mean something else.
    Breaking,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Widening => "widening",
            Self::Breaking => "breaking",
        }
    }
}

/// One difference between two contracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field, `None` for the table itself.
    pub field: Option<String>,
    /// How much it asks for.
    pub level: Level,
    /// What is different, in words.
    pub what: String,
    /// For a breaking change: how to get the same without breaking anything.
    pub mend: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.level.word();
        match &self.field {
            Some(field) => write!(f, "{level}: field {field}: {}", self.what),
            None => write!(f, "{level}: {}", self.what),
        }
    }
}

/// All differences between two contracts: the fields' in the order of the new ones, then the table's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The differences.
    pub changes: Vec<Change>,
}

impl Comparison {
    /// The greatest level among the changes; compatible where there is none.
    #[must_use]
    pub fn level(&self) -> Level {
        self.changes
            .iter()
            .map(|change| change.level)
            .max()
            .unwrap_or(Level::Compatible)
    }

    fn compatible(&mut self, field: Option<&str>, what: impl Into<String>) {
        self.add(field, Level::Compatible, what, None);
    }

    fn breaking(&mut self, field: Option<&str>, what: impl Into<String>, mend: impl Into<String>) {
        self.add(field, Level::Breaking, what, Some(mend.into()));
    }

    fn add(
        &mut self,
        field: Option<&str>,
        level: Level,
        what: impl Into<String>,
        mend: Option<String>,
    ) {
        self.changes.push(Change {
            field: field.map(str::to_owned),
            level,
            what: what.into(),
            mend,
        });
    }
}

/// Compares a contract with its successor.
///
/// A contract compared with itself has no changes. What is not breaking is kept by every row that kept the old contract.
#[must_use]
pub fn compare(old: &Contract, new: &Contract) -> Comparison {
    let mut out = Comparison::default();
    for field in &new.fields {
        match old.field(&field.name) {
            Some(before) => field::compare((old, before), (new, field), &mut out),
            None => added(old, new, field, &mut out),
        }
    }
    let gone = old.fields.iter();
    for field in gone.filter(|field| new.field(&field.name).is_none()) {
        let name = Some(field.name.as_str());
        match rename::successor(old, new, field) {
            Some(after) => out.breaking(
                name,
                format!("is gone, probably renamed to {after}"),
                format!("keep the name {}, or add {after} beside it", field.name),
            ),
            None => out.breaking(name, "is gone", "keep the field; it may stay empty"),
        }
    }
    order(old, new, &mut out);
    keys(old, new, &mut out);
    foreign_keys(old, new, &mut out);
    layout(old, new, &mut out);
    said(old, new, &mut out);
    out
}

fn added(old: &Contract, new: &Contract, field: &crate::Field, out: &mut Comparison) {
    let name = Some(field.name.as_str());
    let was = rename::predecessor(old, new, field)
        .map(|before| format!(", probably {before} under another name"))
        .unwrap_or_default();
    if new.is_required(field) {
        out.breaking(
            name,
            format!("is new and required: stored rows lack it{was}"),
            "make it optional, or load the data anew",
        );
    } else {
        out.add(name, Level::Widening, format!("is new{was}"), None);
    }
}

fn order(old: &Contract, new: &Contract, out: &mut Comparison) {
    fn common<'a>(one: &'a Contract, other: &Contract) -> Vec<&'a str> {
        let names = one.fields.iter().map(|field| field.name.as_str());
        names.filter(|name| other.field(name).is_some()).collect()
    }
    if common(old, new) != common(new, old) {
        out.compatible(None, "order of fields differs");
    }
}

fn keys(old: &Contract, new: &Contract, out: &mut Comparison) {
    let key = |contract: &Contract| format!("({})", contract.primary_key.join(", "));
    if old.primary_key != new.primary_key {
        out.breaking(
            None,
            format!("primary key {} becomes {}", key(old), key(new)),
            "keep the key, or load the data anew",
        );
    }
    if old.key_scope != new.key_scope {
        let (before, after) = (old.key_scope.word(), new.key_scope.word());
        let what = format!("key scope {before} becomes {after}");
        match new.key_scope {
            KeyScope::Lake => out.breaking(
                None,
                what,
                "keep the scope: rows of several sources may share keys",
            ),
            KeyScope::Source => out.compatible(None, what),
        }
    }
}

fn foreign_keys(old: &Contract, new: &Contract, out: &mut Comparison) {
    const RULE: &str = "foreignKey";
    fn shown(key: &ForeignKey) -> String {
        let tables: Vec<String> = key
            .targets
            .iter()
            .map(|target| target.table.to_string())
            .collect();
        format!(
            "foreign key ({}) into {}",
            key.fields.join(", "),
            tables.join(" or ")
        )
    }
    let mend =
        "add \"severity\": { \"foreignKey\": \"warn\" }: rows that break it are marked and stay";
    let is_soft = new.severity_of(RULE) == Severity::Warn;
    let mut tighter = |what: String| match is_soft {
        true => out.compatible(None, what),
        false => out.breaking(None, what, mend),
    };
    let added = new.foreign_keys.iter();
    for key in added.filter(|key| !old.foreign_keys.contains(key)) {
        tighter(format!("{} is new", shown(key)));
    }
    let both = old
        .foreign_keys
        .iter()
        .any(|key| new.foreign_keys.contains(key));
    let (before, after) = (old.severity_of(RULE), new.severity_of(RULE));
    if both && before != after {
        let what = format!(
            "{RULE}: severity {} becomes {}",
            before.word(),
            after.word()
        );
        tighter(what);
    }
    let gone = old.foreign_keys.iter();
    for key in gone.filter(|key| !new.foreign_keys.contains(key)) {
        out.compatible(None, format!("{} is gone", shown(key)));
    }
}

fn layout(old: &Contract, new: &Contract, out: &mut Comparison) {
    if old.partition_by != new.partition_by {
        out.add(None, Level::Widening, "partitions differ", None);
    }
    if old.cluster_by != new.cluster_by {
        out.compatible(None, "order of rows differs");
    }
}

/// What is said of the table.
fn said(old: &Contract, new: &Contract, out: &mut Comparison) {
    let texts = [
        ("title", old.title != new.title),
        ("description", old.description != new.description),
        ("standard", old.standard != new.standard),
        ("owner", old.owner != new.owner),
        ("licence", old.licence != new.licence),
        ("missing values", old.missing_values != new.missing_values),
    ];
    for (what, _) in texts.iter().filter(|(_, differs)| *differs) {
        let verb = if what.ends_with('s') {
            "differ"
        } else {
            "differs"
        };
        out.compatible(None, format!("{what} {verb}"));
    }
    if old.version != new.version {
        let what = format!("version {} becomes {}", old.version, new.version);
        out.compatible(None, what);
    }
}
