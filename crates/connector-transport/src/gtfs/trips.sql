-- trips.txt, https://gtfs.org/documentation/schedule/reference/#tripstxt
SELECT
  $feed_id AS feed_id, route_id, service_id, trip_id, trip_headsign, trip_short_name, direction_id, block_id,
  shape_id, wheelchair_accessible, bikes_allowed, cars_allowed
FROM source
