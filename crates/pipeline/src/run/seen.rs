//! What a run has seen of one stream: its columns, what stands in them, and the tables that it feeds.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use sectorlake_contract::Contract;
use sectorlake_formats::Part;

use super::first_rows::Rows;
use crate::drift::{self, Around, Column, Drift};
use crate::plan::{Feed, WrittenIn};
use crate::shape::Profile;

/// Records of one stream that are looked at in one run.
pub(super) const STREAM_ROWS: usize = 20_000;

/// What was seen of one stream.
pub(super) struct Seen {
    pub(super) columns: Vec<SeenColumn>,
    /// Records that may still be looked at.
    pub(super) left: usize,
    /// Pieces that were looked at: two tables may read the same.
    pub(super) pieces: HashSet<String>,
    pub(super) feeds: Vec<Fed>,
}

/// A column of a stream.
pub(super) struct SeenColumn {
    pub(super) name: String,
    profile: Profile,
    pub(super) used: bool,
}

/// A table that a stream feeds.
pub(super) struct Fed {
    pub(super) contract: Arc<Contract>,
    sql: Option<String>,
    is_own: bool,
    /// Fields that drift added, and the columns that they take.
    added: BTreeMap<String, String>,
    /// Columns that stay columns where the others become rows.
    keep: Option<Vec<String>>,
}

impl Seen {
    /// A stream that nothing was seen of.
    pub(super) fn nothing() -> Self {
        Self {
            columns: Vec::new(),
            left: STREAM_ROWS,
            pieces: HashSet::new(),
            feeds: Vec::new(),
        }
    }

    pub(super) fn feed(&mut self, contract: &Arc<Contract>, feed: &Feed) {
        if self
            .feeds
            .iter()
            .any(|fed| fed.contract.name == contract.name)
        {
            return;
        }
        self.feeds.push(Fed {
            contract: Arc::clone(contract),
            sql: feed.sql.clone(),
            is_own: feed.written_in == WrittenIn::File,
            added: feed.added.clone(),
            keep: feed.unpivot.as_ref().map(|unpivot| unpivot.keep.clone()),
        });
    }

    pub(super) fn take_in(&mut self, part: &Part, rows: &Rows) {
        let schema = part.schema();
        for (index, field) in schema.fields().iter().enumerate() {
            let position = self.columns.iter().position(|it| it.name == *field.name());
            let position = position.unwrap_or_else(|| {
                self.columns.push(SeenColumn {
                    name: field.name().clone(),
                    profile: Profile::of_type(field.data_type()),
                    used: false,
                });
                self.columns.len() - 1
            });
            for (_, row) in rows {
                let value = row.get(index).and_then(Option::as_deref);
                self.columns[position].profile.add(value);
            }
        }
    }

    pub(super) fn now(&self) -> Vec<Column> {
        let column = |column: &SeenColumn| Column {
            name: column.name.clone(),
            shape: column.profile.shape(),
            used: column.used,
        };
        // The whole record beside its fields is ours.
        let own = |column: &&SeenColumn| column.name != "_record";
        self.columns.iter().filter(own).map(column).collect()
    }

    /// Whether a column becomes rows in every table: a year more or less is no news.
    pub(super) fn melts(&self, name: &str) -> bool {
        !self.feeds.is_empty()
            && self.feeds.iter().all(|fed| {
                let keep = fed.keep.as_ref();
                keep.is_some_and(|keep| !keep.iter().any(|kept| kept == name))
            })
    }

    /// Whether any mapping needs a column.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.feeds.iter().any(|fed| match &fed.sql {
            _ if fed.added.values().any(|column| column == name) => true,
            Some(sql) => drift::names(sql, name),
            None => fed.contract.field(name).is_some(),
        })
    }

    /// A change in words: once, for the first table whose mapping it touches.
    pub(super) fn tell(
        &self,
        stream: &str,
        change: &drift::Change,
        (on_add, adds): (bool, bool),
    ) -> Option<Drift> {
        let told = self.feeds.iter().map(|fed| {
            let around = Around {
                contract: &fed.contract,
                stream,
                sql: fed.sql.as_deref(),
                is_own: fed.is_own,
                added: &fed.added,
                on_add,
                adds,
            };
            around.tell(change)
        });
        let mut told: Vec<Drift> = told.collect();
        let touched = told.iter().position(|drift| drift.used).unwrap_or_default();
        (touched < told.len()).then(|| told.swap_remove(touched))
    }
}
