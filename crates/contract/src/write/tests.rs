//! What is written is read back.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use crate::Contract;
use crate::arbitrary::contract;

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
