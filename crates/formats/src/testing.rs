//! What the tests of all formats share.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{Cursor, Write};
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{BrokenRecord, FormatError, FormatSpec, Part, PartBytes, ReadOptions, open};

/// All of a part: the values of each row by record number, and the broken records.
#[derive(Debug, PartialEq)]
pub(crate) struct All {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: BTreeMap<i64, Vec<Option<String>>>,
    pub(crate) broken: Vec<BrokenRecord>,
    /// Numbers of dropped records.
    pub(crate) dropped: Vec<i64>,
}

impl All {
    /// Rows without their numbers, empty for null.
    pub(crate) fn texts(&self) -> Vec<Vec<&str>> {
        self.rows
            .values()
            .map(|row| {
                row.iter()
                    .map(|cell| cell.as_deref().unwrap_or_default())
                    .collect()
            })
            .collect()
    }

    /// One column's values in order of rows.
    pub(crate) fn column(&self, name: &str) -> Vec<&str> {
        let index = self
            .columns
            .iter()
            .position(|column| column == name)
            .unwrap();
        self.rows
            .values()
            .map(|row| row[index].as_deref().unwrap_or_default())
            .collect()
    }

    pub(crate) fn records(&self) -> usize {
        self.rows.len() + self.broken.len() + self.dropped.len()
    }

    /// Number and reason of each broken record.
    pub(crate) fn reasons(&self) -> Vec<(i64, &str)> {
        self.broken
            .iter()
            .map(|record| (record.row, record.reason.as_str()))
            .collect()
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// A part in memory.
pub(crate) async fn part(name: &str, bytes: impl Into<Vec<u8>>) -> PartBytes {
    let bytes: Vec<u8> = bytes.into();
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let (path, size) = (Path::from("part"), bytes.len() as u64);
    store.put(&path, bytes.into()).await.unwrap();
    PartBytes {
        store,
        path,
        size,
        name: name.to_owned(),
    }
}

/// Bounds so small that every file has many blocks.
pub(crate) fn options(block_bytes: u64, partitions: usize, batch_rows: usize) -> ReadOptions {
    let memory_bytes_max = block_bytes * 4 * (partitions as u64 + 2);
    ReadOptions {
        batch_rows,
        partitions,
        memory_bytes_max,
        ..ReadOptions::default()
    }
}

pub(crate) fn spec(text: &str) -> FormatSpec {
    serde_json::from_str(text).unwrap()
}

/// Opens and reads everything, from as many tasks as there are partitions.
pub(crate) async fn read(
    part: &PartBytes,
    member: Option<&str>,
    format: Option<&FormatSpec>,
    options: &ReadOptions,
) -> Result<All, FormatError> {
    let opened = open(part, member, format, options).await?;
    let columns: Vec<usize> = (0..opened.schema().fields().len()).collect();
    read_columns(&opened, &columns).await
}

pub(crate) async fn read_columns(part: &Part, projection: &[usize]) -> Result<All, FormatError> {
    let streams = part.read(projection);
    assert_eq!(streams.len(), part.partitions());
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|stream| tokio::spawn(stream.try_collect::<Vec<_>>()))
        .collect();
    let columns = projection
        .iter()
        .map(|&index| part.schema().field(index).name().clone())
        .collect();
    let mut all = All {
        columns,
        rows: BTreeMap::new(),
        broken: Vec::new(),
        dropped: Vec::new(),
    };
    let mut failed = Ok(());
    for task in tasks {
        match task.await.unwrap() {
            Ok(batches) => batches
                .into_iter()
                .for_each(|decoded| add(&mut all, decoded)),
            Err(error) => failed = Err(error),
        }
    }
    failed?;
    all.broken.sort_by_key(|record| record.row);
    all.dropped.sort_unstable();
    let numbers = all
        .rows
        .keys()
        .copied()
        .chain(all.broken.iter().map(|record| record.row))
        .chain(all.dropped.iter().copied());
    let mut numbers: Vec<i64> = numbers.collect();
    numbers.sort_unstable();
    if part.numbers_have_gaps() {
        assert!(
            numbers.is_sorted_by(|left, right| left < right),
            "each record comes out once"
        );
        return Ok(all);
    }
    assert_eq!(
        numbers,
        (1..=all.records() as i64).collect::<Vec<_>>(),
        "each record comes out once"
    );
    Ok(all)
}

fn add(all: &mut All, decoded: crate::Decoded) {
    assert_eq!(decoded.batch.num_rows(), decoded.rows.len());
    assert!(
        decoded.rows.len() + decoded.broken.len() + decoded.dropped.len() > 0,
        "no batch is empty"
    );
    for (index, row) in decoded.rows.values().iter().enumerate() {
        let cell = |column: &Arc<dyn Array>| {
            let text = match column.data_type() {
                DataType::Utf8View => column.as_string_view().value(index).to_owned(),
                _ => array_value_to_string(column, index).unwrap(),
            };
            column.is_valid(index).then_some(text)
        };
        let before = all
            .rows
            .insert(*row, decoded.batch.columns().iter().map(cell).collect());
        assert!(before.is_none(), "record {row} came out twice");
    }
    all.broken.extend(decoded.broken);
    all.dropped.extend(decoded.dropped);
}

/// [`read`] of bytes in memory.
pub(crate) fn read_bytes(
    bytes: &[u8],
    format: &str,
    options: &ReadOptions,
) -> Result<All, FormatError> {
    block_on(async {
        read(
            &part("part", bytes).await,
            None,
            Some(&spec(format)),
            options,
        )
        .await
    })
}

/// An archive of these members.
pub(crate) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
