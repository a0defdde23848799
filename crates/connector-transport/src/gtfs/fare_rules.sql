-- fare_rules.txt, https://gtfs.org/documentation/schedule/reference/#fare_rulestxt
-- Fields of the key that a feed may leave empty are then the empty text.
SELECT
  $feed_id AS feed_id, fare_id, coalesce(route_id, '') AS route_id, coalesce(origin_id, '') AS origin_id,
  coalesce(destination_id, '') AS destination_id, coalesce(contains_id, '') AS contains_id
FROM source
