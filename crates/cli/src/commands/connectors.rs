//! `sectorlake connectors`.

use std::fmt::Write as _;

use sectorlake_connector::{Registration, Registry};
use serde_json::{Value, json};

use crate::answer::say;
use crate::args::ConnectorsArgs;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::registry;

/// Objects in objects whose keys are told.
const LEVELS_MAX: usize = 2;
/// References and shapes that are followed to an object.
const STEPS_MAX: usize = 8;

/// Lists the connectors, or tells all of one: its settings and an example.
///
/// # Errors
/// There is no connector of that name, or stdout cannot be written.
pub(crate) fn run(context: &Context, args: &ConnectorsArgs) -> Result<Exit, Failure> {
    let registry = registry::all();
    let asked: Vec<&Registration> = match &args.name {
        None => registry.iter().collect(),
        Some(name) => vec![find(&registry, name)?],
    };
    let text = match (context.global.json, &args.name) {
        (true, _) => {
            let list: Vec<_> = asked.into_iter().map(to_json).collect();
            format!("{:#}\n", Value::Array(list))
        }
        (false, None) => list(&asked),
        (false, Some(_)) => asked.into_iter().map(whole).collect(),
    };
    say(&text)?;
    Ok(Exit::Ok)
}

fn find<'a>(registry: &'a Registry, name: &str) -> Result<&'a Registration, Failure> {
    registry.get(name).ok_or_else(|| {
        let help = match registry.suggest(name) {
            Some(near) => format!("did you mean {near}? `sectorlake connectors` lists them"),
            None => "`sectorlake connectors` lists them".to_owned(),
        };
        Failure::new(Exit::Usage, format!("there is no connector {name}")).help(help)
    })
}

fn list(connectors: &[&Registration]) -> String {
    let width = connectors.iter().map(|connector| connector.name().len());
    let width = width.max().unwrap_or_default();
    let mut text = String::new();
    for connector in connectors {
        let _ = writeln!(text, "{:width$}  {}", connector.name(), connector.about());
    }
    text.push_str(
        "\n`sectorlake connectors NAME` tells all of one, with an example; `sectorlake new source URL-or-FILE` finds the right one.\n",
    );
    text
}

fn whole(connector: &Registration) -> String {
    let mut text = format!(
        "{}\n\n{}\n\nSettings\n",
        connector.name(),
        connector.about()
    );
    let schema = connector.settings_schema();
    tell(&mut text, &schema, &schema, 0);
    if let Some(example) = connector.example() {
        text.push_str("\nExample: pipelines/SECTOR/NAME.yaml\n");
        for line in example.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// The keys of an object's schema, each with what it is for; those of an object in it below, as far as a reader can follow.
fn tell(text: &mut String, schema: &Value, root: &Value, level: usize) {
    let indent = "  ".repeat(1 + 2 * level);
    let required: Vec<&str> = texts(&schema["required"]).collect();
    let settings = schema["properties"].as_object();
    for (key, setting) in settings.into_iter().flatten() {
        let must = match required.contains(&key.as_str()) {
            true => " (required)",
            false => "",
        };
        let _ = writeln!(text, "{indent}{key}{must}");
        let inner = object_in(setting, root, 0);
        let of_type = inner.and_then(|inner| inner["description"].as_str());
        let about = setting["description"].as_str().or(of_type);
        let about = about.unwrap_or_default();
        for line in about.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(text, "{indent}    {}", line.trim());
        }
        if let Some(inner) = inner.filter(|_| level < LEVELS_MAX) {
            tell(text, inner, root, level + 1);
        }
    }
}

/// The object with keys of its own that a setting may be: itself, what it refers to, one of several shapes, or what a list or map of
/// it holds.
fn object_in<'a>(setting: &'a Value, root: &'a Value, steps: usize) -> Option<&'a Value> {
    if steps > STEPS_MAX {
        return None;
    }
    if setting["properties"].is_object() {
        return Some(setting);
    }
    let referred = setting["$ref"].as_str();
    let referred = referred.and_then(|way| root.pointer(way.trim_start_matches('#')));
    let shapes = ["anyOf", "oneOf", "allOf"]
        .into_iter()
        .filter_map(|key| setting[key].as_array())
        .flatten();
    let held = ["additionalProperties", "items"]
        .into_iter()
        .filter_map(|key| setting.get(key));
    let mut all = referred.into_iter().chain(shapes).chain(held);
    all.find_map(|shape| object_in(shape, root, steps + 1))
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn to_json(connector: &Registration) -> Value {
    json!({
        "name": connector.name(),
        "about": connector.about(),
        "over_http": connector.is_over_http(),
        "settings": connector.settings_schema(),
        "example": connector.example(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn one_is_told_with_its_settings_and_an_example() {
        let registry = registry::all();
        let told = whole(find(&registry, "ckan").unwrap());
        assert!(told.contains("\n  url (required)\n"), "{told}");
        assert!(told.contains("\n  auth\n"), "{told}");
        assert!(told.contains("  connector: ckan\n"), "{told}");
    }

    #[test]
    fn what_stands_in_a_setting_is_told_below_it() {
        let registry = registry::all();
        let told = whole(find(&registry, "rest").unwrap());
        for line in [
            "\n  paging\n",
            "\n      style (required)\n          `offset`: so many records on;",
            "\n      next\n",
            "\n      over\n",
            "\n          field (required)\n",
            "\n      basic\n          A user and a password.\n          password (required)\n",
            "\n      lookback\n",
        ] {
            assert!(told.contains(line), "{line} in {told}");
        }
        for connector in registry.iter() {
            assert!(whole(connector).len() < 20_000, "{}", connector.name());
        }
    }

    #[test]
    fn every_connector_has_an_example_that_names_it() {
        for connector in registry::all().iter() {
            let example = connector.example().unwrap_or_default();
            let named = format!("connector: {}", connector.name());
            assert!(example.contains(&named), "{}", connector.name());
            // Whoever takes it over must know by what it is written and under which terms the data are.
            let says = |what: &str| example.lines().any(|line| line.starts_with(what));
            assert!(says("# Reference: https://"), "{}", connector.name());
            assert!(
                says("# Licence: ") && says("licence: "),
                "{}",
                connector.name()
            );
        }
    }

    /// Every setting, at every depth, says what it is for.
    #[test]
    fn every_setting_is_told() {
        fn silent(schema: &Value, root: &Value, level: usize, way: &str, found: &mut Vec<String>) {
            let settings = schema["properties"].as_object();
            for (key, setting) in settings.into_iter().flatten() {
                let way = format!("{way}.{key}");
                let inner = object_in(setting, root, 0);
                let about = setting["description"].as_str();
                let about = about.or_else(|| inner?["description"].as_str());
                if about.is_none_or(|about| about.trim().is_empty()) {
                    found.push(way.clone());
                }
                if let Some(inner) = inner.filter(|_| level < LEVELS_MAX) {
                    silent(inner, root, level + 1, &way, found);
                }
            }
        }
        let mut found = Vec::new();
        for connector in registry::all().iter() {
            let schema = connector.settings_schema();
            assert!(!connector.about().is_empty(), "{}", connector.name());
            silent(&schema, &schema, 0, connector.name(), &mut found);
        }
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn a_misspelt_name_is_told_with_the_nearest() {
        let registry = registry::all();
        let error = find(&registry, "gtsf").unwrap_err();
        assert_eq!(error.message, "there is no connector gtsf");
        assert!(error.help.unwrap().starts_with("did you mean gtfs?"));
    }
}
