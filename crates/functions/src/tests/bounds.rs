//! What a statement may ask for at once.

use super::told;
use crate::{SessionOptions, new_session};

#[tokio::test]
async fn what_would_not_fit_is_refused_before_it_is_made() {
    let session = new_session(&SessionOptions {
        memory_bytes_max: 2 << 20,
        ..SessionOptions::default()
    })
    .unwrap();
    let mut pages = Vec::new();
    for sql in [
        "SELECT cardinality(generate_series(0, 100000000000))",
        "SELECT cardinality(range(3000000000))",
        "SELECT cardinality(range(3000000000, 0, -1))",
        "SELECT cardinality(range(3000000000, 0, 1))",
        "SELECT cardinality(generate_series(0, 100000))",
        "SELECT cardinality(generate_series(date '1900-01-01', date '2200-01-01', interval '1 day'))",
        "SELECT cardinality(generate_series(timestamp '2000-01-01', timestamp '2200-01-01', interval '1 second'))",
        "SELECT length(repeat('ab', 100000000))",
        "SELECT length(lpad('x', 2147483647, 'ab'))",
        "SELECT length(rpad('x', 2147483647))",
        "SELECT length(replace(repeat('a', 100000), 'a', repeat('b', 100000)))",
        "SELECT cardinality(array_repeat(1, 2000000000))",
        "SELECT cardinality(list_repeat(1, 10))",
        "SELECT cardinality(array_resize([1], 2000000000))",
        "SELECT array_resize([1], -1)",
        "SELECT length(array_to_string(generate_series(1, 10000), repeat('x', 100000)))",
        "SELECT cardinality(array_replace_all(array_repeat('a', 10000), 'a', repeat('b', 100000)))",
        "SELECT max(length(repeat('ab', value))) FROM generate_series(1, 100000) t(value)",
        "SELECT max(length(repeat('ab', value))) FROM generate_series(1, 100) t(value)",
    ] {
        pages.push(format!("{sql}\n{}", told(&session, sql).await));
    }
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[tokio::test]
async fn sums_are_right_or_refused() {
    let session = super::session();
    let large = "(VALUES (1, 9223372036854775807), (1, 9223372036854775807), (2, 5), (2, NULL), (3, NULL)) t(k, x)";
    let mut pages = Vec::new();
    for sql in [
        format!("SELECT sum(x) FROM {large}"),
        format!("SELECT k, sum(x) FROM {large} GROUP BY k ORDER BY k"),
        format!("SELECT k, sum(x) FILTER (WHERE x < 9) FROM {large} GROUP BY k ORDER BY k"),
        format!("SELECT sum(CAST(x AS DECIMAL(38, 0))) FROM {large}"),
        format!("SELECT sum(DISTINCT x) FROM {large} WHERE k = 2"),
        "SELECT sum(x) FROM (VALUES (9223372036854775807), (1), (-1)) t(x)".to_owned(),
        "SELECT sum(x) FROM (SELECT 1 AS x) t WHERE x > 1".to_owned(),
        "SELECT x, sum(x) OVER (ORDER BY x ROWS 1 PRECEDING), sum(x) OVER (ORDER BY x) FROM (VALUES (1), (2), (3)) t(x) ORDER BY x".to_owned(),
        "SELECT sum(value + 1), sum(arrow_cast(value, 'UInt64')) FROM generate_series(1, 10000)".to_owned(),
    ] {
        pages.push(format!("{sql}\n{}", told(&session, &sql).await));
    }
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[tokio::test]
async fn odd_geometries_are_told_and_harm_nothing() {
    let session = super::session();
    let triangle = "st_geomfromtext('POLYGON((0 0,1 0,1 1,0 0))')";
    let mut pages = Vec::new();
    for sql in [
        format!("SELECT st_intersects(st_point('nan'::double, 0), {triangle})"),
        "SELECT st_convexhull(st_point('inf'::double, 0))".to_owned(),
        "SELECT st_distance(st_geomfromtext('POINT EMPTY'), st_point(1, 1)) AS d, st_centroid(st_geomfromtext('POINT EMPTY')) AS c".to_owned(),
        format!("SELECT st_within(st_geomfromtext(g), {triangle}) AS w FROM (VALUES ('POINT EMPTY'), ('POINT(0.5 0.2)'), (NULL)) t(g)"),
        "SELECT st_isempty(st_geomfromtext('POINT EMPTY')) AS e".to_owned(),
        "SELECT st_buffer(decode('01030000000100000000000000', 'hex'), 0.5) IS NULL AS n".to_owned(),
        "SELECT st_buffer(decode('0103000000010000000100000000000000000000000000000000000000', 'hex'), 0.5)".to_owned(),
        "SELECT round(st_area(st_buffer(st_geomfromtext('POLYGON((0 0,1 1,0 1,1 0,0 0))'), 1)), 2) AS bow_tie".to_owned(),
        "SELECT round(st_area(st_buffer(st_geomfromtext('POLYGON((0 0,1 1,0 1,2 -1,0 0))'), 0)), 2) AS uneven".to_owned(),
        "SELECT round(st_area(st_buffer(st_geomfromtext('POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,8 1,8 8,1 8,1 1))'), 0)), 2) AS with_hole".to_owned(),
        format!("SELECT round(st_area(st_buffer({triangle}, 1)), 2) AS a, round(st_area(st_buffer({triangle}, -1)), 2) AS nothing"),
    ] {
        pages.push(format!("{sql}\n{}", told(&session, &sql).await));
    }
    insta::assert_snapshot!(pages.join("\n\n"));
}
