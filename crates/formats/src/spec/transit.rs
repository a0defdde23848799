//! Options of the standards of public transit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Options of SIRI.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiriFormat {
    /// Which service's deliveries are the rows. Default: `estimated_timetable`.
    #[serde(default)]
    pub service: SiriService,
}

/// A service of SIRI.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiriService {
    /// A row for each call of a journey.
    #[default]
    EstimatedTimetable,
    /// A row for each call of a visit: the stop's own, and those before and after it.
    StopMonitoring,
    /// A row for each vehicle.
    VehicleMonitoring,
    /// A row for each thing that a situation affects.
    SituationExchange,
}

/// Options of NeTEx.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetexFormat {
    /// Which objects are the rows. Default: `stops`.
    #[serde(default)]
    pub objects: NetexObjects,
}

/// Kinds of objects of NeTEx.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetexObjects {
    /// Stop places, quays, entrances, and scheduled stop points that no quay stands for in the same document.
    #[default]
    Stops,
    /// Lines.
    Lines,
    /// Operators and authorities.
    Operators,
    /// Service journeys: a row for each of a journey's day types.
    ServiceJourneys,
    /// When journeys pass their stops: a row for each passing time, of each of a journey's day types.
    PassingTimes,
    /// The dates that day types are on, and those of dated journeys.
    DayTypeDates,
}
