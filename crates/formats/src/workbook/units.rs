//! Rows that say what the columns are measured in.

use crate::workbook::layout::{HeadCell, HeadRow};

/// What things are counted and measured in, folded to lower case: UCUM codes and the words of Vietnamese and English tables.
const UNITS: &[&str] = &[
    "%",
    "‰",
    "%o",
    "[ppth]",
    "[ppm]",
    "[ppb]",
    "ppm",
    "ppb",
    "m",
    "km",
    "cm",
    "mm",
    "um",
    "µm",
    "m2",
    "m²",
    "m^2",
    "km2",
    "km²",
    "ha",
    "ar",
    "m3",
    "m³",
    "l",
    "lít",
    "ml",
    "hl",
    "g",
    "kg",
    "mg",
    "ug",
    "µg",
    "μg",
    "t",
    "tấn",
    "tạ",
    "yến",
    "s",
    "min",
    "h",
    "d",
    "a",
    "giây",
    "phút",
    "giờ",
    "ngày",
    "tuần",
    "tháng",
    "năm",
    "quý",
    "°c",
    "cel",
    "°f",
    "k",
    "hpa",
    "pa",
    "kpa",
    "mbar",
    "bar",
    "j",
    "kj",
    "mj",
    "gj",
    "toe",
    "w",
    "kw",
    "mw",
    "gw",
    "kwh",
    "kw.h",
    "mwh",
    "mw.h",
    "gwh",
    "v",
    "kv",
    "db",
    "db(a)",
    "dba",
    "ph",
    "[ph]",
    "ntu",
    "pt-co",
    "mpn",
    "cfu",
    "pcu",
    "deg",
    "độ",
    "người",
    "nhân khẩu",
    "lao động",
    "hộ",
    "hộ gia đình",
    "học sinh",
    "hs",
    "em",
    "sinh viên",
    "học viên",
    "trẻ",
    "trẻ em",
    "giáo viên",
    "gv",
    "giảng viên",
    "cán bộ",
    "trường",
    "lớp",
    "lớp học",
    "phòng",
    "phòng học",
    "cơ sở",
    "đơn vị",
    "điểm",
    "bệnh viện",
    "giường",
    "ca",
    "lần",
    "lượt",
    "lượt người",
    "lượt khách",
    "hành khách",
    "khách",
    "cái",
    "chiếc",
    "bộ",
    "con",
    "cây",
    "cuốn",
    "bản",
    "hồ sơ",
    "dịch vụ",
    "thủ tục",
    "vụ",
    "tin",
    "xe",
    "ô tô",
    "phương tiện",
    "chuyến",
    "tàu",
    "dự án",
    "doanh nghiệp",
    "dn",
    "xã",
    "huyện",
    "tỉnh",
    "đồng",
    "vnđ",
    "vnd",
    "usd",
    "đô la mỹ",
    "hk.km",
    "tấn.km",
    "t.km",
    "person",
    "persons",
    "people",
    "inhabitants",
    "students",
    "pupils",
    "teachers",
    "schools",
    "classes",
    "households",
    "number",
    "no.",
    "count",
    "percent",
    "per cent",
    "tonne",
    "tonnes",
    "tons",
    "km/h",
    "trips",
    "passengers",
    "vehicles",
    "beds",
    "cases",
    "hectares",
    "years",
    "days",
    "hours",
    "minutes",
    "eur",
    "€",
    "$",
    "£",
];
/// What units are multiplied by.
const MULTIPLES: &[&str] = &[
    "nghìn",
    "ngàn",
    "triệu",
    "tỷ",
    "tỉ",
    "trăm",
    "thousand",
    "thousands",
    "million",
    "millions",
    "billion",
    "1000",
    "1.000",
    "100",
    "10^3",
    "10^6",
    "'000",
    "mil.",
    "bn",
];
/// What is written before a unit.
const LABELS: &[&str] = &["đơn vị tính", "đơn vị", "đvt", "unit", "units"];

/// The row right below the header that holds nothing but units, above a row of numbers.
pub(super) fn below(rows: &[HeadRow], header: u32) -> Option<u32> {
    let mut below = rows.iter().filter(|row| row.number > header);
    let (units, data) = (below.next()?, below.next()?);
    let is_above_number = |cell: &&HeadCell| {
        let below = data.cells.iter().find(|below| below.column == cell.column);
        below.is_some_and(|below| below.is_number)
    };
    let above_numbers = units.cells.iter().filter(is_above_number).count();
    let is_certain = units.number == header + 1
        && units
            .cells
            .iter()
            .all(|cell| !cell.is_number && is_unit(&cell.text))
        && above_numbers * 2 >= units.cells.len()
        && above_numbers > 0;
    is_certain.then_some(units.number)
}

/// Whether a text is a unit and nothing else.
fn is_unit(text: &str) -> bool {
    let text = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    let text = text.trim_matches(['(', ')', '[', ']', ':']);
    let unlabelled = LABELS.iter().find_map(|label| {
        let rest = text.strip_prefix(label)?.trim_start();
        rest.strip_prefix(':')
    });
    let text = unlabelled.unwrap_or(text).trim();
    is_simple(text)
        || (text.split('/').count() == 2 && text.split('/').all(|part| is_simple(part.trim())))
}

fn is_simple(text: &str) -> bool {
    let is_known = |text: &str| UNITS.contains(&text);
    let multiplied = text.split_once(' ').is_some_and(|(multiple, unit)| {
        MULTIPLES.contains(&multiple) && (is_known(unit) || MULTIPLES.contains(&unit))
    });
    is_known(text) || multiplied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_from_words() {
        for unit in [
            "người",
            "Học sinh",
            "%",
            "m2",
            "km²",
            "(người)",
            "ĐVT: triệu đồng",
            "nghìn tấn",
            "người/km2",
            "µg/m3",
            "°C",
            "[ppm]",
            "kW.h",
            "students",
        ] {
            assert!(is_unit(unit), "{unit}");
        }
        for other in [
            "",
            "Hồng Bàng",
            "Tổng số",
            "Nam",
            "Trường Tiểu học",
            "a/b/c",
            "triệu",
            "12",
        ] {
            assert!(!is_unit(other), "{other}");
        }
    }
}
