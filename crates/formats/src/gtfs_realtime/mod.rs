//! GTFS-Realtime: a feed message of one moment, as rows of trip updates, vehicle positions or alerts.
//!
//! A trip update gives a row per stop time update and an alert a row per informed entity; without any, one row. Columns are named as in
//! the proto, `trip` and `vehicle` without their prefix where that is clear (`trip_id`, `vehicle_label`), the header's with `header_`.
//! Rows are numbered in the feed's order. A feed is read whole: it has no index, and holds one moment.

mod names;
mod proto;
mod rows;
mod texts;
mod wire;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Float32Builder, Float64Builder, Int64Builder,
    StringViewBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use prost::Message;

use crate::choice::Choice;
use crate::content::Content;
use crate::decoded::{BrokenRecord, Decoded};
use crate::error::FormatError;
use crate::part::{Source, Streams};
use crate::spec::{FormatSpec, GtfsRealtimeFormat, RealtimeEntity};
use proto::{FeedEntity, FeedHeader};
use rows::{Cell, Entity};
use texts::OddTexts;
use wire::Fields;

/// Bytes of text in one batch, about: an alert's text stands in each of its rows.
const BATCH_BYTES: usize = 4 << 20;
/// What all rows of one entity may repeat, in multiples of the longest record.
const REPEATS_MAX: usize = 64;

/// Whether the bytes begin as a feed does: with a header that begins with its version.
pub(crate) fn is_feed(head: &[u8]) -> bool {
    let [0x0A, header, 0x0A, version, rest @ ..] = head else {
        return false;
    };
    let (header, version) = (usize::from(*header), usize::from(*version));
    let says = rest.get(..version).unwrap_or_default();
    let next = head.get(2 + header);
    (1..=8).contains(&version)
        && header < 0x80
        && header >= version + 2
        && says
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
        && !says.is_empty()
        && next.is_none_or(|next| *next == 0x12)
}

/// A feed whose entities are found.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    name: String,
    bytes: Bytes,
    header: FeedHeader,
    entities: Arc<Vec<Range<usize>>>,
    kind: RealtimeEntity,
    odd_texts: Option<OddTexts>,
    choices: Vec<Choice>,
    schema: SchemaRef,
    batch_rows: usize,
    record_bytes_max: usize,
}

pub(crate) async fn open(
    content: Content,
    format: &GtfsRealtimeFormat,
) -> Result<Feed, FormatError> {
    let name = content.name.clone();
    let bytes = content.whole("GTFS-Realtime").await?;
    let document = |(byte, reason): (usize, String)| FormatError::Document {
        name: name.clone(),
        byte: byte as u64,
        reason,
    };
    let (header, entities) = message(&bytes).map_err(document)?;
    let (kind, mut choices) = choose(format.entity, &bytes, &entities);
    let odd_texts = texts::find(&name, format.encoding.as_deref(), &bytes, &entities)?;
    if let Some(odd) = &odd_texts {
        let found = match format.encoding {
            Some(_) => "it is declared",
            None => "they look like it",
        };
        let why = format!(
            "{} of the feed's texts are no UTF-8, as they must be, and {found}",
            odd.count
        );
        choices.push(Choice::new(Choice::ENCODING, odd.encoding.name(), why));
    }
    let row = Entity::empty(kind).row(&header, 0);
    // Only the header's own time can keep an empty row from being made.
    let row = row.map_err(|reason| document((0, reason)))?;
    let fields: Vec<Field> = row.iter().map(|(name, cell)| field(name, cell)).collect();
    Ok(Feed {
        name,
        bytes,
        header,
        entities: Arc::new(entities),
        kind,
        odd_texts,
        choices,
        schema: Arc::new(Schema::new(fields)),
        batch_rows: content.options.batch_rows(),
        record_bytes_max: content.options.record_bytes_max,
    })
}

