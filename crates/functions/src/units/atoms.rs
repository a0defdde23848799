//! The units of UCUM (the Unified Code for Units of Measure, version 2.1, case sensitive) that data use. This is data.

use super::unit::{
    CHARGE, Dimensions, LENGTH, LUMINOSITY, MASS, NONE, PLANE_ANGLE, TEMPERATURE, TIME, of,
};

/// How a unit stands to the base units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// So many of the base units' product.
    Linear(f64, Dimensions),
    /// A scale that starts elsewhere: kelvin = (value + offset) × factor.
    Temperature { factor: f64, offset: f64 },
    /// A scale of its own (logarithmic or by agreement), which converts to nothing else.
    Own,
}

/// A unit's code, whether it takes prefixes, and what it means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Atom {
    pub(super) code: &'static str,
    pub(super) is_metric: bool,
    pub(super) means: Meaning,
}

pub(super) const PREFIXES: [(&str, f64); 24] = [
    ("da", 1e1),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Y", 1e24),
    ("Z", 1e21),
    ("E", 1e18),
    ("P", 1e15),
    ("T", 1e12),
    ("G", 1e9),
    ("M", 1e6),
    ("k", 1e3),
    ("h", 1e2),
    ("d", 1e-1),
    ("c", 1e-2),
    ("m", 1e-3),
    ("u", 1e-6),
    ("n", 1e-9),
    ("p", 1e-12),
    ("f", 1e-15),
    ("a", 1e-18),
    ("z", 1e-21),
    ("y", 1e-24),
];

const fn metric(code: &'static str, factor: f64, dimensions: Dimensions) -> Atom {
    Atom {
        code,
        is_metric: true,
        means: Meaning::Linear(factor, dimensions),
    }
}

const fn other(code: &'static str, factor: f64, dimensions: Dimensions) -> Atom {
    Atom {
        code,
        is_metric: false,
        means: Meaning::Linear(factor, dimensions),
    }
}

const fn own(code: &'static str) -> Atom {
    Atom {
        code,
        is_metric: true,
        means: Meaning::Own,
    }
}

const AREA: Dimensions = of(LENGTH, 2);
const VOLUME: Dimensions = of(LENGTH, 3);
/// m, s, g, rad, K, C, cd.
const FORCE: Dimensions = [1, -2, 1, 0, 0, 0, 0];
const PRESSURE: Dimensions = [-1, -2, 1, 0, 0, 0, 0];
const ENERGY: Dimensions = [2, -2, 1, 0, 0, 0, 0];
const POWER: Dimensions = [2, -3, 1, 0, 0, 0, 0];
const SPEED: Dimensions = [1, -1, 0, 0, 0, 0, 0];
const RATE: Dimensions = of(TIME, -1);
const DOSE: Dimensions = [2, -2, 0, 0, 0, 0, 0];

/// UCUM's Avogadro number.
const MOLE: f64 = 6.022_136_7e23;
const GRAVITY: f64 = 9.806_65;
const FOOT: f64 = 0.3048;
const INCH: f64 = 0.0254;
const POUND_G: f64 = 453.592_37;

