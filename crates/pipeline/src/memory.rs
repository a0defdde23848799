//! `pipelines/sectorlake.yaml`: how much one process may hold, and whom sources may write to.

use std::path::Path;

use sectorlake_connector::Contact;

use crate::file::SettingsFile;
use crate::places::Places;
use crate::problem::Problem;
use crate::yaml;

/// Memory of a process when nothing is said: 512 MiB.
const MEMORY_BYTES_DEFAULT: u64 = 512 << 20;
/// The least that a run gets along with.
const MEMORY_BYTES_MIN: u64 = 64 << 20;
/// The file, relative to the project.
pub(crate) const SETTINGS: &str = "pipelines/sectorlake.yaml";

/// The bytes that one process may hold, by the project's settings; 512 MiB where they say nothing. Reads no other file.
///
/// # Errors
/// [`Problem`] where the settings are no YAML, or the size is none.
pub fn memory_bytes_max(root: &Path) -> Result<u64, Problem> {
    let Some((settings, places)) = settings(root)? else {
        return Ok(MEMORY_BYTES_DEFAULT);
    };
    let Some(memory) = settings.memory else {
        return Ok(MEMORY_BYTES_DEFAULT);
    };
    match parse(&memory) {
        Some(bytes) if bytes >= MEMORY_BYTES_MIN => Ok(bytes),
        Some(_) => Err(Problem::new(
            SETTINGS,
            places.value(&["memory"]),
            format!("memory {memory} is too little to work with"),
        )
        .help("give at least 64MiB")),
        None => Err(Problem::new(
            SETTINGS,
            places.value(&["memory"]),
            format!("memory {memory:?} is no size"),
        )
        .help("write a number and a unit, such as 512MiB or 2GiB")),
    }
}

/// Whom sources may write to. Settings that cannot be read at all are told where the memory is asked for.
pub(crate) fn contact(root: &Path) -> Result<Option<Contact>, Problem> {
    let Ok(Some((settings, places))) = settings(root) else {
        return Ok(None);
    };
    let Some(text) = settings.contact else {
        return Ok(None);
    };
    Contact::new(&text).map(Some).map_err(|error| {
        Problem::new(SETTINGS, places.value(&["contact"]), error.message).maybe_help(error.help)
    })
}

/// The project's settings; none where there is no file, or nothing in it.
fn settings(root: &Path) -> Result<Option<(SettingsFile, Places)>, Problem> {
    let text = match std::fs::read_to_string(root.join(SETTINGS)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Problem::new(
                SETTINGS,
                (0, 0),
                format!("cannot be read: {error}"),
            ));
        }
    };
    let is_empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(is_empty) {
        return Ok(None);
    }
    yaml::read::<SettingsFile>(Path::new(SETTINGS), &text).map(Some)
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "kib" | "k" => 1024.0,
        "mib" | "m" => 1024.0 * 1024.0,
        "gib" | "g" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((number * unit) as u64)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_as_people_write_them() {
        for (text, bytes) in [
            ("512MiB", Some(512 << 20)),
            ("1.5 GiB", Some(3 << 29)),
            ("2GB", Some(2_000_000_000)),
            ("1048576", Some(1 << 20)),
            ("512 megs", None),
            ("much", None),
            ("", None),
        ] {
            assert_eq!(parse(text), bytes, "{text}");
        }
    }
}
