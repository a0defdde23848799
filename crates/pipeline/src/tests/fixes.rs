//! Rejected rows go out as a spreadsheet, come back corrected, and stay so.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::AsArray;
use futures::TryStreamExt;
use proptest::prelude::*;
use rust_xlsxwriter::Workbook;
use sectorlake_contract::TableName;
use sectorlake_lake::{At, Kind};

use super::{Folder, Heard, STOPS, connectors, shown};
use crate::{
    ExportContext, ExportRequest, Exported, Failure, FixRequest, Language, Outcome, RunContext,
    RunResult, export, run,
};

const BUS: &str = "source: { connector: files, path: data/stops.csv }\ntables:\n  city.stops: { map: 'SELECT stop_id, stop_name AS name, stop_lat AS lat FROM source' }\non_reject: { max_share: 1 }\n";

/// Two rows are good, two break a rule, one cannot be read.
pub(super) const DATA: &str = "stop_id,stop_name,stop_lat\n01,Cầu Rào,20.8\n02,An Dương,200\n03,Đồ Sơn,20.7\n04,,20.6\n05,Kiến An,20.5,x\n";

pub(super) fn bus(load: &str) -> Folder {
    let yaml = BUS.replace("{ map:", &format!("{{ load: {load}, map:"));
    Folder::new(&[
        STOPS,
        ("pipelines/bus.yaml", &yaml),
        ("data/stops.csv", DATA),
    ])
}

impl Folder {
    pub(super) async fn export(&self, file: &str, language: Language) -> Result<Exported, Failure> {
        let context = self.context().await;
        let of = ExportContext {
            project: &context.project,
            registry: &connectors::registry(),
            lake: &context.lake,
            env: &context.env,
            http: &context.http,
            environment: &context.environment,
        };
        let request = ExportRequest {
            pipeline: "bus".to_owned(),
            path: self.path().join(file),
            language,
        };
        export(&of, &request).await
    }

    pub(super) async fn fix(&self, file: &str) -> RunResult {
        let fix = FixRequest {
            path: self.path().join(file),
            by: "lan@haiphong".to_owned(),
        };
        let context = RunContext {
            fix: Some(fix),
            ..self.context().await
        };
        let mut results = run(&context, &["bus".to_owned()], &Heard::default()).await;
        results.remove(0)
    }

    pub(super) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap()
    }

    /// `stop_id` and `lat` of the published rows, sorted.
    pub(super) async fn stops(&self) -> Vec<String> {
        self.lines("SELECT concat(stop_id, ' ', name, ' ', coalesce(lat, 0)) AS line FROM city.stops ORDER BY 1").await
    }

    pub(super) async fn lines(&self, sql: &str) -> Vec<String> {
        let lake = self.lake().await;
        let session = sectorlake_query::Session::open(
            Some(&lake),
            At::Latest,
            sectorlake_query::SessionOptions::default(),
        );
        let session = session.await.unwrap();
        let batches: Vec<_> = session.sql(sql).await.unwrap().try_collect().await.unwrap();
        let lines = batches.iter().flat_map(|batch| {
            let lines = batch.column(0);
            (0..batch.num_rows())
                .map(|row| arrow::util::display::array_value_to_string(lines, row).unwrap())
        });
        lines.collect()
    }
}

/// Masks what differs by the bytes of the spreadsheet.
pub(super) fn masked(text: &str) -> String {
    let hash = regex::Regex::new("[0-9a-f]{64}").unwrap();
    hash.replace_all(text, "[HASH]").into_owned()
}

