//! The profile of a table as rows of the journal: what was read, what was made of it, and why.

use sectorlake_contract::{Contract, Field, FieldType};
use sectorlake_lake::journal::ProfileRow;
use sectorlake_normalise::{FieldSummary, Profile, SeenShape, Shape, Shapes, SourceSummary};
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
            shapes: shapes(source.shapes, files),
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

fn shapes(shapes: &Shapes, files: &[&str]) -> Option<String> {
    let all: Vec<_> = shapes
        .all()
        .iter()
        .map(|seen| {
            let (part, row) = seen.first;
            json!({ "shape": seen.shape.word(), "rows": seen.rows, "first_row": row, "file": files.get(part as usize) })
        })
        .collect();
    (!all.is_empty()).then(|| json!(all).to_string())
}

/// What the source holds: the kinds of its texts, or the type that its format gives it.
fn source_type(source: &SourceSummary<'_>) -> Option<String> {
    if let Some(words) = source.shapes.in_words() {
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
    let seen = kinds(source.shapes);
    let (name, Some((most, rest))) = (source.name, seen.split_first()) else {
        return format!("the contract says {word}");
    };
    let (main, rows) = (most.shape.word(), most.rows);
    if rest.is_empty() {
        return format!("the contract says {word}; every value of {name}{made} looks like {main}");
    }
    let odd: Vec<String> = rest.iter().map(|seen| told(seen, files)).collect();
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

/// The kinds of values. Where a column has dates that can be read in one way alone, those that could be read in two are of the same kind.
fn kinds(shapes: &Shapes) -> Vec<SeenShape> {
    let mut seen = shapes.all();
    seen.retain(|seen| seen.shape != Shape::Empty);
    let two_way = seen.iter().position(|seen| seen.shape == Shape::TwoWayDate);
    let one_way = seen.iter().any(|seen| seen.shape == Shape::LocalDate);
    if let Some(two_way) = two_way.filter(|_| one_way) {
        let others = seen.remove(two_way);
        for local in seen.iter_mut().filter(|it| it.shape == Shape::LocalDate) {
            local.rows += others.rows;
            local.first = local.first.min(others.first);
        }
        seen.sort_by_key(|seen| std::cmp::Reverse(seen.rows));
    }
    seen
}

fn told(seen: &SeenShape, files: &[&str]) -> String {
    let (part, row) = seen.first;
    let file = files.get(part as usize).copied().unwrap_or_default();
    let (word, rows) = (seen.shape.word(), seen.rows);
    let noun = if rows == 1 { "row" } else { "rows" };
    format!("{word} ({rows} {noun}, first {file} row {row})")
}
