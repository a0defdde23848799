//! Other names of the standards' fields, as Vietnamese and English publishers write them, and words for coded values.
//!
//! Folded: lower case, no accents. A field's own name and its titles are known anyway; here stands what they do not say.

/// Field → other names.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "school_id",
        &[
            "school number",
            "unitid",
            "establishment number",
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
            "location id",
            "wigos station identifier",
            "station identifier",
            "traditional station identifier",
            "station number",
            "site no",
            "tram",
            "id dia diem",
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
            "establishment name",
            "instnm",
            "ten tram",
            "ten thu tuc",
            "station nm",
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
            "nameen",
            "ten tieng anh",
            "ten nuoc ngoai",
            "english name",
            "name english",
            "alternatename",
        ],
    ),
    (
        "place_code",
        &[
            "ma px",
            "ma phuong",
            "gso id",
            "code",
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
    (
        "country",
        &[
            "country code",
            "territory name",
            "country name",
            "nuoc",
            "country code",
            "ma quoc gia",
        ],
    ),
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
            "opendate",
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
        &[
            "closedate",
            "ngay giai the",
            "ngay ngung hoat dong",
            "closed",
        ],
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
            "parameter name",
            "chi tieu do",
            "thong so do",
            "parameter",
            "pollutant",
            "chat o nhiem",
        ],
    ),
    (
        "result",
        &[
            "value",
            "gia tri",
            "gia tri do",
            "ket qua do",
            "value",
            "so lieu",
        ],
    ),
    ("unit", &["don vi tinh", "dvt", "units"]),
    (
        "obs_value",
        &[
            "enrolment",
            "enrollment",
            "enrolled",
            "so hoc sinh",
            "hoc sinh",
            "so lieu",
            "value",
            "so luong",
            "ket qua",
        ],
    ),
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
            "district",
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
    ("old_place_code", &["old code", "ma xa cu", "ma cu"]),
    ("new_place_code", &["new code", "ma xa moi", "ma moi"]),
    ("level", &["type", "cap hanh chinh", "loai cap"]),
    ("full_name", &["fullname"]),
    ("time_zone", &["timezone"]),
    ("owner", &["owner name"]),
    ("provider", &["provider name"]),
    ("datetime_first", &["datetime first utc"]),
    ("datetime_last", &["datetime last utc"]),
    ("facility_type", &["station type"]),
    ("old_name", &["ten xa cu"]),
    ("new_name", &["ten xa moi"]),
    ("isced_level", &["level", "cap hoc", "bac hoc"]),
    ("sex", &["gender", "gioi tinh"]),
    (
        "service_code",
        &["ma tthc", "ma thu tuc hanh chinh", "ma dich vu"],
    ),
    (
        "provision_level",
        &["muc do", "muc do dich vu", "muc do cung cap"],
    ),
    ("thematic_area", &["nhom thu tuc"]),
    ("competent_authority_name", &["co quan", "don vi thuc hien"]),
    ("processing_time", &["thoi han", "thoi gian giai quyet"]),
    ("fee", &["phi", "le phi"]),
    (
        "site_id",
        &["vi tri", "counter id", "id diem dem", "diem dem"],
    ),
    (
        "vehicle_count",
        &["so xe", "luu luong", "total bikes", "total count"],
    ),
    ("period_start", &["thoi gian", "ngay gio"]),
    ("num_vehicles_available", &["num bikes available"]),
    ("num_vehicles_disabled", &["num bikes disabled"]),
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