/// The message's header and where its entities lie; else the byte that is wrong, and why.
fn message(bytes: &[u8]) -> Result<(FeedHeader, Vec<Range<usize>>), (usize, String)> {
    let mut header = None;
    let mut entities = Vec::new();
    for field in Fields::new(bytes) {
        let field = field.map_err(|bad| {
            let cut_off = "this is no GTFS-Realtime feed, or it was cut off";
            (bad.byte, format!("{cut_off}: {}", bad.reason))
        })?;
        match field.number {
            1 => {
                let decoded = FeedHeader::decode(&bytes[field.value]);
                header = Some(decoded.map_err(|error| {
                    let reason = format!("the feed's header cannot be read: {error}");
                    (field.start, reason)
                })?);
            }
            2 => entities.push(field.value),
            _ => {}
        }
    }
    let header = header.ok_or_else(|| (0, "the feed has no header".to_owned()))?;
    Ok((header, entities))
}

fn field(name: &str, cell: &Cell) -> Field {
    let data_type = match cell {
        Cell::Text(_) => DataType::Utf8View,
        Cell::Integer(_) => DataType::Int64,
        Cell::Single(_) => DataType::Float32,
        Cell::Double(_) => DataType::Float64,
        Cell::Flag(_) => DataType::Boolean,
    };
    Field::new(name, data_type, true)
}

/// The entities to read: those asked for, else those that the feed has most of.
fn choose(
    asked: Option<RealtimeEntity>,
    bytes: &[u8],
    entities: &[Range<usize>],
) -> (RealtimeEntity, Vec<Choice>) {
    let kinds = [
        (RealtimeEntity::TripUpdates, 3),
        (RealtimeEntity::VehiclePositions, 4),
        (RealtimeEntity::Alerts, 5),
    ];
    let counts = kinds.map(|(kind, number)| {
        let holds = |entity: &&Range<usize>| {
            let entity = &bytes[(*entity).clone()];
            Fields::new(entity)
                .flatten()
                .any(|field| field.number == number)
        };
        (kind, entities.iter().filter(holds).count())
    });
    let mut most = counts[0];
    for count in counts {
        if count.1 > most.1 {
            most = count;
        }
    }
    let kind = asked.unwrap_or(most.0);
    let count = counts.iter().find(|(known, _)| *known == kind);
    let why = format!(
        "{}; {} of the feed's {} entities are of this kind, any others give no row",
        match asked {
            Some(_) => "declared",
            None => "the feed holds most of it",
        },
        count.map_or(0, |(_, count)| *count),
        entities.len()
    );
    (kind, vec![Choice::new("entity", kind.name(), why)])
}

impl Source for Feed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn partitions(&self) -> usize {
        1
    }

    fn choices(&self) -> &[Choice] {
        &self.choices
    }

    fn detected(&self, _: &FormatSpec) -> FormatSpec {
        FormatSpec::GtfsRealtime(GtfsRealtimeFormat {
            entity: Some(self.kind),
            encoding: self.odd_texts.map(|odd| odd.encoding.name().to_lowercase()),
        })
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let schema = self.schema.project(projection);
        let reading = Reading {
            feed: self.clone(),
            projection: projection.to_vec(),
            schema: Arc::new(schema.unwrap_or_else(|_| Schema::empty())),
            next_entity: 0,
            rest: None,
            row: 1,
            failed: false,
        };
        vec![stream::iter(reading).boxed()]
    }
}

/// One reading, which makes batch after batch.
struct Reading {
    feed: Feed,
    projection: Vec<usize>,
    schema: SchemaRef,
    next_entity: usize,
    /// An entity whose rows are under way, and the next of them.
    rest: Option<(Entity, usize)>,
    row: i64,
    failed: bool,
}

impl Iterator for Reading {
    type Item = Result<Decoded, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let decoded = self.batch().transpose()?;
        self.failed = decoded.is_err();
        Some(decoded)
    }
}

