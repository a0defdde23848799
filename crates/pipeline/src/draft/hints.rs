//! What files, sheets and records of a table are called, and how much a column says of which table it is for.

use sectorlake_contract::Contract;

use super::aliases::holds;
use crate::names::folded;

/// Table → words that files, sheets or records of it are called by, folded.
const TABLES: &[(&str, &[&str])] = &[
    (
        "education.schools",
        &[
            "school",
            "schools",
            "truong",
            "truong hoc",
            "establishments",
            "institutions",
        ],
    ),
    (
        "education.enrolments",
        &[
            "enrolment",
            "enrolments",
            "enrollment",
            "enrollments",
            "si so",
            "so hoc sinh",
            "hoc sinh",
        ],
    ),
    (
        "environment.stations",
        &[
            "station",
            "stations",
            "tram",
            "tram quan trac",
            "tram do",
            "station list",
            "locations",
        ],
    ),
    (
        "environment.observations",
        &[
            "observation",
            "observations",
            "observed",
            "quan trac",
            "measurements",
            "so lieu do",
        ],
    ),
    (
        "government.public_services",
        &[
            "public service",
            "public services",
            "dich vu cong",
            "thu tuc",
            "thu tuc hanh chinh",
            "tthc",
        ],
    ),
    (
        "common.places",
        &[
            "places",
            "units",
            "provinces",
            "wards",
            "communes",
            "don vi hanh chinh",
            "dvhc",
        ],
    ),
    (
        "common.place_crosswalk",
        &[
            "crosswalk",
            "conversion",
            "chuyen doi",
            "sap nhap",
            "commune shares",
        ],
    ),
    (
        "transport.stops",
        &["stop", "stops", "diem dung", "nha cho", "ben xe"],
    ),
    (
        "transport.shared_mobility_stations",
        &[
            "station information",
            "gbfs",
            "bike stations",
            "tram xe dap",
        ],
    ),
    (
        "transport.shared_mobility_status",
        &["station status", "gbfs"],
    ),
    (
        "transport.traffic_counts",
        &[
            "traffic count",
            "traffic counts",
            "bicycle counts",
            "bike counts",
            "dem xe",
            "luu luong",
        ],
    ),
    (
        "transport.accidents",
        &["accident", "accidents", "tai nan", "tngt"],
    ),
];

/// Words that names of columns in any table hold: what is left of a name tells of which table it is.
const ANYWHERE: &[&str] = &[
    "ma",
    "ten",
    "so",
    "id",
    "code",
    "name",
    "number",
    "no",
    "stt",
    "type",
    "loai",
    "date",
    "ngay",
    "time",
    "thoi",
    "gian",
    "year",
    "nam",
    "month",
    "thang",
    "description",
    "mo",
    "ta",
    "note",
    "notes",
    "ghi",
    "chu",
    "lat",
    "lon",
    "lng",
    "latitude",
    "longitude",
    "vi",
    "kinh",
    "do",
    "toa",
    "location",
    "geometry",
    "address",
    "dia",
    "chi",
    "phone",
    "tel",
    "dien",
    "thoai",
    "email",
    "url",
    "web",
    "website",
    "city",
    "country",
    "province",
    "district",
    "ward",
    "tinh",
    "thanh",
    "pho",
    "quan",
    "huyen",
    "phuong",
    "xa",
    "value",
    "gia",
    "tri",
    "unit",
    "don",
    "vi",
    "status",
    "trang",
    "thai",
    "of",
    "the",
    "uuid",
    "gid",
    "fid",
    "objectid",
    "luong",
    "tong",
    "modified",
    "updated",
    "created",
    "key",
    "label",
    "title",
    "text",
    "n",
    "count",
];

/// How far a file or its records are called as the table is, 0 to 1; `about` is folded.
pub(super) fn named(contract: &Contract, about: &str) -> f64 {
    let name = contract.name.to_string();
    let known = TABLES
        .iter()
        .filter(|(table, _)| *table == name)
        .flat_map(|(_, words)| *words);
    // More words say more: `station information` is not just any station.
    let by_words =
        known
            .filter(|words| holds(about, words))
            .map(|words| match words.split(' ').count() {
                1 => 0.5,
                _ => 1.0,
            });
    let titles = contract.title.iter().map(|(_, title)| folded(title));
    let names = std::iter::once(folded(contract.name.table())).chain(titles);
    let by_title = names.filter(|name| !name.is_empty()).map(|name| {
        let words: Vec<&str> = name.split(' ').collect();
        let said = words.iter().filter(|word| holds(about, word)).count();
        let share = said as f64 / words.len() as f64;
        if words.len() == 1 {
            share * 0.5
        } else if share > 0.6 {
            share
        } else {
            0.0
        }
    });
    by_words.chain(by_title).fold(0.0, f64::max)
}

/// Whether a column's folded name says more than names of any table do.
pub(super) fn is_telling(column: &str) -> bool {
    column.split(' ').any(|word| {
        word.len() > 1
            && !ANYWHERE.contains(&word)
            && !word.bytes().all(|letter| letter.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_here_folded() {
        for word in TABLES.iter().flat_map(|(_, words)| *words).chain(ANYWHERE) {
            assert_eq!(folded(word), *word);
        }
    }

    #[test]
    fn names_that_any_table_has_tell_nothing() {
        for name in [
            "id",
            "Mã",
            "Tên",
            "Số lượng",
            "Vĩ độ",
            "lat",
            "name",
            "Ghi chú",
            "n",
        ] {
            assert!(!is_telling(&folded(name)), "{name}");
        }
        for name in [
            "Mã trường",
            "station_id",
            "Mã thủ tục",
            "is_monitor",
            "School year",
        ] {
            assert!(is_telling(&folded(name)), "{name}");
        }
    }
}
