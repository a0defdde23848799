//! A unit as a product of base units, read from its UCUM code.

use datafusion::common::exec_err;
use datafusion::error::Result;

use super::atoms::{ATOMS, MENDS, Meaning, PREFIXES};

/// Exponents of m, s, g, rad, K, C, cd.
pub(super) type Dimensions = [i8; 7];

pub(super) const NONE: Dimensions = [0; 7];
pub(super) const LENGTH: usize = 0;
pub(super) const TIME: usize = 1;
pub(super) const MASS: usize = 2;
pub(super) const PLANE_ANGLE: usize = 3;
pub(super) const TEMPERATURE: usize = 4;
pub(super) const CHARGE: usize = 5;
pub(super) const LUMINOSITY: usize = 6;

const BASES: [&str; 7] = ["m", "s", "g", "rad", "K", "C", "cd"];
/// Parentheses within one another.
const DEPTH_MAX: usize = 16;
/// Bytes of a code.
const CODE_BYTES_MAX: usize = 200;

/// One base unit to a power.
pub(super) const fn of(base: usize, exponent: i8) -> Dimensions {
    let mut dimensions = NONE;
    dimensions[base] = exponent;
    dimensions
}

/// A unit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    factor: f64,
    dimensions: Dimensions,
    /// Added before the factor: a temperature scale.
    offset: f64,
    /// Scales of their own, with their exponents.
    own: Vec<(&'static str, i8)>,
}

impl Unit {
    fn number(factor: f64) -> Self {
        Self {
            factor,
            dimensions: NONE,
            offset: 0.0,
            own: Vec::new(),
        }
    }

    fn of(means: Meaning, code: &'static str) -> Self {
        match means {
            Meaning::Linear(factor, dimensions) => Self {
                dimensions,
                ..Self::number(factor)
            },
            Meaning::Temperature { factor, offset } => Self {
                dimensions: of(TEMPERATURE, 1),
                offset,
                ..Self::number(factor)
            },
            Meaning::Own => Self {
                own: vec![(code, 1)],
                ..Self::number(1.0)
            },
        }
    }

    /// Multiplied by `other`, or divided by it where `sign` is -1.
    fn times(mut self, other: &Self, sign: i8) -> Option<Self> {
        if self.offset != 0.0 || other.offset != 0.0 {
            return None;
        }
        self.factor *= other.factor.powi(i32::from(sign));
        for (mine, theirs) in self.dimensions.iter_mut().zip(other.dimensions) {
            *mine = mine.checked_add(theirs.checked_mul(sign)?)?;
        }
        for (code, exponent) in &other.own {
            let change = exponent.checked_mul(sign)?;
            match self.own.iter_mut().find(|(known, _)| known == code) {
                Some((_, exponent)) => *exponent = exponent.checked_add(change)?,
                None => self.own.push((code, change)),
            }
        }
        self.own.retain(|(_, exponent)| *exponent != 0);
        self.own.sort_unstable();
        Some(self)
    }

    fn raised(self, exponent: i8) -> Option<Self> {
        if exponent == 1 {
            return Some(self);
        }
        let mut out = Self::number(1.0);
        for _ in 0..exponent.unsigned_abs() {
            out = out.times(&self, exponent.signum())?;
        }
        Some(out)
    }

    /// Whether values of one can be told in the other.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.dimensions == other.dimensions && self.own == other.own
    }

    /// A value of this unit in another that [`is_like`](Self::is_like) it.
    pub(super) fn convert(&self, value: f64, to: &Self) -> f64 {
        if self.offset == 0.0 && to.offset == 0.0 {
            return value * (self.factor / to.factor);
        }
        (value + self.offset) * (self.factor / to.factor) - to.offset
    }

    /// What it is a measure of, in base units: `g.m-3`.
    pub(super) fn in_base_units(&self) -> String {
        let power = |(base, exponent): (&str, i8)| match exponent {
            1 => base.to_owned(),
            other => format!("{base}{other}"),
        };
        let bases = BASES.into_iter().zip(self.dimensions);
        let all = bases.filter(|(_, exponent)| *exponent != 0);
        let words: Vec<String> = all.chain(self.own.iter().copied()).map(power).collect();
        if words.is_empty() {
            "a pure number".to_owned()
        } else {
            words.join(".")
        }
    }
}

