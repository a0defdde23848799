-- OGC SensorThings 1.1, 8.2.4 to 8.2.8: an observation with its datastream, which has property, unit and thing. Names and symbols
-- are the operator's own: the usual ones become those of the shared table, others stay as they are.
SELECT
  json_as_text("Datastream", 'Thing', '@iot.id') AS station_id,
  CASE lower(regexp_replace(property, '[^A-Za-z0-9]', '', 'g'))
    WHEN 'pm1' THEN 'pm1'
    WHEN 'pm25' THEN 'pm25'
    WHEN 'pm10' THEN 'pm10'
    WHEN 'nitrogendioxide' THEN 'no2'
    WHEN 'ozone' THEN 'o3'
    WHEN 'sulphurdioxide' THEN 'so2'
    WHEN 'sulfurdioxide' THEN 'so2'
    WHEN 'carbonmonoxide' THEN 'co'
    WHEN 'airtemperature' THEN 'temperature'
    WHEN 'humidity' THEN 'relativehumidity'
    WHEN 'airpressure' THEN 'pressure'
    WHEN 'atmosphericpressure' THEN 'pressure'
    WHEN 'precipitation' THEN 'rainfall'
    WHEN 'rain' THEN 'rainfall'
    ELSE lower(regexp_replace(property, '[^A-Za-z0-9]', '', 'g'))
  END AS observed_property,
  -- An instant, or an interval in ISO 8601.
  split_part("phenomenonTime", '/', 1) AS phenomenon_time,
  NULLIF(split_part("phenomenonTime", '/', 2), '') AS phenomenon_time_end,
  result,
  CASE replace(coalesce(json_get_str("Datastream", 'unitOfMeasurement', 'symbol'), ''), 'μ', 'µ')
    WHEN '' THEN '1'
    WHEN '°C' THEN 'Cel'
    WHEN 'degC' THEN 'Cel'
    WHEN 'C' THEN 'Cel'
    WHEN '°F' THEN '[degF]'
    WHEN 'µg/m³' THEN 'ug/m3'
    WHEN 'µg/m3' THEN 'ug/m3'
    WHEN 'ug/m^3' THEN 'ug/m3'
    WHEN 'mg/m³' THEN 'mg/m3'
    WHEN 'm³/s' THEN 'm3/s'
    WHEN 'ppm' THEN '[ppm]'
    WHEN 'ppb' THEN '[ppb]'
    WHEN '°' THEN 'deg'
    WHEN '%RH' THEN '%'
    WHEN 'mbar' THEN 'hPa'
    ELSE replace(json_get_str("Datastream", 'unitOfMeasurement', 'symbol'), ' ', '')
  END AS unit,
  json_as_text("Datastream", '@iot.id') AS sensor_id,
  "resultQuality" AS result_quality
FROM (SELECT *, json_get_str("Datastream", 'ObservedProperty', 'name') AS property FROM source) AS observations
