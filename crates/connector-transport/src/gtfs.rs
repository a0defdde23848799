//! `gtfs`: a feed of the General Transit Feed Specification, as a zip or a folder.
//!
//! Reference: <https://gtfs.org/documentation/schedule/reference/>; which files and fields are required is said there. A feed may be named
//! by its number in a catalogue too (`catalogue: mobility_database`, `feed: mdb-123`).

mod catalogue;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::files::{self, Found};
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, Io, MakeContext,
    MemberPattern, OneOrMany, Origin, OriginSettings, Pages, Registration, SecretSetting,
    SettingsError, Sight, Slice, Stream, UrlSetting,
};
use serde::Deserialize;

use catalogue::{Catalogue, Copy, Entry};

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
    /// The catalogue that `feed` is a number of, in place of `path` and `url`.
    #[serde(default)]
    catalogue: Option<Catalogue>,
    /// The feed's number in the catalogue, such as `mdb-123`.
    #[serde(default)]
    feed: Option<String>,
    /// Which copy of a feed of the catalogue is fetched. Default: `publisher`.
    #[serde(default)]
    copy: Copy,
    /// The refresh token of an account of the catalogue, as `${env:NAME}`: its API is asked then, else its public list of feeds.
    #[serde(default)]
    token: Option<SecretSetting>,
    /// Another address of the catalogue's list, or with `token` of its API, such as a mirror's.
    #[serde(default)]
    catalogue_url: Option<UrlSetting>,
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
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("gtfs/example.yaml"))
}

