//! A case's answer, with its places filled: to the byte what goes over the wire.

use std::io::Write as _;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Unpacked; packed it is a thousandth.
const BOMB_BYTES: usize = 96 << 20;
static BOMB: OnceLock<Vec<u8>> = OnceLock::new();

/// What fills the places.
pub(super) struct Scene<'a> {
    /// `http://127.0.0.1:PORT`.
    pub(super) server: &'a str,
    pub(super) target: &'a str,
    /// Hostile answers before this one.
    pub(super) number: usize,
    /// What would be right here.
    pub(super) data: &'a [u8],
    /// What would be right for the first question to this path.
    pub(super) same: &'a [u8],
}

/// What goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) head: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) then: Then,
}

/// What comes behind the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    /// The connection ends.
    Close,
    /// This, again and again.
    Endless(Vec<u8>),
    /// A byte now and then.
    Drip,
}

impl Answer {
    /// Head and body are parted by an empty line; a file without one is no HTTP, and goes as it is.
    pub(super) fn of(text: &str, scene: &Scene<'_>) -> Self {
        let Some((head, body)) = text.split_once("\n\n") else {
            return Self {
                head: fill(text, scene).0,
                body: Vec::new(),
                then: Then::Close,
            };
        };
        let (body, then) = fill(body, scene);
        let mut lines = Vec::new();
        for line in head.split('\n') {
            let line = lengths(line, body.len());
            match line.strip_prefix("{10000 lines}") {
                Some(line) => (0..10_000).for_each(|at| {
                    lines.extend_from_slice(format!("X-{at}: {line}\r\n").as_bytes());
                }),
                None => {
                    lines.extend(fill(&line, scene).0);
                    lines.extend_from_slice(b"\r\n");
                }
            }
        }
        lines.extend_from_slice(b"\r\n");
        Self {
            head: lines,
            body,
            then,
        }
    }
}

fn lengths(line: &str, length: usize) -> String {
    line.replace("{length}", &length.to_string())
        .replace("{length+10}", &(length + 10).to_string())
        .replace("{length-10}", &length.saturating_sub(10).to_string())
}

fn fill(text: &str, scene: &Scene<'_>) -> (Vec<u8>, Then) {
    let (mut filled, mut then) = (Vec::new(), Then::Close);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.extend_from_slice(before.as_bytes());
        let place = after.split_once('}');
        let Some((place, after)) = place.filter(|(place, _)| !place.contains('{')) else {
            filled.push(b'{');
            rest = after;
            continue;
        };
        match (place, place.strip_prefix("endless ")) {
            ("drip", _) => then = Then::Drip,
            (_, Some(again)) => then = Then::Endless(unescaped(again)),
            _ => match bytes_of(place, scene) {
                Some(bytes) => filled.extend(bytes),
                None => {
                    // Braces of JSON stay.
                    filled.extend_from_slice(format!("{{{place}}}").as_bytes());
                }
            },
        }
        rest = after;
    }
    filled.extend_from_slice(rest.as_bytes());
    (filled, then)
}

fn bytes_of(place: &str, scene: &Scene<'_>) -> Option<Vec<u8>> {
    let data = scene.data;
    let half = &data[..data.len() / 2];
    Some(match place {
        "server" => scene.server.as_bytes().to_vec(),
        "port" => scene.server.rsplit(':').next()?.as_bytes().to_vec(),
        "target" => scene.target.as_bytes().to_vec(),
        "number" => scene.number.to_string().into_bytes(),
        "data" => data.to_vec(),
        "half" => half.to_vec(),
        "same" => scene.same.to_vec(),
        "more records" => counted(data),
        "other fields" => renamed(data),
        "data in chunks" => chunks(data),
        "utf-16" => utf16(data),
        "gzip data" => gzip(data),
        "gzip half" => {
            let packed = gzip(data);
            packed[..packed.len() / 2].to_vec()
        }
        // It takes long to make.
        "gzip bomb" => BOMB.get_or_init(|| gzip(&vec![b'0'; BOMB_BYTES])).clone(),
        "nul" => vec![0],
        "bom" => vec![0xEF, 0xBB, 0xBF],
        "megabyte" => vec![b'a'; 1 << 20],
        "deep" => vec![b'['; 100_000],
        _ => return None,
    })
}

fn unescaped(text: &str) -> Vec<u8> {
    text.replace("\\r", "\r").replace("\\n", "\n").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    // Into memory: neither fails.
    let _ = packed.write_all(bytes);
    packed.finish().unwrap_or_default()
}

fn chunks(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for piece in bytes.chunks(7) {
        all.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        all.extend_from_slice(piece);
        all.extend_from_slice(b"\r\n");
    }
    all.extend_from_slice(b"0\r\n\r\n");
    all
}

fn utf16(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xFF, 0xFE].into_iter().chain(units).collect()
}

/// Totals that promise far more than there is.
fn counted(bytes: &[u8]) -> Vec<u8> {
    const KEYS: [&str; 10] = [
        "\"total\":",
        "\"total_count\":",
        "\"totalCount\":",
        "\"count\":",
        "\"found\":",
        "\"numberMatched\":",
        "\"@odata.count\":",
        "\"@iot.count\":",
        "numberMatched=\"",
        "totalResults=\"",
    ];
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for key in KEYS {
        let Some(at) = text.find(key).map(|at| at + key.len()) else {
            continue;
        };
        let digits = |byte: &u8| byte.is_ascii_digit() || *byte == b' ';
        let length = text.as_bytes()[at..]
            .iter()
            .take_while(|byte| digits(byte))
            .count();
        if length > 0 {
            text.replace_range(at..at + length, "987654321");
        }
    }
    text.into_bytes()
}

/// The same, whose columns have other names: the first line of a table, or the keys of objects in lists.
fn renamed(bytes: &[u8]) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        let text = String::from_utf8_lossy(bytes);
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let is_table = !first.trim_start().starts_with(['<', '{', '[']) && first.contains(',');
        return match is_table {
            true => format!("{}\n{rest}", first.replace(',', "_new,")).into_bytes(),
            false => bytes.to_vec(),
        };
    };
    rename(&mut document, false);
    document.to_string().into_bytes()
}

fn rename(value: &mut serde_json::Value, is_record: bool) {
    match value {
        serde_json::Value::Array(all) => all.iter_mut().for_each(|inner| rename(inner, true)),
        serde_json::Value::Object(fields) if is_record => {
            let old = std::mem::take(fields);
            fields.extend(
                old.into_iter()
                    .map(|(key, value)| (format!("{key}_new"), value)),
            );
        }
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(|inner| rename(inner, false));
        }
        _ => {}
    }
}
