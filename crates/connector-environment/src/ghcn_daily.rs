//! `ghcn_daily`: daily weather of some 120,000 stations of the world, from NOAA's Global Historical Climatology Network.
//!
//! Reference: <https://www.ncei.noaa.gov/pub/data/ghcn/daily/readme.txt> (`.dly` and the list of stations),
//! `readme-by_station.txt` and `readme-by_year.txt` beside it (CSV). A work of the US government, in the public domain; data of some
//! countries under WMO Resolution 40. Values are in tenths of degrees, millimetres and metres a second, days are the station's own:
//! they stand here as if they were of UTC.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::paging::Pager;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext,
    Registration, Request, Saved, SettingsError, Sight, Slice, SourceUrl, Stream, UrlSetting,
};
use serde::Deserialize;
use serde_json::{Value, json};

const SITE: &str = "https://www.ncei.noaa.gov/pub/data/ghcn/daily";
const STATIONS: &str = "stations";
const OBSERVATIONS: &str = "observations";
const DAYS: usize = 31;

/// Settings of `ghcn_daily`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Ids of stations, such as `VMM00048839`; they stand in `ghcnd-stations.txt`. One of `stations` and `years` is needed unless
    /// `path` is set.
    #[serde(default)]
    stations: Vec<String>,
    /// Years of all stations of the world, such as `[2024]`: one file a year, of about 150 MB.
    #[serde(default)]
    years: Vec<u16>,
    /// How a station's file is laid out. `csv`: a value a line; `dly`: a month a line, as of old. Default: `csv`.
    #[serde(default)]
    layout: Layout,
    /// Another address of the folder, such as a mirror's. Default: `https://www.ncei.noaa.gov/pub/data/ghcn/daily`.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// Saved files, of each stream (`stations`, `observations`) a file, a folder or a glob, absolute or relative to the project's
    /// folder.
    #[serde(default)]
    path: Option<BTreeMap<String, String>>,
}

/// How observations are laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Layout {
    /// A value a line.
    #[default]
    Csv,
    /// A month a line, in fixed columns.
    Dly,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "ghcn_daily",
        "Daily weather of the world's stations, from NOAA's GHCN-Daily.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("ghcn_daily/example.yaml"))
}

/// A file of NOAA's folder, by its place there.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let (_, rest) = url.path().split_once("/ghcn/daily/")?;
    let why = "it is a file of GHCN-Daily";
    if let Some(file) = rest.strip_prefix("by_year/") {
        let year: u16 = file.split('.').next()?.parse().ok()?;
        return Some(Claim::own([("years", json!([year]))], why));
    }
    let (folder, file) = rest.split_once('/')?;
    let id = file.split('.').next().filter(|id| id.len() == 11)?;
    let layout = match folder {
        "by_station" => "csv",
        "all" | "gsn" | "hcn" => "dly",
        _ => return None,
    };
    let settings = [("stations", json!([id])), ("layout", layout.into())];
    Some(Claim::own(settings, why))
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let is_id =
        |id: &&String| id.len() == 11 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(wrong) = settings.stations.iter().find(|id| !is_id(id)) {
        let message = format!("{wrong:?} is no station's id");
        return Err(SettingsError::of_key("stations", message)
            .with_help("it has eleven letters and digits, as in VMM00048839"));
    }
    let saved = match &settings.path {
        Some(paths) => {
            let given = [
                ("years", !settings.years.is_empty()),
                ("url", settings.url.is_some()),
            ];
            Saved::refuse_beside(&given)?;
            let paths = paths
                .iter()
                .map(|(stream, path)| (stream.as_str(), path.as_str()));
            Some(Saved::of(paths, &[STATIONS, OBSERVATIONS], context)?)
        }
        None => None,
    };
    if saved.is_none() && settings.stations.is_empty() == settings.years.is_empty() {
        return Err(
            SettingsError::new(Vec::new(), "one of `stations` and `years` must be there")
                .with_help("write `stations: [VMM00048839]`, or `years: [2024]` for all stations"),
        );
    }
    if !settings.years.is_empty() && settings.layout == Layout::Dly {
        return Err(SettingsError::of_key(
            "layout",
            "is a station's, years are always `csv`",
        ));
    }
    let url = settings.url.unwrap_or_else(|| UrlSetting::new(SITE));
    let mut files: Vec<String> = settings.years.iter().map(u16::to_string).collect();
    files.extend(settings.stations.iter().cloned());
    Ok(Arc::new(GhcnDaily {
        url: url.resolve(&["url"], context)?,
        files,
        wanted: settings.stations,
        layout: settings.layout,
        saved,
    }))
}

