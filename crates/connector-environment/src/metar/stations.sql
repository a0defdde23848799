-- https://aviationweather.gov/data/api/: each report tells where its airport is; merging keeps the last.
SELECT
  "icaoId" AS station_id,
  name,
  'Airport' AS facility_type,
  lat AS latitude,
  lon AS longitude,
  elev AS elevation,
  false AS is_mobile,
  'Aviation Weather Center' AS provider,
  lon || ',' || lat AS location
FROM source
