//! The form a stage gives to its table: whether the stored one takes a contract, and what has to be done for it.
//!
//! The contract is compared with the one that the table was last written by, which stands in the table's metadata.
//!
//! | the contract, beside the stored one | what becomes of the table |
//! |---|---|
//! | says the same | it stays |
//! | is compatible: titles, looser rules, a field that may be empty | other metadata; older files lack the field and read as no value |
//! | is wider: a wider type, other partitions | all files that stay are written anew, of every source, in the same commit |
//! | breaks rules only, and every stored row goes with the run; or the table is from before contracts were stored | other metadata: the rows that come were checked by the new rules |
//! | breaks what is stored, or what readers rely on | it is refused, change by change; a new major version is stored beside |
//! | is an older version of what is stored | the table keeps its form; the rows that come are made to fit it |
//!
//! A field that drift added and the contract does not name stays too, and is empty in the rows that come. Once the contract
//! names it, its texts are cast to the contract's type, every one of them or none.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as Column, Schema};
use deltalake::kernel::Action;
use sectorlake_contract::{
    Constraints, Contract, Field, Level, PartitionBy, compare, is_added, system,
};

use super::Load;
use super::metadata::{Identity, metadata, protocol};
use crate::breaking::Breaking;
use crate::error::LakeError;
use crate::layout::Access;
use crate::table::{CONTRACT, LakeTable};
use crate::versions::Family;

/// The form a stage gives to its table.
#[derive(Debug)]
pub(super) struct Form {
    /// The contract that the table has then: the caller's, with the fields that drift added; or a newer one that is stored.
    pub(super) contract: Arc<Contract>,
    /// All columns.
    pub(super) schema: Schema,
    pub(super) change: Change,
    /// Whether published files that stay have to be written anew.
    pub(super) rewrites: bool,
    /// How the caller's rows stand to the form.
    pub(super) fit: Fit,
}

/// What has to be said of it in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing: it is as it was.
    Same,
    /// Other metadata: titles, a field more, a wider type.
    Metadata,
    /// Everything: the table is new.
    Create,
}

/// How rows under the caller's contract stand to the table's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// They have it.
    Exact,
    /// They lack fields, or have narrower types.
    Widened,
}

impl Form {
    /// The form of the table under the contract, given what it is stored as. `all_goes` where none of its rows stay;
    /// `family` is the table with all its major versions.
    ///
    /// # Errors
    /// [`LakeError::Breaking`] where the stored rows or their readers do not bear the contract.
    pub(super) fn of(
        base: Option<&LakeTable>,
        (contract, family): (&Arc<Contract>, &Family),
        all_goes: bool,
    ) -> Result<Self, LakeError> {
        let Some(base) = base else {
            return Ok(Self {
                contract: Arc::clone(contract),
                schema: contract.table_schema().as_ref().clone(),
                change: Change::Create,
                rewrites: false,
                fit: Fit::Exact,
            });
        };
        let effective = effective(base, (contract, family), all_goes)?;
        let schema = if all_goes {
            effective.table_schema().as_ref().clone()
        } else {
            schema_over(base, &effective)
        };
        let is_same =
            is_same_contract(base, &effective) && have_same_columns(&base.schema, &schema);
        Ok(Self {
            rewrites: !all_goes && is_stored_otherwise(base, &effective, &schema),
            change: if is_same {
                Change::Same
            } else {
                Change::Metadata
            },
            fit: fit(contract, &effective),
            contract: effective,
            schema,
        })
    }

    /// The same form for a table that is made anew behind another door, with all rows that stay.
    pub(super) fn elsewhere(self) -> Self {
        Self {
            change: Change::Create,
            rewrites: true,
            ..self
        }
    }

    /// The actions that give the table this form.
    pub(super) fn actions(&self, identity: &Identity) -> Result<Vec<Action>, LakeError> {
        let metadata = || metadata(&self.contract, &self.schema, identity);
        Ok(match self.change {
            Change::Same => Vec::new(),
            Change::Metadata => vec![metadata()?],
            Change::Create => vec![protocol(&self.contract.name)?, metadata()?],
        })
    }
}

/// Whether none of the table's rows stay: the pipeline replaces them all, and there are none of others.
pub(crate) fn all_goes(
    base: &LakeTable,
    pipeline: &str,
    load: Load,
    slice: Option<&PartitionBy>,
) -> bool {
    load == Load::Replace && slice.is_none() && base.files.iter().all(|file| file.is_of(pipeline))
}

/// What a contract alone makes of a stored table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evolution {
    /// The changes that make it wider; none where titles and the like differ alone.
    pub changes: Vec<sectorlake_contract::Change>,
    /// Rows of any source that are written anew for it.
    pub rewritten_rows: u64,
    /// Whether the table moves behind the restricted door, since it holds personal fields from now on.
    pub moves: bool,
}

