//! Smart Data Models onto the shared tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sectorlake_connector::DefaultMapping;

/// Attribute of AirQualityObserved → the name in `environment.observations`, and its unit where the model itself has one.
const OBSERVED: [(&str, &str, Option<&str>); 18] = [
    ("pm1", "pm1", None),
    ("pm25", "pm25", None),
    ("pm10", "pm10", None),
    ("no", "no", None),
    ("no2", "no2", None),
    ("nox", "nox", None),
    ("so2", "so2", None),
    ("co", "co", None),
    ("co2", "co2", None),
    ("o3", "o3", None),
    ("nh3", "nh3", None),
    ("benzene", "benzene", None),
    ("temperature", "temperature", Some("Cel")),
    ("relativeHumidity", "relativehumidity", Some("%")),
    ("atmosphericPressure", "pressure", Some("hPa")),
    ("windSpeed", "windspeed", Some("m/s")),
    ("windDirection", "winddirection", Some("deg")),
    ("precipitation", "rainfall", Some("mm")),
];
/// Attributes that say what was observed where and when.
const AROUND: [&str; 13] = [
    "stationCode",
    "stationName",
    "refPointOfInterest",
    "refDevice",
    "dateObserved",
    "dateObservedFrom",
    "dateObservedTo",
    "location",
    "address",
    "name",
    "owner",
    "source",
    "typeOfLocation",
];
const TRAFFIC: [&str; 15] = [
    "refRoadSegment",
    "laneId",
    "laneDirection",
    "vehicleType",
    "dateObserved",
    "dateObservedFrom",
    "dateObservedTo",
    "intensity",
    "intensity.observedAt",
    "averageVehicleSpeed",
    "occupancy",
    "location",
    "name",
    "description",
    "address",
];

/// `|no2=ug/m3|co=mg/m3|`, in which the mappings look for an attribute's unit.
pub(super) fn listed(units: &BTreeMap<String, String>) -> String {
    units.iter().fold("|".to_owned(), |mut all, (name, unit)| {
        // Writing to a text does not fail.
        let _ = write!(all, "{name}={unit}|");
        all
    })
}

/// How a type's entities feed shared tables; nothing for a type that fits none.
pub(super) fn of_type(kind: &str, units: &str) -> Vec<DefaultMapping> {
    match kind.rsplit(['/', '#']).next().unwrap_or(kind) {
        "AirQualityObserved" => {
            let stations = include_str!("stations.sql");
            let columns: Vec<&str> = AROUND.to_vec();
            vec![
                DefaultMapping::new("environment.stations", "merge", stations)
                    .with_columns(&columns),
                observations(units),
            ]
        }
        "TrafficFlowObserved" => {
            let counts = include_str!("traffic_counts.sql");
            vec![
                DefaultMapping::new("transport.traffic_counts", "merge", counts)
                    .with_columns(&TRAFFIC),
            ]
        }
        _ => Vec::new(),
    }
}

/// A row for each attribute that an entity has a value of.
fn observations(units: &str) -> DefaultMapping {
    let template = include_str!("observations.sql");
    let selects = OBSERVED.iter().map(|(attribute, name, unit)| {
        // A share of 1 in the model, of 100 elsewhere.
        let result = match *attribute {
            "relativeHumidity" => "CASE WHEN \"{attribute}.unitCode\" IS NULL THEN CAST(CAST(\"{attribute}\" AS DOUBLE) * 100 AS VARCHAR) \
                                   ELSE \"{attribute}\" END",
            _ => "\"{attribute}\"",
        };
        let unit = unit.map_or_else(|| "NULL".to_owned(), |unit| format!("'{unit}'"));
        template
            .replace("{result}", result)
            .replace("{attribute}", attribute)
            .replace("{name}", name)
            .replace("{unit}", &unit)
    });
    let sql = selects.collect::<Vec<_>>().join("\nUNION ALL\n");
    let mut columns: Vec<String> = AROUND.map(str::to_owned).to_vec();
    for (attribute, ..) in OBSERVED {
        let beside = ["", ".unitCode", ".observedAt"];
        columns.extend(beside.map(|it| format!("{attribute}{it}")));
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    DefaultMapping::new("environment.observations", "merge", &sql)
        .with_columns(&columns)
        .with_parameter("units", units)
}
