//! Corrections of runs that failed, and of sources that change.

use futures::TryStreamExt;
use proptest::prelude::*;
use sectorlake_lake::Kind;

use super::fixes::{DATA, bus, masked};
use super::{Folder, shown};
use crate::{Language, Outcome};

#[tokio::test]
async fn a_run_that_failed_is_corrected_and_published() {
    for load in ["replace", "append", "merge"] {
        let folder = bus(load);
        let yaml = folder.read("pipelines/bus.yaml");
        folder.write(
            "pipelines/bus.yaml",
            &yaml.replace("max_share: 1", "max_share: 0.3"),
        );
        let failed = &folder.run(&["bus"]).await[0];
        assert!(matches!(failed.outcome, Outcome::Failed(_)), "{load}");
        let exported = folder.export("out.csv", Language::En).await.unwrap();
        assert_eq!((exported.rows, exported.is_failed), (3, true), "{load}");
        let sheet = folder.read("out.csv");
        // One of three is mended: it is judged again, and still too much is rejected.
        let some = sheet.replace("02,An Dương,200", "02,An Dương,20.9");
        folder.write("some.csv", &some);
        let fixed = folder.fix("some.csv").await;
        assert!(matches!(fixed.outcome, Outcome::Failed(_)), "{load}");
        // The list is what it was, and more of it is mended.
        let again = folder.export("out.csv", Language::En).await.unwrap();
        assert_eq!(again.rows, 3, "{load}");
        assert_eq!(folder.read("out.csv"), sheet, "{load}");
        folder.write("more.csv", &some.replace("04,,20.6", "04,Tiên Lãng,20.6"));
        let fixed = folder.fix("more.csv").await;
        let published = matches!(fixed.outcome, Outcome::Published { .. });
        assert!(published, "{load}: {}", shown(&fixed));
        assert_eq!(folder.stops().await.len(), 4, "{load}");
        let left = folder.export("left.csv", Language::En).await.unwrap();
        assert_eq!((left.rows, left.is_failed), (1, false), "{load}");
        let after = &folder.run(&["bus"]).await[0];
        assert_eq!(
            after.outcome,
            Outcome::Unchanged,
            "{load}: {}",
            shown(after)
        );
    }
}

#[tokio::test]
async fn a_bad_version_after_a_good_one_is_corrected() {
    let folder = bus("replace");
    let yaml = folder.read("pipelines/bus.yaml");
    folder.write(
        "pipelines/bus.yaml",
        &yaml.replace("max_share: 1", "max_rows: 1"),
    );
    folder.write(
        "data/stops.csv",
        "stop_id,stop_name,stop_lat\n01,Cầu Rào,20.8\n02,An Dương,200\n",
    );
    folder.run(&["bus"]).await;
    folder.export("first.csv", Language::En).await.unwrap();
    let sheet = folder.read("first.csv");
    folder.write("first.csv", &sheet.replace("An Dương,200", "An Dương,20.9"));
    folder.fix("first.csv").await;
    assert_eq!(folder.stops().await.len(), 2);
    folder.write("data/stops.csv", &format!("{DATA}06,,20\n"));
    let failed = &folder.run(&["bus"]).await[0];
    assert!(
        matches!(failed.outcome, Outcome::Failed(_)),
        "{}",
        shown(failed)
    );
    // What was corrected before holds, so three of the new version's rows wait.
    assert_eq!(
        folder.export("out.csv", Language::En).await.unwrap().rows,
        3
    );
    let sheet = folder.read("out.csv");
    let mended = sheet
        .replace("04,,20.6", "04,Tiên Lãng,20.6")
        .replace("06,,20", "06,Thủy Nguyên,20");
    folder.write("fix.csv", &mended);
    // Meanwhile the source changes again, in rows that nobody corrected, and in one that was.
    folder.write(
        "data/stops.csv",
        &format!(
            "stop_id,stop_name,stop_lat\n00,Lạch Tray,20\n{}06,Thủy Nguyên,20.01\n",
            DATA.split_once('\n').unwrap().1
        ),
    );
    let fixed = folder.fix("fix.csv").await;
    insta::assert_snapshot!(masked(&format!(
        "{}\n{}",
        shown(&fixed),
        folder.stops().await.join("\n")
    )));
}

