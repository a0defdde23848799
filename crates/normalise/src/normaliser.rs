//! A contract and a mapping, fitted to the columns of one part.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use sectorlake_contract::{Contract, Field, system};

use crate::align::{Alignment, Slot};
use crate::bare;
use crate::cast::{Failure, Missing, to_field};
use crate::checks::FieldChecks;
use crate::direct::Constant;
use crate::error::{MappingError, NormaliseError};
use crate::mapping::{Mapping, MappingSpec};
use crate::origin::Taken;
use crate::profile::Profile;
use crate::severity::{Rules, Severities};
use crate::unpivot::{Unpivot, UnpivotPlan};
use crate::worker::{KeyChecks, Origin, Worker};

/// What is wanted of one stream for one table.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// The contract to keep.
    pub contract: Arc<Contract>,
    /// The mapping; left out, source columns named like fields are taken.
    pub mapping: Option<MappingSpec>,
    /// Makes a wide source long first.
    pub unpivot: Option<Unpivot>,
    /// Values for fields that the mapping does not give, such as `feed_id`.
    pub constants: BTreeMap<String, String>,
    /// Fields that no mapping knows, and the source's columns that they take as they are.
    pub added: BTreeMap<String, String>,
    /// What the run adds to the contract's rules.
    pub rules: Rules,
}

/// A contract and a mapping, fitted to the schema of a part. Shared by the workers that run it.
#[derive(Debug)]
pub struct Normaliser {
    pub(crate) contract: Arc<Contract>,
    pub(crate) mapping: Mapping,
    pub(crate) unpivot: Option<UnpivotPlan>,
    pub(crate) alignment: Alignment,
    /// What comes out.
    pub(crate) schema: SchemaRef,
    /// The same while rows that lack a required value are still among the others.
    pub(crate) relaxed: SchemaRef,
    pub(crate) severities: Severities,
    checks: Vec<FieldChecks>,
    missing: Vec<Missing>,
}

impl Normaliser {
    /// Fits `spec` to a part whose columns are `source`.
    ///
    /// `session` is one of [`crate::mapping_session`]; while this runs, no other mapping may be compiled in it.
    ///
    /// # Errors
    /// [`MappingError`] when the SQL does not plan, or does not fit the contract.
    pub async fn compile(
        spec: &TableSpec,
        source: &SchemaRef,
        session: &SessionContext,
    ) -> Result<Arc<Self>, MappingError> {
        let is_bare = bare::is_bare(source);
        let unpivot = spec
            .unpivot
            .as_ref()
            .filter(|_| !is_bare)
            .map(|unpivot| UnpivotPlan::fit(unpivot, source))
            .transpose()?;
        let source = unpivot.as_ref().map_or(source, |plan| &plan.schema);
        let contract = &spec.contract;
        let mapping_spec = match &spec.mapping {
            _ if is_bare => bare::mapping(spec),
            Some(mapping) => mapping.clone(),
            None => Alignment::by_name(contract, source, &spec.constants)?,
        };
        let carry = (source, &spec.added);
        let mut mapping = Mapping::compile_only(&mapping_spec, carry, session, |_| true).await?;
        let fit = |output: &SchemaRef| {
            Alignment::fit(contract, output, &mapping_spec.sql, &spec.constants)
        };
        let mut alignment = fit(&mapping.output())?;
        let is_field = |name: &str| contract.field(name).is_some();
        let output = mapping.output();
        if output
            .fields()
            .iter()
            .any(|column| !is_field(column.name()))
        {
            // `SELECT *`: what no field takes is not decoded either.
            mapping = Mapping::compile_only(&mapping_spec, carry, session, is_field).await?;
            alignment = fit(&mapping.output())?;
        }
        let checks = contract
            .fields
            .iter()
            .map(|field| FieldChecks::compile(contract, field, &spec.rules))
            .collect::<Result<_, _>>()?;
        let missing = contract
            .fields
            .iter()
            .map(|field| Missing::new(contract.missing_values_of(field)))
            .collect();
        let schema = output_schema(contract);
        let relaxed = relaxed(&schema);
        Ok(Arc::new(Self {
            contract: Arc::clone(contract),
            mapping,
            unpivot,
            alignment,
            schema,
            relaxed,
            severities: Severities::of(contract, &spec.rules),
            checks,
            missing,
        }))
    }

    /// The source columns to decode, as indices of the part's schema.
    #[must_use]
    pub fn projection(&self) -> Vec<usize> {
        let read = self.mapping.projection();
        self.unpivot
            .as_ref()
            .map_or_else(|| read.to_vec(), |unpivot| unpivot.projection(read))
    }

