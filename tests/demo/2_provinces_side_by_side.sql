-- Provinces side by side in 2015: pupils, road passengers and rain
WITH seats (station, ref_area) AS (
  -- Rain is told by station; these stand in the capital of a province with another name.
  VALUES ('Bai Chay', 'Quang Ninh'), ('Da Lat', 'Lam Dong'), ('Hue', 'Thua Thien Hue'), ('Nha Trang', 'Khanh Hoa'), ('Playku', 'Gia Lai'),
    ('Qui Nhon', 'Binh Dinh'), ('Vinh', 'Nghe An'), ('Vung Tau', 'Ba Ria Vung Tau')
),
rain AS (
  SELECT coalesce(s.ref_area, i.ref_area) AS ref_area, sum(i.obs_value) AS mm
  FROM common.indicators i LEFT JOIN seats s ON s.station = i.ref_area
  WHERE i.indicator_code = 'gso.rainfall_monthly' AND i.time_period LIKE '2015-%'
  GROUP BY coalesce(s.ref_area, i.ref_area)
),
provinces AS (
  -- Thừa Thiên Huế has been plain Huế since 2025.
  SELECT place_code, name,
    CASE place_code WHEN '46' THEN 'thua thien hue' ELSE lower(regexp_replace(vn_unaccent(name), '[ -]+', ' ', 'g')) END AS plain
  FROM common.places
  WHERE level = 'province' AND DATE '2025-06-30' >= valid_from AND DATE '2025-06-30' < valid_to
)
SELECT p.place_code, coalesce(p.name, rain.ref_area) AS province,
  CAST(pupils.obs_value AS BIGINT) AS pupils,
  passengers.obs_value AS road_passengers_million,
  round(passengers.obs_value * 1000000 / pupils.obs_value, 1) AS passengers_per_pupil,
  CAST(round(rain.mm) AS BIGINT) AS rain_mm
FROM rain
JOIN common.indicators pupils
  ON pupils.ref_area = rain.ref_area AND pupils.indicator_code = 'gso.pupils' AND pupils.time_period = '2015'
  AND pupils.dimensions = '{"level":"_T"}'
JOIN common.indicators passengers
  ON passengers.ref_area = rain.ref_area AND passengers.indicator_code = 'gso.road_passengers' AND passengers.time_period = '2015'
LEFT JOIN provinces p ON p.plain = lower(rain.ref_area)
ORDER BY rain_mm DESC
