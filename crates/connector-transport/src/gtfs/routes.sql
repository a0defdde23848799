-- routes.txt, https://gtfs.org/documentation/schedule/reference/#routestxt
-- A feed of one agency may leave agency_id out; it then stays empty.
SELECT
  $feed_id AS feed_id, route_id, agency_id, route_short_name, route_long_name, route_desc, route_type,
  route_url, route_color, route_text_color, route_sort_order, continuous_pickup, continuous_drop_off,
  network_id, cemv_support
FROM source
