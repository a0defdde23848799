-- Count distinct: how many trips call at each stop of a corridor, and in all.
SELECT stop_id, count(DISTINCT trip_id) AS trips, count(DISTINCT substr(arrival_time, 1, 5)) AS minutes
FROM bench.stop_times
GROUP BY stop_id
ORDER BY trips DESC, stop_id
LIMIT 20