#[tokio::test]
async fn rejected_rows_come_back_corrected_and_stay_so() {
    let folder = bus("replace");
    let mut told = vec![folder.page(&["bus"]).await];
    let exported = folder.export("out.csv", Language::Vi).await.unwrap();
    assert_eq!((exported.rows, exported.sheets), (3, 1));
    let sheet = folder.read("out.csv");
    told.push(masked(&sheet));
    // One is corrected, one stays as it is, one that could not be read is written anew.
    let corrected = sheet
        .replace("02,An Dương,200", "02,An Dương,20.9")
        .replace(
            ",,,\"05,Kiến An,20.5,x\"",
            "05,Kiến An,20.5,\"05,Kiến An,20.5,x\"",
        );
    assert_ne!(sheet, corrected);
    folder.write("fix.csv", &corrected);
    told.push(masked(&shown(&folder.fix("fix.csv").await)));
    told.push(folder.stops().await.join("\n"));
    // The source is asked again: its bytes are the same, and nothing changes.
    told.push(folder.page(&["bus"]).await);
    // Another mapping: everything is loaded anew, and the corrections with it.
    let yaml = folder
        .read("pipelines/bus.yaml")
        .replace("stop_name AS", "upper(stop_name) AS");
    folder.write("pipelines/bus.yaml", &yaml);
    told.push(folder.page(&["bus"]).await);
    told.push(folder.stops().await.join("\n"));
    // What is still rejected can be exported again, and corrected.
    let left = folder.export("left.csv", Language::En).await.unwrap();
    assert_eq!(left.rows, 1);
    let sheet = folder.read("left.csv");
    told.push(masked(&sheet));
    folder.write("fix2.csv", &sheet.replace("04,,20.6", "04,Tiên Lãng,20.6"));
    told.push(masked(&shown(&folder.fix("fix2.csv").await)));
    told.push(folder.stops().await.join("\n"));
    assert_eq!(
        folder.export("none.csv", Language::En).await.unwrap().rows,
        0
    );
    // The source changes in another row: what was corrected holds.
    folder.write("pipelines/bus.yaml", &format!("{yaml}on_shrink: allow\n"));
    folder.write("data/stops.csv", &DATA.replace("Cầu Rào", "Cầu Rào 2"));
    told.push(folder.page(&["bus"]).await);
    told.push(folder.stops().await.join("\n"));
    insta::assert_snapshot!(told.join("\n---\n"));
}

#[tokio::test]
async fn one_goes_on_in_the_file_that_was_sent_before() {
    let folder = bus("replace");
    folder.run(&["bus"]).await;
    folder.export("out.csv", Language::En).await.unwrap();
    let first = folder
        .read("out.csv")
        .replace("02,An Dương,200", "02,An Dương,20.9");
    folder.write("fix.csv", &first);
    folder.fix("fix.csv").await;
    // The row that was taken in has left the list; the one that was not comes again under its first name.
    let all_again = first.replace("04,,20.6", "04,Tiên Lãng,20.6");
    folder.write("again.csv", &all_again);
    let refused = folder.fix("again.csv").await;
    let without: Vec<&str> = all_again
        .lines()
        .filter(|line| !line.contains("An Dương"))
        .collect();
    folder.write("again.csv", &format!("{}\n", without.join("\n")));
    let taken = folder.fix("again.csv").await;
    insta::assert_snapshot!(masked(&format!("{}\n{}", shown(&refused), shown(&taken))));
    assert_eq!(folder.stops().await.len(), 4);
}

#[tokio::test]
async fn what_is_no_rejected_row_is_refused_with_its_line() {
    let folder = bus("replace");
    folder.run(&["bus"]).await;
    folder.export("out.csv", Language::En).await.unwrap();
    let sheet = folder.read("out.csv");
    let mut told = Vec::new();
    for (from, to) in [
        (",2\n", ",1\n"),
        (",4\n", ",2\n"),
        (",4\n", ",\n"),
        (",_row", ",_number"),
        (",stop_lat,", ",latitude,"),
    ] {
        assert!(sheet.contains(from), "{from:?} in {sheet}");
        folder.write("fix.csv", &sheet.replacen(from, to, 1));
        told.push(masked(&shown(&folder.fix("fix.csv").await)));
    }
    folder.write("fix.txt", &sheet);
    told.push(masked(&shown(&folder.fix("fix.txt").await)));
    told.push(
        masked(&shown(&folder.fix("gone.csv").await))
            .replace(&folder.path().display().to_string(), ""),
    );
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(folder.stops().await.len(), 2, "nothing was taken in");
}

