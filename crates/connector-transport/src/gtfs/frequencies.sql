-- frequencies.txt, https://gtfs.org/documentation/schedule/reference/#frequenciestxt
SELECT
  $feed_id AS feed_id, trip_id, start_time, end_time, headway_secs, exact_times
FROM source
