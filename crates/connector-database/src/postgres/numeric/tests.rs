#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

/// As `numeric_send` writes it: digits in base 10,000, none of zero at either end.
pub(crate) fn encode(value: i128, scale: u8) -> Vec<u8> {
    // Shifted so that the point lies between two digits.
    let shift = (4 - scale % 4) % 4;
    let text = format!("{}{}", value.unsigned_abs(), "0".repeat(shift.into()));
    let padded = format!("{}{text}", "0".repeat((4 - text.len() % 4) % 4));
    let mut digits: Vec<u16> = padded
        .as_bytes()
        .chunks(4)
        .map(|chunk| std::str::from_utf8(chunk).unwrap().parse().unwrap())
        .collect();
    let behind = (i32::from(scale) + i32::from(shift)) / 4;
    let mut weight = digits.len() as i32 - 1 - behind;
    while digits.first() == Some(&0) {
        digits.remove(0);
        weight -= 1;
    }
    while digits.last() == Some(&0) {
        digits.pop();
    }
    if digits.is_empty() {
        weight = 0;
    }
    let sign = if value < 0 { NEGATIVE } else { 0 };
    let header = [
        digits.len() as u16,
        (weight as i16).cast_unsigned(),
        sign,
        scale.into(),
    ];
    header
        .into_iter()
        .chain(digits)
        .flat_map(u16::to_be_bytes)
        .collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in -(10_i128.pow(38) - 1)..10_i128.pow(38), scale in 0_u8..=38) {
        prop_assert_eq!(decode(&encode(value, scale), scale), Ok(Numeric::Value(value)));
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..64), scale in 0_u8..=38) {
        let _ = decode(&bytes, scale);
    }

    #[test]
    fn any_digits_are_a_value_or_an_error(
        weight in any::<i16>(), sign in any::<u16>(), digits in proptest::collection::vec(0_u16..12_000, 0..12), scale in 0_u8..=38,
    ) {
        let header = [digits.len() as u16, weight.cast_unsigned(), sign, 0];
        let bytes: Vec<u8> = header.into_iter().chain(digits).flat_map(u16::to_be_bytes).collect();
        let _ = decode(&bytes, scale);
    }
}

#[test]
fn special_values_are_named() {
    let special = |sign: u16| {
        decode(
            &[0, 0, sign]
                .map(u16::to_be_bytes)
                .concat()
                .into_iter()
                .chain([0, 0])
                .collect::<Vec<_>>(),
            2,
        )
    };
    assert_eq!(special(NAN), Ok(Numeric::NotANumber));
    assert_eq!(special(INFINITE[0]), Ok(Numeric::Infinite));
    assert_eq!(special(INFINITE[1]), Ok(Numeric::Infinite));
    assert_eq!(special(0), Ok(Numeric::Value(0)));
    assert_eq!(special(1).unwrap_err(), "is a numeric with the sign 0x1");
}
