//! `traffic_counts`: how many vehicles passed a counter, from whatever table says so.
//!
//! Reference of the words: DATEX II 3, <https://docs.datex2.eu>. Two ways:
//! - `preset: dft_raw_counts`: the hourly counts of Great Britain, <https://roadtraffic.dft.gov.uk/downloads>, Open Government Licence 3.0,
//!   a wide table with a column per vehicle type. Annual averages (AADF) are no counts of a period and are left to the publisher.
//! - `columns:` says which column of a table is what. Counters of most makers fit: `tests/corpus/pipelines/transport/bike-counters.yaml`
//!   reads a Socrata portal's, `ghent-bicycle-counts.yaml` a wide table with a column per direction.

mod layout;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, DefaultMapping, MakeContext, OneOrMany, Origin, OriginSettings, PlainSource,
    Registration, SettingsError, Sight, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::{Value, json};

use layout::Columns;

const COUNTS: &str = "counts";

/// Settings of `traffic_counts`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// A file, a folder or a glob on this machine. Absolute, or relative to the project's folder.
    #[serde(default)]
    path: Option<String>,
    /// An http or https URL, or a list of them. Secrets in it as `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    url: Option<OneOrMany<UrlSetting>>,
    /// How the files are read, as in every pipeline: a format's name, or its name with options. Default: guessed.
    #[serde(default)]
    format: Option<Value>,
    /// A table that is known.
    #[serde(default)]
    preset: Option<Preset>,
    /// Which column is what, for every other table.
    #[serde(default)]
    columns: Option<Columns>,
}

/// A table that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Preset {
    /// Raw counts of the Department for Transport: `dft_traffic_counts_raw_counts`, of a year, region or local authority.
    DftRawCounts,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "traffic_counts",
        "Traffic counts: hourly counts of Great Britain, or any counter's table by its columns.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("traffic_counts/example.yaml"))
}

/// A table of raw counts, by its header.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let header = sight.head.split(|byte| *byte == b'\n').next()?;
    let says = |text: &[u8]| {
        let mut windows = header.windows(text.len());
        windows.any(|window| window.eq_ignore_ascii_case(text))
    };
    let is_known =
        says(b"count_point_id") && says(b"direction_of_travel") && says(b"all_motor_vehicles");
    let (key, place) = sight.place();
    is_known.then(|| {
        Claim::own(
            [(key, place.into()), ("preset", "dft_raw_counts".into())],
            "it has the columns of the Department for Transport's raw counts",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let origin = OriginSettings {
        path: settings.path.as_deref(),
        url: settings.url.as_ref(),
        ..OriginSettings::default()
    };
    let mut stream = Stream::new(COUNTS, COUNTS);
    let mapping = match (settings.preset, &settings.columns) {
        (Some(Preset::DftRawCounts), None) => {
            stream.format = Some(json!({ "name": "csv", "delimiter": "," }));
            raw_counts()
        }
        (None, Some(columns)) => columns.mapping()?,
        (Some(_), Some(_)) => {
            return Err(SettingsError::of_key("columns", "stands beside `preset`")
                .with_help("leave one of them out"));
        }
        (None, None) => {
            return Err(SettingsError::new(Vec::new(), "neither `preset` nor `columns` is there")
                .with_help("write `columns: { site_id: …, period_start: …, vehicle_count: … }` with the table's own names"));
        }
    };
    stream.format = settings.format.or(stream.format);
    stream.mappings = vec![mapping];
    Ok(Arc::new(PlainSource {
        origin: Origin::of(origin, context)?,
        streams: vec![stream],
    }))
}

/// A row per vehicle type: all columns that need not stand in each row are turned into rows, and the mapping takes those of types.
fn raw_counts() -> DefaultMapping {
    let sql = include_str!("traffic_counts/dft_raw_counts.sql");
    let mut mapping = DefaultMapping::new("transport.traffic_counts", "replace", sql);
    mapping.unpivot = Some(json!({
        "keep": ["count_point_id", "direction_of_travel", "count_date", "hour", "road_name", "latitude", "longitude"],
        "name": "vehicle",
        "value": "counted"
    }));
    mapping
}