/// Reads a UCUM code, case sensitive.
pub(super) fn parse(code: &str) -> Result<Unit> {
    let mut parser = Parser {
        rest: code.trim(),
        depth: 0,
    };
    let parsed = match parser.rest {
        "" => None,
        text if text.len() > CODE_BYTES_MAX => None,
        _ => parser.term().filter(|_| parser.rest.is_empty()),
    };
    match parsed {
        Some(unit) if unit.factor.is_finite() && unit.factor > 0.0 => Ok(unit),
        _ => exec_err!("{code:?} is not a UCUM unit code{}", mend(code)),
    }
}

fn mend(code: &str) -> String {
    let exact = MENDS.iter().find(|(wrong, _)| *wrong == code.trim());
    let within = || {
        let parts = |wrong: &str| {
            code.split(['/', '.', ' '])
                .any(|part| part == wrong || !wrong.is_ascii() && part.contains(wrong))
                || (matches!(wrong, "^" | "*") && code.contains(wrong))
        };
        MENDS.iter().find(|(wrong, _)| parts(wrong))
    };
    match exact.or_else(within) {
        Some((wrong, "")) => format!(": leave {wrong:?} out (m3 is a cubic metre)"),
        Some((wrong, right)) => format!(": write {right:?} for {wrong:?}"),
        None => " (as in 'ug/m3', 'km/h', 'Cel', '[ppm]', 'mm[Hg]')".to_owned(),
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    /// `a.b/c`, from left to right; a slash may stand in front.
    fn term(&mut self) -> Option<Unit> {
        let mut unit = match self.rest.strip_prefix('/') {
            Some(_) => Unit::number(1.0),
            None => self.component()?,
        };
        loop {
            let sign = match self.rest.as_bytes().first() {
                Some(b'.') => 1,
                Some(b'/') => -1,
                _ => return Some(unit),
            };
            self.rest = &self.rest[1..];
            unit = unit.times(&self.component()?, sign)?;
        }
    }

    fn component(&mut self) -> Option<Unit> {
        let unit = match self.rest.as_bytes().first()? {
            b'(' => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return None;
                }
                self.rest = &self.rest[1..];
                let inner = self.term()?;
                self.rest = self.rest.strip_prefix(')')?;
                self.depth -= 1;
                inner
            }
            // An annotation alone is the number one.
            b'{' => Unit::number(1.0),
            _ => self.simple()?,
        };
        self.annotation()?;
        Some(unit)
    }

    /// Text in braces says what is measured and changes nothing.
    fn annotation(&mut self) -> Option<()> {
        if let Some(inner) = self.rest.strip_prefix('{') {
            self.rest = &inner[inner.find('}')? + 1..];
        }
        Some(())
    }

    /// A number, or a unit with its prefix and exponent.
    fn simple(&mut self) -> Option<Unit> {
        let text = self.rest;
        let end = end_of_simple(text);
        self.rest = &text[end..];
        let text = &text[..end];
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Unit::number(text.parse().ok()?));
        }
        let (code, exponent) = exponent_of(text)?;
        atom(code)?.raised(exponent)
    }
}

/// Up to the next dot, slash, parenthesis or brace that stands in no brackets.
fn end_of_simple(text: &str) -> usize {
    let mut within = false;
    for (at, c) in text.char_indices() {
        match c {
            '[' => within = true,
            ']' => within = false,
            '.' | '/' | '(' | ')' | '{' | '}' if !within => return at,
            _ => {}
        }
    }
    text.len()
}

fn exponent_of(text: &str) -> Option<(&str, i8)> {
    let base = ["10*", "10^"].into_iter().find(|ten| text.starts_with(ten));
    let code = match base {
        Some(ten) => &text[..ten.len()],
        None => text
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .trim_end_matches(['+', '-']),
    };
    let exponent = &text[code.len()..];
    match exponent {
        "" => Some((code, 1)),
        digits => Some((code, digits.parse().ok()?)),
    }
}

