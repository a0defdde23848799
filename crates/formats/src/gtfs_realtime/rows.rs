//! Entities → rows. A row's cells carry their names, so that columns and values cannot fall apart.

use serde::Serialize;
use serde_json::{Map, Value};

use super::names::{self, Names, name};
use super::proto::{
    Alert, EntitySelector, FeedEntity, FeedHeader, StopTimeEvent, StopTimeUpdate, TranslatedString,
    TripDescriptor, TripUpdate, VehicleDescriptor, VehiclePosition,
};
use crate::spec::RealtimeEntity;

/// The language of a text that names none (BCP 47: undetermined).
const NO_LANGUAGE: &str = "und";

/// One value, in its column's type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Text(Option<String>),
    Integer(Option<i64>),
    Single(Option<f32>),
    Double(Option<f64>),
    Flag(Option<bool>),
}

/// One row: each column's name and value.
pub(crate) type Row = Vec<(&'static str, Cell)>;

/// One entity that gives rows.
#[derive(Debug, Default)]
pub(crate) struct Entity {
    message: FeedEntity,
    kind: RealtimeEntity,
    /// The entity as JSON, without the list that its rows are made of.
    parent: Value,
}

impl Entity {
    /// None where the entity is of another kind: it gives no rows.
    pub(crate) fn new(message: FeedEntity, kind: RealtimeEntity) -> Option<Self> {
        let is_kind = match kind {
            RealtimeEntity::TripUpdates => message.trip_update.is_some(),
            RealtimeEntity::VehiclePositions => message.vehicle.is_some(),
            RealtimeEntity::Alerts => message.alert.is_some(),
        };
        is_kind.then(|| {
            let mut parent = plain(&message);
            match kind {
                RealtimeEntity::TripUpdates => drop(take(&mut parent, "trip_update", STOPS)),
                RealtimeEntity::VehiclePositions => {}
                RealtimeEntity::Alerts => drop(take(&mut parent, "alert", INFORMED)),
            }
            Self {
                message,
                kind,
                parent,
            }
        })
    }

    /// An entity of nothing: its row has every column.
    pub(crate) fn empty(kind: RealtimeEntity) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// How many rows it gives: one at least.
    pub(crate) fn rows(&self) -> usize {
        let elements = match self.kind {
            RealtimeEntity::TripUpdates => {
                let update = self.message.trip_update.as_ref();
                update.map_or(0, |update| update.stop_time_update.len())
            }
            RealtimeEntity::VehiclePositions => 0,
            RealtimeEntity::Alerts => {
                let alert = self.message.alert.as_ref();
                alert.map_or(0, |alert| alert.informed_entity.len())
            }
        };
        elements.max(1)
    }

    /// Bytes that all its rows together repeat of it, about.
    pub(crate) fn repeated_bytes(&self) -> usize {
        let rest = self.rows() - 1;
        // Most entities have few rows: their text needs no measuring.
        match rest {
            0 => 0,
            _ => rest.saturating_mul(self.parent.to_string().len()),
        }
    }

    /// One of its rows, or why there is none.
    pub(crate) fn row(&self, header: &FeedHeader, index: usize) -> Result<Row, String> {
        let mut row: Row = vec![
            ("entity_id", text(self.message.id.as_ref())),
            ("is_deleted", Cell::Flag(self.message.is_deleted)),
        ];
        match self.kind {
            RealtimeEntity::TripUpdates => {
                let update = self.message.trip_update.as_ref();
                trip_update(&mut row, update.unwrap_or(&TripUpdate::default()), index)?;
            }
            RealtimeEntity::VehiclePositions => {
                let vehicle = self.message.vehicle.as_ref();
                vehicle_position(&mut row, vehicle.unwrap_or(&VehiclePosition::default()))?;
            }
            RealtimeEntity::Alerts => {
                let found = self.message.alert.as_ref();
                alert(&mut row, found.unwrap_or(&Alert::default()), index);
            }
        }
        row.extend([
            (
                "header_gtfs_realtime_version",
                text(header.gtfs_realtime_version.as_ref()),
            ),
            (
                "header_incrementality",
                named(names::INCREMENTALITY, header.incrementality),
            ),
            ("header_timestamp", seconds(header.timestamp)?),
            ("header_feed_version", text(header.feed_version.as_ref())),
            ("_record", Cell::Text(Some(self.record(index)))),
        ]);
        Ok(row)
    }

    /// The entity as JSON, with the one element that the row is made of.
    fn record(&self, index: usize) -> String {
        let mut record = self.parent.clone();
        let (key, list, element) = match self.kind {
            RealtimeEntity::TripUpdates => {
                let update = self.message.trip_update.as_ref();
                let element = update.and_then(|update| update.stop_time_update.get(index));
                ("trip_update", STOPS, element.map(plain))
            }
            RealtimeEntity::VehiclePositions => return record.to_string(),
            RealtimeEntity::Alerts => {
                let alert = self.message.alert.as_ref();
                let element = alert.and_then(|alert| alert.informed_entity.get(index));
                ("alert", INFORMED, element.map(plain))
            }
        };
        if let (Some(element), Some(Value::Object(parent))) = (element, record.get_mut(key)) {
            parent.insert(list.to_owned(), Value::Array(vec![element]));
        }
        record.to_string()
    }
}

/// The list of a trip update's rows.
const STOPS: &str = "stop_time_update";
/// The list of an alert's rows.
const INFORMED: &str = "informed_entity";

fn take(parent: &mut Value, key: &str, list: &str) -> Option<Value> {
    parent.get_mut(key)?.as_object_mut()?.remove(list)
}

/// A message as JSON, without what it does not say.
fn plain(message: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(message).unwrap_or_default();
    leave_out_nothing(&mut value);
    value
}

/// Messages nest a few levels deep, as the proto says.
fn leave_out_nothing(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| {
                !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
            });
            fields.values_mut().for_each(leave_out_nothing);
        }
        Value::Array(list) => list.iter_mut().for_each(leave_out_nothing),
        _ => {}
    }
}

