//! What a column holds: SQLite types values, not columns, so both what is declared and what is there count.

use arrow::datatypes::DataType;

/// Which kinds of values a column has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) integers: bool,
    pub(super) reals: bool,
    pub(super) texts: bool,
    pub(super) blobs: bool,
}

/// The type of a column: what is declared, widened to what is there. `affinity` by the rules of section 3.1 of the reference,
/// save that what SQLite calls NUMERIC is a number with a fraction only if it is declared so.
pub(super) fn data_type(declared: &str, seen: Seen) -> DataType {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    let narrow = if has(&["INT"]) {
        Some(DataType::Int64)
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Some(DataType::Utf8)
    } else if has(&["BLOB"]) {
        Some(DataType::Binary)
    } else if has(&["REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"]) {
        Some(DataType::Float64)
    } else {
        None
    };
    let of_values = match seen {
        Seen {
            texts: false,
            blobs: false,
            reals: true,
            ..
        } => Some(DataType::Float64),
        Seen {
            texts: false,
            blobs: false,
            integers: true,
            ..
        } => Some(DataType::Int64),
        Seen {
            texts: false,
            reals: false,
            integers: false,
            blobs: true,
        } => Some(DataType::Binary),
        Seen {
            texts: false,
            reals: false,
            integers: false,
            blobs: false,
        } => None,
        _ => Some(DataType::Utf8),
    };
    match (narrow, of_values) {
        (None, None) => DataType::Utf8,
        (Some(one), None) | (None, Some(one)) => one,
        (Some(one), Some(other)) if one == other => one,
        (Some(DataType::Float64), Some(DataType::Int64))
        | (Some(DataType::Int64), Some(DataType::Float64)) => DataType::Float64,
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_and_seen_are_joined() {
        let seen = |letters: &str| Seen {
            integers: letters.contains('i'),
            reals: letters.contains('r'),
            texts: letters.contains('t'),
            blobs: letters.contains('b'),
        };
        for (declared, letters, expected) in [
            ("INTEGER", "", DataType::Int64),
            ("INTEGER", "i", DataType::Int64),
            ("INTEGER", "ir", DataType::Float64),
            ("INTEGER", "it", DataType::Utf8),
            ("varchar(20)", "t", DataType::Utf8),
            ("varchar(20)", "tb", DataType::Utf8),
            ("BLOB", "b", DataType::Binary),
            ("BLOB", "bt", DataType::Utf8),
            ("DECIMAL(10,2)", "i", DataType::Float64),
            ("DECIMAL(10,2)", "t", DataType::Utf8),
            ("DATE", "t", DataType::Utf8),
            ("DATETIME", "i", DataType::Int64),
            ("BOOLEAN", "i", DataType::Int64),
            ("", "ir", DataType::Float64),
            ("", "b", DataType::Binary),
            ("", "", DataType::Utf8),
        ] {
            assert_eq!(
                data_type(declared, seen(letters)),
                expected,
                "{declared} {letters}"
            );
        }
    }
}
