-- https://open-meteo.com/en/docs: a column for each variable with its unit in parentheses, hours in GMT. The usual variables have the
-- names of the shared table, others their own.
SELECT
  regexp_replace($part_key, '^.*#location=', '') AS station_id,
  CASE split_part(variable, ' (', 1)
    WHEN 'temperature_2m' THEN 'temperature'
    WHEN 'relative_humidity_2m' THEN 'relativehumidity'
    WHEN 'dew_point_2m' THEN 'dewpoint'
    WHEN 'precipitation' THEN 'rainfall'
    WHEN 'surface_pressure' THEN 'pressure'
    WHEN 'pressure_msl' THEN 'sealevelpressure'
    WHEN 'wind_speed_10m' THEN 'windspeed'
    WHEN 'wind_direction_10m' THEN 'winddirection'
    WHEN 'wind_gusts_10m' THEN 'windgust'
    WHEN 'pm2_5' THEN 'pm25'
    WHEN 'carbon_monoxide' THEN 'co'
    WHEN 'nitrogen_dioxide' THEN 'no2'
    WHEN 'sulphur_dioxide' THEN 'so2'
    WHEN 'ozone' THEN 'o3'
    ELSE split_part(variable, ' (', 1)
  END AS observed_property,
  "time" || ':00Z' AS phenomenon_time,
  value AS result,
  CASE replace(replace(split_part(variable, ' (', 2), ')', ''), 'μ', 'µ')
    WHEN '°C' THEN 'Cel'
    WHEN '°F' THEN '[degF]'
    WHEN 'µg/m³' THEN 'ug/m3'
    WHEN '°' THEN 'deg'
    WHEN 'W/m²' THEN 'W/m2'
    WHEN 'm³/m³' THEN 'm3/m3'
    WHEN 'mp/h' THEN '[mi_i]/h'
    WHEN 'inch' THEN '[in_i]'
    WHEN 'kn' THEN '[kn_i]'
    WHEN 'wmo code' THEN '{code}'
    WHEN '' THEN '1'
    ELSE replace(replace(split_part(variable, ' (', 2), ')', ''), ' ', '_')
  END AS unit,
  $product AS result_quality
FROM source
-- Models end at different hours.
WHERE value NOT IN ('', 'NaN')