    /// The batches that come out: the contract's fields, then `_run`, `_part`, `_row`.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// A worker; each partition of the part has its own.
    ///
    /// # Errors
    /// [`MappingError`] when the engine cannot make a physical plan.
    pub async fn worker(
        self: &Arc<Self>,
        origin: &Origin,
        keys: &KeyChecks,
    ) -> Result<Worker, MappingError> {
        let runner = self.mapping.runner().await?;
        Worker::new(Arc::clone(self), runner, origin, keys)
    }

    pub(crate) fn position(&self, field: &str) -> Result<usize, MappingError> {
        self.contract
            .fields
            .iter()
            .position(|known| known.name == field)
            .ok_or_else(|| MappingError::Contract {
                table: self.contract.name.clone(),
                field: field.to_owned(),
                message: "a key names it, but there is no such field".to_owned(),
            })
    }

    pub(crate) fn positions(&self, fields: &[String]) -> Result<Vec<usize>, MappingError> {
        fields.iter().map(|field| self.position(field)).collect()
    }

    /// Casts and checks each field; a value that fails is NULL in its column and told in `failures`.
    pub(crate) fn columns(
        &self,
        mapped: &RecordBatch,
        fills: &mut [Fill],
        failures: &mut Vec<Failure>,
    ) -> Result<Vec<ArrayRef>, NormaliseError> {
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for (position, (field, fill)) in self.contract.fields.iter().zip(fills).enumerate() {
            let wanted = self.schema.field(position).data_type();
            let source = match fill {
                Fill::Mapped(index) => Arc::clone(mapped.column(*index)),
                Fill::Constant(constant) => constant
                    .rows(mapped.num_rows())
                    .map_err(|error| self.internal(field, &error))?,
                Fill::Absent => {
                    // Nothing to cast, and a required field is never absent: the mapping would not have compiled.
                    columns.push(new_null_array(wanted, mapped.num_rows()));
                    continue;
                }
            };
            let column = to_field(&source, field, position, &self.missing[position], failures)?;
            self.checks[position].check(&column, position, failures);
            columns.push(if column.data_type() == wanted {
                column
            } else {
                cast(&column, wanted)?
            });
        }
        Ok(columns)
    }

    /// An empty profile of what one worker reads and loads.
    pub(crate) fn profile(&self, part: u32) -> Profile {
        Profile::new(&self.contract, &self.schema, self.taken(), part)
    }

    /// By field of the contract, the one source column that it is made of.
    #[must_use]
    pub fn taken(&self) -> Vec<Option<Taken>> {
        let output = self.mapping.output();
        let taken =
            (0..self.contract.fields.len()).map(|position| match self.alignment.slot(position) {
                Slot::Mapped(index) if self.unpivot.is_none() => {
                    self.mapping.taken(output.field(*index).name()).cloned()
                }
                _ => None,
            });
        taken.collect()
    }

    /// How each field is filled, for one worker.
    pub(crate) fn fills(&self) -> Vec<Fill> {
        let fill = |slot: &Slot| match slot {
            Slot::Mapped(index) => Fill::Mapped(*index),
            Slot::Constant(value) => {
                Fill::Constant(Constant::new(ScalarValue::Utf8View(Some(value.clone()))))
            }
            Slot::Absent => Fill::Absent,
        };
        (0..self.contract.fields.len())
            .map(|position| fill(self.alignment.slot(position)))
            .collect()
    }

    fn internal(&self, field: &Field, error: &datafusion::error::DataFusionError) -> MappingError {
        MappingError::Contract {
            table: self.contract.name.clone(),
            field: field.name.clone(),
            message: error.strip_backtrace(),
        }
    }
}

/// How one field is filled.
#[derive(Debug)]
pub(crate) enum Fill {
    Mapped(usize),
    Constant(Constant),
    Absent,
}

/// Strings leave as views: they were views in the source, and the Parquet writer takes them as they are.
fn output_schema(contract: &Contract) -> SchemaRef {
    let mut fields: Vec<ArrowField> = contract
        .arrow_schema()
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Utf8 => field.as_ref().clone().with_data_type(DataType::Utf8View),
            _ => field.as_ref().clone(),
        })
        .collect();
    fields.push(ArrowField::new(system::RUN, DataType::Utf8View, false));
    fields.push(ArrowField::new(system::PART, DataType::Utf8View, false));
    fields.push(ArrowField::new(system::ROW, DataType::Int64, false));
    Arc::new(Schema::new(fields))
}

fn relaxed(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<ArrowField> = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    Arc::new(Schema::new(fields))
}
