//! Replace, append and merge; resuming; archives; and that rows add up.

use proptest::prelude::*;

use super::{CALLS, Folder, STOPS, shown};
use crate::Outcome;

fn pages(load: &str, files: &[(&str, &str)]) -> Folder {
    let yaml = format!(
        "source: {{ connector: pages, path: data }}\ntables:\n  city.stops: {{ load: {load} }}\n"
    );
    let folder = Folder::new(&[STOPS, ("pipelines/bus.yaml", &yaml)]);
    for (name, rows) in files {
        folder.write(
            &format!("data/{name}.csv"),
            &format!("stop_id,name\n{rows}"),
        );
    }
    folder
}

#[tokio::test]
async fn append_loads_no_part_twice() {
    let folder = pages("append", &[("1", "A,a\n"), ("2", "B,b\n")]);
    let mut told = vec![folder.page(&["bus"]).await, folder.page(&["bus"]).await];
    folder.write("data/3.csv", "stop_id,name\nC,c\n");
    told.push(folder.page(&["bus"]).await);
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 3)]);
}

#[tokio::test]
async fn a_run_takes_up_what_one_before_it_fetched() {
    let folder = pages("append", &[("1", "A,a\n"), ("2", "B,b\n"), ("gone", "")]);
    let failed = folder.page(&["bus"]).await;
    assert!(folder.rows("city.stops").await.is_empty());
    std::fs::remove_file(folder.path().join("data/gone.csv")).unwrap();
    // The source no longer has the first page: it was fetched, so it is not lost.
    std::fs::remove_file(folder.path().join("data/1.csv")).unwrap();
    insta::assert_snapshot!(format!("{failed}\n{}", folder.page(&["bus"]).await));
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 2)]);
}

#[tokio::test]
async fn merge_keeps_the_last_of_each_key() {
    let folder = pages("merge", &[("1", "A,a\nB,b\nA,a2\n")]);
    let mut told = vec![folder.page(&["bus"]).await];
    folder.write("data/2.csv", "stop_id,name\nB,b\nC,c\nA,a3\n");
    told.push(folder.page(&["bus"]).await);
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 3)]);
}

/// A part that came before byte by byte says what holds now, if another came between.
#[tokio::test]
async fn what_is_taken_back_is_merged_again() {
    let folder = pages("merge", &[("1", "A,a\n")]);
    folder.run(&["bus"]).await;
    let mut told = Vec::new();
    for (page, row) in [("2", "A,b\n"), ("3", "A,a\n"), ("4", "A,a\n")] {
        folder.write(&format!("data/{page}.csv"), &format!("stop_id,name\n{row}"));
        told.push(folder.page(&["bus"]).await);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn replace_of_a_source_that_goes_on_is_all_that_was_fetched() {
    let folder = pages("replace", &[("1", "A,a\n")]);
    folder.run(&["bus"]).await;
    folder.write("data/2.csv", "stop_id,name\nB,b\n");
    folder.run(&["bus"]).await;
    assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 2)]);
}

