//! Other names of the standards' fields, as Vietnamese and English publishers write them, and words for coded values.
//!
//! Folded: lower case, no accents. A field's own name and its titles are known anyway; here stands what they do not say.

/// Field → other names.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "school_id",
        &[
            "ma so truong",
            "ma co so",
            "ma co so giao duc",
            "ma dinh danh",
            "school code",
            "urn",
            "ma truong hoc",
        ],
    ),
    (
        "station_id",
        &[
            "ma so tram",
            "ma diem",
            "ma diem quan trac",
            "station code",
            "id tram",
            "site id",
        ],
    ),
    ("stop_id", &["ma diem dung", "ma tram dung", "ma nha cho"]),
    (
        "stop_name",
        &["ten diem dung", "ten tram dung", "ten nha cho", "ten tram"],
    ),
    ("route_id", &["ma tuyen xe", "so hieu tuyen"]),
    ("segment_id", &["ma doan", "ma duong", "road id"]),
    (
        "name",
        &[
            "ten don vi",
            "ten co so",
            "ten goi",
            "ten truong hoc",
            "school name",
            "station name",
            "ten diem quan trac",
            "alternatename",
        ],
    ),
    (
        "name_en",
        &[
            "ten nuoc ngoai",
            "english name",
            "name english",
            "alternatename",
        ],
    ),
    (
        "place_code",
        &[
            "ma dvhc",
            "ma phuong xa",
            "ma xa",
            "ma quan huyen",
            "ma huyen",
            "ma tinh",
            "ma tinh thanh",
            "ma dia ban",
            "ward code",
            "district code",
            "province code",
            "commune code",
        ],
    ),
    (
        "parent_code",
        &["ma cap tren", "ma don vi cap tren", "parent code"],
    ),
    (
        "locality",
        &[
            "quan huyen",
            "phuong xa",
            "xa phuong",
            "xa phuong thi tran",
            "huyen",
            "quan",
            "xa",
            "phuong",
            "dia ban",
            "tinh thanh",
            "tinh",
            "thanh pho",
            "district",
            "ward",
            "city",
            "town",
        ],
    ),
    (
        "address",
        &[
            "dia diem",
            "so nha",
            "street address",
            "dia chi truong",
            "tru so",
        ],
    ),
    ("country", &["nuoc", "country code", "ma quoc gia"]),
    (
        "school_type",
        &[
            "loai truong hoc",
            "loai hinh truong",
            "kieu truong",
            "cap hoc",
            "bac hoc",
            "type of establishment",
        ],
    ),
    (
        "sector",
        &[
            "loai hinh so huu",
            "hinh thuc so huu",
            "cong lap tu thuc",
            "loai hinh truong",
        ],
    ),
    (
        "status",
        &["trang thai", "tinh trang hoat dong", "establishment status"],
    ),
    (
        "open_date",
        &[
            "ngay mo",
            "ngay cap phep",
            "ngay hoat dong",
            "ngay quyet dinh thanh lap",
            "thanh lap ngay",
            "established",
        ],
    ),
    (
        "close_date",
        &["ngay giai the", "ngay ngung hoat dong", "closed"],
    ),
    (
        "pupils",
        &[
            "so hs",
            "hoc sinh",
            "tong so hoc sinh",
            "si so",
            "tong so hs",
            "number of pupils",
            "students",
            "number of students",
        ],
    ),
    ("capacity", &["suc chua", "chi tieu", "school capacity"]),
    (
        "phone",
        &[
            "so dien thoai",
            "sdt",
            "dt",
            "tel",
            "telephone number",
            "phone number",
        ],
    ),
    ("website", &["web", "url", "trang chu", "dia chi web"]),
    (
        "latitude",
        &["lat", "toa do vi do", "vi do wgs84", "toa do y", "geo lat"],
    ),
    (
        "longitude",
        &[
            "lon",
            "lng",
            "long",
            "toa do kinh do",
            "kinh do wgs84",
            "toa do x",
            "geo lon",
        ],
    ),
    (
        "location",
        &["toa do", "geometry", "the geom", "geo point", "point"],
    ),
    (
        "geometry",
        &["location", "the geom", "geom", "wkt", "shape"],
    ),
    ("elevation", &["cao do", "altitude"]),
    (
        "modified",
        &[
            "ngay cap nhat",
            "cap nhat",
            "thoi gian cap nhat",
            "datemodified",
            "last updated",
            "updated at",
            "date updated",
        ],
    ),
    (
        "phenomenon_time",
        &[
            "thoi gian",
            "thoi gian do",
            "ngay gio",
            "ngay gio do",
            "thoi diem do",
            "thoi diem",
            "ngay do",
            "dateobserved",
            "observed at",
            "timestamp",
            "date time",
            "datetime",
        ],
    ),
    (
        "observed_property",
        &[
            "chi tieu do",
            "thong so do",
            "parameter",
            "pollutant",
            "chat o nhiem",
        ],
    ),
    (
        "result",
        &["gia tri", "gia tri do", "ket qua do", "value", "so lieu"],
    ),
    ("unit", &["don vi tinh", "dvt", "units"]),
    ("obs_value", &["so lieu", "value", "so luong", "ket qua"]),
    ("unit_measure", &["don vi", "dvt", "unit", "units"]),
    (
        "time_period",
        &[
            "nam",
            "year",
            "period",
            "thoi ky",
            "nam hoc",
            "school year",
            "thoi gian",
        ],
    ),
    (
        "ref_area",
        &[
            "tinh thanh pho",
            "tinh",
            "thanh pho",
            "dia phuong",
            "province",
            "cities provincies",
            "cities provinces",
            "region",
            "vung",
            "area",
            "tram",
            "station",
        ],
    ),
    ("school_year", &["nam hoc", "academic year"]),
    ("road_class", &["loai duong", "road type", "highway"]),
    ("lane_count", &["so lan xe", "lanes"]),
    (
        "maximum_allowed_speed",
        &["toc do cho phep", "maxspeed", "speed limit"],
    ),
    ("old_place_code", &["ma cu"]),
    ("new_place_code", &["ma moi"]),
];

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
    ("level", "ward", &["xa", "phuong", "thi tran"]),
];

