//! geodatafusion's functions, taking and giving plain WKB.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use geodatafusion::udf::geo::{measurement, processing, relationships, validation};
use geodatafusion::udf::native::{accessors, bounding_box, io};

use super::{Sound, sound};
use crate::function::Kind;

/// The wrapped functions. Left out: boxes, dumps and measures (M), whose results are no plain values, and those of `native`.
pub(crate) fn functions() -> Result<Vec<ScalarUDF>> {
    const ONE: &[Kind] = &[Kind::Geometry];
    const TWO: &[Kind] = &[Kind::Geometry, Kind::Geometry];
    const TOLERANCE: &[Kind] = &[Kind::Geometry, Kind::Number];
    let one: Vec<ScalarUDF> = vec![
        measurement::Area.into(),
        measurement::Length.into(),
        processing::Centroid::default().into(),
        processing::ConvexHull::default().into(),
        processing::OrientedEnvelope::default().into(),
        processing::PointOnSurface::default().into(),
        validation::IsValid.into(),
        validation::IsValidReason.into(),
        accessors::CoordDim.into(),
        accessors::NDims.into(),
        accessors::GeometryType.into(),
        accessors::ST_GeometryType.into(),
        accessors::IsClosed.into(),
        accessors::IsEmpty.into(),
        accessors::EndPoint::default().into(),
        accessors::StartPoint::default().into(),
        accessors::NPoints.into(),
        accessors::NumInteriorRings.into(),
        bounding_box::XMax.into(),
        bounding_box::XMin.into(),
        bounding_box::YMax.into(),
        bounding_box::YMin.into(),
        io::AsText.into(),
    ];
    let two: Vec<ScalarUDF> = vec![
        measurement::Distance.into(),
        relationships::Contains::default().into(),
        relationships::CoveredBy::default().into(),
        relationships::Covers::default().into(),
        relationships::Crosses::default().into(),
        relationships::Disjoint::default().into(),
        relationships::Equals::default().into(),
        relationships::Intersects::default().into(),
        relationships::Overlaps::default().into(),
        relationships::Touches::default().into(),
        relationships::Within::default().into(),
    ];
    let tolerance: Vec<ScalarUDF> = vec![
        processing::Simplify::default().into(),
        processing::SimplifyPreserveTopology::default().into(),
        processing::SimplifyVW::default().into(),
    ];
    let kinds = [(one, ONE), (two, TWO), (tolerance, TOLERANCE)];
    kinds
        .into_iter()
        .flat_map(|(udfs, kinds)| udfs.into_iter().map(move |udf| Wrapped::over(udf, kinds)))
        .collect()
}

/// Functions of one geometry that assert what they hold impossible of its coordinates.
const COMPUTES: [&str; 4] = [
    "st_centroid",
    "st_convexhull",
    "st_orientedenvelope",
    "st_pointonsurface",
];

#[derive(Debug)]
struct Wrapped {
    inner: ScalarUDF,
    kinds: &'static [Kind],
    arg_fields: Vec<FieldRef>,
    /// Whether it computes with coordinates, so that they must be numbers.
    computes: bool,
    /// What `inner` gives: a GeoArrow type if `geometry`.
    inner_field: FieldRef,
    geometry: bool,
    signature: Signature,
}

impl Wrapped {
    fn over(inner: ScalarUDF, kinds: &'static [Kind]) -> Result<ScalarUDF> {
        let name = inner.name().to_lowercase();
        let arg_fields: Vec<FieldRef> = kinds.iter().map(|kind| arg_field(*kind)).collect();
        let none = vec![None; kinds.len()];
        let inner_field = inner.return_field_from_args(ReturnFieldArgs {
            arg_fields: &arg_fields,
            scalar_arguments: &none,
        })?;
        let extension = inner_field
            .metadata()
            .get("ARROW:extension:name")
            .map_or("", String::as_str);
        let geometry = extension.starts_with("geoarrow.") && extension != "geoarrow.wkt";
        let signature = Signature::user_defined(Volatility::Immutable);
        Ok(ScalarUDF::from(Self {
            inner,
            kinds,
            arg_fields,
            computes: COMPUTES.contains(&name.as_str()) || kinds.len() > 1,
            inner_field,
            geometry,
            signature,
        }))
    }

    /// The geometries that can be computed with; nothing comes of an empty point.
    fn computable(&self, kind: Kind, array: ArrayRef) -> Result<ArrayRef> {
        if !self.computes || kind != Kind::Geometry {
            return Ok(array);
        }
        let mut are_some_empty = false;
        for bytes in array.as_binary_view().iter().flatten() {
            match sound(bytes)? {
                Sound::Computable => {}
                Sound::Empty => are_some_empty = true,
                Sound::NotFinite => {
                    return exec_err!("{} takes finite coordinates", self.name());
                }
            }
        }
        if !are_some_empty {
            return Ok(array);
        }
        let mut filled = BinaryViewBuilder::with_capacity(array.len());
        for bytes in array.as_binary_view() {
            let is_empty = bytes.map(sound).transpose()? == Some(Sound::Empty);
            filled.append_option(bytes.filter(|_| !is_empty));
        }
        Ok(Arc::new(filled.finish()))
    }

