//! Against a server that says what the test tells it to, in TDS as MS-TDS describes it. It is built after that document; no
//! SQL Server was at hand to record. It shows that what we say and hear is TDS: login, statements, rows, types, errors.

#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::ErrorKind;
use serde_json::json;

use super::*;
use crate::testing::{column, fetch, run_at, said, shown};

mod server;

use server::{Answer, Cell, Script, TdsServer};

fn connector(port: u16, more: serde_json::Value) -> Arc<dyn Connector> {
    let mut settings =
        json!({"url": format!("sqlserver://reader:s3cr3t@127.0.0.1:{port}/OneStop")});
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    registration()
        .make(
            settings.as_object().unwrap().clone(),
            &MakeContext::new(".", "demo", |_| None),
        )
        .unwrap()
}

/// A server with one table, `dbo.Đo`.
fn script() -> Script {
    let text = |it: &str| Cell::Text(Some(it.to_owned()));
    let described = |name: &str, type_name: &str| {
        vec![
            text(name),
            text(type_name),
            Cell::Int(None),
            Cell::Text(None),
        ]
    };
    let columns = [
        ("id", "int"),
        ("big", "bigint"),
        ("small", "smallint"),
        ("tiny", "tinyint"),
        ("flag", "bit"),
        ("f", "float"),
        ("r", "real"),
        ("tên", "nvarchar(50)"),
        ("long", "nvarchar(max)"),
        ("amount", "decimal(10,2)"),
        ("bytes", "varbinary(10)"),
        ("day", "date"),
        ("at", "datetime2(7)"),
        ("zoned", "datetimeoffset(7)"),
    ];
    Script::default()
        .on(
            "snapshot_isolation_state",
            Answer::rows(&["state"], vec![vec![Cell::Int(Some(1))]]),
        )
        .on("BEGIN TRANSACTION", Answer::done())
        .on(
            "INFORMATION_SCHEMA.TABLES",
            Answer::rows(
                &["s", "n", "v", "d"],
                vec![
                    vec![
                        text("dbo"),
                        text("Đo"),
                        Cell::Int(Some(0)),
                        Cell::Int(Some(1)),
                    ],
                    vec![
                        text("hr"),
                        text("Staff"),
                        Cell::Int(Some(0)),
                        Cell::Int(Some(0)),
                    ],
                    vec![
                        text("dbo"),
                        text("V"),
                        Cell::Int(Some(1)),
                        Cell::Int(Some(1)),
                    ],
                ],
            ),
        )
        .on(
            "dm_exec_describe_first_result_set(N'SELECT * FROM [dbo].[Đo]",
            Answer::rows(
                &["name", "system_type_name", "error_number", "error_message"],
                columns
                    .iter()
                    .map(|(name, type_name)| described(name, type_name))
                    .collect(),
            ),
        )
        .on(
            "WHERE [id] IS NULL",
            Answer::rows(&["found"], vec![vec![Cell::Int(Some(0))]]),
        )
        .on(
            "FROM [dbo].[Đo]",
            Answer::rows(&columns.map(|(name, _)| name), vec![full(), empty()]),
        )
}

fn full() -> Vec<Cell> {
    vec![
        Cell::Int(Some(-1)),
        Cell::Big(Some(i64::MIN)),
        Cell::Small(Some(-32768)),
        Cell::Tiny(Some(255)),
        Cell::Bit(Some(true)),
        Cell::Float(Some(0.1)),
        Cell::Real(Some(1.5)),
        Cell::Text(Some("Hải Phòng".to_owned())),
        Cell::Long(Some("ế".repeat(5000))),
        Cell::Decimal(Some(-1_234_567_890), 10, 2),
        Cell::Bytes(Some(vec![0, 255])),
        // 2024-02-29, counted from 0001-01-01.
        Cell::Date(Some(738_944)),
        Cell::Moment(Some((738_944, 452_967_890_129))),
        Cell::Moment(Some((738_944, 0))),
    ]
}

