//! What keeps a part from being read. A broken record is no error: see [`crate::BrokenRecord`].

use crate::decoded::BrokenRecord;

/// A part that cannot be read. `name` is the part's name, with `!member` inside an archive.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// There are no bytes.
    #[error("{name} is empty")]
    Empty {
        /// The part.
        name: String,
    },
    /// The store cannot give the bytes.
    #[error("{name} cannot be read: {source}")]
    Read {
        /// The part.
        name: String,
        /// Why.
        source: object_store::Error,
    },
    /// Neither content nor name tells the format.
    #[error("{name}: the format cannot be told from content or name")]
    UnknownFormat {
        /// The part.
        name: String,
    },
    /// Markup, which is no table: most often a server's error page.
    #[error("{name} holds a web page or XML, no data")]
    Markup {
        /// The part.
        name: String,
    },
    /// An archive where one file is wanted.
    #[error("{name} is an archive; which member is meant is not said")]
    IsArchive {
        /// The part.
        name: String,
    },
    /// The bytes are no zip archive.
    #[error("{name} is no zip archive")]
    NoZip {
        /// The part.
        name: String,
    },
    /// The archive is damaged, or uses what cannot be read.
    #[error("{name}: the zip archive cannot be read: {reason}")]
    Zip {
        /// The part.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such member.
    #[error("{name} has no member `{member}`")]
    UnknownMember {
        /// The archive.
        name: String,
        /// The member asked for.
        member: String,
        /// The member that reads most alike.
        near: Option<String>,
        /// Some members that there are.
        members: Vec<String>,
    },
    /// A member's name leads out of the archive's folder.
    #[error("{name} holds a member whose name leads out of its folder: `{member}`")]
    MemberClimbs {
        /// The archive.
        name: String,
        /// The member.
        member: String,
    },
    /// The member needs a password.
    #[error("{name} is encrypted")]
    Encrypted {
        /// The member.
        name: String,
    },
    /// The member is packed by a method that is not known here.
    #[error(
        "{name} is packed by zip method {method}: only stored and deflated members can be read"
    )]
    PackingMethod {
        /// The member.
        name: String,
        /// The method, as zip numbers it.
        method: String,
    },
    /// Packed bytes that are damaged.
    #[error("{name}: the {packing} data cannot be read: {reason}")]
    Packing {
        /// The part.
        name: String,
        /// How they are packed.
        packing: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// More comes out of the archive than the bound allows.
    #[error("{name} unpacks to {unpacked} bytes or more from {packed}, beyond {setting} = {bound}")]
    Inflates {
        /// The archive or member.
        name: String,
        /// Bytes that came out, or are declared.
        unpacked: u64,
        /// Bytes that went in.
        packed: u64,
        /// The bound.
        bound: u64,
        /// Its name in [`crate::ReadOptions`].
        setting: &'static str,
    },
    /// A format that cannot stream, in a file that is too large for that.
    #[error(
        "{name} has {bytes} bytes; {format} is read whole, and only up to {bound} bytes (memory_bytes_max)"
    )]
    TooLarge {
        /// The part.
        name: String,
        /// Its bytes, or those it unpacks to.
        bytes: u64,
        /// The format.
        format: &'static str,
        /// The bound.
        bound: u64,
    },
    /// The encoding's name is not known.
    #[error("{name}: there is no encoding `{label}`")]
    UnknownEncoding {
        /// The part.
        name: String,
        /// The name given.
        label: String,
    },
    /// The header cannot be decoded.
    #[error("{name}: the header is no valid {encoding} (at byte {byte})")]
    HeaderEncoding {
        /// The part.
        name: String,
        /// The encoding that was tried.
        encoding: String,
        /// The first bad byte.
        byte: u64,
    },
    /// There is no header where one is wanted.
    #[error("{name} has no header: {reason}")]
    NoHeader {
        /// The part.
        name: String,
        /// What was looked for.
        reason: String,
    },
    /// An option that cannot be.
    #[error("{name}: format option `{option}`: {reason}")]
    Option {
        /// The part.
        name: String,
        /// The option.
        option: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// More columns than a table may have.
    #[error("{name} has more than {bound} columns")]
    TooManyColumns {
        /// The part.
        name: String,
        /// The bound.
        bound: usize,
    },
    /// The document around the records is broken.
    #[error("{name}: at byte {byte}: {reason}")]
    Document {
        /// The part.
        name: String,
        /// Where.
        byte: u64,
        /// What is wrong.
        reason: String,
    },
    /// The document holds nothing where the records should be.
    #[error("{name} has no list at `{path}`")]
    RecordPath {
        /// The part.
        name: String,
        /// The path given.
        path: String,
        /// A key that reads most alike, where one was missed.
        near: Option<String>,
    },
    /// The workbook is damaged.
    #[error("{name}: the workbook cannot be read: {reason}")]
    Workbook {
        /// The part.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such sheet.
    #[error("{name} has no sheet `{sheet}`")]
    UnknownSheet {
        /// The part.
        name: String,
        /// The sheet asked for.
        sheet: String,
        /// The sheets that there are.
        sheets: Vec<String>,
    },
    /// The page holds no table, or not the one that is meant.
    #[error("{name}: {reason}")]
    NoTable {
        /// The part.
        name: String,
        /// What was looked for.
        reason: String,
    },
    /// A sheet holds no table: nothing, a single cell, or prose.
    #[error("{name} has no table: {reason}")]
    NoSheetTable {
        /// The part.
        name: String,
        /// What it holds.
        reason: String,
    },
    /// Sheets that are read as one table have other columns than the first.
    #[error("{name}: sheet `{sheet}` is another table: {difference}")]
    SheetsDiffer {
        /// The part.
        name: String,
        /// The sheet that differs.
        sheet: String,
        /// Where.
        difference: String,
    },
    /// The Parquet file is damaged.
    #[error("{name}: the Parquet file cannot be read: {reason}")]
    Parquet {
        /// The part.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The Avro file is damaged.
    #[error("{name}: the Avro file cannot be read: {reason}")]
    Avro {
        /// The part.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The text is no GeoJSON geometry.
    #[error("no GeoJSON geometry: {reason}")]
    Geometry {
        /// What is wrong.
        reason: String,
    },
    /// A broken record, where a whole table was asked for.
    #[error("{name} row {}: {}", record.row, record.reason)]
    Broken {
        /// The part.
        name: String,
        /// The record.
        record: Box<BrokenRecord>,
    },
    /// A projection names a column that is not there.
    #[error("{name}: there is no column {index}; it has {columns}")]
    Projection {
        /// The part.
        name: String,
        /// The index asked for.
        index: usize,
        /// How many there are.
        columns: usize,
    },
    /// Arrow refuses a batch that was made here.
    #[error("{name}: internal: {source}")]
    Arrow {
        /// The part.
        name: String,
        /// Why.
        source: arrow::error::ArrowError,
    },
    /// The thread that unpacks ended early.
    #[error("{name}: reading was stopped")]
    Stopped {
        /// The part.
        name: String,
    },
}

impl FormatError {
    /// The mend, if there is one to name.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Empty { .. } => "ask the publisher, or fetch it again: a source without rows still has a header".to_owned(),
            Self::Read { .. } | Self::Stopped { .. } | Self::Projection { .. } | Self::Arrow { .. } => return None,
            Self::UnknownFormat { .. } => format!("say it: `format: {}`", crate::spec::NAMES.join("`, `")),
            Self::IsArchive { .. } => "name the member in `from:`".to_owned(),
            Self::NoZip { .. } | Self::Markup { .. } => "open it in an editor: a server's error page is often saved under the file's name".to_owned(),
            Self::Zip { .. } => "fetch it again; if it stays so, pack the files anew".to_owned(),
            Self::UnknownMember { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::UnknownMember { members, .. } if members.is_empty() => "the archive is empty".to_owned(),
            Self::UnknownMember { members, .. } => format!("its members are: {}", members.join(", ")),
            Self::MemberClimbs { .. } => "do not trust this archive; ask the publisher for one with plain relative names".to_owned(),
            Self::Encrypted { .. } => "unpack it with its password, and give the file itself".to_owned(),
            Self::PackingMethod { .. } => "pack it anew with the usual method (deflate)".to_owned(),
            Self::Packing { .. } => "the file was cut off or is damaged; fetch it again".to_owned(),
            Self::Inflates { setting, .. } => format!("if the archive is to be trusted, raise `{setting}`"),
            Self::TooLarge { .. } => "raise `memory:` in pipelines/sectorlake.yaml, or save the data as CSV".to_owned(),
            Self::UnknownEncoding { .. } => "use a name of the WHATWG Encoding Standard, such as `windows-1258` or `utf-16le`, or `tcvn3`, `tcvn-5712`, `vni`".to_owned(),
            Self::HeaderEncoding { .. } => "declare it: `format: { name: csv, encoding: windows-1252 }`".to_owned(),
            Self::NoHeader { .. } => "check `header_rows` and `skip_rows`; lines count from 1".to_owned(),
            Self::Option { .. } => "mend it in the pipeline's `format:`".to_owned(),
            Self::TooManyColumns { .. } => "check delimiter and `record_path`: keys that are values make a column each".to_owned(),
            Self::Document { .. } => "the file was cut off or is not in this format; fetch it again, or check `format:`".to_owned(),
            Self::RecordPath { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::RecordPath { .. } => "give the way to the list, such as `format: { name: json, record_path: data.items }`".to_owned(),
            Self::Workbook { .. } => "open it in a spreadsheet program and save it as .xlsx, without a password".to_owned(),
            Self::UnknownSheet { sheets, .. } => format!("its sheets are: {}", sheets.join(", ")),
            Self::NoTable { .. } => "open it in a browser: a server's error page is often saved under the file's name; `table` says which is meant".to_owned(),
            Self::NoSheetTable { .. } => "name another sheet by `sheet`, or say `header_rows` if it holds a table nonetheless".to_owned(),
            Self::SheetsDiffer { .. } => "name a pattern that only sheets with the same header match, or read each sheet by a stream of its own".to_owned(),
            Self::Parquet { .. } => "the file was cut off, or is no Parquet".to_owned(),
            Self::Avro { .. } => "the file was cut off, or is no Avro object container file".to_owned(),
            Self::Geometry { .. } => "a geometry looks like {\"type\": \"Point\", \"coordinates\": [106.68, 20.86]}".to_owned(),
            Self::Broken { .. } => "mend the record, or load it with a pipeline: that keeps broken records apart".to_owned(),
        };
        Some(text)
    }
}

/// The candidate that reads most alike, if any is near enough.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(score, _)| *score > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate.to_owned())
}
