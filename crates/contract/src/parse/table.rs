//! The table's part of a descriptor.

use std::collections::{BTreeMap, HashSet};

use crate::contract::{self, Contract, ForeignKey, KeyScope, KeyTarget, PartitionBy};
use crate::error::Fault;
use crate::field::{Field, FieldType};
use crate::name::TableName;
use crate::parse::node::{Node, Unknown, nearest};
use crate::parse::{field, severity};
use crate::titles::Titles;

/// Table Schema v2, "Schema", and what data packages commonly add.
const KNOWN: &[&str] = &[
    "$schema",
    "name",
    "title",
    "description",
    "fields",
    "fieldsMatch",
    "missingValues",
    "primaryKey",
    "uniqueKeys",
    "foreignKeys",
    "sectorlake",
];
/// The design page, "Table Schema, and what it adds".
const OURS: &[&str] = &[
    "version",
    "standard",
    "title",
    "owner",
    "licence",
    "key_scope",
    "partition_by",
    "cluster_by",
    "foreign_keys_any",
    "severity",
];

/// Reads a descriptor; `None` where it has no fields to speak of. Faults are reported to the node.
pub(crate) fn read(name: &TableName, root: &Node<'_>) -> Option<Contract> {
    root.map()?;
    root.known(KNOWN, Unknown::RefuseNearMiss);
    if let Some(node) = root.get("uniqueKeys") {
        let mend = "mark a single field with constraints.unique, or make the fields the primaryKey";
        node.report(Fault::Unsupported {
            what: "uniqueKeys".to_owned(),
            mend,
        });
    }
    let ours = root.get("sectorlake");
    if let Some(ours) = &ours {
        ours.map();
        ours.known(OURS, Unknown::Refuse);
    }
    let fields = fields(root)?;
    let mut contract = Contract {
        name: name.clone(),
        title: titles(root, ours.as_ref()),
        description: root.owned("description"),
        primary_key: field_names(root, "primaryKey", name, &fields),
        foreign_keys: foreign_keys(root, name),
        missing_values: missing_values(root).unwrap_or_else(|| vec![String::new()]),
        version: "1".to_owned(),
        standard: None,
        owner: None,
        licence: None,
        partition_by: Vec::new(),
        cluster_by: Vec::new(),
        key_scope: KeyScope::default(),
        severity: BTreeMap::new(),
        fields,
    };
    if let Some(ours) = ours {
        read_ours(&ours, &mut contract);
    }
    Some(contract)
}

/// What Table Schema has no words for.
fn read_ours(ours: &Node<'_>, contract: &mut Contract) {
    contract.standard = ours.owned("standard");
    contract.owner = ours.owned("owner");
    contract.licence = ours.owned("licence");
    contract.cluster_by = field_names(ours, "cluster_by", &contract.name, &contract.fields);
    contract.partition_by = partitions(ours, &contract.name, &contract.fields);
    let any = foreign_keys_any(ours, &contract.name);
    contract.foreign_keys.extend(any);
    if let Some(node) = ours.get("version")
        && let Some(version) = node.as_text()
    {
        if contract::major(version).is_none() {
            node.report(Fault::OutOfBounds {
                found: format!("{version:?}"),
                expected: "a version that begins with a number from 1, such as \"1.2.0\"",
            });
        }
        contract.version = version.to_owned();
    }
    if let Some(node) = ours.get("severity") {
        contract.severity = severity::of_table(&node, !contract.foreign_keys.is_empty());
    }
    if ours
        .get("key_scope")
        .and_then(|node| node.word("key scope", &["source", "lake"]))
        == Some("lake")
    {
        contract.key_scope = KeyScope::Lake;
    }
}

