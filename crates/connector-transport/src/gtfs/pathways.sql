-- pathways.txt, https://gtfs.org/documentation/schedule/reference/#pathwaystxt
SELECT
  $feed_id AS feed_id, pathway_id, from_stop_id, to_stop_id, pathway_mode, is_bidirectional, length,
  traversal_time, stair_count, max_slope, min_width, signposted_as, reversed_signposted_as
FROM source