struct GhcnDaily {
    url: SourceUrl,
    /// Years or stations: a file each.
    files: Vec<String>,
    wanted: Vec<String>,
    layout: Layout,
    saved: Option<Saved>,
}

impl GhcnDaily {
    fn file(&self, name: &str) -> SourceUrl {
        let gz = format!("{name}.csv.gz");
        match (self.layout, name.len()) {
            (_, 4) => self.url.join(&["by_year", &gz]),
            (Layout::Csv, _) => self.url.join(&["by_station", &gz]),
            (Layout::Dly, _) => self.url.join(&["all", &format!("{name}.dly")]),
        }
    }
}

#[async_trait]
impl Connector for GhcnDaily {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stations = Stream::new(STATIONS, STATIONS);
        stations.format = Some(station_columns());
        // All the world's stations are in one file.
        let wanted: String = self.wanted.iter().map(|id| format!("{id}|")).collect();
        let sql = include_str!("ghcn_daily/stations.sql");
        stations.mappings = vec![
            DefaultMapping::new("environment.stations", "replace", sql)
                .with_parameter("wanted", format!("|{wanted}")),
        ];
        let mut observations = Stream::new(OBSERVATIONS, OBSERVATIONS);
        let (format, days) = match self.layout {
            Layout::Csv => (
                json!({ "name": "csv", "delimiter": ",", "header_rows": [] }),
                include_str!("ghcn_daily/csv_days.sql"),
            ),
            Layout::Dly => (month_columns(), include_str!("ghcn_daily/dly_days.sql")),
        };
        observations.format = Some(format);
        let sql = include_str!("ghcn_daily/observations.sql").replace("{days}", days);
        observations.mappings = vec![DefaultMapping::new(
            "environment.observations",
            "replace",
            &sql,
        )];
        let mut streams = vec![stations, observations];
        if let Some(saved) = &self.saved {
            saved.keep(&mut streams);
        }
        Ok(streams)
    }

    async fn partitions(&self, unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        match (&self.saved, unit) {
            (None, OBSERVATIONS) => Ok(self.files.clone()),
            _ => Ok(Vec::new()),
        }
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        if let Some(saved) = &self.saved {
            return saved.fetch(slice.unit, cursor, io).await;
        }
        let url = match (slice.unit, slice.partition) {
            (STATIONS, _) => self.url.join(&["ghcnd-stations.txt"]),
            (_, Some(name)) => self.file(name),
            (_, None) => return Ok(None),
        };
        let name = url.file_name();
        Pager::new(url, None)
            .fetch(cursor, io, &name, Request::get)
            .await
    }
}

/// `ghcnd-stations.txt`, section IV of the readme.
fn station_columns() -> Value {
    let column = |(name, start, width): (&str, u32, u32)| json!({ "name": name, "start": start, "width": width });
    let columns = [
        ("id", 1, 11),
        ("latitude", 13, 8),
        ("longitude", 22, 9),
        ("elevation", 32, 6),
        ("state", 39, 2),
        ("name", 42, 30),
        ("wmo_id", 81, 5),
    ];
    json!({ "name": "fixed", "columns": columns.map(column) })
}

/// `.dly`, section III of the readme: after station, year, month and element a value with three flags for each day.
fn month_columns() -> Value {
    let mut columns = vec![
        json!({ "name": "id", "start": 1, "width": 11 }),
        json!({ "name": "month", "start": 12, "width": 6 }),
        json!({ "name": "element", "start": 18, "width": 4 }),
    ];
    for day in 0..DAYS {
        let start = 22 + 8 * day;
        columns.push(json!({ "name": format!("value_{}", day + 1), "start": start, "width": 5 }));
        columns.push(
            json!({ "name": format!("quality_{}", day + 1), "start": start + 6, "width": 1 }),
        );
    }
    json!({ "name": "fixed", "columns": columns })
}