/// Names of columns that say something about a person.
const PERSONAL: &[&str] = &[
    "ho ten",
    "ho va ten",
    "ho dem",
    "full name",
    "first name",
    "last name",
    "surname",
    "ngay sinh",
    "nam sinh",
    "birth date",
    "date of birth",
    "dob",
    "cccd",
    "cmnd",
    "so cccd",
    "so cmnd",
    "cmt",
    "can cuoc",
    "can cuoc cong dan",
    "dinh danh ca nhan",
    "identity card",
    "passport",
    "ho chieu",
    "so dien thoai",
    "dien thoai",
    "sdt",
    "phone",
    "email",
    "thu dien tu",
    "dia chi nha",
    "noi o",
    "thuong tru",
    "tam tru",
    "home address",
    "bien so",
    "bien so xe",
    "licence plate",
    "gioi tinh",
    "sex",
    "gender",
    "dan toc",
    "ton giao",
    "hieu truong",
    "nguoi lien he",
    "phu huynh",
    "hoc sinh ten",
    "ten hoc sinh",
    "so bao danh",
    "ma so thue ca nhan",
    "so tai khoan",
    "chu ho",
    "nguoi nop",
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

/// Whether a folded name speaks of a person.
pub(crate) fn is_personal(name: &str) -> bool {
    PERSONAL.iter().any(|known| holds(name, known))
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
        for name in fields.chain(codes).chain(PERSONAL).chain(IDENTIFIERS) {
            assert_eq!(folded(name), *name);
        }
    }

    #[test]
    fn words_for_codes_persons_and_identifiers() {
        assert_eq!(code("sector", &folded("Công lập")), Some("public"));
        assert_eq!(code("sector", "xa"), None);
        assert!(is_personal(&folded("Họ và tên học sinh")) && !is_personal(&folded("Tên trường")));
        assert!(is_identifier(&folded("Mã trường")) && !is_identifier(&folded("Mạng lưới")));
    }
}
