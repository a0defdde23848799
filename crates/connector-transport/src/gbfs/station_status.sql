-- station_status.json, https://gbfs.org/documentation/reference/#station_statusjson
-- In 2.x vehicles are called bikes, and times are seconds of POSIX time.
SELECT
  $system_id AS system_id, station_id,
  coalesce(CAST(to_timestamp_seconds(TRY_CAST(last_reported AS BIGINT)) AS text) || 'Z', last_reported) AS last_reported,
  coalesce(num_vehicles_available, num_bikes_available) AS num_vehicles_available, vehicle_types_available,
  coalesce(num_vehicles_disabled, num_bikes_disabled) AS num_vehicles_disabled, num_docks_available, vehicle_docks_available,
  num_docks_disabled, is_installed, is_renting, is_returning
FROM source
