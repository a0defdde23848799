//! `gtfs`: a feed of the General Transit Feed Specification, as a zip or a folder.
//!
//! Reference: <https://gtfs.org/documentation/schedule/reference/>; which files and fields are required is said there.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::files::{self, Found};
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, HeaderSettings, Io,
    MakeContext, MemberPattern, OneOrMany, Origin, OriginSettings, Registration, SettingsError,
    Stream, UrlSetting,
};
use serde::Deserialize;

/// The one unit of a zipped feed.
const FEED: &str = "feed";

/// Settings of `gtfs`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The feed's zip on this machine, or a folder with its .txt files. Absolute, or relative to the project's folder.
    #[serde(default)]
    path: Option<String>,
    /// The feed's zip behind an http or https URL. Secrets in it as `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// Request headers, such as `x-api-key: ${env:KEY}`. They are sent to the URL's own host alone.
    #[serde(default)]
    headers: HeaderSettings,
    /// Whether redirects may lead into loopback, private and link-local networks. Default: false; the host that `url` names
    /// is always allowed.
    #[serde(default)]
    allow_private: bool,
    /// What tells this feed's rows from others' in the shared tables. Default: the pipeline's name.
    #[serde(default)]
    feed_id: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "gtfs",
        "Timetables of public transit: a GTFS feed, zipped or in a folder.",
        make,
    )
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let url = settings.url.map(OneOrMany::One);
    let origin = OriginSettings {
        path: settings.path.as_deref(),
        url: url.as_ref(),
        headers: Some(&settings.headers),
        allow_private: settings.allow_private,
    };
    Ok(Arc::new(Gtfs {
        origin: Origin::of(origin, context)?,
        feed_id: settings
            .feed_id
            .unwrap_or_else(|| context.pipeline().to_owned()),
    }))
}

/// One file of the standard.
struct FileOfFeed {
    name: &'static str,
    /// Whether a feed without it is broken.
    required: bool,
    mapping: Option<Mapping>,
}

/// How it feeds a shared table.
struct Mapping {
    table: &'static str,
    sql: &'static str,
    /// Fields of the mapping that the standard does not ask for, or not always.
    optional: &'static [&'static str],
}

/// A file with a default mapping from the `.sql` of its table.
macro_rules! mapped {
    ($table:literal, $required:literal, $optional:expr) => {
        FileOfFeed {
            name: concat!($table, ".txt"),
            required: $required,
            mapping: Some(Mapping {
                table: concat!("transport.", $table),
                sql: include_str!(concat!("gtfs/", $table, ".sql")),
                optional: $optional,
            }),
        }
    };
}

/// A file that no shared table takes yet; a pipeline can map it itself.
const fn unmapped(name: &'static str) -> FileOfFeed {
    FileOfFeed {
        name,
        required: false,
        mapping: None,
    }
}

