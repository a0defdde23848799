//! What is said to each mistake in settings.

#![expect(clippy::unwrap_used, reason = "tests")]
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Settings {
    /// Where the file lies. Relative to the project.
    path: String,
    #[serde(default)]
    station: Option<Station>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    ids: Vec<u64>,
    #[serde(default)]
    bbox: Option<[f64; 4]>,
    #[serde(default)]
    layout: Layout,
    #[serde(default)]
    other: Option<Layout>,
    #[serde(default)]
    pages: Option<Pages>,
    #[serde(default)]
    tables: Option<Tables>,
    #[serde(default)]
    #[schemars(extend("examples" = ["30s"]))]
    patience: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Pages {
    layout: Layout,
    size: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Tables {
    All(Layout),
    Names(Vec<String>),
    Options(BTreeMap<String, Option<Station>>),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Station {
    /// The id that the network gives.
    id: String,
    latitude: Option<f64>,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
enum Layout {
    /// As it comes.
    #[default]
    Live,
    /// As it was.
    Archive,
}

fn say(settings: Value) -> String {
    let schema = schemars::schema_for!(Settings).to_value();
    let Err(error) = check(&settings, &schema, "demo") else {
        return "fine".to_owned();
    };
    error
        .help
        .as_ref()
        .map_or(error.to_string(), |help| format!("{error} / {help}"))
}

#[test]
fn each_mistake_has_a_place_and_a_mend() {
    let all = [
        json!({"path": "a", "station": {"id": "x", "latitude": 10}, "ids": [1], "layout": "live"}),
        json!({"path": "a", "station": null, "headers": {"accept": "text/csv"}}),
        json!({"pth": "a"}),
        json!({"path": "a", "wholly_else": 1}),
        json!({"layout": "live"}),
        json!({"path": 7}),
        json!({"path": ["a"]}),
        json!({"path": "a", "station": {"id": "x", "lattitude": 1}}),
        json!({"path": "a", "station": {"latitude": 1}}),
        json!({"path": "a", "station": {"id": 12}}),
        json!({"path": "a", "station": "x"}),
        json!({"path": "a", "headers": {"accept": true}}),
        json!({"path": "a", "ids": [1, "2"]}),
        json!({"path": "a", "ids": [1.5]}),
        json!({"path": "a", "ids": [-1]}),
        json!({"path": "a", "bbox": [1, 2, 3]}),
        json!({"path": "a", "layout": "archiv"}),
        json!({"path": "a", "layout": "zzz"}),
        json!({"path": "a", "other": "zzz"}),
        json!({"path": "a", "other": 7}),
        json!({"path": "a", "pages": "archive"}),
        json!({"path": "a", "pages": 7}),
        json!({"path": "a", "tables": {"trams": {"id": "x", "lattitude": 1}}}),
        json!({"path": "a", "tables": {"trams": {"latitude": 1}}}),
        json!({"path": "a", "tables": {"trams": "x"}}),
        json!({"path": "a", "tables": "al"}),
        json!({"path": "a", "tables": 7}),
        json!({"path": "a", "patience": 20}),
        json!({"path": "a", "patience": 1.5}),
    ];
    let said: Vec<String> = all.into_iter().map(say).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    fine
    fine
    pth: unknown setting / did you mean `path`?
    wholly_else: unknown setting / demo takes: bbox, headers, ids, layout, other, pages, path, patience, station, tables
    `path` is missing / path: Where the file lies.
    path: must be a text, not 7 / write it in quotes: "7"
    path: must be a text, not a list
    station.lattitude: unknown setting / did you mean `latitude`?
    station: `id` is missing / id: The id that the network gives.
    station.id: must be a text, not 12 / write it in quotes: "12"
    station: must be keys with values, not a text / write station: { id: … }; its keys are: id, latitude
    headers.accept: must be a text, not true / write it in quotes: "true"
    ids[1]: must be a whole number, not a text
    ids[0]: must be a whole number, not 1.5
    ids[0]: must be at least 0, not -1
    bbox: must be at least 4 entries, not 3
    layout: "archiv" is none of its values / did you mean `archive`?
    layout: "zzz" is none of its values / one of: live, archive
    other: "zzz" is none of its values / one of: live, archive
    other: must be a text, not 7 / write it in quotes: "7"
    pages: must be keys with values, not a text / write pages: { layout: archive }; its keys are: layout, size
    pages: must be keys with values, not 7 / write pages: { layout: … }; its keys are: layout, size
    tables.trams.lattitude: unknown setting / did you mean `latitude`?
    tables.trams: `id` is missing / id: The id that the network gives.
    tables.trams: must be keys with values, not a text / write trams: { id: … }; its keys are: id, latitude
    tables: "al" is none of its values / one of: live, archive
    tables: must be a text or a list or keys with values, not 7 / write it in quotes: "7"
    patience: must be a text, not 20 / write it with its unit: 20s
    patience: must be a text, not 1.5 / write it with its unit: 1.5s
    "#);
}

#[test]
fn the_path_leads_to_the_mistake() {
    let schema = schemars::schema_for!(Settings).to_value();
    let settings = json!({"path": "a", "station": {"id": "x", "lattitude": 1}});
    let error = check(&settings, &schema, "demo").unwrap_err();
    assert_eq!(error.path, ["station", "lattitude"]);
}

#[test]
fn what_all_sources_have_is_told_with_its_keys() {
    let mut schema = schemars::schema_for!(Station).to_value();
    crate::http::merged(&mut schema);
    let say = |settings: Value| {
        let error = check(&settings, &schema, "demo").unwrap_err();
        format!("{error} / {}", error.help.as_deref().unwrap_or_default())
            .trim()
            .to_owned()
    };
    let all = [
        json!({"id": "a", "timeouts": {"total": 20}}),
        json!({"id": "a", "rate": "5/s"}),
        json!({"id": "a", "rate": {"per_secon": 5}}),
        json!({"id": "a", "auth": "secret"}),
        json!({"id": "a", "auth": {"basic": "ann:secret"}}),
        json!({"id": "a", "tls": true}),
        json!({"id": "a", "allow_private": "yes"}),
    ];
    let said: Vec<String> = all.into_iter().map(say).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    timeouts.total: must be a text, not 20 / write it with its unit: 20s
    rate: must be keys with values, not a text / its keys are: concurrent, per_second
    rate.per_secon: unknown setting / did you mean `per_second`?
    auth: must be keys with values, not a text / its keys are: basic, bearer, header, oauth2, query
    auth.basic: must be keys with values, not a text / write basic: { user: …, password: … }; its keys are: password, user
    tls: must be keys with values, not true / its keys are: ca, fingerprint
    allow_private: must be true or false or a list, not a text /
    ");
}
