#![expect(clippy::unwrap_used, reason = "tests")]

use arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::SessionContext;

use crate::testing::{block_on, options, part, spec};

async fn ask(bytes: &str, format: &str, sql: &str) -> Result<String, String> {
    let part = part("t.csv", bytes).await;
    let opened = crate::open(&part, None, Some(&spec(format)), &options(20, 3, 2))
        .await
        .map_err(|error| error.to_string())?;
    let session = SessionContext::new();
    session.register_table("source", opened.table()).unwrap();
    let batches = session
        .sql(sql)
        .await
        .unwrap()
        .collect()
        .await
        .map_err(|error| error.to_string())?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

#[test]
fn a_part_answers_sql() {
    let text = "id,name\n1,a\n2,b\n3,c\n4,a long name that stays where it was read\n5,e\n";
    block_on(async {
        let sql = "SELECT _row, name FROM source WHERE id <> '2' ORDER BY _row DESC";
        insta::assert_snapshot!("rows", ask(text, "\"csv\"", sql).await.unwrap());
        // Read twice in one plan, and once without any column.
        let sql = "SELECT count(*) AS n, (SELECT max(_row) FROM source) AS last FROM source AS a JOIN source AS b ON a.id = b.id";
        insta::assert_snapshot!("joined", ask(text, "\"csv\"", sql).await.unwrap());
    });
}

#[test]
fn a_broken_record_fails_the_query() {
    let error = block_on(ask("id,name\n1,a\n2\n", "\"csv\"", "SELECT * FROM source")).unwrap_err();
    assert!(
        error.contains("t.csv row 2: it has 1 field, the header has 2"),
        "{error}"
    );
}
