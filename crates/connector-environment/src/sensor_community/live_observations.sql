-- https://github.com/opendata-stuttgart/meta/wiki/EN-APIs: a record holds a list of readings.
SELECT
  station_id,
  CASE property
    WHEN 'P0' THEN 'pm1'
    WHEN 'P1' THEN 'pm10'
    WHEN 'P2' THEN 'pm25'
    WHEN 'humidity' THEN 'relativehumidity'
    ELSE property
  END AS observed_property,
  -- "2025-01-31 07:00:00", UTC.
  phenomenon_time,
  CASE property WHEN 'pressure' THEN parse_number(value, '.', '') / 100 ELSE parse_number(value, '.', '') END AS result,
  CASE property
    WHEN 'temperature' THEN 'Cel'
    WHEN 'humidity' THEN '%'
    WHEN 'pressure' THEN 'hPa'
    ELSE 'ug/m3'
  END AS unit,
  sensor_id
FROM (
  SELECT station_id, phenomenon_time, sensor_id, json_get_str(reading, 'value_type') AS property, json_as_text(reading, 'value') AS value
  FROM (
    SELECT
      json_as_text(location, 'id') AS station_id,
      "timestamp" AS phenomenon_time,
      json_as_text(sensor, 'id') AS sensor_id,
      unnest(json_get_array(sensordatavalues)) AS reading
    FROM source
  ) AS records
) AS readings
WHERE property IN ('P0', 'P1', 'P2', 'temperature', 'humidity', 'pressure')
  AND lower(value) NOT IN ('', 'nan', 'unavailable', 'unknown')
