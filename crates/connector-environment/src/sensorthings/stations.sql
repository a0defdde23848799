-- OGC SensorThings 1.1, 8.2.1 and 8.2.2: a thing, and where it stands now: a GeoJSON geometry, or a feature that has one.
SELECT
  station_id,
  name,
  description AS facility_type,
  locality,
  json_get_float(point, 'coordinates', 1) AS latitude,
  json_get_float(point, 'coordinates', 0) AS longitude,
  json_get_float(point, 'coordinates', 2) AS elevation,
  json_get_float(point, 'coordinates', 0) || ',' || json_get_float(point, 'coordinates', 1) AS location
FROM (
  SELECT
    "@iot.id" AS station_id,
    name,
    NULLIF(trim(description), '') AS description,
    json_get_str("Locations", 0, 'name') AS locality,
    CASE json_get_str("Locations", 0, 'location', 'type')
      WHEN 'Feature' THEN json_get_json("Locations", 0, 'location', 'geometry')
      ELSE json_get_json("Locations", 0, 'location')
    END AS point
  FROM source
) AS things