/// The files of the standard, those with a shared table first.
const FILES: &[FileOfFeed] = &[
    mapped!(
        "agency",
        true,
        &[
            "agency_id",
            "agency_lang",
            "agency_phone",
            "agency_fare_url",
            "agency_email"
        ]
    ),
    mapped!(
        "stops",
        true,
        &[
            "stop_code",
            "stop_name",
            "tts_stop_name",
            "stop_desc",
            "stop_lat",
            "stop_lon",
            "zone_id",
            "stop_url",
            "location_type",
            "parent_station",
            "stop_timezone",
            "wheelchair_boarding",
            "level_id",
            "platform_code",
        ]
    ),
    mapped!(
        "routes",
        true,
        &[
            "agency_id",
            "route_short_name",
            "route_long_name",
            "route_desc",
            "route_url",
            "route_color",
            "route_text_color",
            "route_sort_order",
            "continuous_pickup",
            "continuous_drop_off",
            "network_id",
        ]
    ),
    mapped!(
        "trips",
        true,
        &[
            "trip_headsign",
            "trip_short_name",
            "direction_id",
            "block_id",
            "shape_id",
            "wheelchair_accessible",
            "bikes_allowed",
        ]
    ),
    mapped!(
        "stop_times",
        true,
        &[
            "arrival_time",
            "departure_time",
            "stop_headsign",
            "pickup_type",
            "drop_off_type",
            "continuous_pickup",
            "continuous_drop_off",
            "shape_dist_traveled",
            "timepoint",
        ]
    ),
    mapped!("calendar", false, &[]),
    mapped!("calendar_dates", false, &[]),
    mapped!("shapes", false, &["shape_dist_traveled"]),
    mapped!("frequencies", false, &["exact_times"]),
    unmapped("transfers.txt"),
    unmapped("feed_info.txt"),
    unmapped("fare_attributes.txt"),
    unmapped("fare_rules.txt"),
    unmapped("timeframes.txt"),
    unmapped("rider_categories.txt"),
    unmapped("fare_media.txt"),
    unmapped("fare_products.txt"),
    unmapped("fare_leg_rules.txt"),
    unmapped("fare_leg_join_rules.txt"),
    unmapped("fare_transfer_rules.txt"),
    unmapped("areas.txt"),
    unmapped("stop_areas.txt"),
    unmapped("networks.txt"),
    unmapped("route_networks.txt"),
    unmapped("pathways.txt"),
    unmapped("levels.txt"),
    unmapped("location_groups.txt"),
    unmapped("location_group_stops.txt"),
    unmapped("booking_rules.txt"),
    unmapped("translations.txt"),
    unmapped("attributions.txt"),
];

struct Gtfs {
    origin: Origin,
    feed_id: String,
}

impl Gtfs {
    /// The feed's folder, if it is one.
    async fn folder(&self) -> Result<Option<PathBuf>, ConnectorError> {
        let Origin::Files { project_dir, path } = &self.origin else {
            return Ok(None);
        };
        match files::find(project_dir, path).await? {
            Found::File(_) => Ok(None),
            Found::Many(_) if project_dir.join(path).is_dir() => Ok(Some(project_dir.join(path))),
            Found::Many(_) => Err(ConnectorError::new(
                ErrorKind::Invalid,
                "a feed is one zip or one folder",
            )
            .at(path)
            .with_help("write a pipeline for each feed: their ids may clash")),
        }
    }

    /// In a zip every stream is a member of the one part; in a folder it is a part of its own.
    fn stream(&self, file: &FileOfFeed, in_folder: bool) -> Stream {
        let mut stream = Stream::new(file.name, if in_folder { file.name } else { FEED });
        stream.member = (!in_folder).then(|| MemberPattern::exact(file.name));
        stream.optional = !file.required;
        stream.format = Some(serde_json::json!({ "name": "csv", "delimiter": "," }));
        stream.mappings.extend(file.mapping.as_ref().map(|mapping| {
            DefaultMapping::new(mapping.table, "replace", mapping.sql)
                .with_columns(mapping.optional)
                .with_parameter("feed_id", &self.feed_id)
        }));
        stream
    }
}