#[tokio::test]
async fn what_only_grows_is_corrected_too() {
    for load in ["append", "merge"] {
        let folder = bus(load);
        folder.run(&["bus"]).await;
        folder.export("out.csv", Language::En).await.unwrap();
        let sheet = folder.read("out.csv");
        folder.write(
            "fix.csv",
            &sheet.replace("02,An Dương,200", "02,An Dương,20.9"),
        );
        let fixed = folder.fix("fix.csv").await;
        assert!(
            matches!(fixed.outcome, Outcome::Published { .. }),
            "{}",
            shown(&fixed)
        );
        assert_eq!(folder.stops().await.len(), 3, "{load}");
        let again = &folder.run(&["bus"]).await[0];
        assert_eq!(
            again.outcome,
            Outcome::Unchanged,
            "{load}: {}",
            shown(again)
        );
        assert_eq!(
            folder.export("left.csv", Language::En).await.unwrap().rows,
            2,
            "{load}"
        );
        // New rows come; what was corrected stays.
        folder.write(
            "data/stops.csv",
            "stop_id,stop_name,stop_lat\n09,Cát Bà,20.7\n",
        );
        folder.run(&["bus"]).await;
        assert_eq!(folder.stops().await.len(), 4, "{load}");
    }
}

#[tokio::test]
async fn a_workbook_has_a_sheet_and_its_zeros() {
    let folder = bus("replace");
    folder.run(&["bus"]).await;
    folder.export("out.xlsx", Language::Vi).await.unwrap();
    let before = folder.fix("out.xlsx").await;
    // Nothing is corrected: what cannot be read stays where it was, the others are rejected again.
    insta::assert_snapshot!(masked(&shown(&before)));
    let open = folder.export("out.csv", Language::En).await.unwrap();
    assert_eq!(open.rows, 3);
    let sheet = folder.read("out.csv");
    assert!(sheet.contains("02,An Dương,200"), "{sheet}");
}

#[tokio::test]
async fn json_records_are_corrected_in_their_columns() {
    let yaml = "source: { connector: files, path: data/stops.json }\ntables:\n  city.stops: { map: \"SELECT stop_id, json_get_str(_record, 'name') AS name, stop_lat AS lat FROM source\" }\non_reject: { max_share: 1 }\n";
    let data = r#"[{"stop_id": "01", "name": "Cầu Rào", "stop_lat": 20.8}, {"stop_id": "02", "stop_lat": 200}, {"stop_id": "03", "name": "x"}]"#;
    let folder = Folder::new(&[
        STOPS,
        ("pipelines/bus.yaml", yaml),
        ("data/stops.json", data),
    ]);
    let first = folder.page(&["bus"]).await;
    folder.export("out.csv", Language::En).await.unwrap();
    let sheet = folder.read("out.csv");
    let header = sheet
        .lines()
        .next()
        .unwrap()
        .trim_start_matches('\u{feff}')
        .to_owned();
    let name = header
        .split(',')
        .position(|column| column == "name")
        .unwrap();
    let mut rows: Vec<Vec<String>> = table(&sheet);
    let lat = header
        .split(',')
        .position(|column| column == "stop_lat")
        .unwrap();
    rows[1][name] = "An Dương".to_owned();
    rows[1][lat] = "20.9".to_owned();
    save_xlsx(&folder.path().join("fix.xlsx"), "stops.json", &rows);
    let fixed = folder.fix("fix.xlsx").await;
    insta::assert_snapshot!(masked(&format!("{first}\n{header}\n{}", shown(&fixed))));
    assert_eq!(
        folder.stops().await,
        ["01 Cầu Rào 20.8", "02 An Dương 20.9", "03 x 0.0"]
    );
}

fn table(csv: &str) -> Vec<Vec<String>> {
    let text = csv.trim_start_matches('\u{feff}').as_bytes().to_vec();
    let width = csv.lines().next().unwrap().split(',').count();
    let fields: Vec<_> = (0..width)
        .map(|index| {
            arrow::datatypes::Field::new(index.to_string(), arrow::datatypes::DataType::Utf8, true)
        })
        .collect();
    let schema = Arc::new(arrow::datatypes::Schema::new(fields));
    let reader = arrow::csv::ReaderBuilder::new(schema)
        .build(std::io::Cursor::new(text))
        .unwrap();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|column| column.as_string::<i32>().value(row).to_owned());
            rows.push(cells.collect());
        }
    }
    rows
}

