-- fare_leg_join_rules.txt, https://gtfs.org/documentation/schedule/reference/#fare_leg_join_rulestxt
-- Fields of the key that a feed may leave empty are then the empty text.
SELECT
  $feed_id AS feed_id, from_network_id, to_network_id, coalesce(from_stop_id, '') AS from_stop_id,
  coalesce(to_stop_id, '') AS to_stop_id
FROM source
