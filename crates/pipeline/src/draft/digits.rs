//! Numbers with more digits than 64 bits or a floating-point number hold: drafted as such, they would be refused, or lose digits
//! without a word.

use arrow::datatypes::DataType;
use sectorlake_contract::FieldType;
use sectorlake_normalise::Shape;

use super::columns::SourceColumn;
use crate::values::{DIGITS_MAX, shown};

/// Digits of the greatest whole number of 64 bits without a sign.
const UINT64_DIGITS: u8 = 20;

/// What holds a column of numbers digit by digit, and why it has to; none where a whole number or a floating-point number will do.
pub(super) fn exact(column: &SourceColumn) -> Option<(FieldType, String)> {
    match column.data_type {
        Some(DataType::Decimal128(precision, scale)) if precision > DIGITS_MAX && scale >= 0 => {
            let why = format!(
                "decimal, as in the source: of {precision} digits a floating-point number keeps {DIGITS_MAX}"
            );
            return Some((FieldType::Decimal { precision, scale }, why));
        }
        Some(DataType::Decimal256(precision, _)) => {
            let why = format!("text: no number here holds the {precision} digits that it may have");
            return Some((FieldType::String, why));
        }
        _ => {}
    }
    let (example, why) = match column.shape() {
        Shape::Integer => (
            column.profile.beyond_integer(),
            "a whole number of 64 bits does not hold it",
        ),
        Shape::Number | Shape::NumberComma | Shape::NumberEither => (
            column.profile.beyond_number(),
            "a floating-point number would lose digits of it",
        ),
        _ => return None,
    };
    let seen = column.quote(&shown(example?));
    // What the source calls a number is one; a text may as well be a code.
    Some(match column.data_type {
        Some(DataType::UInt64) => (
            FieldType::Decimal {
                precision: UINT64_DIGITS,
                scale: 0,
            },
            format!("decimal, for {seen}: {why}"),
        ),
        _ => (FieldType::String, format!("text, for {seen}: {why}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Profile;

    #[test]
    fn a_column_is_held_digit_by_digit_where_it_must_be() {
        let column = |data_type: DataType, values: &[&str]| {
            let mut profile = Profile::of_type(&data_type);
            values.iter().for_each(|value| profile.add(Some(value)));
            SourceColumn {
                data_type: Some(data_type),
                ..SourceColumn::of("lượng", profile)
            }
        };
        let large = "18446744073709551615";
        let said: Vec<String> = [
            column(DataType::UInt64, &["7"]),
            column(DataType::UInt64, &["7", large]),
            column(DataType::Utf8, &["7", large]),
            column(DataType::Utf8, &["7", "0.123456789012345678"]),
            column(DataType::Utf8, &["7", "0.5"]),
            column(DataType::Decimal128(10, 2), &["0.50"]),
            column(DataType::Decimal128(20, 4), &["0.5000"]),
            column(DataType::Decimal256(51, 1), &["0.5"]),
        ]
        .iter()
        .map(|column| match exact(column) {
            Some((kind, why)) => format!("{kind:?}: {why}"),
            None => "fine".to_owned(),
        })
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        fine
        Decimal { precision: 20, scale: 0 }: decimal, for "18446744073709551615": a whole number of 64 bits does not hold it
        fine
        String: text, for "0.123456789012345678": a floating-point number would lose digits of it
        fine
        fine
        Decimal { precision: 20, scale: 4 }: decimal, as in the source: of 20 digits a floating-point number keeps 15
        String: text: no number here holds the 51 digits that it may have
        "#);
    }
}
