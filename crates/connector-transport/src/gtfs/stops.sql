-- stops.txt, https://gtfs.org/documentation/schedule/reference/#stopstxt
-- location_type, wheelchair_boarding: empty stays empty, which the standard reads as 0.
SELECT
  $feed_id AS feed_id, stop_id, stop_code, stop_name, tts_stop_name, stop_desc, stop_lat, stop_lon, zone_id,
  stop_url, location_type, parent_station, stop_timezone, wheelchair_boarding, level_id, platform_code, stop_access
FROM source
