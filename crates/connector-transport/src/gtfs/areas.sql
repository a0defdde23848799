-- areas.txt, https://gtfs.org/documentation/schedule/reference/#areastxt
SELECT
  $feed_id AS feed_id, area_id, area_name
FROM source