#[async_trait]
impl Connector for Gtfs {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let in_folder = self.folder().await?.is_some();
        Ok(FILES
            .iter()
            .map(|file| self.stream(file, in_folder))
            .collect())
    }

    async fn fetch(
        &self,
        unit: &str,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let Some(folder) = self.folder().await? else {
            return self.origin.fetch(cursor, io).await;
        };
        let Origin::Files { project_dir, .. } = &self.origin else {
            return Ok(None);
        };
        let required = FILES.iter().any(|file| file.name == unit && file.required);
        match files::open(project_dir, &folder.join(unit)).await {
            Ok(part) => Ok(Some(Fetched::part(part, None))),
            Err(error) if error.kind == ErrorKind::NotFound && !required => Ok(None),
            Err(error) => Err(error.with_help("GTFS asks every feed for this file")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;

    use bytes::Bytes;
    use futures::TryStreamExt;
    use sectorlake_connector::kit::{Abilities, Exchange, Subject, TestPace, check};
    use sectorlake_connector::{Http, Limits};
    use serde_json::json;

    use super::*;

    fn data(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/data/transport")
            .join(name)
    }

    fn make_at(
        dir: &Path,
        settings: serde_json::Value,
    ) -> Result<Arc<dyn Connector>, SettingsError> {
        let context = MakeContext::new(dir, "demo-bus", |name| {
            (name == "KEY").then(|| "s3cr3t-k3y".to_owned())
        });
        registration().make(settings.as_object().unwrap().clone(), &context)
    }

    fn io() -> Io {
        let http = Http::new(Limits::default(), Arc::new(TestPace::default())).unwrap();
        Io::new(http, chrono::DateTime::UNIX_EPOCH)
    }

    #[tokio::test]
    async fn passes_the_kit() {
        let zip = std::fs::read(data("gtfs_frioul_ferry.zip")).unwrap();
        let subject = Subject {
            make: &|server| {
                let url = format!("{server}/feed.zip?key=${{env:KEY}}");
                make_at(
                    Path::new("."),
                    json!({"url": url, "headers": {"x-key": "${env:KEY}"}}),
                )
            },
            recording: vec![Exchange::new("/feed.zip?key=s3cr3t-k3y", zip).with_etag("\"v1\"")],
            abilities: Abilities {
                conditional: true,
                ..Abilities::default()
            },
            secrets: &["s3cr3t-k3y"],
        };
        assert_eq!(check(&subject).await, [""; 0]);
    }

    #[tokio::test]
    async fn streams_are_the_files_of_the_standard() {
        let dir = data(".");
        let gtfs = make_at(&dir, json!({"path": "gtfs_cairns_2014.zip"})).unwrap();
        let streams = gtfs.streams(&io()).await.unwrap();
        let stops = Stream::pick(&streams, Some("stops.txt")).unwrap();
        assert_eq!(stops.unit, FEED);
        assert_eq!(
            stops.member.unwrap().select(["my feed/stops.txt"]),
            ["my feed/stops.txt"]
        );
        assert_eq!(stops.mappings[0].table, "transport.stops");
        assert_eq!(stops.mappings[0].parameters["feed_id"], "demo-bus");
        let mapped = streams
            .iter()
            .filter(|stream| !stream.mappings.is_empty())
            .count();
        assert_eq!(mapped, 9);
        // Each field of the mapping is either required by the standard or read as NULL where it is absent.
        for mapping in streams.iter().flat_map(|stream| &stream.mappings) {
            for column in &mapping.columns {
                assert!(
                    mapping.sql.contains(column.as_str()),
                    "{} {column}",
                    mapping.table
                );
            }
        }
    }

    #[tokio::test]
    async fn a_folder_is_a_feed_too() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("feed")).unwrap();
        std::fs::write(dir.path().join("feed/stops.txt"), "stop_id\n1\n").unwrap();
        let gtfs = make_at(dir.path(), json!({"path": "feed", "feed_id": "x"})).unwrap();
        let streams = gtfs.streams(&io()).await.unwrap();
        let stops = Stream::pick(&streams, Some("stops.txt")).unwrap();
        assert_eq!((stops.unit.as_str(), stops.member), ("stops.txt", None));
        let part = gtfs
            .fetch("stops.txt", None, &io())
            .await
            .unwrap()
            .unwrap()
            .part
            .unwrap();
        assert_eq!(part.key, "feed/stops.txt");
        assert_eq!(
            part.body
                .try_collect::<Vec<Bytes>>()
                .await
                .unwrap()
                .concat(),
            b"stop_id\n1\n"
        );
        assert!(
            gtfs.fetch("shapes.txt", None, &io())
                .await
                .unwrap()
                .is_none()
        );
        let error = gtfs.fetch("trips.txt", None, &io()).await.unwrap_err();
        assert_eq!(error.to_string(), "feed/trips.txt: there is no such file");
        assert_eq!(error.help.unwrap(), "GTFS asks every feed for this file");
    }

    #[test]
    fn a_feed_has_one_place() {
        let say = |settings| make_at(Path::new("."), settings).err().unwrap().to_string();
        assert_eq!(say(json!({})), "neither `path` nor `url` is there");
        assert_eq!(
            say(json!({"path": "a", "url": "https://example.org/a"})),
            "url: stands beside `path`"
        );
    }
}
