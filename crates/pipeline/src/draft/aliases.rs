//! Other names of the standards' fields, as Vietnamese and English publishers write them, and words for coded values.
//!
//! Folded: lower case, no accents. A field's own name and its titles are known anyway; here stands what they do not say.

use super::field_names::FIELDS;

/// Field → code → words that mean it.
const CODES: &[(&str, &str, &[&str])] = &[
    (
        "sector",
        "public",
        &["cong lap", "cong", "nha nuoc", "state", "government"],
    ),
    (
        "sector",
        "private",
        &["tu thuc", "dan lap", "ngoai cong lap", "tu", "independent"],
    ),
    (
        "status",
        "open",
        &["dang hoat dong", "hoat dong", "mo", "active"],
    ),
    (
        "status",
        "closed",
        &[
            "ngung hoat dong",
            "giai the",
            "dong",
            "dong cua",
            "da dong cua",
            "inactive",
        ],
    ),
    (
        "status",
        "proposed",
        &["du kien", "dang xay dung", "quy hoach"],
    ),
    (
        "level",
        "province",
        &["tinh", "thanh pho truc thuoc trung uong", "thanh pho"],
    ),
    ("level", "district", &["huyen", "quan", "thi xa"]),
    (
        "isced_level",
        "02",
        &["mam non", "mau giao", "pre primary", "kindergarten"],
    ),
    ("isced_level", "1", &["tieu hoc", "primary", "th"]),
    (
        "isced_level",
        "2",
        &["trung hoc co so", "thcs", "lower secondary"],
    ),
    (
        "isced_level",
        "3",
        &["trung hoc pho thong", "thpt", "upper secondary"],
    ),
    ("isced_level", "_T", &["tat ca", "tong", "total", "all"]),
    ("sex", "F", &["nu", "female", "girls"]),
    ("sex", "M", &["nam", "male", "boys"]),
    ("sex", "_T", &["tat ca", "tong", "total", "all"]),
    (
        "provision_level",
        "full",
        &["toan trinh", "truc tuyen toan trinh", "muc do 4"],
    ),
    (
        "provision_level",
        "partial",
        &["mot phan", "truc tuyen mot phan", "muc do 3"],
    ),
    (
        "provision_level",
        "information",
        &["thong tin", "cung cap thong tin", "muc do 2", "muc do 1"],
    ),
    ("level", "ward", &["xa", "phuong", "thi tran"]),
];

/// Words in names of columns whose digits are no numbers.
const IDENTIFIERS: &[&str] = &[
    "ma",
    "id",
    "code",
    "so hieu",
    "so hd",
    "key",
    "uuid",
    "phone",
    "tel",
    "sdt",
    "dien thoai",
    "cccd",
    "cmnd",
    "mst",
    "zip",
    "postcode",
    "bien so",
    "fax",
    "so bao danh",
    "sbd",
    "isbn",
    "urn",
    "stt",
];

/// The other names of a field.
pub(super) fn of_field(field: &str) -> &'static [&'static str] {
    FIELDS
        .iter()
        .find(|(name, _)| *name == field)
        .map_or(&[], |(_, names)| names)
}

/// The code that a folded word means in a field.
pub(super) fn code(field: &str, word: &str) -> Option<&'static str> {
    let of_field = CODES.iter().filter(|(name, ..)| *name == field);
    let mut meant = of_field.filter(|(_, code, words)| *code == word || words.contains(&word));
    meant.next().map(|(_, code, _)| *code)
}

/// Whether a folded name is one of identifiers.
pub(super) fn is_identifier(name: &str) -> bool {
    IDENTIFIERS.iter().any(|known| holds(name, known))
}

/// Whether all words of `part` stand in `name`, one after the other.
pub(super) fn holds(name: &str, part: &str) -> bool {
    format!(" {name} ").contains(&format!(" {part} "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::folded;

    #[test]
    fn names_stand_here_folded() {
        let fields = FIELDS.iter().flat_map(|(_, names)| *names);
        let codes = CODES.iter().flat_map(|(_, _, words)| *words);
        for name in fields.chain(codes).chain(IDENTIFIERS) {
            assert_eq!(folded(name), *name);
        }
    }

    #[test]
    fn words_for_codes_and_identifiers() {
        assert_eq!(code("sector", &folded("Công lập")), Some("public"));
        assert_eq!(code("sector", "xa"), None);
        assert!(is_identifier(&folded("Mã trường")) && !is_identifier(&folded("Mạng lưới")));
    }
}
