-- PanEuropean_metadata.csv of the EEA: a line for each sampling point and sample; merging keeps one of each sampling point.
SELECT
  "SamplingPoint" AS station_id,
  "AirQualityStation" AS name,
  "AirQualityStationType" AS facility_type,
  "AirQualityStationArea" AS locality,
  "Countrycode" AS country,
  "Latitude" AS latitude,
  "Longitude" AS longitude,
  NULLIF("Altitude", '') AS elevation,
  false AS is_mobile,
  true AS is_monitor,
  "AirQualityNetwork" AS owner,
  'European Environment Agency' AS provider,
  "Longitude" || ',' || "Latitude" AS location
FROM source
WHERE $wanted = '|' OR strpos($wanted, '|' || "Countrycode" || '|') > 0