    fn compute(
        &self,
        mut args: Vec<ColumnarValue>,
        all: &ScalarFunctionArgs,
    ) -> Result<ColumnarValue> {
        let mut function = Arc::clone(self.inner.inner());
        if let ([ColumnarValue::Scalar(_), ColumnarValue::Array(_)], Some(converse)) =
            (args.as_slice(), converse(self.name()))
        {
            args.reverse();
            function = Arc::clone(converse.inner());
        }
        let inner_args = ScalarFunctionArgs {
            args,
            arg_fields: self.arg_fields.clone(),
            number_rows: all.number_rows,
            return_field: Arc::clone(&self.inner_field),
            config_options: Arc::clone(&all.config_options),
        };
        let result = function.invoke_with_args(inner_args)?;
        if !self.geometry {
            return Ok(result);
        }
        let as_wkb = ScalarFunctionArgs {
            args: vec![result],
            arg_fields: vec![Arc::clone(&self.inner_field)],
            number_rows: all.number_rows,
            return_field: arg_field(Kind::Geometry),
            config_options: Arc::clone(&all.config_options),
        };
        io::AsBinary.invoke_with_args(as_wkb)
    }
}

/// The relation that holds the other way round, of those that differ from it. geodatafusion relates a constant on the left to a column with the
/// sides swapped; asked the converse with the sides swapped it answers right, and prepares the constant once.
fn converse(name: &str) -> Option<ScalarUDF> {
    Some(match name {
        "st_contains" => relationships::Within::default().into(),
        "st_within" => relationships::Contains::default().into(),
        "st_covers" => relationships::CoveredBy::default().into(),
        "st_coveredby" => relationships::Covers::default().into(),
        _ => return None,
    })
}

/// The argument as geodatafusion has to see it.
fn arg_field(kind: Kind) -> FieldRef {
    let metadata = HashMap::from([
        ("ARROW:extension:name".to_owned(), "geoarrow.wkb".to_owned()),
        ("ARROW:extension:metadata".to_owned(), "{}".to_owned()),
    ]);
    Arc::new(match kind {
        Kind::Number => Field::new("number", DataType::Float64, true),
        Kind::Geometry => {
            Field::new("geometry", DataType::BinaryView, true).with_metadata(metadata)
        }
        // geodatafusion's functions that are wrapped take nothing else.
        _ => Field::new("text", DataType::Utf8View, true),
    })
}

impl PartialEq for Wrapped {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Wrapped {}

impl Hash for Wrapped {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl ScalarUDFImpl for Wrapped {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(if self.geometry {
            DataType::BinaryView
        } else {
            self.inner_field.data_type().clone()
        })
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if arg_types.len() != self.kinds.len() {
            return plan_err!(
                "{} takes {} arguments but got {}",
                self.name(),
                self.kinds.len(),
                arg_types.len()
            );
        }
        let coerced = arg_types.iter().zip(self.kinds).enumerate();
        coerced
            .map(|(at, (given, kind))| kind.coerce(given, self.name(), at + 1))
            .collect()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let returns = args.return_field.data_type().clone();
        // Constants stay constants: a polygon that thousands of points are tested against is prepared once.
        let scalar = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let mut prepared = Vec::with_capacity(args.args.len());
        for (value, kind) in args.args.iter().zip(self.kinds) {
            let prepare = |array: &ArrayRef| self.computable(*kind, kind.prepare(array)?);
            prepared.push(match value {
                ColumnarValue::Array(array) => ColumnarValue::Array(prepare(array)?),
                ColumnarValue::Scalar(value) => ColumnarValue::Scalar(ScalarValue::try_from_array(
                    &prepare(&value.to_array()?)?,
                    0,
                )?),
            });
        }
        let is_none = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(value) if value.is_null());
        if prepared.iter().any(is_none) {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from(&returns)?));
        }
        // The geometry algorithms assert on what they hold impossible, such as coordinates that are no numbers.
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| self.compute(prepared, &args))) else {
            return exec_err!(
                "{} cannot be computed for one of these geometries; ST_IsValid tells which is at fault",
                self.name()
            );
        };
        let rows = if scalar { 1 } else { args.number_rows };
        let array: ArrayRef = cast(&result?.into_array(rows)?, &returns)?;
        if scalar {
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &array, 0,
            )?))
        } else {
            Ok(ColumnarValue::Array(array))
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
