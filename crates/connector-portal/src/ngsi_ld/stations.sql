-- https://github.com/smart-data-models/dataModel.Environment/tree/master/AirQualityObserved: each entity says where it was observed.
SELECT
  coalesce("stationCode", "refPointOfInterest", "refDevice", id) AS station_id,
  coalesce("stationName", name) AS name,
  "typeOfLocation" AS facility_type,
  json_get_str(address, 'addressLocality') AS locality,
  CASE WHEN json_get_str(address, 'addressCountry') ~ '^[A-Z]{2}$' THEN json_get_str(address, 'addressCountry') END AS country,
  CASE WHEN json_get_str(location, 'type') = 'Point' THEN json_get_float(location, 'coordinates', 1) END AS latitude,
  CASE WHEN json_get_str(location, 'type') = 'Point' THEN json_get_float(location, 'coordinates', 0) END AS longitude,
  owner,
  source AS provider,
  CASE WHEN json_get_str(location, 'type') = 'Point'
    THEN json_get_float(location, 'coordinates', 0) || ',' || json_get_float(location, 'coordinates', 1) END AS location
FROM source
