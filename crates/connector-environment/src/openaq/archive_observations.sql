-- https://docs.openaq.org/aws/about; the time is the end of the interval, with the location's offset.
SELECT
  location_id AS station_id,
  parameter AS observed_property,
  parse_timestamp("datetime", 'iso', 'UTC') - CAST($period AS INTERVAL) AS phenomenon_time,
  parse_timestamp("datetime", 'iso', 'UTC') AS phenomenon_time_end,
  value AS result,
  CASE replace(units, 'μ', 'µ')
    WHEN 'µg/m³' THEN 'ug/m3'
    WHEN 'mg/m³' THEN 'mg/m3'
    WHEN 'ppm' THEN '[ppm]'
    WHEN 'ppb' THEN '[ppb]'
    WHEN 'c' THEN 'Cel'
    WHEN 'f' THEN '[degF]'
    WHEN 'hpa' THEN 'hPa'
    WHEN 'mb' THEN 'hPa'
    WHEN 'particles/cm³' THEN '{particle}/cm3'
    ELSE units
  END AS unit,
  sensors_id AS sensor_id
FROM source
