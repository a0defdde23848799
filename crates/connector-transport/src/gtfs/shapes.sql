-- shapes.txt, https://gtfs.org/documentation/schedule/reference/#shapestxt
SELECT
  $feed_id AS feed_id, shape_id, shape_pt_lat, shape_pt_lon, shape_pt_sequence, shape_dist_traveled
FROM source