fn save_xlsx(path: &PathBuf, sheet: &str, rows: &[Vec<String>]) {
    let mut workbook = Workbook::new();
    let worksheet = workbook.add_worksheet();
    worksheet.set_name(sheet).unwrap();
    for (row, cells) in (0_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            worksheet.write_string(row, column, cell).unwrap();
        }
    }
    workbook.save(path).unwrap();
}

#[tokio::test]
async fn the_journal_says_who_and_what_became_of_it() {
    let folder = bus("replace");
    folder.run(&["bus"]).await;
    folder.export("out.csv", Language::En).await.unwrap();
    let sheet = folder.read("out.csv");
    folder.write(
        "fix.csv",
        &sheet.replace("02,An Dương,200", "02,An Dương,20.9"),
    );
    let fixed = folder.fix("fix.csv").await;
    let journal = folder.lake().await.journal();
    let run = fixed.run.unwrap();
    let rows: Vec<_> = journal
        .of_run(Kind::Fixes, &run)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let page = arrow::util::pretty::pretty_format_batches(&rows)
        .unwrap()
        .to_string();
    insta::assert_snapshot!(masked(&page));
    let table: TableName = "city.stops".parse().unwrap();
    assert_eq!(fixed.tables[0].table, table);
    let original = fixed.parts.iter().find(|part| part.fixed > 0).unwrap();
    assert_eq!(
        (
            original.records,
            original.decoded,
            original.broken,
            original.fixed
        ),
        (5, 2, 1, 2)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Correcting any of the rejected rows gives what a source gives in which they were right from the start.
    #[test]
    fn a_correction_is_as_if_it_had_been_right_from_the_start(
        rows in prop::collection::vec((0..3_u8, any::<bool>()), 1..20),
        load in prop::sample::select(vec!["replace", "append", "merge"]),
    ) {
        let line = |index: usize, kind: u8| match kind {
            0 => format!("{index:02},Bến {index},20.{index}\n"),
            1 => format!("{index:02},Bến {index},200\n"),
            _ => format!("{index:02},Bến {index},20.{index},x,y\n"),
        };
        let text = |kinds: &dyn Fn(u8, bool) -> u8| {
            let lines = rows.iter().enumerate().map(|(index, (kind, fixed))| line(index, kinds(*kind, *fixed)));
            format!("stop_id,stop_name,stop_lat\n{}", lines.collect::<String>())
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (as_fixed, as_loaded) = runtime.block_on(async {
            let folder = bus(load);
            folder.write("data/stops.csv", &text(&|kind, _| kind));
            folder.run(&["bus"]).await;
            if folder.export("out.csv", Language::En).await.unwrap().rows > 0 {
                let mut sheet = table(&folder.read("out.csv"));
                for row in sheet.iter_mut().skip(1) {
                    let index: usize = row.last().unwrap().parse::<usize>().unwrap() - 1;
                    if rows[index].1 {
                        let right = line(index, 0);
                        let cells = right.trim_end().split(',').map(str::to_owned);
                        row.splice(1..4, cells);
                    }
                }
                save_xlsx(&folder.path().join("fix.xlsx"), "stops.csv", &sheet);
                let fixed = folder.fix("fix.xlsx").await;
                let nothing = sheet.iter().skip(1).all(|row| row[1].is_empty());
                assert!(nothing || matches!(fixed.outcome, Outcome::Published { .. }), "{}", shown(&fixed));
            }
            let right = bus(load);
            right.write("data/stops.csv", &text(&|kind, fixed| if fixed { 0 } else { kind }));
            right.run(&["bus"]).await;
            (folder.stops().await, right.stops().await)
        });
        prop_assert_eq!(as_fixed, as_loaded);
    }
}
