-- https://docs.openaq.org/aws/about: each record tells where its location is; merging keeps the last.
SELECT
  location_id AS station_id,
  location AS name,
  lat AS latitude,
  lon AS longitude,
  lon || ',' || lat AS location
FROM source
