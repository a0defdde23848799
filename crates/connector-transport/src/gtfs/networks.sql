-- networks.txt, https://gtfs.org/documentation/schedule/reference/#networkstxt
SELECT
  $feed_id AS feed_id, network_id, network_name
FROM source
