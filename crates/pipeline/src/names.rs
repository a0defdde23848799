//! Names of columns as people mean them: without accents, case and marks, and how near two of them are.

use unicode_normalization::UnicodeNormalization as _;

/// A name's words, in lower case and without accents: `"Mã trường"` and `maTruong` and `MA_TRUONG` are all `ma truong`.
pub(crate) fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    let mut before = ' ';
    for letter in name.nfd() {
        if unicode_normalization::char::is_combining_mark(letter) {
            continue;
        }
        let letter = match letter {
            'đ' => 'd',
            'Đ' => 'D',
            other => other,
        };
        // A word begins where small letters end: `maTruong`.
        let begins = letter.is_uppercase() && before.is_lowercase();
        let parted = !letter.is_alphanumeric() || begins;
        if parted && !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
        if letter.is_alphanumeric() {
            folded.extend(letter.to_lowercase());
        }
        before = letter;
    }
    folded.trim_end().to_owned()
}

/// A name that a contract's field may have: `ma_truong`; `column` where nothing is left of it.
pub(crate) fn field_name(name: &str) -> String {
    let words: Vec<String> = folded(name)
        .split(' ')
        .map(|word| word.chars().filter(char::is_ascii_alphanumeric).collect())
        .filter(|word: &String| !word.is_empty())
        .collect();
    let joined = words.join("_");
    match joined.chars().next() {
        None => "column".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("column_{joined}"),
        Some(_) => joined,
    }
}

/// How near two folded names are, 0 to 1. Names that share their words are nearer than names that share their letters.
pub(crate) fn nearness(left: &str, right: &str) -> f64 {
    if left.is_empty() || right.is_empty() {
        return 0.0;
    }
    if left == right || left.replace(' ', "") == right.replace(' ', "") {
        return 1.0;
    }
    let (a, b): (Vec<&str>, Vec<&str>) = (left.split(' ').collect(), right.split(' ').collect());
    let shared = a.iter().filter(|word| b.contains(word)).count();
    let words = 2.0 * shared as f64 / (a.len() + b.len()) as f64;
    let letters = strsim::jaro_winkler(left, right);
    // Short names are near to too many others by their letters alone.
    let letters = if left.len().min(right.len()) < 4 {
        0.0
    } else {
        letters * 0.95
    };
    words.max(letters)
}

/// The name as SQL quotes it, where it must be.
pub(crate) fn quoted(name: &str) -> String {
    let plain = name
        .chars()
        .next()
        .is_some_and(|first| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if plain && !RESERVED.contains(&name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Words that SQL would take for its own, as names of columns are.
const RESERVED: [&str; 28] = [
    "all", "and", "as", "by", "case", "cross", "date", "desc", "distinct", "end", "exists", "from",
    "group", "having", "in", "interval", "is", "join", "limit", "not", "offset", "on", "or",
    "order", "select", "time", "union", "where",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_with_and_without_accents_and_case() {
        for name in [
            "Mã trường",
            "MA_TRUONG",
            "maTruong",
            "  mã-Trường ",
            "Mã trường",
        ] {
            assert_eq!(folded(name), "ma truong", "{name}");
        }
        assert_eq!(folded("Địa chỉ (số nhà)"), "dia chi so nha");
        assert_eq!(folded("PM2.5"), "pm2 5");
        assert_eq!(field_name("Số học sinh / lớp"), "so_hoc_sinh_lop");
        assert_eq!(field_name("2024"), "column_2024");
        assert_eq!(field_name("###"), "column");
    }

    #[test]
    fn near_names_are_near_and_others_are_not() {
        let near = |a: &str, b: &str| nearness(&folded(a), &folded(b));
        assert!((near("Tên trường", "ten_truong") - 1.0).abs() < f64::EPSILON);
        assert!(near("station_name", "name of station") > 0.7);
        assert!(near("longtitude", "longitude") > 0.85);
        assert!(near("name", "pupils") < 0.5);
        assert!(near("x", "xy") < 0.5);
    }

    #[test]
    fn names_are_quoted_where_sql_wants_it() {
        assert_eq!(quoted("stop_id"), "stop_id");
        assert_eq!(quoted("date"), "\"date\"");
        assert_eq!(quoted("Tên \"cũ\""), "\"Tên \"\"cũ\"\"\"");
    }
}
