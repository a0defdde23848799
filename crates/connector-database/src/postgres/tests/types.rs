//! A round trip of every type.

use super::*;

const TABLE: &str = r#"
CREATE TYPE mood AS ENUM ('vui', 'buồn');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN small AS int2 CHECK (VALUE < 100);
CREATE DOMAIN price AS numeric(10, 2);
-- What PostGIS would bring: the type, and the function that writes it as WKB.
CREATE TYPE geometry AS (x float8, y float8);
CREATE FUNCTION st_asbinary(geometry) RETURNS bytea LANGUAGE sql STRICT AS $$ SELECT '\x0101'::bytea $$;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TABLE everything (
  bool_ bool, int2_ int2, int4_ int4, int8_ int8, oid_ oid, float4_ float4, float8_ float8,
  numeric_ numeric, numeric_10_2 numeric(10, 2), numeric_38_0 numeric(38, 0), numeric_40_3 numeric(40, 3), money_ money,
  text_ text, varchar_ varchar(10), char_ char(4), char1_ "char", name_ name, bytea_ bytea, uuid_ uuid, json_ json, jsonb_ jsonb,
  xml_ xml, date_ date, time_ time, timetz_ timetz, timestamp_ timestamp, timestamptz_ timestamptz, interval_ interval,
  inet_ inet, cidr_ cidr, macaddr_ macaddr, bit_ bit(3), varbit_ varbit, point_ point, int4range_ int4range,
  int4s_ int4[], texts_ text[], matrix_ float8[][], mood_ mood, moods_ mood[], pair_ pair, small_ small, price_ price,
  tsvector_ tsvector, hstore_ hstore, geometry_ geometry
);
INSERT INTO everything VALUES (
  true, -32768, 2147483647, -9223372036854775808, 4294967295, 1.5, 0.1,
  123456789012345678901234567890.123456789, -12345678.90, 99999999999999999999999999999999999999, 1234567890123456789012345678901234567.125, 1234.5,
  E'Hải Phòng\n"x"', 'mười', 'ab', 'c', 'tên', '\x00ff', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": [1, null]}', '{"b": "ế"}',
  '<a/>', '2024-02-29', '23:59:59.5', '12:00:00+07', '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789012+07', '1 year 2 days 03:04:05.6',
  '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', B'101', B'11', '(1,2)', '[1,5)',
  '{1,NULL,3}', '{"a,b","c\"d"}', '{{1,2},{3,4}}', 'buồn', '{vui}', '(1,"x y")', 99, 12.30,
  'cá mèo', 'a=>1', '(105.8,21.0)'
);
INSERT INTO everything (int4_) VALUES (NULL);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_type_comes_as_what_it_is() {
    let Some(db) = Db::new("types").await else {
        return;
    };
    // Without the extension its type is left out.
    let has_hstore = db
        .client
        .batch_execute("CREATE EXTENSION hstore")
        .await
        .is_ok();
    let table = match has_hstore {
        true => TABLE.to_owned(),
        false => TABLE
            .replace("CREATE EXTENSION IF NOT EXISTS hstore;", "")
            .replace("hstore_ hstore", "hstore_ text")
            .replace("'a=>1'", "'\"a\"=>\"1\"'"),
    };
    db.run(&table).await;
    let (parts, _) = fetch(
        &*db.connector(json!({"tables": ["everything"]})),
        "everything",
        None,
        &run_at(0),
    )
    .await
    .unwrap();
    insta::assert_snapshot!(shown(&parts));
    assert!(parts[0].headers.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_values_are_kept_or_told() {
    let Some(db) = Db::new("odd").await else {
        return;
    };
    db.run(
        "CREATE TABLE odd (n numeric(5, 2), any_n numeric, f float8, d date, t timestamp, z timestamptz, i time);
         INSERT INTO odd VALUES ('NaN', 'NaN', 'NaN', 'infinity', 'infinity', '-infinity', '24:00');
         INSERT INTO odd VALUES (0, 'infinity', '-infinity', '0044-03-15 BC', '294276-12-31 23:59:59.999999', '4713-01-01 00:00+00 BC', '00:00');
         INSERT INTO odd VALUES (-0.01, 0.000, 1e-300, '5874897-12-31', '0001-01-01', '1999-12-31 23:59:59.999999+00', '12:00:00.000001');
         INSERT INTO odd VALUES (999.99, -0.5, 1e300, '1969-12-31', '1969-12-31 23:59:59.999999', '2000-01-01 00:00+00', '01:02:03.040')",
    )
    .await;
    let (parts, _) = fetch(
        &*db.connector(json!({"tables": ["odd"]})),
        "odd",
        None,
        &run_at(0),
    )
    .await
    .unwrap();
    insta::assert_snapshot!(shown(&parts));
    insta::assert_snapshot!(parts[0].headers["read-as-null"]);
}
