//! Air quality in SQL: the indices of Vietnam and of the US EPA, and the averages that go into them.

mod united_states;
mod vietnam;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Function, Kind};
use crate::names::spelling::plain;
use crate::row::{self, Row};

/// Hours that a Nowcast looks back on.
const NOWCAST_HOURS: usize = 12;

const INDEX: &[Kind] = &[Kind::Text, Kind::Number, Kind::Text];

/// The time that a concentration is the mean of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Averaging {
    Hour,
    EightHours,
    /// A day, or a Nowcast that stands for it.
    Day,
}

/// What an index knows of its pollutants.
struct Standard {
    name: &'static str,
    averagings: fn(&str) -> Vec<Averaging>,
    index: fn(&str, Averaging, f64) -> Option<f64>,
}

const VIETNAM: Standard = Standard {
    name: "VN_AQI",
    averagings: vietnam::averagings,
    index: vietnam::index,
};

const UNITED_STATES: Standard = Standard {
    name: "the US EPA's AQI",
    averagings: united_states::averagings,
    index: united_states::index,
};

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let vn_aqi = Function::new(
        "vn_aqi",
        INDEX,
        DataType::Int64,
        |args, rows| row::integers(args, rows, |row| VIETNAM.of(row)),
        "Vietnam's air-quality index of one pollutant (PM2.5, PM10, O3, CO, SO2, NO2) from µg/m³, by Decision 1459/QĐ-TCMT (2019), table 2. PM2.5 and PM10: the mean of 24 hours for the daily index, vn_nowcast for the hourly one. O3: '1h' (default) or '8h' as third argument, which is NULL above 400 (the 1-hour value alone counts there). The others: the mean of an hour, of a day its highest. The index of a place is the highest of its pollutants'.",
        "vn_aqi('PM2.5', 55.7) = 110",
    );
    let us_aqi = Function::new(
        "us_aqi",
        INDEX,
        DataType::Int64,
        |args, rows| row::integers(args, rows, |row| UNITED_STATES.of(row)),
        "The US EPA's air-quality index of one pollutant, by its Technical Assistance Document of May 2024 (EPA-454/B-24-002), table 6: PM2.5 and PM10 in µg/m³ ('24h'), O3 in ppm ('8h', or '1h'), CO in ppm ('8h'), SO2 in ppb ('1h', or '24h'), NO2 in ppb ('1h'). The value is truncated as the EPA has it. NULL where the table has a blank (O3 '1h' below 0.125, O3 '8h' above 0.200, SO2 '24h' below 305); SO2 '1h' of 305 and more is 200; above 500 the last segment goes on.",
        "us_aqi('PM2.5', 35.9) = 102",
    );
    let mut all: Vec<ScalarUDF> = vec![vn_aqi.required(2).into(), us_aqi.required(2).into()];
    all.extend(nowcast_functions());
    all.extend(category_functions());
    all
}

fn nowcast_functions() -> Vec<ScalarUDF> {
    let about = "The Nowcast of PM2.5 or PM10 over a list of up to 12 hourly means, the latest first, a missing hour as NULL: each hour weighs w times the next later one, w being the least over the greatest but at least a half. NULL unless two of the latest three hours are there.";
    let nowcast = |name, body: crate::function::Body, by: &str, example| {
        let about = format!("{about} By {by}.");
        Function::new(
            name,
            &[Kind::Numbers],
            DataType::Float64,
            body,
            &about,
            example,
        )
        .into()
    };
    vec![
        nowcast(
            "vn_nowcast",
            |args, rows| nowcasts(args, rows, vietnam::nowcast),
            "Decision 1459/QĐ-TCMT (2019), section 2.2.1",
            "vn_nowcast([20.6, 19.6, 22.4])",
        ),
        nowcast(
            "us_nowcast",
            |args, rows| nowcasts(args, rows, united_states::nowcast),
            "the US EPA's Technical Assistance Document of May 2024",
            "us_nowcast([20.6, 19.6, 22.4])",
        ),
    ]
}

fn category_functions() -> Vec<ScalarUDF> {
    let category = |name, body: crate::function::Body, about, example| {
        Function::new(name, &[Kind::Number], DataType::Utf8, body, about, example).into()
    };
    vec![
        category(
            "vn_aqi_category",
            |args, rows| {
                row::texts(args, rows, |row| {
                    Ok(vietnam::category(index_of(row)?).map(str::to_owned))
                })
            },
            "The name of a VN_AQI's range by Decision 1459/QĐ-TCMT: Tốt, Trung bình, Kém, Xấu, Rất xấu, Nguy hại.",
            "vn_aqi_category(110) = 'Kém'",
        ),
        category(
            "us_aqi_category",
            |args, rows| {
                row::texts(args, rows, |row| {
                    Ok(Some(united_states::category(index_of(row)?).to_owned()))
                })
            },
            "The name of a US AQI's range: Good, Moderate, Unhealthy for Sensitive Groups, Unhealthy, Very Unhealthy, Hazardous.",
            "us_aqi_category(102) = 'Unhealthy for Sensitive Groups'",
        ),
    ]
}

/// A pollutant's name in the one form that tables here have: `pm25` for `PM2.5`, `PM₂.₅` and `pm2,5`.
pub(crate) fn pollutant(name: &str) -> String {
    let digits = |c: char| match c {
        '₀'..='₉' => char::from_digit(u32::from(c) - u32::from('₀'), 10).unwrap_or(c),
        other => other,
    };
    let written: String = name.chars().map(digits).collect();
    plain(&written).split(' ').collect()
}