/// What the contract alone makes of the table; none where it stays as it is.
pub(crate) fn evolution(
    base: &LakeTable,
    contract: (&Arc<Contract>, &Family),
    all_goes: bool,
) -> Result<Option<Evolution>, LakeError> {
    let form = Form::of(Some(base), contract, all_goes)?;
    if form.change == Change::Same {
        return Ok(None);
    }
    let mut changes = compare(&known(base, contract.0), &form.contract).changes;
    changes.retain(|change| change.level == Level::Widening);
    for (text, field) in adopted(base, contract.0) {
        changes.push(sectorlake_contract::Change {
            field: Some(field.name.clone()),
            level: Level::Widening,
            what: format!(
                "was added as {}, is {} now",
                text.kind.word(),
                field.kind.word()
            ),
            mend: None,
        });
    }
    let rows = base.files.iter().map(|file| file.rows).sum();
    let moves = base.access < Access::of(&form.contract);
    let is_rewritten = form.rewrites || (moves && !all_goes);
    Ok(Some(Evolution {
        changes,
        rewritten_rows: if is_rewritten { rows } else { 0 },
        moves,
    }))
}

/// Fields that drift added as text and the contract names in a type of their own, each as stored and as named.
fn adopted(base: &LakeTable, contract: &Contract) -> Vec<(Field, Field)> {
    let of_text = |added: Field| {
        let named = contract.field(&added.name)?;
        let is_parsed =
            named.arrow_type() != DataType::Utf8 && named.arrow_type() != DataType::Binary;
        let was_text = added.arrow_type() == DataType::Utf8 && !named.added;
        (was_text && is_parsed).then(|| (added, named.clone()))
    };
    base.added_fields()
        .into_iter()
        .filter_map(of_text)
        .collect()
}

/// What the contract is compared with. Nobody was promised the type of a field that drift added: one that is adopted counts
/// as stored in the contract's own, for each value is cast to it, or the run refused that meets one that is none.
fn known(base: &LakeTable, contract: &Contract) -> Contract {
    let mut stored = base.contract();
    for (_, named) in adopted(base, contract) {
        for field in &mut stored.fields {
            if field.name == named.name {
                *field = Field {
                    constraints: Constraints::default(),
                    severity: BTreeMap::new(),
                    ..named.clone()
                };
            }
        }
    }
    stored
}

/// The contract that the table has after the run.
fn effective(
    base: &LakeTable,
    (contract, family): (&Arc<Contract>, &Family),
    all_goes: bool,
) -> Result<Arc<Contract>, LakeError> {
    let stored = known(base, contract);
    let wanted = contract.with_added(base.added_fields());
    // Where the rules that stored rows were checked by are not known, or no row stays, they cannot tell anything.
    let comparison = if all_goes || base.whole_contract().is_none() {
        compare(&stored, &wanted.with_rules_of(&stored))
    } else {
        compare(&stored, &wanted)
    };
    if comparison.level() < Level::Breaking {
        return Ok(Arc::new(wanted));
    }
    let goes_into_the_stored =
        contract.is_older_than(&stored) && compare(contract, &stored).level() < Level::Breaking;
    if goes_into_the_stored {
        return Ok(Arc::new(base.contract()));
    }
    let (major, next) = family.next(stored.major());
    Err(LakeError::Breaking(Box::new(Breaking {
        table: contract.name.clone(),
        stored: stored.version.clone(),
        given: contract.version.clone(),
        next,
        major,
        changes: comparison.changes,
    })))
}

fn is_same_contract(base: &LakeTable, contract: &Contract) -> bool {
    base.metadata.get("sectorlake.contract") == Some(&contract.hash())
        // A lake from before contracts were stored whole gets its own with the next commit.
        && base.metadata.contains_key(CONTRACT)
}

/// Whether two schemas have the same columns; what is told of them beside that changes with the contract alone.
pub(crate) fn have_same_columns(left: &Schema, right: &Schema) -> bool {
    let column = |field: &Arc<Column>| {
        let (name, kind) = (field.name().clone(), field.data_type().clone());
        (name, kind, field.is_nullable(), is_added(field))
    };
    let columns = |schema: &Schema| schema.fields().iter().map(column).collect::<Vec<_>>();
    columns(left) == columns(right)
}

/// Whether a stored file is no file of the form: a type or the partitions differ. A column more or less makes no other.
fn is_stored_otherwise(base: &LakeTable, contract: &Contract, schema: &Schema) -> bool {
    base.partition_columns != contract.partition_columns()
        || schema.fields().iter().any(|field| {
            let stored = base.schema.field_with_name(field.name());
            stored.is_ok_and(|stored| stored.data_type() != field.data_type())
        })
}

fn fit(given: &Contract, contract: &Contract) -> Fit {
    let is_given = |field: &Field| {
        let given = given.field(&field.name);
        given.is_some_and(|given| given.arrow_type() == field.arrow_type())
    };
    if contract.fields.iter().all(is_given) {
        Fit::Exact
    } else {
        Fit::Widened
    }
}

/// The schema under the contract, given stored rows that stay: a field they may lack cannot be required.
fn schema_over(base: &LakeTable, contract: &Contract) -> Schema {
    let wanted = contract.table_schema();
    let derived = |name: &str| system::is_reserved(name);
    let fields = wanted.fields().iter().map(|field| {
        let stored_nullable = base
            .schema
            .field_with_name(field.name())
            // A partition column that is new is made from a field that says itself whether it may be empty.
            .map_or(!derived(field.name()), Column::is_nullable);
        field
            .as_ref()
            .clone()
            .with_nullable(field.is_nullable() || stored_nullable)
    });
    Schema::new(fields.collect::<Vec<_>>())
}
