//! Built-in functions wrapped where the engine errs.
//!
//! `ORDER BY sqrt(x)`, `ln(x)`, `sin(x)` and windows ordered by them fail in `SanityCheckPlan`: the order that such a function keeps depends
//! on its input's range, which one rule sees and the next does not. The wrapper claims no order, so the plan sorts.
//! Those that can make much of little are bounded first (see `bounded`).
//! `to_timestamp(text)` with a session time zone promises a zoned type and gives a plain one; the wrapper adds the zone it promised.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::execution::registry::FunctionRegistry;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};

use crate::bounded::{BOUNDED, Room};

/// Replaces the built-ins that need it by their wrapped forms, under the same names. One call may make `bytes_max` bytes.
pub(crate) fn mend(state: &mut SessionState, bytes_max: u64) -> Result<()> {
    for (name, estimate) in BOUNDED {
        let inner = state.udf(name)?;
        let room = Some(Room {
            bytes_max,
            estimate,
        });
        state.register_udf(Arc::new(ScalarUDF::from(Mended { inner, room })))?;
    }
    let timestamps = datafusion::functions::datetime::functions()
        .into_iter()
        .filter(|udf| udf.name().starts_with("to_timestamp"));
    for udf in datafusion::functions::math::functions()
        .into_iter()
        .chain(timestamps)
    {
        // `sign` is what PostgreSQL and everybody else calls it.
        let aliases: &[&str] = if udf.name() == "signum" {
            &["sign"]
        } else {
            &[]
        };
        let mended = ScalarUDF::from(Mended {
            inner: udf,
            room: None,
        });
        state.register_udf(Arc::new(mended.with_aliases(aliases.iter().copied())))?;
    }
    Ok(())
}

/// A built-in that claims no order and keeps the type it promised.
#[derive(Debug)]
struct Mended {
    inner: Arc<ScalarUDF>,
    room: Option<Room>,
}

impl Mended {
    fn of(&self) -> &dyn ScalarUDFImpl {
        self.inner.inner().as_ref()
    }
}

impl PartialEq for Mended {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Mended {}

impl Hash for Mended {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl ScalarUDFImpl for Mended {
    fn name(&self) -> &str {
        self.of().name()
    }

    fn aliases(&self) -> &[String] {
        self.of().aliases()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.of().schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.of().signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.of().return_type(arg_types)
    }

    fn return_field_from_args(
        &self,
        args: ReturnFieldArgs<'_>,
    ) -> Result<Arc<arrow::datatypes::Field>> {
        self.of().return_field_from_args(args)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = Arc::new(self.of().with_updated_config(config)?);
        let room = self.room;
        Some(ScalarUDF::from(Self { inner, room }))
    }

    fn is_strict(&self) -> bool {
        self.of().is_strict()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let Some(room) = self.room {
            room.check(self.name(), &args)?;
        }
        let promised = args.return_field.data_type().clone();
        with_promised_zone(self.of().invoke_with_args(args)?, &promised)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.of().simplify(args, info)
    }

    fn preimage(
        &self,
        args: &[Expr],
        literal: &Expr,
        info: &SimplifyContext,
    ) -> Result<PreimageResult> {
        self.of().preimage(args, literal, info)
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        self.of().evaluate_bounds(inputs)
    }

    fn propagate_constraints(
        &self,
        interval: &Interval,
        inputs: &[&Interval],
    ) -> Result<Option<Vec<Interval>>> {
        self.of().propagate_constraints(interval, inputs)
    }

    fn output_ordering(&self, _inputs: &[ExprProperties]) -> Result<SortProperties> {
        Ok(SortProperties::Unordered)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.of().coerce_types(arg_types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.of().documentation()
    }
}

/// The instants are right already: text was read in the session's zone. Only the type's zone is missing.
fn with_promised_zone(value: ColumnarValue, promised: &DataType) -> Result<ColumnarValue> {
    let (DataType::Timestamp(_, None), DataType::Timestamp(unit, zone @ Some(_))) =
        (value.data_type(), promised)
    else {
        return Ok(value);
    };
    let utc = DataType::Timestamp(*unit, Some("+00:00".into()));
    let zoned = DataType::Timestamp(*unit, zone.clone());
    Ok(match value {
        ColumnarValue::Scalar(scalar) => {
            ColumnarValue::Scalar(ScalarValue::cast_to(&scalar.cast_to(&utc)?, &zoned)?)
        }
        ColumnarValue::Array(array) => {
            let array = arrow::compute::cast(&array, &utc)?;
            ColumnarValue::Array(arrow::compute::cast(&array, &zoned)?)
        }
    })
}
