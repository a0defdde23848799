//! PostgreSQL's `numeric` on the wire: digits in base 10,000.
//!
//! Reference: `numeric_send` in PostgreSQL's `src/backend/utils/adt/numeric.c`: number of digits, weight of the first
//! (10,000^weight), sign, decimals shown, then the digits.

/// What a `numeric` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numeric {
    /// The value times 10^scale.
    Value(i128),
    NotANumber,
    Infinite,
}

/// Powers of ten that an i128 holds.
const POWERS: [i128; 39] = {
    let mut powers = [1; 39];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITE: [u16; 2] = [0xD000, 0xF000];

/// The value times 10^`scale`.
///
/// # Errors
/// What is wrong with the bytes: digits missing or too large, or more than 38 of them.
pub(crate) fn decode(field: &[u8], scale: u8) -> Result<Numeric, String> {
    let mut words = field
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut header = || {
        words
            .next()
            .ok_or_else(|| "is a numeric that is cut short".to_owned())
    };
    let (count, weight, sign, _shown) = (header()?, header()?.cast_signed(), header()?, header()?);
    if field.len() != 8 + 2 * usize::from(count) {
        return Err(format!(
            "is a numeric of {count} digits in {} bytes",
            field.len()
        ));
    }
    if sign == NAN {
        return Ok(Numeric::NotANumber);
    }
    if INFINITE.contains(&sign) {
        return Ok(Numeric::Infinite);
    }
    let too_large = || "has more than 38 digits".to_owned();
    let mut value: i128 = 0;
    // Digit i is worth 10^(4 · (weight − i)), times 10^scale.
    let mut exponent = 4 * i32::from(weight) + i32::from(scale);
    for digit in words {
        if digit > 9_999 {
            return Err(format!("is a numeric with the digit {digit}"));
        }
        let part = match usize::try_from(exponent) {
            Ok(_) if digit == 0 => 0,
            Ok(exponent) => {
                let power = POWERS.get(exponent).ok_or_else(too_large)?;
                power.checked_mul(i128::from(digit)).ok_or_else(too_large)?
            }
            // Digits below the scale are zeros: the server rounds to it.
            Err(_) => {
                let power = 10_u16
                    .checked_pow(exponent.unsigned_abs())
                    .unwrap_or(u16::MAX);
                if digit % power != 0 {
                    return Err(format!("has digits behind the {scale} of its column"));
                }
                i128::from(digit / power)
            }
        };
        value = value.checked_add(part).ok_or_else(too_large)?;
        exponent -= 4;
    }
    match sign {
        0 => Ok(Numeric::Value(value)),
        NEGATIVE => Ok(Numeric::Value(-value)),
        other => Err(format!("is a numeric with the sign {other:#x}")),
    }
}

#[cfg(test)]
mod tests;
