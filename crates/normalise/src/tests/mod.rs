//! Contract and mapping together, over batches as `formats` gives them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod mappings;
mod own_keys;
mod rows_add_up;
mod rules;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::util::pretty::pretty_format_batches;
use sectorlake_contract::Contract;
use sectorlake_formats::{BrokenRecord, Decoded};

use crate::{
    Counts, KeyChecks, MappingError, MappingSpec, Normalised, Normaliser, Origin, Rejection,
    TableSpec, Unpivot, mapping_session,
};

/// A contract of `a.t` from its fields and more keys of the descriptor.
pub(super) fn contract(fields: &str, more: &str) -> Arc<Contract> {
    let text = format!(r#"{{"fields": [{fields}]{more}}}"#);
    Arc::new(Contract::parse("a.t".parse().unwrap(), &text).unwrap())
}

/// A text source: the header, then rows.
pub(super) fn source(header: &[&str], rows: &[&[&str]]) -> Decoded {
    let columns = header.iter().enumerate().map(|(index, name)| {
        let column: StringViewArray = rows.iter().map(|row| Some(row[index])).collect();
        (*name, Arc::new(column) as ArrayRef)
    });
    let rows = Int64Array::from_iter_values((1..).take(rows.len()));
    Decoded {
        batch: RecordBatch::try_from_iter(columns).unwrap(),
        rows,
        broken: Vec::new(),
        dropped: Vec::new(),
    }
}

pub(super) fn spec(contract: &Arc<Contract>, sql: Option<&str>) -> TableSpec {
    let parameters = BTreeMap::from([("pipeline".to_owned(), "bus".to_owned())]);
    let mapping = sql.map(|sql| MappingSpec {
        sql: sql.to_owned(),
        parameters,
        columns: Vec::new(),
    });
    TableSpec {
        contract: Arc::clone(contract),
        mapping,
        unpivot: None,
        constants: BTreeMap::new(),
        added: BTreeMap::new(),
        rules: crate::Rules::default(),
    }
}

pub(super) async fn run(
    spec: &TableSpec,
    decoded: &Decoded,
    keys: &KeyChecks,
) -> Result<Normalised, MappingError> {
    let session = mapping_session().unwrap();
    let normaliser = Normaliser::compile(spec, &decoded.batch.schema(), &session).await?;
    let origin = Origin {
        run: "r1".to_owned(),
        part: "p1".to_owned(),
        number: 0,
    };
    let mut worker = normaliser.worker(&origin, keys).await?;
    let read = Decoded {
        batch: decoded.batch.project(&normaliser.projection()).unwrap(),
        ..decoded.clone()
    };
    Ok(worker.process(&read).await.unwrap())
}

/// What came out, as a page to read.
pub(super) async fn page(spec: &TableSpec, decoded: &Decoded) -> String {
    match run(spec, decoded, &KeyChecks::default()).await {
        Ok(normalised) => shown(&normalised),
        Err(error) => refused(&error),
    }
}

pub(super) fn refused(error: &MappingError) -> String {
    let place = error.place();
    format!(
        "{}:{}: {error}\nhelp: {}",
        place.line,
        place.column,
        error.help().unwrap_or("-")
    )
}

pub(super) fn shown(normalised: &Normalised) -> String {
    let Counts {
        decoded,
        broken,
        filtered,
        mapped,
        rejected,
        marked,
    } = normalised.counts;
    let mut page = format!(
        "decoded {decoded}, broken {broken}, filtered {filtered}, mapped {mapped}, rejected {rejected}\n"
    );
    if marked > 0 {
        page.push_str(&format!("marked {marked}\n"));
    }
    if !normalised.batches.is_empty() {
        page.push_str(
            &pretty_format_batches(&normalised.batches)
                .unwrap()
                .to_string(),
        );
    }
    for Rejection {
        row,
        field,
        rule,
        severity,
        value,
        message,
        record,
    } in &normalised.rejected
    {
        let field = field.as_deref().unwrap_or("-");
        let soft = if *severity == sectorlake_contract::Severity::Warn {
            " (soft)"
        } else {
            ""
        };
        page.push_str(&format!(
            "\nrow {row} {field} {rule}{soft}: {message} | {value:?} | {}",
            record.as_deref().unwrap_or("-")
        ));
    }
    page
}

#[tokio::test]
async fn broken_records_are_told_with_their_place() {
    let contract = contract(r#"{"name": "id", "type": "string"}"#, "");
    let mut decoded = source(&["id"], &[&["a"]]);
    decoded.broken.push(BrokenRecord {
        row: 2,
        byte: Some(7),
        reason: "2 fields instead of 1".to_owned(),
        raw: "b,c".to_owned(),
    });
    insta::assert_snapshot!(page(&spec(&contract, None), &decoded).await);
}

#[tokio::test]
async fn an_unpivoted_source_counts_cells() {
    let contract = contract(
        r#"{"name": "place", "type": "string"}, {"name": "year", "type": "year"}, {"name": "value", "type": "number"}"#,
        r#", "primaryKey": ["place", "year"]"#,
    );
    let decoded = source(
        &["Tỉnh", "2019", "2020", "x"],
        &[&["Hà Nội", "1.5", "..", "n"], &["Hải Phòng", "2", "3", "n"]],
    );
    let mut spec = spec(
        &contract,
        Some(
            r#"SELECT "Tỉnh" AS place, period AS year, NULLIF(value, '..') AS value FROM source WHERE period <> 'x'"#,
        ),
    );
    spec.unpivot = Some(Unpivot {
        keep: vec!["Tỉnh".to_owned()],
        name: "period".to_owned(),
        value: "value".to_owned(),
    });
    insta::assert_snapshot!(page(&spec, &decoded).await);
    spec.unpivot = Some(Unpivot {
        keep: vec!["Tinh".to_owned()],
        name: "period".to_owned(),
        value: "value".to_owned(),
    });
    insta::assert_snapshot!(
        "an_unpivot_keeps_what_is_not_there",
        page(&spec, &decoded).await
    );
}