#[tokio::test]
async fn members_of_an_archive_are_told_apart() {
    let folder = Folder::new(&[
        (
            "schemas/city/readings.json",
            r#"{"fields": [{"name": "createdAt", "type": "string"}, {"name": "value", "type": "string"}]}"#,
        ),
        (
            "pipelines/air.yaml",
            "source: { connector: files, path: data, format: { name: csv, delimiter: \";\", short_records: fill } }\ntables:\n  city.readings: { from: \"*.csv\", map: 'SELECT \"Time\" AS \"createdAt\", \"SDS_P1\" AS value FROM source' }\n",
        ),
    ]);
    let real = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/data/environment/hcmc_sensor_12779556_2018-10.zip"
    );
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    std::fs::copy(real, folder.path().join("data/air.zip")).unwrap();
    let results = folder.run(&["air"]).await;
    assert!(
        matches!(results[0].outcome, Outcome::Published { .. }),
        "{}",
        shown(&results[0])
    );
    // Counted by another tool: tests/data/counts.json.
    let counts: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/data/counts.json")).unwrap();
    let counts = counts["environment/hcmc_sensor_12779556_2018-10.zip"]["counts"]
        .as_object()
        .unwrap();
    assert_eq!(results[0].parts.len(), counts.len());
    for part in &results[0].parts {
        let member = part.name.split('!').nth(1).unwrap();
        assert_eq!(Some(part.records), counts[member].as_u64(), "{member}");
        assert!(part.part.ends_with(member), "{}", part.part);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn rows_add_up_whatever_the_parallelism(
        rows in prop::collection::vec(("[A-D]?[0-9]{0,2}", "[a-z]{0,2}", "[0-9]{1,3}|x"), 0..300),
        short in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut lines: Vec<String> = rows.iter().map(|(id, name, lat)| format!("{id},{name},{lat}")).collect();
        for at in short.iter().filter(|_| !rows.is_empty()) {
            lines[at.index(rows.len())] = "ragged".to_owned();
        }
        let folder = Folder::new(&[
            STOPS,
            ("data/stops.csv", &format!("stop_id,name,lat\n{}\n", lines.join("\n"))),
            ("pipelines/bus.yaml", "source: { connector: files, path: data/stops.csv }\ntables: { city.stops: {} }\non_reject: { max_share: 1 }\n"),
        ]);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let result = runtime.block_on(folder.run(&["bus"])).remove(0);
        prop_assert!(matches!(result.outcome, Outcome::Published { .. }), "{}", shown(&result));
        let (table, part) = (&result.tables[0], &result.parts[0]);
        prop_assert!(table.balances());
        prop_assert_eq!(part.records, lines.iter().filter(|line| !line.is_empty()).count() as u64);
        prop_assert_eq!(part.records, part.decoded + part.broken);
        // A key's first good row stays, so what is loaded can be counted here.
        let mut keys = std::collections::BTreeSet::new();
        for line in &lines {
            let fields: Vec<&str> = line.split(',').collect();
            if let [id, name, lat] = fields[..]
                && !id.is_empty() && !name.is_empty() && lat.parse::<f64>().is_ok_and(|lat| lat <= 90.0)
            {
                keys.insert(id.to_owned());
            }
        }
        prop_assert_eq!(table.loaded, keys.len() as u64);
    }
}

/// What the source was asked for since this was last looked at.
fn asked(folder: &Folder) -> String {
    let path = folder.path().join("asked");
    let asked = std::fs::read_to_string(&path).unwrap_or_default();
    let _ = std::fs::remove_file(path);
    asked
}

#[tokio::test]
async fn a_fetch_goes_on_where_the_last_one_broke_off() {
    for (load, whole) in [("append", false), ("merge", false), ("replace", true)] {
        let folder = pages(load, &[("1", "A,a\n"), ("2", "B,b\n"), ("3", "C,c\n")]);
        let yaml = format!(
            "source: {{ connector: pages, path: data, whole: {whole} }}\ntables:\n  city.stops: {{ load: {load} }}\n"
        );
        folder.write("pipelines/bus.yaml", &yaml);
        folder.write("data/gone.csv", "");
        folder.run(&["bus"]).await;
        assert_eq!(asked(&folder), "1.csv 2.csv 3.csv gone.csv ");
        // It still fails: what is there stays taken up.
        folder.run(&["bus"]).await;
        assert_eq!(asked(&folder), "gone.csv ");
        std::fs::remove_file(folder.path().join("data/gone.csv")).unwrap();
        folder.write("data/4.csv", "stop_id,name\nD,d\n");
        let page = folder.page(&["bus"]).await;
        assert_eq!(asked(&folder), "4.csv ");
        assert!(page.contains("note: 3 parts that a run before had fetched, but not loaded, did not have to be fetched again"), "{page}");
        assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 4)]);
        // Nothing is taken up twice.
        folder.run(&["bus"]).await;
        let all = "1.csv 2.csv 3.csv 4.csv ";
        assert_eq!(asked(&folder), if whole { all } else { "" });
        assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 4)]);
    }
}

