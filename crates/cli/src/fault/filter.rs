//! A value that a question's filter cannot take.
//!
//! The engine asks filters of rows while it decodes a file, and says of a value that does not fit what it says of a damaged file.

/// Before the engine's dump of what the filter failed by.
const FAILED: &str = "Error evaluating filter predicate: ";

/// What a filter failed by, in words; none for any other error.
pub(super) fn failed(text: &str) -> Option<String> {
    let (_, dump) = text.split_once(FAILED)?;
    // `ArrowError(CastError("…"), Some(""))`: the sentence stands in the first quotes.
    let quoted = dump.split_once("(\"").and_then(|(_, rest)| {
        let (sentence, _) = rest.split_once("\")")?;
        Some(sentence.replace("\\\"", "\"").replace("\\'", "'"))
    });
    Some(quoted.unwrap_or_else(|| dump.to_owned()))
}

/// What mends it.
pub(super) fn help(sentence: &str) -> Option<String> {
    sentence.starts_with("Cannot cast string").then(|| {
        "a column of texts is compared with something else: put the value in quotes, or compare try_cast(the column AS …)".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use datafusion::error::DataFusionError;
    use parquet::errors::ParquetError;

    use crate::exit::Exit;
    use crate::fault::of_engine;

    #[test]
    fn a_value_is_no_damaged_file() {
        let dump = r#"Error evaluating filter predicate: ArrowError(CastError("Cannot cast string 'x\"5' to value of Int64 type"), Some(""))"#;
        let error = ParquetError::ArrowError(dump.to_owned());
        let error = DataFusionError::ParquetError(Box::new(error));
        let failure = of_engine(&error, "SELECT 1");
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(
            failure.message,
            "Cannot cast string 'x\"5' to value of Int64 type"
        );
        assert!(failure.help.is_some_and(|help| help.contains("in quotes")));
        assert_eq!(super::failed("EOF"), None);
        assert_eq!(
            super::failed("Parquet error: Error evaluating filter predicate: NoQuotes").as_deref(),
            Some("NoQuotes")
        );
    }
}
