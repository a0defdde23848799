//! Vietnam's units in both generations, from the official files: all of them are found, and each old commune leads to its new ones.

use crate::real_lake::RealLake;

/// Units that were no more, or had another name, in January 2025 (`vn_former_units.csv`).
const FORMER: f64 = 7.0;

#[test]
fn every_unit_is_found_by_its_code_and_by_its_name_below_its_parent() {
    let asked = |what: &str| {
        format!(
            "SELECT count(*) FROM common.places \
             WHERE (try_place_code({what}, coalesce(parent_code, ''), valid_from) IS DISTINCT FROM place_code)"
        )
    };
    let lake = RealLake::get();
    assert_eq!(
        lake.number("SELECT count(*) FROM common.places"),
        63.0 + 696.0 + 10_051.0 + 34.0 + 3_321.0 + FORMER
    );
    assert_eq!(lake.number(&asked("place_code")), 0.0);
    let former = "SELECT count(*) FROM common.places WHERE place_code = '46' AND try_place_code('Thừa Thiên Huế') = '46'";
    assert!(lake.number(former) > 0.0);
    // The list of January 2025 has two communes of one name in one district, one of them merged long before.
    let unfound = format!("{} AND full_name <> 'Xã Đông Khê'", asked("full_name"));
    assert_eq!(lake.number(&unfound), 0.0);
    let both = lake.sectorlake(&["sql", "SELECT place_code('Xã Đông Khê', '380')"]);
    assert!(both.says("16387") && both.says("16408"), "{}", both.whole());
}

#[test]
fn the_crosswalk_covers_every_old_commune_with_shares_that_add_up() {
    let lake = RealLake::get();
    let uncovered = lake.sql(
        "SELECT place_code FROM common.places AS p WHERE level = 'ward' AND valid_to IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM common.place_crosswalk AS c WHERE c.old_place_code = p.place_code)",
    );
    assert!(uncovered.is_empty(), "{uncovered:?}");
    let wrong = lake.sql(
        "SELECT old_place_code, weight_kind, sum(weight) FROM common.place_crosswalk GROUP BY changed_on, 1, 2 \
         HAVING abs(sum(weight) - 1) > 1e-5",
    );
    assert!(wrong.is_empty(), "{wrong:?}");
    let strangers = lake.sql(
        "SELECT new_place_code FROM common.place_crosswalk AS c WHERE NOT EXISTS \
         (SELECT 1 FROM common.places AS p WHERE p.place_code = c.new_place_code AND (p.valid_from = c.changed_on OR p.valid_from = DATE '2025-01-01'))",
    );
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn every_new_commune_and_every_old_unit_says_what_began_or_ended_it() {
    let silent = RealLake::get().sql(
        "SELECT place_code, level FROM common.places WHERE level <> 'province' AND valid_from_event IS NULL AND valid_to_event IS NULL",
    );
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn what_files_of_before_call_a_unit_is_found() {
    let lake = RealLake::get();
    for (asked, code) in [
        ("place_code('Tỉnh Thừa Thiên Huế')", "46"),
        ("place_code('P1', 'Q5', DATE '2025-06-30')", "27325"),
        ("place_code('Quận 2', 'TP.HCM', DATE '2019-01-01')", "769"),
        ("place_code('Huyện Thủy Nguyên', '31')", "311"),
        (
            "place_convert('46', DATE '2024-06-30', DATE '2025-07-01')",
            "46",
        ),
        (
            "place_convert('762', DATE '2020-06-30', DATE '2025-01-04')",
            "769",
        ),
    ] {
        let told = lake.sql(&format!("SELECT {asked} AS code"));
        assert_eq!(told[0]["code"], code, "{asked}");
    }
}

#[test]
fn an_abolished_district_says_where_its_communes_went() {
    let lake = RealLake::get();
    let told = lake.sql("SELECT place_successors('303', DATE '2025-01-04') AS became");
    let became = told[0]["became"].as_str().unwrap();
    assert!(
        became.contains(r#"{"event":"abolish","place_code":"11311","weight":null"#)
            && !became.contains("\"303\""),
        "{became}"
    );
    let convert = "SELECT place_convert('303', DATE '2025-01-04', DATE '2025-07-01')";
    let refused = lake.sectorlake(&["sql", convert]);
    assert!(
        refused.says("it was abolished") && refused.says("Phường Hồng Bàng (11311)"),
        "{}",
        refused.whole()
    );
}
