//! Gases between parts of the air and mass in its volume.

/// The gas constant, J/(mol·K) (exact since the SI of 2019).
const GAS_CONSTANT: f64 = 8.314_462_618_153_24;
/// Zero degrees Celsius in kelvin.
const ICE_K: f64 = 273.15;

/// 25 °C and 1013.25 hPa: the reference conditions of 40 CFR 50.3 (US EPA).
pub(super) const REFERENCE_CEL: f64 = 25.0;
pub(super) const REFERENCE_HPA: f64 = 1013.25;

/// Standard atomic weights, abridged (IUPAC 2021): H, C, N, O, S.
const WEIGHTS: [f64; 5] = [1.008, 12.011, 14.007, 15.999, 32.06];

/// Gases by name, with their atoms of H, C, N, O, S. Nitrogen oxides together are told as NO2 (40 CFR 50.11, Directive 2008/50/EC).
const GASES: [(&str, [u8; 5]); 16] = [
    ("o3", [0, 0, 0, 3, 0]),
    ("no2", [0, 0, 1, 2, 0]),
    ("nox", [0, 0, 1, 2, 0]),
    ("no", [0, 0, 1, 1, 0]),
    ("n2o", [0, 0, 2, 1, 0]),
    ("so2", [0, 0, 0, 2, 1]),
    ("h2s", [2, 0, 0, 0, 1]),
    ("co", [0, 1, 0, 1, 0]),
    ("co2", [0, 1, 0, 2, 0]),
    ("ch4", [4, 1, 0, 0, 0]),
    ("nh3", [3, 0, 1, 0, 0]),
    ("hcho", [2, 1, 0, 1, 0]),
    ("c6h6", [6, 6, 0, 0, 0]),
    ("benzene", [6, 6, 0, 0, 0]),
    ("c7h8", [8, 7, 0, 0, 0]),
    ("toluene", [8, 7, 0, 0, 0]),
];

/// Grams of a mole, by a name that [`crate::air::pollutant`] gave.
pub(super) fn molar_mass(gas: &str) -> Option<f64> {
    let (_, atoms) = GASES.iter().find(|(name, _)| *name == gas)?;
    Some(
        atoms
            .iter()
            .zip(WEIGHTS)
            .map(|(count, weight)| f64::from(*count) * weight)
            .sum(),
    )
}

/// Micrograms in a cubic metre of air that make one part in a million, by the law of ideal gases.
pub(super) fn ugm3_of_ppm(molar_mass: f64, celsius: f64, hectopascal: f64) -> f64 {
    hectopascal * 100.0 * molar_mass / (GAS_CONSTANT * (celsius + ICE_K))
}

/// Every gas.
pub(super) fn names() -> String {
    let names: Vec<String> = GASES.iter().map(|(name, _)| name.to_uppercase()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_that_agencies_publish() {
        // Parts per billion to micrograms at 25 °C (US EPA) and at 20 °C (Directive 2008/50/EC, as the UK's Defra tabulates it).
        let cases = [
            ("o3", 25.0, 1.96),
            ("no2", 25.0, 1.88),
            ("so2", 25.0, 2.62),
            ("co", 25.0, 1.145),
            ("o3", 20.0, 2.00),
            ("no2", 20.0, 1.91),
            ("so2", 20.0, 2.66),
            ("co", 20.0, 1.16),
            ("no", 20.0, 1.25),
            ("c6h6", 20.0, 3.25),
        ];
        for (gas, celsius, expected) in cases {
            let mass = molar_mass(gas).unwrap_or(f64::NAN);
            let factor = ugm3_of_ppm(mass, celsius, REFERENCE_HPA) / 1000.0;
            assert!(
                (factor - expected).abs() < 0.0051,
                "{gas} at {celsius}: {factor}"
            );
        }
        assert_eq!(molar_mass("pm25"), None);
    }
}