fn fields(root: &Node<'_>) -> Option<Vec<Field>> {
    let Some(node) = root.get("fields") else {
        let mend =
            "list the table's columns: \"fields\": [{ \"name\": \"…\", \"type\": \"string\" }]";
        root.report(Fault::Missing {
            property: "fields",
            mend,
        });
        return None;
    };
    let items = node.items()?;
    if items.is_empty() {
        return node.expected("a list of at least one field");
    }
    let mut seen = HashSet::new();
    let mut fields = Vec::with_capacity(items.len());
    for item in items {
        let Some(field) = field::read(&item) else {
            continue;
        };
        if !seen.insert(field.name.to_lowercase()) {
            item.report(Fault::DuplicateField {
                name: field.name.clone(),
            });
        }
        fields.push(field);
    }
    Some(fields)
}

/// Titles from Table Schema's `title` (English) and `sectorlake.title` (by language).
pub(crate) fn titles(node: &Node<'_>, ours: Option<&Node<'_>>) -> Titles {
    let mut titles = Vec::new();
    let by_language = ours.and_then(|ours| ours.get("title"));
    if let Some(by_language) = &by_language {
        for language in by_language.map().into_iter().flat_map(|map| map.keys()) {
            if let Some(title) = by_language.text(language) {
                titles.push((language.clone(), title.to_owned()));
            }
        }
    }
    if let Some(title) = node.text("title") {
        match titles.iter().find(|(language, _)| language == "en") {
            Some((_, ours)) if ours != title => {
                let fault = Fault::TitlesDiffer {
                    standard: title.to_owned(),
                    ours: ours.clone(),
                };
                node.get("title")
                    .iter()
                    .for_each(|node| node.report(fault.clone()));
            }
            Some(_) => {}
            None => titles.push(("en".to_owned(), title.to_owned())),
        }
    }
    Titles::new(titles)
}

/// `missingValues`: texts, or objects with a `value` (Table Schema v2).
pub(crate) fn missing_values(node: &Node<'_>) -> Option<Vec<String>> {
    let items = node.get("missingValues")?.items()?;
    let text = |item: &Node<'_>| match item.value.is_object() {
        true => item.owned("value"),
        false => item.as_text().map(str::to_owned),
    };
    Some(items.iter().filter_map(text).collect())
}

/// Names of fields of this table, each of which must exist and stand once.
fn field_names(node: &Node<'_>, key: &str, table: &TableName, fields: &[Field]) -> Vec<String> {
    let items = node
        .get(key)
        .and_then(|node| node.one_or_items())
        .unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for item in items {
        let Some(name) = item.as_text() else { continue };
        if names.iter().any(|other| other == name) {
            item.report(Fault::ListedTwice {
                name: name.to_owned(),
            });
        }
        known_field(&item, name, table, fields);
        names.push(name.to_owned());
    }
    names
}

fn known_field<'f>(
    node: &Node<'_>,
    name: &str,
    table: &TableName,
    fields: &'f [Field],
) -> Option<&'f Field> {
    let found = fields.iter().find(|field| field.name == name);
    if found.is_none() {
        let suggestion =
            nearest(name, fields.iter().map(|field| field.name.as_str())).map(str::to_owned);
        node.report(Fault::UnknownField {
            name: name.to_owned(),
            table: table.clone(),
            suggestion,
        });
    }
    found
}

fn partitions(ours: &Node<'_>, table: &TableName, fields: &[Field]) -> Vec<PartitionBy> {
    let items = ours
        .get("partition_by")
        .and_then(|node| node.one_or_items())
        .unwrap_or_default();
    let mut partitions = Vec::new();
    for item in items {
        let Some(partition) = item.as_text().and_then(|text| partition(&item, text)) else {
            continue;
        };
        if partitions.contains(&partition) {
            item.report(Fault::ListedTwice {
                name: partition.to_string(),
            });
        }
        if let Some(field) = known_field(&item, partition.field(), table, fields) {
            check_partition(&item, &partition, field);
        }
        partitions.push(partition);
    }
    partitions
}

