//! The index behind the place functions, built from the snapshot's own tables when a statement first names one of them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::TableReference;
use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use sectorlake_functions::PlaceIndex;

use crate::catalog::CATALOG;

/// The tables that place functions look into.
pub const PLACE_TABLES: [&str; 2] = ["common.places", "common.place_crosswalk"];

/// Versions of places, and what became of them; boundaries are left where they are.
const PLACES: (&str, &str) = (
    "places",
    "place_code,valid_from,valid_to,valid_to_event,name,name_en,full_name,level,parent_code,country",
);
const CROSSWALK: (&str, &str) = (
    "place_crosswalk",
    "old_place_code,new_place_code,changed_on,event,weight,weight_kind",
);

/// Reads `common.places` and `common.place_crosswalk`; a table that is not there has no rows.
pub(crate) async fn index(context: &SessionContext) -> Result<Arc<PlaceIndex>> {
    let places = rows(context, PLACES).await?;
    let crosswalk = rows(context, CROSSWALK).await?;
    Ok(Arc::new(PlaceIndex::from_batches(&places, &crosswalk)?))
}

async fn rows(context: &SessionContext, (name, columns): (&str, &str)) -> Result<Vec<RecordBatch>> {
    let schema = context
        .catalog(CATALOG)
        .and_then(|catalog| catalog.schema("common"));
    if !schema.is_some_and(|schema| schema.table_exist(name)) {
        return Ok(Vec::new());
    }
    let table = context
        .table(TableReference::partial("common", name))
        .await?;
    let there: Vec<&str> = columns
        .split(',')
        .filter(|column| table.schema().has_column_with_unqualified_name(column))
        .collect();
    table.select_columns(&there)?.collect().await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use sectorlake_functions::SessionOptions;
    use sectorlake_lake::At;

    use crate::session::Session;

    #[tokio::test]
    async fn without_places_the_functions_say_so() {
        let session = Session::open(None, At::Latest, SessionOptions::default())
            .await
            .unwrap();
        assert!(session.place_index().await.unwrap().is_empty());
        let stream = session
            .sql("SELECT place_code('31') AS code")
            .await
            .unwrap();
        let answer: Result<Vec<_>, _> = futures::TryStreamExt::try_collect(stream).await;
        let told = answer.unwrap_err().to_string();
        assert!(
            told.contains("common.places, which is empty or not there"),
            "{told}"
        );
    }
}
