//! The part of the source that a rejected record came from, opened again.

use arrow::datatypes::SchemaRef;
use sectorlake_formats::{Part, ReadOptions};
use sectorlake_lake::{Manifest, RawZone};

use super::hash_of;
use crate::members;
use crate::plan::Feed;
use crate::result::{Failure, FailureKind};

/// A piece of the source.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    pub(crate) part: Part,
    /// Where it was fetched from.
    pub(crate) key: String,
    /// The name that a mapping reads as `$part_name`.
    pub(crate) name: String,
}

impl Root {
    pub(crate) fn schema(&self) -> SchemaRef {
        self.part.schema()
    }
}

/// Opens what `_part` says of a stream.
///
/// # Errors
/// The bytes are gone, or cannot be read any more.
pub(crate) async fn open_root(
    raw: &RawZone,
    manifests: &[Manifest],
    feed: &Feed,
    read: &ReadOptions,
    part: &str,
) -> Result<Root, Failure> {
    let hash = hash_of(part);
    let gone = || {
        Failure::new(
            FailureKind::Data,
            format!("the raw part {hash} of {} is gone", feed.stream.name),
        )
        .help("run the pipeline, then export its rejected rows again")
    };
    let of_unit = |manifest: &&Manifest| manifest.hash == hash && manifest.unit == feed.stream.unit;
    let manifest = manifests.iter().rev().find(of_unit).ok_or_else(gone)?;
    let bytes = members::bytes_of(raw, manifest);
    let member = part.split_once('!').map(|(_, member)| member);
    let format = feed.format.as_ref();
    let mut pieces = members::open_all(&bytes, &feed.stream, format, read).await?;
    while let Some(piece) = pieces.next().await? {
        if member.is_none() || member == piece.member.as_deref() {
            let name = piece.member.as_deref().unwrap_or(&manifest.name);
            return Ok(Root {
                key: manifest.key.clone(),
                name: name.to_owned(),
                part: piece.part,
            });
        }
    }
    Err(gone())
}