impl Reading {
    fn batch(&mut self) -> Result<Option<Decoded>, FormatError> {
        let mut building: Vec<Building> = self
            .schema
            .fields()
            .iter()
            .map(|field| Building::new(field.data_type()))
            .collect();
        let (mut rows, mut broken, mut bytes) = (Vec::new(), Vec::new(), 0);
        while rows.len() + broken.len() < self.feed.batch_rows && bytes < BATCH_BYTES {
            match self.next_row() {
                Ok(None) => break,
                Ok(Some(row)) => {
                    for (building, &column) in building.iter_mut().zip(&self.projection) {
                        if let Some((_, cell)) = row.get(column) {
                            bytes += building.push(cell);
                        }
                    }
                    rows.push(self.row);
                }
                Err(reason) => {
                    let (reason, entity) = *reason;
                    let bytes = &self.feed.bytes[entity.clone()];
                    let byte = Some(entity.start as u64);
                    broken.push(BrokenRecord::new(self.row, byte, reason, bytes));
                }
            }
            self.row += 1;
        }
        if rows.is_empty() && broken.is_empty() {
            return Ok(None);
        }
        let columns = building.into_iter().map(Building::finish).collect();
        Ok(Some(Decoded {
            broken,
            ..Decoded::of(&self.feed.name, &self.schema, Ok(columns), rows)?
        }))
    }

    /// The next row, or what is wrong with which entity.
    fn next_row(&mut self) -> Result<Option<rows::Row>, Box<(String, Range<usize>)>> {
        loop {
            if let Some((entity, index)) = &mut self.rest {
                let row = entity.row(&self.feed.header, *index);
                *index += 1;
                if *index >= entity.rows() || row.is_err() {
                    self.rest = None;
                }
                let range = self.feed.entities[self.next_entity - 1].clone();
                return row.map(Some).map_err(|reason| Box::new((reason, range)));
            }
            let Some(range) = self.feed.entities.get(self.next_entity).cloned() else {
                return Ok(None);
            };
            self.next_entity += 1;
            let entity = self.entity(&range);
            self.rest = entity
                .map_err(|reason| Box::new((reason, range)))?
                .map(|entity| (entity, 0));
        }
    }

    fn entity(&self, range: &Range<usize>) -> Result<Option<Entity>, String> {
        let bound = self.feed.record_bytes_max;
        if range.len() > bound {
            return Err(format!("the entity is longer than {bound} bytes"));
        }
        let bytes = &self.feed.bytes[range.clone()];
        let message = match &self.feed.odd_texts {
            Some(odd) => FeedEntity::decode(texts::rewrite(bytes, odd.encoding).as_slice()),
            None => FeedEntity::decode(bytes),
        };
        let message = message.map_err(|error| format!("the entity cannot be read: {error}"))?;
        if message.id.is_none() {
            return Err("the entity has no id".to_owned());
        }
        let entity = Entity::new(message, self.feed.kind);
        if let Some(entity) = &entity
            && entity.repeated_bytes() > bound.saturating_mul(REPEATS_MAX)
        {
            let rows = entity.rows();
            return Err(format!(
                "the entity's {rows} rows would each repeat its long texts"
            ));
        }
        Ok(entity)
    }
}

/// A column being built.
enum Building {
    Text(StringViewBuilder),
    Integer(Int64Builder),
    Single(Float32Builder),
    Double(Float64Builder),
    Flag(BooleanBuilder),
}

impl Building {
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            DataType::Float32 => Self::Single(Float32Builder::new()),
            DataType::Float64 => Self::Double(Float64Builder::new()),
            DataType::Boolean => Self::Flag(BooleanBuilder::new()),
            _ => Self::Text(StringViewBuilder::new()),
        }
    }

    /// Adds a value; gives its bytes.
    fn push(&mut self, cell: &Cell) -> usize {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(value)) => {
                builder.append_option(value.as_deref());
                return value.as_deref().map_or(0, str::len);
            }
            (Self::Integer(builder), Cell::Integer(value)) => builder.append_option(*value),
            (Self::Single(builder), Cell::Single(value)) => builder.append_option(*value),
            (Self::Double(builder), Cell::Double(value)) => builder.append_option(*value),
            (Self::Flag(builder), Cell::Flag(value)) => builder.append_option(*value),
            // Columns are made of the very cells, so their types agree.
            _ => {}
        }
        8
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Integer(mut builder) => ArrayBuilder::finish(&mut builder),
            Self::Single(mut builder) => ArrayBuilder::finish(&mut builder),
            Self::Double(mut builder) => ArrayBuilder::finish(&mut builder),
            Self::Flag(mut builder) => ArrayBuilder::finish(&mut builder),
        }
    }
}
