//! Mappings that look places up in the lake's own tables.

use super::Folder;
use crate::Outcome;

const PLACES: (&str, &str) = (
    "schemas/common/places.json",
    r#"{"fields": [
        {"name": "place_code", "type": "string"}, {"name": "valid_from", "type": "date"}, {"name": "name", "type": "string"},
        {"name": "full_name", "type": "string"}, {"name": "level", "type": "string"}, {"name": "parent_code", "type": "string"}
    ], "primaryKey": ["place_code", "valid_from"], "sectorlake": {"key_scope": "lake"}}"#,
);
const SCHOOLS: (&str, &str) = (
    "schemas/city/schools.json",
    r#"{"fields": [{"name": "school", "type": "string"}, {"name": "place_code", "type": "string", "constraints": {"required": true}}], "primaryKey": "school"}"#,
);
const UNITS: (&str, &str) = (
    "pipelines/units.yaml",
    "source: { connector: files, path: units.csv }\ntables:\n  common.places: {}\n",
);
const LIST: (&str, &str) = (
    "pipelines/list.yaml",
    "source: { connector: files, path: list.csv }\ntables:\n  city.schools: { map: \"SELECT school, place_code(ward, 'Hải Phòng') AS place_code FROM source\" }\non_reject: { max_share: 1 }\n",
);
const HEAD: &str = "place_code,valid_from,name,full_name,level,parent_code\n31,2025-07-01,Hải Phòng,Thành phố Hải Phòng,province,\n11311,2025-07-01,Hồng Bàng,Phường Hồng Bàng,ward,31\n";

#[tokio::test]
async fn an_unknown_place_rejects_its_row_until_the_places_know_it() {
    let folder = Folder::new(&[PLACES, SCHOOLS, UNITS, LIST]);
    folder.write("units.csv", HEAD);
    folder.write(
        "list.csv",
        "school,ward\nA,P. Hong Bang\nB,Phường Lê Chân\n",
    );
    // Without places each row is rejected, and the message says what to load.
    let mut told = vec![folder.page(&["list"]).await];
    told.push(folder.page(&["units"]).await);
    told.push(folder.page(&["list"]).await);
    assert!(matches!(
        folder.run(&["list"]).await[0].outcome,
        Outcome::Unchanged
    ));
    // The same list is mapped again when the places have changed.
    folder.write(
        "units.csv",
        &format!("{HEAD}11407,2025-07-01,Lê Chân,Phường Lê Chân,ward,31\n"),
    );
    folder.run(&["units"]).await;
    told.push(folder.page(&["list"]).await);
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(folder.rows("city.schools").await, [("list".to_owned(), 2)]);
}

#[tokio::test]
async fn who_looks_places_up_runs_after_who_feeds_them() {
    let changes = (
        "pipelines/changes.yaml",
        "source: { connector: files, path: changes.csv }\ntables:\n  common.places: { map: \"SELECT place_code, place_ended(place_code, valid_from) AS name FROM source\" }\n",
    );
    let folder = Folder::new(&[PLACES, SCHOOLS, UNITS, LIST, changes]);
    let project = folder.context().await.project;
    assert_eq!(project.names(), ["units", "changes", "list"]);
}