fn atom(code: &str) -> Option<Unit> {
    let find = |code: &str| ATOMS.iter().find(|atom| atom.code == code);
    if let Some(atom) = find(code) {
        return Some(Unit::of(atom.means, atom.code));
    }
    PREFIXES.iter().find_map(|(prefix, factor)| {
        let atom = find(code.strip_prefix(prefix)?).filter(|atom| atom.is_metric)?;
        let mut unit = Unit::of(atom.means, atom.code);
        unit.factor *= factor;
        Some(unit)
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn convert(value: f64, from: &str, to: &str) -> f64 {
        let (from, to) = (parse(from).unwrap(), parse(to).unwrap());
        assert!(from.is_like(&to));
        from.convert(value, &to)
    }

    #[test]
    fn values_that_are_known() {
        // The definitions of UCUM's table; the others follow from them by hand.
        let cases = [
            (36.0, "km/h", "m/s", 10.0),
            (10.0, "[kn_i]", "km/h", 18.52),
            (1.0, "[mi_i]/h", "km/h", 1.609_344),
            (25.0, "Cel", "K", 298.15),
            (77.0, "[degF]", "Cel", 25.0),
            (-40.0, "Cel", "[degF]", -40.0),
            (760.0, "mm[Hg]", "hPa", 1_013.247_2),
            (1.0, "atm", "hPa", 1013.25),
            (1.0, "bar", "kPa", 100.0),
            (29.92, "[in_i'Hg]", "hPa", 29.92 * 33.863_788),
            (1.0, "[psi]", "Pa", 6_894.757_293_168),
            (1.0, "mg/m3", "ug/m3", 1000.0),
            (1.0, "ug/m3", "ng/L", 1.0),
            (50.0, "%", "1", 0.5),
            (1.0, "[ppm]", "[ppb]", 1000.0),
            (1.0, "10*3/uL", "10*9/L", 1.0),
            (1.0, "har", "m2", 10_000.0),
            (1.0, "km2", "har", 100.0),
            (1.0, "t", "kg", 1000.0),
            (1.0, "kW.h", "MJ", 3.6),
            (1.0, "{vehicles}/h", "/d", 24.0),
            (1.0, "m3{gas}/s", "L/min", 60_000.0),
            (1.0, "g/(m2.h)", "mg/m2/s", 1000.0 / 3600.0),
            (1.0, "mol/L", "mmol/mL", 1.0),
            (180.0, "deg", "rad", std::f64::consts::PI),
            (1.0, "MiBy", "kBy", 1048.576),
            (1.0, "dB", "B", 0.1),
            (3.0, "m-1", "/m", 3.0),
            (2.0, "s+2", "s2", 2.0),
        ];
        for (value, from, to, expected) in cases {
            let found = convert(value, from, to);
            assert!(
                (found - expected).abs() <= expected.abs() * 1e-9,
                "{value} {from} is {found} {to}"
            );
        }
    }

    #[test]
    fn what_is_no_code_is_told_with_its_mend() {
        let mut text = String::new();
        for code in [
            "", "°C", "ppm", "µg/m3", "mg/m^3", "mmHg", "kmh", "m/s*2", "KG", "mi/h", "x", "m//s",
            "(m", "m)", "Cel/m", "k%", "10*+", "m{x", "m999", "W/m²",
        ] {
            let told = match parse(code) {
                Ok(unit) => format!("{code:?} is {unit:?}"),
                Err(error) => error.strip_backtrace(),
            };
            text.push_str(&told);
            text.push('\n');
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn no_code_stands_twice() {
        let mut codes: Vec<&str> = ATOMS.iter().map(|atom| atom.code).collect();
        codes.sort_unstable();
        let count = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    fn code() -> impl Strategy<Value = String> {
        let atoms: Vec<&str> = ATOMS
            .iter()
            .filter(|atom| matches!(atom.means, Meaning::Linear(..)))
            .map(|atom| atom.code)
            .collect();
        let simple =
            (prop::sample::select(atoms), -3i8..4).prop_map(|(code, exponent)| match exponent {
                0 | 1 => code.to_owned(),
                other => format!("{code}{other}"),
            });
        (simple.clone(), prop::sample::select(vec![".", "/"]), simple)
            .prop_map(|(left, sign, right)| format!("{left}{sign}{right}"))
    }

    proptest! {
        #[test]
        fn a_product_converts_to_itself_and_back(code in code(), value in -1e6..1e6) {
            let unit = parse(&code).unwrap();
            prop_assert_eq!(unit.convert(value, &unit), value);
            let thousandth = parse(&format!("10*-3.{code}")).unwrap();
            let there = unit.convert(value, &thousandth);
            prop_assert!((thousandth.convert(there, &unit) - value).abs() <= value.abs() * 1e-9);
            prop_assert!((there - value * 1000.0).abs() <= there.abs() * 1e-9);
        }

        #[test]
        fn no_text_panics(code in ".{0,24}", other in "[a-zA-Z0-9./(){}*^+\\[\\]'-]{0,16}") {
            let _ = (parse(&code), parse(&other));
        }
    }
}
