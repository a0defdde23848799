//! The index behind the place functions, built from the snapshot's own tables when a statement first names one of them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::TableReference;
use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use sectorlake_functions::PlaceIndex;

/// Versions of places, and what became of them; boundaries are left where they are.
const PLACES: (&str, &str) = (
    "places",
    "place_code,valid_from,valid_to,name,name_en,full_name,level,parent_code,country",
);
const CROSSWALK: (&str, &str) = (
    "place_crosswalk",
    "old_place_code,new_place_code,changed_on,weight,weight_kind",
);

/// Reads `common.places` and `common.place_crosswalk`; a table that is not there has no rows.
pub(crate) async fn index(context: &SessionContext) -> Result<Arc<PlaceIndex>> {
    let places = rows(context, PLACES).await?;
    let crosswalk = rows(context, CROSSWALK).await?;
    Ok(Arc::new(PlaceIndex::from_batches(&places, &crosswalk)?))
}

async fn rows(context: &SessionContext, (name, columns): (&str, &str)) -> Result<Vec<RecordBatch>> {
    let table = TableReference::partial("common", name);
    if !context.table_exist(table.clone())? {
        return Ok(Vec::new());
    }
    let table = context.table(table).await?;
    let there: Vec<&str> = columns
        .split(',')
        .filter(|column| table.schema().has_column_with_unqualified_name(column))
        .collect();
    table.select_columns(&there)?.collect().await
}
