//! What a run saw of time and stations in the rows that it loaded.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampSecondType};
use arrow::error::ArrowError;
use sectorlake_contract::{Classification, Contract, Field, FieldType, Interval};

/// Stations of one table that are told apart, at most: beyond that the table is watched as a whole.
pub(crate) const STATIONS_MAX: usize = 5_000;
/// What the fields are called in which sources name what observes.
const STATION_NAMES: [&str; 7] = [
    "station_id",
    "sensor_id",
    "site_id",
    "device_id",
    "counter_id",
    "gauge_id",
    "location_id",
];

/// Where time and station stand in a table's rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    time: Option<String>,
    station: Option<String>,
}

impl Sight {
    /// By the contract: the time that an observation is of, and what observed it, as far as both are part of the key.
    pub(crate) fn of(contract: &Contract) -> Self {
        let in_key = |field: &&Field| contract.primary_key.contains(&field.name);
        let key: Vec<&Field> = contract.fields.iter().filter(in_key).collect();
        let is_time = |field: &Field| {
            let marks = matches!(field.interval, Some(Interval::Instant | Interval::Start));
            marks && matches!(field.kind, FieldType::Date | FieldType::Datetime)
        };
        let time = key
            .iter()
            .copied()
            .find(|field| is_time(field))
            .or_else(|| contract.fields.iter().find(|field| is_time(field)))
            .or_else(|| {
                let is_datetime = |field: &&Field| matches!(field.kind, FieldType::Datetime);
                key.iter().copied().find(is_datetime)
            });
        let is_station = |field: &&&Field| {
            STATION_NAMES.contains(&field.name.as_str())
                && field.classification != Classification::Personal
        };
        let station = key.iter().find(is_station);
        Self {
            station: time.and(station).map(|field| field.name.clone()),
            time: time.map(|field| field.name.clone()),
        }
    }

    /// Whether the table tells at all when something was observed.
    pub(crate) fn has_time(&self) -> bool {
        self.time.is_some()
    }
}

/// The newest time, of all rows and by station, in seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) newest: Option<i64>,
    pub(crate) stations: HashMap<String, i64>,
    pub(crate) too_many: bool,
}

impl Seen {
    /// Takes in rows; none of later than `latest` counts, for it is a mistake that would hide what comes after it.
    pub(crate) fn look(
        &mut self,
        sight: &Sight,
        rows: &RecordBatch,
        latest: i64,
    ) -> Result<(), ArrowError> {
        let column = |name: &Option<String>| rows.column_by_name(name.as_deref()?);
        let Some(times) = column(&sight.time) else {
            return Ok(());
        };
        let times = cast(times, &DataType::Timestamp(TimeUnit::Second, None))?;
        let times = times.as_primitive::<TimestampSecondType>();
        let stations = match column(&sight.station) {
            Some(stations) if !self.too_many => Some(cast(stations, &DataType::Utf8)?),
            _ => None,
        };
        let stations = stations.as_ref().map(|it| it.as_string::<i32>());
        // Rows of one station often stand together.
        let mut run: Option<(&str, i64)> = None;
        for row in 0..rows.num_rows() {
            if times.is_null(row) || times.value(row) > latest {
                continue;
            }
            let time = times.value(row);
            self.newest = self.newest.max(Some(time));
            let Some(stations) = stations.filter(|stations| !stations.is_null(row)) else {
                continue;
            };
            let station = stations.value(row);
            run = match run {
                Some((same, newest)) if same == station => Some((same, newest.max(time))),
                other => {
                    self.take(other);
                    Some((station, time))
                }
            };
        }
        self.take(run);
        Ok(())
    }

    fn take(&mut self, run: Option<(&str, i64)>) {
        let Some((station, time)) = run else { return };
        let has_room = self.stations.len() < STATIONS_MAX;
        match self.stations.get_mut(station) {
            Some(newest) => *newest = time.max(*newest),
            None if has_room => {
                self.stations.insert(station.to_owned(), time);
            }
            None => self.too_many = true,
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.newest = self.newest.max(other.newest);
        self.too_many |= other.too_many;
        for (station, time) in other.stations {
            self.take(Some((&station, time)));
        }
    }
}
