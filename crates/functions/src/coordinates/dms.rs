//! Degrees, minutes and seconds as people write them.

/// Letters and Vietnamese words of the hemispheres, and the farthest angle of each, a pole or the 180th meridian. A single N is north, as in
/// English; south is written Nam.
const PLAIN: [(&str, f64); 11] = [
    ("N", 90.0),
    ("S", -90.0),
    ("E", 180.0),
    ("W", -180.0),
    ("B", 90.0),
    ("Đ", 180.0),
    ("D", 180.0),
    ("T", -180.0),
    ("ĐÔNG", 180.0),
    ("BẮC", 90.0),
    ("TÂY", -180.0),
];

/// Words for the same, in English.
const WORDS: [(&str, f64); 5] = [
    ("NORTH", 90.0),
    ("SOUTH", -90.0),
    ("EAST", 180.0),
    ("WEST", -180.0),
    ("NAM", -90.0),
];

/// An angle in degrees; `None` where the text is none.
///
/// Up to three numbers (degrees, minutes, seconds), the last one with a decimal point or comma, parted by spaces, dashes, colons or the signs
/// of degree, minute and second; a sign or a hemisphere before or behind.
pub(super) fn degrees(text: &str) -> Option<f64> {
    let upper = text.trim().to_uppercase();
    let (unsigned, sign) = match upper.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (rest, Some(-1.0)),
        None => (upper.strip_prefix('+').unwrap_or(&upper), None),
    };
    let (numbers, hemisphere) = hemisphere(unsigned)?;
    // A sign and a hemisphere together would say it twice, or two things.
    if sign.is_some() && hemisphere.is_some() {
        return None;
    }
    let parts = parts(numbers)?;
    let (degrees, minutes, seconds) = match parts.as_slice() {
        [degrees] => (*degrees, 0.0, 0.0),
        [degrees, minutes] => (*degrees, *minutes, 0.0),
        [degrees, minutes, seconds] => (*degrees, *minutes, *seconds),
        _ => return None,
    };
    let whole =
        parts.len() == 1 || degrees.fract() == 0.0 && (parts.len() == 2 || minutes.fract() == 0.0);
    if !whole || minutes >= 60.0 || seconds >= 60.0 {
        return None;
    }
    let angle = degrees + minutes / 60.0 + seconds / 3600.0;
    let farthest = hemisphere.map_or(360.0, f64::abs);
    (angle <= farthest).then(|| sign.or(hemisphere).unwrap_or(1.0).signum() * angle)
}

/// The text without its hemisphere, and the hemisphere's farthest angle; `None` where letters are left that name none.
fn hemisphere(text: &str) -> Option<(&str, Option<f64>)> {
    let is_number = |c: char| c.is_ascii_digit();
    let first = text.find(is_number)?;
    let last = text.rfind(is_number)? + 1;
    let letters = |part: &str| -> String { part.chars().filter(|c| c.is_alphabetic()).collect() };
    let (before, after) = (letters(&text[..first]), letters(&text[last..]));
    let numbers = &text[first..];
    let name = match (before.as_str(), after.as_str()) {
        ("", "") => return Some((numbers, None)),
        (name, "") | ("", name) => name,
        _ => return None,
    };
    let numbers = &text[first..last];
    let mut known = PLAIN.iter().chain(&WORDS);
    let (_, farthest) = known.find(|(letters, _)| *letters == name)?;
    Some((numbers, Some(*farthest)))
}

/// The numbers, in order.
fn parts(text: &str) -> Option<Vec<f64>> {
    let mut numbers = Vec::new();
    let signs = [
        '°', 'º', '˚', '\'', '’', '‘', '′', '"', '”', '“', '″', '´', 'ʹ', 'ʺ', ':', '-', '–', '*',
    ];
    let pieces = text.split(|c: char| c.is_whitespace() || signs.contains(&c));
    for piece in pieces.filter(|piece| !piece.is_empty()) {
        let fits = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
        let starts = piece.starts_with(|c: char| c.is_ascii_digit());
        if !starts || !piece.chars().all(fits) {
            return None;
        }
        numbers.push(piece.replace(',', ".").parse().ok()?);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn angles_as_people_write_them() {
        let at = 20.0 + 51.0 / 60.0 + 54.5 / 3600.0;
        for text in [
            "20°51'54.5\"N",
            "20 51 54,5 N",
            "20°51′54.5″ B",
            "N 20° 51’ 54.5”",
            "20:51:54.5",
            "20°51'54.5''",
            "Bắc 20°51'54,5\"",
            "+20-51-54.5",
        ] {
            let found = degrees(text);
            assert!(
                found.is_some_and(|found| (found - at).abs() < 1e-12),
                "{text}: {found:?}"
            );
        }
        let cases = [
            ("20-51-54N", Some(20.0 + 51.0 / 60.0 + 54.0 / 3600.0)),
            ("106°41'Đ", Some(106.0 + 41.0 / 60.0)),
            ("106.5 E", Some(106.5)),
            ("33°30' S", Some(-33.5)),
            ("3°30' T", Some(-3.5)),
            ("12°15' Nam", Some(-12.25)),
            ("-12.25", Some(-12.25)),
            ("105°45'", Some(105.75)),
            // Said twice, out of bounds, a fraction before the last number, no angle at all.
            ("-12 S", None),
            ("20°61'", None),
            ("20°10'75\"", None),
            ("20.5°30'", None),
            ("400", None),
            ("106°40'30\"N", None),
            ("90°00'01\" Nam", None),
            ("181 Đ", None),
            ("90°S", Some(-90.0)),
            ("180°W", Some(-180.0)),
            ("20 51 54 3", None),
            ("N20S", None),
            ("20 X", None),
            ("1.2.3", None),
            ("", None),
            ("north", None),
        ];
        for (text, expected) in cases {
            assert_eq!(degrees(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_angle_reads_back(degree in 0u32..90, minute in 0u32..60, second in 0u32..600, south: bool) {
            let (whole, tenth) = (second / 10, second % 10);
            let letter = if south { "S" } else { "N" };
            let angle = f64::from(degree) + f64::from(minute) / 60.0 + f64::from(second) / 36_000.0;
            let expected = if south { -angle } else { angle };
            for text in [
                format!("{degree}°{minute}'{whole}.{tenth}\"{letter}"),
                format!("{degree} {minute:02} {whole:02},{tenth} {letter}"),
            ] {
                prop_assert!((degrees(&text).unwrap_or(f64::NAN) - expected).abs() < 1e-9, "{}", text);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = degrees(&text);
        }
    }
}