fn text(value: Option<&String>) -> Cell {
    Cell::Text(value.cloned())
}

fn integer<N: Into<i64>>(value: Option<N>) -> Cell {
    Cell::Integer(value.map(Into::into))
}

fn named(names: Names, number: Option<i32>) -> Cell {
    Cell::Text(number.map(|number| name(names, number)))
}

/// Seconds since 1970, as a number that SQL can count with.
fn seconds(value: Option<u64>) -> Result<Cell, String> {
    let seconds = value.map(i64::try_from).transpose();
    seconds.map(Cell::Integer).map_err(|_| {
        format!(
            "the timestamp {} is beyond all dates",
            value.unwrap_or_default()
        )
    })
}

/// A list as JSON; none where it is empty.
fn json<T: Serialize>(list: &[T]) -> Cell {
    let list = (!list.is_empty()).then(|| plain(&list).to_string());
    Cell::Text(list)
}

fn trip(row: &mut Row, trip: &TripDescriptor) {
    row.extend([
        ("trip_id", text(trip.trip_id.as_ref())),
        ("route_id", text(trip.route_id.as_ref())),
        ("direction_id", integer(trip.direction_id)),
        ("start_date", text(trip.start_date.as_ref())),
        ("start_time", text(trip.start_time.as_ref())),
        (
            "trip_schedule_relationship",
            named(names::TRIP_RELATIONSHIP, trip.schedule_relationship),
        ),
    ]);
}

fn vehicle(row: &mut Row, vehicle: &VehicleDescriptor) {
    row.extend([
        ("vehicle_id", text(vehicle.id.as_ref())),
        ("vehicle_label", text(vehicle.label.as_ref())),
        (
            "vehicle_license_plate",
            text(vehicle.license_plate.as_ref()),
        ),
        (
            "vehicle_wheelchair_accessible",
            named(names::WHEELCHAIR, vehicle.wheelchair_accessible),
        ),
    ]);
}

fn trip_update(row: &mut Row, update: &TripUpdate, index: usize) -> Result<(), String> {
    trip(row, &update.trip.clone().unwrap_or_default());
    vehicle(row, &update.vehicle.clone().unwrap_or_default());
    row.extend([
        ("timestamp", seconds(update.timestamp)?),
        ("delay", integer(update.delay)),
        (
            "trip_properties",
            Cell::Text(
                update
                    .trip_properties
                    .as_ref()
                    .map(|it| plain(it).to_string()),
            ),
        ),
    ]);
    let stop = update.stop_time_update.get(index);
    stop_time(row, stop.unwrap_or(&StopTimeUpdate::default()));
    Ok(())
}

fn stop_time(row: &mut Row, stop: &StopTimeUpdate) {
    let arrival = stop.arrival.clone().unwrap_or_default();
    let departure = stop.departure.clone().unwrap_or_default();
    let properties = stop.stop_time_properties.as_ref();
    row.extend([
        ("stop_sequence", integer(stop.stop_sequence)),
        ("stop_id", text(stop.stop_id.as_ref())),
    ]);
    event(
        row,
        [
            "arrival_delay",
            "arrival_time",
            "arrival_uncertainty",
            "arrival_scheduled_time",
        ],
        arrival,
    );
    event(
        row,
        [
            "departure_delay",
            "departure_time",
            "departure_uncertainty",
            "departure_scheduled_time",
        ],
        departure,
    );
    row.extend([
        (
            "departure_occupancy_status",
            named(names::OCCUPANCY, stop.departure_occupancy_status),
        ),
        (
            "schedule_relationship",
            named(names::STOP_RELATIONSHIP, stop.schedule_relationship),
        ),
        (
            "stop_time_properties",
            Cell::Text(properties.map(|it| plain(it).to_string())),
        ),
    ]);
}