pub(super) const ATOMS: &[Atom] = &[
    metric("m", 1.0, of(LENGTH, 1)),
    metric("s", 1.0, of(TIME, 1)),
    metric("g", 1.0, of(MASS, 1)),
    metric("rad", 1.0, of(PLANE_ANGLE, 1)),
    metric("K", 1.0, of(TEMPERATURE, 1)),
    metric("C", 1.0, of(CHARGE, 1)),
    metric("cd", 1.0, of(LUMINOSITY, 1)),
    // Pure numbers.
    other("10*", 10.0, NONE),
    other("10^", 10.0, NONE),
    other("[pi]", std::f64::consts::PI, NONE),
    other("%", 1e-2, NONE),
    other("[ppth]", 1e-3, NONE),
    other("[ppm]", 1e-6, NONE),
    other("[ppb]", 1e-9, NONE),
    other("[pptr]", 1e-12, NONE),
    metric("mol", MOLE, NONE),
    metric("eq", MOLE, NONE),
    metric("osm", MOLE, NONE),
    metric("kat", MOLE, RATE),
    metric("U", 1e-6 * MOLE / 60.0, RATE),
    // SI.
    metric("sr", 1.0, of(PLANE_ANGLE, 2)),
    metric("Hz", 1.0, RATE),
    metric("N", 1e3, FORCE),
    metric("Pa", 1e3, PRESSURE),
    metric("J", 1e3, ENERGY),
    metric("W", 1e3, POWER),
    metric("A", 1.0, [0, -1, 0, 0, 0, 1, 0]),
    metric("V", 1e3, [2, -2, 1, 0, 0, -1, 0]),
    metric("F", 1e-3, [-2, 2, -1, 0, 0, 2, 0]),
    metric("Ohm", 1e3, [2, -1, 1, 0, 0, -2, 0]),
    metric("S", 1e-3, [-2, 1, -1, 0, 0, 2, 0]),
    metric("Wb", 1e3, [2, -1, 1, 0, 0, -1, 0]),
    metric("T", 1e3, [0, -1, 1, 0, 0, -1, 0]),
    metric("H", 1e3, [2, 0, 1, 0, 0, -2, 0]),
    metric("lm", 1.0, [0, 0, 0, 2, 0, 0, 1]),
    metric("lx", 1.0, [-2, 0, 0, 2, 0, 0, 1]),
    metric("Bq", 1.0, RATE),
    metric("Gy", 1.0, DOSE),
    metric("Sv", 1.0, DOSE),
    metric("Ci", 3.7e10, RATE),
    // Angles.
    other("deg", std::f64::consts::PI / 180.0, of(PLANE_ANGLE, 1)),
    other("'", std::f64::consts::PI / 10_800.0, of(PLANE_ANGLE, 1)),
    other("''", std::f64::consts::PI / 648_000.0, of(PLANE_ANGLE, 1)),
    other("gon", std::f64::consts::PI / 200.0, of(PLANE_ANGLE, 1)),
    // Times.
    other("min", 60.0, of(TIME, 1)),
    other("h", 3600.0, of(TIME, 1)),
    other("d", 86_400.0, of(TIME, 1)),
    other("wk", 604_800.0, of(TIME, 1)),
    other("a_j", 31_557_600.0, of(TIME, 1)),
    other("a", 31_557_600.0, of(TIME, 1)),
    other("a_t", 31_556_925.216, of(TIME, 1)),
    other("a_g", 31_556_952.0, of(TIME, 1)),
    other("mo_j", 2_629_800.0, of(TIME, 1)),
    other("mo", 2_629_800.0, of(TIME, 1)),
    // Space and mass.
    metric("l", 1e-3, VOLUME),
    metric("L", 1e-3, VOLUME),
    metric("st", 1.0, VOLUME),
    metric("ar", 100.0, AREA),
    metric("t", 1e6, of(MASS, 1)),
    metric("u", 1.660_540_2e-24, of(MASS, 1)),
    metric("eV", 1.602_177_33e-16, ENERGY),
    other("AU", 149_597.870_691e6, of(LENGTH, 1)),
    metric("pc", 3.085_678e16, of(LENGTH, 1)),
    other("[in_i]", INCH, of(LENGTH, 1)),
    other("[ft_i]", FOOT, of(LENGTH, 1)),
    other("[yd_i]", 0.9144, of(LENGTH, 1)),
    other("[mi_i]", 1609.344, of(LENGTH, 1)),
    other("[nmi_i]", 1852.0, of(LENGTH, 1)),
    other("[kn_i]", 1852.0 / 3600.0, SPEED),
    other("[sin_i]", INCH * INCH, AREA),
    other("[sft_i]", FOOT * FOOT, AREA),
    other("[syd_i]", 0.9144 * 0.9144, AREA),
    other("[cin_i]", INCH * INCH * INCH, VOLUME),
    other("[cft_i]", FOOT * FOOT * FOOT, VOLUME),
    other("[cyd_i]", 0.9144 * 0.9144 * 0.9144, VOLUME),
    other(
        "[acr_us]",
        160.0 * 16.5 * 16.5 * (1200.0 / 3937.0) * (1200.0 / 3937.0),
        AREA,
    ),
    other("[gal_us]", 231.0 * INCH * INCH * INCH, VOLUME),
    other("[bbl_us]", 42.0 * 231.0 * INCH * INCH * INCH, VOLUME),
    other("[qt_us]", 231.0 / 4.0 * INCH * INCH * INCH, VOLUME),
    other("[pt_us]", 231.0 / 8.0 * INCH * INCH * INCH, VOLUME),
    other("[foz_us]", 231.0 / 128.0 * INCH * INCH * INCH, VOLUME),
    other("[lb_av]", POUND_G, of(MASS, 1)),
    other("[oz_av]", POUND_G / 16.0, of(MASS, 1)),
    other("[ston_av]", POUND_G * 2000.0, of(MASS, 1)),
    other("[lton_av]", POUND_G * 2240.0, of(MASS, 1)),
    // Force, pressure, energy, power.
    metric("[g]", GRAVITY, [1, -2, 0, 0, 0, 0, 0]),
    metric("gf", GRAVITY, FORCE),
    other("[lbf_av]", POUND_G * GRAVITY, FORCE),
    metric("dyn", 1e-2, FORCE),
    metric("bar", 1e8, PRESSURE),
    other("atm", 101_325e3, PRESSURE),
    other("att", 1e7 * GRAVITY, PRESSURE),
    metric("m[Hg]", 133.322e6, PRESSURE),
    metric("m[H2O]", 9.806_65e6, PRESSURE),
    other("[in_i'Hg]", 133.322e6 * INCH, PRESSURE),
    other("[in_i'H2O]", 9.806_65e6 * INCH, PRESSURE),
    other("[psi]", POUND_G * GRAVITY / (INCH * INCH), PRESSURE),
    metric("erg", 1e-4, ENERGY),
    metric("cal", 4184.0, ENERGY),
    metric("cal_th", 4184.0, ENERGY),
    metric("cal_IT", 4186.8, ENERGY),
    metric("cal_[15]", 4185.8, ENERGY),
    metric("cal_[20]", 4181.9, ENERGY),
    other("[Cal]", 4_184_000.0, ENERGY),
    other("[Btu]", 1_054_350.0, ENERGY),
    other("[Btu_IT]", 1_055_055.852_62, ENERGY),
    other("[HP]", 550.0 * FOOT * POUND_G * GRAVITY, POWER),
    metric("P", 100.0, [-1, -1, 1, 0, 0, 0, 0]),
    metric("St", 1e-4, [2, -1, 0, 0, 0, 0, 0]),
    metric("Gal", 1e-2, [1, -2, 0, 0, 0, 0, 0]),
    // Information.
    metric("bit", 1.0, NONE),
    metric("By", 8.0, NONE),
    metric("Bd", 1.0, RATE),
    // Temperatures.
    Atom {
        code: "Cel",
        is_metric: true,
        means: Meaning::Temperature {
            factor: 1.0,
            offset: 273.15,
        },
    },
    Atom {
        code: "[degF]",
        is_metric: false,
        means: Meaning::Temperature {
            factor: 5.0 / 9.0,
            offset: 459.67,
        },
    },
    other("[degR]", 5.0 / 9.0, of(TEMPERATURE, 1)),
    // Scales of their own.
    own("[pH]"),
    own("Np"),
    own("B"),
    own("B[SPL]"),
    own("B[V]"),
    own("B[mV]"),
    own("B[uV]"),
    own("B[W]"),
    own("B[kW]"),
    own("[IU]"),
    own("[iU]"),
    own("[arb'U]"),
    own("[CFU]"),
    own("[PFU]"),
];

