//! What a run has seen of one stream: its columns, what stands in them, and the tables that it feeds.

use std::collections::BTreeMap;
use std::sync::Arc;

use sectorlake_contract::{Contract, FieldType, TableName};
use sectorlake_formats::Part;
use sectorlake_normalise::{Profile, SeenLooks, Shape, Taken};

use super::first_rows::Rows;
use crate::drift::{self, Around, Column, Drift};
use crate::masks::Masks;
use crate::plan::{Feed, WrittenIn};
use crate::values;

/// What was seen of one stream.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) columns: Vec<SeenColumn>,
    pub(super) feeds: Vec<Fed>,
    /// The files of it that were loaded, in order.
    files: Vec<String>,
}

/// A column of a stream.
pub(super) struct SeenColumn {
    pub(super) name: String,
    /// What the format says of its type.
    typed: Option<Shape>,
    /// The table whose load looks at it: others that read the same rows see the same.
    by: Option<TableName>,
    /// What was loaded of it.
    loaded: SeenLooks,
    /// Its first records, where it is new: before a load it tells which column was renamed, and where nothing reads it, what it holds.
    sample: Option<values::Profile>,
    pub(super) used: bool,
    /// What is made of it alone: the table's fields.
    pub(super) feeds: Vec<(TableName, usize, Taken)>,
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

impl SeenColumn {
    /// What it holds, but for a few odd values; none where it was not looked at.
    fn shape(&self) -> Option<Shape> {
        let sampled = self.sample.as_ref().map(values::Profile::shape);
        self.typed.or_else(|| match self.loaded.looks().rows() {
            0 => sampled.or_else(|| self.used.then_some(Shape::Empty)),
            _ => Some(self.loaded.looks().main_shape()),
        })
    }

    /// What its texts look like; none where its format knows its type.
    pub(super) fn looks(&self) -> Option<&SeenLooks> {
        self.typed.is_none().then_some(&self.loaded)
    }
}

impl Seen {
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

    /// Notes the columns of a piece.
    pub(super) fn names(&mut self, part: &Part) {
        for field in part.schema().fields() {
            if !self.columns.iter().any(|it| it.name == *field.name()) {
                self.columns.push(SeenColumn {
                    name: field.name().clone(),
                    typed: Shape::of_type(field.data_type()),
                    by: None,
                    loaded: SeenLooks::default(),
                    sample: None,
                    used: false,
                    feeds: Vec::new(),
                });
            }
        }
    }

    /// Columns of a piece, by their places in it, of which the pipeline knows neither name nor values.
    pub(super) fn unknown(&self, part: &Part, is_known: impl Fn(&str) -> bool) -> Vec<usize> {
        let is_new = |name: &str| {
            let mut seen = self.columns.iter().filter(|it| it.name == name);
            let sampled = seen.any(|it| it.sample.is_some() || it.typed.is_some());
            !sampled && name != "_record" && !is_known(name) && !self.melts(name)
        };
        let schema = part.schema();
        let fields = schema.fields().iter().enumerate();
        fields
            .filter(|(_, field)| is_new(field.name()))
            .map(|(index, _)| index)
            .collect()
    }

    /// Takes in the first records of some columns of a piece.
    pub(super) fn sample(&mut self, part: &Part, columns: &[usize], rows: &Rows) {
        let schema = part.schema();
        for (place, index) in columns.iter().enumerate() {
            let name = schema.field(*index).name();
            let mut known = self.columns.iter_mut();
            let Some(column) = known
                .find(|it| it.name == *name)
                .filter(|_| !rows.is_empty())
            else {
                continue;
            };
            let sample = column.sample.get_or_insert_default();
            for (_, row) in rows {
                sample.add(row.get(place).and_then(Option::as_deref));
            }
        }
    }

    /// A file is loaded next; its number.
    pub(super) fn file(&mut self, name: &str) -> u32 {
        if self.files.last().is_none_or(|last| last != name) {
            self.files.push(name.to_owned());
        }
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    /// Takes in what a worker of a table saw in a file.
    pub(super) fn loaded(&mut self, table: &TableName, file: u32, profile: &Profile) {
        for source in profile.sources() {
            let mut known = self.columns.iter_mut();
            let Some(column) = known.find(|column| column.name == source.name) else {
                continue;
            };
            if column.by.get_or_insert_with(|| table.clone()) == table {
                column.loaded.merge(&source.seen.in_part(file));
            }
        }
    }

    /// A place as people find it: `levels.csv row 7`.
    pub(super) fn place(&self, (file, row): (u32, i64)) -> String {
        match self.files.get(file as usize) {
            Some(name) => format!("{name} row {row}"),
            None => format!("row {row}"),
        }
    }

    /// Where values stand first in a column that do not fit into a shape.
    pub(super) fn first_beside(&self, column: &str, shape: Shape) -> Option<String> {
        let mut known = self.columns.iter();
        let column = known.find(|known| known.name == column)?;
        let place = column.looks()?.first_beside(shape)?;
        Some(self.place(place))
    }

    pub(super) fn now(&self) -> Vec<Column> {
        let column = |column: &SeenColumn| Column {
            name: column.name.clone(),
            shape: column.shape(),
            used: column.used,
            is_counted: self.is_counted(column),
        };
        // The whole record beside its fields is ours.
        let own = |column: &&SeenColumn| column.name != "_record";
        self.columns.iter().filter(own).map(column).collect()
    }

    /// Whether a field of whole numbers takes a column as it stands.
    fn is_counted(&self, column: &SeenColumn) -> bool {
        let mut taken = column.feeds.iter().filter(|(.., taken)| taken.as_it_stands);
        taken.any(|(table, field, _)| {
            let mut fed = self.feeds.iter().filter(|fed| fed.contract.name == *table);
            let field = fed.find_map(|fed| fed.contract.fields.get(*field));
            field.is_some_and(|field| field.kind == FieldType::Integer)
        })
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

    /// What has to be masked, where any of the tables holds personal fields.
    pub(super) fn masks(&self) -> Option<Masks> {
        let mut masks = self.feeds.iter().map(|fed| Masks::of(&fed.contract));
        masks.find(|masks| !masks.is_empty())
    }

    fn masked(&self, drift: Drift) -> Drift {
        match self.masks() {
            Some(masks) => masks.drift(drift),
            None => drift,
        }
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
        (touched < told.len()).then(|| self.masked(told.swap_remove(touched)))
    }
}