#[tokio::test]
async fn a_correction_holds_as_long_as_its_row_stands_there() {
    let folder = bus("replace");
    // Two rows hold the same: the second of them is corrected.
    let rows = [
        "01,Cầu Rào,20.8",
        "02,An Dương,200",
        "03,Đồ Sơn,20.7",
        "03,Đồ Sơn,20.7",
        "05,Kiến An,20.5,x",
    ];
    let text = |rows: &[&str]| format!("stop_id,stop_name,stop_lat\n{}\n", rows.join("\n"));
    folder.write("data/stops.csv", &text(&rows));
    folder.run(&["bus"]).await;
    folder.export("out.csv", Language::En).await.unwrap();
    let sheet = folder.read("out.csv");
    let mended = sheet
        .replace("02,An Dương,200", "02,An Dương,20.9")
        .replace("03,Đồ Sơn,20.7", "04,Đồ Sơn 2,20.7")
        .replace(
            ",,,\"05,Kiến An,20.5,x\"",
            "05,Kiến An,20.5,\"05,Kiến An,20.5,x\"",
        );
    folder.write("fix.csv", &mended);
    let mut told = vec![masked(&shown(&folder.fix("fix.csv").await))];
    // Rows come and move; the same row comes a third time.
    folder.write(
        "data/stops.csv",
        &text(&[
            "09,Cát Bà,20.1",
            rows[4],
            rows[2],
            rows[3],
            rows[3],
            rows[1],
        ]),
    );
    told.push(folder.page(&["bus"]).await);
    told.push(folder.stops().await.join("\n"));
    // One of the rows changes: the agency has mended it itself, otherwise.
    folder.write(
        "data/stops.csv",
        &text(&[rows[0], "02,An Dương,20.99", rows[2], rows[3], rows[4]]),
    );
    told.push(folder.page(&["bus"]).await);
    told.push(folder.stops().await.join("\n"));
    // It comes back as it was: what has lapsed stays so, and is told once.
    folder.write(
        "data/stops.csv",
        &text(&[rows[1], rows[2], rows[3], rows[4]]),
    );
    told.push(folder.page(&["bus"]).await);
    told.push(folder.stops().await.join("\n"));
    // A list that was exported before all that: rows that still wait are taken in, others are refused.
    let waits: Vec<&str> = mended
        .lines()
        .filter(|line| line.starts_with('\u{feff}') || line.contains("An Dương"))
        .collect();
    folder.write("late.csv", &format!("{}\n", waits.join("\n")));
    told.push(masked(&shown(&folder.fix("late.csv").await)));
    folder.write(
        "late2.csv",
        &format!("{}\n", waits.join("\n").replace(",2", ",1")),
    );
    told.push(masked(&shown(&folder.fix("late2.csv").await)));
    insta::assert_snapshot!(told.join("\n---\n"));
}

#[tokio::test]
async fn a_corrected_row_of_a_table_that_grows_is_not_rejected_again() {
    for load in ["merge", "append"] {
        let folder = bus(load);
        folder.run(&["bus"]).await;
        folder.export("out.csv", Language::En).await.unwrap();
        let sheet = folder.read("out.csv");
        folder.write("fix.csv", &sheet.replace("An Dương,200", "An Dương,20.9"));
        folder.fix("fix.csv").await;
        folder.write("data/stops.csv", &format!("{DATA}09,Cát Bà,20.1\n"));
        let run = folder.run(&["bus"]).await.remove(0);
        // The one that was corrected, and the one that came back as it was: both wait or hold as the owner sent them.
        assert_eq!(run.parts[0].fixed, 2, "{load}: {}", shown(&run));
        let stops = folder.stops().await;
        let is_kept = |stop: &&str| stops.iter().any(|line| line == stop);
        assert!(is_kept(&"02 An Dương 20.9"), "{load}: {stops:?}");
        assert!(is_kept(&"09 Cát Bà 20.1"), "{load}: {stops:?}");
        let open = folder.export("left.csv", Language::En).await.unwrap();
        assert!(!folder.read("left.csv").contains("An Dương"), "{load}");
        assert!(open.rows > 0, "{load}");
        // Under another mapping what was merged is merged anew, the correction too.
        let yaml = folder.read("pipelines/bus.yaml");
        folder.write(
            "pipelines/bus.yaml",
            &yaml.replace("stop_name AS", "upper(stop_name) AS"),
        );
        folder.run(&["bus"]).await;
        let stops = folder.stops().await;
        let name = if load == "merge" {
            "02 AN DƯƠNG 20.9"
        } else {
            "02 An Dương 20.9"
        };
        assert!(stops.iter().any(|line| line == name), "{load}: {stops:?}");
    }
}

