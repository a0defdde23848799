-- EDGE, public school geocodes: NAD 83, which differs from WGS 84 by less than the geocoding does.
SELECT
  lpad("NCESSCH", 12, '0') AS school_id,
  "NAME" AS name,
  'public' AS sector,
  'open' AS status,
  NULLIF(concat_ws(', ', NULLIF("STREET", ''), NULLIF("CITY", ''), NULLIF("STATE" || ' ' || "ZIP", ' ')), '') AS address,
  NULLIF("CITY", '') AS locality,
  'US' AS country,
  "LON" || ',' || "LAT" AS location
FROM source
