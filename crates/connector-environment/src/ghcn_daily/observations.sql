-- A row a value; `days` has station, day, element, value and the flag of quality. Of the many elements the usual ones.
SELECT
  id AS station_id,
  CASE element
    WHEN 'TAVG' THEN 'temperature'
    WHEN 'TMAX' THEN 'temperature_max'
    WHEN 'TMIN' THEN 'temperature_min'
    WHEN 'PRCP' THEN 'rainfall'
    WHEN 'SNOW' THEN 'snowfall'
    WHEN 'SNWD' THEN 'snowdepth'
    WHEN 'AWND' THEN 'windspeed'
  END AS observed_property,
  "day" || 'T00:00:00Z' AS phenomenon_time,
  parse_timestamp("day", 'iso', 'UTC') + INTERVAL '1 day' AS phenomenon_time_end,
  -- Tenths, but for snow, which is in millimetres.
  CASE WHEN element IN ('SNOW', 'SNWD') THEN CAST(value AS DOUBLE) ELSE CAST(value AS DOUBLE) / 10 END AS result,
  CASE WHEN element IN ('TAVG', 'TMAX', 'TMIN') THEN 'Cel' WHEN element = 'AWND' THEN 'm/s' ELSE 'mm' END AS unit,
  -- The letter of the check that the value failed.
  NULLIF(trim(quality), '') AS result_quality
FROM (
{days}) AS daily
WHERE element IN ('TAVG', 'TMAX', 'TMIN', 'PRCP', 'SNOW', 'SNWD', 'AWND') AND value <> '-9999'
