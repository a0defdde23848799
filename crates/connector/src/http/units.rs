//! Times and sizes as people write them.

use std::time::Duration;

/// `500ms`, `30s`, `5m`, `1h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * seconds)
        .ok()
        .filter(|time| !time.is_zero())
}

/// `500MB`, `2GiB`, or a number of bytes.
pub(crate) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let bytes = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let bytes = number * bytes;
    (bytes >= 1.0 && bytes < u64::MAX as f64).then_some(bytes as u64)
}

fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let number = text[..end].parse().ok()?;
    Some((number, text[end..].trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes() {
        for (text, milliseconds) in [
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("1.5 m", Some(90_000)),
            ("1h", Some(3_600_000)),
            ("0s", None),
            ("30", None),
            ("-1s", None),
            ("soon", None),
            ("9e99h", None),
        ] {
            let found = duration(text).map(|time| time.as_millis());
            assert_eq!(found, milliseconds, "{text}");
        }
        for (text, bytes) in [
            ("2GB", Some(2_000_000_000)),
            ("1.5 GiB", Some(3 << 29)),
            ("1048576", Some(1 << 20)),
            ("0", None),
            ("much", None),
            ("", None),
            ("99999999999 TB", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }
}