fn partition(item: &Node<'_>, text: &str) -> Option<PartitionBy> {
    let Some((function, rest)) = text.split_once('(') else {
        return Some(PartitionBy::Field(text.trim().to_owned()));
    };
    let Some(field) = rest.strip_suffix(')').map(|field| field.trim().to_owned()) else {
        return item.expected("a field, month(field) or year(field)");
    };
    match function.trim() {
        "month" => Some(PartitionBy::Month { field }),
        "year" => Some(PartitionBy::Year { field }),
        other => {
            let known = vec!["month", "year"];
            let suggestion = nearest(other, known.iter().copied()).map(str::to_owned);
            item.report(Fault::UnknownWord {
                what: "partition function",
                found: other.to_owned(),
                suggestion,
                known,
            });
            None
        }
    }
}

fn check_partition(item: &Node<'_>, partition: &PartitionBy, field: &Field) {
    use FieldType::{Boolean, Date, Datetime, Integer, String, Year, YearMonth};
    let (fits, constraint, applies) = match partition {
        PartitionBy::Field(_) => {
            let fits = matches!(
                field.kind,
                Boolean { .. } | Date | Integer | String | Year | YearMonth
            );
            (
                fits,
                "a partition by value",
                "boolean, date, integer, string, year and yearmonth; a datetime is cut by month(…)",
            )
        }
        _ => (
            matches!(field.kind, Date | Datetime),
            "a partition by month or year",
            "date and datetime",
        ),
    };
    if !fits {
        item.report(Fault::NotApplicable {
            constraint,
            kind: field.kind.word(),
            applies,
        });
    }
}

fn foreign_keys(root: &Node<'_>, own: &TableName) -> Vec<ForeignKey> {
    let items = root
        .get("foreignKeys")
        .and_then(|node| node.items())
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            item.map()?;
            item.known(&["fields", "reference"], Unknown::RefuseNearMiss);
            let fields = required_texts(item, "fields")?;
            let target = target(&required(item, "reference")?, own)?;
            Some(ForeignKey {
                fields,
                targets: vec![target],
            })
        })
        .collect()
}

fn foreign_keys_any(ours: &Node<'_>, own: &TableName) -> Vec<ForeignKey> {
    let items = ours
        .get("foreign_keys_any")
        .and_then(|node| node.items())
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            item.map()?;
            item.known(&["fields", "references"], Unknown::Refuse);
            let fields = required_texts(item, "fields")?;
            let references = required(item, "references")?;
            let targets: Vec<KeyTarget> = references
                .items()?
                .iter()
                .filter_map(|node| target(node, own))
                .collect();
            if targets.len() < 2 {
                return references
                    .expected("a list of at least two references (for one, use foreignKeys)");
            }
            Some(ForeignKey { fields, targets })
        })
        .collect()
}

fn target(node: &Node<'_>, own: &TableName) -> Option<KeyTarget> {
    node.map()?;
    node.known(&["resource", "fields"], Unknown::RefuseNearMiss);
    // Table Schema: no resource (v2) or an empty one (v1) is the table itself.
    let table = match node
        .text("resource")
        .filter(|resource| !resource.is_empty())
    {
        None => own.clone(),
        Some(resource) => match resource.parse::<TableName>() {
            Ok(table) => table,
            Err(error) => {
                node.get("resource")
                    .iter()
                    .for_each(|node| node.report(Fault::TableName(error.clone())));
                return None;
            }
        },
    };
    Some(KeyTarget {
        table,
        fields: required_texts(node, "fields")?,
    })
}

fn required<'a>(node: &Node<'a>, property: &'static str) -> Option<Node<'a>> {
    let found = node.get(property);
    if found.is_none() {
        let mend = "a foreign key is { \"fields\": […], \"reference\": { \"resource\": \"schema.table\", \"fields\": […] } }";
        node.report(Fault::Missing { property, mend });
    }
    found
}

fn required_texts(node: &Node<'_>, property: &'static str) -> Option<Vec<String>> {
    required(node, property)?;
    node.texts(property)
}
