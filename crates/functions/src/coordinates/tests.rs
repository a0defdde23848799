//! Against PROJ's own answers (tests/data/make_points.py), and what is told of bad input.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::transform::{Transform, Transforms, WGS84};
use super::{central_meridian, check_extent};
use crate::tests::{session, told};
use proptest::prelude::*;

/// Metres between two points that are close together.
fn metres(left: (f64, f64), right: (f64, f64)) -> f64 {
    const DEGREE: f64 = 111_320.0;
    let east = (left.0 - right.0) * left.1.to_radians().cos();
    (east * DEGREE).hypot((left.1 - right.1) * DEGREE)
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().skip(1).map(|line| line.split(',').collect())
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

#[test]
fn a_thousand_points_of_three_provinces_lie_where_proj_puts_them() {
    let mut farthest = 0.0_f64;
    let mut transforms = Transforms::default();
    let mut count = 0;
    for row in rows(include_str!("../../tests/data/vn2000_points.csv")) {
        let [province, epsg, northing, easting, longitude, latitude] = row.as_slice() else {
            unreachable!("six columns");
        };
        let (northing, easting) = (number(northing), number(easting));
        check_extent(northing, easting).unwrap();
        let by_name = Transform::of_vn2000(central_meridian(province).unwrap(), 0.9999).unwrap();
        let expected = (number(longitude), number(latitude));
        let found = by_name.apply(easting, northing).unwrap();
        farthest = farthest.max(metres(found, expected));
        let by_code = transforms.between(epsg.parse().unwrap(), WGS84).unwrap();
        assert!(metres(by_code.apply(easting, northing).unwrap(), found) < 1e-6);
        count += 1;
    }
    assert_eq!(count, 1000);
    // A metre is asked for; the two agree to the tenth of a millimetre that the file was rounded to.
    assert!(farthest < 0.001, "{farthest} m");
}

#[test]
fn other_systems_agree_with_proj_both_ways() {
    let mut transforms = Transforms::default();
    for row in rows(include_str!("../../tests/data/epsg_points.csv")) {
        let epsg: u16 = row[0].parse().unwrap();
        let (x, y) = (number(row[1]), number(row[2]));
        let expected = (number(row[3]), number(row[4]));
        let found = transforms
            .between(epsg, WGS84)
            .unwrap()
            .apply(x, y)
            .unwrap();
        assert!(
            metres(found, expected) < 0.01,
            "EPSG:{epsg} {found:?} {expected:?}"
        );
        let back = transforms.between(WGS84, epsg).unwrap();
        let (back_x, back_y) = back.apply(expected.0, expected.1).unwrap();
        assert!((back_x - x).hypot(back_y - y) < 0.01, "EPSG:{epsg}");
    }
}

#[tokio::test]
async fn coordinates_answer_and_tell() {
    let session = session();
    let mut text = String::new();
    for sql in [
        "SELECT ST_AsText(p) AS p, ST_X(p) AS longitude FROM (SELECT vn2000_to_wgs84(2300000, 600000, 'Hải Phòng') AS p)",
        "SELECT vn2000_to_wgs84(2300000, 600000, 'TP. Hai Phong') = vn2000_to_wgs84(2300000, 600000, 105.75) AS a, vn2000_to_wgs84(2300000, 600000, '105°45''') = vn2000_to_wgs84(2300000, 600000, '105.75', 3) AS b",
        "SELECT round(ST_X(vn2000_to_wgs84(2300000, 600000, 105, 6)), 6) AS wide",
        "SELECT vn2000_to_wgs84(NULL, 600000, 105.75) AS a, dms_to_degrees('') AS b",
        "SELECT vn2000_to_wgs84(600000, 2300000, 'Hải Phòng')",
        "SELECT vn2000_to_wgs84(2300000, 48600000, 'Hải Phòng')",
        "SELECT vn2000_to_wgs84(0, 0, 'Hải Phòng')",
        "SELECT vn2000_to_wgs84(2300000, 600000, 'Hai Fong')",
        "SELECT vn2000_to_wgs84(2300000, 600000, 10)",
        "SELECT vn2000_to_wgs84(2300000, 600000, 105, 4)",
        "SELECT round(ST_X(to_wgs84(600000, 2300000, 32648)), 7) AS x, ST_AsText(to_wgs84(106.5, 20.5, 'epsg:4326')) AS same, to_wgs84(600000, 2300000, 32648.0) = to_wgs84(600000, 2300000, '32648') AS text",
        "SELECT to_wgs84(1, 2, 1)",
        "SELECT to_wgs84(1, 2, 3.5)",
        "SELECT to_wgs84(500, 20, 4326)",
        "SELECT to_wgs84(1, 2, 4267)",
        "SELECT ST_GeometryType(ST_Transform('LINESTRING(106 20, 107 21)', 4326, 32648)) AS g, ST_AsText(ST_Transform('POINT EMPTY', 4326, 32648)) AS e",
        "SELECT round(dms_to_degrees('20°51''54,5\"B'), 9) AS a, dms_to_degrees('106°41''Đ') AS b",
        "SELECT dms_to_degrees('20°61''')",
    ] {
        text.push_str(&format!("{sql}\n{}\n\n", told(&session, sql).await));
    }
    insta::assert_snapshot!(text);
}

proptest! {
    #[test]
    fn there_and_back_is_the_same_place(longitude in 102.2..109.4f64, latitude in 8.4..23.3f64, at in 0usize..4) {
        let epsg = [32648, 3405, 9210, 3857][at];
        let mut transforms = Transforms::default();
        let (x, y) = transforms.between(WGS84, epsg).unwrap().apply(longitude, latitude).unwrap();
        let back = transforms.between(epsg, WGS84).unwrap().apply(x, y).unwrap();
        prop_assert!(metres(back, (longitude, latitude)) < 0.01);
    }

    #[test]
    fn any_code_and_point_is_told_or_computed(epsg: u16, x in prop::num::f64::ANY, y in prop::num::f64::ANY) {
        let mut transforms = Transforms::default();
        let moved = transforms.between(epsg, WGS84).and_then(|transform| transform.apply(x, y));
        if let Ok((x, y)) = moved {
            prop_assert!(x.is_finite() && y.is_finite());
        }
    }
}

#[test]
fn every_system_that_is_known_is_made_or_told() {
    let mut transforms = Transforms::default();
    let known = (1..=u16::MAX).filter(|epsg| crs_definitions::from_code(*epsg).is_some());
    let (mut made, mut told) = (0, 0);
    for epsg in known {
        match transforms.between(epsg, WGS84) {
            Ok(transform) => {
                let _ = transform.apply(500_000.0, 2_000_000.0);
                made += 1;
            }
            Err(_) => told += 1,
        }
    }
    // The others need a grid, or lie on an old ellipsoid without a known shift.
    assert!(made > 5_400 && told < 800, "{made} are made, {told} told");
}
