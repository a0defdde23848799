//! What the comparison of contracts says: as text, and as JSON.

use std::fmt::Write as _;

use sectorlake_contract::{Comparison, Contract, Level, TableName, compare};
use serde_json::{Value, json};

/// Columns that a level's word takes.
const LEVEL_WIDTH: usize = 10;

/// The tables that differ.
#[derive(Debug)]
pub(super) struct Report {
    tables: Vec<TableReport>,
    compared: usize,
}

/// One table's differences.
#[derive(Debug)]
pub(super) struct TableReport {
    name: String,
    versions: [Option<String>; 2],
    changes: Vec<Line>,
    level: Level,
    next_run: NextRun,
}

/// One change as it is shown.
#[derive(Debug)]
struct Line {
    level: Level,
    field: Option<String>,
    what: String,
    mend: Option<String>,
}

/// What becomes of the stored table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextRun {
    Nothing,
    Stays,
    Migrates,
    Refused {
        next_major: u64,
    },
    /// Only rules that rows are checked by break: where no row of before stays, a run takes them.
    RefusedWhereRowsStay {
        next_major: u64,
    },
    Beside {
        major: u64,
    },
    Created,
    Gone,
}

impl NextRun {
    fn text(self, table: &str) -> String {
        match self {
            Self::Nothing => "the next run finds nothing changed".to_owned(),
            Self::Stays => {
                "the next run goes on with the new contract; stored rows and files stay as they are"
                    .to_owned()
            }
            Self::Migrates => {
                "the next run migrates the table, losing no row; older snapshots still read"
                    .to_owned()
            }
            Self::Refused { next_major } => format!(
                "the next run refuses the new contract. Mend it as shown, or raise version to {next_major}.0.0: \
                 then the new table is kept beside the old one, and {table}_all shows both"
            ),
            Self::RefusedWhereRowsStay { next_major } => format!(
                "only rules break that rows are checked by: the next run refuses the new contract where rows of before stay (append, merge, or those of \
                 another source), and checks by it where a run replaces all of them. Mend it as shown, or raise version to \
                 {next_major}.0.0: then the new table is kept beside the old one, and {table}_all shows both"
            ),
            Self::Beside { major } => format!(
                "version {major} is another table: the next run makes {table}_v{major} beside the old one, and \
                 {table}_all shows both"
            ),
            Self::Created => "the next run that feeds it makes the table".to_owned(),
            Self::Gone => {
                "the stored table stays, but no pipeline can feed it. Keep the contract".to_owned()
            }
        }
    }
}

impl TableReport {
    pub(super) fn of(
        name: &TableName,
        comparison: Comparison,
        old: &Contract,
        new: &Contract,
    ) -> Self {
        let level = comparison.level();
        let next_run = match level {
            _ if comparison.changes.is_empty() => NextRun::Nothing,
            _ if new.major() > old.major() => NextRun::Beside { major: new.major() },
            Level::Compatible => NextRun::Stays,
            Level::Widening => NextRun::Migrates,
            Level::Breaking if compare(old, &new.with_rules_of(old)).level() < Level::Breaking => {
                NextRun::RefusedWhereRowsStay {
                    next_major: old.major() + 1,
                }
            }
            Level::Breaking => NextRun::Refused {
                next_major: old.major() + 1,
            },
        };
        let lines = comparison.changes.into_iter().map(|change| Line {
            level: change.level,
            field: change.field,
            what: change.what,
            mend: change.mend,
        });
        Self {
            name: name.to_string(),
            versions: [Some(old.version.clone()), Some(new.version.clone())],
            changes: lines.collect(),
            level,
            next_run,
        }
    }

    pub(super) fn gone(name: &TableName, old: &Contract) -> Self {
        let line = Line {
            level: Level::Breaking,
            field: None,
            what: "the contract is gone".to_owned(),
            mend: Some("keep the file, or retire the table's pipelines first".to_owned()),
        };
        Self {
            name: name.to_string(),
            versions: [Some(old.version.clone()), None],
            changes: vec![line],
            level: Level::Breaking,
            next_run: NextRun::Gone,
        }
    }

    pub(super) fn added(name: &TableName, new: &Contract) -> Self {
        let line = Line {
            level: Level::Compatible,
            field: None,
            what: "the contract is new".to_owned(),
            mend: None,
        };
        Self {
            name: name.to_string(),
            versions: [None, Some(new.version.clone())],
            changes: vec![line],
            level: Level::Compatible,
            next_run: NextRun::Created,
        }
    }

    fn is_refused(&self) -> bool {
        use NextRun::{Gone, Refused, RefusedWhereRowsStay};
        matches!(
            self.next_run,
            Refused { .. } | RefusedWhereRowsStay { .. } | Gone
        )
    }

    fn to_text(&self) -> String {
        let versions: Vec<&str> = self.versions.iter().flatten().map(String::as_str).collect();
        let mut versions = versions;
        versions.dedup();
        let verdict = match self.changes.is_empty() {
            true => "no changes",
            false => self.level.word(),
        };
        let mut out = format!("{} {}: {verdict}\n", self.name, versions.join(" → "));
        for line in &self.changes {
            let subject = line.field.as_deref().unwrap_or("the table");
            let level = line.level.word();
            let _ = writeln!(out, "  {level:<LEVEL_WIDTH$}  {subject}: {}", line.what);
            if let Some(mend) = &line.mend {
                let _ = writeln!(out, "  {:<LEVEL_WIDTH$}  mend: {mend}", "");
            }
        }
        let _ = writeln!(out, "  {}", self.next_run.text(&self.name));
        out
    }

    fn to_json(&self) -> Value {
        let changes = self.changes.iter().map(|line| {
            json!({ "field": line.field, "level": line.level.word(), "what": line.what, "mend": line.mend })
        });
        let [old, new] = &self.versions;
        json!({
            "table": self.name,
            "old_version": old,
            "new_version": new,
            "level": self.level.word(),
            "refused": self.is_refused(),
            "changes": changes.collect::<Vec<_>>(),
            "next_run": self.next_run.text(&self.name),
        })
    }
}

impl Report {
    /// A report on the tables that differ, of `compared` tables.
    pub(super) fn new(tables: Vec<TableReport>, compared: usize) -> Self {
        Self { tables, compared }
    }

    /// Whether the next run would refuse one of the contracts.
    pub(super) fn is_refused(&self) -> bool {
        self.tables.iter().any(TableReport::is_refused)
    }

    pub(super) fn to_text(&self) -> String {
        let mut out: Vec<String> = self.tables.iter().map(TableReport::to_text).collect();
        if self.compared != 1 {
            let count = |level: Level| {
                let tables = self.tables.iter();
                tables.filter(|table| table.level == level).count()
            };
            out.push(format!(
                "{} tables compared: {} breaking, {} widening, {} compatible, {} unchanged\n",
                self.compared,
                count(Level::Breaking),
                count(Level::Widening),
                count(Level::Compatible),
                self.compared - self.tables.len(),
            ));
        }
        out.join("\n")
    }

    pub(super) fn to_json(&self) -> Value {
        let level = self.tables.iter().map(|table| table.level).max();
        json!({
            "level": level.unwrap_or(Level::Compatible).word(),
            "refused": self.is_refused(),
            "compared": self.compared,
            "tables": self.tables.iter().map(TableReport::to_json).collect::<Vec<_>>(),
        })
    }
}