/// An archive with the files that every feed must have.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let is_feed = ["agency.txt", "routes.txt", "trips.txt", "stop_times.txt"]
        .into_iter()
        .all(|name| sight.has_member(name));
    let (key, place) = sight.place();
    is_feed.then(|| {
        Claim::own(
            [(key, place.into())],
            "the archive holds agency.txt, routes.txt, trips.txt and stop_times.txt: a GTFS feed",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let source = match settings.catalogue {
        Some(Catalogue::MobilityDatabase) => Source::Listed(Box::new(entry(&settings, context)?)),
        None => {
            if settings.feed.is_some() {
                return Err(SettingsError::of_key("feed", "has no catalogue")
                    .with_help("write `catalogue: mobility_database` beside it"));
            }
            let url = settings.url.map(OneOrMany::One);
            let origin = OriginSettings {
                path: settings.path.as_deref(),
                url: url.as_ref(),
                ..OriginSettings::default()
            };
            Source::Plain(Origin::of(origin, context)?)
        }
    };
    Ok(Arc::new(Gtfs {
        source,
        feed_id: settings
            .feed_id
            .unwrap_or_else(|| context.pipeline().to_owned()),
    }))
}

/// The feed that `feed` names in the catalogue.
fn entry(settings: &Settings, context: &MakeContext) -> Result<Entry, SettingsError> {
    for (key, is_there) in [
        ("path", settings.path.is_some()),
        ("url", settings.url.is_some()),
    ] {
        if is_there {
            return Err(SettingsError::of_key(key, "stands beside `catalogue`")
                .with_help("leave one of them out"));
        }
    }
    let Some(feed) = &settings.feed else {
        return Err(SettingsError::new(Vec::new(), "`feed` is missing")
            .with_help("write the feed's number in the catalogue, such as `feed: mdb-123`"));
    };
    let place = (settings.catalogue_url.as_ref(), settings.token.as_ref());
    Entry::new(feed, settings.copy, place, context)
}

/// One file of the standard, and how it feeds a shared table.
struct FileOfFeed {
    name: &'static str,
    /// Whether a feed without it is broken.
    required: bool,
    table: &'static str,
    sql: &'static str,
    /// Fields of the mapping that the standard does not ask for, or not always.
    optional: &'static str,
}

/// A file with the `.sql` of its table.
macro_rules! mapped {
    ($table:literal, $required:literal, $optional:literal) => {
        FileOfFeed {
            name: concat!($table, ".txt"),
            required: $required,
            table: concat!("transport.", $table),
            sql: include_str!(concat!("gtfs/", $table, ".sql")),
            optional: $optional,
        }
    };
}

/// The files of the standard that a shared table takes.
const MAPPED: &[FileOfFeed] = &[
    mapped!(
        "agency",
        true,
        "agency_id agency_lang agency_phone agency_fare_url agency_email cemv_support"
    ),
    mapped!(
        "stops",
        true,
        "stop_code stop_name tts_stop_name stop_desc stop_lat stop_lon zone_id stop_url location_type \
         parent_station stop_timezone wheelchair_boarding level_id platform_code stop_access"
    ),
    mapped!(
        "routes",
        true,
        "agency_id route_short_name route_long_name route_desc route_url route_color \
         route_text_color route_sort_order continuous_pickup continuous_drop_off network_id cemv_support"
    ),
    mapped!(
        "trips",
        true,
        "trip_headsign trip_short_name direction_id block_id shape_id wheelchair_accessible \
         bikes_allowed cars_allowed"
    ),
    mapped!(
        "stop_times",
        true,
        "arrival_time departure_time stop_headsign pickup_type drop_off_type continuous_pickup \
         continuous_drop_off shape_dist_traveled timepoint"
    ),
    mapped!("calendar", false, ""),
    mapped!("calendar_dates", false, ""),
    mapped!("shapes", false, "shape_dist_traveled"),
    mapped!("frequencies", false, "exact_times"),
    mapped!(
        "transfers",
        false,
        "from_stop_id to_stop_id from_route_id to_route_id from_trip_id to_trip_id transfer_type \
         min_transfer_time"
    ),
    mapped!(
        "feed_info",
        false,
        "default_lang feed_start_date feed_end_date feed_version feed_contact_email feed_contact_url"
    ),
    mapped!(
        "fare_attributes",
        false,
        "transfers agency_id transfer_duration"
    ),
    mapped!(
        "fare_rules",
        false,
        "route_id origin_id destination_id contains_id"
    ),
    mapped!("timeframes", false, "start_time end_time"),
    mapped!(
        "rider_categories",
        false,
        "is_default_fare_category eligibility_url"
    ),
    mapped!("fare_media", false, "fare_media_name"),
    mapped!(
        "fare_products",
        false,
        "fare_product_name rider_category_id fare_media_id"
    ),
    mapped!(
        "fare_leg_rules",
        false,
        "leg_group_id network_id from_area_id to_area_id from_timeframe_group_id \
         to_timeframe_group_id rule_priority"
    ),
    mapped!("fare_leg_join_rules", false, "from_stop_id to_stop_id"),
    mapped!(
        "fare_transfer_rules",
        false,
        "from_leg_group_id to_leg_group_id transfer_count duration_limit duration_limit_type \
         fare_product_id"
    ),
    mapped!("areas", false, "area_name"),
    mapped!("stop_areas", false, ""),
    mapped!("networks", false, "network_name"),
    mapped!("route_networks", false, ""),
    mapped!("levels", false, "level_name"),
    mapped!(
        "pathways",
        false,
        "length traversal_time stair_count max_slope min_width signposted_as reversed_signposted_as"
    ),
    mapped!("translations", false, "record_id record_sub_id field_value"),
    mapped!(
        "attributions",
        false,
        "attribution_id agency_id route_id trip_id is_producer is_operator is_authority \
         attribution_url attribution_email attribution_phone"
    ),
];

/// The other files of the standard, for demand-responsive services: a pipeline can map them itself.
const UNMAPPED: &str = "location_groups location_group_stops booking_rules";

struct Gtfs {
    source: Source,
    feed_id: String,
}

enum Source {
    Plain(Origin),
    /// A feed of a catalogue.
    Listed(Box<Entry>),
}

impl Gtfs {
    /// The feed's folder, if it is one.
    async fn folder(&self) -> Result<Option<PathBuf>, ConnectorError> {
        let Source::Plain(Origin::Files { project_dir, path }) = &self.source else {
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
    fn stream(name: &str, required: bool, in_folder: bool) -> Stream {
        let mut stream = Stream::new(name, if in_folder { name } else { FEED });
        stream.member = (!in_folder).then(|| MemberPattern::exact(name));
        stream.optional = !required;
        stream.format = Some(serde_json::json!({ "name": "csv", "delimiter": "," }));
        stream
    }

    fn mapped(&self, file: &FileOfFeed, in_folder: bool) -> Stream {
        let mut stream = Self::stream(file.name, file.required, in_folder);
        let optional: Vec<&str> = file.optional.split_whitespace().collect();
        stream.mappings = vec![
            DefaultMapping::new(file.table, "replace", file.sql)
                .with_columns(&optional)
                .with_parameter("feed_id", &self.feed_id),
        ];
        stream
    }
}

#[async_trait]
impl Connector for Gtfs {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let in_folder = self.folder().await?.is_some();
        let mapped = MAPPED.iter().map(|file| self.mapped(file, in_folder));
        let others = UNMAPPED
            .split_whitespace()
            .map(|name| Self::stream(&format!("{name}.txt"), false, in_folder));
        Ok(mapped.chain(others).collect())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let unit = slice.unit;
        let origin = match &self.source {
            Source::Plain(origin) => origin,
            Source::Listed(entry) => {
                let origin = Origin::Urls {
                    urls: vec![entry.url(io).await?.clone()],
                    pages: Pages::Refused,
                };
                return origin.fetch(cursor, io).await;
            }
        };
        let Some(folder) = self.folder().await? else {
            return origin.fetch(cursor, io).await;
        };
        let Origin::Files { project_dir, .. } = origin else {
            return Ok(None);
        };
        let required = MAPPED.iter().any(|file| file.name == unit && file.required);
        match files::open(project_dir, &folder.join(unit)).await {
            Ok(part) => Ok(Some(Fetched::part(part, None))),
            Err(error) if error.kind == ErrorKind::NotFound && !required => Ok(None),
            Err(error) => Err(error.with_help("GTFS asks every feed for this file")),
        }
    }
}

#[cfg(test)]
mod tests;