fn event(row: &mut Row, names: [&'static str; 4], event: StopTimeEvent) {
    let [delay, time, uncertainty, scheduled] = names;
    row.extend([
        (delay, integer(event.delay)),
        (time, integer(event.time)),
        (uncertainty, integer(event.uncertainty)),
        (scheduled, integer(event.scheduled_time)),
    ]);
}

fn vehicle_position(row: &mut Row, found: &VehiclePosition) -> Result<(), String> {
    trip(row, &found.trip.clone().unwrap_or_default());
    vehicle(row, &found.vehicle.clone().unwrap_or_default());
    let position = found.position.clone().unwrap_or_default();
    row.extend([
        ("latitude", Cell::Single(position.latitude)),
        ("longitude", Cell::Single(position.longitude)),
        ("bearing", Cell::Single(position.bearing)),
        ("odometer", Cell::Double(position.odometer)),
        ("speed", Cell::Single(position.speed)),
        (
            "current_stop_sequence",
            integer(found.current_stop_sequence),
        ),
        ("stop_id", text(found.stop_id.as_ref())),
        (
            "current_status",
            named(names::STOP_STATUS, found.current_status),
        ),
        ("timestamp", seconds(found.timestamp)?),
        (
            "congestion_level",
            named(names::CONGESTION, found.congestion_level),
        ),
        (
            "occupancy_status",
            named(names::OCCUPANCY, found.occupancy_status),
        ),
        ("occupancy_percentage", integer(found.occupancy_percentage)),
        (
            "multi_carriage_details",
            json(&found.multi_carriage_details),
        ),
    ]);
    Ok(())
}

fn alert(row: &mut Row, alert: &Alert, index: usize) {
    row.extend([
        ("cause", named(names::CAUSE, alert.cause)),
        ("effect", named(names::EFFECT, alert.effect)),
        (
            "severity_level",
            named(names::SEVERITY, alert.severity_level),
        ),
        ("active_period", json(&alert.active_period)),
        ("communication_period", json(&alert.communication_period)),
        ("impact_period", json(&alert.impact_period)),
    ]);
    for (first, all, translated) in texts(alert) {
        let (one, by_language) = translations(translated.as_ref());
        row.extend([(first, Cell::Text(one)), (all, Cell::Text(by_language))]);
    }
    let image = alert.image.as_ref();
    row.push((
        "image",
        Cell::Text(image.map(|image| plain(&image.localized_image).to_string())),
    ));
    let informed = alert.informed_entity.get(index);
    selector(row, informed.unwrap_or(&EntitySelector::default()));
}

/// An alert's texts: the column of the first translation, that of all, and the text.
fn texts(alert: &Alert) -> [(&'static str, &'static str, &Option<TranslatedString>); 8] {
    [
        (
            "header_text",
            "header_text_translations",
            &alert.header_text,
        ),
        (
            "description_text",
            "description_text_translations",
            &alert.description_text,
        ),
        ("url", "url_translations", &alert.url),
        (
            "tts_header_text",
            "tts_header_text_translations",
            &alert.tts_header_text,
        ),
        (
            "tts_description_text",
            "tts_description_text_translations",
            &alert.tts_description_text,
        ),
        (
            "cause_detail",
            "cause_detail_translations",
            &alert.cause_detail,
        ),
        (
            "effect_detail",
            "effect_detail_translations",
            &alert.effect_detail,
        ),
        (
            "image_alternative_text",
            "image_alternative_text_translations",
            &alert.image_alternative_text,
        ),
    ]
}

/// The first text, and all as a JSON object by language.
fn translations(translated: Option<&TranslatedString>) -> (Option<String>, Option<String>) {
    let Some(translated) = translated.filter(|it| !it.translation.is_empty()) else {
        return (None, None);
    };
    let mut by_language = Map::new();
    for translation in &translated.translation {
        let language = translation.language.as_deref().unwrap_or(NO_LANGUAGE);
        let text = translation.text.clone().unwrap_or_default();
        // Of two texts in one language the first is the one that passengers read.
        by_language.entry(language).or_insert(Value::String(text));
    }
    let first = translated
        .translation
        .first()
        .and_then(|it| it.text.clone());
    (first, Some(Value::Object(by_language).to_string()))
}

fn selector(row: &mut Row, informed: &EntitySelector) {
    let trip = informed.trip.clone().unwrap_or_default();
    row.extend([
        ("agency_id", text(informed.agency_id.as_ref())),
        ("route_id", text(informed.route_id.as_ref())),
        ("route_type", integer(informed.route_type)),
        ("direction_id", integer(informed.direction_id)),
        ("stop_id", text(informed.stop_id.as_ref())),
        ("trip_id", text(trip.trip_id.as_ref())),
        ("trip_route_id", text(trip.route_id.as_ref())),
        ("trip_direction_id", integer(trip.direction_id)),
        ("trip_start_date", text(trip.start_date.as_ref())),
        ("trip_start_time", text(trip.start_time.as_ref())),
        (
            "trip_schedule_relationship",
            named(names::TRIP_RELATIONSHIP, trip.schedule_relationship),
        ),
    ]);
}
