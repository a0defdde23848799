//! What the index is built from: versions of places, and what became of them.

use std::str::FromStr;

use arrow::array::{Array, AsArray, RecordBatch, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type};
use chrono::NaiveDate;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;

/// The level of a place, the widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A state.
    Country,
    /// Several provinces.
    Region,
    /// A province, or a city of that rank.
    Province,
    /// A district, or a town or city of that rank.
    District,
    /// A ward, commune, township or special zone.
    Ward,
}

impl Level {
    /// As `common.places` writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Region => "region",
            Self::Province => "province",
            Self::District => "district",
            Self::Ward => "ward",
        }
    }
}

impl FromStr for Level {
    type Err = datafusion::error::DataFusionError;

    fn from_str(text: &str) -> Result<Self> {
        let levels = [
            Self::Country,
            Self::Region,
            Self::Province,
            Self::District,
            Self::Ward,
        ];
        let level = levels.into_iter().find(|level| level.name() == text);
        level.ok_or_else(|| {
            exec_datafusion_err!(
                "{text:?} is no level of a place: write country, region, province, district or ward"
            )
        })
    }
}

/// A version of a place, as a row of `common.places` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRow {
    /// The code.
    pub place_code: String,
    /// The name, with or without its type.
    pub name: String,
    /// The name with its type.
    pub full_name: Option<String>,
    /// The English name.
    pub name_en: Option<String>,
    /// The level.
    pub level: Level,
    /// The place that this one belongs to.
    pub parent_code: Option<String>,
    /// ISO 3166-1 alpha-2; empty where not told.
    pub country: String,
    /// The first day of this version; `None`: since ever.
    pub valid_from: Option<NaiveDate>,
    /// The first day on which it no longer holds; `None` while it does.
    pub valid_to: Option<NaiveDate>,
    /// What ended it: merge, abolish, …
    pub valid_to_event: Option<String>,
}

impl PlaceRow {
    /// The name with its type, else without.
    pub(crate) fn shown_name(&self) -> &str {
        self.full_name.as_ref().unwrap_or(&self.name)
    }
}

/// What became of a place, as a row of `common.place_crosswalk` has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    /// The code before.
    pub old_place_code: String,
    /// The code after.
    pub new_place_code: String,
    /// The first day of the new place.
    pub changed_on: NaiveDate,
    /// What befell the old place: merge, split, rename, …
    pub event: Option<String>,
    /// The share of the old place that went into the new one, from 0 to 1.
    pub weight: Option<f64>,
    /// What the share is of: whole, area, population, …
    pub weight_kind: Option<String>,
}

/// Rows of batches that hold the columns of `common.places`; those that may be missing are the ones that [`PlaceRow`] has as options, and `country`.
pub(crate) fn places(batches: &[RecordBatch]) -> Result<Vec<PlaceRow>> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns = Columns(batch);
        let (codes, names, levels) = (
            columns.needed("place_code")?,
            columns.needed("name")?,
            columns.needed("level")?,
        );
        let (full_names, names_en) = (columns.texts("full_name")?, columns.texts("name_en")?);
        let (parents, countries) = (columns.texts("parent_code")?, columns.texts("country")?);
        let (from, to) = (columns.dates("valid_from")?, columns.dates("valid_to")?);
        let ends = columns.texts("valid_to_event")?;
        for row in 0..batch.num_rows() {
            let (Some(code), Some(name), Some(level)) = (
                text(Some(&codes), row),
                text(Some(&names), row),
                text(Some(&levels), row),
            ) else {
                continue;
            };
            rows.push(PlaceRow {
                place_code: code,
                name,
                full_name: text(full_names.as_ref(), row),
                name_en: text(names_en.as_ref(), row),
                level: level.parse()?,
                parent_code: text(parents.as_ref(), row),
                country: text(countries.as_ref(), row).unwrap_or_default(),
                valid_from: from[row],
                valid_to: to[row],
                valid_to_event: text(ends.as_ref(), row),
            });
        }
    }
    Ok(rows)
}

/// Rows of batches that hold the columns of `common.place_crosswalk`.
pub(crate) fn changes(batches: &[RecordBatch]) -> Result<Vec<ChangeRow>> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns = Columns(batch);
        let (old, new) = (
            columns.needed("old_place_code")?,
            columns.needed("new_place_code")?,
        );
        let (days, kinds) = (columns.dates("changed_on")?, columns.texts("weight_kind")?);
        let events = columns.texts("event")?;
        let weights = columns.numbers("weight")?;
        for (row, day) in days.iter().enumerate() {
            let (Some(old), Some(new), Some(day)) =
                (text(Some(&old), row), text(Some(&new), row), *day)
            else {
                continue;
            };
            rows.push(ChangeRow {
                old_place_code: old,
                new_place_code: new,
                changed_on: day,
                event: text(events.as_ref(), row),
                weight: weights[row],
                weight_kind: text(kinds.as_ref(), row),
            });
        }
    }
    Ok(rows)
}

struct Columns<'a>(&'a RecordBatch);

impl Columns<'_> {
    fn texts(&self, name: &str) -> Result<Option<StringViewArray>> {
        let Some(column) = self.0.column_by_name(name) else {
            return Ok(None);
        };
        let column = cast(column, &DataType::Utf8View)?;
        Ok(Some(column.as_string_view().clone()))
    }

    fn needed(&self, name: &str) -> Result<StringViewArray> {
        self.texts(name)?.ok_or_else(|| {
            exec_datafusion_err!(
                "the table of places has no column {name}, which place functions need"
            )
        })
    }

    fn dates(&self, name: &str) -> Result<Vec<Option<NaiveDate>>> {
        let Some(column) = self.0.column_by_name(name) else {
            return Ok(vec![None; self.0.num_rows()]);
        };
        let column = cast(column, &DataType::Date32)?;
        let days = column.as_primitive::<Date32Type>().iter();
        Ok(days
            .map(|day| day.and_then(Date32Type::to_naive_date_opt))
            .collect())
    }

    fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>> {
        let Some(column) = self.0.column_by_name(name) else {
            return Ok(vec![None; self.0.num_rows()]);
        };
        let column = cast(column, &DataType::Float64)?;
        Ok(column.as_primitive::<Float64Type>().iter().collect())
    }
}

fn text(array: Option<&StringViewArray>, row: usize) -> Option<String> {
    let array = array.filter(|array| array.is_valid(row))?;
    Some(array.value(row).to_owned()).filter(|text| !text.is_empty())
}
