//! `stats19`: road collisions with injury in Great Britain, year by year, with their casualties and vehicles.
//!
//! Reference: <https://www.data.gov.uk/dataset/cb7ae6f0-4be6-4935-9277-47e5ce24a11f/road-accidents-safety-data>, with the guide to its
//! codes, after the form STATS19; Open Government Licence 3.0. Files of the release of 2024 and later say `collision` where those
//! before it say `accident`: both are read.
//!
//! A collision's file tells how many were hurt and how badly the worst of them, not how many were killed: that is counted from the
//! casualties, in a model, as `pipelines/models/transport/accident_casualties.sql` would have it:
//!
//! ```sql
//! SELECT accident_id, count(*) FILTER (WHERE casualty_severity = 1) AS persons_killed,
//!   count(*) FILTER (WHERE casualty_severity = 2) AS persons_seriously_injured
//! FROM transport.casualties GROUP BY accident_id
//! ```
//!
//! where `transport.casualties` is a table of the project, fed by the stream `casualties`. Registers of other countries are mapped by a
//! pipeline's own SQL: `tests/corpus/pipelines/transport/belgian-accident-victims.yaml` reads Belgium's counts of victims.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext, Origin,
    Pages, Registration, Saved, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::json;

const SITE: &str = "https://data.dft.gov.uk/road-accidents-safety-data";
/// The first year that is published.
const FIRST_YEAR: u16 = 1979;

/// Settings of `stats19`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The years to fetch, such as `[2021, 2022, 2023]`. Each is a file of its own, asked for changes only.
    #[serde(default)]
    years: Vec<u16>,
    /// Another address of the folder with the files, such as a mirror's. Default: the Department for Transport's.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// Files on this machine in place of `years`.
    #[serde(default)]
    path: Option<SavedSettings>,
}

/// Files on this machine: of each kind a file or a glob, absolute or relative to the project's folder.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SavedSettings {
    /// Files of collisions.
    #[serde(default)]
    collisions: Option<String>,
    /// Files of casualties.
    #[serde(default)]
    casualties: Option<String>,
    /// Files of vehicles.
    #[serde(default)]
    vehicles: Option<String>,
}

/// Stream, and the word for it in the files' names.
const KINDS: [(&str, &str); 3] = [
    ("collisions", "collision"),
    ("casualties", "casualty"),
    ("vehicles", "vehicle"),
];

/// Columns of either release, of which a file has one half.
const COLUMNS: &[&str] = &[
    "accident_index",
    "collision_index",
    "accident_severity",
    "collision_severity",
    "longitude",
    "latitude",
    "number_of_vehicles",
    "first_road_class",
    "first_road_number",
    "speed_limit",
    "urban_or_rural_area",
    "light_conditions",
    "weather_conditions",
    "road_surface_conditions",
    "time",
];

pub(crate) fn registration() -> Registration {
    Registration::of(
        "stats19",
        "Road collisions with injury in Great Britain, with casualties and vehicles (STATS19).",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("stats19/example.yaml"))
}

/// A file of the Department's, by its name or its header.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let name = sight.location.rsplit(['/', '\\']).next()?;
    let year = name
        .strip_prefix("dft-road-casualty-statistics-collision-")
        .and_then(|rest| rest.strip_suffix(".csv"));
    let why = "it is a file of collisions of the form STATS19";
    if sight.url().is_some() {
        let year: u16 = year?.parse().ok()?;
        return Some(Claim::own([("years", json!([year]))], why));
    }
    let header = sight.head.split(|byte| *byte == b'\n').next()?;
    let says = |text: &[u8]| header.windows(text.len()).any(|window| window == text);
    let is_ours = says(b"location_easting_osgr") && says(b"number_of_casualties");
    is_ours.then(|| Claim::own([("path", json!({ "collisions": sight.location }))], why))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let source = match settings.path {
        Some(saved) => {
            let given = [
                ("years", !settings.years.is_empty()),
                ("url", settings.url.is_some()),
            ];
            Saved::refuse_beside(&given)?;
            let paths = [saved.collisions, saved.casualties, saved.vehicles];
            let streams = KINDS.map(|(stream, _)| stream);
            let named = streams.into_iter().zip(&paths);
            let named = named.filter_map(|(stream, path)| Some((stream, path.as_deref()?)));
            Source::Saved(Saved::of(named, &streams, context)?)
        }
        None => Source::Site(Site {
            url: settings
                .url
                .unwrap_or_else(|| UrlSetting::new(SITE))
                .resolve(&["url"], context)?,
            years: years(settings.years)?,
        }),
    };
    Ok(Arc::new(Stats19 { source }))
}

fn years(mut years: Vec<u16>) -> Result<Vec<u16>, SettingsError> {
    years.sort_unstable();
    years.dedup();
    match years.first() {
        None => Err(
            SettingsError::new(Vec::new(), "`years` is missing").with_help(
                "write the years to fetch, such as `years: [2022, 2023]`, or `path:` with files",
            ),
        ),
        Some(first) if *first < FIRST_YEAR => {
            let message = format!("holds {first}, but nothing before {FIRST_YEAR} is published");
            Err(SettingsError::of_key("years", message))
        }
        Some(_) => Ok(years),
    }
}

struct Stats19 {
    source: Source,
}

enum Source {
    Site(Site),
    Saved(Saved),
}

struct Site {
    url: SourceUrl,
    years: Vec<u16>,
}

#[async_trait]
impl Connector for Stats19 {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut streams = KINDS.map(|(name, _)| stream(name)).to_vec();
        if let Source::Saved(saved) = &self.source {
            saved.keep(&mut streams);
        }
        Ok(streams)
    }

    async fn partitions(&self, _unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        match &self.source {
            Source::Site(site) => Ok(site.years.iter().map(u16::to_string).collect()),
            Source::Saved(_) => Ok(Vec::new()),
        }
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match &self.source {
            Source::Saved(saved) => saved.fetch(slice.unit, cursor, io).await,
            Source::Site(site) => {
                let Some((_, word)) = KINDS.iter().find(|(stream, _)| *stream == slice.unit) else {
                    return Ok(None);
                };
                let years = site.years.iter().map(u16::to_string);
                let years =
                    years.filter(|year| slice.partition.is_none_or(|wanted| wanted == year));
                let file = |year: String| {
                    let name = format!("dft-road-casualty-statistics-{word}-{year}.csv");
                    site.url.join(&[&name])
                };
                let origin = Origin::Urls {
                    urls: years.map(file).collect(),
                    pages: Pages::Refused,
                };
                origin.fetch(cursor, io).await
            }
        }
    }
}

fn stream(name: &str) -> Stream {
    let mut stream = Stream::new(name, name);
    stream.format = Some(json!({ "name": "csv", "delimiter": "," }));
    if name == "collisions" {
        let sql = include_str!("stats19/collisions.sql");
        stream.mappings =
            vec![DefaultMapping::new("transport.accidents", "replace", sql).with_columns(COLUMNS)];
    }
    stream
}
