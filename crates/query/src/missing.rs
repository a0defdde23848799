//! The engine's "table not found", with what was probably meant.

use datafusion::common::utils::datafusion_strsim::{levenshtein, normalized_levenshtein};
use datafusion::error::DataFusionError;

use crate::catalog::{CATALOG, DEFAULT_SCHEMA, LakeCatalog};

/// Names less alike than this are not worth a guess (0 to 1).
const ALIKE: f64 = 0.5;

/// The error with a guess, where it says that a table is missing; else the error as it is.
pub(crate) fn explain(error: DataFusionError, catalog: &LakeCatalog) -> DataFusionError {
    let DataFusionError::Plan(text) = error.find_root() else {
        return error;
    };
    let Some(asked) = missing_table(text) else {
        return error;
    };
    let known: Vec<String> = catalog.tables().collect();
    let told = DataFusionError::Plan(message(asked, &known, &catalog.schemas()));
    match error.diagnostic() {
        Some(place) => told.with_diagnostic(place.clone()),
        None => told,
    }
}

/// The name in the engine's sentence, as the user wrote it.
fn missing_table(text: &str) -> Option<&str> {
    let name = text.split_once("table '")?.1.split_once("' not found")?.0;
    let name = name
        .strip_prefix(CATALOG)
        .and_then(|rest| rest.strip_prefix('.'))
        .unwrap_or(name);
    let bare = name
        .strip_prefix(DEFAULT_SCHEMA)
        .and_then(|rest| rest.strip_prefix('.'));
    Some(bare.unwrap_or(name))
}

fn message(asked: &str, known: &[String], schemas: &[String]) -> String {
    if let Some(name) = nearest(asked, known) {
        return format!("table '{asked}' not found. Did you mean '{name}'?");
    }
    if !known.iter().any(|name| !name.starts_with("meta.")) {
        return format!(
            "table '{asked}' not found: the lake is empty, `sectorlake run --all` fills it"
        );
    }
    match asked.split_once('.') {
        Some((schema, _)) if !schemas.iter().any(|name| name == schema) => {
            format!(
                "table '{asked}' not found: there is no schema '{schema}', there are {}",
                schemas.join(", ")
            )
        }
        Some((schema, _)) => {
            let prefix = format!("{schema}.");
            let tables: Vec<&str> = known
                .iter()
                .filter_map(|name| name.strip_prefix(&prefix))
                .collect();
            format!(
                "table '{asked}' not found: schema '{schema}' holds {}",
                tables.join(", ")
            )
        }
        None => format!(
            "table '{asked}' not found: tables are named schema.table, SELECT * FROM meta.tables lists them"
        ),
    }
}

/// The same table in another schema first, then the nearest spelling.
fn nearest<'a>(asked: &str, known: &'a [String]) -> Option<&'a str> {
    let bare = own_name(asked);
    let of_another_schema = known.iter().find(|name| own_name(name) == bare);
    let alike = |name: &&String| {
        let against = if asked.contains('.') {
            name.as_str()
        } else {
            own_name(name)
        };
        (normalized_levenshtein(asked, against) >= ALIKE).then(|| levenshtein(asked, against))
    };
    let spelled_alike = || {
        known
            .iter()
            .filter(|name| alike(name).is_some())
            .min_by_key(alike)
    };
    of_another_schema.or_else(spelled_alike).map(String::as_str)
}

fn own_name(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses() {
        let known: Vec<String> = [
            "education.schools",
            "environment.stations",
            "meta.tables",
            "transport.stop_times",
            "transport.stops",
        ]
        .map(str::to_owned)
        .into();
        let schemas: Vec<String> = ["education", "environment", "meta", "transport"]
            .map(str::to_owned)
            .into();
        let told = |asked: &str| message(asked, &known, &schemas);
        insta::assert_snapshot!(told("stops"), @"table 'stops' not found. Did you mean 'transport.stops'?");
        insta::assert_snapshot!(told("transport.stoptimes"), @"table 'transport.stoptimes' not found. Did you mean 'transport.stop_times'?");
        insta::assert_snapshot!(told("transprt.stops"), @"table 'transprt.stops' not found. Did you mean 'transport.stops'?");
        insta::assert_snapshot!(told("statons"), @"table 'statons' not found. Did you mean 'environment.stations'?");
        insta::assert_snapshot!(told("health.clinics"), @"table 'health.clinics' not found: there is no schema 'health', there are education, environment, meta, transport");
        insta::assert_snapshot!(told("education.zzzzzzzzzzzzzzzzzz"), @"table 'education.zzzzzzzzzzzzzzzzzz' not found: schema 'education' holds schools");
        insta::assert_snapshot!(told("xyzzy"), @"table 'xyzzy' not found: tables are named schema.table, SELECT * FROM meta.tables lists them");
        let empty = message("transport.stops", &["meta.tables".to_owned()], &schemas);
        insta::assert_snapshot!(empty, @"table 'transport.stops' not found: the lake is empty, `sectorlake run --all` fills it");
    }

    #[test]
    fn the_name_as_written() {
        assert_eq!(
            missing_table("table 'sectorlake.public.stops' not found"),
            Some("stops")
        );
        assert_eq!(
            missing_table("table 'sectorlake.transport.x' not found"),
            Some("transport.x")
        );
        assert_eq!(missing_table("No field named x"), None);
    }
}
