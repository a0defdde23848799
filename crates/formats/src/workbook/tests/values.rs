use super::*;
use crate::testing::read_bytes;

fn rows() -> String {
    let header = row(2, 'B', &["mã", "", "ngày"]);
    let first = format!(
        r#"<row r="3">{}<c r="C3"><v>1.5</v></c><c r="D3" s="1"><v>45658</v></c></row>"#,
        cell("B3", "01")
    );
    let second = r#"<row r="5"><c r="B5"><v>12</v></c><c r="C5" t="b"><v>1</v></c><c r="D5" s="2"><v>45658.5</v></c></row>"#;
    let third = r#"<row r="6"><c r="B6" s="3"><v>0.25</v></c><c r="C6" s="4"><v>1.5</v></c><c r="D6" s="5"><v>0.30000000000000004</v></c></row>"#;
    let beyond = r#"<row r="7"><c r="F7"><v>9</v></c></row>"#;
    format!("{header}{first}{second}{third}{beyond}")
}

#[test]
fn cells_as_text() {
    let bytes = sheet(&rows());
    for batch_rows in 1..5 {
        let options = ReadOptions {
            batch_rows,
            ..ReadOptions::default()
        };
        let all = read_bytes(&bytes, XLSX, &options).unwrap();
        assert_eq!(all.columns, ["mã", "column_2", "ngày"]);
        let expected = [
            ["01", "1.5", "2025-01-01"],
            ["12", "true", "2025-01-01T12:00:00"],
            ["06:00:00", "36:00:00", "0.30000000000000004"],
        ];
        assert_eq!(all.texts(), expected);
        assert_eq!(
            all.rows.keys().copied().collect::<Vec<_>>(),
            [3, 5, 6],
            "numbers are the sheet's"
        );
        assert_eq!(
            all.reasons(),
            [(
                7,
                "its cell F7 stands under no header; `columns` says which columns are read"
            )]
        );
    }
    assert_eq!(crate::guess("a.zip", &bytes).unwrap().name(), "xlsx");
    let declared = read(&bytes, r#"{"name": "xlsx", "columns": "b:D"}"#).unwrap();
    assert_eq!((declared.rows.len(), declared.broken.len()), (3, 0));
    let fewer = read(
        &bytes,
        r#"{"name": "xlsx", "columns": "B", "header_rows": [2]}"#,
    )
    .unwrap();
    assert_eq!(fewer.texts(), [["01"], ["12"], ["06:00:00"]]);
}

#[test]
fn dates_count_from_1904_where_the_workbook_says_so() {
    let rows = format!(
        r#"{}<row r="2"><c r="A2" s="6"><v>44196</v></c></row></sheetData>"#,
        row(1, 'A', &["ngày"])
    );
    let sheets = [("a", "visible", rows)];
    let bytes = book(&Book {
        sheets: &sheets,
        shared: &[],
        workbook: r#"<workbookPr date1904="1"/>"#,
    });
    assert_eq!(read(&bytes, XLSX).unwrap().texts(), [["2025-01-01"]]);
}

#[test]
fn shared_and_rich_texts() {
    let shared = [
        "<t>An Dương</t>",
        "<r><t xml:space=\"preserve\">Hồng </t></r><r><t>Bàng &amp; c&#7897;</t></r><rPh><t>no</t></rPh>",
        "<t/>",
        "<t>a_x000D_\nb_x005F_</t>",
    ];
    let cells: String = (0..4)
        .map(|index| format!(r#"<c t="s"><v>{index}</v></c>"#))
        .collect();
    let rows = format!(
        r#"{}<row>{cells}</row></sheetData>"#,
        row(1, 'A', &["a", "b", "c", "d"])
    );
    let sheets = [("a", "visible", rows)];
    let bytes = book(&Book {
        sheets: &sheets,
        shared: &shared,
        workbook: "",
    });
    assert_eq!(
        read(&bytes, XLSX).unwrap().texts(),
        [["An Dương", "Hồng Bàng & cộ", "", "a\nb_"]]
    );
    let missing = bytes_with(&shared[..2]);
    assert_eq!(
        refused(&missing, XLSX),
        "part: the workbook cannot be read: cell C2 refers to shared text 2, of which there are 2\n  help: open it in a spreadsheet program and save it as .xlsx, without a password"
    );
}

fn bytes_with(shared: &[&str]) -> Vec<u8> {
    let rows = format!(
        r#"{}<row><c/><c/><c t="s"><v>2</v></c></row></sheetData>"#,
        row(1, 'A', &["a", "b", "c"])
    );
    book(&Book {
        sheets: &[("a", "visible", rows)],
        shared,
        workbook: "",
    })
}

#[test]
fn formulas_that_failed() {
    let failed =
        r#"<row r="2"><c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B2"><v>1</v></c></row>"#;
    let never = r#"<row r="3"><c r="A3"><f>SUM(B1:B2)</f></c><c r="B3"><v>2</v></c></row>"#;
    let empty = r#"<row r="4"><c r="A4" t="str"><f>""</f><v></v></c><c r="B4" t="str"><f>"x"</f><v>x</v></c></row>"#;
    let bytes = sheet(&format!(
        "{}{failed}{never}{empty}",
        row(1, 'A', &["a", "b"])
    ));
    let all = read(&bytes, XLSX).unwrap();
    assert_eq!(all.texts(), [["", "x"]]);
    assert_eq!(
        all.reasons(),
        [
            (
                2,
                "cell A2 holds the formula error #DIV/0!; `formula_errors` says what becomes of such cells"
            ),
            (
                3,
                "cell A3 holds a formula whose value was never stored; open the workbook in a spreadsheet program and save it"
            ),
        ]
    );
    let text = read(&bytes, r#"{"name": "xlsx", "formula_errors": "text"}"#).unwrap();
    assert_eq!(text.texts(), [["#DIV/0!", "1"], ["", "2"], ["", "x"]]);
    let empty = read(&bytes, r#"{"name": "xlsx", "formula_errors": "empty"}"#).unwrap();
    assert_eq!(empty.texts(), [["", "1"], ["", "2"], ["", "x"]]);
}

#[test]
fn formulas_that_were_never_computed() {
    for value in ["", "<v></v>", "<v/>", "<v> </v>"] {
        let cells = format!(
            r#"<row r="2"><c r="A2"><f>SUM(B1:B2)</f>{value}</c><c r="B2"><v>2</v></c></row><row r="3"><c r="A3"/><c r="B3"><v>3</v></c></row>"#
        );
        let bytes = sheet(&format!("{}{cells}", row(1, 'A', &["a", "b"])));
        let all = read(&bytes, XLSX).unwrap();
        assert_eq!(all.texts(), [["", "3"]], "{value}");
        assert_eq!(all.broken.len(), 1, "{value}");
        let empty = read(&bytes, r#"{"name": "xlsx", "formula_errors": "empty"}"#).unwrap();
        assert_eq!(empty.texts(), [["", "2"], ["", "3"]], "{value}");
    }
}