/// A part that no mapping fits stops a pipeline only for as long as the source has it so.
#[tokio::test]
async fn what_does_not_load_is_asked_for_again() {
    let mut told = Vec::new();
    for load in ["append", "merge"] {
        let folder = pages(load, &[("1", "A,a\n")]);
        folder.run(&["bus"]).await;
        folder.write("data/2.csv", "stop_id,label\nB,b\n");
        told.push(format!("{load}: {}", folder.page(&["bus"]).await));
        asked(&folder);
        let failed = folder.run(&["bus"]).await;
        assert!(matches!(failed[0].outcome, Outcome::Failed(_)));
        // The source still has it so.
        assert_eq!(asked(&folder), "2.csv ");
        folder.write("data/2.csv", "stop_id,name\nB,b\n");
        folder.write("data/3.csv", "stop_id,name\nC,c\n");
        told.push(folder.page(&["bus"]).await);
        // First what is new, then what does not load and all after it.
        assert_eq!(asked(&folder), "3.csv 2.csv 3.csv ");
        assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 3)]);
        // What did not load is out of the way for good, under other rules too.
        let yaml = format!(
            "source: {{ connector: pages, path: data }}\ntables:\n  city.stops: {{ load: {load}, map: \"SELECT stop_id, upper(name) AS name FROM source\" }}\n"
        );
        folder.write("pipelines/bus.yaml", &yaml);
        folder.write("data/4.csv", "stop_id,name\nD,d\n");
        folder.run(&["bus"]).await;
        assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 4)]);
    }
    insta::assert_snapshot!(told.join("\n"));
}

