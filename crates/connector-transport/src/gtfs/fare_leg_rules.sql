-- fare_leg_rules.txt, https://gtfs.org/documentation/schedule/reference/#fare_leg_rulestxt
-- Fields of the key that a feed may leave empty are then the empty text.
SELECT
  $feed_id AS feed_id, leg_group_id, coalesce(network_id, '') AS network_id,
  coalesce(from_area_id, '') AS from_area_id, coalesce(to_area_id, '') AS to_area_id,
  coalesce(from_timeframe_group_id, '') AS from_timeframe_group_id,
  coalesce(to_timeframe_group_id, '') AS to_timeframe_group_id, fare_product_id, rule_priority
FROM source
