//! Units in SQL: UCUM codes, and gases between parts and mass.

mod atoms;
mod gases;
mod unit;

use std::collections::HashMap;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

use self::unit::Unit;
use crate::air::pollutant;
use crate::function::{Function, Kind};
use crate::row::{self, Row};

const CONVERT: &[Kind] = &[Kind::Number, Kind::Text, Kind::Text];
const GAS: &[Kind] = &[Kind::Number, Kind::Text, Kind::Number, Kind::Number];
/// Degrees Celsius and hectopascal in which air is breathed; others are a fault of unit or order.
const TEMPERATURES: [f64; 2] = [-100.0, 100.0];
const PRESSURES: [f64; 2] = [100.0, 1200.0];

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let convert = Function::new(
        "convert_unit",
        CONVERT,
        DataType::Float64,
        convert_unit,
        "A value of one unit in another, by their UCUM codes (case sensitive: prefixes, exponents, '.', '/', parentheses, 10*3, annotations in braces; Cel and [degF] as scales). Units that do not measure the same are an error.",
        "convert_unit(36, 'km/h', 'm/s') = 10.0",
    );
    let gas = "by the law of ideal gases, with molar masses of IUPAC's atomic weights (2021). Temperature in °C and pressure in hPa may be left out: 25 and 1013.25, the reference conditions of the US EPA (40 CFR 50.3); the EU's Directive 2008/50/EC has 20 and 1013.";
    let to_mass = Function::new(
        "ppm_to_ugm3",
        GAS,
        DataType::Float64,
        |args, rows| row::numbers(args, rows, |row| Ok(Some(row.number(0) * gas_factor(row)?))),
        &format!(
            "Micrograms in a cubic metre of a gas (O3, NO2, SO2, CO, …) of so many parts in a million, {gas}"
        ),
        "ppm_to_ugm3(0.05, 'NO2')",
    );
    let to_parts = Function::new(
        "ugm3_to_ppm",
        GAS,
        DataType::Float64,
        |args, rows| row::numbers(args, rows, |row| Ok(Some(row.number(0) / gas_factor(row)?))),
        &format!(
            "Parts in a million of a gas (O3, NO2, SO2, CO, …) of so many micrograms in a cubic metre, {gas}"
        ),
        "ugm3_to_ppm(94.08, 'NO2', 25, 1013.25)",
    );
    vec![
        convert.into(),
        to_mass.required(2).into(),
        to_parts.required(2).into(),
    ]
}

fn convert_unit(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    let mut known: HashMap<String, Unit> = HashMap::new();
    row::numbers(args, rows, |row| {
        for code in [row.text(1), row.text(2)] {
            if !known.contains_key(code) {
                known.insert(code.to_owned(), unit::parse(code)?);
            }
        }
        let (Some(from), Some(to)) = (known.get(row.text(1)), known.get(row.text(2))) else {
            return Ok(None);
        };
        if !from.is_like(to) {
            return exec_err!(
                "{:?} and {:?} do not measure the same ({} and {}): check the codes; a gas converts by ppm_to_ugm3 and ugm3_to_ppm",
                row.text(1),
                row.text(2),
                from.in_base_units(),
                to.in_base_units()
            );
        }
        Ok(Some(from.convert(row.number(0), to)))
    })
}

/// Micrograms in a cubic metre to a part in a million.
fn gas_factor(row: Row<'_>) -> Result<f64> {
    let name = row.text(1);
    let mass = gases::molar_mass(&pollutant(name)).ok_or_else(|| {
        exec_datafusion_err!(
            "{name:?} is not a gas whose molar mass is known: one of {}",
            gases::names()
        )
    })?;
    let celsius = row.number_or(2, gases::REFERENCE_CEL);
    let hectopascal = row.number_or(3, gases::REFERENCE_HPA);
    let within = |value: f64, [least, most]: [f64; 2]| (least..=most).contains(&value);
    if !within(celsius, TEMPERATURES) || !within(hectopascal, PRESSURES) {
        return exec_err!(
            "{celsius} °C and {hectopascal} hPa are no temperature and pressure of the air: give °C and hPa, in this order (convert_unit helps)"
        );
    }
    Ok(gases::ugm3_of_ppm(mass, celsius, hectopascal))
}
