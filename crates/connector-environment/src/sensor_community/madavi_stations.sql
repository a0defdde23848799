-- The node stands in the settings; every record gives it anew, and merging keeps one.
SELECT
  $station_id AS station_id,
  NULLIF($station_name, '') AS name,
  'Low-cost sensor' AS facility_type,
  NULLIF($locality, '') AS locality,
  NULLIF($country, '') AS country,
  $latitude AS latitude,
  $longitude AS longitude,
  NULLIF($time_zone, '') AS time_zone,
  false AS is_mobile,
  false AS is_monitor,
  NULLIF($owner, '') AS owner,
  'sensor.community' AS provider,
  $longitude || ',' || $latitude AS location
FROM source
