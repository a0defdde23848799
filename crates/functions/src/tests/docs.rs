//! The page that lists every function is what the functions say of themselves, and its examples hold.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{ask, told};
use crate::places::{Places, tests::index};
use crate::session::sections;
use crate::{SessionOptions, new_session};

const START: &str =
    "<!-- functions: made by `SECTORLAKE_DOCS=write cargo test -p sectorlake-functions docs` -->\n";
const END: &str = "<!-- end of functions -->\n";

fn options() -> SessionOptions {
    SessionOptions {
        places: Places::of(index()),
        ..SessionOptions::default()
    }
}

/// The name with its first letter as documentation has it, the aliases, what it does, an example.
fn page() -> String {
    let mut page = String::new();
    for (heading, functions) in sections(&options()).unwrap() {
        let _ = write!(
            page,
            "\n### {heading}\n\n| function | what it gives | for instance |\n|---|---|---|\n"
        );
        let mut undocumented = Vec::new();
        for function in &functions {
            let names = std::iter::once(function.name())
                .chain(function.aliases().iter().map(String::as_str));
            let names: Vec<String> = names
                .map(|name| format!("`{}`", name.to_lowercase()))
                .collect();
            let names = names.join(", ");
            match function.documentation() {
                Some(it) if !it.description.is_empty() && !it.syntax_example.is_empty() => {
                    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
                    let _ = writeln!(
                        page,
                        "| {names} | {} | `{}` |",
                        cell(&it.description),
                        cell(&it.syntax_example)
                    );
                }
                _ => undocumented.push(names),
            }
        }
        if !undocumented.is_empty() {
            let _ = writeln!(page, "\nAs in PostGIS: {}.", undocumented.join(", "));
        }
    }
    page
}

#[test]
fn the_page_says_what_the_functions_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let fresh = format!("{before}{START}{}\n{END}{after}", page());
    if std::env::var("SECTORLAKE_DOCS").is_ok_and(|it| it == "write") {
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    assert!(
        text == fresh,
        "README.md is not what the functions say: SECTORLAKE_DOCS=write cargo test -p sectorlake-functions docs"
    );
}

#[tokio::test]
async fn every_example_holds() {
    let session = new_session(&options()).unwrap();
    let mut wrong = Vec::new();
    for (heading, functions) in sections(&options()).unwrap() {
        // Examples of the geometry functions speak of columns.
        if heading == "Geometry" {
            continue;
        }
        for function in functions {
            let documentation = function.documentation().unwrap();
            let sql = format!("SELECT {} AS example", documentation.syntax_example);
            let is_claim = sql.contains(" = ") || sql.contains(" IS NULL");
            match ask(&session, &sql).await {
                Err(_) => wrong.push(format!("{sql}\n{}", told(&session, &sql).await)),
                Ok(_) if is_claim => {
                    let answer = told(&session, &sql).await;
                    if !answer.contains("true") {
                        wrong.push(format!("{sql}\n{answer}"));
                    }
                }
                Ok(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn analysts_find_the_documentation_in_sql() {
    let session = new_session(&options()).unwrap();
    let sql = "SELECT DISTINCT description LIKE 'The code of a place%' AS d FROM information_schema.routines WHERE routine_name = 'place_code'";
    insta::assert_snapshot!(told(&session, sql).await);
}
