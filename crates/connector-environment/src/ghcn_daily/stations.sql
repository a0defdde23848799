-- readme.txt, section IV. The first two letters of an id are a FIPS country code, which is no ISO 3166 code.
SELECT
  id AS station_id,
  trim(name) AS name,
  NULLIF(trim(state), '') AS locality,
  CAST(trim(latitude) AS DOUBLE) AS latitude,
  CAST(trim(longitude) AS DOUBLE) AS longitude,
  NULLIF(CAST(trim(elevation) AS DOUBLE), -999.9) AS elevation,
  false AS is_mobile,
  'NOAA GHCN-Daily' AS provider,
  trim(longitude) || ',' || trim(latitude) AS location
FROM source
WHERE $wanted = '|' OR strpos($wanted, '|' || id || '|') > 0
