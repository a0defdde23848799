//! `sectorlake functions`.

use std::fmt::Write as _;

use sectorlake_query::FunctionDoc;
use serde_json::json;

use crate::answer::say;
use crate::args::FunctionsArgs;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::suggest::nearest;

/// Letters of a description that the list shows.
const SHOWN: usize = 90;

/// Lists the functions beside those of the SQL engine, or tells all of one.
///
/// # Errors
/// There is no function of that name, or stdout cannot be written.
pub(crate) fn run(context: &Context, args: &FunctionsArgs) -> Result<Exit, Failure> {
    let all = sectorlake_query::functions()
        .map_err(|error| Failure::new(Exit::Internal, error.strip_backtrace()))?;
    let asked: Vec<&FunctionDoc> = match &args.name {
        None => all.iter().collect(),
        Some(name) => vec![find(&all, name)?],
    };
    let text = match (context.global.json, &args.name) {
        (true, _) => {
            let list: Vec<_> = asked.iter().map(|function| to_json(function)).collect();
            format!("{:#}\n", serde_json::Value::Array(list))
        }
        (false, None) => list(&asked),
        (false, Some(_)) => asked.into_iter().map(whole).collect(),
    };
    say(&text)?;
    Ok(Exit::Ok)
}

fn find<'a>(all: &'a [FunctionDoc], name: &str) -> Result<&'a FunctionDoc, Failure> {
    let wanted = name.to_lowercase();
    let is_it =
        |function: &&FunctionDoc| function.name == wanted || function.aliases.contains(&wanted);
    all.iter().find(is_it).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|function| function.name.as_str()).collect();
        let help = match nearest(&wanted, &names) {
            Some(near) => format!("did you mean {near}? `sectorlake functions` lists them"),
            None => "`sectorlake functions` lists them; the engine's own stand in information_schema.routines".to_owned(),
        };
        Failure::new(Exit::Usage, format!("there is no function {name} of sectorlake's own")).help(help)
    })
}

fn list(functions: &[&FunctionDoc]) -> String {
    let width = functions.iter().map(|function| function.name.len()).max();
    let mut text = String::new();
    let mut section = "";
    for function in functions {
        if function.section != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", function.section);
            section = function.section;
        }
        let about = match function.about.as_str() {
            "" => "as in PostGIS",
            about => about,
        };
        let mut shown: String = about.chars().take(SHOWN).collect();
        if about.chars().count() > SHOWN {
            shown.push('…');
        }
        let _ = writeln!(
            text,
            "  {:width$}  {shown}",
            function.name,
            width = width.unwrap_or_default()
        );
    }
    text.push_str("\n`sectorlake functions NAME` tells all of one, with an example.\n");
    text
}

fn whole(function: &FunctionDoc) -> String {
    let mut text = function.name.clone();
    if !function.aliases.is_empty() {
        let _ = write!(text, " (also {})", function.aliases.join(", "));
    }
    let about = match function.about.as_str() {
        "" => "As PostGIS's function of this name.",
        about => about,
    };
    let _ = writeln!(text, "\n\n{about}");
    if !function.example.is_empty() {
        let _ = writeln!(text, "\n  {}", function.example);
    }
    text
}

fn to_json(function: &FunctionDoc) -> serde_json::Value {
    json!({
        "name": function.name,
        "aliases": function.aliases,
        "section": function.section,
        "about": function.about,
        "example": function.example,
    })
}
