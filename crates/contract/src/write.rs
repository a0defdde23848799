//! A contract as a Table Schema descriptor, and its hash.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::contract::{Contract, ForeignKey, KeyScope, KeyTarget, PartitionBy};
use crate::field::{Classification, Constraints, Field, FieldType, Interval, Severity};
use crate::titles::Titles;

/// The profile that our descriptors claim.
const PROFILE: &str = "https://datapackage.org/profiles/2.0/tableschema.json";

impl Contract {
    /// The contract as a Table Schema v2 descriptor; reading it gives an equal contract.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        put(&mut out, "$schema", Some(PROFILE));
        put(&mut out, "title", self.title.en());
        put(&mut out, "description", self.description.as_deref());
        out.insert(
            "fields".to_owned(),
            self.fields
                .iter()
                .filter(|field| !field.added)
                .map(field_json)
                .collect(),
        );
        out.insert("missingValues".to_owned(), json!(self.missing_values));
        if !self.primary_key.is_empty() {
            out.insert("primaryKey".to_owned(), json!(self.primary_key));
        }
        let (single, any): (Vec<&ForeignKey>, Vec<&ForeignKey>) = self
            .foreign_keys
            .iter()
            .partition(|key| key.targets.len() == 1);
        if !single.is_empty() {
            let keys = single.iter().flat_map(|key| {
                key.targets.iter().map(
                    |target| json!({ "fields": key.fields, "reference": self.target_json(target) }),
                )
            });
            out.insert("foreignKeys".to_owned(), keys.collect());
        }
        out.insert("sectorlake".to_owned(), self.ours(&any));
        Value::Object(out)
    }

    /// What Table Schema has no words for; `any`: the foreign keys that lead to one of several tables.
    fn ours(&self, any: &[&ForeignKey]) -> Value {
        let mut ours = Map::new();
        put(&mut ours, "version", Some(&self.version));
        put(&mut ours, "standard", self.standard.as_deref());
        put_titles(&mut ours, &self.title);
        put(&mut ours, "owner", self.owner.as_deref());
        put(&mut ours, "licence", self.licence.as_deref());
        if self.key_scope != KeyScope::default() {
            put(&mut ours, "key_scope", Some(self.key_scope.word()));
        }
        if !self.partition_by.is_empty() {
            ours.insert(
                "partition_by".to_owned(),
                self.partition_by
                    .iter()
                    .map(PartitionBy::to_string)
                    .collect(),
            );
        }
        if !self.cluster_by.is_empty() {
            ours.insert("cluster_by".to_owned(), json!(self.cluster_by));
        }
        if !any.is_empty() {
            let keys = any.iter().map(|key| {
                let targets: Vec<Value> = key
                    .targets
                    .iter()
                    .map(|target| self.target_json(target))
                    .collect();
                json!({ "fields": key.fields, "references": targets })
            });
            ours.insert("foreign_keys_any".to_owned(), keys.collect());
        }
        put_severity(&mut ours, &self.severity);
        Value::Object(ours)
    }

    /// The BLAKE3 hash (hex) of what the contract says.
    ///
    /// The order of properties, white space and properties that are not ours do not matter.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut text = String::new();
        canonical(&self.to_json(), &mut text);
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    fn target_json(&self, target: &KeyTarget) -> Value {
        let resource = if target.table == self.name {
            String::new()
        } else {
            target.table.to_string()
        };
        json!({ "resource": resource, "fields": target.fields })
    }
}

fn put(out: &mut Map<String, Value>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.insert(key.to_owned(), Value::from(value));
    }
}

fn put_titles(out: &mut Map<String, Value>, titles: &Titles) {
    if !titles.is_empty() {
        out.insert(
            "title".to_owned(),
            titles
                .iter()
                .map(|(language, title)| (language.to_owned(), Value::from(title)))
                .collect(),
        );
    }
}

fn put_severity(out: &mut Map<String, Value>, severity: &BTreeMap<String, Severity>) {
    if !severity.is_empty() {
        out.insert(
            "severity".to_owned(),
            severity
                .iter()
                .map(|(rule, severity)| (rule.clone(), Value::from(severity.word())))
                .collect(),
        );
    }
}

fn field_json(field: &Field) -> Value {
    let mut out = Map::new();
    put(&mut out, "name", Some(&field.name));
    put(&mut out, "type", Some(field.kind.word()));
    put(&mut out, "format", field.format.as_deref());
    put(&mut out, "title", field.title.en());
    put(&mut out, "description", field.description.as_deref());
    put(&mut out, "rdfType", field.rdf_type.as_deref());
    if let FieldType::Boolean {
        true_values,
        false_values,
    } = &field.kind
    {
        out.insert("trueValues".to_owned(), json!(true_values));
        out.insert("falseValues".to_owned(), json!(false_values));
    }
    if !field.examples.is_empty() {
        out.insert("examples".to_owned(), json!(field.examples));
    }
    if let Some(missing) = &field.missing_values {
        out.insert("missingValues".to_owned(), json!(missing));
    }
    let constraints = constraints_json(&field.constraints);
    if !constraints.is_empty() {
        out.insert("constraints".to_owned(), Value::Object(constraints));
    }
    let mut ours = Map::new();
    put(&mut ours, "unit", field.unit.as_deref());
    if field.classification != Classification::default() {
        put(
            &mut ours,
            "classification",
            Some(field.classification.word()),
        );
    }
    put_titles(&mut ours, &field.title);
    put(
        &mut ours,
        "time_zone",
        field.time_zone.map(chrono_tz::Tz::name),
    );
    put(&mut ours, "interval", field.interval.map(Interval::word));
    put_severity(&mut ours, &field.severity);
    if let FieldType::Decimal { precision, scale } = field.kind {
        ours.insert("precision".to_owned(), json!(precision));
        ours.insert("scale".to_owned(), json!(scale));
    }
    if !ours.is_empty() {
        out.insert("sectorlake".to_owned(), Value::Object(ours));
    }
    Value::Object(out)
}

fn constraints_json(constraints: &Constraints) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, set) in [
        ("required", constraints.required),
        ("unique", constraints.unique),
    ] {
        if set {
            out.insert(name.to_owned(), Value::Bool(true));
        }
    }
    put(&mut out, "pattern", constraints.pattern.as_deref());
    let limits = [
        ("minimum", &constraints.minimum),
        ("maximum", &constraints.maximum),
        ("exclusiveMinimum", &constraints.exclusive_minimum),
        ("exclusiveMaximum", &constraints.exclusive_maximum),
    ];
    for (name, limit) in limits {
        if let Some(limit) = limit {
            out.insert(name.to_owned(), limit.clone());
        }
    }
    for (name, length) in [
        ("minLength", constraints.min_length),
        ("maxLength", constraints.max_length),
    ] {
        if let Some(length) = length {
            out.insert(name.to_owned(), json!(length));
        }
    }
    if let Some(values) = &constraints.enumeration {
        out.insert("enum".to_owned(), json!(values));
    }
    out
}

/// JSON with sorted keys and no white space.
fn canonical(value: &Value, out: &mut String) {
    let mut separator = "";
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in entries {
                out.push_str(separator);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
                separator = ",";
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                out.push_str(separator);
                canonical(item, out);
                separator = ",";
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests;
