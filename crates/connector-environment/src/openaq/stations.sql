-- https://docs.openaq.org/resources/locations
SELECT
  id AS station_id,
  name,
  json_get_str(instruments, 0, 'name') AS facility_type,
  NULLIF(locality, 'N/A') AS locality,
  json_get_str(country, 'code') AS country,
  json_get_float(coordinates, 'latitude') AS latitude,
  json_get_float(coordinates, 'longitude') AS longitude,
  timezone AS time_zone,
  "isMobile" AS is_mobile,
  "isMonitor" AS is_monitor,
  json_get_str(owner, 'name') AS owner,
  json_get_str(provider, 'name') AS provider,
  -- The names inside "parameter" objects, one after the other; all other text falls away.
  '[' || rtrim(
    regexp_replace(sensors, '(?s)(?:.*?"parameter"\s*:\s*\{[^}]*?"name"\s*:\s*("[^"]*")|.+$)', '\1,', 'g'), ','
  ) || ']' AS observed_properties,
  json_get_str("datetimeFirst", 'utc') AS datetime_first,
  json_get_str("datetimeLast", 'utc') AS datetime_last,
  json_get_float(coordinates, 'longitude') || ',' || json_get_float(coordinates, 'latitude') AS location
FROM source
