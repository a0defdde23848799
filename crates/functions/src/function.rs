//! A scalar function over whole arrays, told in one value: name, argument types, result and what it does.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Any text; handed over as `Utf8View`.
    Text,
    /// Any text or number; handed over as `Utf8View`.
    Label,
    /// Any number; handed over as `Float64`.
    Number,
    /// A date, an instant (its date in UTC) or ISO text; handed over as `Date32`.
    Date,
    /// A list of texts; handed over as `List<Utf8>`.
    Texts,
    /// A list of numbers; handed over as `List<Float64>`.
    Numbers,
    /// A geometry as WKB (`Binary`, `LargeBinary`, `BinaryView`) or as WKT text; handed over as `BinaryView` of WKB.
    Geometry,
}

/// The body of a function: arrays of one length, as [`Kind`] says, and that length.
pub(crate) type Body = fn(&[ArrayRef], usize) -> Result<ArrayRef>;

/// A body that holds something beside its arguments.
type HoldingBody = Arc<dyn Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync>;

/// A scalar function. The number of arguments lies between `required` and `kinds.len()`.
#[derive(Clone)]
pub(crate) struct Function {
    name: &'static str,
    aliases: Vec<String>,
    kinds: &'static [Kind],
    required: usize,
    returns: DataType,
    body: HoldingBody,
    signature: Signature,
    documentation: Documentation,
}

impl Function {
    pub(crate) fn new(
        name: &'static str,
        kinds: &'static [Kind],
        returns: DataType,
        body: Body,
        about: &str,
        example: &str,
    ) -> Self {
        Self::holding(name, kinds, returns, Arc::new(body), about, example)
    }

    /// A function whose body holds something that was handed in, such as an index.
    pub(crate) fn holding(
        name: &'static str,
        kinds: &'static [Kind],
        returns: DataType,
        body: HoldingBody,
        about: &str,
        example: &str,
    ) -> Self {
        Self {
            name,
            aliases: Vec::new(),
            kinds,
            required: kinds.len(),
            returns,
            body,
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: Documentation::builder(Default::default(), about, example).build(),
        }
    }

    pub(crate) fn alias(mut self, alias: &str) -> Self {
        self.aliases.push(alias.to_owned());
        self
    }

    /// The arguments after the first `required` may be left out.
    pub(crate) fn required(mut self, required: usize) -> Self {
        self.required = required;
        self
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .field("kinds", &self.kinds)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if arg_types.len() < self.required || arg_types.len() > self.kinds.len() {
            return plan_err!(
                "{} takes {} but got {} arguments",
                self.name,
                self.arity(),
                arg_types.len()
            );
        }
        let coerced = arg_types.iter().zip(self.kinds).enumerate();
        coerced
            .map(|(at, (given, kind))| kind.coerce(given, self.name, at + 1))
            .collect()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args
            .args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if scalar { 1 } else { args.number_rows };
        let mut arrays = Vec::with_capacity(args.args.len());
        for (value, kind) in args.args.iter().zip(self.kinds) {
            arrays.push(kind.prepare(&value.to_array(rows)?)?);
        }
        let result = (self.body)(&arrays, rows)?;
        if result.len() != rows {
            return exec_err!("{} gave {} rows for {rows}", self.name, result.len());
        }
        if scalar {
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &result, 0,
            )?))
        } else {
            Ok(ColumnarValue::Array(result))
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

impl Function {
    fn arity(&self) -> String {
        match (self.required, self.kinds.len()) {
            (least, most) if least == most => format!("{most} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        }
    }
}

impl Kind {
    pub(crate) fn coerce(
        self,
        given: &DataType,
        function: &str,
        position: usize,
    ) -> Result<DataType> {
        use DataType::{Binary, BinaryView, Float64, LargeBinary, LargeUtf8, Null, Utf8, Utf8View};
        Ok(match (self, given) {
            (
                Self::Text | Self::Label | Self::Geometry | Self::Date,
                Utf8 | LargeUtf8 | Utf8View,
            ) => given.clone(),
            (Self::Text | Self::Label, DataType::Dictionary(_, value)) if value.is_string() => {
                Utf8View
            }
            (Self::Text | Self::Label, Null) => Utf8View,
            (Self::Label, number) if number.is_numeric() => given.clone(),
            (Self::Date, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..)) => {
                given.clone()
            }
            (Self::Date, Null) => DataType::Date32,
            (Self::Texts | Self::Numbers, list) if self.takes_list(list) => given.clone(),
            (Self::Texts | Self::Numbers, Null) => self.list_type(),
            (Self::Number, Null) => Float64,
            (Self::Number, number) if number.is_numeric() => Float64,
            (Self::Geometry, Binary | LargeBinary | BinaryView) => given.clone(),
            (Self::Geometry, Null) => BinaryView,
            (kind, other) => {
                return plan_err!(
                    "argument {position} of {function} must be {}, not {other}",
                    kind.in_words()
                );
            }
        })
    }

    /// Whether a list of this type can be read.
    fn takes_list(self, given: &DataType) -> bool {
        use DataType::{FixedSizeList, LargeList, List, Null};
        let (List(item) | LargeList(item) | FixedSizeList(item, _)) = given else {
            return false;
        };
        match item.data_type() {
            Null => true,
            item if self == Self::Texts => item.is_string(),
            item => item.is_numeric(),
        }
    }

    fn list_type(self) -> DataType {
        let item = match self {
            Self::Texts => DataType::Utf8,
            _ => DataType::Float64,
        };
        DataType::List(Arc::new(Field::new_list_field(item, true)))
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Label => "text or a number",
            Self::Number => "a number",
            Self::Date => "a date",
            Self::Texts => "a list of texts",
            Self::Numbers => "a list of numbers",
            Self::Geometry => "a geometry (WKB)",
        }
    }

    /// The array in the one form that bodies read. Text to text view and binary to binary view share their buffers.
    pub(crate) fn prepare(self, array: &ArrayRef) -> Result<ArrayRef> {
        Ok(match self {
            Self::Text => cast(array, &DataType::Utf8View)?,
            Self::Label if array.data_type().is_numeric() => {
                cast(&cast(array, &DataType::Utf8)?, &DataType::Utf8View)?
            }
            Self::Label => cast(array, &DataType::Utf8View)?,
            // Text that is no date is an error, where the lenient cast would make it NULL.
            Self::Date => match cast_with_options(array, &DataType::Date32, &strict()) {
                Ok(dates) => dates,
                Err(reason) => {
                    return exec_err!(
                        "{reason}: a date is written as in 2024-12-31, and parse_date reads other forms"
                    );
                }
            },
            Self::Texts | Self::Numbers => cast(array, &self.list_type())?,
            Self::Number => cast(array, &DataType::Float64)?,
            Self::Geometry if array.data_type().is_string() => crate::geometry::wkb_of_wkt(array)?,
            Self::Geometry => cast(array, &DataType::BinaryView)?,
        })
    }
}

fn strict() -> CastOptions<'static> {
    CastOptions {
        safe: false,
        ..CastOptions::default()
    }
}
