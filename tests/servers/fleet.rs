//! A fleet as GTFS Realtime gives it, with what real feeds do; and the rows that a message comes to. For the tests of whoever includes
//! this file, and the servers that they play.

use std::collections::BTreeMap;

use prost::Message;

/// Who, and when in seconds since 1970.
pub(crate) type Key = (String, i64);
/// The rows of a table.
pub(crate) type Rows = BTreeMap<Key, Fix>;

/// What a row says beside its key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fix {
    pub(crate) trip: String,
    pub(crate) stop: i64,
    pub(crate) odometer: f64,
    pub(crate) latitude: f64,
}

impl Fix {
    fn of(vehicle: i64, at: i64, correction: i64) -> Self {
        Self {
            trip: format!("T{}", vehicle % 97),
            stop: (vehicle + at / 30).rem_euclid(60) + correction,
            odometer: (at % 100_000) as f64 * 8.25 + vehicle as f64,
            latitude: 20.5 + ((at / 30 + vehicle).rem_euclid(1024)) as f64 / 1024.0,
        }
    }
}

/// One vehicle in one message.
struct Seen {
    entity: String,
    /// None: only the entity says who it is.
    vehicle: Option<String>,
    /// None: the message's time is its own.
    at: Option<i64>,
    fix: Fix,
}

/// The vehicles of a message that was made at so many seconds since 1970. Of ten, one is parked, one jumps back in time, one says twice
/// what it said before, one is corrected, one has no clock, one comes twice in a message, one changes its entity's id, one drops out now
/// and then and has no id of its own, the clock of one runs ahead; and one does all as it should.
fn seen(vehicle: i64, made: i64) -> Vec<Seen> {
    let poll = made / 30;
    let plain = |at: i64| Seen {
        entity: format!("e{vehicle}"),
        vehicle: Some(format!("v{vehicle}")),
        at: Some(at),
        fix: Fix::of(vehicle, at, 0),
    };
    match vehicle % 10 {
        0 => vec![plain(made - made % 300)],
        1 if poll % 2 == 1 => vec![plain(made - 45)],
        2 if poll % 3 == 2 => vec![plain(made - 30)],
        3 => {
            let at = made - made % 60;
            let fix = Fix::of(vehicle, at, i64::from(made % 60 > 0));
            vec![Seen { fix, ..plain(at) }]
        }
        4 => vec![Seen {
            at: None,
            ..plain(made)
        }],
        5 => {
            let again = Seen {
                entity: format!("again{vehicle}"),
                fix: Fix::of(vehicle, made, 1),
                ..plain(made)
            };
            vec![plain(made), again]
        }
        6 => vec![Seen {
            entity: format!("{made}-{vehicle}"),
            ..plain(made)
        }],
        7 if poll % 4 == 1 => Vec::new(),
        7 => vec![Seen {
            vehicle: None,
            ..plain(made)
        }],
        8 => vec![plain(made + 90)],
        _ => vec![plain(made)],
    }
}

/// What a message does to the table: of what has one key the last word counts.
pub(crate) fn fold(vehicles: i64, made: i64, rows: &mut Rows) {
    for seen in (0..vehicles).flat_map(|vehicle| seen(vehicle, made)) {
        let key = (seen.vehicle.unwrap_or(seen.entity), seen.at.unwrap_or(made));
        rows.insert(key, seen.fix);
    }
}

/// The message as it goes over the wire.
pub(crate) fn message(vehicles: i64, made: i64) -> Vec<u8> {
    let entity = (0..vehicles).flat_map(|vehicle| seen(vehicle, made));
    let message = FeedMessage {
        header: Some(FeedHeader {
            version: Some("2.0".to_owned()),
            timestamp: u64::try_from(made).ok(),
        }),
        entity: entity.map(FeedEntity::of).collect(),
    };
    message.encode_to_vec()
}

// After gtfs-realtime.proto, 2.0: only what is sent here.

#[derive(Clone, PartialEq, Message)]
struct FeedMessage {
    #[prost(message, optional, tag = "1")]
    header: Option<FeedHeader>,
    #[prost(message, repeated, tag = "2")]
    entity: Vec<FeedEntity>,
}

#[derive(Clone, PartialEq, Message)]
struct FeedHeader {
    #[prost(string, optional, tag = "1")]
    version: Option<String>,
    #[prost(uint64, optional, tag = "3")]
    timestamp: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct FeedEntity {
    #[prost(string, optional, tag = "1")]
    id: Option<String>,
    #[prost(message, optional, tag = "4")]
    vehicle: Option<VehiclePosition>,
}

impl FeedEntity {
    fn of(seen: Seen) -> Self {
        let position = Position {
            latitude: Some(seen.fix.latitude as f32),
            longitude: Some(106.625),
            odometer: Some(seen.fix.odometer),
        };
        Self {
            id: Some(seen.entity),
            vehicle: Some(VehiclePosition {
                trip: Some(TripDescriptor {
                    trip_id: Some(seen.fix.trip),
                }),
                position: Some(position),
                stop: u32::try_from(seen.fix.stop).ok(),
                timestamp: seen.at.and_then(|at| u64::try_from(at).ok()),
                vehicle: seen.vehicle.map(|id| VehicleDescriptor { id: Some(id) }),
            }),
        }
    }
}

#[derive(Clone, PartialEq, Message)]
struct VehiclePosition {
    #[prost(message, optional, tag = "1")]
    trip: Option<TripDescriptor>,
    #[prost(message, optional, tag = "2")]
    position: Option<Position>,
    #[prost(uint32, optional, tag = "3")]
    stop: Option<u32>,
    #[prost(uint64, optional, tag = "5")]
    timestamp: Option<u64>,
    #[prost(message, optional, tag = "8")]
    vehicle: Option<VehicleDescriptor>,
}

#[derive(Clone, PartialEq, Message)]
struct TripDescriptor {
    #[prost(string, optional, tag = "1")]
    trip_id: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct Position {
    #[prost(float, optional, tag = "1")]
    latitude: Option<f32>,
    #[prost(float, optional, tag = "2")]
    longitude: Option<f32>,
    #[prost(double, optional, tag = "4")]
    odometer: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct VehicleDescriptor {
    #[prost(string, optional, tag = "1")]
    id: Option<String>,
}
