//! What a reader chose by itself, told to whoever plans or records a run.

/// One thing that was chosen where nothing is declared, or found out about the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What: one of the constants here, or a format's own word.
    pub what: &'static str,
    /// The value, written as the format's option would be.
    pub value: String,
    /// Why, as a sentence without its full stop; it says where the choice is not certain.
    pub why: String,
}

impl Choice {
    /// The format.
    pub const FORMAT: &'static str = "format";
    /// The packing that was undone (`gzip`, `zstd`).
    pub const COMPRESSION: &'static str = "compression";
    /// The text's encoding.
    pub const ENCODING: &'static str = "encoding";
    /// The character between fields.
    pub const DELIMITER: &'static str = "delimiter";
    /// What lines begin with that are no records.
    pub const COMMENT: &'static str = "comment";
    /// Lines before the header.
    pub const SKIP_ROWS: &'static str = "skip_rows";
    /// Lines or rows of the header.
    pub const HEADER_ROWS: &'static str = "header_rows";
    /// The sheet of a workbook.
    pub const SHEET: &'static str = "sheet";
    /// The table of a web page.
    pub const TABLE: &'static str = "table";
    /// The way to the records.
    pub const RECORD_PATH: &'static str = "record_path";
    /// The way from a record to a list in it.
    pub const UNNEST: &'static str = "unnest";
    /// The mark before decimals, found in the cells, which stay as they are.
    pub const DECIMAL_MARK: &'static str = "decimal mark";
    /// The mark between thousands, found in the cells, which stay as they are.
    pub const THOUSANDS_MARK: &'static str = "thousands mark";

    pub(crate) fn new(
        what: &'static str,
        value: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            what,
            value: value.into(),
            why: why.into(),
        }
    }
}
