//! What is said to each mistake in a project's files.

use super::{CALLS, Folder, STOPS};
use crate::Outcome;

const DATA: (&str, &str) = (
    "data/stops.csv",
    "stop_id,stop_name,stop_lat\nA,Cầu Rào,20.8\n",
);

/// What is said to one pipeline file.
async fn said(yaml: &str) -> String {
    let folder = Folder::new(&[STOPS, CALLS, DATA, ("pipelines/city/bus.yaml", yaml)]);
    let problems = folder.problems().await;
    let page = problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    let page = page.replace(&format!("{}/", folder.path().display()), "");
    format!("{yaml}---\n{page}\n")
}

async fn pages(files: &[&str]) -> String {
    let mut pages = Vec::new();
    for file in files {
        pages.push(said(file).await);
    }
    pages.join("\n")
}

#[tokio::test]
async fn a_sound_file_has_none() {
    let yaml = "title: { vi: Xe buýt, en: Buses }
owner: bus@haiphong.example
licence: CC-BY-4.0
source:
  connector: files
  path: data/stops.csv
tables:
  city.stops:
    from: stops.csv
    load: replace
    map: |
      SELECT stop_id, stop_name AS name, stop_lat AS lat
      FROM source
on_reject: { max_share: 0.05 }
schedule: { cron: \"0 3 * * *\", time_zone: Asia/Ho_Chi_Minh }
after: []
checks: []
";
    assert_eq!(said(yaml).await, format!("{yaml}---\n\n"));
}

#[tokio::test]
async fn yaml_and_keys() {
    insta::assert_snapshot!(
        pages(&[
            "source: { connector: files, path: [\n",
            "",
            "# nothing\n",
            "tables: {}\n",
            "sorce: { connector: files }\n",
            "source: { connector: files, path: data/stops.csv }\ntabels: {}\n",
            "source: { connector: files, path: data/stops.csv }\nsource: {}\n",
            "source: { path: data/stops.csv }\n",
            "source:\n  conector: files\n  path: data/stops.csv\n",
            "source: { connector: fiels, path: data/stops.csv }\n",
            "source: { connector: zzz }\n",
            "source:\n  connector: files\n  pth: data/stops.csv\n",
            "source:\n  connector: files\n  path: 3\n",
            "source:\n  connector: files\n  path: data/stops.csv\n  format: { name: csv, delimeter: \";\" }\n",
        ])
        .await
    );
}

#[tokio::test]
async fn values_of_another_kind() {
    let fixed = |name: &str| {
        format!(
            "source:\n  connector: files\n  path: data/stops.csv\n  format:\n    name: fixed\n    columns:\n      - {{ name: stop_id, start: 1, width: 5 }}\n      - {{ name: {name}, start: 6, width: 5 }}\ntables:\n  city.stops: {{ load: replace, map: SELECT stop_id FROM source }}\n"
        )
    };
    let source = "source: { connector: files, path: data/stops.csv }\n";
    let files = [
        // YAML 1.2 has these as texts.
        fixed("n"),
        format!("title: no\nowner: off\n{source}"),
        fixed("2024"),
        fixed("true"),
        format!("{source}on_reject: {{ max_rows: -1 }}\n"),
        format!("{source}on_reject: {{ rules: {{ name.required: {{ max_rows: -1 }} }} }}\n"),
        format!("{source}on_reject: {{ max_share: few }}\n"),
        format!("{source}on_shrink: yes\n"),
    ];
    insta::assert_snapshot!(pages(&files.iter().map(String::as_str).collect::<Vec<_>>()).await);
}

#[tokio::test]
async fn tables_and_streams() {
    let source = "source: { connector: files, path: data/stops.csv }\n";
    let with = |rest: &str| format!("{source}{rest}");
    let files = [
        with(""),
        with("tables:\n  city.stop: {}\n"),
        with("tables:\n  stops: {}\n"),
        with("tables:\n  zoo.animals: {}\n"),
        with("tables:\n  meta.runs: {}\n"),
        with("tables:\n  city.stops: { form: stops.csv }\n"),
        with("tables:\n  city.stops: { load: replce }\n"),
        with("tables:\n  city.stops: { load: append, slice: month }\n"),
        with("tables:\n  city.stops: { slice: moon }\n"),
        with("tables:\n  city.stops: { unpivot: { keep: [a], nam: b } }\n"),
        with("on_reject: { max_share: 5 }\n"),
        with("on_reject: { max_shares: 0.5 }\n"),
        with("schedule: { cron: \"0 3 * *\" }\n"),
        with("schedule: { every: often }\n"),
        with("schedule: { cron: \"0 3 * * *\", time_zone: Hai Phong }\n"),
        with("after: [tram]\n"),
        "source: { connector: files, path: data }\ntables:\n  city.stops: { from: \"[\" }\n"
            .to_owned(),
    ];
    insta::assert_snapshot!(pages(&files.iter().map(String::as_str).collect::<Vec<_>>()).await);
}

#[tokio::test]
async fn what_comes_again_or_in_parts() {
    let with = |settings: &str, table: &str| {
        format!(
            "source: {{ connector: pages, path: data{settings} }}\ntables:\n  city.stops:\n{table}    map: SELECT stop_id, stop_name AS name FROM source\n"
        )
    };
    let follow = "    load: merge\n    deletions: follow\n";
    let files = [
        with(", whole: true", follow),
        with("", follow),
        with("", "    load: append\n"),
        with(", lookback: true", "    load: append\n"),
        with(", lookback: true", "    load: merge\n"),
    ];
    insta::assert_snapshot!(pages(&files.iter().map(String::as_str).collect::<Vec<_>>()).await);
}

#[tokio::test]
async fn mappings() {
    let with = |map: &str| {
        format!(
            "source: {{ connector: files, path: data/stops.csv }}\ntables:\n  city.stops:\n    map: {map}\n"
        )
    };
    let files = [
        with("|\n      SELECT stop_id,\n        stop_nam AS name\n      FROM source"),
        with("SELECT stop_id, stop_nam AS name FROM source"),
        with("\"SELECT stop_id, stop_nam AS name FROM source\""),
        with(">-\n      SELECT stop_id,\n        stop_nam AS name\n      FROM source"),
        with("|\n      SELECT stop_id,\n      stop_name AS nam FROM source"),
        with("|\n      SELECT stop_id FROM source"),
        with("|\n      SELEKT stop_id FROM source"),
        with("|\n      SELECT stop_id, max(stop_name) AS name FROM source GROUP BY stop_id"),
        "source: { connector: files, path: data/stops.csv }\ntables:\n  city.stops:\n".to_owned(),
        "source: { connector: files, path: data/stops.csv }\ntables:\n  city.calls:\n    unpivot: { keep: [stopid], name: a, value: b }\n    map: SELECT 1\n".to_owned(),
    ];
    insta::assert_snapshot!(pages(&files.iter().map(String::as_str).collect::<Vec<_>>()).await);
}

#[tokio::test]
async fn a_pipeline_feeds_something_and_waits_for_others() {
    let tables =
        "tables:\n  city.stops: { map: \"SELECT stop_id, stop_name AS name FROM source\" }\n";
    let folder = Folder::new(&[
        STOPS,
        DATA,
        (
            "pipelines/nothing.yaml",
            "source: { connector: files, path: data/stops.csv }\ntables: {}\n",
        ),
        (
            "pipelines/snake.yaml",
            &format!(
                "source: {{ connector: files, path: data/stops.csv }}\n{tables}after: [snake]\n"
            ),
        ),
    ]);
    let problems = folder.problems().await;
    let page: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(page.join("\n"), @r"
    pipelines/nothing.yaml:2:1: the pipeline feeds no table
    help: name a table, or leave `tables` out: then each stream with a default mapping feeds its own
    pipelines/snake.yaml:4:9: `snake` waits for itself
    help: name other pipelines
    ");
}

#[tokio::test]
async fn files_that_are_not_what_they_should_be() {
    let tables =
        "tables:\n  city.stops: { map: \"SELECT stop_id, stop_name AS name FROM source\" }\n";
    let folder = Folder::new(&[
        STOPS,
        ("data/empty.csv", ""),
        ("data/none.zip", "PK no zip"),
        (
            "pipelines/missing.yaml",
            &format!("source: {{ connector: files, path: data/gone.csv }}\n{tables}"),
        ),
        (
            "pipelines/empty.yaml",
            &format!("source: {{ connector: files, path: data/empty.csv }}\n{tables}"),
        ),
        (
            "pipelines/nozip.yaml",
            &format!("source: {{ connector: files, path: data/none.zip }}\n{tables}"),
        ),
    ]);
    let page = folder
        .problems()
        .await
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    insta::assert_snapshot!(page);
}

#[tokio::test]
async fn one_name_for_two_pipelines() {
    let yaml = "source: { connector: files, path: data/stops.csv, stops: true }\n";
    let folder = Folder::new(&[
        STOPS,
        DATA,
        ("pipelines/a/bus.yaml", yaml),
        ("pipelines/b/bus.yaml", yaml),
        ("pipelines/b/tram.yaml", yaml),
        ("pipelines/models/city/bus.yaml", "not: a pipeline"),
        ("pipelines/sectorlake.yaml", "memory: 1GiB\n"),
    ]);
    let page = folder
        .problems()
        .await
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    insta::assert_snapshot!(page);
    let page = folder.page(&["bus", "tram", "trm"]).await;
    insta::assert_snapshot!("one_name_for_two_pipelines_when_run", page);
}

#[tokio::test]
async fn settings_of_the_whole_and_contracts() {
    let folder = Folder::new(&[
        ("pipelines/sectorlake.yaml", "memory: plenty\n"),
        (
            "schemas/city/stops.json",
            "{\"fields\": [{\"name\": \"a\", \"type\": \"strng\"}]}",
        ),
        ("schemas/city/old/stops.json", "{}"),
    ]);
    let mut page = folder
        .problems()
        .await
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    for settings in [
        "memroy: 1GiB\n",
        "memory: 1MiB\n",
        "# nothing\n",
        "memory: 2 GiB\n",
    ] {
        folder.write("pipelines/sectorlake.yaml", settings);
        page.push(match crate::memory_bytes_max(folder.path()) {
            Ok(bytes) => bytes.to_string(),
            Err(problem) => problem.to_string(),
        });
    }
    insta::assert_snapshot!(page.join("\n"));
}

#[test]
fn editors_get_one_schema() {
    let schema = crate::json_schema(&super::connectors::registry());
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema).unwrap());
}

