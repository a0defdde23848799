-- https://archive.sensor.community/: each record tells where its sensor stands; merging keeps the last.
SELECT
  location AS station_id,
  'Low-cost sensor' AS facility_type,
  lat AS latitude,
  lon AS longitude,
  false AS is_mobile,
  false AS is_monitor,
  'sensor.community' AS provider,
  lon || ',' || lat AS location
FROM source
