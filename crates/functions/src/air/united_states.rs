//! The US EPA's air-quality index.
//!
//! Source: Technical Assistance Document for the Reporting of Daily Air Quality, EPA-454/B-24-002, May 2024, table 6 and section IV (40 CFR
//! part 58, appendix G, as amended on 6 May 2024).

use super::Averaging;

/// Between two concentrations the index goes from one value to another.
type Segment = (f64, f64, f64, f64);

/// A pollutant in the unit and to the decimals that the EPA truncates to.
struct Scale {
    pollutant: &'static str,
    averaging: Averaging,
    /// Steps in the unit: 10 for one decimal.
    steps: f64,
    segments: &'static [Segment],
}

/// µg/m³ for particles, ppm for ozone and carbon monoxide, ppb for sulphur and nitrogen dioxide.
const SCALES: [Scale; 8] = [
    Scale {
        pollutant: "o3",
        averaging: Averaging::EightHours,
        steps: 1000.0,
        segments: &[
            (0.0, 0.054, 0.0, 50.0),
            (0.055, 0.070, 51.0, 100.0),
            (0.071, 0.085, 101.0, 150.0),
            (0.086, 0.105, 151.0, 200.0),
            (0.106, 0.200, 201.0, 300.0),
        ],
    },
    Scale {
        pollutant: "o3",
        averaging: Averaging::Hour,
        steps: 1000.0,
        segments: &[
            (0.125, 0.164, 101.0, 150.0),
            (0.165, 0.204, 151.0, 200.0),
            (0.205, 0.404, 201.0, 300.0),
            (0.405, 0.604, 301.0, 500.0),
        ],
    },
    Scale {
        pollutant: "pm25",
        averaging: Averaging::Day,
        steps: 10.0,
        segments: &[
            (0.0, 9.0, 0.0, 50.0),
            (9.1, 35.4, 51.0, 100.0),
            (35.5, 55.4, 101.0, 150.0),
            (55.5, 125.4, 151.0, 200.0),
            (125.5, 225.4, 201.0, 300.0),
            (225.5, 325.4, 301.0, 500.0),
        ],
    },
    Scale {
        pollutant: "pm10",
        averaging: Averaging::Day,
        steps: 1.0,
        segments: &[
            (0.0, 54.0, 0.0, 50.0),
            (55.0, 154.0, 51.0, 100.0),
            (155.0, 254.0, 101.0, 150.0),
            (255.0, 354.0, 151.0, 200.0),
            (355.0, 424.0, 201.0, 300.0),
            (425.0, 604.0, 301.0, 500.0),
        ],
    },
    Scale {
        pollutant: "co",
        averaging: Averaging::EightHours,
        steps: 10.0,
        segments: &[
            (0.0, 4.4, 0.0, 50.0),
            (4.5, 9.4, 51.0, 100.0),
            (9.5, 12.4, 101.0, 150.0),
            (12.5, 15.4, 151.0, 200.0),
            (15.5, 30.4, 201.0, 300.0),
            (30.5, 50.4, 301.0, 500.0),
        ],
    },
    Scale {
        pollutant: "so2",
        averaging: Averaging::Hour,
        steps: 1.0,
        segments: &[
            (0.0, 35.0, 0.0, 50.0),
            (36.0, 75.0, 51.0, 100.0),
            (76.0, 185.0, 101.0, 150.0),
            (186.0, 304.0, 151.0, 200.0),
        ],
    },
    Scale {
        pollutant: "so2",
        averaging: Averaging::Day,
        steps: 1.0,
        segments: &[(305.0, 604.0, 201.0, 300.0), (605.0, 1004.0, 301.0, 500.0)],
    },
    Scale {
        pollutant: "no2",
        averaging: Averaging::Hour,
        steps: 1.0,
        segments: &[
            (0.0, 53.0, 0.0, 50.0),
            (54.0, 100.0, 51.0, 100.0),
            (101.0, 360.0, 101.0, 150.0),
            (361.0, 649.0, 151.0, 200.0),
            (650.0, 1249.0, 201.0, 300.0),
            (1250.0, 2049.0, 301.0, 500.0),
        ],
    },
];

const CATEGORIES: [(f64, &str); 5] = [
    (50.0, "Good"),
    (100.0, "Moderate"),
    (150.0, "Unhealthy for Sensitive Groups"),
    (200.0, "Unhealthy"),
    (300.0, "Very Unhealthy"),
];

