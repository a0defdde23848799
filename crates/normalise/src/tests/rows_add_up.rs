//! Whatever comes in: no row is lost, none is doubled.

use proptest::prelude::*;

use super::{contract, run, source, spec};
use crate::{KeyChecks, Unpivot};

/// Texts as files have them: numbers, dates, marks, blanks, oddities.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[0-9]{1,3}",
        1 => "-?[0-9]{1,3}\\.[0-9]{1,2}",
        1 => "20[0-9]{2}-[01][0-9]-[0-3][0-9]",
        1 => Just(String::new()),
        1 => Just("..".to_owned()),
        1 => "\\PC{0,5}",
    ]
}

const MAPPINGS: &[&str] = &[
    "SELECT a AS id, b AS n, c AS d FROM source",
    "SELECT a AS id, CAST(b AS BIGINT) AS n, c AS d FROM source WHERE a <> ''",
    "SELECT a AS id, b AS n FROM source UNION ALL SELECT c, a FROM source WHERE b <> c",
    "SELECT a AS id, l.n FROM source LEFT JOIN (VALUES ('1', 1), ('1', 2)) AS l(k, n) ON l.k = b",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_balances_hold(
        rows in prop::collection::vec((cell(), cell(), cell()), 0..40),
        mapping in 0..MAPPINGS.len(),
        wide in any::<bool>(),
        dropped in 0..4_u64,
    ) {
        let contract = contract(
            r#"{"name": "id", "type": "string", "constraints": {"required": true, "maxLength": 4}},
               {"name": "n", "type": "integer", "constraints": {"maximum": 500}}, {"name": "d", "type": "date"}"#,
            "",
        );
        let mut spec = spec(&contract, Some(MAPPINGS[mapping]));
        if wide {
            spec.mapping.as_mut().expect("it has one").sql = "SELECT a AS id, value AS n FROM source".to_owned();
            spec.unpivot = Some(Unpivot { keep: vec!["a".to_owned()], name: "name".to_owned(), value: "value".to_owned() });
        }
        let cells: Vec<[&str; 3]> = rows.iter().map(|(a, b, c)| [a.as_str(), b.as_str(), c.as_str()]).collect();
        let cells: Vec<&[&str]> = cells.iter().map(<[&str; 3]>::as_slice).collect();
        let mut decoded = source(&["a", "b", "c"], &cells);
        // What the format's own rules drop was there, and is filtered.
        decoded.dropped = (rows.len() as i64 + 1..).take(dropped as usize).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let normalised = runtime.block_on(run(&spec, &decoded, &KeyChecks::default())).unwrap();

        let accepted: u64 = normalised.batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let counts = normalised.counts;
        prop_assert_eq!(counts.decoded, rows.len() as u64 + dropped);
        prop_assert_eq!(counts.mapped, accepted + counts.rejected);
        prop_assert_eq!(counts.accepted(), accepted);
        prop_assert!(counts.filtered <= counts.decoded);
        if wide {
            prop_assert_eq!(counts.mapped, 2 * (counts.decoded - dropped));
        } else if mapping == 0 {
            prop_assert_eq!((counts.mapped, counts.filtered), (counts.decoded - dropped, dropped));
        } else if mapping == 1 {
            prop_assert_eq!(counts.mapped + counts.filtered, counts.decoded);
        }
        // Each rejected row has a reason, and no accepted one has.
        prop_assert_eq!(normalised.rejected.is_empty(), counts.rejected == 0);
        for batch in &normalised.batches {
            prop_assert_eq!(batch.column(0).null_count(), 0);
        }
    }
}