/// What people write instead, and the code.
pub(super) const MENDS: &[(&str, &str)] = &[
    ("°C", "Cel"),
    ("℃", "Cel"),
    ("degC", "Cel"),
    ("°F", "[degF]"),
    ("°", "deg"),
    ("ppm", "[ppm]"),
    ("ppb", "[ppb]"),
    ("‰", "[ppth]"),
    ("µ", "u"),
    ("μ", "u"),
    ("mmHg", "mm[Hg]"),
    ("cmH2O", "cm[H2O]"),
    ("inHg", "[in_i'Hg]"),
    ("psi", "[psi]"),
    ("knot", "[kn_i]"),
    ("kn", "[kn_i]"),
    ("kt", "[kn_i]"),
    ("mph", "[mi_i]/h"),
    ("kph", "km/h"),
    ("kmh", "km/h"),
    ("inch", "[in_i]"),
    ("ft", "[ft_i]"),
    ("mile", "[mi_i]"),
    ("mi", "[mi_i]"),
    ("lb", "[lb_av]"),
    ("ha", "har"),
    ("sec", "s"),
    ("hr", "h"),
    ("hour", "h"),
    ("day", "d"),
    ("year", "a"),
    ("ton", "t"),
    ("tonne", "t"),
    ("²", "2"),
    ("³", "3"),
    ("^", ""),
    ("*", "."),
    ("·", "."),
];
