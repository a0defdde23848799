-- https://docs.openaq.org/resources/measurements: sensor and location are known from what was asked, which is the part's key.
SELECT
  regexp_replace($part_key, '^.*#location=([0-9]+)&sensor=([0-9]+)$', '\1') AS station_id,
  json_get_str(parameter, 'name') AS observed_property,
  json_get_str(period, 'datetimeFrom', 'utc') AS phenomenon_time,
  json_get_str(period, 'datetimeTo', 'utc') AS phenomenon_time_end,
  value AS result,
  -- OpenAQ's words in UCUM; the micro sign is written with either of two letters.
  CASE replace(json_get_str(parameter, 'units'), 'μ', 'µ')
    WHEN 'µg/m³' THEN 'ug/m3'
    WHEN 'mg/m³' THEN 'mg/m3'
    WHEN 'ppm' THEN '[ppm]'
    WHEN 'ppb' THEN '[ppb]'
    WHEN 'c' THEN 'Cel'
    WHEN 'f' THEN '[degF]'
    WHEN 'hpa' THEN 'hPa'
    WHEN 'mb' THEN 'hPa'
    WHEN 'particles/cm³' THEN '{particle}/cm3'
    ELSE json_get_str(parameter, 'units')
  END AS unit,
  regexp_replace($part_key, '^.*#location=([0-9]+)&sensor=([0-9]+)$', '\2') AS sensor_id,
  CASE WHEN json_get_bool("flagInfo", 'hasFlags') THEN 'hasFlags' END AS result_quality
FROM source
