-- https://github.com/opendata-stuttgart/meta/wiki/EN-APIs: sensors at one place share its id.
SELECT
  json_as_text(location, 'id') AS station_id,
  'Low-cost sensor' AS facility_type,
  json_get_str(location, 'country') AS country,
  json_as_text(location, 'latitude') AS latitude,
  json_as_text(location, 'longitude') AS longitude,
  json_as_text(location, 'altitude') AS elevation,
  false AS is_mobile,
  false AS is_monitor,
  'sensor.community' AS provider,
  json_as_text(location, 'longitude') || ',' || json_as_text(location, 'latitude') AS location
FROM source
