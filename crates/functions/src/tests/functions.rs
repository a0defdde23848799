//! Every function of ours in SQL, with its answer and its message to bad input.

use super::{session, told};

pub(super) async fn transcript(statements: &[&str]) -> String {
    let session = session();
    let mut text = String::new();
    for sql in statements {
        text.push_str(&format!("{sql}\n{}\n\n", told(&session, sql).await));
    }
    text
}

#[tokio::test]
async fn numbers_and_times() {
    let answers = transcript(&[
        "SELECT parse_number('1.234,5', ',', '.') AS a, try_parse_number('n/a', ',') AS b",
        "SELECT parse_date('25/12/2024', '%d/%m/%Y') AS c, try_parse_date('', '%Y') AS d",
        "SELECT parse_timestamp('25/12/2024 07:30', '%d/%m/%Y %H:%M', 'Asia/Ho_Chi_Minh') AS t",
        "SELECT gtfs_seconds('25:10:00') AS e, try_gtfs_seconds('x') AS f",
        "SELECT vn_unaccent('Đường Nguyễn Đức Cảnh') AS u",
        "SELECT parse_number('1,2,3', '.', ',')",
        "SELECT parse_date('32/12/2024', '%d/%m/%Y')",
        "SELECT parse_date('2024', 'year')",
        "SELECT parse_timestamp('2024', '%Y', 'Asia/Hai_Phong')",
        "SELECT gtfs_seconds('noon')",
        "SELECT gtfs_seconds(1)",
        "SELECT parse_number('1')",
    ]);
    insta::assert_snapshot!(answers.await);
}

#[tokio::test]
async fn places() {
    let answers = transcript(&[
        "SELECT ST_X(p) AS x, ST_Y(p) AS y, ST_AsText(p) AS t, ST_AsGeoJSON(p) AS j FROM (SELECT ST_Point(106.68, 20.86) AS p)",
        "SELECT round(st_distance_sphere(ST_Point(106.68, 20.86), ST_Point(106.69, 20.86))) AS m",
        "SELECT ST_Within(ST_Point(1, 1), s) AS within, ST_Contains(s, ST_Point(3, 3)) AS contains, ST_Area(s) AS area FROM (SELECT ST_GeomFromText('POLYGON((0 0, 2 0, 2 2, 0 2, 0 0))') AS s)",
        "SELECT ST_AsText(ST_Centroid('POLYGON((0 0, 2 0, 2 2, 0 2, 0 0))')) AS centre",
        "SELECT ST_GeometryType(b) AS kind, round(ST_Area(b), 1) AS area FROM (SELECT ST_Buffer(ST_Point(0, 0), 1.0) AS b)",
        "SELECT ST_DWithin(ST_Point(0, 0), ST_Point(3, 4), 5) AS near, ST_Distance(ST_Point(0, 0), 'POINT(3 4)') AS d",
        "SELECT ST_X('no point')",
        "SELECT ST_X(X'00')",
        "SELECT ST_X(1)",
        "SELECT ST_Buffer(ST_Point(0, 0), CAST('NaN' AS DOUBLE))",
        // A geometry is a value like any other.
        "SELECT ST_AsText(g) AS g, n FROM (SELECT g, count(*) AS n FROM (VALUES (ST_Point(1, 2)), (ST_Point(1, 2)), (NULL)) AS t(g) GROUP BY g) q ORDER BY n",
    ]);
    insta::assert_snapshot!(answers.await);
}

#[tokio::test]
async fn engine_faults_are_mended() {
    let options = crate::SessionOptions {
        time_zone: Some("Asia/Ho_Chi_Minh".to_owned()),
        ..Default::default()
    };
    let zoned = crate::new_session(&options).unwrap();
    let mut text = transcript(&[
        "SELECT to_timestamp('2024-01-01T00:00:00') AS t",
        "SELECT sign(-2.5) AS s",
    ])
    .await;
    for sql in [
        "SELECT to_timestamp('2024-01-01T00:00:00') AS t",
        "SELECT to_timestamp('2024-01-01T00:00:00Z') AS t, to_timestamp(0) AS z",
        "SELECT x, sum(1) OVER (ORDER BY b) AS n FROM (VALUES (1, X'01'), (2, X'01'), (3, X'02')) AS t(x, b) ORDER BY x",
    ] {
        text.push_str(&format!("{sql}\n{}\n\n", told(&zoned, sql).await));
    }
    insta::assert_snapshot!(text);
}
