-- fare_transfer_rules.txt, https://gtfs.org/documentation/schedule/reference/#fare_transfer_rulestxt
-- Fields of the key that a feed may leave empty are then the empty text, or 0, which the standard forbids as a value.
SELECT
  $feed_id AS feed_id, coalesce(from_leg_group_id, '') AS from_leg_group_id,
  coalesce(to_leg_group_id, '') AS to_leg_group_id, coalesce(nullif(transfer_count, ''), '0') AS transfer_count,
  coalesce(nullif(duration_limit, ''), '0') AS duration_limit, duration_limit_type, fare_transfer_type,
  coalesce(fare_product_id, '') AS fare_product_id
FROM source
