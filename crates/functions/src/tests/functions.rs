//! Every function of ours once in SQL, with its answer and its message to bad input.

use super::{session, told};

macro_rules! check {
    ($sql:expr, @$expected:literal) => {
        insta::assert_snapshot!(told(&session(), $sql).await, @$expected)
    };
}

#[tokio::test]
async fn numbers_and_times() {
    let sql = "SELECT parse_number('1.234,5', ',', '.') AS a, try_parse_number('n/a', ',') AS b, parse_date('25/12/2024', '%d/%m/%Y') AS c, \
        parse_timestamp('25/12/2024 07:30', '%d/%m/%Y %H:%M', 'Asia/Ho_Chi_Minh') AS d, gtfs_seconds('25:10:00') AS e, try_gtfs_seconds('x') AS f";
    check!(sql, @"");
    check!("SELECT parse_number('1,2,3', '.', ',')", @"");
    check!("SELECT parse_date('32/12/2024', '%d/%m/%Y')", @"");
    check!("SELECT parse_timestamp('2024', '%d/%m/%Y', 'Asia/Hai_Phong')", @"");
    check!("SELECT gtfs_seconds('noon')", @"");
    check!("SELECT gtfs_seconds(1)", @"");
    check!("SELECT parse_number('1')", @"");
}

#[tokio::test]
async fn places() {
    let sql = "SELECT ST_X(p) AS x, ST_Y(p) AS y, ST_AsText(p) AS t, ST_AsGeoJSON(p) AS j, round(st_distance_sphere(p, ST_Point(106.69, 20.86))) AS m \
        FROM (SELECT ST_Point(106.68, 20.86) AS p)";
    check!(sql, @"");
    let sql = "SELECT ST_Within(ST_Point(1, 1), s) AS within, ST_Contains(s, ST_Point(3, 3)) AS contains, ST_Area(s) AS area, ST_AsText(ST_Centroid(s)) AS centre, \
        ST_AsText(ST_Buffer(ST_Point(0, 0), 1.0)) LIKE 'POLYGON%' AS buffer FROM (SELECT ST_GeomFromText('POLYGON((0 0, 2 0, 2 2, 0 2, 0 0))') AS s)";
    check!(sql, @"");
    check!("SELECT ST_DWithin(ST_Point(0, 0), ST_Point(3, 4), 5) AS near, ST_Distance(ST_Point(0, 0), 'POINT(3 4)') AS d", @"");
    check!("SELECT ST_X('no point')", @"");
    check!("SELECT ST_X(X'00')", @"");
    check!("SELECT ST_X(1)", @"");
}

#[tokio::test]
async fn a_geometry_is_a_value_like_any_other() {
    check!("SELECT g, count(*) FROM (VALUES (ST_Point(1, 2)), (ST_Point(1, 2)), (NULL)) AS t(g) GROUP BY g ORDER BY g", @"");
}

#[tokio::test]
async fn engine_faults_are_mended() {
    check!("SELECT to_timestamp('2024-01-01T00:00:00') AS t", @"");
    let zoned = crate::new_session(&crate::SessionOptions {
        time_zone: Some("Asia/Ho_Chi_Minh".to_owned()),
        ..Default::default()
    })
    .unwrap();
    insta::assert_snapshot!(told(&zoned, "SELECT to_timestamp('2024-01-01T00:00:00') AS t").await, @"");
    insta::assert_snapshot!(told(&zoned, "SELECT to_timestamp('2024-01-01T00:00:00Z') AS t, to_timestamp(0) AS z").await, @"");
}