impl Standard {
    fn of(&self, row: Row<'_>) -> Result<Option<i64>> {
        let (name, value) = (row.text(0), row.number(1));
        let pollutant = pollutant(name);
        let averagings = (self.averagings)(&pollutant);
        let Some(usual) = averagings.first() else {
            return exec_err!(
                "{} has no pollutant {name:?}: it knows PM2.5, PM10, O3, CO, SO2 and NO2",
                self.name
            );
        };
        let averaging = match row.optional_text(2) {
            None => *usual,
            Some(text) => averaging(text)
                .filter(|it| averagings.contains(it))
                .ok_or_else(|| {
                    let known: Vec<&str> = averagings.iter().map(|it| it.name()).collect();
                    exec_datafusion_err!(
                        "{} has no {name} of {text:?}: write {}",
                        self.name,
                        known.join(" or ")
                    )
                })?,
        };
        if !value.is_finite() || value < 0.0 {
            return exec_err!(
                "{value} is no concentration of {name}: filter readings below zero and fault codes out first"
            );
        }
        let index = (self.index)(&pollutant, averaging, value);
        // An index is a whole number far below the bounds of an i64.
        Ok(index.map(|index| index as i64))
    }
}

impl Averaging {
    fn name(self) -> &'static str {
        match self {
            Self::Hour => "'1h'",
            Self::EightHours => "'8h'",
            Self::Day => "'24h'",
        }
    }
}

fn averaging(text: &str) -> Option<Averaging> {
    Some(match text.to_ascii_lowercase().as_str() {
        "1h" => Averaging::Hour,
        "8h" => Averaging::EightHours,
        "24h" | "nowcast" => Averaging::Day,
        _ => return None,
    })
}

fn index_of(row: Row<'_>) -> Result<f64> {
    let index = row.number(0);
    if !index.is_finite() || index < 0.0 {
        return exec_err!("{index} is no air-quality index: it is 0 or more");
    }
    Ok(index)
}

fn nowcasts(
    args: &[ArrayRef],
    rows: usize,
    nowcast: fn(&[Option<f64>]) -> Option<f64>,
) -> Result<ArrayRef> {
    row::numbers(args, rows, |row| {
        let hours = row.numbers(0);
        if hours.len() > NOWCAST_HOURS {
            return exec_err!(
                "a Nowcast looks back on {NOWCAST_HOURS} hours, not {}: give the latest {NOWCAST_HOURS}, the latest first",
                hours.len()
            );
        }
        match hours
            .iter()
            .flatten()
            .find(|value| !value.is_finite() || **value < 0.0)
        {
            Some(value) => exec_err!(
                "{value} is no concentration: filter readings below zero and fault codes out first, or give them as NULL"
            ),
            None => Ok(nowcast(&hours)),
        }
    })
}

/// The least over the greatest value, at least a half; `None` unless two of the latest three are there.
fn nowcast_weight(hours: &[Option<f64>]) -> Option<f64> {
    const LATEST: usize = 3;
    const LATEST_MIN: usize = 2;
    if hours.iter().take(LATEST).flatten().count() < LATEST_MIN {
        return None;
    }
    let values = || hours.iter().flatten().copied();
    let (least, most) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(0.0, f64::max),
    );
    Some(if most > 0.0 {
        (least / most).max(0.5)
    } else {
        1.0
    })
}

/// The mean in which each hour weighs `weight` times the next later one; missing hours do not count.
fn weighted(hours: &[Option<f64>], weight: f64) -> Option<f64> {
    let (mut sum, mut weights, mut share) = (0.0, 0.0, 1.0);
    for value in hours {
        if let Some(value) = value {
            sum += share * value;
            weights += share;
        }
        share *= weight;
    }
    (weights > 0.0).then(|| sum / weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pollutants_as_people_write_them() {
        for name in ["PM2.5", "pm2,5", "PM₂.₅", "PM 2.5", "pm_2_5", "PM25"] {
            assert_eq!(pollutant(name), "pm25", "{name}");
        }
        assert_eq!(pollutant("O₃"), "o3");
    }

    #[test]
    fn nowcasts_need_the_latest_hours() {
        assert_eq!(
            weighted(&[Some(10.0), None, Some(20.0)], 0.5),
            Some((10.0 + 5.0) / 1.25)
        );
        assert_eq!(nowcast_weight(&[Some(10.0), None, None, Some(1.0)]), None);
        assert_eq!(nowcast_weight(&[Some(0.0), Some(0.0)]), Some(1.0));
    }

    proptest! {
        #[test]
        fn an_index_never_falls_as_the_air_gets_worse(value in 0.0..5000.0, more in 0.0..500.0, at in 0usize..6) {
            let pollutant = ["pm25", "pm10", "o3", "co", "so2", "no2"][at];
            for standard in [&VIETNAM, &UNITED_STATES] {
                for averaging in (standard.averagings)(pollutant) {
                    let lower = (standard.index)(pollutant, averaging, value);
                    let higher = (standard.index)(pollutant, averaging, value + more);
                    if let (Some(lower), Some(higher)) = (lower, higher) {
                        prop_assert!(lower <= higher);
                    }
                }
            }
        }

        #[test]
        fn a_nowcast_lies_within_its_values(hours in prop::collection::vec(prop::option::of(0.0..500.0), 0..13)) {
            let values = || hours.iter().flatten().copied();
            for nowcast in [vietnam::nowcast(&hours), united_states::nowcast(&hours)].into_iter().flatten() {
                prop_assert!(nowcast <= values().fold(0.0, f64::max) + 1e-9);
                // Twelve halves are a four-thousandth short of one.
                prop_assert!(nowcast >= values().fold(f64::INFINITY, f64::min) * 0.9997 - 1e-9);
            }
        }
    }
}
