//! The beginning of a part, to look at: what a draft of a pipeline is made from.

use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::StreamExt;

use crate::choice::Choice;
use crate::decoded::{BrokenRecord, Decoded};
use crate::error::FormatError;
use crate::options::ReadOptions;
use crate::part::{PartBytes, open};
use crate::propose::{open_undeclared, widths};
use crate::spec::FormatSpec;

/// The first records of a part, and how they were read.
#[derive(Debug, Clone)]
pub struct Sample {
    /// How messages name the part.
    pub name: String,
    /// The format with everything that was found out written into it.
    pub format: FormatSpec,
    /// What was chosen, and why.
    pub choices: Vec<Choice>,
    /// The columns.
    pub schema: SchemaRef,
    /// The first records, in order, as text; none for null.
    pub rows: Vec<Vec<Option<String>>>,
    /// Those of the first records that could not be read.
    pub broken: Vec<BrokenRecord>,
    /// Whether that is all there is.
    pub is_whole: bool,
}

/// Reads the first `records_max` records of a part, or of one member of it. Without a `format` it is guessed, and so are the options that
/// only a draft may choose: the way to the records of a JSON document, and what comments begin with.
///
/// # Errors
/// [`FormatError`] when the part cannot be opened or its beginning cannot be read.
pub async fn sample(
    part: &PartBytes,
    member: Option<&str>,
    format: Option<&FormatSpec>,
    records_max: usize,
    options: &ReadOptions,
) -> Result<Sample, FormatError> {
    // One stream gives the records in order.
    let options = ReadOptions {
        partitions: 1,
        batch_rows: options.batch_rows().min(records_max.max(1)),
        ..options.clone()
    };
    let (opened, choices) = match format {
        None => open_undeclared(part, member, &options).await?,
        Some(_) => {
            let opened = open(part, member, format, &options).await?;
            let choices = opened.choices().to_vec();
            (opened, choices)
        }
    };
    let schema = opened.schema();
    let mut sample = Sample {
        name: opened.name().to_owned(),
        format: opened.format(),
        choices,
        rows: Vec::new(),
        broken: Vec::new(),
        is_whole: true,
        schema,
    };
    let columns: Vec<usize> = (0..sample.schema.fields().len()).collect();
    let mut records = futures::stream::iter(opened.read(&columns)).flatten();
    while let Some(decoded) = records.next().await {
        let left = records_max - sample.rows.len() - sample.broken.len();
        let decoded = decoded?;
        if left == 0 {
            sample.is_whole = false;
            break;
        }
        sample
            .add(&decoded, left)
            .map_err(|source| FormatError::Arrow {
                name: sample.name.clone(),
                source,
            })?;
    }
    if matches!(sample.format, FormatSpec::Csv(_)) {
        let first = sample.rows.first();
        sample.choices.extend(first.and_then(|first| widths(first)));
    }
    Ok(sample)
}

impl Sample {
    /// Takes in at most `left` records: rows first, then broken ones.
    fn add(&mut self, decoded: &Decoded, left: usize) -> Result<(), arrow::error::ArrowError> {
        let options = FormatOptions::new();
        let columns = decoded.batch.columns().iter();
        let columns: Vec<_> = columns
            .map(|column| Ok((column, ArrayFormatter::try_new(column.as_ref(), &options)?)))
            .collect::<Result<_, arrow::error::ArrowError>>()?;
        let rows = decoded.batch.num_rows().min(left);
        for row in 0..rows {
            let cell = |(column, formatter): &(&arrow::array::ArrayRef, ArrayFormatter<'_>)| {
                let text = formatter.value(row).try_to_string();
                column.is_valid(row).then_some(text).transpose()
            };
            self.rows
                .push(columns.iter().map(cell).collect::<Result<_, _>>()?);
        }
        let broken = decoded.broken.len().min(left - rows);
        self.broken.extend_from_slice(&decoded.broken[..broken]);
        self.is_whole &= rows + broken == decoded.batch.num_rows() + decoded.broken.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::testing::{block_on, part};

    fn of(name: &str, text: &str, records_max: usize) -> Sample {
        block_on(async {
            let part = part(name, text).await;
            let options = ReadOptions::default();
            sample(&part, None, None, records_max, &options)
                .await
                .unwrap()
        })
    }

    #[test]
    fn the_first_records_in_order() {
        let text = "a;b\n1;2\n3\n4;\n5;6\n";
        let first = of("a.csv", text, 3);
        assert_eq!(first.rows.len() + first.broken.len(), 3);
        assert_eq!(first.rows[0], [Some("1".to_owned()), Some("2".to_owned())]);
        assert!(!first.is_whole);
        let whole = of("a.csv", text, 4);
        assert_eq!((whole.rows.len(), whole.broken.len()), (3, 1));
        assert!(whole.is_whole);
        let nulls = of("a.json", r#"[{"a": 1}, {"b": true}]"#, 9);
        assert_eq!(nulls.rows[1][..2], [None, Some("true".to_owned())]);
    }
}