/// The averagings of a pollutant, the usual one first; none for what the index does not know.
pub(super) fn averagings(pollutant: &str) -> Vec<Averaging> {
    let of_it = SCALES.iter().filter(|scale| scale.pollutant == pollutant);
    of_it.map(|scale| scale.averaging).collect()
}

/// The index of one pollutant, its value truncated first; above 500 along the last segment. `None` where the table has a blank: 1-hour ozone
/// below 0.125 ppm, 8-hour ozone above 0.200 ppm, 24-hour sulphur dioxide below 305 ppb. From 305 ppb on, 1-hour sulphur dioxide is 200.
pub(super) fn index(pollutant: &str, averaging: Averaging, value: f64) -> Option<f64> {
    let is_it = |scale: &&Scale| scale.pollutant == pollutant && scale.averaging == averaging;
    let scale = SCALES.iter().find(is_it)?;
    // A value that is written 9.1 may be a hair below it in binary.
    let steps = (value * scale.steps + 1e-9).floor();
    let value = steps / scale.steps;
    let reaches = |(_, high, ..): &&Segment| steps <= (high * scale.steps).round();
    let Some((low, high, from, to)) = scale.segments.iter().find(reaches).or_else(|| {
        let last = scale.segments.last();
        last.filter(|(.., to)| *to >= 500.0)
    }) else {
        return (pollutant == "so2").then_some(200.0);
    };
    let is_within = steps >= (low * scale.steps).round();
    is_within.then(|| ((to - from) / (high - low) * (value - low) + from).round())
}

/// The name of the index's range.
pub(super) fn category(index: f64) -> &'static str {
    let range = CATEGORIES.iter().find(|(most, _)| index.round() <= *most);
    range.map_or("Hazardous", |(_, name)| *name)
}

/// The NowCast of particles over up to twelve hourly values, the latest first; `None` unless two of the latest three are there.
pub(super) fn nowcast(hours: &[Option<f64>]) -> Option<f64> {
    super::weighted(hours, super::nowcast_weight(hours)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_examples_of_the_epa() {
        let cases = [
            // The document's example, whose index is 126.
            ("o3", Averaging::EightHours, 0.078_533_33, Some(126.0)),
            ("pm25", Averaging::Day, 35.924_319_99, Some(102.0)),
            ("co", Averaging::EightHours, 8.475_327_11, Some(90.0)),
            // The same formula by hand, for both averagings of ozone.
            ("o3", Averaging::Hour, 0.162, Some(147.0)),
            ("o3", Averaging::EightHours, 0.073, Some(108.0)),
            // Truncated, not rounded.
            ("pm25", Averaging::Day, 9.099, Some(50.0)),
            ("pm25", Averaging::Day, 9.1, Some(51.0)),
            ("pm10", Averaging::Day, 154.99, Some(100.0)),
            // Ends and blanks.
            ("pm25", Averaging::Day, 325.4, Some(500.0)),
            ("pm25", Averaging::Day, 425.4, Some(699.0)),
            ("o3", Averaging::EightHours, 0.201, None),
            ("o3", Averaging::Hour, 0.124, None),
            ("so2", Averaging::Hour, 500.0, Some(200.0)),
            ("so2", Averaging::Day, 304.0, None),
            ("so2", Averaging::Day, 305.0, Some(201.0)),
            ("no2", Averaging::Hour, 2049.0, Some(500.0)),
        ];
        for (pollutant, averaging, value, expected) in cases {
            assert_eq!(
                index(pollutant, averaging, value),
                expected,
                "{pollutant} {value}"
            );
        }
    }

    #[test]
    fn segments_meet_and_have_the_index_of_their_row() {
        for scale in &SCALES {
            for (low, high, from, to) in scale.segments {
                assert_eq!(index(scale.pollutant, scale.averaging, *low), Some(*from));
                assert_eq!(index(scale.pollutant, scale.averaging, *high), Some(*to));
            }
            for pair in scale.segments.windows(2) {
                let gap = (pair[1].0 - pair[0].1) * scale.steps;
                assert!((gap - 1.0).abs() < 1e-6, "{} {gap}", scale.pollutant);
            }
        }
        assert_eq!(category(101.0), "Unhealthy for Sensitive Groups");
        assert_eq!(category(301.0), "Hazardous");
    }
}
