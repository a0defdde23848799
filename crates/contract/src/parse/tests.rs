//! What a reader of contracts says to each mistake.

#![expect(clippy::unwrap_used, reason = "tests")]

use crate::contracts::Contracts;
use crate::name::TableName;
use crate::{Contract, FieldType, ForeignKey, Interval, KeyScope, PartitionBy, Severity};

fn table() -> TableName {
    "transport.stops".parse().unwrap()
}

/// All faults of a descriptor as a person sees them.
fn told(text: &str) -> String {
    let errors = Contract::parse_all(&table(), text).unwrap_err();
    shown(errors)
}

fn shown(errors: Vec<crate::ContractError>) -> String {
    let lines = errors.iter().map(|error| {
        let help = error.help().map(|help| format!("\n  help: {help}"));
        format!("{error}{}", help.unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A descriptor of one field with these properties.
fn field(properties: &str) -> String {
    format!(r#"{{ "fields": [{{ "name": "a", {properties} }}] }}"#)
}

#[test]
fn broken_documents() {
    let cases = [
        "",
        "{\n  \"fields\": [\n    { \"name\": \"a\" \"type\": \"string\" }\n  ]\n}",
        "[]",
        "{}",
        r#"{ "fields": {} }"#,
        r#"{ "fields": [] }"#,
        r#"{ "fields": ["a"] }"#,
        r#"{ "fields": [{ "type": "string" }] }"#,
        r#"{ "fields": [{ "name": "a" }] }"#,
        r#"{ "fields": [{ "name": "", "type": "string" }, { "name": "_row", "type": "integer" }, { "name": "a b", "type": "string" }] }"#,
        r#"{ "fields": [{ "name": "a", "type": "string" }, { "name": "A", "type": "string" }] }"#,
        r#"{ "feilds": [{ "name": "a", "type": "string" }], "sectorlake": { "licence": 4, "partitionby": "a", "colour": 1 } }"#,
    ];
    insta::assert_snapshot!(cases.map(told).join("\n"), @r#"
    contract transport.stops:1:1: this is not JSON: EOF while parsing a value
    contract transport.stops:3:19: this is not JSON: expected `,` or `}`
    contract transport.stops:1:1: an empty list stands where an object should
    contract transport.stops:1:1: "fields" is missing
      help: list the table's columns: "fields": [{ "name": "…", "type": "string" }]
    contract transport.stops:1:3: fields: an object stands where a list should
    contract transport.stops:1:3: fields: an empty list stands where a list of at least one field should
    contract transport.stops:1:14: fields[0]: the text "a" stands where an object should
    contract transport.stops:1:14: fields[0]: "name" is missing
      help: give the field the column's name
    contract transport.stops:1:14: fields[0]: "type" is missing
      help: say the type, such as "string", "integer" or "number"
    contract transport.stops:1:16: fields[0].name: the field name "" is empty
      help: name it as its standard does, in letters, digits and _
    contract transport.stops:1:50: fields[1].name: the field name "_row" begins with _, as only the lake's own columns may
      help: name it as its standard does, in letters, digits and _
    contract transport.stops:1:89: fields[2].name: the field name "a b" holds a space or one of ,;{}()=."`, which a lake's column must not
      help: name it as its standard does, in letters, digits and _
    contract transport.stops:1:49: fields[1]: there are two fields named "A" (SQL does not tell upper from lower case)
      help: rename one of them
    contract transport.stops:1:1: "fields" is missing
      help: list the table's columns: "fields": [{ "name": "…", "type": "string" }]
    contract transport.stops:1:3: feilds: unknown property "feilds"
      help: did you mean "fields"?
    contract transport.stops:1:80: sectorlake.partitionby: unknown property "partitionby"
      help: did you mean "partition_by"?
    contract transport.stops:1:100: sectorlake.colour: unknown property "colour"
      help: one of: version, standard, title, owner, licence, key_scope, partition_by, cluster_by, foreign_keys_any, severity
    "#);
}

#[test]
fn broken_fields() {
    let cases = [
        r#""type": "strng""#,
        r#""type": "int""#,
        r#""type": "duration""#,
        r#""type": "number", "decimalChar": ",""#,
        r#""type": "string", "constraint": {}, "example": "kept for others""#,
        r#""type": "integer", "constraints": { "minumum": 1 }"#,
        r#""type": "integer", "constraints": { "required": "yes", "minLength": -1 }"#,
        r#""type": "string", "constraints": { "pattern": "[0-9" }"#,
        r#""type": "integer", "constraints": { "pattern": "[0-9]+" }"#,
        r#""type": "string", "constraints": { "minimum": 1, "minLength": 5, "maxLength": 2 }"#,
        r#""type": "integer", "constraints": { "minimum": "low", "maximum": 1.5 }"#,
        r#""type": "date", "constraints": { "minimum": 20250701 }"#,
        r#""type": "yearmonth", "constraints": { "minimum": "2025-13" }"#,
        r#""type": "number", "constraints": { "minimum": 10, "maximum": 1 }"#,
        r#""type": "string", "constraints": { "enum": ["a", ["b"]] }"#,
        r#""type": "datetime", "format": "dd/mm/yyyy""#,
        r#""type": "string", "format": "e-mail""#,
        r#""type": "number", "sectorlake": { "unit": "µg/m³", "clasification": "public" }"#,
        r#""type": "number", "sectorlake": { "unit": "per day" }"#,
        r#""type": "string", "sectorlake": { "classification": "privat" }"#,
        r#""type": "datetime", "sectorlake": { "time_zone": "Asia/Ho_Chi_Min" }"#,
        r#""type": "date", "sectorlake": { "time_zone": "UTC" }"#,
        r#""type": "number", "sectorlake": { "precision": 40, "scale": 2 }"#,
        r#""type": "number", "sectorlake": { "scale": 2 }"#,
        r#""type": "integer", "sectorlake": { "precision": 10 }"#,
        r#""type": "string", "title": "Stop", "sectorlake": { "title": { "en": "Halt", "vi": 1 } }"#,
    ];
    insta::assert_snapshot!(cases.map(|case| told(&field(case))).join("\n"), @r#"
    contract transport.stops:1:29: fields[0].type: "strng" is no type
      help: did you mean "string"?
    contract transport.stops:1:29: fields[0].type: "int" is no type
      help: did you mean "integer"?
    contract transport.stops:1:29: fields[0].type: type "duration" is not supported
      help: write "string"
    contract transport.stops:1:47: fields[0].decimalChar: decimalChar is not supported
      help: turn the text into a plain number in the mapping's SQL
    contract transport.stops:1:47: fields[0].constraint: unknown property "constraint"
      help: did you mean "constraints"?
    contract transport.stops:1:65: fields[0].constraints.minumum: unknown property "minumum"
      help: did you mean "minimum"?
    contract transport.stops:1:65: fields[0].constraints.required: the text "yes" stands where true or false should
    contract transport.stops:1:84: fields[0].constraints.minLength: -1 stands where a whole number that is not negative should
    contract transport.stops:1:64: fields[0].constraints.pattern: "[0-9" is no regular expression: unclosed character class
    contract transport.stops:1:65: fields[0].constraints.pattern: pattern does not apply to an integer
      help: it applies to string
    contract transport.stops:1:47: fields[0].constraints: minLength 5 is above maxLength 2: no value can keep both
    contract transport.stops:1:64: fields[0].constraints.minimum: minimum does not apply to a string
      help: it applies to integer, number, date, datetime, time, year and yearmonth
    contract transport.stops:1:65: fields[0].constraints.minimum: "low" is no integer
      help: write it as 0
    contract transport.stops:1:83: fields[0].constraints.maximum: 1.5 is no integer
      help: write it as 0
    contract transport.stops:1:62: fields[0].constraints.minimum: 20250701 is no date
      help: write it as "2025-07-01"
    contract transport.stops:1:67: fields[0].constraints.minimum: "2025-13" is no yearmonth
      help: write it as "2025-07"
    contract transport.stops:1:47: fields[0].constraints: minimum 10 is above maximum 1: no value can keep both
    contract transport.stops:1:78: fields[0].constraints.enum[1]: a list stands where a text, a number or true or false should
    contract transport.stops:1:49: fields[0].format: "dd/mm/yyyy" is no date or time format
      help: one of: default, any, a strptime pattern such as %d/%m/%Y
    contract transport.stops:1:47: fields[0].format: "e-mail" is no format of this type
      help: did you mean "email"?
    contract transport.stops:1:63: fields[0].sectorlake.unit: "µg/m³" is no UCUM code
      help: did you mean "ug/m3"?
    contract transport.stops:1:80: fields[0].sectorlake.clasification: unknown property "clasification"
      help: did you mean "classification"?
    contract transport.stops:1:63: fields[0].sectorlake.unit: "per day" is no UCUM code
      help: write the case-sensitive code of https://ucum.org, such as ug/m3, Cel, %, m
    contract transport.stops:1:63: fields[0].sectorlake.classification: "privat" is no classification
      help: one of: public, internal, personal
    contract transport.stops:1:65: fields[0].sectorlake.time_zone: "Asia/Ho_Chi_Min" is no time zone of the IANA database
      help: did you mean "Asia/Ho_Chi_Minh"?
    contract transport.stops:1:61: fields[0].sectorlake.time_zone: time_zone does not apply to a date
      help: it applies to datetime
    contract transport.stops:1:63: fields[0].sectorlake.precision: precision 40 with scale 2 is not a precision from 1 to 38 and a scale up to it
    contract transport.stops:1:47: fields[0].sectorlake: "precision" is missing
      help: say how many digits a value has in all: "precision": 18
    contract transport.stops:1:64: fields[0].sectorlake.precision: precision and scale does not apply to an integer
      help: it applies to number
    contract transport.stops:1:47: fields[0].title: the English title is "Stop" in "title" but "Halt" in "sectorlake"
      help: make them equal, or leave one out
    contract transport.stops:1:105: fields[0].sectorlake.title.vi: 1 stands where a text should
    "#);
}

#[test]
fn broken_keys() {
    let table = |rest: &str| {
        format!(
            r#"{{ "fields": [{{ "name": "stop_id", "type": "string" }}, {{ "name": "lat", "type": "number" }}, {{ "name": "day", "type": "date" }}], {rest} }}"#
        )
    };
    let cases = [
        r#""primaryKey": "stopid""#,
        r#""primaryKey": ["stop_id", "stop_id"]"#,
        r#""uniqueKeys": [["stop_id"]]"#,
        r#""foreignKeys": [{ "fields": "stop_id" }]"#,
        r#""foreignKeys": [{ "fields": ["stop_id", "lon"], "reference": { "resource": "transport.trips", "fields": "trip_id" } }]"#,
        r#""foreignKeys": [{ "fields": "stop_id", "reference": { "resource": "trips", "fields": "trip_id" } }]"#,
        r#""foreignKeys": [{ "fields": "stop_id", "reference": { "resource": "", "fields": "lat" } }]"#,
        r#""foreignKeys": [{ "fields": "stop_id", "reference": { "fields": "stop" } }]"#,
        r#""sectorlake": { "foreign_keys_any": [{ "fields": "stop_id", "references": [{ "resource": "a.b", "fields": "c" }] }] }"#,
        r#""sectorlake": { "partition_by": ["month(lat)", "week(day)", "month(day", "lat", "dya"], "cluster_by": ["lng"] }"#,
        r#""sectorlake": { "key_scope": "lakes", "version": 1 }"#,
    ];
    insta::assert_snapshot!(cases.map(|case| told(&table(case))).join("\n"), @r#"
    contract transport.stops:1:128: primaryKey: there is no field "stopid" in transport.stops
      help: did you mean "stop_id"?
    contract transport.stops:1:154: primaryKey[1]: "stop_id" is listed twice
      help: list it once
    contract transport.stops:1:128: uniqueKeys: uniqueKeys is not supported
      help: mark a single field with constraints.unique, or make the fields the primaryKey
    contract transport.stops:1:144: foreignKeys[0]: "reference" is missing
      help: a foreign key is { "fields": […], "reference": { "resource": "schema.table", "fields": […] } }
    contract transport.stops:1:168: foreignKeys[0].fields[1]: there is no field "lon" in transport.stops
    contract transport.stops:1:222: foreignKeys[0].reference.fields: the key has 2 fields but names 1 of transport.trips
      help: name one field of transport.trips for each field of the key, in order
    contract transport.stops:1:182: foreignKeys[0].reference.resource: "trips" is not of the form schema.table
    contract transport.stops:1:198: foreignKeys[0].reference.fields[0]: stop_id is a string but transport.stops.lat is a number
      help: make stop_id a number too
    contract transport.stops:1:182: foreignKeys[0].reference.fields[0]: there is no field "stop" in transport.stops
      help: did you mean "stop_id"?
    contract transport.stops:1:188: sectorlake.foreign_keys_any[0].references: a list stands where a list of at least two references (for one, use foreignKeys) should
    contract transport.stops:1:161: sectorlake.partition_by[0]: a partition by month or year does not apply to a number
      help: it applies to date and datetime
    contract transport.stops:1:175: sectorlake.partition_by[1]: "week" is no partition function
      help: one of: month, year
    contract transport.stops:1:188: sectorlake.partition_by[2]: the text "month(day" stands where a field, month(field) or year(field) should
    contract transport.stops:1:201: sectorlake.partition_by[3]: a partition by value does not apply to a number
      help: it applies to boolean, date, integer, string, year and yearmonth; a datetime is cut by month(…)
    contract transport.stops:1:208: sectorlake.partition_by[4]: there is no field "dya" in transport.stops
      help: did you mean "day"?
    contract transport.stops:1:231: sectorlake.cluster_by[0]: there is no field "lng" in transport.stops
    contract transport.stops:1:144: sectorlake.key_scope: "lakes" is no key scope
      help: did you mean "lake"?
    contract transport.stops:1:166: sectorlake.version: 1 stands where a text should
    "#);
}

#[test]
fn broken_references() {
    let text = |kind: &str, resource: &str, field: &str| {
        format!(
            r#"{{ "fields": [{{ "name": "stop_id", "type": "{kind}" }}], "foreignKeys": [{{ "fields": "stop_id", "reference": {{ "resource": "{resource}", "fields": "{field}" }} }}] }}"#
        )
    };
    let stops = r#"{ "fields": [{ "name": "stop_id", "type": "string" }] }"#.to_owned();
    let (contracts, errors) = Contracts::load_texts([
        (
            table(),
            "schemas/transport/stops.json".to_owned(),
            stops.clone(),
        ),
        (table(), "schemas/transport/stops2.json".to_owned(), stops),
        (
            "x.a".parse().unwrap(),
            "schemas/x/a.json".to_owned(),
            text("string", "transport.stop", "stop_id"),
        ),
        (
            "x.b".parse().unwrap(),
            "schemas/x/b.json".to_owned(),
            text("string", "transport.stops", "stopid"),
        ),
        (
            "x.c".parse().unwrap(),
            "schemas/x/c.json".to_owned(),
            text("integer", "transport.stops", "stop_id"),
        ),
        (
            "x.d".parse().unwrap(),
            "schemas/x/d.json".to_owned(),
            text("string", "transport.stops", "stop_id"),
        ),
    ]);
    assert_eq!((contracts.len(), errors.len()), (5, 1));
    let all = [errors, contracts.check_references()].concat();
    insta::assert_snapshot!(shown(all), @r#"
    schemas/transport/stops2.json: table transport.stops has two contracts, the other in schemas/transport/stops.json
      help: delete one of the two files
    schemas/x/a.json:1:110: foreignKeys[0].reference.resource: there is no contract for table "transport.stop"
      help: did you mean "transport.stops"?
    schemas/x/b.json:1:141: foreignKeys[0].reference.fields[0]: there is no field "stopid" in transport.stops
      help: did you mean "stop_id"?
    schemas/x/c.json:1:142: foreignKeys[0].reference.fields[0]: stop_id is an integer but transport.stops.stop_id is a string
      help: make stop_id a string too
    "#);
}

#[test]
fn places_are_those_of_the_text() {
    let text = "\u{feff}{\n\t\"title\": \"Trường [\\\" {\",\r\n\t\"fields\": [\n\t\t{ \"name\": \"a\", \"type\": \"string\" },\n\t\t{ \"name\": \"b\",\n\t\t  \"constraints\": { \"required\": true }, \"title\": \"ạ ạ\", \"type\": \"bool\" }\n\t]\n}";
    let error = Contract::parse(table(), text).unwrap_err();
    let line = text.lines().nth(5).unwrap();
    let column = line.chars().position(|c| c == 't').unwrap();
    assert!(
        line.chars()
            .skip(column)
            .collect::<String>()
            .starts_with("traints")
    );
    let expected = line[..line.find("\"type\"").unwrap()].chars().count() + 1;
    assert_eq!(
        (error.line(), error.column(), error.path()),
        (Some(6), Some(expected), "fields[1].type")
    );
}

#[test]
fn what_is_read() {
    let text = r#"{
        "fields": [
            { "name": "feed_id", "type": "string" },
            { "name": "stop_id", "type": "string", "missingValues": [] },
            { "name": "at", "type": "datetime", "format": "%d/%m/%Y %H:%M", "sectorlake": { "time_zone": "Asia/Ho_Chi_Minh" } },
            { "name": "fare", "type": "number", "sectorlake": { "precision": 12, "scale": 2, "unit": "[VND]", "classification": "internal" } },
            { "name": "open", "type": "boolean", "trueValues": ["Có"], "falseValues": ["Không"] },
            { "name": "kind", "type": "integer", "constraints": { "enum": [0, "1"] } }
        ],
        "missingValues": ["", { "value": "..", "label": "not available" }],
        "primaryKey": ["feed_id", "stop_id"],
        "foreignKeys": [{ "fields": "stop_id", "reference": { "fields": "stop_id" } }],
        "sectorlake": { "partition_by": ["month(at)", "feed_id"], "key_scope": "lake", "title": { "vi": "Điểm dừng" } }
    }"#;
    let contract = Contract::parse(table(), text).unwrap();
    assert_eq!(
        contract.fields[3].kind,
        FieldType::Decimal {
            precision: 12,
            scale: 2
        }
    );
    assert_eq!(
        contract.fields[2].time_zone,
        Some(chrono_tz::Asia::Ho_Chi_Minh)
    );
    assert_eq!(
        contract.fields[5].constraints.enumeration,
        Some(vec!["0".to_owned(), "1".to_owned()])
    );
    assert_eq!(contract.missing_values_of(&contract.fields[0]), ["", ".."]);
    assert!(contract.missing_values_of(&contract.fields[1]).is_empty());
    assert_eq!(
        contract.partition_by,
        [
            PartitionBy::Month { field: "at".into() },
            PartitionBy::Field("feed_id".into())
        ]
    );
    assert_eq!(contract.key_scope, KeyScope::Lake);
    assert!(
        matches!(contract.foreign_keys.as_slice(), [ForeignKey { targets, .. }] if targets[0].table == table())
    );
    assert_eq!(
        (
            contract.title.vi(),
            contract.title.en(),
            contract.version.as_str()
        ),
        (Some("Điểm dừng"), None, "1")
    );
}

#[test]
fn observation_times_and_soft_rules() {
    let contract = Contract::parse(
        table(),
        r#"{ "fields": [
            { "name": "at", "type": "datetime", "examples": ["2025-07-01T00:00:00+07:00", "x"],
              "sectorlake": { "interval": "start", "time_zone": "UTC", "severity": { "future": "warn" } } },
            { "name": "on", "type": "date", "sectorlake": { "interval": "end" } },
            { "name": "a", "type": "integer", "constraints": { "minimum": 0, "maximum": 9 },
              "sectorlake": { "severity": { "minimum": "warn", "maximum": "reject" } } }
        ], "foreignKeys": [{ "fields": "a", "reference": { "resource": "x.z", "fields": "a" } }],
           "sectorlake": { "version": "12.0.1", "severity": { "foreignKey": "warn" } } }"#,
    )
    .unwrap();
    assert_eq!(contract.major(), 12);
    let [at, on, a] = contract.fields.as_slice() else {
        unreachable!("three fields");
    };
    assert_eq!(at.interval, Some(Interval::Start));
    assert_eq!(at.examples.len(), 2);
    assert_eq!(at.severity_of("future"), Severity::Warn);
    assert_eq!(on.interval, Some(Interval::End));
    assert_eq!(a.severity_of("minimum"), Severity::Warn);
    assert_eq!(a.severity_of("maximum"), Severity::Reject);
    assert_eq!(contract.severity_of("foreignKey"), Severity::Warn);
    let schema = contract.arrow_schema();
    let metadata = schema.field(0).metadata();
    assert_eq!(metadata["sectorlake.interval"], "start");
    assert_eq!(metadata["sectorlake.time_zone"], "UTC");
    let cases = [
        field(r#""type": "datetime", "sectorlake": { "interval": "start" }"#),
        field(r#""type": "integer", "sectorlake": { "interval": "start" }"#),
        field(r#""type": "date", "sectorlake": { "interval": "begin" }"#),
        field(r#""type": "date", "sectorlake": { "severity": { "future": "warn" } }"#),
        field(r#""type": "integer", "sectorlake": { "severity": { "minimun": "warn" } }"#),
        field(r#""type": "integer", "sectorlake": { "severity": { "minimum": "warning" } }"#),
        field(r#""type": "integer", "examples": 4"#),
        field(r#""type": "integer", "examples": [null]"#),
        field(r#""type": "integer", "exampels": [1]"#),
        r#"{ "fields": [{ "name": "a", "type": "date" }], "sectorlake": { "version": "v1", "severity": { "foreignKey": "warn", "required": "warn" } } }"#.to_owned(),
    ];
    insta::assert_snapshot!(cases.map(|text| told(&text)).join("\n"));
}
