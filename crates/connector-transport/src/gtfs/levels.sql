-- levels.txt, https://gtfs.org/documentation/schedule/reference/#levelstxt
SELECT
  $feed_id AS feed_id, level_id, level_index, level_name
FROM source
