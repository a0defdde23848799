//! Mapped columns beside the contract's fields: which is which, what is missing, what is too much.

use std::collections::BTreeMap;

use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::sql::sqlparser::ast::{SelectItem, SetExpr, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use sectorlake_contract::{Contract, Field};

use crate::error::{MappingError, Place, nearest, place_of_word};
use crate::mapping::MappingSpec;

/// Where a contract field's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The mapped column at this index.
    Mapped(usize),
    /// One value for all rows.
    Constant(String),
    /// Nothing: NULL.
    Absent,
}

/// A slot per contract field.
#[derive(Debug)]
pub(crate) struct Alignment(Vec<Slot>);

impl Alignment {
    pub(crate) fn slot(&self, position: usize) -> &Slot {
        &self.0[position]
    }

    /// Fits mapped columns to the contract's fields by name.
    pub(crate) fn fit(
        contract: &Contract,
        mapped: &SchemaRef,
        sql: &str,
        constants: &BTreeMap<String, String>,
    ) -> Result<Self, MappingError> {
        let takes_what_fits = has_wildcard(sql);
        if !takes_what_fits {
            no_unknown(contract, mapped, sql)?;
        }
        let names: Vec<&str> = mapped
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let slots = contract.fields.iter().map(|field| {
            match (mapped.index_of(&field.name), constants.get(&field.name)) {
                (Ok(index), _) => castable(contract, field, mapped.field(index).data_type())
                    .map(|()| Slot::Mapped(index)),
                (Err(_), Some(value)) => Ok(Slot::Constant(value.clone())),
                (Err(_), None) if contract.is_required(field) => Err(MappingError::MissingField {
                    table: contract.name.clone(),
                    field: field.name.clone(),
                    help: Some(match nearest(&field.name, &names) {
                        Some(near) => format!("rename a column: \"{near}\" AS {}", field.name),
                        None => format!("add an expression AS {} to the mapping", field.name),
                    }),
                }),
                (Err(_), None) => Ok(Slot::Absent),
            }
        });
        let slots: Vec<Slot> = slots.collect::<Result<_, _>>()?;
        if takes_what_fits {
            let absent = |(_, slot): &(&Field, &Slot)| **slot == Slot::Absent;
            let fields = contract.fields.iter().zip(&slots).filter(absent);
            no_near_miss(contract, fields.map(|(field, _)| field), &names)?;
            if !slots.iter().any(|slot| matches!(slot, Slot::Mapped(_))) {
                return Err(nothing_fits(contract, &names));
            }
        }
        Ok(Self(slots))
    }

    /// The mapping that is meant when none is given: each source column named like a field.
    pub(crate) fn by_name(
        contract: &Contract,
        source: &SchemaRef,
        constants: &BTreeMap<String, String>,
    ) -> Result<MappingSpec, MappingError> {
        let names: Vec<&str> = source
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        for field in &contract.fields {
            let required = contract.is_required(field);
            if required
                && source.index_of(&field.name).is_err()
                && !constants.contains_key(&field.name)
            {
                return Err(MappingError::MissingField {
                    table: contract.name.clone(),
                    field: field.name.clone(),
                    help: Some(match nearest(&field.name, &names) {
                        Some(near) => format!(
                            "the source has \"{near}\"; give a `map:` with \"{near}\" AS {}",
                            field.name
                        ),
                        None => format!(
                            "give a `map:`; the source's columns are: {}",
                            names.join(", ")
                        ),
                    }),
                });
            }
        }
        let taken: Vec<String> = contract
            .fields
            .iter()
            .filter(|field| source.index_of(&field.name).is_ok())
            .map(|field| format!("\"{}\"", field.name.replace('"', "\"\"")))
            .collect();
        let absent = |field: &&Field| {
            source.index_of(&field.name).is_err() && !constants.contains_key(&field.name)
        };
        no_near_miss(contract, contract.fields.iter().filter(absent), &names)?;
        if taken.is_empty() {
            return Err(nothing_fits(contract, &names));
        }
        Ok(MappingSpec {
            sql: format!("SELECT {} FROM source", taken.join(", ")),
            parameters: BTreeMap::new(),
            columns: Vec::new(),
        })
    }
}

/// Where columns are taken by name, one that differs from a field by case or blanks alone is hardly meant to be left out.
fn no_near_miss<'a>(
    contract: &Contract,
    absent: impl Iterator<Item = &'a Field>,
    names: &[&str],
) -> Result<(), MappingError> {
    for field in absent {
        let same = |name: &&&str| name.trim().to_lowercase() == field.name.to_lowercase();
        if let Some(name) = names.iter().find(same) {
            return Err(MappingError::NoColumn {
                message: format!(
                    "the source has no column `{}` for the field of {}, but `{name}`",
                    field.name, contract.name
                ),
                place: Place::default(),
                help: Some(format!(
                    "names are taken as they are written; give a `map:` with \"{name}\" AS {}",
                    field.name
                )),
            });
        }
    }
    Ok(())
}

fn nothing_fits(contract: &Contract, names: &[&str]) -> MappingError {
    MappingError::NoColumn {
        message: format!(
            "no column of the source is named like a field of {}",
            contract.name
        ),
        place: Place::default(),
        help: Some(format!(
            "give a `map:`; the source's columns are: {}",
            names.join(", ")
        )),
    }
}

/// Whether values of the mapped type can become values of the field at all.
fn castable(contract: &Contract, field: &Field, from: &DataType) -> Result<(), MappingError> {
    if from.is_string() || can_cast_types(from, &field.arrow_type()) {
        return Ok(());
    }
    Err(MappingError::Contract {
        table: contract.name.clone(),
        field: field.name.clone(),
        message: format!(
            "the mapping gives {from}, which cannot become {}",
            field.kind.word()
        ),
    })
}

fn no_unknown(contract: &Contract, mapped: &SchemaRef, sql: &str) -> Result<(), MappingError> {
    let known: Vec<&str> = contract
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    match mapped
        .fields()
        .iter()
        .find(|field| contract.field(field.name()).is_none())
    {
        None => Ok(()),
        Some(field) => Err(MappingError::UnknownColumn {
            table: contract.name.clone(),
            column: field.name().clone(),
            place: place_of_word(sql, field.name()),
            help: nearest(field.name(), &known).map(|near| format!("did you mean \"{near}\"?")),
        }),
    }
}

/// With `SELECT *` the author asks for what fits, so columns that no field takes are no mistake.
pub(crate) fn has_wildcard(sql: &str) -> bool {
    fn selects_all(body: &SetExpr) -> bool {
        match body {
            SetExpr::Select(select) => {
                select.projection.is_empty()
                    || select.projection.iter().any(|item| {
                        matches!(
                            item,
                            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(_, _)
                        )
                    })
            }
            SetExpr::Query(query) => selects_all(&query.body),
            SetExpr::SetOperation { left, right, .. } => selects_all(left) || selects_all(right),
            _ => false,
        }
    }
    Parser::parse_sql(&GenericDialect {}, sql).is_ok_and(|statements| {
        statements.iter().any(
            |statement| matches!(statement, Statement::Query(query) if selects_all(&query.body)),
        )
    })
}
