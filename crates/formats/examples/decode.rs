//! Decodes a file and throws the records away: what reading costs without mapping, checking and writing.
//!
//! `decode FILE [FORMAT]`, where the format is a name or JSON as `format:` has it. Prints the records, and the seconds they took.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use sectorlake_formats::{FormatSpec, PartBytes, ReadOptions, open};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = PathBuf::from(arguments.next().ok_or("usage: decode FILE [FORMAT]")?);
    let format = arguments.next().map(|format| parse(&format)).transpose()?;
    let part = PartBytes {
        store: Arc::new(LocalFileSystem::new()),
        path: object_store::path::Path::from_absolute_path(&file)?,
        size: std::fs::metadata(&file)?.len(),
        name: name(&file),
    };
    let started = Instant::now();
    let records = decode(&part, format.as_ref()).await?;
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::print_stdout, reason = "it is what the program is for")]
    {
        println!("{records}\n{seconds}");
    }
    Ok(())
}

fn parse(format: &str) -> Result<FormatSpec, Box<dyn Error>> {
    match FormatSpec::from_name(format) {
        Some(format) => Ok(format),
        None => Ok(serde_json::from_str(format)?),
    }
}

fn name(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Reads all columns, each stream in a task of its own.
async fn decode(part: &PartBytes, format: Option<&FormatSpec>) -> Result<usize, Box<dyn Error>> {
    let opened = open(part, None, format, &ReadOptions::default()).await?;
    let columns: Vec<usize> = (0..opened.schema().fields().len()).collect();
    let streams = opened.read(&columns).into_iter();
    let tasks: Vec<_> = streams
        .map(|stream| {
            let counted = stream.map(|decoded| decoded.map(|some| some.batch.num_rows()));
            tokio::spawn(counted.try_fold(0, |sum, rows| async move { Ok(sum + rows) }))
        })
        .collect();
    let mut records = 0;
    for task in tasks {
        records += task.await??;
    }
    Ok(records)
}
