-- Schools of Hồ Chí Minh City: metres to a main road, PM2.5 of the nearest sensor
WITH to_road AS (
  SELECT s.school_id, s.name AS school, s.location, r.name AS road,
    st_distance_sphere(s.location, r.geometry) AS road_m,
    row_number() OVER (PARTITION BY s.school_id ORDER BY st_distance_sphere(s.location, r.geometry), r.segment_id) AS place
  FROM education.schools s CROSS JOIN transport.road_segments r
  WHERE s.place_code = '79' AND r.road_class IN ('motorway', 'trunk', 'primary')
),
sensors AS (
  SELECT t.station_id, t.name, t.latitude, t.longitude, avg(o.result) AS pm25
  FROM environment.observations o JOIN environment.stations t ON t.station_id = o.station_id
  WHERE o.observed_property = 'pm25' AND o.unit = 'ug/m3'
  GROUP BY t.station_id, t.name, t.latitude, t.longitude
),
to_sensor AS (
  SELECT w.*, n.name AS sensor, n.pm25,
    distance_sphere(st_y(w.location), st_x(w.location), n.latitude, n.longitude) AS sensor_m,
    row_number() OVER (
      PARTITION BY w.school_id ORDER BY distance_sphere(st_y(w.location), st_x(w.location), n.latitude, n.longitude), n.station_id
    ) AS sensor_place
  FROM to_road w CROSS JOIN sensors n
  WHERE w.place = 1
)
SELECT school, road AS main_road, CAST(round(road_m) AS BIGINT) AS road_m, round(sensor_m / 1000, 1) AS sensor_km, round(pm25, 1) AS pm25_ug_m3
FROM to_sensor
WHERE sensor_place = 1
ORDER BY road_m, school
LIMIT 10
