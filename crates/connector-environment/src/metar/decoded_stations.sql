-- The Center's cache files: each report tells where its airport is; merging keeps the last.
SELECT
  station_id,
  'Airport' AS facility_type,
  latitude,
  longitude,
  elevation_m AS elevation,
  false AS is_mobile,
  'Aviation Weather Center' AS provider,
  longitude || ',' || latitude AS location
FROM source
