//! `gtfs_realtime`: a feed message of GTFS Realtime, fetched as it stands, again and again.
//!
//! Reference: <https://gtfs.org/documentation/realtime/reference/>. One message may hold trip updates, vehicle positions and alerts; most
//! publishers give each an address of its own. The protobuf is decoded after the raw zone, so that a replay decodes it again.
//!
//! A message whose header has the time of the one before is unchanged, and nothing is loaded. Rows are merged: a vehicle by its id and
//! the time of its position, a trip by its id, its start and the time of the update, so that who has not moved on keeps one row. Feeds
//! that hold changes only (`DIFFERENTIAL`) are refused.

mod header;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, DefaultMapping, Fetched, Io, MakeContext, Origin,
    OriginSettings, Reads, Registration, Request, SettingsError, Sight, Slice, SourceUrl, Stream,
    UrlSetting,
};
use serde::Deserialize;

use crate::poll::poll;

/// The largest networks' messages are a few megabytes.
const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// The one unit: the message.
const FEED: &str = "feed";

/// Settings of `gtfs_realtime`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The message as a file on this machine. Absolute, or relative to the project's folder.
    #[serde(default)]
    path: Option<String>,
    /// The message behind an http or https URL. Secrets in it as `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// What tells this feed's rows from others' in the shared tables: the same as in the timetable's pipeline, so that the two join.
    /// Default: the pipeline's name.
    #[serde(default)]
    feed_id: Option<String>,
    /// What the message holds: `trip_updates`, `vehicle_positions`, `alerts`. Default: all three, of which any may be empty.
    #[serde(default)]
    entities: Option<Vec<Entity>>,
}

/// A kind of entity of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Entity {
    /// How trips run against the timetable.
    TripUpdates,
    /// Where vehicles are.
    VehiclePositions,
    /// Disruptions.
    Alerts,
}

impl Entity {
    const ALL: [Self; 3] = [Self::TripUpdates, Self::VehiclePositions, Self::Alerts];

    fn name(self) -> &'static str {
        match self {
            Self::TripUpdates => "trip_updates",
            Self::VehiclePositions => "vehicle_positions",
            Self::Alerts => "alerts",
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::TripUpdates => include_str!("gtfs_realtime/trip_updates.sql"),
            Self::VehiclePositions => include_str!("gtfs_realtime/vehicle_positions.sql"),
            Self::Alerts => include_str!("gtfs_realtime/alerts.sql"),
        }
    }
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "gtfs_realtime",
        "Public transit of the moment: trip updates, vehicle positions, alerts.",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("gtfs_realtime/example.yaml"))
}

/// A feed begins with its header: the field 1, its length, and in that the version 1.0 or 2.0 of the specification.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let is_feed = matches!(sight.head, [0x0a, _, 0x0a, 3, b'1' | b'2', b'.', b'0', ..]);
    let (key, place) = sight.place();
    is_feed.then(|| {
        Claim::own(
            [(key, place.into())],
            "it begins as a GTFS-Realtime feed (FeedHeader, gtfs_realtime_version)",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let source = match (&settings.path, &settings.url) {
        (None, Some(url)) => Source::Polled(url.resolve(&["url"], context)?),
        (path, url) => {
            let url = url.clone().map(sectorlake_connector::OneOrMany::One);
            let origin = OriginSettings {
                path: path.as_deref(),
                url: url.as_ref(),
                ..OriginSettings::default()
            };
            Source::Saved(Origin::of(origin, context)?)
        }
    };
    let feed_id = settings
        .feed_id
        .unwrap_or_else(|| context.pipeline().to_owned());
    let entities = settings.entities.unwrap_or_else(|| Entity::ALL.to_vec());
    let reads = match &source {
        Source::Polled(_) => Reads::Passing,
        Source::Saved(_) => Reads::Whole,
    };
    let streams = entities.into_iter().map(|entity| Stream {
        reads,
        ..stream(entity, &feed_id)
    });
    Ok(Arc::new(Realtime {
        source,
        streams: streams.collect(),
    }))
}

struct Realtime {
    source: Source,
    streams: Vec<Stream>,
}

enum Source {
    /// One message after the other.
    Polled(SourceUrl),
    /// Messages that were kept.
    Saved(Origin),
}

#[async_trait]
impl Connector for Realtime {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        Ok(self.streams.clone())
    }

    async fn fetch(
        &self,
        _slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match &self.source {
            Source::Saved(origin) => origin.fetch(cursor, io).await,
            Source::Polled(url) => {
                let request = Request::get(url.clone());
                let started_at = io.started_at();
                let look =
                    |bytes: &bytes::Bytes| Ok(header::moment(bytes)?.or_asked_at(started_at));
                poll(request, url, MESSAGE_BYTES_MAX, (cursor, io), look).await
            }
        }
    }
}

fn stream(entity: Entity, feed_id: &str) -> Stream {
    let name = entity.name();
    let mut stream = Stream::new(name, FEED);
    stream.format = Some(serde_json::json!({ "name": "gtfs_realtime", "entity": name }));
    // Who has not moved on is published again with the same time: merging keeps one row.
    stream.mappings = vec![
        DefaultMapping::new(&format!("transport.{name}"), "merge", entity.sql())
            .with_parameter("feed_id", feed_id),
    ];
    stream
}

#[cfg(test)]
mod tests;
