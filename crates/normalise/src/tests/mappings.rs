//! What mapping SQL may say, and what is said to it.

use std::sync::Arc;

use sectorlake_contract::Contract;

use super::{contract, page, source, spec};

fn stops() -> Arc<Contract> {
    contract(
        r#"{"name": "stop_id", "type": "string"}, {"name": "name", "type": "string"}, {"name": "lat", "type": "number"}"#,
        r#", "primaryKey": ["stop_id"]"#,
    )
}

async fn mapped(sql: &str) -> String {
    let decoded = source(
        &["stop_id", "stop_name", "stop_lat", "tags", "Tỉnh"],
        &[
            &["A", "Cầu Rào", "20.8", r#"["x","y"]"#, "HP"],
            &["B", "An Dương", "oops", "[]", "HP"],
            &["C", "", "", "[\"z\"]", "HN"],
        ],
    );
    page(&spec(&stops(), Some(sql)), &decoded).await
}

#[tokio::test]
async fn plain_columns_and_constants() {
    insta::assert_snapshot!(
        mapped("SELECT stop_id, stop_name AS name, 1.5 AS lat FROM source").await
    );
}

#[tokio::test]
async fn expressions_filters_and_parameters() {
    insta::assert_snapshot!(
        mapped("SELECT stop_id, $pipeline || ': ' || vn_unaccent(stop_name) AS name, stop_lat AS lat FROM source WHERE \"Tỉnh\" = 'HP'").await
    );
}

#[tokio::test]
async fn a_failing_expression_rejects_its_record_alone() {
    insta::assert_snapshot!(mapped("SELECT stop_id, stop_name AS name, CAST(NULLIF(stop_lat, '') AS DOUBLE) AS lat FROM source").await);
}

#[tokio::test]
async fn a_record_may_give_several_rows() {
    insta::assert_snapshot!(mapped("SELECT stop_id, stop_name AS name FROM source UNION ALL SELECT stop_id || '2', NULL FROM source WHERE stop_id <> 'C'").await);
    insta::assert_snapshot!("a_list_is_unnested", mapped("SELECT stop_id || tag AS stop_id FROM (SELECT stop_id, unnest(json_get_array(tags)) AS tag FROM source) AS t").await);
}

#[tokio::test]
async fn a_list_may_be_all_that_is_taken() {
    insta::assert_snapshot!(
        mapped("SELECT stop_id FROM source UNION ALL SELECT json_as_text(tag) FROM (SELECT unnest(json_get_array(tags)) AS tag FROM source) AS t").await
    );
    insta::assert_snapshot!(
        "a_list_alone",
        mapped("SELECT unnest(json_get_array(tags)) AS stop_id FROM source").await
    );
}

#[tokio::test]
async fn several_things_are_taken_from_each_item() {
    let decoded = source(
        &["Code", "Wards"],
        &[&[
            "31",
            r#"[{"Code": "1", "Name": "a"}, {"Code": "2", "Name": "b"}]"#,
        ]],
    );
    let sql = r#"
        SELECT "Code" AS stop_id, 'p' AS name FROM source
        UNION ALL
        SELECT json_get_str(ward, 'Code'), json_get_str(ward, 'Name') FROM (SELECT unnest(json_get_array("Wards")) AS ward FROM source) AS wards"#;
    insta::assert_snapshot!(page(&spec(&stops(), Some(sql)), &decoded).await);
}

#[tokio::test]
async fn a_look_up_joins_by_key() {
    insta::assert_snapshot!(
        mapped("SELECT stop_id, p.name FROM source LEFT JOIN (VALUES ('HP', 'Hải Phòng'), ('HN', 'Hà Nội')) AS p(code, name) ON p.code = \"Tỉnh\"").await
    );
}

#[tokio::test]
async fn an_expression_means_what_it_means_in_a_question() {
    let decoded = source(
        &["_record"],
        &[
            &[r#"{"id": "A", "kind": "bus", "name": "Cầu Rào"}"#],
            &[r#"{"id": "B", "kind": "tram", "name": "An Dương"}"#],
        ],
    );
    let sql = "SELECT _record ->> 'id' AS stop_id, CASE WHEN _record ->> 'name' ILIKE 'cầu%' THEN 'x' END AS name FROM source \
        WHERE _record ->> 'kind' = 'bus' \
        UNION ALL SELECT _record ->> 'id' || '2', NULL FROM source WHERE _record ->> 'kind' IN ('tram')";
    insta::assert_snapshot!(page(&spec(&stops(), Some(sql)), &decoded).await);
    insta::assert_snapshot!(
        "names_of_later_arms_do_not_matter",
        mapped("SELECT stop_id, stop_name AS name, stop_lat AS lat FROM source WHERE stop_id = 'C' UNION ALL SELECT 'Z', NULL, NULL FROM source WHERE stop_id = 'C'").await
    );
}

#[tokio::test]
async fn everything_by_name() {
    let decoded = source(&["stop_id", "name", "more"], &[&["A", "x", "-"]]);
    insta::assert_snapshot!(page(&spec(&stops(), Some("SELECT * FROM source")), &decoded).await);
    assert_eq!(
        page(&spec(&stops(), None), &decoded).await,
        page(&spec(&stops(), Some("SELECT * FROM source")), &decoded).await
    );
}

#[tokio::test]
async fn of_everything_only_what_a_field_takes_is_read() {
    let decoded = source(&["more", "stop_id", "_record"], &[&["-", "A", "{}"]]);
    let session = crate::mapping_session().unwrap();
    let spec = spec(&stops(), Some("SELECT * FROM source"));
    let columns = decoded.batch.schema();
    let normaliser = crate::Normaliser::compile(&spec, &columns, &session);
    assert_eq!(normaliser.await.unwrap().projection(), [1]);
}

#[tokio::test]
async fn of_an_inner_select_all_only_what_is_taken_is_read() {
    insta::assert_snapshot!(
        mapped("SELECT stop_id, name FROM (SELECT *, stop_name AS name FROM source) AS s UNION ALL SELECT * FROM (SELECT 'x', stop_name FROM source WHERE stop_id = 'A') AS t").await
    );
}

#[tokio::test]
async fn what_is_taken_by_name_fits_somewhere() {
    let contract = contract(
        r#"{"name": "a", "type": "string"}, {"name": "b", "type": "string"}"#,
        "",
    );
    let mut pages = Vec::new();
    for header in [[" a ", " b"], ["x", "y"], ["a", "B"], ["a", "y"]] {
        for sql in [None, Some("SELECT * FROM source"), Some("FROM source")] {
            let decoded = source(&header, &[&["1", "2"]]);
            let told = page(&spec(&contract, sql), &decoded).await;
            pages.push(format!("{header:?} {sql:?}\n{told}"));
        }
    }
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[tokio::test]
async fn what_belongs_in_a_model_is_refused() {
    let mut pages = Vec::new();
    for sql in [
        "SELECT stop_id, count(*) AS lat FROM source GROUP BY stop_id",
        "SELECT DISTINCT stop_id FROM source",
        "SELECT stop_id FROM source UNION SELECT stop_id FROM source",
        "SELECT stop_id, row_number() OVER () AS lat FROM source",
        "SELECT stop_id FROM source ORDER BY stop_id",
        "SELECT stop_id FROM source LIMIT 1",
        "SELECT stop_id FROM source WHERE stop_id IN (SELECT stop_id FROM source)",
        "SELECT a.stop_id FROM source AS a JOIN source AS b ON a.stop_id = b.stop_id",
        "SELECT stop_id FROM source FULL JOIN (VALUES ('HP')) AS p(code) ON p.code = \"Tỉnh\"",
        "SELECT 'x' AS stop_id",
        "CREATE TABLE t AS SELECT 1",
        "DROP TABLE source",
        "SELECT stop_id FROM source; SELECT 1",
        "SELECT table_name AS stop_id FROM information_schema.tables",
        "SELECT CAST(value AS VARCHAR) AS stop_id FROM generate_series(1, 3)",
    ] {
        pages.push(format!("{sql}\n{}", mapped(sql).await));
    }
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[tokio::test]
async fn slips_are_told_with_place_and_mend() {
    let mut pages = Vec::new();
    for sql in [
        "SELECT stop_id,\n  stop_nam AS name FROM source",
        "SELECT stop_id, Tỉnh AS name FROM source",
        "SELECT stop_id,\n  lenght(stop_name) AS name FROM source",
        "SELEC stop_id FROM source",
        "SELECT stop_id FROM sourc",
        "SELECT stop_id,\n stop_name name,\n FROM source",
        "SELECT stop_id, stop_name AS nam FROM source",
        "SELECT stop_id AS stopid FROM source",
        "SELECT stop_id, stop_id FROM source",
        "SELECT stop_name AS name FROM source",
        "SELECT stop_id, $nothing AS name FROM source",
        "SELECT stop_id, struct(1) AS lat FROM source",
        "SELECT stop_id, stop_lat * 2 AS lat FROM source",
        "",
    ] {
        pages.push(format!("{sql}\n{}", mapped(sql).await));
    }
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[tokio::test]
async fn a_source_without_a_required_column_names_the_nearest() {
    let decoded = source(&["stopid", "more"], &[&["A", "x"]]);
    insta::assert_snapshot!(page(&spec(&stops(), None), &decoded).await);
}

#[tokio::test]
async fn columns_of_the_standard_that_are_absent_read_as_null() {
    let decoded = source(&["stop_id"], &[&["A"]]);
    let mut spec = spec(
        &stops(),
        Some(
            "SELECT stop_id, stop_name AS name, CASE WHEN stop_lat = '' THEN NULL ELSE stop_lat END AS lat FROM source",
        ),
    );
    spec.mapping.as_mut().unwrap().columns = vec!["stop_name".to_owned(), "stop_lat".to_owned()];
    insta::assert_snapshot!(page(&spec, &decoded).await);
}

#[tokio::test]
async fn fields_that_no_mapping_gives_take_their_constant() {
    let decoded = source(&["name"], &[&["x"], &["y"]]);
    let mut spec = spec(&stops(), None);
    spec.constants.insert("stop_id".to_owned(), "S".to_owned());
    insta::assert_snapshot!(page(&spec, &decoded).await);
}

/// The last page of an API has no records, and so no columns: that is no mistake of the mapping.
#[tokio::test]
async fn a_part_without_records_fits_every_mapping() {
    let nothing = source(&["_record"], &[]);
    let contract = contract(
        r#"{ "name": "stop_id", "type": "string", "constraints": { "required": true } }, { "name": "lat", "type": "number" }"#,
        "",
    );
    for sql in [
        None,
        Some("SELECT Code AS stop_id, \"Vĩ độ\" AS lat FROM source WHERE year > 2020"),
        Some("SELECT *, lower(id) AS stop FROM source"),
        Some(
            "SELECT s.code AS stop_id FROM (SELECT unnest(json_get_array(tags)) AS code FROM source) AS s",
        ),
        Some("SELECT json_as_text(_record, 'id') AS stop_id FROM source"),
    ] {
        let said = page(&spec(&contract, sql), &nothing).await;
        assert!(!said.contains("help:"), "{sql:?}: {said}");
    }
}
