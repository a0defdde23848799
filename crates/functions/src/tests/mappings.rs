//! The functions that mappings are made of, with their answers and their messages to bad input.

use super::functions::transcript;

#[tokio::test]
async fn text_and_names() {
    let answers = transcript(&[
        "SELECT nfc('Ha\u{309}i Pho\u{300}ng') = 'Hải Phòng' AS a, clean_text('  Lê\u{a0}\u{200b} Chân ') AS b, clean_text(' ') AS c, clean_text(NULL) AS d",
        "SELECT name_key('TP. Thuỷ  Nguyên') AS a, name_key('Kota Bandung') AS b, name_key('Kota Bandung', 'VN') AS c",
        "SELECT name_similarity('Quận Hồng Bàng', 'hong bang') AS a, name_similarity('Phường 1', 'P.11') AS b, round(name_similarity('Hồng Bàng', 'Hồng Bang A'), 3) AS c",
        "SELECT best_match('Hong Bang', ['Hồng Bàng', 'Lê Chân'], 0.9) AS a, best_match('Hong Bang', ['Lê Chân', NULL], 0.9) AS b, best_match('a', [], 0) AS c",
        "SELECT school_key('Trường PTDTNT THCS&THPT Bắc Hà') AS a, school_similarity('THPT Trần Phú', 'THCS Trần Phú') AS b",
        "SELECT best_school_match('TH Lê Lợi', ['Trường tiểu học Lê Lợi', 'Trường THCS Lê Lợi'], 0.9) AS a",
        "SELECT best_match('a', ['b'], 1.5)",
        "SELECT best_match('a', 'b', 1)",
    ]);
    insta::assert_snapshot!(answers.await);
}

#[tokio::test]
async fn numbers_and_dates() {
    let answers = transcript(&[
        "SELECT parse_number('(1.234,5)', ',', '.') AS a, parse_number('12,5%', ',') AS b, parse_number('1 234', ',', ' ') AS c, parse_number('7-', '.') AS d",
        "SELECT parse_number('1.234', ',')",
        "SELECT parse_number('1.234', '.', '.')",
        "SELECT parse_number('1.234', 'dot')",
        "SELECT parse_date('25/12/2024') AS a, parse_date('2024-03-04') AS b, parse_date('04/03/2024', 'dmy') AS c, parse_date('25/12/2567', 'dmy-be') AS d, parse_date(45292, 'excel') AS e",
        "SELECT parse_date('03/04/2024')",
        "SELECT parse_date('45292')",
        "SELECT parse_date('3/4/24', 'dmy')",
        "SELECT parse_date('2024-04-03 10:00', 'iso')",
        "SELECT parse_date('45292.5', 'excel')",
        "SELECT try_parse_date('03/04/2024') AS a, parse_date(NULL) AS b, parse_date('', 'dmy') AS c, parse_date('1/1/2024', NULL) AS d",
        "SELECT parse_timestamp('25/12/2024 7:30 CH', 'dmy', 'Asia/Ho_Chi_Minh') AS a, parse_timestamp('2024-12-25T07:30:00+07:00', 'iso') AS b, parse_timestamp(45292.3125, 'excel', 'Asia/Ho_Chi_Minh') AS c",
        "SELECT from_buddhist_year(2567) AS a",
        "SELECT from_buddhist_year(2024)",
        "SELECT fiscal_year(DATE '2024-10-01', 10) AS a, fiscal_year('2024-09-30', 10) AS b, fiscal_year('2024-09-30', 4, 'start') AS c, fiscal_year('2024-09-30', 1) AS d",
        "SELECT fiscal_year_start(2025, 10) AS a, fiscal_year_end(2025, 10) AS b, fiscal_year_start(2024, 4, 'start') AS c, fiscal_year_end(2024, 4, 'start') AS d, fiscal_year_end(2024, 1) AS e",
        "SELECT fiscal_year(DATE '2024-10-01', 13)",
        "SELECT fiscal_year('10/2024', 1)",
        "SELECT fiscal_year(DATE '2024-10-01', 4, 'middle')",
        "SELECT school_year('Năm học 2023 - 24') AS a, school_year_start('2023-2024') AS b, school_year_end('2023-2024') AS c, school_year('') AS d",
        "SELECT school_year('2023')",
    ]);
    insta::assert_snapshot!(answers.await);
}

#[tokio::test]
async fn units_air_and_cells() {
    let answers = transcript(&[
        "SELECT convert_unit(36, 'km/h', 'm/s') AS a, convert_unit(25, 'Cel', '[degF]') AS b, convert_unit(NULL, 'm', 'm') AS c",
        "SELECT convert_unit(1, 'ug/m3', '[ppm]')",
        "SELECT convert_unit(1, '°C', 'K')",
        "SELECT round(ppm_to_ugm3(0.05, 'NO2'), 2) AS a, round(ppm_to_ugm3(0.05, 'NO₂', 20, 1013), 2) AS b, round(ugm3_to_ppm(ppm_to_ugm3(0.05, 'O3', 30, 1000), 'O3', 30, 1000), 9) AS c",
        "SELECT ppm_to_ugm3(0.05, 'PM2.5')",
        "SELECT ppm_to_ugm3(0.05, 'O3', 1013, 25)",
        "SELECT vn_aqi('PM2.5', 55.7) AS a, vn_aqi('PM2,5', 20.3, 'nowcast') AS b, vn_aqi('O3', 89.3, '8h') AS c, vn_aqi('O₃', 401, '8h') AS d, vn_aqi('NO2', 118.7) AS e",
        "SELECT round(vn_nowcast([20.6, 19.6, 22.4, 20.3, 16.5, 19.0, 16.5, 19.5, 23.5, 20.5, 24.7, 26.9]), 1) AS a, vn_nowcast([20.6, NULL, NULL, 3.0]) AS b",
        "SELECT us_aqi('PM2.5', 35.9) AS a, us_aqi('O3', 0.07853333) AS b, us_aqi('CO', 8.4) AS c, us_aqi('O3', 0.1, '1h') AS d, us_aqi_category(102) AS e, vn_aqi_category(110) AS f",
        "SELECT vn_aqi('PM1', 5)",
        "SELECT vn_aqi('CO', 5, '8h')",
        "SELECT us_aqi('PM2.5', -1)",
        "SELECT vn_nowcast([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])",
        "SELECT h3_cell(ST_Point(106.68, 20.86), 9) AS a, ST_AsText(h3_center(h3_cell(ST_Point(106.68, 20.86), 9))) AS b, geohash(ST_Point(106.68, 20.86), 7) AS c",
        "SELECT ST_AsText(geohash_boundary('w7e')) AS a, ST_Within(ST_Point(106.68, 20.86), h3_boundary(h3_cell(ST_Point(106.68, 20.86), 9))) AS b",
        "SELECT h3_cell(ST_Point(20.86, 106.68), 9)",
        "SELECT h3_cell(ST_Point(106.68, 20.86), 16)",
        "SELECT h3_center('zz')",
        "SELECT geohash('LINESTRING(0 0, 1 1)', 5)",
        "SELECT geohash_center('ail')",
    ]);
    insta::assert_snapshot!(answers.await);
}