#[tokio::test]
async fn a_file_that_was_taken_in_is_told_so() {
    let folder = bus("replace");
    folder.run(&["bus"]).await;
    folder.export("out.csv", Language::En).await.unwrap();
    let sheet = folder.read("out.csv");
    folder.write("fix.csv", &sheet.replace("An Dương,200", "An Dương,20.9"));
    folder.fix("fix.csv").await;
    let again = folder.fix("fix.csv").await;
    assert_eq!(again.outcome, Outcome::Unchanged);
    insta::assert_snapshot!(shown(&again));
}

const PEOPLE: &str = r#"{"fields": [
    {"name": "id", "type": "string"},
    {"name": "name", "type": "string", "sectorlake": {"classification": "personal"}},
    {"name": "phone", "type": "string", "constraints": {"pattern": "09[0-9]{8}"}, "sectorlake": {"classification": "personal"}},
    {"name": "born", "type": "date", "format": "%d/%m/%Y", "sectorlake": {"classification": "personal"}},
    {"name": "score", "type": "number", "constraints": {"maximum": 10}}
], "primaryKey": "id"}"#;

fn people() -> Folder {
    Folder::new(&[
        ("schemas/city/people.json", PEOPLE),
        (
            "pipelines/bus.yaml",
            "source: { connector: files, path: data/people.csv }\ntables:\n  city.people: { map: 'SELECT id, name, phone, born, score FROM source' }\non_reject: { max_share: 1 }\n",
        ),
        (
            "data/people.csv",
            "id,name,phone,born,score\n1,Nguyễn Thị Bí Ẩn,0912345678,30/09/2001,9\n2,=HYPERLINK(1),912345003,31/09/2001,99\n3,Lê Bí Ẩn,0912345679,30/09/2001,9,x\n",
        ),
    ])
}

#[tokio::test]
async fn personal_values_are_told_to_the_owner_alone() {
    let folder = people();
    let result = folder.run(&["bus"]).await.remove(0);
    let journal = folder.lake().await.journal();
    let rows = journal
        .of_run(Kind::RejectedRows, &result.run.unwrap())
        .await;
    let rows: Vec<_> = rows.unwrap().try_collect().await.unwrap();
    let names = ["row", "field", "rule", "value", "message", "record"];
    let shown: Vec<_> = rows
        .iter()
        .map(|batch| {
            let index = |name: &&str| batch.schema().index_of(name).unwrap();
            batch
                .project(&names.iter().map(index).collect::<Vec<_>>())
                .unwrap()
        })
        .collect();
    let page = arrow::util::pretty::pretty_format_batches(&shown)
        .unwrap()
        .to_string();
    for secret in ["Bí Ẩn", "912345", "09/2001", "HYPER"] {
        assert!(!page.contains(secret), "{secret} in {page}");
    }
    folder.export("out.csv", Language::En).await.unwrap();
    insta::assert_snapshot!(masked(&format!("{page}\n{}", folder.read("out.csv"))));
}

#[tokio::test]
async fn a_plan_masks_personal_values() {
    let folder = people();
    let context = crate::RunContext {
        trial: Some(crate::TrialOptions { rows: 5 }),
        ..folder.context().await
    };
    let names = ["bus".to_owned()];
    let results = crate::run(&context, &names, &super::Heard::default()).await;
    let trial = format!("{:?}", results[0].trial);
    for secret in ["Bí Ẩn", "912345", "09/2001", "HYPER"] {
        assert!(!trial.contains(secret), "{secret} in {trial}");
    }
    assert!(trial.contains("(personal)"), "{trial}");
}

