-- Top-k: the calls farthest from their trip's start.
SELECT trip_id, stop_id, shape_dist_traveled
FROM bench.stop_times
ORDER BY shape_dist_traveled DESC, trip_id
LIMIT 50
