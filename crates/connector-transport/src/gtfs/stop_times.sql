-- stop_times.txt, https://gtfs.org/documentation/schedule/reference/#stop_timestxt
-- Times stay texts: they pass 24:00:00, and are empty at stops between timepoints.
SELECT
  $feed_id AS feed_id, trip_id, arrival_time, departure_time, stop_id, stop_sequence, stop_headsign,
  pickup_type, drop_off_type, continuous_pickup, continuous_drop_off, shape_dist_traveled, timepoint
FROM source
