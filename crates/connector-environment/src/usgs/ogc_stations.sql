-- https://api.waterdata.usgs.gov/ogcapi/v0/collections/monitoring-locations
SELECT
  agency_code || '-' || monitoring_location_number AS station_id,
  monitoring_location_name AS name,
  site_type AS facility_type,
  concat_ws(', ', county_name, state_name) AS locality,
  country_code AS country,
  ST_Y(geometry) AS latitude,
  ST_X(geometry) AS longitude,
  -- Feet above the datum named beside them.
  round(CAST(altitude AS DOUBLE) * 0.3048, 3) AS elevation,
  false AS is_mobile,
  agency_name AS owner,
  geometry AS location
FROM source
