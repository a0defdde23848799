-- stop_areas.txt, https://gtfs.org/documentation/schedule/reference/#stop_areastxt
SELECT
  $feed_id AS feed_id, area_id, stop_id
FROM source
