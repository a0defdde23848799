-- transfers.txt, https://gtfs.org/documentation/schedule/reference/#transferstxt
-- Fields of the key that a feed may leave empty are then the empty text.
SELECT
  $feed_id AS feed_id, coalesce(from_stop_id, '') AS from_stop_id, coalesce(to_stop_id, '') AS to_stop_id,
  coalesce(from_route_id, '') AS from_route_id, coalesce(to_route_id, '') AS to_route_id,
  coalesce(from_trip_id, '') AS from_trip_id, coalesce(to_trip_id, '') AS to_trip_id, transfer_type,
  min_transfer_time
FROM source