/// Of many parts at hand those that no mapping fits, and that the source gives no more, are left aside; they come in under a
/// mapping that fits them.
#[tokio::test]
async fn what_does_not_load_keeps_nothing_else_back() {
    let mut told = Vec::new();
    for load in ["append", "merge"] {
        let folder = pages(load, &[("1", "A,a\n")]);
        folder.run(&["bus"]).await;
        // Fetched by a run that breaks off, as by polls between two batches.
        folder.write("data/2.csv", "stop_id,name\nB,b\n");
        folder.write("data/3.csv", "stop_id,label\nC,c\n");
        folder.write("data/4.csv", "stop_id,name\nD,d\n");
        folder.write("data/gone.csv", "");
        folder.run(&["bus"]).await;
        // The source has forgotten it by now.
        for gone in ["data/gone.csv", "data/3.csv"] {
            std::fs::remove_file(folder.path().join(gone)).unwrap();
        }
        told.push(format!("{load}: {}", folder.page(&["bus"]).await));
        assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 3)]);
        told.push(folder.page(&["bus"]).await);
        let yaml = format!(
            "source: {{ connector: pages, path: data }}\non_drift: warn\ntables:\n  city.stops: {{ load: {load}, map: \"SELECT stop_id, stop_id AS name FROM source\" }}\n"
        );
        folder.write("pipelines/bus.yaml", &yaml);
        folder.write("data/5.csv", "stop_id,name\nE,e\n");
        folder.run(&["bus"]).await;
        assert_eq!(folder.rows("city.stops").await, [("bus".to_owned(), 5)]);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn from_names_one_of_several_files() {
    let yaml = "source: { connector: pages, path: data, whole: true }
tables:
  city.stops: { from: stops.csv }
  city.calls: { from: \"calls_*.csv\", load: replace }
";
    let folder = Folder::new(&[
        STOPS,
        CALLS,
        ("pipelines/bus.yaml", yaml),
        ("data/calls_1.csv", "trip,n,stop_id\nt,1,A\n"),
        ("data/calls_2.csv", "trip,n,stop_id\nt,2,A\nt,3,gone\n"),
        ("data/more.csv", "other\nx\n"),
        ("data/stops.csv", "stop_id,name\nA,a\n"),
    ]);
    let mut told = vec![format!("{:?}", folder.problems().await)];
    told.push(folder.page(&["bus"]).await);
    folder.write(
        "pipelines/bus.yaml",
        &yaml.replace("from: stops", "from: stop"),
    );
    told.push(folder.page(&["bus"]).await);
    let problems = folder.problems().await;
    let problems = problems.iter().map(ToString::to_string);
    told.extend(problems.map(|it| it.replace(&format!("{}/", folder.path().display()), "")));
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn two_files_of_the_same_bytes_are_two() {
    let mut told = Vec::new();
    for load in ["replace", "append"] {
        let yaml = format!(
            "source: {{ connector: pages, path: data, whole: true }}\ntables:\n  city.logs: {{ load: {load} }}\n"
        );
        let folder = Folder::new(&[
            (
                "schemas/city/logs.json",
                r#"{"fields": [{"name": "value", "type": "integer"}]}"#,
            ),
            ("pipelines/log.yaml", &yaml),
            ("data/a.csv", "value\n1\n2\n"),
            ("data/b.csv", "value\n1\n2\n"),
        ]);
        told.push(format!("{load}: {}", folder.page(&["log"]).await));
        told.push(folder.page(&["log"]).await);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn many_of_the_same_bytes_are_told_once() {
    let yaml = "source: { connector: pages, path: data, whole: true }\ntables:\n  city.logs: { load: append }\n";
    let folder = Folder::new(&[
        (
            "schemas/city/logs.json",
            r#"{"fields": [{"name": "value", "type": "integer"}]}"#,
        ),
        ("pipelines/log.yaml", yaml),
    ]);
    for number in 0..9 {
        folder.write(&format!("data/{number}.csv"), "value\n1\n2\n");
    }
    let page = folder.page(&["log"]).await;
    assert_eq!(page.matches("the same content").count(), 1, "{page}");
    let told = "8 parts have the same content as others, data/1.csv that of data/0.csv, for one: `load: append` takes each content once";
    assert!(page.contains(told), "{page}");
}

#[tokio::test]
async fn a_source_without_records_has_no_drift() {
    let yaml = "source: { connector: files, path: data.json }
tables:
  city.stops: { on_shrink: allow, map: \"SELECT stop_id, name, lat FROM source\" }
";
    let full = r#"[{"stop_id":"A","name":"Cầu Rào","lat":20.8},{"stop_id":"B","name":"An Dương","lat":20.9}]"#;
    let folder = Folder::new(&[STOPS, ("pipelines/bus.yaml", yaml), ("data.json", full)]);
    folder.run(&["bus"]).await;
    folder.write("data.json", "[]");
    let result = folder.run(&["bus"]).await.remove(0);
    assert!(result.drift.is_empty(), "{:?}", result.drift);
    let told = "city.stops: the source is empty now (had 2 rows)".to_owned();
    assert!(result.notes.contains(&told), "{:?}", result.notes);
    // It comes back as it was, and with a column that is gone.
    folder.write(
        "data.json",
        &full
            .replace(r#","lat":20.8"#, "")
            .replace(r#","lat":20.9"#, ""),
    );
    let result = folder.run(&["bus"]).await.remove(0);
    let missing: Vec<&str> = result.drift.iter().map(|it| it.column.as_str()).collect();
    assert_eq!(missing, ["lat"]);
}

#[tokio::test]
async fn rows_that_are_all_held_keep_only_the_place() {
    let yaml = "source: { connector: pages, path: data }
tables:
  city.stops: { load: merge, map: \"SELECT stop_id, name, lat FROM source\" }
";
    let page = "stop_id,name,lat\nA,Cầu Rào,20.8\n";
    let folder = Folder::new(&[STOPS, ("pipelines/bus.yaml", yaml), ("data/1.csv", page)]);
    folder.run(&["bus"]).await;
    folder.write("data/2.csv", &format!("{page}\n"));
    let result = folder.run(&["bus"]).await.remove(0);
    let table = &result.tables[0];
    assert_eq!((table.loaded, table.unchanged, table.removed), (0, 1, 0));
    let told =
        "no row of any table has changed: the snapshot keeps only how far the source is read";
    assert!(
        result.notes.iter().any(|note| note == told),
        "{:?}",
        result.notes
    );
    assert!(matches!(result.outcome, Outcome::Published { .. }));
    let result = folder.run(&["bus"]).await.remove(0);
    assert!(matches!(result.outcome, Outcome::Unchanged));
}
