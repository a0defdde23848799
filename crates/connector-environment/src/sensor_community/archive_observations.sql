-- https://archive.sensor.community/: one column a reading; P0 is PM1, P1 is PM10, P2 is PM2.5. The rest are the instrument's own counters.
SELECT
  location AS station_id,
  CASE property
    WHEN 'P0' THEN 'pm1'
    WHEN 'P1' THEN 'pm10'
    WHEN 'P2' THEN 'pm25'
    WHEN 'humidity' THEN 'relativehumidity'
    ELSE property
  END AS observed_property,
  "timestamp" AS phenomenon_time,
  CASE property WHEN 'pressure' THEN parse_number(value, '.', '') / 100 ELSE parse_number(value, '.', '') END AS result,
  CASE property
    WHEN 'temperature' THEN 'Cel'
    WHEN 'humidity' THEN '%'
    -- Published in pascals.
    WHEN 'pressure' THEN 'hPa'
    ELSE 'ug/m3'
  END AS unit,
  sensor_id
FROM source
WHERE property IN ('P0', 'P1', 'P2', 'temperature', 'humidity', 'pressure')
  AND lower(value) NOT IN ('', 'nan', 'unavailable', 'unknown')