/// Connectors know no formats: theirs is an object, and the schema puts the formats' own options in its place.
#[test]
fn editors_complete_the_options_of_a_format() {
    let schema = crate::json_schema(&super::connectors::registry());
    let formats = schema["$defs"]["FormatOptions"]["oneOf"]
        .as_array()
        .unwrap();
    let html = formats
        .iter()
        .find(|it| it["properties"]["name"]["const"] == "html");
    let page = serde_json::json!({
        "the connector's": schema["$defs"]["connector_files"]["properties"]["format"],
        "html": html.unwrap(),
    });
    insta::assert_snapshot!(serde_json::to_string_pretty(&page).unwrap());
}

#[tokio::test]
async fn a_wrong_contract_is_not_replaced_by_the_built_in_one() {
    let pipeline = "source: { connector: files, path: data/stops.csv }
tables:
  transport.stops: { load: replace, map: \"SELECT stop_id, stop_name FROM source\" }
";
    let mut folder = Folder::new(&[DATA, ("pipelines/bus.yaml", pipeline)]);
    assert_eq!(folder.problems().await, []);
    let wrong = ("schemas/transport/stops.json", "{\"fields\": 7}");
    folder = Folder::new(&[DATA, ("pipelines/bus.yaml", pipeline), wrong]);
    let problems = folder.problems().await;
    let result = folder.run(&["bus"]).await.remove(0);
    let Outcome::Failed(failure) = result.outcome else {
        unreachable!("{:?}", result.outcome)
    };
    assert_eq!(failure.to_string(), problems[0].to_string());
    assert!(problems[0].file.ends_with(wrong.0), "{problems:?}");
}
