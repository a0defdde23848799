//! Bytes to Arrow: every file format an agency sends, read as a stream.
//!
//! Place: after the raw zone, before `normalise`.
//! Must not know: where the bytes came from, contracts, Delta.
//! What is not declared is found out, and told as [`Choice`]s; `README.md` of this crate lists every option.
//! Bounds: memory by [`ReadOptions`], never by the size of a file; what is unpacked by bytes and ratio. A broken record is reported
//! with its number and place, and the rest goes on.
//!
//! ```
//! use std::sync::Arc;
//! use futures::TryStreamExt;
//! use object_store::{ObjectStoreExt, memory::InMemory, path::Path};
//! use sectorlake_formats::{PartBytes, ReadOptions, open};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let store = Arc::new(InMemory::new());
//! let text = "stop_id,name\nB1,Cầu Rào\nB2,An Dương,too many\n";
//! store.put(&Path::from("stops.txt"), text.into()).await?;
//! let part = PartBytes { store, path: Path::from("stops.txt"), size: text.len() as u64, name: "stops.txt".to_owned() };
//!
//! let opened = open(&part, None, None, &ReadOptions::default()).await?;
//! let mut decoded = Vec::new();
//! for stream in opened.read(&[0]) {
//!     decoded.extend(stream.try_collect::<Vec<_>>().await?);
//! }
//! assert_eq!(decoded[0].batch.num_rows(), 1);
//! assert_eq!(decoded[0].broken[0].row, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod avro;
mod blocks;
mod choice;
mod columns;
mod composed;
mod content;
mod csv;
mod decoded;
mod encoding;
mod error;
mod esri;
mod fixed;
mod geometry;
mod gml;
mod gtfs_realtime;
mod guess;
mod html;
mod json;
mod nested;
mod netex;
mod ngsi_ld;
mod options;
mod packing;
mod parquet;
mod part;
mod propose;
mod sample;
mod sdmx_json;
mod siri;
mod spec;
mod table;
mod thread;
mod transmodel;
mod workbook;
mod xml;

#[cfg(test)]
mod docs_tests;
#[cfg(test)]
mod messages_tests;
#[cfg(test)]
mod real_files_tests;
#[cfg(test)]
mod structured_files_tests;
#[cfg(test)]
mod testing;

pub use archive::{Member, members};
pub use choice::Choice;
pub use decoded::{BrokenRecord, Decoded};
pub use error::FormatError;
pub use geometry::geometry_to_wkb;
pub use guess::guess;
pub use netex::elsewhere::Between;
pub use options::ReadOptions;
pub use part::{Part, PartBytes, open};
pub use sample::{Sample, sample};
pub use spec::{
    AvroFormat, AxisOrder, CsvFormat, EsriJsonFormat, FixedColumn, FixedFormat, FormatSpec,
    FormulaErrors, GeojsonFormat, GmlFormat, GtfsRealtimeFormat, HtmlFormat, HtmlTable, JsonFormat,
    NdjsonFormat, NetexFormat, NetexObjects, NgsiLdFormat, ParquetFormat, Quote, RealtimeEntity,
    SdmxJsonFormat, SheetName, ShortRecords, SiriFormat, SiriService, WorkbookFormat, XmlFormat,
};
