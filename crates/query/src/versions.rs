//! `schema.table_all`: the rows of all major versions of a table, as far as they fit the newest.
//!
//! The view is there once a table has a second version, and takes its columns and types from the newest one. Of each source
//! it shows the rows of the newest version that holds any, so that a pipeline that moved on is not seen twice. A pipeline that
//! appends or merges brings the newer version only what came since: of its older rows those are shown whose key no newer version
//! has (where there is no key that both have, those of other raw parts). A value of an
//! older version is shown where it means the same and survives the way into the new type and back: `'12'` as the integer
//! 12, a day as an instant, but neither `'012'` nor 1.5 as an integer. What an older version lacks, or has in another unit,
//! is no value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, JoinType, ScalarValue};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, cast, ident, lit, try_cast, when,
};
use sectorlake_contract::{Classification, TableName, system};
use sectorlake_lake::Snapshot;

use crate::catalog::Opened;

/// What the view's name has after the table's.
const ALL: &str = "_all";
const PRIMARY_KEY: &str = "sectorlake.primary_key";
const UNIT: &str = "sectorlake.unit";
const CLASSIFICATION: &str = "sectorlake.classification";

/// The views of a snapshot: each with the tables it is of, the newest version first. A table that has such a name keeps it.
pub(crate) fn views(snapshot: &Snapshot) -> BTreeMap<TableName, Vec<TableName>> {
    let mut views = BTreeMap::new();
    let firsts: BTreeSet<&TableName> = snapshot
        .tables
        .values()
        .filter_map(|version| version.beside.as_ref())
        .map(|beside| &beside.table)
        .collect();
    for first in firsts {
        let Ok(name) = format!("{first}{ALL}").parse::<TableName>() else {
            continue;
        };
        let mut versions = snapshot.versions_of(first);
        versions.reverse();
        if versions.len() > 1 && !snapshot.tables.contains_key(&name) {
            views.insert(name, versions.into_iter().cloned().collect());
        }
    }
    views
}

/// How many rows the view shows; `None` where only its rows tell, since a pipeline adds to those it has in an older version.
pub(crate) fn rows_shown(versions: &[Arc<Opened>]) -> Option<u64> {
    let mut newer = Newer::default();
    let mut rows = 0;
    for version in versions {
        for (source, of_source) in &version.rows_by_source {
            if newer.adding.contains(source) && !newer.whole.contains(source) {
                return None;
            }
            if !newer.whole.contains(source) {
                rows += of_source;
            }
        }
        newer.take(version);
    }
    Some(rows)
}

/// The sources that newer versions hold.
#[derive(Default)]
struct Newer<'a> {
    /// Those of which nothing older is shown.
    whole: BTreeSet<&'a String>,
    /// Those of which older rows are shown whose key is not there.
    adding: BTreeSet<&'a String>,
}

impl<'a> Newer<'a> {
    fn take(&mut self, version: &'a Opened) {
        for source in version.rows_by_source.keys() {
            if version.adding.contains(source) {
                self.adding.insert(source);
            } else {
                self.whole.insert(source);
            }
        }
    }
}

/// The newest version's field as the view shows it: of the classes that the versions give it, the strictest.
pub(crate) fn shown(versions: &[Arc<Opened>], newest: &Field) -> Field {
    let class = |field: &Field| {
        let word = field.metadata().get(CLASSIFICATION)?;
        let mut known = Classification::ALL.into_iter();
        known.find(|known| known.word() == word)
    };
    let of_version = |version: &Arc<Opened>| {
        let field = version.schema.field_with_name(newest.name()).ok()?;
        class(field)
    };
    let mut metadata = newest.metadata().clone();
    if let Some(strictest) = versions.iter().filter_map(of_version).max() {
        metadata.insert(CLASSIFICATION.to_owned(), strictest.word().to_owned());
    }
    newest.clone().with_metadata(metadata)
}

