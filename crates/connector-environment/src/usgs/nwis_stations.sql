-- https://waterservices.usgs.gov/docs/site-service/: RDB, whose second line gives the width of each column.
SELECT
  'USGS-' || site_no AS station_id,
  station_nm AS name,
  site_tp_cd AS facility_type,
  'US' AS country,
  dec_lat_va AS latitude,
  dec_long_va AS longitude,
  -- Feet above the datum named beside them.
  round(CAST(NULLIF(trim(alt_va), '') AS DOUBLE) * 0.3048, 3) AS elevation,
  false AS is_mobile,
  agency_cd AS owner,
  dec_long_va || ',' || dec_lat_va AS location
FROM source
WHERE agency_cd NOT LIKE '%s' OR site_no NOT LIKE '%s'
