//! Required fields that no column is for, and that have a value all the same: totals, and what the pipeline itself says.

use sectorlake_contract::Field;

/// SDMX's code for all together.
const TOTAL: &str = "_T";

/// Field → the word of its standard for all together.
const ALL: &[(&str, &str)] = &[
    ("direction", "allDirections"),
    ("vehicle_type", "anyVehicle"),
];

/// The expression for a field without a column, and what is to be looked at; `name` is the pipeline's.
pub(super) fn of(field: &Field, name: &str) -> Option<(String, String)> {
    if field.name == "system_id" {
        let note = "not in the records: the pipeline's name stands for it".to_owned();
        return Some((format!("'{name}'"), note));
    }
    let of_standard = ALL
        .iter()
        .find(|(known, _)| *known == field.name)
        .map(|(_, all)| *all);
    let code = of_standard.or_else(|| has_total(field).then_some(TOTAL))?;
    let note = format!("not sure: no column divides by it, so {code}, all together");
    Some((format!("'{code}'"), note))
}

fn has_total(field: &Field) -> bool {
    let codes = field.constraints.enumeration.iter().flatten();
    let mut examples = field.examples.iter().filter_map(serde_json::Value::as_str);
    codes.into_iter().any(|code| code == TOTAL) || examples.any(|example| example == TOTAL)
}
