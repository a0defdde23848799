//! A contract as a Table Schema descriptor, and its hash.

use serde_json::{Map, Value, json};

use crate::contract::{Contract, ForeignKey, KeyScope, KeyTarget, PartitionBy};
use crate::field::{Classification, Constraints, Field, FieldType};
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
            self.fields.iter().map(field_json).collect(),
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
        out.insert("sectorlake".to_owned(), Value::Object(ours));
        Value::Object(out)
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
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::{
        Classification, Constraints, Contract, Field, FieldType, ForeignKey, KeyScope, KeyTarget,
        PartitionBy, Titles,
    };

    fn kind() -> impl Strategy<Value = FieldType> {
        let texts = || prop::collection::vec("[a-zÀ-ỹ0-9]{1,4}", 1..3);
        prop_oneof![
            Just(FieldType::String),
            Just(FieldType::Integer),
            Just(FieldType::Number),
            (1_u8..=38, 0_i8..=38).prop_map(|(precision, scale)| FieldType::Decimal {
                precision: precision.max(scale as u8),
                scale
            }),
            (texts(), texts()).prop_map(|(true_values, false_values)| FieldType::Boolean {
                true_values,
                false_values
            }),
            Just(FieldType::Date),
            Just(FieldType::Datetime),
            Just(FieldType::Time),
            Just(FieldType::Year),
            Just(FieldType::YearMonth),
            Just(FieldType::GeoPoint),
            Just(FieldType::GeoJson),
            Just(FieldType::List),
            Just(FieldType::Object),
        ]
    }

    /// A value or none, and always none where it would make no sense.
    fn maybe<T: Clone + std::fmt::Debug + 'static>(
        sensible: bool,
        value: impl Strategy<Value = T> + 'static,
    ) -> BoxedStrategy<Option<T>> {
        prop::option::of(value)
            .prop_map(move |value| value.filter(|_| sensible))
            .boxed()
    }

    fn constraints(kind: &FieldType) -> impl Strategy<Value = Constraints> + use<> {
        let text = matches!(kind, FieldType::String);
        let limit: BoxedStrategy<Value> = match kind {
            FieldType::Integer | FieldType::Year => (1..9).prop_map(Value::from).boxed(),
            FieldType::Number | FieldType::Decimal { .. } => (1..9)
                .prop_map(|limit| json!(f64::from(limit) / 2.0))
                .boxed(),
            FieldType::Date => (1..9)
                .prop_map(|day| json!(format!("2025-07-0{day}")))
                .boxed(),
            FieldType::Datetime => (1..9)
                .prop_map(|day| json!(format!("2025-07-0{day}T00:00:00+07:00")))
                .boxed(),
            FieldType::Time => (1..9)
                .prop_map(|hour| json!(format!("0{hour}:00:00")))
                .boxed(),
            _ => (1..9)
                .prop_map(|month| json!(format!("2025-0{month}")))
                .boxed(),
        };
        let limit = maybe(kind.is_ordered(), limit);
        let length = maybe(text, 0_usize..5);
        let pattern = maybe(text, Just("[A-Z]{2}".to_owned()));
        let allowed = prop::option::of(prop::collection::vec("[0-9a-z\"\\\\]{0,3}", 0..3));
        (
            any::<bool>(),
            any::<bool>(),
            pattern,
            limit.clone(),
            limit,
            length,
            allowed,
        )
            .prop_map(
                |(
                    required,
                    unique,
                    pattern,
                    minimum,
                    exclusive_maximum,
                    min_length,
                    enumeration,
                )| Constraints {
                    required,
                    unique,
                    pattern,
                    minimum,
                    exclusive_maximum,
                    min_length,
                    enumeration,
                    ..Constraints::default()
                },
            )
    }

    fn titles() -> impl Strategy<Value = Titles> {
        prop::collection::btree_map("vi|en|km", "[A-Za-zÀ-ỹ \"]{0,9}", 0..3).prop_map(Titles::new)
    }

    fn field() -> impl Strategy<Value = Field> {
        kind().prop_flat_map(|kind| {
            let zone = maybe(
                kind == FieldType::Datetime,
                Just(chrono_tz::Asia::Ho_Chi_Minh),
            );
            let missing = prop::option::of(prop::collection::vec("[.n/a -]{0,3}", 0..3));
            let class = prop::sample::select(Classification::ALL.to_vec());
            (
                constraints(&kind),
                titles(),
                zone,
                missing,
                class,
                prop::option::of("ug/m3|%|Cel"),
            )
                .prop_map(
                    move |(constraints, title, time_zone, missing_values, classification, unit)| {
                        Field {
                            kind: kind.clone(),
                            constraints,
                            title,
                            time_zone,
                            missing_values,
                            classification,
                            unit,
                            ..Field::default()
                        }
                    },
                )
        })
    }

    /// A contract whose fields are `f0` (a text), `f1` (a date) and any others.
    fn contract() -> impl Strategy<Value = Contract> {
        let others = prop::collection::vec(field(), 0..6);
        (
            others,
            titles(),
            any::<[bool; 5]>(),
            prop::option::of("[a-z ]{1,9}"),
        )
            .prop_map(|(others, title, choices, text)| {
                let first = [FieldType::String, FieldType::Date].map(|kind| Field {
                    kind,
                    ..Field::default()
                });
                let mut fields: Vec<Field> = first.into_iter().chain(others).collect();
                for (position, field) in fields.iter_mut().enumerate() {
                    field.name = format!("f{position}");
                }
                let [keyed, scoped, own, any, partitioned] = choices;
                let target = |table: &str| KeyTarget {
                    table: table.parse().unwrap(),
                    fields: vec!["f0".into()],
                };
                let mut foreign_keys = Vec::new();
                if own {
                    foreign_keys.push(ForeignKey {
                        fields: vec!["f0".into()],
                        targets: vec![target("x.y")],
                    });
                }
                if any {
                    foreign_keys.push(ForeignKey {
                        fields: vec!["f0".into()],
                        targets: vec![target("x.a"), target("x.b")],
                    });
                }
                Contract {
                    name: "x.y".parse().unwrap(),
                    title,
                    description: text.clone(),
                    primary_key: if keyed {
                        vec!["f0".into(), "f1".into()]
                    } else {
                        Vec::new()
                    },
                    foreign_keys,
                    missing_values: vec![String::new(), "..".into()],
                    version: "3".into(),
                    standard: text.clone(),
                    owner: text,
                    licence: None,
                    partition_by: if partitioned {
                        vec![
                            PartitionBy::Year { field: "f1".into() },
                            PartitionBy::Field("f0".into()),
                        ]
                    } else {
                        Vec::new()
                    },
                    cluster_by: if keyed { vec!["f1".into()] } else { Vec::new() },
                    key_scope: if scoped {
                        KeyScope::Lake
                    } else {
                        KeyScope::Source
                    },
                    fields,
                }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_back(contract in contract()) {
            let text = serde_json::to_string_pretty(&contract.to_json()).unwrap();
            let read = Contract::parse(contract.name.clone(), &text);
            prop_assert_eq!(read.as_ref(), Ok(&contract));
            prop_assert_eq!(read.unwrap().hash(), contract.hash());
        }
    }

    #[test]
    fn the_hash_is_of_the_meaning() {
        let hash = |text: &str| {
            Contract::parse("x.y".parse().unwrap(), text)
                .unwrap()
                .hash()
        };
        let plain = hash(
            r#"{ "fields": [{ "name": "a", "type": "string", "constraints": { "required": true } }] }"#,
        );
        let reordered = r#"{"missingValues":[""],"fields":[{"constraints":{"required":true},"type":"string","name":"a","example":"b"}]}"#;
        assert_eq!(hash(reordered), plain);
        assert_ne!(
            hash(r#"{ "fields": [{ "name": "a", "type": "string" }] }"#),
            plain
        );
        assert_eq!(plain.len(), 64);
    }
}