#[tokio::test]
async fn dates_and_formulas_come_back_from_spreadsheets() {
    let folder = people();
    folder.run(&["bus"]).await;
    folder.export("out.csv", Language::En).await.unwrap();
    let sheet = folder.read("out.csv");
    assert!(sheet.contains(",'=HYPERLINK(1),"), "{sheet}");
    let mended = sheet.replace("912345003,31/09/2001,99", "0912345003,2001-09-30,9");
    folder.write("fix.csv", &mended);
    let fixed = folder.fix("fix.csv").await;
    assert!(
        fixed.notes[0].contains("1 row taken in"),
        "{}",
        shown(&fixed)
    );
    let fixed_rows = fixed.tables[0].loaded;
    assert_eq!(fixed_rows, 2, "{}", shown(&fixed));
    let names = folder
        .lines("SELECT concat(id, ' ', name, ' ', born) AS line FROM city.people ORDER BY 1")
        .await;
    assert_eq!(names[1], "2 =HYPERLINK(1) 2001-09-30");
}

#[tokio::test]
async fn a_column_that_was_renamed_is_named() {
    let folder = people();
    folder.run(&["bus"]).await;
    folder.export("out.csv", Language::En).await.unwrap();
    let sheet = folder.read("out.csv");
    folder.write("fix.csv", &sheet.replacen(",phone,", ",Phổne,", 1));
    insta::assert_snapshot!(shown(&folder.fix("fix.csv").await));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever else changes in the source, a correction holds for its row: the table is as if that had been right in the new version.
    #[test]
    fn corrections_stay_though_other_rows_change(
        rows in prop::collection::vec((any::<bool>(), 0..3_u8), 1..16),
        turn in any::<prop::sample::Index>(),
    ) {
        // A wrong row is corrected; of the right ones some go, some change.
        let bad = |index: usize| format!("{index:02},Bến {index},200");
        let good = |index: usize, lat: &str| format!("{index:02},Bến {index},{lat}");
        let text = |mut lines: Vec<String>, by: usize| {
            let by = by % lines.len().max(1);
            lines.rotate_left(by);
            format!("stop_id,stop_name,stop_lat\n{}\n", lines.join("\n"))
        };
        let version = |mended: bool| -> Vec<String> {
            let all = rows.iter().enumerate();
            let of = |(index, (is_bad, change)): (usize, &(bool, u8))| match (is_bad, change) {
                (true, _) if mended => Some(good(index, "20.5")),
                (true, _) => Some(bad(index)),
                (false, 0) => None,
                (false, 1) => Some(good(index, "20.7")),
                (false, _) => Some(good(index, "20.8")),
            };
            all.filter_map(of).chain([good(99, "20.1")]).collect()
        };
        let first: Vec<String> = rows.iter().enumerate().map(|(index, (is_bad, _))| if *is_bad { bad(index) } else { good(index, "20.8") }).collect();
        let by = turn.index(rows.len());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (as_fixed, as_loaded) = runtime.block_on(async {
            let folder = bus("replace");
            let yaml = format!("{}on_shrink: allow\n", folder.read("pipelines/bus.yaml"));
            folder.write("pipelines/bus.yaml", &yaml);
            folder.write("data/stops.csv", &text(first, 0));
            folder.run(&["bus"]).await;
            if folder.export("out.csv", Language::En).await.unwrap().rows > 0 {
                folder.write("fix.csv", &folder.read("out.csv").replace(",200,", ",20.5,"));
                let fixed = folder.fix("fix.csv").await;
                assert!(matches!(fixed.outcome, Outcome::Published { .. }), "{}", shown(&fixed));
            }
            folder.write("data/stops.csv", &text(version(false), by));
            folder.run(&["bus"]).await;
            let right = bus("replace");
            right.write("data/stops.csv", &text(version(true), by));
            right.run(&["bus"]).await;
            (folder.stops().await, right.stops().await)
        });
        prop_assert_eq!(as_fixed, as_loaded);
    }
}
