//! The feeds of the standard, and which shared tables they feed.

use chrono::{DateTime, Utc};
use sectorlake_connector::{ConnectorError, DefaultMapping, ErrorKind, Stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::poll::Moment;

/// The status of a whole country's vehicles is tens of megabytes.
pub(super) const FEED_BYTES_MAX: usize = 256 << 20;

/// A feed, and where its records stand.
pub(super) struct Feed {
    pub(super) name: &'static str,
    records: &'static str,
    /// Every moment is a part of its own.
    keeps_every: bool,
}

const fn newest(name: &'static str, records: &'static str) -> Feed {
    Feed {
        name,
        records,
        keeps_every: false,
    }
}

/// All feeds of 2.x and 3.x.
pub(super) const FEEDS: &[Feed] = &[
    newest("station_information", "data.stations"),
    Feed {
        keeps_every: true,
        ..newest("station_status", "data.stations")
    },
    newest("free_bike_status", "data.bikes"),
    newest("vehicle_status", "data.vehicles"),
    newest("vehicle_types", "data.vehicle_types"),
    newest("vehicle_availability", "data.vehicles"),
    newest("system_information", "data"),
    newest("system_regions", "data.regions"),
    newest("system_hours", "data.rental_hours"),
    newest("system_calendar", "data.calendars"),
    newest("system_pricing_plans", "data.plans"),
    newest("system_alerts", "data.alerts"),
    newest("geofencing_zones", "data.geofencing_zones.features"),
    newest("gbfs_versions", "data.versions"),
];

/// What stands around the records of every feed. Versions differ in the form of the time.
#[derive(Deserialize)]
struct Envelope {
    last_updated: Value,
    #[serde(default)]
    ttl: Option<i64>,
}

impl Feed {
    pub(super) fn stream(&self, system_id: &str, language: &str) -> Stream {
        let mut stream = Stream::new(self.name, self.name);
        // Every system has some feeds only.
        stream.optional = true;
        stream.format = Some(json!({ "name": "json", "record_path": self.records }));
        let mapping = match self.name {
            "station_information" => DefaultMapping::new(
                "transport.shared_mobility_stations",
                "replace",
                include_str!("station_information.sql"),
            )
            .with_columns(&[
                "short_name",
                "lat",
                "lon",
                "address",
                "cross_street",
                "region_id",
                "post_code",
                "station_opening_hours",
                "rental_methods",
                "is_virtual_station",
                "station_area",
                "parking_type",
                "parking_hoop",
                "contact_phone",
                "capacity",
                "vehicle_types_capacity",
                "vehicle_docks_capacity",
                "is_valet_station",
                "is_charging_station",
                "rental_uris",
            ])
            .with_parameter("language", language),
            "station_status" => DefaultMapping::new(
                "transport.shared_mobility_status",
                "merge",
                include_str!("station_status.sql"),
            )
            .with_columns(&[
                "num_vehicles_available",
                "num_bikes_available",
                "vehicle_types_available",
                "num_vehicles_disabled",
                "num_bikes_disabled",
                "num_docks_available",
                "vehicle_docks_available",
                "num_docks_disabled",
            ]),
            _ => return stream,
        };
        stream.mappings = vec![mapping.with_parameter("system_id", system_id)];
        stream
    }

    /// When the feed was made, and how long it holds.
    pub(super) fn moment(&self, bytes: &[u8]) -> Result<Moment, ConnectorError> {
        let moment = moment(bytes).map_err(|message| {
            ConnectorError::new(ErrorKind::Invalid, message).with_help(
                "ask the publisher: gbfs.org/documentation/reference says what a feed holds",
            )
        })?;
        Ok(match self.keeps_every {
            true => moment,
            false => Moment {
                stamp: None,
                ..moment
            },
        })
    }
}

/// What any file of GBFS says of itself.
pub(super) fn moment(bytes: &[u8]) -> Result<Moment, String> {
    let envelope: Envelope =
        serde_json::from_slice(bytes).map_err(|error| format!("is no feed of GBFS: {error}"))?;
    let said = match &envelope.last_updated {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err("`last_updated` is no time".to_owned()),
    };
    Ok(Moment {
        made_at: instant(&envelope.last_updated),
        ttl_s: envelope.ttl,
        has_more: false,
        stamp: Some(format!("last_updated={said}")),
    })
}

/// Seconds of POSIX time in 2.x, RFC 3339 in 3.x.
fn instant(said: &Value) -> Option<DateTime<Utc>> {
    match said {
        Value::String(text) => text.parse().ok(),
        _ => DateTime::from_timestamp(said.as_i64()?, 0),
    }
}
