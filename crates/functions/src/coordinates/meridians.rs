//! The central meridian of each province in VN-2000.
//!
//! Source: Circular 973/2001/TT-TCĐC of 20 June 2001 and its changes (last in Circular 24/2024/TT-BTNMT), as EPSG gives it in the areas of use
//! of EPSG:5896-5899 and EPSG:9205-9218. The names are those of the 63 provinces before 1 July 2025 (and Hà Tây): maps and land registers
//! made before keep the meridian of the province that they were made for, whatever it belongs to now.

/// Provinces in plain letters, by central meridian in degrees.
pub(super) const OF_PROVINCES: &[(f64, &[&str])] = &[
    (103.0, &["dien bien", "lai chau"]),
    (104.0, &["son la"]),
    (104.5, &["ca mau", "kien giang"]),
    (
        104.75,
        &["an giang", "lao cai", "nghe an", "phu tho", "yen bai"],
    ),
    (
        105.0,
        &[
            "bac lieu",
            "can tho",
            "dong thap",
            "ha nam",
            "ha noi",
            "ha tay",
            "hau giang",
            "ninh binh",
            "thanh hoa",
            "vinh phuc",
        ],
    ),
    (
        105.5,
        &[
            "bac ninh",
            "ha giang",
            "ha tinh",
            "hai duong",
            "hung yen",
            "nam dinh",
            "soc trang",
            "tay ninh",
            "thai binh",
            "tra vinh",
            "vinh long",
        ],
    ),
    (
        105.75,
        &[
            "ben tre",
            "binh duong",
            "cao bang",
            "hai phong",
            "ho chi minh",
            "long an",
            "tien giang",
        ],
    ),
    (106.0, &["hoa binh", "quang binh", "tuyen quang"]),
    (106.25, &["binh phuoc", "quang tri"]),
    (106.5, &["bac kan", "thai nguyen"]),
    (107.0, &["bac giang", "hue", "thua thien hue"]),
    (107.25, &["lang son"]),
    (107.5, &["kon tum"]),
    (
        107.75,
        &[
            "ba ria vung tau",
            "da nang",
            "dong nai",
            "lam dong",
            "quang nam",
            "quang ninh",
        ],
    ),
    (108.0, &["quang ngai"]),
    (108.25, &["binh dinh", "khanh hoa", "ninh thuan"]),
    (
        108.5,
        &["binh thuan", "dak lak", "dak nong", "gia lai", "phu yen"],
    ),
];

/// EPSG's codes for the zones that are three degrees wide, which the table of definitions lacks.
pub(super) const OF_EPSG: &[(u16, f64)] = &[
    (9205, 103.0),
    (9206, 104.0),
    (9207, 104.5),
    (9208, 104.75),
    (9209, 105.5),
    (9210, 105.75),
    (9211, 106.0),
    (9212, 106.25),
    (9213, 106.5),
    (9214, 107.0),
    (9215, 107.25),
    (9216, 107.5),
    (9217, 108.25),
    (9218, 108.5),
];

/// The meridian of a province by its plain name.
pub(super) fn of_province(plain: &str) -> Option<f64> {
    let found = OF_PROVINCES
        .iter()
        .find(|(_, provinces)| provinces.contains(&plain));
    found.map(|(meridian, _)| *meridian)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_province_has_one_meridian() {
        let mut all: Vec<&str> = OF_PROVINCES
            .iter()
            .flat_map(|(_, provinces)| provinces.iter().copied())
            .collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        // The 63 of 2024, Huế under both its names, and Hà Tây.
        assert_eq!((all.len(), count), (65, 65));
        assert_eq!(of_province("hai phong"), Some(105.75));
        assert_eq!(of_province("atlantis"), None);
    }
}
