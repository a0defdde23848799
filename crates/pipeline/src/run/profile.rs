//! The profile of a table as rows of the journal: what was read, what was made of it, and why.

use sectorlake_contract::{Contract, Field, FieldType};
use sectorlake_lake::journal::ProfileRow;
use sectorlake_normalise::{FieldSummary, Kind, Profile, SeenLooks, Shape, SourceSummary};
use serde_json::json;

/// The rows of one run, table and pipeline. `files` are the parts that were read, in order.
pub(super) fn profile_rows(
    (run, pipeline): (&str, &str),
    contract: &Contract,
    profile: &Profile,
    files: &[&str],
) -> Vec<ProfileRow> {
    let row = |side, position: usize, column: &str| ProfileRow {
        run: run.to_owned(),
        pipeline: pipeline.to_owned(),
        table: contract.name.clone(),
        side,
        position: position as u64 + 1,
        column: column.to_owned(),
        source_column: None,
        rows: 0,
        nulls: 0,
        distinct: None,
        min: None,
        max: None,
        mean: None,
        p05: None,
        p25: None,
        p50: None,
        p75: None,
        p95: None,
        top: None,
        shapes: None,
        source_type: None,
        chosen: None,
        why: None,
    };
    let sources: Vec<SourceSummary<'_>> = profile.sources().collect();
    let mut rows = Vec::new();
    for (index, (field, (summary, taken))) in
        contract.fields.iter().zip(profile.fields()).enumerate()
    {
        let source =
            taken.and_then(|taken| sources.iter().find(|source| source.name == taken.source));
        let made = taken.is_some_and(|taken| !taken.as_it_stands);
        let told = ProfileRow {
            source_column: taken.map(|taken| taken.source.clone()),
            source_type: source.and_then(source_type),
            chosen: Some(chosen(field)),
            why: Some(why(field, source, made, files)),
            ..row("field", index, &field.name)
        };
        rows.push(filled(told, summary));
    }
    for (index, source) in sources.iter().enumerate() {
        rows.push(ProfileRow {
            rows: source.rows,
            nulls: source.nulls,
            shapes: shapes(source.seen, files),
            source_type: source_type(source),
            ..row("source", index, source.name)
        });
    }
    rows
}

fn filled(row: ProfileRow, summary: FieldSummary) -> ProfileRow {
    let top: Vec<_> = summary
        .top
        .iter()
        .map(|(value, rows)| json!({ "value": value, "rows": rows }))
        .collect();
    let [p05, p25, p50, p75, p95] = match summary.quantiles {
        Some(quantiles) => quantiles.map(Some),
        None => [None; 5],
    };
    ProfileRow {
        rows: summary.rows,
        nulls: summary.nulls,
        distinct: summary.distinct,
        min: summary.min,
        max: summary.max,
        mean: summary.mean,
        p05,
        p25,
        p50,
        p75,
        p95,
        top: (!top.is_empty()).then(|| json!(top).to_string()),
        ..row
    }
}

fn shapes(seen: &SeenLooks, files: &[&str]) -> Option<String> {
    let all = seen.all().into_iter().map(|(value, rows, (part, row))| {
        let shape = Shape::of_all([value]).words();
        json!({ "shape": shape, "rows": rows, "first_row": row, "file": files.get(part as usize) })
    });
    let all: Vec<_> = all.collect();
    (!all.is_empty()).then(|| json!(all).to_string())
}

/// What the source holds: the kinds of its texts, or the type that its format gives it.
fn source_type(source: &SourceSummary<'_>) -> Option<String> {
    if let Some(words) = source.seen.in_words() {
        return Some(words);
    }
    use arrow::datatypes::DataType;
    match source.data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => None,
        other => Some(other.to_string()),
    }
}

fn chosen(field: &Field) -> String {
    let format = field.format.as_deref().filter(|_| is_time(field));
    match format {
        Some(format) => format!("{} ({format})", field.kind.word()),
        None => field.kind.word().to_owned(),
    }
}

fn is_time(field: &Field) -> bool {
    matches!(field.kind, FieldType::Date | FieldType::Datetime)
}

/// Why the type was chosen, and what the source holds beside it.
fn why(field: &Field, source: Option<&SourceSummary<'_>>, made: bool, files: &[&str]) -> String {
    let word = field.kind.word();
    let Some(source) = source else {
        return format!("the contract says {word}; the mapping makes the value");
    };
    let made = if made {
        ", of which the mapping makes the value,"
    } else {
        ""
    };
    let kinds = source.seen.looks().kinds();
    let (name, Some((most, rest))) = (source.name, kinds.split_first()) else {
        return format!("the contract says {word}");
    };
    let (main, rows) = (most.shape, most.rows);
    if rest.is_empty() {
        return format!("the contract says {word}; {name}{made} holds {main} alone");
    }
    let odd: Vec<String> = rest
        .iter()
        .map(|kind| told(kind, source.seen, files))
        .collect();
    let kept = match (made, &field.kind) {
        ("", FieldType::String) => "; as text each stays as it is",
        ("", _) => "; a value of another type is rejected, not turned",
        _ => "",
    };
    format!(
        "the contract says {word}; {name}{made} mixes {main} ({rows} rows) with {}{kept}",
        odd.join(", ")
    )
}

fn told(kind: &Kind, seen: &SeenLooks, files: &[&str]) -> String {
    let (shape, rows) = (kind.shape, kind.rows);
    let noun = if rows == 1 { "row" } else { "rows" };
    let first = seen.first(kind).map_or_else(String::new, |(part, row)| {
        let file = files.get(part as usize).copied().unwrap_or_default();
        format!(", first {file} row {row}")
    });
    format!("{shape} ({rows} {noun}{first})")
}