fn empty() -> Vec<Cell> {
    vec![
        Cell::Int(Some(2)),
        Cell::Big(None),
        Cell::Small(None),
        Cell::Tiny(None),
        Cell::Bit(None),
        Cell::Float(None),
        Cell::Real(None),
        Cell::Text(None),
        Cell::Long(None),
        Cell::Decimal(None, 10, 2),
        Cell::Bytes(None),
        Cell::Date(None),
        Cell::Moment(None),
        Cell::Moment(None),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_asked_for_and_its_types_are_read() {
    let server = TdsServer::start(script()).await;
    let connector = connector(server.port, json!({"tables": "all"}));
    let streams = connector.streams(&run_at(0)).await.unwrap();
    assert_eq!(
        streams
            .iter()
            .map(|stream| stream.name.as_str())
            .collect::<Vec<_>>(),
        ["Đo", "hr.Staff"]
    );
    let (parts, cursor) = fetch(&*connector, "Đo", None, &run_at(0)).await.unwrap();
    assert_eq!(cursor, None);
    insta::assert_snapshot!(shown(&parts).replace(&"ế".repeat(5000), "ế × 5000"));
    let asked = server.asked();
    insta::assert_snapshot!(asked.last().unwrap());
    let login = server.login();
    assert!(
        login.contains("reader") && login.contains("OneStop") && login.contains("sectorlake"),
        "{login}"
    );
    assert!(
        !login.contains("s3cr3t"),
        "the password is never sent as it is"
    );
    assert!(server.is_read_only(), "ApplicationIntent=ReadOnly");
}

#[tokio::test(flavor = "multi_thread")]
async fn later_runs_go_on_from_the_highest_value() {
    let server = TdsServer::start(script()).await;
    let settings = json!({"tables": {"Đo": {"incremental": {"column": "id"}}}});
    let connector = connector(server.port, settings);
    let (parts, cursor) = fetch(&*connector, "Đo", None, &run_at(0)).await.unwrap();
    assert_eq!(column(&parts, "id"), ["-1", "2"]);
    assert!(
        server
            .asked()
            .last()
            .unwrap()
            .ends_with("FROM [dbo].[Đo] AS q ORDER BY q.[id]")
    );
    let (parts, _) = fetch(&*connector, "Đo", cursor, &run_at(1)).await.unwrap();
    assert!(
        server
            .asked()
            .last()
            .unwrap()
            .ends_with("FROM [dbo].[Đo] AS q WHERE q.[id] >= 2 ORDER BY q.[id]")
    );
    assert_eq!(
        column(&parts, "id"),
        ["-1"],
        "the row that is known is left out, whatever the server sends"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_named_with_its_mend() {
    let wrong = |code: i32, message: &str| {
        vec![
            Cell::Text(None),
            Cell::Text(None),
            Cell::Int(Some(code)),
            Cell::Text(Some(message.to_owned())),
        ]
    };
    let refused = |code, message: &str| {
        Answer::rows(
            &["name", "system_type_name", "error_number", "error_message"],
            vec![wrong(code, message)],
        )
    };
    let query = json!({"queries": {"q": "SELECT nothing FROM [Đo]"}});
    let table = json!({"tables": ["Đo"]});
    let cases = [
        (
            script().refusing_login(18456, "Login failed for user 'reader'."),
            table.clone(),
            "Đo",
        ),
        (
            script().refusing_login(
                4060,
                "Cannot open database \"OneStop\" requested by the login.",
            ),
            table.clone(),
            "Đo",
        ),
        (script(), json!({"tables": ["Do"]}), "Do"),
        (
            script()
                .first("FROM (", Answer::error(0, "never asked"))
                .first(
                    "N'SELECT nothing",
                    refused(207, "Invalid column name 'nothing'."),
                ),
            query,
            "q",
        ),
        (
            script().first("ORDER BY [id]", Answer::done()).first(
                "CAST(SWITCHOFFSET",
                Answer::error(229, "The SELECT permission was denied on the object 'Đo'."),
            ),
            table.clone(),
            "Đo",
        ),
        (
            script().first(
                "CAST(SWITCHOFFSET",
                Answer::broken_after(vec![full(), full()]),
            ),
            table.clone(),
            "Đo",
        ),
        (
            script().first(
                "CAST(SWITCHOFFSET",
                Answer::failing_after(vec![full()], 1205, "Transaction was deadlocked."),
            ),
            table.clone(),
            "Đo",
        ),
        (
            script(),
            json!({"tables": ["Đo"], "tls": {"mode": "require"}}),
            "Đo",
        ),
    ];
    let mut all = Vec::new();
    for (script, settings, unit) in cases {
        let server = TdsServer::start(script).await;
        let error = fetch(&*connector(server.port, settings), unit, None, &run_at(0))
            .await
            .unwrap_err();
        let error = said(&error, server.port);
        assert!(!error.contains("s3cr3t"), "{error}");
        all.push(error);
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_looked_at_by_itself_before_it_stands_in_ours() {
    let refused = vec![vec![
        Cell::Text(None),
        Cell::Text(None),
        Cell::Int(Some(102)),
        Cell::Text(Some("Incorrect syntax near ')'.".to_owned())),
    ]];
    let answer = Answer::rows(
        &["name", "system_type_name", "error_number", "error_message"],
        refused,
    );
    let server = TdsServer::start(script().first("dm_exec_describe", answer)).await;
    let settings = json!({"queries": {"q": "SELECT 1 AS a) AS q; DROP TABLE [Đo] --"}});
    let error = fetch(&*connector(server.port, settings), "q", None, &run_at(0))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    let described = server
        .asked()
        .into_iter()
        .filter(|asked| asked.contains("DROP"))
        .collect::<Vec<_>>();
    assert_eq!(described.len(), 1);
    assert!(
        described[0].contains("dm_exec_describe_first_result_set(N'SELECT 1 AS a) AS q; DROP"),
        "as a text, never as a statement"
    );
}
