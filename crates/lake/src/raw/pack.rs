//! A pack: one immutable file that holds many manifests, in Parquet with one column of JSON texts.
//!
//! It says no more than the manifests it holds: of one part the one that was checked last counts, wherever it is stored,
//! so a pack that a killed or fenced run left is harmless, and packs may hold the same part twice. Its name ends with the
//! digest of what it holds.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::Manifest;
use crate::error::LakeError;
use crate::format;
use crate::layout::{self, Access};
use crate::store::files;

const COLUMN: &str = "manifest";
/// How much of a BLAKE3 digest, in hexadecimal digits, tells packs apart.
const DIGEST_DIGITS: usize = 32;

/// Stores a pack of `manifests`, which are one at least, in their order; where it is stored already, that is as good.
pub(super) async fn put(
    store: &dyn ObjectStore,
    (pipeline, access): (&str, Access),
    manifests: Vec<Manifest>,
) -> Result<Path, LakeError> {
    let sequences = || manifests.iter().map(|manifest| manifest.sequence);
    let (first, last) = (
        sequences().min().unwrap_or(0),
        sequences().max().unwrap_or(0),
    );
    let unnamed = layout::manifest_pack(pipeline, access, (first, last), "");
    let (bytes, digest) = aside(&unnamed, move || encode(&manifests)).await?;
    let place = layout::manifest_pack(pipeline, access, (first, last), &digest);
    format::raise(store).await?;
    files::put_if_absent(store, &place, bytes).await?;
    Ok(place)
}

/// What a pack holds; none where it vanished meanwhile.
pub(super) async fn read(
    store: &dyn ObjectStore,
    place: &Path,
) -> Result<Option<Vec<Manifest>>, LakeError> {
    let Some(bytes) = files::get(store, place).await? else {
        return Ok(None);
    };
    let digest = layout::pack_digest(place).unwrap_or_default().to_owned();
    let decoded = aside(place, move || decode(bytes)).await?;
    let (manifests, found) = decoded;
    if found != digest {
        let detail = "it does not hold what its name says";
        return Err(LakeError::corrupt(place, detail));
    }
    for manifest in &manifests {
        layout::stored(&manifest.path)?;
    }
    Ok(Some(manifests))
}

/// Works where it keeps no other task waiting.
async fn aside<T: Send + 'static>(
    place: &Path,
    work: impl FnOnce() -> Result<T, ParquetError> + Send + 'static,
) -> Result<T, LakeError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|_| LakeError::Cancelled {
        action: "work on",
        path: place.to_string(),
    })?;
    done.map_err(|error| LakeError::corrupt(place, error))
}

fn encode(manifests: &[Manifest]) -> Result<(Vec<u8>, String), ParquetError> {
    let texts: Result<Vec<String>, _> = manifests.iter().map(serde_json::to_string).collect();
    let texts = texts.map_err(|error| ParquetError::External(error.into()))?;
    let digest = digest(texts.iter().map(String::as_str));
    let schema = Arc::new(Schema::new(vec![Field::new(COLUMN, DataType::Utf8, false)]));
    let column = Arc::new(StringArray::from_iter_values(texts));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column])?;
    // No two texts are the same: a dictionary would only be in the way.
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    Ok((writer.into_inner()?, digest))
}

fn decode(bytes: Bytes) -> Result<(Vec<Manifest>, String), ParquetError> {
    let mut manifests = Vec::new();
    let mut hasher = blake3::Hasher::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()? {
        let batch = batch?;
        let column = batch.column_by_name(COLUMN);
        let texts = column.and_then(|column| column.as_any().downcast_ref::<StringArray>());
        let texts =
            texts.ok_or_else(|| ParquetError::General(format!("it has no texts in {COLUMN}")))?;
        for text in texts.iter().flatten() {
            add(&mut hasher, text);
            let manifest = serde_json::from_str(text);
            manifests.push(manifest.map_err(|error| ParquetError::External(error.into()))?);
        }
    }
    Ok((manifests, shown(&hasher)))
}

fn digest<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut hasher = blake3::Hasher::new();
    texts.for_each(|text| add(&mut hasher, text));
    shown(&hasher)
}

fn add(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(text.as_bytes());
    hasher.update(b"\n");
}

fn shown(hasher: &blake3::Hasher) -> String {
    let mut hex = hasher.finalize().to_hex().to_string();
    hex.truncate(DIGEST_DIGITS);
    hex
}