/// The view over the versions of a table, the newest first.
pub(crate) fn view(versions: &[Arc<Opened>]) -> Result<Arc<dyn TableProvider>> {
    let mut newer = Newer::default();
    let mut all: Option<LogicalPlanBuilder> = None;
    let Some(newest) = versions.first() else {
        return datafusion::common::internal_err!("a view is over at least one table");
    };
    let shown = newest.table.schema();
    for version in versions {
        let of_version = |sources: &BTreeSet<&String>| -> Vec<Expr> {
            let there = sources
                .iter()
                .filter(|it| version.rows_by_source.contains_key(**it));
            there
                .map(|it| lit(ScalarValue::Utf8View(Some((*it).clone()))))
                .collect()
        };
        let source = || ident(system::SOURCE);
        let added: BTreeSet<&String> = newer.adding.difference(&newer.whole).copied().collect();
        let hidden: BTreeSet<&String> = newer.whole.union(&newer.adding).copied().collect();
        let (added, hidden) = (of_version(&added), of_version(&hidden));
        let own = (!hidden.is_empty()).then(|| source().in_list(hidden, true));
        let rows = rows_of(version, &shown, own)?;
        all = Some(match all {
            Some(newer_rows) if !added.is_empty() => {
                let more = rows_of(version, &shown, Some(source().in_list(added, false)))?;
                let more = not_among(more, newer_rows.clone().build()?, &key(versions, version))?;
                newer_rows.union(rows)?.union(more)?
            }
            Some(newer_rows) => newer_rows.union(rows)?,
            None => LogicalPlanBuilder::from(rows),
        });
        newer.take(version);
    }
    let Some(all) = all else {
        return datafusion::common::internal_err!("a view is over at least one table");
    };
    Ok(Arc::new(ViewTable::new(all.build()?, None)))
}

/// What tells the rows of a source apart in the newest version and an older one: the key, if the older one has its fields; else
/// the raw part.
fn key(versions: &[Arc<Opened>], older: &Opened) -> Vec<String> {
    let told = versions
        .first()
        .and_then(|newest| newest.metadata.get(PRIMARY_KEY));
    let fields: Vec<&str> = told
        .map(|key| key.split(", ").collect())
        .unwrap_or_default();
    let is_there = |field: &&str| older.schema.field_with_name(field).is_ok();
    if fields.is_empty() || !fields.iter().all(is_there) {
        return vec![system::SOURCE.to_owned(), system::PART.to_owned()];
    }
    let source = std::iter::once(system::SOURCE);
    source.chain(fields).map(str::to_owned).collect()
}

/// The rows whose key is none of the others'.
fn not_among(rows: LogicalPlan, others: LogicalPlan, key: &[String]) -> Result<LogicalPlan> {
    const ROWS: &str = "older";
    const OTHERS: &str = "newer";
    let columns: Vec<Expr> = rows
        .schema()
        .fields()
        .iter()
        .map(|field| ident(field.name()))
        .collect();
    let others = LogicalPlanBuilder::from(others).alias(OTHERS)?.build()?;
    let of = |table: &'static str| -> Vec<Column> {
        key.iter()
            .map(|name| Column::new(Some(table), name))
            .collect()
    };
    LogicalPlanBuilder::from(rows)
        .alias(ROWS)?
        .join(others, JoinType::LeftAnti, (of(ROWS), of(OTHERS)), None)?
        .project(columns)?
        .build()
}

/// Rows of one version in the newest one's columns: all, or those of some sources.
fn rows_of(version: &Opened, shown: &Schema, which: Option<Expr>) -> Result<LogicalPlan> {
    let table = Arc::clone(&version.table) as Arc<dyn TableProvider>;
    let own = table.schema();
    let mut rows = LogicalPlanBuilder::scan("version", provider_as_source(table), None)?;
    if let Some(which) = which {
        rows = rows.filter(which)?;
    }
    let columns = shown
        .fields()
        .iter()
        .map(|field| fitting(own.field_with_name(field.name()).ok(), field))
        .collect::<Result<Vec<_>>>()?;
    rows.project(columns)?.build()
}

/// The column of an older version as the newer field, value by value where it fits.
fn fitting(older: Option<&Field>, newer: &Field) -> Result<Expr> {
    let (name, kind) = (newer.name(), newer.data_type());
    let none = || ScalarValue::try_from(kind).map(|value| lit(value).alias(name));
    let Some(older) = older else {
        return none();
    };
    if older.metadata().get(UNIT) != newer.metadata().get(UNIT) {
        return none();
    }
    let stored = older.data_type();
    if stored == kind {
        return Ok(ident(name));
    }
    if is_bytes(stored) || is_bytes(kind) || !goes_both_ways(stored, kind) {
        return none();
    }
    let there = try_cast(ident(name), kind.clone());
    let back = try_cast(there.clone(), stored.clone());
    Ok(when(back.eq(ident(name)), there)
        .otherwise(cast(lit(ScalarValue::Null), kind.clone()))?
        .alias(name))
}

/// Geometries are bytes: texts are none, whatever a cast makes of them.
fn is_bytes(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView
    )
}

fn goes_both_ways(stored: &DataType, kind: &DataType) -> bool {
    can_cast_types(stored, kind) && can_cast_types(kind, stored)
}
