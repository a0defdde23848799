-- route_networks.txt, https://gtfs.org/documentation/schedule/reference/#route_networkstxt
SELECT
  $feed_id AS feed_id, network_id, route_id
FROM source
